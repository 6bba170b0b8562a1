//! Maven.
use std::cmp::Ordering;
pub(super) fn check(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        Err("it is empty")
    } else {
        Ok(())
    }
}
pub(super) fn compare(a: &str, b: &str) -> Option<Ordering> {
    (a == b).then_some(Ordering::Equal)
}
