//! Looks at an installation and says of each part whether it is well, and what to do
//! where it is not.

mod blobs;
mod certificate;
mod look;

pub(crate) use look::look;

/// How a part is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Well.
    Ok,
    /// It works, and somebody should look.
    Warn,
    /// It does not work.
    Fail,
}

/// What was found of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) part: &'static str,
    pub(crate) state: State,
    /// What is the matter.
    pub(crate) what: String,
    /// What to do.
    pub(crate) next: Option<String>,
}

impl Finding {
    pub(crate) fn ok(part: &'static str, what: impl Into<String>) -> Self {
        Self {
            part,
            state: State::Ok,
            what: what.into(),
            next: None,
        }
    }

    pub(crate) fn warn(
        part: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            part,
            state: State::Warn,
            what: what.into(),
            next: Some(next.into()),
        }
    }

    pub(crate) fn fail(
        part: &'static str,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self {
            part,
            state: State::Fail,
            what: what.into(),
            next: Some(next.into()),
        }
    }
}

impl State {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
        }
    }
}
