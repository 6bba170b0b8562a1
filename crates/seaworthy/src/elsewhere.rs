//! An image judged by a server: what is sent, and what its answer means here.

mod answer;
mod submission;

pub(crate) use answer::{Judged, read};
pub(crate) use submission::submission;
