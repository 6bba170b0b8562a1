//! rpm: the databases of installed packages, in the three forms that rpm has
//! used (Berkeley DB hash, ndb, sqlite), and the manifest that Azure Linux and
//! Mariner leave in images without one.
//!
//! A database is an attacker's file, so its pages are read by own code over a
//! byte slice: every page is followed at most once, so a cycle ends and the time
//! is linear in the size. What is damaged becomes a gap and the rest is read.
//!
//! Deliberately absent: indexes, signatures, and the write-ahead log of sqlite,
//! which is told about instead.

mod berkeley;
mod header;
mod manifest;
mod ndb;
mod pages;
mod sqlite;

pub(crate) use self::header::module;

use seaworthy_image::FileFacts;

use crate::probe::Probe;
use crate::record::FileRecord;

/// Folders where distributions keep the database.
const FOLDERS: [&str; 3] = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"];

/// The list of packages in images that were made without a database.
const MANIFEST: &str = "var/lib/rpmmanifest/container-manifest-2";

/// sqlite's write-ahead log beside the database.
const LOG: &str = "rpmdb.sqlite-wal";

/// The largest database read, in bytes. Those of full desktops are about half
/// as large.
const LIMIT: u64 = 192 << 20;

/// Reads rpm databases.
pub(crate) struct Rpm;

impl Probe for Rpm {
    fn name(&self) -> &'static str {
        "rpm"
    }

    fn version(&self) -> u32 {
        2
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        if file.path == MANIFEST {
            return true;
        }
        let Some((folder, name)) = file.path.rsplit_once('/') else {
            return false;
        };
        FOLDERS.contains(&folder)
            && match name {
                "Packages" | "Packages.db" | "rpmdb.sqlite" => true,
                // An emptied log is what a tidy shutdown leaves behind.
                LOG => file.size > 0,
                _ => false,
            }
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        if file.name() == LOG {
            // The log names pages of a file that this probe does not see.
            if sqlite::has_committed_frames(bytes) {
                found
                    .gap("sqlite rpm database: changes in its log are not read (not checkpointed)");
            }
            return;
        }
        found.database = true;
        if file.path == MANIFEST {
            manifest::read(bytes, found);
        } else if bytes.is_empty() {
            // A database that was created and never written to.
        } else if sqlite::is_sqlite(bytes) {
            sqlite::read(bytes, found);
        } else if ndb::is_ndb(bytes) {
            ndb::read(bytes, found);
        } else if let Some(order) = berkeley::hash_order(bytes) {
            berkeley::read(bytes, order, found);
        } else {
            found.gap("rpm database in no known form (Berkeley DB hash, ndb, sqlite)");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trial::read;

    #[test]
    fn databases_are_wanted_where_distributions_keep_them() {
        let wants = |path: &str, size: u64| {
            Rpm.wants(&FileFacts {
                path,
                mode: 0o644,
                size,
            })
        };
        assert!(wants("var/lib/rpm/Packages", 1));
        assert!(wants("usr/lib/sysimage/rpm/Packages.db", 1));
        assert!(wants("usr/lib/sysimage/rpm/rpmdb.sqlite", 1));
        assert!(wants("usr/share/rpm/rpmdb.sqlite", 1));
        assert!(wants("var/lib/rpmmanifest/container-manifest-2", 1));
        assert!(wants("var/lib/rpm/rpmdb.sqlite-wal", 1));
        assert!(!wants("var/lib/rpm/rpmdb.sqlite-wal", 0));
        assert!(!wants("var/lib/rpm/Name", 1));
        assert!(!wants("home/me/var/lib/rpm/Packages", 1));
        assert!(!wants("Packages", 1));
    }

    #[test]
    fn an_empty_database_says_nothing_and_an_unknown_one_is_a_gap() {
        assert_eq!(read(&Rpm, "var/lib/rpm/Packages", b""), "");
        assert_eq!(
            read(&Rpm, "var/lib/rpm/Packages", b"not a database"),
            "gap: rpm database in no known form (Berkeley DB hash, ndb, sqlite)\n"
        );
    }
}
