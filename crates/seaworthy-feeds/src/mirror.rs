//! Where feeds are fetched from: a folder, or an address of the same layout.
//!
//! ```text
//! osv/ecosystems.txt            names of ecosystems, one per line
//! osv/<ecosystem>/all.zip       the bulk export of each
//! enrich/kev/known_exploited_vulnerabilities.json
//! enrich/epss/epss_scores-current.csv.gz
//! enrich/eol/endoflife.json     or enrich/eol/full
//! ```
//!
//! The parts under `osv` may also lie at the top, as in the public bucket.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::LAST_MODIFIED;
use reqwest::{Client, StatusCode, Url};
use seaworthy_core::Day;

/// A place that has feeds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mirror {
    /// A folder.
    Folder(PathBuf),
    /// An address that begins with `https://` or `http://`.
    Web(Url),
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
            Self::Fetch { .. } => "check the network, the proxy and the address, then try again",
            Self::Status { .. } => "check the address; the server does not have this part now",
            Self::TooLarge { .. } => "this is no mirror of ours; check the address",
        }
    }
}

/// A part of a mirror, at hand.
pub(crate) struct Part {
    pub(crate) file: File,
    /// The day its source last changed it, where a server says so.
    pub(crate) modified: Option<Day>,
}

/// How long a connection may take, and how long a server may be silent.
const CONNECT: Duration = Duration::from_secs(20);
const SILENCE: Duration = Duration::from_mins(1);
const REDIRECTS: usize = 5;
const ATTEMPTS: u32 = 3;

/// A mirror that is ready to hand out parts.
pub(crate) struct Source<'a> {
    mirror: &'a Mirror,
    client: Client,
    scratch: &'a Path,
}

impl Mirror {
    /// The mirror a user means: an address if it begins like one, else a folder.
    pub fn parse(text: &str) -> Result<Self, MirrorError> {
        let is_address = ["http://", "https://"].iter().any(|scheme| {
            text.get(..scheme.len())
                .is_some_and(|start| start.eq_ignore_ascii_case(scheme))
        });
        if !is_address {
            return Ok(Self::Folder(text.into()));
        }
        Url::parse(text)
            .ok()
            .filter(|url| url.has_host() && !url.cannot_be_a_base())
            .map(Self::Web)
            .ok_or_else(|| MirrorError::Address {
                text: text.chars().take(200).collect::<String>().into(),
            })
    }
}

