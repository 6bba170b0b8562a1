//! rpm databases, made by rpm and by others, against rpm's own listing.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use seaworthy_inventory::FileRecord;
use seaworthy_testkit::{require, shared};

use crate::look::{look, output};

const SQLITE: &str = "usr/lib/sysimage/rpm/rpmdb.sqlite";
const BERKELEY: &str = "var/lib/rpm/Packages";
const NDB: &str = "usr/lib/sysimage/rpm/Packages.db";

/// Fixtures, with the path an image has them at and how many packages they hold.
const FIXTURES: [(&str, &str, usize); 5] = [
    ("go-rpmdb/libuuid/Packages", BERKELEY, 1),
    ("syft/Packages", BERKELEY, 1),
    ("go-rpmdb/sle15-bci/Packages.db", NDB, 35),
    ("go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite", SQLITE, 129),
    (
        "syft/container-manifest-2",
        "var/lib/rpmmanifest/container-manifest-2",
        5,
    ),
];

fn fixture(name: &str) -> Option<Vec<u8>> {
    Some(fs::read(shared()?.join("fixtures/rpmdb").join(name)).expect("the fixture is there"))
}

/// Name, version, architecture, source and module of every package, sorted.
fn ours(record: &FileRecord) -> Vec<String> {
    assert_eq!(record.gaps, [""; 0]);
    assert!(record.database);
    let mut lines: Vec<String> = record
        .packages
        .iter()
        .map(|it| {
            let epoch = it.version.split_once(':').map(|(epoch, _)| epoch);
            let source = it.source.as_ref().map_or("(none)".to_owned(), |source| {
                let version = match epoch {
                    Some(epoch) => source.version.strip_prefix(&format!("{epoch}:")),
                    None => Some(&*source.version),
                };
                let version = version.expect("a source has the epoch of its package");
                format!("{}-{version}.src.rpm", source.name)
            });
            let architecture = it.architecture.as_deref().unwrap_or("(none)");
            let module = it.module.as_deref().unwrap_or("(none)");
            format!(
                "{}\t{}\t{architecture}\t{source}\t{module}",
                it.name, it.version
            )
        })
        .collect();
    lines.sort_unstable();
    lines
}

/// The same as rpm tells it.
fn theirs(folder: &Path) -> Vec<String> {
    let format = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}:{}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\t%{MODULARITYLABEL}\\n";
    let text = output(
        Command::new("rpm")
            .arg("--dbpath")
            .arg(folder)
            .args(["-qa", "--qf", format]),
    );
    let mut lines: Vec<String> = text
        .lines()
        .filter(|line| !line.starts_with("gpg-pubkey\t"))
        // An epoch of zero, written out, is the same as none.
        .map(|line| line.replacen("\t0:", "\t", 1))
        // Of `name:stream:version:context` we keep the first two.
        .map(|line| {
            let (rest, label) = line.rsplit_once('\t').expect("five fields");
            let module: Vec<&str> = label.splitn(3, ':').take(2).collect();
            format!("{rest}\t{}", module.join(":"))
        })
        .collect();
    lines.sort_unstable();
    lines
}

#[test]
fn fixtures_hold_as_many_packages_as_are_known() {
    for (name, path, packages) in FIXTURES {
        let Some(bytes) = fixture(name) else { return };
        assert_eq!(ours(&look("rpm", path, &bytes)).len(), packages, "{name}");
    }
}

#[test]
fn fixtures_read_as_rpm_reads_them() {
    let needs_met = require("rpm");
    for (name, path, _) in FIXTURES {
        let (true, Some(bytes)) = (needs_met, fixture(name)) else {
            return;
        };
        // rpm here has no ndb, and the manifest is not rpm's.
        if path != SQLITE && path != BERKELEY {
            continue;
        }
        let folder = tempfile::tempdir().expect("a folder");
        let file = Path::new(path).file_name().expect("a file");
        fs::write(folder.path().join(file), &bytes).expect("the folder takes files");
        assert_eq!(
            ours(&look("rpm", path, &bytes)),
            theirs(folder.path()),
            "{name}"
        );
    }
}

#[test]
fn a_database_without_the_table_of_packages_is_a_gap() {
    let Some(bytes) = fixture("claircore/no_packages.sqlite") else {
        return;
    };
    let record = look("rpm", SQLITE, &bytes);
    assert_eq!(record.gaps, ["sqlite rpm database: no table of packages"]);
}

#[test]
fn every_format_of_rpm_has_the_same_packages() {
    if !(require("rpm") && require("db5.3_load")) {
        return;
    }
    // What rpm reads from Berkeley DB stands in for the ndb it cannot read.
    let Some(ndb) = fixture("go-rpmdb/sle15-bci/Packages.db") else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    let bytes = berkeley(folder.path(), &blobs_of_ndb(&ndb), "");
    let expected = theirs(folder.path());
    assert_eq!(expected.len(), 35);
    assert_eq!(ours(&look("rpm", NDB, &ndb)), expected);
    assert_eq!(ours(&look("rpm", BERKELEY, &bytes)), expected);
}

