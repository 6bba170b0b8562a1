//! Predictions of the Exploit Prediction Scoring System, as FIRST and Empirical
//! Security publish them day by day.

use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

use flate2::read::MultiGzDecoder;
use seaworthy_core::{Day, Epss};

use crate::Refusal;
use crate::decimal::millionths;
use crate::fed::Refusals;

/// Parsed predictions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predictions {
    /// Predictions by CVE id.
    pub entries: BTreeMap<Box<str>, Epss>,
    /// The day they were made, where the file says.
    pub made: Option<Day>,
    /// How many lines were refused.
    pub refused: u64,
    /// The first of the refused lines.
    pub refusals: Vec<Refusal>,
}

/// Why there are no predictions.
#[derive(Debug, thiserror::Error)]
pub enum EpssError {
    /// The stream broke off or is not gzip.
    #[error("cannot read the predictions")]
    Read(#[source] io::Error),
    /// The file unpacks to more than the ceiling.
    #[error("the predictions unpack to more than {limit} bytes")]
    TooLarge {
        /// The ceiling in bytes.
        limit: u64,
    },
    /// No line is a prediction.
    #[error("the file holds no predictions")]
    Empty,
}

/// What the file may unpack to. The whole of 2026 takes about 10 MB.
const LIMIT: u64 = 256 << 20;

/// Parses the gzipped CSV, in each of the layouts there have been: with or
/// without a comment that dates it, with or without a header, and with or without
/// percentiles, which are then counted from the scores.
pub fn parse_epss(gzip: impl Read) -> Result<Predictions, EpssError> {
    let mut reader = BufReader::new(MultiGzDecoder::new(gzip).take(LIMIT));
    let mut made = None;
    if reader.fill_buf().map_err(EpssError::Read)?.first() == Some(&b'#') {
        let mut comment = Vec::new();
        reader
            .by_ref()
            .take(4_096)
            .read_until(b'\n', &mut comment)
            .map_err(EpssError::Read)?;
        made = String::from_utf8_lossy(&comment)
            .trim()
            .split(',')
            .find_map(|part| part.split_once("score_date:")?.1.parse().ok());
    }
    let mut refusals = Refusals::default();
    let mut scores: BTreeMap<Box<str>, (u32, Option<u32>)> = BTreeMap::new();
    let mut lines = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .from_reader(&mut reader);
    let mut line = csv::StringRecord::new();
    loop {
        match lines.read_record(&mut line) {
            Ok(true) => {}
            Ok(false) => break,
            Err(error) => match error.into_kind() {
                csv::ErrorKind::Io(error) => return Err(EpssError::Read(error)),
                other => {
                    refusals.push("a line", format!("{other:?}"));
                    continue;
                }
            },
        }
        let id = line.get(0).unwrap_or_default().trim();
        if id.eq_ignore_ascii_case("cve") {
            continue;
        }
        let score = line.get(1).and_then(millionths);
        let percentile = line.get(2).map(millionths);
        match (score, percentile) {
            (Some(score), None) if id.starts_with("CVE-") => {
                scores.insert(id.into(), (score, None));
            }
            (Some(score), Some(Some(percentile))) if id.starts_with("CVE-") => {
                scores.insert(id.into(), (score, Some(percentile)));
            }
            _ => refusals.push(id, "not an id with a score between 0 and 1"),
        }
    }
    drop(lines);
    if reader.get_ref().limit() == 0 {
        return Err(EpssError::TooLarge { limit: LIMIT });
    }
    if scores.is_empty() {
        return Err(EpssError::Empty);
    }
    Ok(Predictions {
        entries: with_percentiles(scores),
        made,
        refused: refusals.count,
        refusals: refusals.kept,
    })
}

fn with_percentiles(scores: BTreeMap<Box<str>, (u32, Option<u32>)>) -> BTreeMap<Box<str>, Epss> {
    let mut sorted: Vec<u32> = Vec::new();
    if scores.values().any(|(_, percentile)| percentile.is_none()) {
        sorted = scores.values().map(|(score, _)| *score).collect();
        sorted.sort_unstable();
    }
    let counted = |score: u32| {
        let at_or_below = sorted.partition_point(|&other| other <= score);
        let share = at_or_below.saturating_mul(1_000_000) / sorted.len().max(1);
        u32::try_from(share).unwrap_or(1_000_000)
    };
    scores
        .into_iter()
        .map(|(id, (score, percentile))| {
            let epss = Epss {
                probability_millionths: score,
                percentile_millionths: percentile.unwrap_or_else(|| counted(score)),
            };
            (id, epss)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn read(text: &str) -> String {
        let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
        let packed = gzip
            .write_all(text.as_bytes())
            .and_then(|()| gzip.finish())
            .unwrap_or_default();
        match parse_epss(packed.as_slice()) {
            Err(error) => error.to_string(),
            Ok(predictions) => {
                let mut said: Vec<String> = predictions
                    .entries
                    .iter()
                    .map(|(id, epss)| {
                        let (one, two) = (epss.probability_millionths, epss.percentile_millionths);
                        format!("{id} {one} {two}")
                    })
                    .collect();
                said.extend(predictions.made.map(|day| format!("made {day}")));
                said.extend(
                    (predictions.refused > 0).then(|| format!("{} refused", predictions.refused)),
                );
                said.join(", ")
            }
        }
    }

    #[test]
    fn every_layout_there_has_been_is_read() {
        for (text, expected) in [
            (
                "CVE-2020-5902,0.65117\nCVE-2018-1,0.04773\n",
                "CVE-2018-1 47730 500000, CVE-2020-5902 651170 1000000",
            ),
            (
                "cve,epss\nCVE-2020-5902,0.65117\n",
                "CVE-2020-5902 651170 1000000",
            ),
            (
                "cve,epss,percentile\nCVE-2020-5902,0.65117,0.9981063485700858\n",
                "CVE-2020-5902 651170 998106",
            ),
            (
                "#model_version:v2022.01.01,score_date:2022-02-04T00:00:00+0000\ncve,epss,percentile\nCVE-2020-5902,0.96817,0.99999\n",
                "CVE-2020-5902 968170 999990, made 2022-02-04",
            ),
            (
                "cve,epss,percentile\nCVE-1-1,0.1,0.2\nCVE-1-2,2,0.2\nwhat,0.1,0.2\nCVE-1-3,0.1,x\n",
                "CVE-1-1 100000 200000, 3 refused",
            ),
            ("<html>", "the file holds no predictions"),
        ] {
            assert_eq!(read(text), expected);
        }
    }

    #[test]
    fn a_cut_stream_is_an_error() {
        assert!(parse_epss(&b"\x1f\x8b\x08"[..]).is_err());
        assert!(parse_epss(&b"CVE-2020-5902,0.1\n"[..]).is_err());
    }
}
