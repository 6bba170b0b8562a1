//! Who is asking, and what they may do.
//!
//! - [`Authority`] identifies somebody by what they show ([`Credential`]) and answers
//!   with a [`Principal`]; it issues the tokens of the registry's token flow; and it
//!   alone decides whether a principal has a [`Right`] somewhere.
//! - [`Role`]s bundle rights. A refusal names the right that is missing.
//!
//! The registry and the REST API both ask here, so that the two doors cannot disagree.
//!
//! What is read from the store is believed for two seconds, and on the node that
//! changes it not a moment longer: whoever loses a right loses it everywhere within
//! that time, whatever they hold.
//!
//! Deliberately absent: HTTP (cookies and headers are read at the doors) and networks
//! (keys of other issuers are fetched by whoever opens the authority).

mod authority;
mod foreign;
mod oidc;
mod password;
mod policy;
mod principal;
mod recent;
mod right;
mod scope;
mod secret;
mod throttle;
mod token;

pub use authority::{
    Authority, ChangePasswordError, Credential, ExchangeError, Exchanged, FirstAdmin,
    GrantRoleError, IdentifyError, KeyRequest, MakeAccountError, MakeKeyError, NewUser,
    SignInError, SignInJourney, SignedIn, TrustError, Wanted,
};
pub use foreign::{FetchError, Fetching, ForeignError, Freshness, IssuerKeys};
pub use oidc::{ClaimPatterns, ClaimPatternsError, GroupRole, OidcOptions, SignInOptions};
pub use principal::{Narrowed, Principal, Refusal, Shown, Where};
pub use right::{Right, Role, UnknownName};
pub use secret::Secret;
