//! Reading the audit log: pages, export, and whether it is whole.

use serde_json::Value;

use super::AuditEntry;
use crate::clock::Millis;
use crate::page::Page;
use crate::sql::{Database, Row, args};
use crate::trouble::StoreError;

/// Entries that are checked between two looks at the database.
const AT_A_TIME: i64 = 1000;

/// The audit log, to be read.
#[derive(Clone, Debug)]
pub struct AuditLog {
    database: Database,
}

/// Which entries; nothing asks for all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditQuery {
    /// By this actor.
    pub actor: Option<Box<str>>,
    /// This action, such as `manifest.push`, or with a full stop at the end all that
    /// begin so, such as `manifest.`.
    pub action: Option<Box<str>>,
    /// Of objects that begin so, such as `team/app:`.
    pub object: Option<Box<str>>,
    /// Not before.
    pub since: Option<Millis>,
    /// Before.
    pub until: Option<Millis>,
}

/// In which order, and where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditOrder {
    /// Oldest first, after the entry with this serial number (0: from the beginning).
    After(i64),
    /// Newest first, before the entry with this serial number; nothing: from the end.
    Before(Option<i64>),
}

/// Whether the log is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditCheck {
    /// Every entry follows from the one before.
    Whole {
        /// How many there are.
        entries: i64,
        /// The hash of the last; whoever keeps it elsewhere notices later whether the
        /// end was cut off. Empty without entries.
        head: Box<str>,
    },
    /// An entry was changed, taken out or put in.
    Broken {
        /// The serial number where it shows first.
        serial: i64,
    },
}

