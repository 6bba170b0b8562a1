//! Extended headers (POSIX.1-2001, pax).

use super::TapeError;

/// What an extended header says of the member that follows. Everything else in
/// it is read over.
#[derive(Default)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    /// Bytes stored in the tar.
    pub(super) size: Option<u64>,
    /// GNU sparse form 1.0, 0.1 or 0.0.
    pub(super) sparse_form: Option<SparseForm>,
    /// The name of a sparse file; `path` is then a made-up one.
    pub(super) sparse_name: Option<Vec<u8>>,
    /// Bytes of a sparse file, holes included.
    pub(super) sparse_size: Option<u64>,
    /// The map of forms 0.0 and 0.1: offset, length, offset, length and so on.
    pub(super) sparse_map: Vec<u64>,
}

/// Where the map of a sparse file is.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum SparseForm {
    /// In the extended header.
    InHeader,
    /// In front of the content.
    InContent,
}

const DAMAGED: TapeError = TapeError::Damaged("a damaged extended header");

impl Pax {
    /// Reads records of the form `<length> <key>=<value>\n`. The length counts:
    /// a value may hold line breaks, and a record inside a value is none.
    pub(super) fn read(mut rest: &[u8]) -> Result<Self, TapeError> {
        let mut pax = Self::default();
        let (mut major, mut minor) = (None, None);
        let mut real_size = None;
        let mut has_map = false;
        // Go's reader takes bytes behind the last record for padding only if
        // there are none; so do we.
        while !rest.is_empty() {
            let space = rest
                .iter()
                .take(20)
                .position(|byte| *byte == b' ')
                .ok_or(DAMAGED)?;
            let (digits, _) = rest.split_at(space);
            let length = number(digits)
                .and_then(|length| usize::try_from(length).ok())
                .ok_or(DAMAGED)?;
            let (record, after) = rest.split_at_checked(length).ok_or(DAMAGED)?;
            rest = after;
            let pair = record
                .get(space + 1..)
                .and_then(|it| it.strip_suffix(b"\n"))
                .ok_or(DAMAGED)?;
            let equals = pair.iter().position(|byte| *byte == b'=').ok_or(DAMAGED)?;
            let (key, value) = pair.split_at(equals);
            let value = value.get(1..).unwrap_or_default();
            if key.is_empty() || key.contains(&0) {
                return Err(DAMAGED);
            }
            let text = || {
                if value.contains(&0) {
                    return Err(DAMAGED);
                }
                // An empty value takes back an earlier one.
                Ok((!value.is_empty()).then(|| value.to_vec()))
            };
            let figure = || match value {
                [] => Ok(None),
                value => number(value).map(Some).ok_or(DAMAGED),
            };
            match key {
                b"path" => pax.path = text()?,
                b"linkpath" => pax.link = text()?,
                b"size" => pax.size = figure()?,
                b"GNU.sparse.major" => major = figure()?,
                b"GNU.sparse.minor" => minor = figure()?,
                b"GNU.sparse.name" => pax.sparse_name = text()?,
                b"GNU.sparse.realsize" => real_size = figure()?,
                b"GNU.sparse.size" => pax.sparse_size = figure()?,
                b"GNU.sparse.map" => {
                    has_map = true;
                    pax.sparse_map = value
                        .split(|byte| *byte == b',')
                        .map(|it| number(it).ok_or(DAMAGED))
                        .collect::<Result<_, _>>()?;
                }
                b"GNU.sparse.offset" | b"GNU.sparse.numbytes" => {
                    has_map = true;
                    // They come in pairs, in this order.
                    let is_offset = key == b"GNU.sparse.offset";
                    if is_offset != pax.sparse_map.len().is_multiple_of(2) {
                        return Err(DAMAGED);
                    }
                    pax.sparse_map.push(figure()?.ok_or(DAMAGED)?);
                }
                _ => {}
            }
        }
        pax.sparse_size = pax.sparse_size.or(real_size);
        pax.sparse_form = match (major, minor) {
            (Some(1), Some(0)) => Some(SparseForm::InContent),
            (Some(0), Some(0 | 1)) => Some(SparseForm::InHeader),
            (None, None) if has_map => Some(SparseForm::InHeader),
            _ => None,
        };
        if pax.sparse_form.is_none() {
            // Of an unknown form nothing is believed, as in Go's reader.
            pax.sparse_name = None;
            pax.sparse_size = None;
        }
        Ok(pax)
    }
}

/// A plain decimal number up to the largest file offset.
pub(super) fn number(digits: &[u8]) -> Option<u64> {
    if digits.is_empty() || digits.len() > 19 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    i64::try_from(number).is_ok().then_some(number)
}
