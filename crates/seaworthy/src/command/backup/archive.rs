//! The names in a backup, and what its first file says.

use seaworthy_store::Address;
use serde_json::{Value, json};

/// Says what the archive is; stands first.
pub(super) const ABOUT: &str = "seaworthy-backup.json";
/// The database.
pub(super) const DATABASE: &str = "database.db";
/// The SHA-256 of each file before it, as `sha256sum` writes them; stands last.
pub(super) const SUMS: &str = "SHA256SUMS";
/// Before the address of each blob.
const BLOBS: &str = "blobs/";

/// The form of the archive. A form that cannot be read by an older program gets
/// another number.
const FORM: u64 = 1;

/// Largest first and last file that is read, in bytes: the last has a line of some
/// 150 bytes for each blob.
pub(super) const LARGEST_TEXT: u64 = 1 << 30;

/// What the first file says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct About {
    /// When it was made, in milliseconds since 1970.
    pub(super) made_at: i64,
    /// How many blobs there are.
    pub(super) blobs: u64,
    /// How many bytes they have.
    pub(super) bytes: u64,
}

impl About {
    pub(super) fn write(self) -> Vec<u8> {
        let document = json!({
            "form": FORM,
            "program": concat!("seaworthy ", env!("CARGO_PKG_VERSION")),
            "made_at": self.made_at,
            "blobs": self.blobs,
            "bytes": self.bytes,
        });
        format!("{document:#}\n").into_bytes()
    }

    /// Reads it; the error says why it is none.
    pub(super) fn read(text: &[u8]) -> Result<Self, String> {
        let document: Value = serde_json::from_slice(text).map_err(|error| error.to_string())?;
        let number = |name: &str| {
            document[name]
                .as_u64()
                .ok_or_else(|| format!("`{name}` is missing"))
        };
        let form = number("form")?;
        if form != FORM {
            return Err(format!("it has the form {form}, this program knows {FORM}"));
        }
        Ok(Self {
            made_at: i64::try_from(number("made_at")?).unwrap_or(i64::MAX),
            blobs: number("blobs")?,
            bytes: number("bytes")?,
        })
    }
}

/// The name of a blob in the archive: short enough for any tar.
pub(super) fn name(address: &Address) -> String {
    let hex = address.hex();
    match address.as_digest() {
        Some(_) => format!("{BLOBS}sha256/{hex}"),
        // 128 digits are too long for one name, and the sums have all of them.
        None => format!("{BLOBS}sha512/{}", hex.get(..64).unwrap_or(hex)),
    }
}

/// Whether a file of this name is a blob.
pub(super) fn is_blob(name: &str) -> bool {
    name.starts_with(BLOBS)
}
