//! Who is asking, and what they may do.
//!
//! - [`Authority`] identifies somebody by what they show ([`Credential`]) and answers
//!   with a [`Principal`]; it issues the tokens of the registry's token flow; and it
//!   alone decides whether a principal has a [`Right`] somewhere.
//! - [`Role`]s bundle rights. A refusal names the right that is missing.
//!
//! The registry and the REST API both ask here, so that the two doors cannot disagree.
//!
//! Deliberately absent: HTTP (cookies and headers are read at the doors) and networks
//! (keys of other issuers are fetched by whoever opens the authority).

mod authority;
mod principal;
mod right;

pub use authority::{Authority, Credential, IdentifyError, Wanted};
pub use principal::{Narrowed, Principal, Refusal, Where};
pub use right::{Right, Role, UnknownName};