impl<'a> Source<'a> {
    pub(crate) fn of(mirror: &'a Mirror, scratch: &'a Path) -> Result<Self, MirrorError> {
        // A redirect may not fall back from https to http.
        let careful = reqwest::redirect::Policy::custom(|attempt| {
            let downgrades = attempt
                .previous()
                .last()
                .is_some_and(|before| before.scheme() == "https")
                && attempt.url().scheme() != "https";
            if downgrades || attempt.previous().len() > REDIRECTS {
                attempt.stop()
            } else {
                attempt.follow()
            }
        });
        let client = Client::builder()
            .user_agent(concat!("seaworthy/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .read_timeout(SILENCE)
            .redirect(careful)
            .build()
            .map_err(|source| MirrorError::Fetch {
                url: "the web".into(),
                source,
            })?;
        Ok(Self {
            mirror,
            client,
            scratch,
        })
    }

    /// The part called `name`, `None` where the mirror has none.
    pub(crate) async fn open(&self, name: &str, limit: u64) -> Result<Option<Part>, MirrorError> {
        match self.mirror {
            Mirror::Folder(folder) => open_file(&folder.join(name), name, limit),
            Mirror::Web(base) => {
                let url = address(base, name);
                let mut attempt = 1;
                loop {
                    match self.download(&url, name, limit).await {
                        Err(error) if attempt < ATTEMPTS && may_pass(&error) => {
                            tracing::debug!(attempt, "fetching `{url}` again");
                            tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
                            attempt += 1;
                        }
                        answer => return answer,
                    }
                }
            }
        }
    }

    async fn download(
        &self,
        url: &Url,
        name: &str,
        limit: u64,
    ) -> Result<Option<Part>, MirrorError> {
        let fetch = |source| MirrorError::Fetch {
            url: shown(url),
            source,
        };
        let mut answer = self.client.get(url.clone()).send().await.map_err(fetch)?;
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            status => {
                return Err(MirrorError::Status {
                    url: shown(url),
                    status,
                });
            }
        }
        let too_large = || MirrorError::TooLarge {
            part: name.into(),
            limit,
        };
        if answer.content_length().is_some_and(|length| length > limit) {
            return Err(too_large());
        }
        let modified = answer
            .headers()
            .get(LAST_MODIFIED)
            .and_then(|value| http_day(value.to_str().ok()?));
        let (path, mut file) = self.spill()?;
        let failed = |source| MirrorError::File {
            path: path.clone(),
            source,
        };
        let mut written = 0_u64;
        while let Some(chunk) = answer.chunk().await.map_err(fetch)? {
            written = written.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if written > limit {
                return Err(too_large());
            }
            file.write_all(&chunk).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Some(Part { file, modified }))
    }

    /// A file without a name: it is gone once closed.
    fn spill(&self) -> Result<(PathBuf, File), MirrorError> {
        let mut number = 0_u32;
        loop {
            let path = self
                .scratch
                .join(format!(".fetch-{}-{number}", std::process::id()));
            let opened = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(&path);
            match opened.and_then(|file| std::fs::remove_file(&path).map(|()| file)) {
                Ok(file) => return Ok((path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < 1_000 => {
                    number += 1;
                }
                Err(source) => return Err(MirrorError::File { path, source }),
            }
        }
    }
}

fn open_file(path: &Path, name: &str, limit: u64) -> Result<Option<Part>, MirrorError> {
    let failed = |source| MirrorError::File {
        path: path.to_owned(),
        source,
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(failed(source)),
    };
    if file.metadata().map_err(failed)?.len() > limit {
        return Err(MirrorError::TooLarge {
            part: name.into(),
            limit,
        });
    }
    Ok(Some(Part {
        file,
        modified: None,
    }))
}

/// The address of the part `name` below `base`.
fn address(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        segments.extend(name.split('/'));
    }
    url
}

/// An address for people, without a password.
fn shown(url: &Url) -> Box<str> {
    let mut url = url.clone();
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url.set_query(None);
    url.as_str().into()
}

/// Whether trying again may help.
fn may_pass(error: &MirrorError) -> bool {
    match error {
        MirrorError::Fetch { source, .. } => !source.is_builder() && !source.is_redirect(),
        MirrorError::Status { status, .. } => {
            status.is_server_error() || *status == StatusCode::TOO_MANY_REQUESTS
        }
        MirrorError::Address { .. } | MirrorError::File { .. } | MirrorError::TooLarge { .. } => {
            false
        }
    }
}

/// The day of an HTTP date: `Wed, 21 Oct 2015 07:28:00 GMT`.
fn http_day(text: &str) -> Option<Day> {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let mut words = text.split_once(", ")?.1.split(' ');
    let (day, month, year) = (words.next()?, words.next()?, words.next()?);
    let month = MONTHS.iter().position(|it| *it == month)? + 1;
    format!("{year}-{month:02}-{day}").parse().ok()
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
        ] {
            let said = match Mirror::parse(text) {
                Ok(Mirror::Folder(path)) => format!("folder {}", path.display()),
                Ok(Mirror::Web(url)) => format!("web {url}"),
                Err(error) => error.to_string(),
            };
            assert_eq!(said, expected);
        }
    }

    #[test]
    fn a_part_lies_below_the_base_and_no_password_is_shown() {
        for (base, expected) in [
            (
                "https://example.org",
                "https://example.org/osv/Rocky%20Linux/all.zip",
            ),
            (
                "https://example.org/m/",
                "https://example.org/m/osv/Rocky%20Linux/all.zip",
            ),
        ] {
            let url = address(&Url::parse(base).unwrap(), "osv/Rocky Linux/all.zip");
            assert_eq!(url.as_str(), expected);
        }
        let secret = Url::parse("https://me:secret@example.org/a?token=b").unwrap();
        assert_eq!(&*shown(&secret), "https://example.org/a");
    }

    #[test]
    fn an_http_date_is_a_day() {
        let day = http_day("Wed, 21 Oct 2015 07:28:00 GMT").unwrap();
        assert_eq!(day.to_string(), "2015-10-21");
        for text in [
            "",
            "yesterday",
            "Wed, 21 Okt 2015",
            "Wed, 31 Feb 2015 07:28:00 GMT",
        ] {
            assert_eq!(http_day(text), None);
        }
    }
}