#[test]
fn berkeley_databases_of_any_page_size_and_byte_order_are_read() {
    if !require("db5.3_load") {
        return;
    }
    let Some(bytes) = fixture("go-rpmdb/cbl-mariner-2.0/rpmdb.sqlite") else {
        return;
    };
    let expected = ours(&look("rpm", SQLITE, &bytes));
    let folder = tempfile::tempdir().expect("a folder");
    let blobs = blobs_of_sqlite(folder.path(), &bytes);
    // The same packages again under other numbers make for many buckets.
    let many: Vec<Vec<u8>> = (0..5).flat_map(|_| blobs.clone()).collect();
    for settings in [
        "db_pagesize=512\n",
        "db_pagesize=4096\ndb_lorder=4321\n",
        "db_pagesize=8192\ndb_lorder=1234\n",
        "db_pagesize=65536\ndb_lorder=4321\n",
    ] {
        let bytes = berkeley(folder.path(), &many, settings);
        let mut found = ours(&look("rpm", BERKELEY, &bytes));
        assert_eq!(
            found.len(),
            many.len() - 5 * (blobs.len() - expected.len()),
            "{settings}"
        );
        found.dedup();
        assert_eq!(found, expected, "{settings}");
    }
}

#[test]
fn a_database_made_by_rpm_reads_as_rpm_reads_it() {
    if !(require("rpm") && require("rpmbuild")) {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let packages = build(folder.path());
    let database = folder.path().join("database");
    output(
        Command::new("rpm")
            .arg("--dbpath")
            .arg(&database)
            .args(["-i", "--justdb", "--nodeps", "--noscripts"])
            .args(&packages),
    );
    let read = || fs::read(database.join("rpmdb.sqlite")).expect("rpm made a database");
    let record = look("rpm", SQLITE, &read());
    let found = ours(&record);
    assert_eq!(found, theirs(&database));
    let versions: Vec<&str> = record.packages.iter().map(|it| &*it.version).collect();
    for version in ["7:1.0~rc1-1", "1.0^20240101git-2.el9", "7:9-1", "3-1"] {
        assert!(versions.contains(&version), "{versions:?}");
    }
    let modules: Vec<&str> = record
        .packages
        .iter()
        .filter_map(|it| it.module.as_deref())
        .collect();
    assert_eq!(modules, ["seaworthy:3"]);
    let sub = record.packages.iter().find(|it| it.name == "seaworthy-sub");
    let source = sub.and_then(|it| it.source.as_ref()).expect("a source");
    assert_eq!(
        (&*source.name, &*source.version),
        ("seaworthy-one", "7:1.0~rc1-1")
    );

    // Removed packages leave free blocks and pages behind.
    output(Command::new("rpm").arg("--dbpath").arg(&database).args([
        "-e",
        "--justdb",
        "--nodeps",
        "seaworthy-many",
        "seaworthy-two",
    ]));
    assert_eq!(ours(&look("rpm", SQLITE, &read())), theirs(&database));
}

#[test]
fn changes_that_only_the_log_holds_are_a_gap() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("rpmdb.sqlite");
    let database = rusqlite::Connection::open(&path).expect("a database");
    database
        .execute_batch(
            "PRAGMA journal_mode = WAL;
             PRAGMA wal_autocheckpoint = 0;
             CREATE TABLE Packages (hnum INTEGER PRIMARY KEY AUTOINCREMENT, blob BLOB NOT NULL);",
        )
        .expect("sqlite takes this");
    let log = fs::read(folder.path().join("rpmdb.sqlite-wal")).expect("a log");
    let record = look("rpm", &format!("{SQLITE}-wal"), &log);
    assert_eq!(
        record.gaps,
        ["sqlite rpm database: changes in its log are not read (not checkpointed)"]
    );
}

/// Whatever happens to a database, it is not taken for an empty one.
#[test]
fn a_damaged_database_is_never_silently_empty() {
    let Some(databases) = databases() else { return };
    let damage = (any::<prop::sample::Index>(), any::<u8>(), 0_u8..4);
    let damages = proptest::collection::vec(damage, 1..8);
    always((0..databases.len(), damages), |(which, damages)| {
        let (path, mut bytes) = databases[which].clone();
        for (at, value, kind) in damages {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = value,
                1 => bytes[at] ^= 1 << (value % 8),
                // A whole page, or what is left of it, becomes zeros or noise.
                2 => bytes[at & !0xfff..]
                    .iter_mut()
                    .take(4096)
                    .for_each(|it| *it = 0),
                _ => bytes[at & !0xfff..]
                    .iter_mut()
                    .take(4096)
                    .for_each(|it| *it ^= value),
            }
        }
        let record = look("rpm", path, &bytes);
        prop_assert!(!(record.packages.is_empty() && record.gaps.is_empty()));
        Ok(())
    });
}

#[test]
fn a_cut_database_is_a_gap() {
    let Some(databases) = databases() else { return };
    let place = any::<prop::sample::Index>();
    always((0..databases.len(), place), |(which, at)| {
        let (path, bytes) = &databases[which];
        let at = at.index(bytes.len() - 1) + 1;
        let record = look("rpm", path, &bytes[..at]);
        prop_assert!(at == bytes.len() || !record.gaps.is_empty(), "cut at {at}");
        Ok(())
    });
}

