//! What the bench is asked to do.

use std::path::PathBuf;

use anyhow::{Context, bail};

pub(crate) const USAGE: &str = "\
usage: cargo xtask bench [flags]

  --rounds N      interleaved rounds of each measurement [7]
  --threads N     processors that floor and product may use [2]
  --large         the large image as well (rows 2, 3 and 5; needs 1 GB of disk)
  --build         compile an edition from feeds as well (row 10; two minutes, 500 MB)
  --registry      only the registry, beside Debian's (rows 13 to 15 and 17)
  --image oci:DIR measure this image in place of the small one
  --dist          measure the binary of the profile `dist`
  --product FILE  measure this binary
  --json FILE     write the numbers as JSON, too
  --check         fail when a ratio to a floor is more than 10 % above baseline.toml
  --record        write baseline.toml
  --fresh         make images and editions anew
  --like DIR      only compare our made-up content with that of a real folder";

/// The flags.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are the flags as typed")]
pub(crate) struct Options {
    pub(crate) rounds: usize,
    pub(crate) threads: usize,
    pub(crate) large: bool,
    pub(crate) build: bool,
    pub(crate) registry: bool,
    pub(crate) image: Option<PathBuf>,
    pub(crate) product: Option<PathBuf>,
    pub(crate) dist: bool,
    pub(crate) json: Option<PathBuf>,
    pub(crate) check: bool,
    pub(crate) record: bool,
    pub(crate) fresh: bool,
    pub(crate) like: Option<PathBuf>,
}

/// Fewer rounds than this, and a median means little.
const FEWEST_ROUNDS: usize = 3;

impl Options {
    pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> anyhow::Result<Self> {
        let mut options = Self {
            rounds: 7,
            threads: 2,
            large: false,
            build: false,
            registry: false,
            image: None,
            product: None,
            dist: false,
            json: None,
            check: false,
            record: false,
            fresh: false,
            like: None,
        };
        let mut arguments = arguments.into_iter();
        while let Some(argument) = arguments.next() {
            let mut value = || {
                arguments
                    .next()
                    .with_context(|| format!("`{argument}` needs a value"))
            };
            match argument.as_str() {
                "--rounds" => options.rounds = value()?.parse::<usize>()?.max(FEWEST_ROUNDS),
                "--threads" => options.threads = value()?.parse::<usize>()?.max(1),
                "--large" => options.large = true,
                "--build" => options.build = true,
                "--registry" => options.registry = true,
                "--image" => {
                    let image = value()?;
                    let folder = image
                        .strip_prefix("oci:")
                        .context("only `oci:DIR` can be measured")?;
                    options.image = Some(folder.into());
                }
                "--product" => options.product = Some(value()?.into()),
                "--dist" => options.dist = true,
                "--json" => options.json = Some(value()?.into()),
                "--check" => options.check = true,
                "--record" => options.record = true,
                "--fresh" => options.fresh = true,
                "--like" => options.like = Some(value()?.into()),
                other => bail!("unknown flag `{other}`\n\n{USAGE}"),
            }
        }
        anyhow::ensure!(
            options.image.is_none() || !(options.check || options.record),
            "the baseline is about our own images, not about `--image`"
        );
        Ok(options)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_and_odd_ones_refused() {
        let parse = |line: &str| Options::parse(line.split_whitespace().map(str::to_owned));
        let options = parse("--rounds 9 --image oci:x --large").expect("all are flags");
        assert_eq!((options.rounds, options.threads), (9, 2));
        assert_eq!(options.image, Some("x".into()));
        for line in ["--rounds", "--image x", "--fast", "--check --image oci:x"] {
            assert!(parse(line).is_err(), "{line}");
        }
    }
}
