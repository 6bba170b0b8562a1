//! Statements over a list that is one value.

/// A statement whose first value is a JSON list of lists: between its two halves
/// stands the list as a table `item` with one column `value`. Both databases take
/// `item.value ->> 0` for the first text of an item.
macro_rules! each {
    ($is_postgres:expr, $before:literal, $after:literal) => {
        if $is_postgres {
            concat!(
                $before,
                " json_array_elements($1::json) AS item(value) ",
                $after
            )
        } else {
            concat!($before, " json_each($1) AS item ", $after)
        }
    };
}
pub(crate) use each;

/// A list of lists as such a value. PostgreSQL has no text with a NUL in it.
pub(crate) fn list(items: Vec<serde_json::Value>) -> String {
    let text = serde_json::Value::Array(items).to_string();
    // An escaped backslash before `u0000` is no NUL; nobody misses that one either.
    if text.contains("\\u0000") {
        text.replace("\\u0000", "\\ufffd")
    } else {
        text
    }
}