/// The fixtures that are databases.
fn databases() -> Option<Vec<(&'static str, Vec<u8>)>> {
    FIXTURES
        .into_iter()
        .filter(|(name, _, _)| !name.ends_with("manifest-2"))
        .map(|(name, path, _)| Some((path, fixture(name)?)))
        .collect()
}

/// Runs a law on many values.
fn always<S: Strategy>(values: S, law: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let mut runner = TestRunner::new(Config {
        cases: 150,
        failure_persistence: None,
        ..Config::default()
    });
    if let Err(broken) = runner.run(&values, law) {
        panic!("{broken}");
    }
}

/// Headers of an ndb, read without any check.
fn blobs_of_ndb(bytes: &[u8]) -> Vec<Vec<u8>> {
    let word = |at: usize| {
        let field = bytes[at..at + 4].try_into().expect("four bytes");
        u32::from_le_bytes(field) as usize
    };
    let slots = word(12) * 4096;
    (32..slots)
        .step_by(16)
        .filter(|slot| word(slot + 4) != 0)
        .map(|slot| word(slot + 8) * 16)
        .map(|start| bytes[start + 16..start + 16 + word(start + 12)].to_vec())
        .collect()
}

fn blobs_of_sqlite(folder: &Path, bytes: &[u8]) -> Vec<Vec<u8>> {
    let path = folder.join("copy.sqlite");
    fs::write(&path, bytes).expect("the folder takes files");
    let database = rusqlite::Connection::open(&path).expect("a database");
    let mut query = database
        .prepare("SELECT blob FROM Packages")
        .expect("a table of packages");
    query
        .query_map([], |row| row.get(0))
        .expect("rows")
        .map(|blob| blob.expect("a blob"))
        .collect()
}

/// `Packages` with these headers, written by Berkeley DB itself into `folder`.
fn berkeley(folder: &Path, blobs: &[Vec<u8>], settings: &str) -> Vec<u8> {
    let little = !settings.contains("4321");
    let number = |number: u32| {
        let bytes = if little {
            number.to_le_bytes()
        } else {
            number.to_be_bytes()
        };
        hex(&bytes)
    };
    let last = u32::try_from(blobs.len()).expect("few packages");
    let mut dump = format!("VERSION=3\nformat=bytevalue\ntype=hash\n{settings}HEADER=END\n");
    writeln!(dump, " {}\n {}", number(0), number(last)).expect("a string takes any text");
    for (at, blob) in (1..).zip(blobs) {
        writeln!(dump, " {}\n {}", number(at), hex(blob)).expect("a string takes any text");
    }
    dump.push_str("DATA=END\n");
    let (text, packages) = (folder.join("dump"), folder.join("Packages"));
    fs::write(&text, dump).expect("the folder takes files");
    // Left over from an earlier call, if at all.
    let _ = fs::remove_file(&packages);
    output(
        Command::new("db5.3_load")
            .arg("-f")
            .arg(text)
            .arg(&packages),
    );
    fs::read(packages).expect("a database was made")
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("a string takes any text");
        text
    })
}

/// Builds packages with all the corners of a version, and one of many files.
fn build(folder: &Path) -> Vec<std::path::PathBuf> {
    let common = "Summary: a test\nLicense: none\nBuildArch: noarch\n%description\na test\n";
    let specs = [
        format!(
            "Name: seaworthy-one\nEpoch: 7\nVersion: 1.0~rc1\nRelease: 1\n{common}%files\n\
             %package -n seaworthy-sub\nVersion: 9\nSummary: b\n%description -n seaworthy-sub\nb\n\
             %files -n seaworthy-sub\n"
        ),
        format!(
            "Name: seaworthy-two\nVersion: 1.0^20240101git\nRelease: 2.el9\nVendor: Us & Them\n{common}%files\n"
        ),
        format!(
            "Name: seaworthy-many\nEpoch: 0\nVersion: 3\nRelease: 1\n{common}\
             %install\nmkdir -p %{{buildroot}}/opt/many\n\
             for i in $(seq 3000); do echo $i > %{{buildroot}}/opt/many/a-file-with-a-long-name-$i; done\n\
             %files\n/opt/many\n"
        ),
        format!(
            "Name: seaworthy-three\nVersion: 3\nRelease: 1\n\
             ModularityLabel: seaworthy:3:8090020240101:a75119d5\n{common}%files\n"
        ),
    ];
    let mut packages = Vec::new();
    for (at, spec) in specs.iter().enumerate() {
        let path = folder.join(format!("{at}.spec"));
        fs::write(&path, spec).expect("the folder takes files");
        let top = folder.join("top");
        output(
            Command::new("rpmbuild")
                .arg("--define")
                .arg(format!("_topdir {}", top.display()))
                .arg("-bb")
                .arg(&path),
        );
    }
    for file in fs::read_dir(folder.join("top/RPMS/noarch")).expect("rpms were built") {
        packages.push(file.expect("a file").path());
    }
    packages.sort();
    packages
}
