//! Our own JSON, one module per version.

pub mod v1;

use crate::Assessed;

/// A document that is not ours, or of another version.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Not JSON, or not in the shape of the schema.
    #[error("not a report of schema `{}`", v1::SCHEMA)]
    Shape(#[source] serde_json::Error),
    /// Another schema, perhaps of a newer program.
    #[error("schema is `{found}`, expected `{}`", v1::SCHEMA)]
    Schema {
        /// What the document says, cut short.
        found: Box<str>,
    },
}

/// The newest version of our JSON, indented, with a line break at the end.
#[expect(
    clippy::missing_panics_doc,
    reason = "the expectation holds for every input"
)]
pub fn json(images: &[Assessed<'_>]) -> String {
    let mut text = serde_json::to_string_pretty(&v1::Document::of(images))
        .expect("texts, numbers and lists of them always have a JSON form");
    text.push('\n');
    text
}

/// Reads a document of version 1.
///
/// Fields that this program does not know are passed over, so that it reads
/// what a later one adds; kinds and levels that it does not know are refused,
/// since passing over a blind spot would make a report look better than it is.
pub fn read_v1(bytes: &[u8]) -> Result<v1::Document, ReadError> {
    let document: v1::Document = serde_json::from_slice(bytes).map_err(ReadError::Shape)?;
    if document.schema != v1::SCHEMA {
        return Err(ReadError::Schema {
            found: document.schema.chars().take(100).collect::<String>().into(),
        });
    }
    Ok(document)
}
