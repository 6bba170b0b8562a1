//! Statements over many rows at once, and rows that others are kept out of.

use std::fmt::Write as _;

use super::value::composed;
use super::{Inner, Row, Transaction, Value};
use crate::trouble::StoreError;

/// What a transaction wants to do with the rows it reads, so that others wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Refer to them: they stay.
    Refer,
    /// Change them, or what hangs on them; rows that refer to them may be added.
    Change,
    /// Remove them: nobody may begin to refer to them.
    Remove,
}

/// How many rows or keys one statement takes, largest first: few different
/// statements, so that databases remember how to carry them out.
const SIZES: [usize; 4] = [64, 16, 4, 1];

impl Transaction {
    /// All rows of a `SELECT`, with others kept out of them until this transaction
    /// ends. SQLite keeps other writers out anyway.
    pub(crate) async fn rows_held(
        &mut self,
        sql: &'static str,
        hold: Hold,
        values: Vec<Value>,
    ) -> Result<Vec<Row>, StoreError> {
        match (&self.inner, hold) {
            (Inner::Sqlite(_), Hold::Refer | Hold::Change | Hold::Remove) => {
                self.rows(sql, values).await
            }
            (Inner::Postgres(_), Hold::Refer) => {
                let sql = composed(format!("{sql} FOR KEY SHARE"));
                self.rows(sql, values).await
            }
            (Inner::Postgres(_), Hold::Change) => {
                let sql = composed(format!("{sql} FOR NO KEY UPDATE"));
                self.rows(sql, values).await
            }
            (Inner::Postgres(_), Hold::Remove) => {
                let sql = composed(format!("{sql} FOR UPDATE"));
                self.rows(sql, values).await
            }
        }
    }

    /// Inserts rows of equal width. `head` ends with `VALUES`, `tail` is what follows
    /// the rows.
    pub(crate) async fn insert(
        &mut self,
        head: &'static str,
        tail: &'static str,
        rows: Vec<Vec<Value>>,
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        let mut rows = rows.into_iter().peekable();
        while rows.peek().is_some() {
            let size = fitting(rows.len());
            let mut values = Vec::new();
            let mut sql = head.to_owned();
            for (number, row) in rows.by_ref().take(size).enumerate() {
                sql.push_str(if number == 0 { " (" } else { ", (" });
                for (column, value) in row.into_iter().enumerate() {
                    values.push(value);
                    let comma = if column == 0 { "" } else { ", " };
                    // Writing to a text never fails.
                    let _ = write!(sql, "{comma}${}", values.len());
                }
                sql.push(')');
            }
            sql.push(' ');
            sql.push_str(tail);
            touched += self.execute(composed(sql), values).await?;
        }
        Ok(touched)
    }

    /// All rows of a query for each of `keys`. The query has `{keys}` where
    /// `IN (...)` lists them, and `$1`... for `values`.
    pub(crate) async fn rows_among(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        keys: &[Value],
    ) -> Result<Vec<Row>, StoreError> {
        let mut found = Vec::new();
        let mut keys = keys;
        while !keys.is_empty() {
            let (now, later) = keys.split_at(fitting(keys.len()));
            keys = later;
            let (sql, values) = among(sql, &values, now);
            found.append(&mut self.rows(composed(sql), values).await?);
        }
        Ok(found)
    }

    /// Carries out a statement for each of `keys`, listed as in
    /// [`rows_among`](Transaction::rows_among).
    pub(crate) async fn execute_among(
        &mut self,
        sql: &'static str,
        values: Vec<Value>,
        keys: &[Value],
    ) -> Result<u64, StoreError> {
        let mut touched = 0;
        let mut keys = keys;
        while !keys.is_empty() {
            let (now, later) = keys.split_at(fitting(keys.len()));
            keys = later;
            let (sql, values) = among(sql, &values, now);
            touched += self.execute(composed(sql), values).await?;
        }
        Ok(touched)
    }
}

fn fitting(left: usize) -> usize {
    SIZES.into_iter().find(|size| *size <= left).unwrap_or(1)
}

fn among(sql: &'static str, values: &[Value], keys: &[Value]) -> (String, Vec<Value>) {
    let mut all = values.to_vec();
    let mut list = String::new();
    for key in keys {
        all.push(key.clone());
        let comma = if list.is_empty() { "" } else { ", " };
        let _ = write!(list, "{comma}${}", all.len());
    }
    (sql.replace("{keys}", &list), all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_listed_after_the_other_values() {
        let keys = [Value::from(7), Value::from(8)];
        let (sql, values) = among("a = $1 AND b IN ({keys})", &[Value::from(1)], &keys);
        assert_eq!(sql, "a = $1 AND b IN ($2, $3)");
        assert_eq!(values, [Value::from(1), Value::from(7), Value::from(8)]);
    }

    #[test]
    fn statements_come_in_few_sizes() {
        let sizes = [1, 3, 4, 17, 64, 1000].map(fitting);
        assert_eq!(sizes, [1, 1, 4, 16, 64, 64]);
    }
}
