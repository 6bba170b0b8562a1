//! What queries answer.

use sqlx::postgres::PgRow;
use sqlx::sqlite::SqliteRow;
use sqlx::{Decode, Row as _, Type};

use crate::clock::Millis;
use crate::trouble::StoreError;

/// A row. Columns are asked for by place; a column of another kind is an error,
/// because what we wrote is not what we read.
pub(crate) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl Row {
    fn column<T>(&self, place: usize) -> Result<T, StoreError>
    where
        T: for<'r> Decode<'r, sqlx::Sqlite> + Type<sqlx::Sqlite>,
        T: for<'r> Decode<'r, sqlx::Postgres> + Type<sqlx::Postgres>,
    {
        let found = match self {
            Self::Sqlite(row) => row.try_get::<T, _>(place),
            Self::Postgres(row) => row.try_get::<T, _>(place),
        };
        found.map_err(|error| StoreError::Unreadable(error.to_string()))
    }

    /// A whole number.
    pub(crate) fn int(&self, place: usize) -> Result<i64, StoreError> {
        match (self.column(place), self) {
            // PostgreSQL takes a constant for a short number.
            (Err(error), Self::Postgres(row)) => row
                .try_get::<i32, _>(place)
                .map(i64::from)
                .map_err(|_| error),
            (found, _) => found,
        }
    }

    /// A whole number or nothing.
    pub(crate) fn optional_int(&self, place: usize) -> Result<Option<i64>, StoreError> {
        self.column(place)
    }

    /// A count or a size: a whole number that is not negative.
    pub(crate) fn size(&self, place: usize) -> Result<u64, StoreError> {
        let number = self.int(place)?;
        u64::try_from(number)
            .map_err(|_| StoreError::Unreadable(format!("the size {number} is negative")))
    }

    /// A truth, kept as 0 or 1.
    pub(crate) fn truth(&self, place: usize) -> Result<bool, StoreError> {
        Ok(self.int(place)? != 0)
    }

    /// A moment.
    pub(crate) fn millis(&self, place: usize) -> Result<Millis, StoreError> {
        self.int(place).map(Millis)
    }

    /// A moment or nothing.
    pub(crate) fn optional_millis(&self, place: usize) -> Result<Option<Millis>, StoreError> {
        Ok(self.optional_int(place)?.map(Millis))
    }

    /// A text.
    pub(crate) fn text(&self, place: usize) -> Result<String, StoreError> {
        self.column(place)
    }

    /// A text or nothing.
    pub(crate) fn optional_text(&self, place: usize) -> Result<Option<String>, StoreError> {
        self.column(place)
    }

    /// Bytes.
    pub(crate) fn bytes(&self, place: usize) -> Result<Vec<u8>, StoreError> {
        self.column(place)
    }

    /// Bytes or nothing.
    pub(crate) fn optional_bytes(&self, place: usize) -> Result<Option<Vec<u8>>, StoreError> {
        self.column(place)
    }

    /// A text of ours that is parsed: an address, a name, a word of an enum.
    pub(crate) fn parsed<T: std::str::FromStr>(&self, place: usize) -> Result<T, StoreError>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(place)?;
        text.parse()
            .map_err(|error: T::Err| StoreError::Unreadable(error.to_string()))
    }
}
