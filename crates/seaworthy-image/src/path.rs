//! Paths as layers write them.

/// A path that may lead out of the root.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Climbs;

/// Where bytes that are not UTF-8 go: a private plane, one character each, so
/// that two different names never become one.
const PRIVATE: u32 = 0x10_fe00;

/// Writes `bytes` as text. Whatever is not UTF-8, NUL, and the characters that
/// stand for such bytes, becomes private characters.
pub(crate) fn decode(bytes: &[u8], into: &mut String) {
    let escape = |bytes: &[u8], into: &mut String| {
        into.extend(
            bytes
                .iter()
                .filter_map(|byte| char::from_u32(PRIVATE + u32::from(*byte))),
        );
    };
    for chunk in bytes.utf8_chunks() {
        let valid = chunk.valid();
        // Nearly every name is plain.
        if valid.is_ascii() && !valid.as_bytes().contains(&0) {
            into.push_str(valid);
        } else {
            for character in valid.chars() {
                let is_private = (PRIVATE..PRIVATE + 256).contains(&u32::from(character));
                if character == '\0' || is_private {
                    let mut utf8 = [0; 4];
                    escape(character.encode_utf8(&mut utf8).as_bytes(), into);
                } else {
                    into.push(character);
                }
            }
        }
        escape(chunk.invalid(), into);
    }
}

/// Writes the clean form of a path as written in a layer: relative to the root,
/// without empty components and `.`. The root itself is empty.
///
/// A path with `..` is refused even where it would stay inside: no tool writes
/// one, and what a runtime makes of it depends on the links it meets.
pub(crate) fn clean(written: &[u8], into: &mut String) -> Result<(), Climbs> {
    into.clear();
    for component in written.split(|byte| *byte == b'/') {
        match component {
            b"" | b"." => {}
            b".." => return Err(Climbs),
            component => {
                if !into.is_empty() {
                    into.push('/');
                }
                decode(component, into);
            }
        }
    }
    Ok(())
}
