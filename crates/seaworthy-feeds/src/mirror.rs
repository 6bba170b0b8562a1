//! Where feeds are fetched from: a folder, an address of the same layout, or the
//! publishers themselves.
//!
//! ```text
//! osv/ecosystems.txt            names of ecosystems, one per line
//! osv/<ecosystem>/all.zip       the bulk export of each
//! vendor/…                      vendors' own feeds, see the table of feeds
//! enrich/kev/known_exploited_vulnerabilities.json
//! enrich/epss/epss_scores-current.csv.gz
//! enrich/eol/endoflife.json     or enrich/eol/full
//! ```
//!
//! The parts under `osv` may also lie at the top, as in the public bucket.

use std::io;
use std::path::PathBuf;

use reqwest::{StatusCode, Url};

use crate::copies::CopiesError;

/// A place that has feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// A folder.
    Folder(PathBuf),
    /// An address that begins with `https://` or `http://`.
    Web(Url),
    /// Every publisher's own address.
    Publishers {
        /// Where to ask instead: below this address, each publisher's host is the
        /// first part of the path. For sites that reach the world through a
        /// caching proxy.
        through: Option<Url>,
    },
}

/// Why a part of a mirror could not be had.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The text is no address.
    #[error("`{text}` is not an address of a mirror")]
    Address {
        /// The text.
        text: Box<str>,
    },
    /// A file could not be read or written.
    #[error("cannot read `{}`", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// The copies of an earlier fetch cannot be used.
    #[error(transparent)]
    Copies(#[from] CopiesError),
    /// The part could not be fetched.
    #[error("cannot fetch `{url}`")]
    Fetch {
        /// Its address.
        url: Box<str>,
        /// What went wrong.
        #[source]
        source: reqwest::Error,
    },
    /// The server answered with something else.
    #[error("`{url}` answers with status {status}")]
    Status {
        /// The address.
        url: Box<str>,
        /// The status.
        status: StatusCode,
    },
    /// The part is larger than its ceiling.
    #[error("`{part}` is larger than {limit} bytes")]
    TooLarge {
        /// Which part.
        part: Box<str>,
        /// The ceiling.
        limit: u64,
    },
}

impl MirrorError {
    /// What the user can do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Address { .. } => "name a folder or an address that begins with https://",
            Self::File { .. } => "check that the file exists and may be read",
            Self::Copies(CopiesError::Busy { .. }) => "wait until it is done",
            Self::Copies(CopiesError::File { .. }) => "check the data folder and the space left",
            Self::Fetch { .. } => "check the network, the proxy and the address, then try again",
            Self::Status { .. } => "check the address; the server does not have this part now",
            Self::TooLarge { .. } => "this is no mirror of ours; check the address",
        }
    }
}

/// One file: where it lies in a mirror, and where its publisher has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Spot {
    pub(crate) path: String,
    pub(crate) published: Option<String>,
}

/// The word for the publishers themselves.
const PUBLISHERS: &str = "publishers";

impl Mirror {
    /// The mirror a user means: `publishers`, `publishers+https://…` for the same
    /// through a caching proxy, an address if it begins like one, else a folder.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let is_address = |text: &str| {
            ["http://", "https://"].iter().any(|scheme| {
                text.get(..scheme.len())
                    .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
            })
        };
        let url = |text: &str| {
            Url::parse(text)
                .ok()
                .filter(|url| url.has_host() && !url.cannot_be_a_base())
                .ok_or_else(|| MirrorError::Address {
                    text: text.chars().take(200).collect::<String>().into(),
                })
        };
        if text == PUBLISHERS {
            return Ok(Self::Publishers { through: None });
        }
        let through = text
            .strip_prefix(PUBLISHERS)
            .and_then(|rest| rest.strip_prefix('+'));
        if let Some(through) = through.filter(|rest| is_address(rest)) {
            return Ok(Self::Publishers {
                through: Some(url(through)?),
            });
        }
        if is_address(text) {
            return Ok(Self::Web(url(text)?));
        }
        Ok(Self::Folder(text.into()))
    }

    /// Where this mirror has `spot`; `None` where it cannot have it.
    pub(crate) fn address(&self, spot: &Spot) -> Result<Option<Url>, MirrorError> {
        match self {
            Self::Folder(_) => Ok(None),
            Self::Web(base) => Ok(Some(below(base, &spot.path))),
            Self::Publishers { through } => {
                let Some(published) = &spot.published else {
                    return Ok(None);
                };
                let url = Url::parse(published).map_err(|_| MirrorError::Address {
                    text: published.as_str().into(),
                })?;
                Ok(Some(match through {
                    None => url,
                    Some(base) => {
                        let host = url.host_str().unwrap_or_default();
                        let mut address = base.clone();
                        if let Ok(mut segments) = address.path_segments_mut() {
                            segments.pop_if_empty().push(host);
                        }
                        // The path is escaped already.
                        let path = format!("{}{}", address.path(), url.path());
                        address.set_path(&path);
                        address
                    }
                }))
            }
        }
    }
}

/// The address of the part `name` below `base`.
fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        segments.extend(name.split('/'));
    }
    url
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests stop at the first surprise")]
    use super::*;

    #[test]
    fn an_address_is_told_from_a_folder() {
        for (text, expected) in [
            ("feeds", "folder feeds"),
            ("/srv/feeds", "folder /srv/feeds"),
            ("https://example.org/feeds", "web https://example.org/feeds"),
            ("HTTP://example.org", "web http://example.org/"),
            ("https://", "`https://` is not an address of a mirror"),
            ("ftp://example.org", "folder ftp://example.org"),
            ("publishers", "publishers"),
            (
                "publishers+https://proxy.example/all",
                "publishers through https://proxy.example/all",
            ),
        ] {
            let said = match Mirror::parse(text) {
                Ok(Mirror::Folder(path)) => format!("folder {}", path.display()),
                Ok(Mirror::Web(url)) => format!("web {url}"),
                Ok(Mirror::Publishers { through: None }) => "publishers".to_owned(),
                Ok(Mirror::Publishers {
                    through: Some(base),
                }) => format!("publishers through {base}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn each_mirror_has_a_part_at_an_address_of_its_own() {
        let spot = Spot {
            path: "osv/Rocky Linux/all.zip".to_owned(),
            published: Some("https://bucket.example/osv/Rocky%20Linux/all.zip".to_owned()),
        };
        for (mirror, expected) in [
            (
                "https://example.org",
                "https://example.org/osv/Rocky%20Linux/all.zip",
            ),
            (
                "https://example.org/m/",
                "https://example.org/m/osv/Rocky%20Linux/all.zip",
            ),
            (
                "publishers",
                "https://bucket.example/osv/Rocky%20Linux/all.zip",
            ),
            (
                "publishers+http://proxy.example/all",
                "http://proxy.example/all/bucket.example/osv/Rocky%20Linux/all.zip",
            ),
        ] {
            let mirror = Mirror::parse(mirror).unwrap();
            let url = mirror.address(&spot).unwrap().unwrap();
            assert_eq!(url.as_str(), expected);
        }
    }
}
