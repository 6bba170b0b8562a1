//! How an error is told: what failed, what lies behind it, what to do.

use std::error::Error;
use std::io;

use seaworthy_remote::{ContainerdError, EngineError, PullError};

use crate::printer::Printer;

/// An error that knows the way out. Wrap one with [`Hinted::error`] where the
/// operation's own error has no hint but the front door does.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Hinted {
    what: String,
    hint: String,
    #[source]
    source: Option<anyhow::Error>,
}

impl Hinted {
    /// An error of its own.
    pub(crate) fn error(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self {
            what: what.into(),
            hint: hint.into(),
            source: None,
        }
        .into()
    }

    /// The same with a cause.
    pub(crate) fn over(
        what: impl Into<String>,
        hint: impl Into<String>,
        source: impl Into<anyhow::Error>,
    ) -> anyhow::Error {
        Self {
            what: what.into(),
            hint: hint.into(),
            source: Some(source.into()),
        }
        .into()
    }
}

/// Prints an error with its causes and the first hint any of them has.
pub(crate) fn tell(printer: &Printer, error: &anyhow::Error) {
    printer.error(&error.to_string());
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // A transparent wrapper would say the same twice.
        if text != last {
            printer.cause(&text);
        }
        last = text;
    }
    if let Some(hint) = error.chain().find_map(hint_of) {
        printer.hint(&hint);
    }
}

fn hint_of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        return Some(hinted.hint.clone());
    }
    // An error that travelled as an I/O error is found inside it, not behind it.
    if let Some(inner) = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        return hint_of(inner);
    }
    let hint = if let Some(error) = error.downcast_ref::<PullError>() {
        error.hint()
    } else if let Some(error) = error.downcast_ref::<EngineError>() {
        error.hint()
    } else if let Some(error) = error.downcast_ref::<ContainerdError>() {
        error.hint()
    } else {
        None
    };
    hint.map(str::to_owned)
}
