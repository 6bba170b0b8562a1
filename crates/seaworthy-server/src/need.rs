//! What a route needs of whoever goes through it.

use axum::http::Method;
use seaworthy_access::Right;

/// What a route needs. Where it names a right, the object that the path names says
/// where the right must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing: also nobody may.
    Nothing,
    /// Somebody, even one who must change their password first.
    Somebody,
    /// Somebody, for what is their own.
    Own,
    /// Nothing, and the answer holds only what whoever asks may see.
    Sight,
    /// A right in the whole installation.
    Everywhere(Right),
    /// A right in the namespace `{namespace}` of the path.
    Namespace(Right),
    /// A right in the repository `{repository}` of the path.
    Repository(Right),
}

/// One route of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RouteRow {
    /// Its method.
    pub method: Method,
    /// Its path, from `/api/v1` on, with `{names}` in braces.
    pub path: String,
    /// What it needs.
    pub need: Need,
}

impl Need {
    /// A sentence for the description of a route.
    pub(crate) fn sentence(self) -> String {
        match self {
            Self::Nothing => "Open to anybody.".to_owned(),
            Self::Somebody => {
                "Needs somebody to be signed in, even if their password is due.".to_owned()
            }
            Self::Own => "Needs somebody to be signed in; about what is their own.".to_owned(),
            Self::Sight => {
                "Open to anybody; the answer holds what whoever asks may see.".to_owned()
            }
            Self::Everywhere(right) => format!("Needs the right `{right}`."),
            Self::Namespace(right) => format!("Needs the right `{right}` in the namespace."),
            Self::Repository(right) => {
                format!("Needs the right `{right}` in the repository's namespace.")
            }
        }
    }
}
