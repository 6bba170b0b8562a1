//! What we met and could not read.

/// Something that was there and could not be read, or only in part. A gap is a
/// result, not an error: it reaches the report and the verdict, so that a clean
/// answer never hides a blind spot.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Gap {
    /// Path inside the image, or what stands for one.
    pub path: Box<str>,
    /// The probe that wanted it.
    pub probe: Box<str>,
    /// Why it could not be read, in a few words.
    pub why: Box<str>,
    /// Index into [`crate::Inventory::layers`], where known.
    pub layer: Option<usize>,
}