impl AuditEntry {
    /// The entry as one line of JSON, without the end of the line.
    pub fn to_json(&self) -> String {
        // The detail goes in as it was hashed, so that the line can be checked.
        format!(
            r#"{{"serial":{},"at":{},"actor":{},"action":{},"object":{},"detail":{},"hash":{}}}"#,
            self.serial,
            self.at.0,
            quoted(&self.actor),
            quoted(&self.action),
            quoted(&self.object),
            self.detail,
            quoted(&self.hash),
        )
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

impl AuditLog {
    /// The audit log in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// Entries that answer `query`, at most `limit` (a thousand) of them.
    pub async fn read(
        &self,
        query: &AuditQuery,
        order: AuditOrder,
        limit: usize,
    ) -> Result<Page<AuditEntry>, StoreError> {
        let limit = limit.clamp(1, 1000);
        let most = i64::try_from(limit).unwrap_or(1000) + 1;
        let (action, actions) = match query.action.as_deref() {
            Some(begin) if begin.ends_with('.') => (None, Some(begin)),
            exact => (exact, None),
        };
        let cursor = match order {
            AuditOrder::After(serial) => serial,
            AuditOrder::Before(serial) => serial.unwrap_or(i64::MAX),
        };
        let values = args![
            cursor,
            query.actor.as_deref(),
            action,
            actions,
            query.object.as_deref(),
            query.since,
            query.until,
            most
        ];
        let rows = match order {
            AuditOrder::After(_) => {
                self.database
                    .rows(
                        "SELECT serial, at, actor, action, object, detail, hash FROM audit
                         WHERE serial > $1
                           AND ($2 IS NULL OR actor = $2)
                           AND ($3 IS NULL OR action = $3)
                           AND ($4 IS NULL OR substr(action, 1, length($4)) = $4)
                           AND ($5 IS NULL OR substr(object, 1, length($5)) = $5)
                           AND ($6 IS NULL OR at >= $6)
                           AND ($7 IS NULL OR at < $7)
                         ORDER BY serial LIMIT $8",
                        values,
                    )
                    .await?
            }
            AuditOrder::Before(_) => {
                self.database
                    .rows(
                        "SELECT serial, at, actor, action, object, detail, hash FROM audit
                         WHERE serial < $1
                           AND ($2 IS NULL OR actor = $2)
                           AND ($3 IS NULL OR action = $3)
                           AND ($4 IS NULL OR substr(action, 1, length($4)) = $4)
                           AND ($5 IS NULL OR substr(object, 1, length($5)) = $5)
                           AND ($6 IS NULL OR at >= $6)
                           AND ($7 IS NULL OR at < $7)
                         ORDER BY serial DESC LIMIT $8",
                        values,
                    )
                    .await?
            }
        };
        let entries: Result<Vec<AuditEntry>, StoreError> = rows.iter().map(entry_in).collect();
        let mut items = entries?;
        let more = items.len() > limit;
        items.truncate(limit);
        Ok(Page { items, more })
    }

    /// Reads the whole log and checks that every entry follows from the one before.
    pub async fn verify(&self) -> Result<AuditCheck, StoreError> {
        let (mut entries, mut head) = (0, Box::<str>::default());
        loop {
            let rows = self
                .database
                .rows(
                    "SELECT serial, at, actor, action, object, detail, hash FROM audit
                     WHERE serial > $1 ORDER BY serial LIMIT $2",
                    args![entries, AT_A_TIME],
                )
                .await?;
            for row in &rows {
                let entry = entry_in(row)?;
                let follows =
                    entry.serial == entries + 1 && *entry.hash == *entry.hash_after(&head);
                if !follows {
                    return Ok(AuditCheck::Broken {
                        serial: entries + 1,
                    });
                }
                entries = entry.serial;
                head = entry.hash;
            }
            if rows.is_empty() {
                return Ok(AuditCheck::Whole { entries, head });
            }
        }
    }
}

fn entry_in(row: &Row) -> Result<AuditEntry, StoreError> {
    Ok(AuditEntry {
        serial: row.int(0)?,
        at: row.millis(1)?,
        actor: row.text(2)?.into(),
        action: row.text(3)?.into(),
        object: row.text(4)?.into(),
        detail: row.text(5)?.into(),
        hash: row.text(6)?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::{Actor, note};
    use super::*;
    use crate::clock::Clock;
    use crate::sql::{DatabaseOptions, Dialect};

    /// Runs a test on SQLite, and on PostgreSQL where it is installed, with a log of
    /// five entries.
    fn on_each_database<F: Future<Output = ()>>(test: impl Fn(Database) -> F) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("seaworthy.db");
        let mut all = vec![DatabaseOptions::Sqlite { path }];
        if let Some(postgres) = seaworthy_testkit::postgres() {
            all.push(DatabaseOptions::Postgres {
                url: postgres.database(),
                connections: 4,
            });
        }
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        for options in all {
            runtime.block_on(async {
                let clock = Clock::new(|| Millis(1_780_000_000_000));
                let database = Database::open(&options, clock).await.expect("opens");
                for number in 0..5 {
                    let mut transaction = database.begin().await.expect("begins");
                    let actor = Actor::new("user:ada");
                    let object = format!("team/app:{number}");
                    note(
                        &mut transaction,
                        &actor,
                        "tag.delete",
                        &object,
                        &Value::Null,
                    )
                    .await
                    .expect("is noted");
                    transaction.commit().await.expect("is kept");
                }
                test(database.clone()).await;
                database.close().await;
            });
        }
    }

    async fn carry_out(database: &Database, sql: &'static str) -> Result<u64, StoreError> {
        let mut transaction = database.begin().await?;
        let touched = transaction.execute(sql, args![]).await?;
        transaction.commit().await?;
        Ok(touched)
    }

    #[test]
    fn the_database_itself_refuses_to_change_or_delete_an_entry() {
        on_each_database(async |database| {
            for sql in [
                "UPDATE audit SET actor = 'user:eve' WHERE serial = 3",
                "DELETE FROM audit WHERE serial = 5",
                "DELETE FROM audit",
            ] {
                assert!(carry_out(&database, sql).await.is_err(), "{sql}");
            }
            let check = AuditLog::of(&database).verify().await.expect("is read");
            assert!(matches!(check, AuditCheck::Whole { entries: 5, .. }));
        });
    }

    #[test]
    fn whoever_gets_round_that_is_found_out() {
        for (sql, serial) in [
            ("UPDATE audit SET actor = 'user:eve' WHERE serial = 3", 3),
            ("UPDATE audit SET object = 'team/app:9' WHERE serial = 1", 1),
            ("UPDATE audit SET at = at + 1 WHERE serial = 2", 2),
            ("UPDATE audit SET detail = '{}' WHERE serial = 5", 5),
            ("UPDATE audit SET hash = '00' WHERE serial = 4", 4),
            ("DELETE FROM audit WHERE serial = 2", 2),
            ("DELETE FROM audit WHERE serial = 1", 1),
            (
                "INSERT INTO audit (serial, at, actor, action, object, detail, hash)
                 VALUES (6, 1, 'user:eve', 'tag.delete', 'x', '{}', '00')",
                6,
            ),
        ] {
            on_each_database(async |database| {
                match database.dialect() {
                    Dialect::Sqlite => {
                        for sql in ["DROP TRIGGER audit_unchanged", "DROP TRIGGER audit_kept"] {
                            carry_out(&database, sql).await.expect("is dropped");
                        }
                    }
                    Dialect::Postgres => {
                        let sql = "DROP TRIGGER audit_unchanged ON audit";
                        carry_out(&database, sql).await.expect("is dropped");
                    }
                }
                carry_out(&database, sql).await.expect("is done");
                let check = AuditLog::of(&database).verify().await.expect("is read");
                assert_eq!(check, AuditCheck::Broken { serial }, "{sql}");
            });
        }
    }

    #[test]
    fn a_line_is_json_and_keeps_the_detail_as_it_was_hashed() {
        let entry = AuditEntry {
            serial: 7,
            at: Millis(1_000),
            actor: "user:ada".into(),
            action: "tag.delete".into(),
            object: "team/app:\"1\"\n".into(),
            detail: r#"{"z":1,"a":[2,"ü"]}"#.into(),
            hash: "00".into(),
        };
        let line = entry.to_json();
        assert!(line.contains(&*entry.detail), "{line}");
        assert!(!line.contains('\n'), "{line}");
        let value: Value = serde_json::from_str(&line).expect("JSON");
        assert_eq!(value["object"], "team/app:\"1\"\n");
        assert_eq!(value["serial"], 7);
    }
}
