//! Compiles advisories into an edition, opens one, looks things up in it.
//!
//! An *edition* is one immutable file, named by its digest. It is made so that
//! a scan pays only for what it asks: opening reads a header, whatever the size
//! of the file; a question about a package touches three places, close to those
//! of other questions about the same ecosystem; prose is read and unpacked for
//! findings alone. The layout is described in the module `format`.
//!
//! Read [`Compiler`] first (advisories in, bytes out), then [`Edition`] (bytes
//! in, answers out), then [`Shelf`] (where editions lie on disk), [`delta`] (from one
//! edition to the next), [`Sealed`] (who vouches for one) and [`Offer`] (what a
//! registry has of them).
//!
//! Two rules shape the room:
//!
//! * The bytes are a function of the advisories, not of their order: the same
//!   input compiles to the same digest.
//! * An edition is verified where it arrives ([`Edition::verify`]), never when
//!   it is opened. A damaged one gives errors or odd answers, never a panic, and
//!   what it cannot say is said to be unreadable.
//!
//! Deliberately absent: fetching and parsing (the room `feeds`), version
//! comparison (the room `match` asks `version`).

mod compile;
mod decompile;
mod delta;
mod details;
mod edition;
mod format;
mod group;
mod hash;
mod keyring;
mod layout;
mod lookup;
mod map;
mod offer;
mod parcel;
mod prose;
mod seal;
mod shelf;
mod source;
mod walk;

pub use compile::{CompileError, Compiler, Context, Mark};
pub use delta::{ApplyError, DeltaError, apply, apply_all, delta};
pub use edition::{EcosystemCount, Edition, Statistics, VerifyError};
pub use format::VERSION as FORMAT_VERSION;
pub use keyring::{Keyring, KeyringError};
pub use layout::OpenError;
pub use offer::{MEDIA_TYPE as OFFER_MEDIA_TYPE, NOTHING, Offer, OfferError, Offered};
pub use parcel::{
    PackError, ParcelError, is_parcel, pack, pack_since, read_parcel, read_seal, unpack,
    write_parcel,
};
pub use seal::{KeyError, PrivateKey, PublicKey, SealError, Sealed};
pub use shelf::{Shelf, ShelfError};
pub use walk::{Said, WalkError};
