//! Our own JSON, one module per version.

mod indented;
pub mod v1;

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::Serializer;

use crate::Assessed;
use indented::Indented;

/// Bytes written at once.
const PIECE: usize = 64 * 1024;

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

/// Writes the newest version of our JSON to `out`, indented, with a line break at
/// the end. It goes out in pieces: a report is never held as text.
///
/// # Errors
///
/// When `out` cannot take it.
pub fn json(images: &[Assessed<'_>], out: &mut dyn Write) -> io::Result<()> {
    let mut out = BufWriter::with_capacity(PIECE, out);
    let mut writer = Serializer::with_formatter(&mut out, Indented::default());
    v1::document(images).serialize(&mut writer)?;
    out.write_all(b"\n")?;
    out.flush()
}

/// Reads a document of version 1.
///
/// Fields that this program does not know are passed over, so that it reads
/// what a later one adds; kinds and levels that it does not know are refused,
/// since passing over a blind spot would make a report look better than it is.
pub fn read_v1(bytes: &[u8]) -> Result<v1::Document<'static>, ReadError> {
    let document: v1::Document<'static> =
        serde_json::from_slice(bytes).map_err(ReadError::Shape)?;
    if document.schema != v1::SCHEMA {
        return Err(ReadError::Schema {
            found: document.schema.chars().take(100).collect::<String>().into(),
        });
    }
    Ok(document)
}
