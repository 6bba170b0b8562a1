//! Tests of what people and programs are given: tables as they look, documents
//! against their schemas and readers.

#![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]

mod cyclonedx;
mod example;
mod hostile;
mod json;
mod table;
