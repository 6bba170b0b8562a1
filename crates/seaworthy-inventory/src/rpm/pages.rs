//! A file cut into pages, each of which is followed once. That alone makes every
//! walk end and its time linear: a page met again is a cycle or damage.

/// The largest header that is put together from pages, in bytes. The largest
/// honest ones, of packages with a hundred thousand files, have a tenth of it.
pub(super) const MAX_HEADER: usize = 32 << 20;

/// Pages of one size, numbered from `first`.
pub(super) struct Pages<'a> {
    bytes: &'a [u8],
    size: usize,
    first: u32,
    claimed: Vec<bool>,
}

impl<'a> Pages<'a> {
    /// Cuts `bytes` into whole pages of `size`, which is not zero. A part of a
    /// page at the end is left out.
    pub(super) fn new(bytes: &'a [u8], size: usize, first: u32) -> Self {
        Self {
            bytes,
            size,
            first,
            claimed: vec![false; bytes.len() / size],
        }
    }

    /// How many whole pages there are.
    pub(super) fn count(&self) -> usize {
        self.claimed.len()
    }

    /// The page of this number, if nobody had it before.
    pub(super) fn claim(&mut self, number: u32) -> Result<&'a [u8], String> {
        let index = number.checked_sub(self.first).map(|it| it as usize);
        let Some((index, claimed)) =
            index.and_then(|index| Some((index, self.claimed.get_mut(index)?)))
        else {
            return Err(format!("page {number} lies outside the file"));
        };
        if std::mem::replace(claimed, true) {
            return Err(format!("page {number} is used twice"));
        }
        crate::field::slice(self.bytes, index * self.size, self.size)
            .ok_or_else(|| format!("page {number} lies outside the file"))
    }

    /// The pages that nobody claimed.
    pub(super) fn unclaimed(&self) -> impl Iterator<Item = &'a [u8]> {
        self.bytes
            .chunks_exact(self.size)
            .zip(&self.claimed)
            .filter(|(_, claimed)| !**claimed)
            .map(|(page, _)| page)
    }
}
