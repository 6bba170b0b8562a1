//! Debian packages: the status database of dpkg, and the one file per package
//! that distroless images keep in its place.

use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;

use crate::lines::{Line, Lines};
use crate::probe::{Probe, Scanner};
use crate::record::{FileRecord, PackageRecord, SourceRecord};

/// Reads `var/lib/dpkg/status`, the journal beside it, and `status.d`.
///
/// A package counts where files of it may be present, whatever dpkg wants done
/// with it (`hold`, `deinstall`): in the states `installed`, `unpacked`,
/// `half-configured`, `half-installed`, `triggers-awaited` and
/// `triggers-pending`. It does not in `config-files` and `not-installed`.
///
/// The journal (`var/lib/dpkg/updates/0001` and so on) is what an interrupted
/// dpkg leaves. It overrides the status file; we list both.
#[derive(Debug)]
pub(crate) struct Dpkg;

/// Larger databases than this are read in pieces, in bytes.
const LIMIT: u64 = 4 << 20;

const FOLDER: &str = "var/lib/dpkg/";

impl Probe for Dpkg {
    fn name(&self) -> &'static str {
        "dpkg"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        let Some(rest) = file.path.strip_prefix(FOLDER) else {
            return false;
        };
        match rest.split_once('/') {
            None => rest == "status",
            Some(("status.d", name)) => !name.ends_with(".md5sums") && !name.contains('/'),
            Some(("updates", name)) => name.bytes().all(|byte| byte.is_ascii_digit()),
            Some(_) => false,
        }
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let mut status = Box::new(Status::of(file));
        status.feed(bytes, found);
        status.finish(found);
    }

    fn scanner(&self, file: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        Some(Box::new(Status::of(file)))
    }
}

/// A status database being read.
#[derive(Debug, Default)]
struct Status {
    lines: Lines,
    paragraph: Paragraph,
    /// Whether packages without a `Status` are installed: dpkg's own database
    /// always has one, `status.d` mostly has none.
    needs_no_state: bool,
}

impl Status {
    fn of(file: &FileFacts<'_>) -> Self {
        Self {
            needs_no_state: file.path.contains("/status.d/"),
            ..Self::default()
        }
    }

