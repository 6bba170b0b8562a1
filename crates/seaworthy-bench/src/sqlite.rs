//! The same statements in SQLite with an index: what a good general store does.

use std::path::Path;

use rusqlite::{CachedStatement, Connection, OpenFlags, params};
use seaworthy_core::{Ecosystem, Interval, Stance, Until, Upper};

use crate::question::Question;
use crate::world;

/// An opened store.
pub(crate) struct Store {
    connection: Connection,
}

/// Writes the world into a new file.
pub(crate) fn build(path: &Path) -> anyhow::Result<()> {
    let mut connection = Connection::open(path)?;
    connection.execute_batch(
        "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;
         CREATE TABLE ecosystem (id INTEGER PRIMARY KEY, name TEXT UNIQUE);
         CREATE TABLE statement (
             ecosystem INTEGER, name TEXT, record INTEGER, first TEXT, fixed TEXT
         );",
    )?;
    let writing = connection.transaction()?;
    {
        let mut add_ecosystem =
            writing.prepare("INSERT OR IGNORE INTO ecosystem (name) VALUES (?1)")?;
        let mut find_ecosystem = writing.prepare("SELECT id FROM ecosystem WHERE name = ?1")?;
        let mut add = writing.prepare("INSERT INTO statement VALUES (?1, ?2, ?3, ?4, ?5)")?;
        let mut record = 0_i64;
        world::visit(1, &mut |advisory| {
            record += 1;
            for statement in &advisory.statements {
                let ecosystem = statement.about.ecosystem.to_string();
                let id = match find_ecosystem.query_row([&ecosystem], |row| row.get::<_, i64>(0)) {
                    Ok(id) => id,
                    Err(rusqlite::Error::QueryReturnedNoRows) => {
                        add_ecosystem.execute([&ecosystem])?;
                        writing.last_insert_rowid()
                    }
                    Err(error) => return Err(error.into()),
                };
                let Stance::Affected { intervals, .. } = &statement.stance else {
                    continue;
                };
                for interval in intervals {
                    let fixed = match &interval.upper {
                        Upper::Fixed(version) => Some(version.as_ref()),
                        Upper::Open | Upper::LastAffected(_) => None,
                    };
                    let first = interval.from.as_deref();
                    add.execute(params![id, statement.about.name, record, first, fixed])?;
                }
            }
            Ok(())
        })?;
    }
    writing.execute_batch("CREATE INDEX by_name ON statement (ecosystem, name);")?;
    writing.commit()?;
    Ok(())
}

impl Store {
    /// Opens the file for reading and prepares the question.
    pub(crate) fn open(path: &Path) -> anyhow::Result<Self> {
        let connection = Connection::open_with_flags(
            path,
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )?;
        let store = Self { connection };
        store.question()?;
        Ok(store)
    }

    fn question(&self) -> anyhow::Result<CachedStatement<'_>> {
        Ok(self.connection.prepare_cached(
            "SELECT record, first, fixed FROM statement WHERE ecosystem = ?1 AND name = ?2",
        )?)
    }

    /// How many statements hit.
    pub(crate) fn ask(
        &self,
        ecosystem: &Ecosystem,
        questions: &[Question],
    ) -> anyhow::Result<usize> {
        let id: i64 = self.connection.query_row(
            "SELECT id FROM ecosystem WHERE name = ?1",
            [ecosystem.to_string()],
            |row| row.get(0),
        )?;
        let mut statement = self.question()?;
        let mut hits = 0;
        for question in questions {
            let mut rows = statement.query(params![id, question.name])?;
            while let Some(row) = rows.next()? {
                let from = row.get_ref(1)?.as_str_or_null()?;
                let until = row
                    .get_ref(2)?
                    .as_str_or_null()?
                    .map_or(Until::Forever, Until::Before);
                let interval = Interval { from, until };
                hits += usize::from(
                    interval.contains(question.scheme, &question.version) == Some(true),
                );
            }
        }
        Ok(hits)
    }
}
