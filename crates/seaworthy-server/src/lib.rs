//! The REST API `/api/v1`: reads what is stored, writes down what somebody asks for,
//! and never scans.
//!
//! - [`router`] is the whole of it, to be merged with whatever else listens there. It
//!   takes [`ServerOptions`].
//! - [`routes`] tells every route with the [`Need`] that decides who may go through
//!   it. A route without one cannot be registered: the table is the only way in.
//! - [`Assessor`] judges what `seaworthy scan --server` sends. Whoever composes the
//!   program hands one in; without it those routes say that they are not there.
//!
//! Every answer that is no success is a [`Problem`] (RFC 9457). What one may not see
//! is answered exactly like what is not there.
//!
//! Deliberately absent: SQL (the store has acts and lists), any opinion on who may do
//! what (that is asked of the access room), and scanning.

mod address;
mod api;
mod assessor;
mod caller;
mod door;
mod form;
mod guard;
mod kept;
mod moment;
mod need;
mod options;
mod page;
mod problem;
mod rate;
mod shared;
mod sight;
mod table;
mod tag;

pub use assessor::{AssessError, Assessed, Assessor, EditionInUse};
pub use need::{Need, RouteRow};
pub use options::{Cookies, Rate, ServerOptions};
pub use problem::Problem;
pub use table::{openapi, router, routes};
