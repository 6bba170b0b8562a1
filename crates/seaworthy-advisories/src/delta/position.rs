//! Places in a sorted list that both sides have, in few bytes.

/// Ascending positions, each as its distance from the first it could be.
pub(super) fn distances(positions: impl IntoIterator<Item = usize>) -> Vec<u32> {
    let mut next = 0;
    let mut distances = Vec::new();
    for position in positions {
        // Lists are shorter than 2^32, and positions ascend.
        distances.push(u32::try_from(position.saturating_sub(next)).unwrap_or(u32::MAX));
        next = position.saturating_add(1);
    }
    distances
}

/// The positions that these distances mean, in a list of `length`. `None` where
/// they lead out of it.
pub(super) fn positions(distances: &[u32], length: usize) -> Option<Vec<usize>> {
    let mut next = 0_usize;
    let mut positions = Vec::with_capacity(distances.len());
    for &distance in distances {
        let position = next.checked_add(usize::try_from(distance).ok()?)?;
        if position >= length {
            return None;
        }
        positions.push(position);
        next = position + 1;
    }
    Some(positions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_read_back_and_never_lead_out_of_the_list() {
        for list in [vec![], vec![0], vec![4], vec![0, 1, 2, 3, 4], vec![1, 4]] {
            let told = distances(list.iter().copied());
            assert_eq!(positions(&told, 5).as_ref(), Some(&list), "{told:?}");
            if !list.is_empty() {
                assert_eq!(positions(&told, list.len() - 1), None);
            }
        }
        assert_eq!(distances([1, 4]), [1, 2]);
        assert_eq!(positions(&[u32::MAX, u32::MAX], 5), None);
    }
}
