//! Reading archives of many small entries.

use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom};

const CAPACITY: usize = 1 << 16;

/// A buffer that survives short seeks. An archive is read in jumps of a few bytes, to
/// the head of each entry and to its content, and an ordinary buffer is filled anew
/// for each.
pub(super) struct Buffered<R> {
    reader: BufReader<R>,
    /// Where the next byte is from.
    at: u64,
}

impl<R: Read + Seek> Buffered<R> {
    /// Reads from the start.
    pub(super) fn from_start(mut reader: R) -> io::Result<Self> {
        reader.rewind()?;
        Ok(Self {
            reader: BufReader::with_capacity(CAPACITY, reader),
            at: 0,
        })
    }
}

impl<R: Read + Seek> Seek for Buffered<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let target = match to {
            SeekFrom::Start(target) => Some(target),
            SeekFrom::Current(distance) => self.at.checked_add_signed(distance),
            SeekFrom::End(_) => None,
        };
        let distance = target.and_then(|target| target.checked_signed_diff(self.at));
        match (target, distance) {
            (Some(target), Some(distance)) => {
                self.reader.seek_relative(distance)?;
                self.at = target;
            }
            _ => self.at = self.reader.seek(to)?,
        }
        Ok(self.at)
    }
}

impl<R: Read> Read for Buffered<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(into)?;
        self.at = self.at.saturating_add(read as u64);
        Ok(read)
    }
}

impl<R: Read> BufRead for Buffered<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.reader.fill_buf()
    }

    fn consume(&mut self, amount: usize) {
        self.reader.consume(amount);
        self.at = self.at.saturating_add(amount as u64);
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    #[derive(Clone, Debug)]
    enum Step {
        Read(usize),
        Skip(usize),
        Seek(SeekFrom),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..200_000_usize).prop_map(Step::Read),
            (0..200_000_usize).prop_map(Step::Skip),
            (0..300_000_u64).prop_map(|at| Step::Seek(SeekFrom::Start(at))),
            (-300_000..300_000_i64).prop_map(|by| Step::Seek(SeekFrom::Current(by))),
            (-300_000..10_i64).prop_map(|by| Step::Seek(SeekFrom::End(by))),
        ]
    }

    proptest! {
        #[test]
        fn it_reads_what_the_file_itself_gives(steps in prop::collection::vec(step(), 0..20)) {
            let bytes: Vec<u8> = (0..250_000_u32).map(|it| it.to_le_bytes()[0] ^ it.to_le_bytes()[1]).collect();
            let mut plain = Cursor::new(bytes.clone());
            let mut buffered = Buffered::from_start(Cursor::new(bytes)).unwrap();
            for step in steps {
                match step {
                    Step::Read(amount) => {
                        let mut one = vec![0; amount];
                        let mut other = vec![0; amount];
                        let read = plain.read(&mut one).unwrap();
                        let same = buffered.read_exact(other.get_mut(..read).unwrap());
                        prop_assert!(same.is_ok() && one == other);
                    }
                    Step::Skip(amount) => {
                        let had = buffered.fill_buf().unwrap().len().min(amount);
                        buffered.consume(had);
                        plain.seek_relative(i64::try_from(had).unwrap()).unwrap();
                    }
                    Step::Seek(to) => {
                        prop_assert_eq!(plain.seek(to).ok(), buffered.seek(to).ok());
                    }
                }
                prop_assert_eq!(plain.stream_position().unwrap(), buffered.stream_position().unwrap());
            }
        }
    }
}
