//! One page of what is listed.

use crate::sql::Row;
use crate::trouble::StoreError;

/// One page of a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

impl<T> Page<T> {
    /// The first `limit` of rows that were asked for [`beyond`] it.
    pub(crate) fn of(
        mut rows: Vec<Row>,
        limit: usize,
        read: impl Fn(&Row) -> Result<T, StoreError>,
    ) -> Result<Self, StoreError> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let items = rows.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { items, more })
    }
}

/// One more than asked for, to see whether more follow.
pub(crate) fn beyond(limit: usize) -> i64 {
    i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1)
}
