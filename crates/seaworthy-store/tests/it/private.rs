//! What is stored is for the user who runs the program, and for nobody else of the
//! machine: the database holds the keys that sign tokens, the blobs are images.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use seaworthy_store::{Clock, Database, DatabaseOptions, Millis};

use crate::depot::{Depot, in_files};

#[test]
fn nobody_else_may_read_what_is_stored() {
    in_files(async |depot: Depot| {
        depot.push(b"secret layers").await;
        let growing = depot.append(depot.begin().await, b"more of them").await;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("seaworthy.db");
        let options = DatabaseOptions::Sqlite { path };
        let database = Database::open(&options, Clock::new(|| Millis(0))).await;
        let database = database.expect("opens");
        let mut found = all_under(folder.path());
        assert!(found.len() > 1, "its journal is open, too: {found:?}");
        found.extend(all_under(depot.folder()));
        for path in found {
            let mode = fs::metadata(&path).expect("is there").permissions().mode();
            assert_eq!(mode & 0o077, 0, "{} is {mode:o}", path.display());
        }
        database.close().await;
        drop(growing);
    });
}

#[test]
fn the_password_of_a_database_is_not_told() {
    let options = DatabaseOptions::Postgres {
        url: "postgres://seaworthy:canary@db.example/seaworthy".to_owned(),
        connections: 3,
    };
    assert!(!format!("{options:?}").contains("canary"));
}

/// Every file and folder below `folder`.
fn all_under(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(all_under(&path));
        }
        found.push(path);
    }
    found
}