    fn take(
        &mut self,
        found: &mut FileRecord,
        with: impl FnOnce(&mut Lines, &mut dyn FnMut(Line<'_>)),
    ) {
        let Self {
            lines,
            paragraph,
            needs_no_state,
        } = self;
        with(lines, &mut |line| {
            if line.bytes.is_empty() || line.bytes == b"\r" {
                std::mem::take(paragraph).close(*needs_no_state, found);
            } else {
                paragraph.line(line);
            }
        });
    }
}

impl Scanner for Status {
    fn feed(&mut self, bytes: &[u8], found: &mut FileRecord) {
        found.database = true;
        self.take(found, |lines, take| lines.feed(bytes, take));
    }

    fn finish(mut self: Box<Self>, found: &mut FileRecord) {
        found.database = true;
        self.take(found, |lines, take| std::mem::take(lines).finish(take));
        self.paragraph.close(self.needs_no_state, found);
    }
}

/// What we keep of one paragraph.
#[derive(Debug, Default)]
struct Paragraph {
    fields: [Option<String>; FIELDS.len()],
    is_begun: bool,
    trouble: Option<String>,
}

const FIELDS: [&str; 6] = [
    "Package",
    "Status",
    "Version",
    "Architecture",
    "Source",
    "Origin",
];

impl Paragraph {
    fn line(&mut self, line: Line<'_>) {
        self.is_begun = true;
        if line.is_cut {
            self.trouble("a line is longer than can be read");
        }
        // A continuation of a field; none of ours has one.
        if line.bytes.starts_with(b" ") || line.bytes.starts_with(b"\t") {
            return;
        }
        let Some(colon) = memchr::memchr(b':', line.bytes) else {
            self.trouble("a line is no field");
            return;
        };
        let (name, value) = line.bytes.split_at(colon);
        let Some(at) = FIELDS
            .iter()
            .position(|field| field.as_bytes().eq_ignore_ascii_case(name))
        else {
            return;
        };
        let value = String::from_utf8_lossy(value.get(1..).unwrap_or_default());
        match self.fields.get_mut(at) {
            Some(Some(_)) => self.trouble(&format!("`{}` is given twice", FIELDS[at])),
            Some(field) => *field = Some(value.trim().to_owned()),
            None => {}
        }
    }

    fn trouble(&mut self, why: &str) {
        self.trouble.get_or_insert_with(|| why.to_owned());
    }

    fn close(self, needs_no_state: bool, found: &mut FileRecord) {
        if !self.is_begun {
            return;
        }
        let [package, status, version, architecture, source, origin] = self
            .fields
            .map(|field| field.filter(|value| !value.is_empty()));
        let title = package.as_deref().map_or_else(
            || "a package without a name".to_owned(),
            |name| format!("package `{name}`"),
        );
        if let Some(why) = self.trouble {
            found.gap(format!("{title}: {why}"));
        }
        let state = status
            .as_deref()
            .map(|it| it.split_ascii_whitespace().last());
        match state.flatten() {
            Some("config-files" | "not-installed") => return,
            Some(
                "installed" | "unpacked" | "half-configured" | "half-installed"
                | "triggers-awaited" | "triggers-pending",
            ) => {}
            Some(other) => found.gap(format!("{title} is in an unknown state `{other}`")),
            None if needs_no_state => {}
            None => {
                // dpkg takes it for not installed; a broken file may mean more.
                found.gap(format!("{title} has no state"));
                return;
            }
        }
        let (Some(name), Some(version)) = (&package, &version) else {
            found.gap(if package.is_some() {
                format!("{title} without a version")
            } else {
                title
            });
            return;
        };
        found.package(PackageRecord {
            source: Some(built_from(source.as_deref(), name, version)),
            architecture,
            vendor: origin,
            ..PackageRecord::recorded(&PackageType::Deb, name, version)
        });
    }
}

/// Reads `Source`, which is left out where it would repeat the package's own
/// name and version: `name` or `name (version)`.
fn built_from(source: Option<&str>, name: &str, version: &str) -> SourceRecord {
    let Some(source) = source else {
        return SourceRecord::new(name, version);
    };
    let Some((name, rest)) = source.split_once('(') else {
        return SourceRecord::new(source, version);
    };
    let own = rest.trim_end().trim_end_matches(')').trim();
    SourceRecord::new(name.trim(), if own.is_empty() { version } else { own })
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::trial::read;

    const STATUS: &str = "var/lib/dpkg/status";

    #[test]
    fn packages_whose_files_may_be_present_count() {
        let text = [
            "install ok installed",
            "hold ok installed",
            "deinstall ok unpacked",
            "install reinstreq half-installed",
            "install ok half-configured",
            "install ok triggers-awaited",
            "install ok triggers-pending",
            "deinstall ok config-files",
            "purge ok not-installed",
            "install ok melted",
        ]
        .iter()
        .enumerate()
        .map(|(at, status)| format!("Package: p{at}\nStatus: {status}\nVersion: {at}\n\n"))
        .collect::<Vec<_>>()
        .concat();
        assert_snapshot!(read(&Dpkg, STATUS, &text), @r"
        p0 0
        p1 1
        p2 2
        p3 3
        p4 4
        p5 5
        p6 6
        p9 9
        gap: package `p9` is in an unknown state `melted`
        ");
    }

    #[test]
    fn a_source_is_the_package_itself_unless_said_otherwise() {
        assert_snapshot!(read(&Dpkg, STATUS,
            "Package: bash\nStatus: install ok installed\nArchitecture: amd64\nVersion: 5.2-1+b1\nSource: bash (5.2-1)\n\n\
             Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.3\nSource: zlib\nMulti-Arch: same\nDescription: one\n two\n .\n\n\
             package: tar\nSTATUS: install ok installed\nVersion: 1.35\nOrigin: Somebody"
        ), @r"
        bash 5.2-1+b1 amd64 (from bash 5.2-1)
        zlib1g 1:1.3 (from zlib 1:1.3)
        tar 1.35 by Somebody
        ");
    }

    #[test]
    fn a_broken_paragraph_is_a_gap_and_the_rest_is_read() {
        assert_snapshot!(read(&Dpkg, STATUS,
            "Package: bash\nStatus: install ok installed\n\n\
             Status: install ok installed\nVersion: 1\n\n\n\n\
             Package: nothing\nVersion: 1\n\n\
             Package: twice\nPackage: thrice\nStatus: install ok installed\nVersion: 1\n\n\
             what is this\n\n\
             Package: zlib1g\nStatus: install ok installed\nVersion: 1:1.3\n"
        ), @r"
        twice 1
        zlib1g 1:1.3
        gap: package `bash` without a version
        gap: a package without a name
        gap: package `nothing` has no state
        gap: package `twice`: `Package` is given twice
        gap: a package without a name: a line is no field
        gap: a package without a name has no state
        ");
        let long = format!("Package: x\nVersion: {}\n", "9".repeat(3 << 20));
        assert_snapshot!(read(&Dpkg, "var/lib/dpkg/status.d/x", &long), @r"
        gap: package `x`: a line is longer than can be read
        gap: package `x` has a text that is too long or holds control characters
        ");
    }

    #[test]
    fn only_databases_are_wanted() {
        let wants = |path| {
            Dpkg.wants(&FileFacts {
                path,
                mode: 0o644,
                size: 1,
            })
        };
        for path in [
            STATUS,
            "var/lib/dpkg/status.d/base",
            "var/lib/dpkg/updates/0001",
        ] {
            assert!(wants(path), "{path}");
        }
        for path in [
            "var/lib/dpkg/status-old",
            "var/lib/dpkg/status.d/base.md5sums",
            "var/lib/dpkg/updates/tmp.i",
            "var/lib/dpkg/info/bash.list",
            "srv/var/lib/dpkg/status",
        ] {
            assert!(!wants(path), "{path}");
        }
    }
}
