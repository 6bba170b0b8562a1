//! Errors in a line.

/// An error and its causes in one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(deeper) = cause {
        let more = deeper.to_string();
        // Transparent errors repeat themselves.
        if !line.ends_with(&more) {
            line.push_str(": ");
            line.push_str(&more);
        }
        cause = deeper.source();
    }
    line
}
