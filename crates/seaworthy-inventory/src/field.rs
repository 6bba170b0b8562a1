//! Whole numbers at a place in bytes that nobody vouches for: reading past the
//! end is an answer (`None`), never a panic.

/// Which end of a number comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Order {
    /// The least significant byte, as on most machines of today.
    Little,
    /// The most significant byte.
    Big,
}

/// The two-byte number at `at`.
pub(crate) fn u16(bytes: &[u8], at: usize, order: Order) -> Option<u16> {
    let field = array::<2>(bytes, at)?;
    Some(match order {
        Order::Little => u16::from_le_bytes(field),
        Order::Big => u16::from_be_bytes(field),
    })
}

/// The four-byte number at `at`.
pub(crate) fn u32(bytes: &[u8], at: usize, order: Order) -> Option<u32> {
    let field = array::<4>(bytes, at)?;
    Some(match order {
        Order::Little => u32::from_le_bytes(field),
        Order::Big => u32::from_be_bytes(field),
    })
}

/// The eight-byte number at `at`.
pub(crate) fn u64(bytes: &[u8], at: usize, order: Order) -> Option<u64> {
    let field = array::<8>(bytes, at)?;
    Some(match order {
        Order::Little => u64::from_le_bytes(field),
        Order::Big => u64::from_be_bytes(field),
    })
}

/// `length` bytes from `at` on, if there are so many.
pub(crate) fn slice(bytes: &[u8], at: usize, length: usize) -> Option<&[u8]> {
    bytes.get(at..at.checked_add(length)?)
}

/// As [`slice`], for places and lengths read from the bytes themselves.
pub(crate) fn slice64(bytes: &[u8], at: u64, length: u64) -> Option<&[u8]> {
    slice(
        bytes,
        usize::try_from(at).ok()?,
        usize::try_from(length).ok()?,
    )
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    slice(bytes, at, N)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_end_with_the_bytes() {
        let bytes = [1, 2, 3, 4, 5, 6, 7, 8];
        assert_eq!(u16(&bytes, 6, Order::Big), Some(0x0708));
        assert_eq!(u32(&bytes, 0, Order::Little), Some(0x0403_0201));
        assert_eq!(u64(&bytes, 0, Order::Big), Some(0x0102_0304_0506_0708));
        assert_eq!(u16(&bytes, 7, Order::Big), None);
        assert_eq!(u32(&bytes, usize::MAX, Order::Big), None);
        assert_eq!(slice64(&bytes, u64::MAX, 2), None);
        assert_eq!(slice64(&bytes, 8, 0), Some(&[][..]));
    }
}
