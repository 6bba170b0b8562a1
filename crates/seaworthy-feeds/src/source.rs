//! Parts of a mirror, brought to hand.

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::header::{
    CONTENT_RANGE, ETAG, HeaderMap, HeaderName, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    LAST_MODIFIED, RANGE,
};
use reqwest::{Client, Response, StatusCode, Url};
use seaworthy_core::Day;

use crate::copies::{Body, Copies, Copy};
use crate::mirror::{Mirror, MirrorError, Spot};

/// A part of a mirror, at hand.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) file: File,
    /// The day its source last changed it, where a server says so.
    pub(crate) modified: Option<Day>,
    /// The day on which its publisher last confirmed it, where we asked the
    /// publisher.
    pub(crate) confirmed: Option<Day>,
    /// Whether it is not what it was the last time.
    pub(crate) changed: bool,
    /// Why it is an older copy.
    pub(crate) trouble: Option<Box<str>>,
    /// Its address, where copies are kept.
    pub(crate) address: Option<String>,
    /// The copy that was last read well, where it is another one.
    pub(crate) good: Option<Body>,
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
    today: Day,
    copies: Option<&'a mut Copies>,
}

impl<'a> Source<'a> {
    pub(crate) fn of(
        mirror: &'a Mirror,
        scratch: &'a Path,
        today: Day,
        copies: Option<&'a mut Copies>,
    ) -> Result<Self, MirrorError> {
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
            today,
            copies,
        })
    }

    /// The part at `spot`, `None` where the mirror has none. With copies at hand,
    /// a server that fails is no error where there is one: the part then says what
    /// the trouble is.
    pub(crate) async fn open(
        &mut self,
        spot: &Spot,
        limit: u64,
    ) -> Result<Option<Part>, MirrorError> {
        let url = match self.mirror {
            Mirror::Folder(folder) => return open_file(&folder.join(&spot.path), spot, limit),
            web => match web.address(spot)? {
                Some(url) => url,
                None => return Ok(None),
            },
        };
        let known = self
            .copies
            .as_ref()
            .and_then(|copies| copies.known(url.as_str()));
        match (self.fetch(&url, spot, limit, known.as_ref()).await, known) {
            (Ok(Some(part)), _) => Ok(Some(part)),
            (Ok(None), None) => Ok(None),
            (Err(error), None) => Err(error),
            (Ok(None), Some(copy)) => Ok(self.older(&url, &copy, "it is gone".to_owned())),
            (Err(error), Some(copy)) => Ok(self.older(&url, &copy, told(&error))),
        }
    }

    /// What a copy holds that was last read well.
    pub(crate) fn reopen(&self, body: &Body) -> Option<File> {
        self.copies.as_ref()?.body(body)
    }

    /// The copies, for what comes after reading.
    pub(crate) fn copies(&mut self) -> Option<&mut Copies> {
        self.copies.as_deref_mut()
    }

    fn older(&self, url: &Url, copy: &Copy, trouble: String) -> Option<Part> {
        Some(Part {
            file: self.reopen(&copy.newest)?,
            modified: copy.last_modified.as_deref().and_then(http_day),
            confirmed: self.confirmed(copy.checked()),
            changed: false,
            trouble: Some(trouble.into()),
            address: Some(url.to_string()),
            good: another(copy),
        })
    }

    /// Only the publisher's own word says how current a part is.
    fn confirmed(&self, day: Option<Day>) -> Option<Day> {
        matches!(self.mirror, Mirror::Publishers { .. })
            .then_some(day)
            .flatten()
    }

    async fn fetch(
        &mut self,
        url: &Url,
        spot: &Spot,
        limit: u64,
        known: Option<&Copy>,
    ) -> Result<Option<Part>, MirrorError> {
        let mut attempt = 1;
        loop {
            let answer = if self.copies.is_some() {
                self.update(url, spot, limit, known).await
            } else {
                self.download(url, spot, limit).await
            };
            match answer {
                Err(error) if attempt < ATTEMPTS && may_pass(&error) => {
                    tracing::debug!(attempt, "fetching `{url}` again");
                    tokio::time::sleep(Duration::from_secs(1 << attempt)).await;
                    attempt += 1;
                }
                answer => return answer,
            }
        }
    }

    /// Fetches into a file without a name.
    async fn download(
        &self,
        url: &Url,
        spot: &Spot,
        limit: u64,
    ) -> Result<Option<Part>, MirrorError> {
        let Some(mut answer) = self.ask(url, spot, limit, HeaderMap::new()).await? else {
            return Ok(None);
        };
        let modified = header(&answer, LAST_MODIFIED).as_deref().and_then(http_day);
        let (path, mut file) = self.spill()?;
        let failed = |source| MirrorError::File {
            path: path.clone(),
            source,
        };
        let mut written = 0_u64;
        while let Some(chunk) = answer.chunk().await.map_err(cut(url))? {
            written = written.saturating_add(u64::try_from(chunk.len()).unwrap_or(u64::MAX));
            if written > limit {
                return Err(too_large(spot, limit));
            }
            file.write_all(&chunk).map_err(failed)?;
        }
        file.seek(SeekFrom::Start(0)).map_err(failed)?;
        Ok(Some(Part {
            file,
            modified,
            confirmed: self.confirmed(Some(self.today)),
            changed: true,
            trouble: None,
            address: None,
            good: None,
        }))
    }

    /// Fetches into the copies, and only what is new.
    async fn update(
        &mut self,
        url: &Url,
        spot: &Spot,
        limit: u64,
        known: Option<&Copy>,
    ) -> Result<Option<Part>, MirrorError> {
        let today = self.today;
        let Some(copies) = self.copies.as_deref() else {
            return Ok(None);
        };
        let mut draft = copies.draft(url.as_str()).map_err(MirrorError::Copies)?;
        let mut headers = HeaderMap::new();
        let mut set = |name, value: &str| {
            if let Ok(value) = value.parse() {
                headers.insert(name, value);
            }
        };
        match (&draft.etag, known) {
            (Some(etag), _) if draft.length > 0 => {
                set(RANGE, &format!("bytes={}-", draft.length));
                set(IF_RANGE, etag);
            }
            (_, Some(copy)) => {
                if let Some(etag) = &copy.etag {
                    set(IF_NONE_MATCH, etag);
                }
                if let Some(day) = &copy.last_modified {
                    set(IF_MODIFIED_SINCE, day);
                }
            }
            (_, None) => {}
        }
        let Some(mut answer) = self.ask(url, spot, limit, headers).await? else {
            return Ok(None);
        };
        let confirmed = self.confirmed(Some(today));
        if answer.status() == StatusCode::NOT_MODIFIED {
            let Some(copy) = known else {
                return Err(status(url, StatusCode::NOT_MODIFIED));
            };
            let copies = self.copies.as_deref_mut().ok_or_else(|| gone(url))?;
            copies
                .confirm(url.as_str(), today)
                .map_err(MirrorError::Copies)?;
            return Ok(Some(Part {
                file: copies.body(&copy.newest).ok_or_else(|| gone(url))?,
                modified: copy.last_modified.as_deref().and_then(http_day),
                confirmed,
                changed: false,
                trouble: None,
                address: Some(url.to_string()),
                good: another(copy),
            }));
        }
        let etag = header(&answer, ETAG);
        let last_modified = header(&answer, LAST_MODIFIED);
        let goes_on = answer.status() == StatusCode::PARTIAL_CONTENT
            && header(&answer, CONTENT_RANGE)
                .is_some_and(|range| range.starts_with(&format!("bytes {}-", draft.length)));
        if !goes_on {
            // A weak name does not promise the same bytes.
            let strong = etag.as_deref().filter(|etag| !etag.starts_with("W/"));
            draft.restart(strong).map_err(MirrorError::Copies)?;
            if answer.status() == StatusCode::PARTIAL_CONTENT {
                return Err(status(url, StatusCode::PARTIAL_CONTENT));
            }
        }
        while let Some(chunk) = answer.chunk().await.map_err(cut(url))? {
            draft.append(&chunk).map_err(MirrorError::Copies)?;
            if draft.length > limit {
                draft.restart(None).map_err(MirrorError::Copies)?;
                return Err(too_large(spot, limit));
            }
        }
        let modified = last_modified.as_deref().and_then(http_day);
        let copies = self.copies.as_deref_mut().ok_or_else(|| gone(url))?;
        let (file, changed) = copies
            .keep(url.as_str(), &draft, etag, last_modified, today)
            .map_err(MirrorError::Copies)?;
        let good = copies.known(url.as_str()).as_ref().and_then(another);
        Ok(Some(Part {
            file,
            modified,
            confirmed,
            changed,
            trouble: None,
            address: Some(url.to_string()),
            good,
        }))
    }

    /// Asks once. `None` where the server has no such part.
    async fn ask(
        &self,
        url: &Url,
        spot: &Spot,
        limit: u64,
        headers: HeaderMap,
    ) -> Result<Option<Response>, MirrorError> {
        let answer = self
            .client
            .get(url.clone())
            .headers(headers)
            .send()
            .await
            .map_err(cut(url))?;
        match answer.status() {
            StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED => {}
            StatusCode::NOT_FOUND | StatusCode::GONE => return Ok(None),
            // What we have of it is longer than it is now.
            StatusCode::RANGE_NOT_SATISFIABLE => {
                if let Some(copies) = &self.copies {
                    let mut draft = copies.draft(url.as_str()).map_err(MirrorError::Copies)?;
                    draft.restart(None).map_err(MirrorError::Copies)?;
                }
                return Err(status(url, StatusCode::RANGE_NOT_SATISFIABLE));
            }
            other => return Err(status(url, other)),
        }
        if answer.content_length().is_some_and(|length| length > limit) {
            return Err(too_large(spot, limit));
        }
        Ok(Some(answer))
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

/// The file at an address of its own, at most `limit` bytes of it. It is fetched as
/// parts of a mirror are: nothing comes where nothing changed, and what was cut goes
/// on where it stopped. `copies` hold this file and no other.
pub async fn fetch_file(
    address: &str,
    limit: u64,
    today: Day,
    copies: &mut Copies,
) -> Result<File, MirrorError> {
    let mirror = Mirror::parse(address)?;
    let Mirror::Web(url) = &mirror else {
        return Err(MirrorError::Address {
            text: address.chars().take(200).collect::<String>().into(),
        });
    };
    let spot = Spot {
        path: shown(url).into(),
        published: None,
    };
    let known = copies.known(url.as_str());
    // Copies take the place of a folder for what has no name yet.
    let scratch = Path::new("");
    let mut source = Source::of(&mirror, scratch, today, Some(copies))?;
    let part = source.fetch(url, &spot, limit, known.as_ref()).await?;
    let part = part.ok_or_else(|| status(url, StatusCode::NOT_FOUND))?;
    copies.keep_only(url.as_str())?;
    Ok(part.file)
}

/// The copy last read well, if that is not the newest.
fn another(copy: &Copy) -> Option<Body> {
    copy.good.clone().filter(|good| *good != copy.newest)
}

fn header(answer: &Response, name: HeaderName) -> Option<String> {
    let value = answer.headers().get(name)?.to_str().ok()?;
    (value.len() <= 1_000).then(|| value.to_owned())
}

fn cut(url: &Url) -> impl Fn(reqwest::Error) -> MirrorError + use<> {
    let url = shown(url);
    move |source| MirrorError::Fetch {
        url: url.clone(),
        source,
    }
}

fn status(url: &Url, status: StatusCode) -> MirrorError {
    MirrorError::Status {
        url: shown(url),
        status,
    }
}

fn gone(url: &Url) -> MirrorError {
    status(url, StatusCode::NOT_MODIFIED)
}

fn too_large(spot: &Spot, limit: u64) -> MirrorError {
    MirrorError::TooLarge {
        part: spot.path.as_str().into(),
        limit,
    }
}

/// An error with its causes, in one line.
pub(crate) fn told(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line.push_str(": ");
        line.push_str(&error.to_string());
        cause = error.source();
    }
    line
}

fn open_file(path: &Path, spot: &Spot, limit: u64) -> Result<Option<Part>, MirrorError> {
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
        return Err(too_large(spot, limit));
    }
    Ok(Some(Part {
        file,
        modified: None,
        confirmed: None,
        changed: true,
        trouble: None,
        address: None,
        good: None,
    }))
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
            status.is_server_error()
                || *status == StatusCode::TOO_MANY_REQUESTS
                || *status == StatusCode::RANGE_NOT_SATISFIABLE
                || *status == StatusCode::PARTIAL_CONTENT
        }
        MirrorError::Address { .. }
        | MirrorError::File { .. }
        | MirrorError::Copies(_)
        | MirrorError::TooLarge { .. } => false,
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
    fn no_password_is_shown() {
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
