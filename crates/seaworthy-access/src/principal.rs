//! Who is asking.

use seaworthy_store::{Actor, Millis, Namespace};

use crate::right::{Right, Role};

/// Where something is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Where<'a> {
    /// In one namespace.
    In(&'a Namespace),
    /// In the installation as a whole.
    Everywhere,
}

/// Somebody who asks, identified: what they may do is in here already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Principal {
    /// As the audit log names them.
    pub actor: Actor,
    /// The account, unless nobody said who they are.
    pub account: Option<i64>,
    /// Roles, and where.
    pub roles: Vec<(Option<Namespace>, Role)>,
    /// What a key, a token or a session narrows them to; `None` for all of it.
    pub narrowed: Option<Vec<Narrowed>>,
    /// Must change their password before anything else.
    pub must_change_password: bool,
    /// What they showed.
    pub shown: Shown,
}

/// What somebody showed, as far as tokens made from it must not outlive it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shown {
    /// The public part of the API key or robot secret.
    pub(crate) key: Option<Box<str>>,
    /// The hash of the session.
    pub(crate) session: Option<Box<str>>,
    /// The workload identity.
    pub(crate) workload: Option<i64>,
    /// When it ends by itself.
    pub(crate) until: Option<Millis>,
    /// The account's epoch.
    pub(crate) epoch: i64,
}

impl Principal {
    /// Nobody in particular: whoever shows nothing.
    pub fn anonymous() -> Self {
        Self {
            actor: Actor::new("anonymous"),
            account: None,
            roles: Vec::new(),
            narrowed: None,
            must_change_password: false,
            shown: Shown::default(),
        }
    }
}

/// One of the things that a narrowed credential is good for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Narrowed {
    /// The only repository, by full name; `None` for all of the namespace below.
    pub repository: Option<Box<str>>,
    /// The only namespace; `None` for all.
    pub namespace: Option<Namespace>,
    /// The only rights.
    pub rights: Vec<Right>,
}

/// Why something is not allowed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Nobody said who they are, and it needs somebody.
    #[error("this needs the right `{0}`; sign in first")]
    Anonymous(Right),
    /// They lack a right.
    #[error("this needs the right `{right}`{}", at(.namespace.as_ref()))]
    Missing {
        /// Which.
        right: Right,
        /// Where.
        namespace: Option<Namespace>,
    },
    /// They must change their password first.
    #[error("change the password first")]
    PasswordDue,
}

fn at(namespace: Option<&Namespace>) -> String {
    namespace.map_or_else(String::new, |it| format!(" in the namespace `{it}`"))
}
