//! What statements are given.

use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::sqlite::SqliteArguments;
use sqlx::{AssertSqlSafe, Postgres, SqlSafeStr, Sqlite};

use crate::clock::Millis;

/// A value of a statement. The kind is told even where there is none: PostgreSQL
/// wants to know.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    Int(Option<i64>),
    Text(Option<String>),
    Bytes(Option<Vec<u8>>),
}

impl From<i64> for Value {
    fn from(value: i64) -> Self {
        Self::Int(Some(value))
    }
}

impl From<Option<i64>> for Value {
    fn from(value: Option<i64>) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Int(Some(value.into()))
    }
}

impl From<Millis> for Value {
    fn from(value: Millis) -> Self {
        Self::Int(Some(value.0))
    }
}

impl From<Option<Millis>> for Value {
    fn from(value: Option<Millis>) -> Self {
        Self::Int(value.map(|it| it.0))
    }
}

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Self::Text(Some(value.to_owned()))
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Self::Text(Some(value))
    }
}

impl From<Option<&str>> for Value {
    fn from(value: Option<&str>) -> Self {
        Self::Text(value.map(str::to_owned))
    }
}

impl From<Option<String>> for Value {
    fn from(value: Option<String>) -> Self {
        Self::Text(value)
    }
}

impl From<&[u8]> for Value {
    fn from(value: &[u8]) -> Self {
        Self::Bytes(Some(value.to_vec()))
    }
}

impl From<Vec<u8>> for Value {
    fn from(value: Vec<u8>) -> Self {
        Self::Bytes(Some(value))
    }
}

impl From<Option<Vec<u8>>> for Value {
    fn from(value: Option<Vec<u8>>) -> Self {
        Self::Bytes(value)
    }
}

/// The values of a statement, in the order of its places.
macro_rules! args {
    ($($value:expr),* $(,)?) => {
        vec![$($crate::sql::Value::from($value)),*]
    };
}
pub(crate) use args;

pub(super) fn sqlite(
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Query<'static, Sqlite, SqliteArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Int(value) => query.bind(value),
            Value::Text(value) => query.bind(value),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}

pub(super) fn postgres(
    sql: impl SqlSafeStr,
    values: Vec<Value>,
) -> Query<'static, Postgres, PgArguments> {
    let mut query = sqlx::query(sql);
    for value in values {
        query = match value {
            Value::Int(value) => query.bind(value),
            // PostgreSQL has no text with a NUL in it; nobody needs one.
            Value::Text(value) => query.bind(value.map(|text| text.replace('\0', "\u{fffd}"))),
            Value::Bytes(value) => query.bind(value),
        };
    }
    query
}

/// A statement put together by ourselves, from constants only.
pub(super) fn composed(sql: String) -> AssertSqlSafe<String> {
    AssertSqlSafe(sql)
}
