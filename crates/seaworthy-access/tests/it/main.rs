//! Who is asking and what they may do, against a real store.

mod credential;
mod issuer;
mod oidc;
mod people;
mod revoke;
mod token;
mod world;
