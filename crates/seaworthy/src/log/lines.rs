//! The log of a server: one line a message, with a time, for people or programs.

use std::fmt::{self, Write as _};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use seaworthy_core::Day;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

use crate::settings;

/// Form of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// For people, with or without colours.
    Text {
        /// With.
        colour: bool,
    },
    /// One JSON object.
    Json,
}

/// Longest value of a field, in bytes: what a client says must not fill the disk.
const LONGEST: usize = 1_000;

/// Size at which the kept file is put aside, in bytes.
const LARGEST_FILE: u64 = 4 * 1024 * 1024;

/// Crates whose details are of no use to who runs a server.
const NOISY: [&str; 8] = [
    "h2",
    "hyper",
    "hyper_util",
    "rustls",
    "sqlx",
    "reqwest",
    "object_store",
    "tower",
];

/// Writes lines.
pub(super) struct Lines {
    form: Form,
    kept: Mutex<Option<Kept>>,
}

/// The file that keeps the last lines, for the support bundle.
struct Kept {
    path: PathBuf,
    file: File,
    bytes: u64,
}

impl Lines {
    pub(super) fn new(form: Form, data: &Path) -> Self {
        // A folder that cannot be written costs the copy of the log, no more.
        let kept = Kept::open(file_in(data)).ok();
        Self {
            form,
            kept: Mutex::new(kept),
        }
    }
}

fn file_in(data: &Path) -> PathBuf {
    data.join("log").join("serve.log")
}

/// The last lines that a server wrote, oldest first, at most so many bytes.
pub(crate) fn recent(data: &Path, most: usize) -> String {
    let path = file_in(data);
    let mut text = String::new();
    for path in [aside(&path), path] {
        if let Ok(bytes) = fs::read(path) {
            text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
    let mut kept = 0;
    let lines: Vec<&str> = text
        .lines()
        .rev()
        .take_while(|line| {
            kept += line.len() + 1;
            kept <= most
        })
        .collect();
    lines
        .into_iter()
        .rev()
        .fold(String::new(), |all, line| all + line + "\n")
}

fn aside(path: &Path) -> PathBuf {
    path.with_extension("log.1")
}

impl Kept {
    fn open(path: PathBuf) -> io::Result<Self> {
        if let Some(folder) = path.parent() {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(folder)?;
        }
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(&path)?;
        let bytes = file.metadata()?.len();
        Ok(Self { path, file, bytes })
    }

    fn write(&mut self, line: &str) -> io::Result<()> {
        if self.bytes > LARGEST_FILE {
            fs::rename(&self.path, aside(&self.path))?;
            *self = Self::open(self.path.clone())?;
        }
        self.bytes += line.len() as u64;
        self.file.write_all(line.as_bytes())
    }
}

/// What one message says.
#[derive(Default)]
struct Said {
    message: String,
    fields: Vec<(&'static str, serde_json::Value)>,
}

impl Said {
    fn put(&mut self, field: &Field, value: serde_json::Value) {
        self.fields.push((field.name(), value));
    }
}

impl Visit for Said {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        let text = bounded(&format!("{value:?}"));
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        let text = bounded(value);
        if field.name() == "message" {
            self.message = text;
        } else {
            self.put(field, text.into());
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.put(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.put(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.put(field, value.into());
    }
}

/// A value on one line, of bounded length, that cannot steer a terminal.
fn bounded(text: &str) -> String {
    let mut end = text.len().min(LONGEST);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    seaworthy_report::clean(text.get(..end).unwrap_or_default())
}

impl<S> Layer<S> for Lines
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _: Context<'_, S>) -> bool {
        let room = metadata.target().split("::").next().unwrap_or_default();
        *metadata.level() <= Level::WARN || !NOISY.contains(&room)
    }

    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut said = Said::default();
        attributes.record(&mut said);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(said);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut said = Said::default();
        event.record(&mut said);
        for span in context
            .event_scope(event)
            .into_iter()
            .flat_map(tracing_subscriber::registry::Scope::from_root)
        {
            if let Some(outer) = span.extensions().get::<Said>() {
                for (name, value) in &outer.fields {
                    // `id` of the span `request` is told as `request`.
                    let name = if *name == "id" { span.name() } else { name };
                    if said.fields.iter().all(|(known, _)| *known != name) {
                        said.fields.push((name, value.clone()));
                    }
                }
            }
        }
        let time = moment(settings::milliseconds());
        let level = *event.metadata().level();
        let line = match self.form {
            Form::Text { colour } => text(&time, level, &said, colour),
            Form::Json => json(&time, level, &said),
        };
        // Nobody is left to be told when standard error is gone.
        let _ = io::stderr().lock().write_all(line.as_bytes());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(file) = &mut *kept {
            let plain = match self.form {
                Form::Text { colour: true } => self::text(&time, level, &said, false),
                _ => line,
            };
            if file.write(&plain).is_err() {
                *kept = None;
            }
        }
    }
}

fn text(time: &str, level: Level, said: &Said, colour: bool) -> String {
    let (begin, end) = match (colour, level) {
        (false, _) => ("", ""),
        (true, Level::ERROR) => ("\u{1b}[31m", "\u{1b}[0m"),
        (true, Level::WARN) => ("\u{1b}[33m", "\u{1b}[0m"),
        (true, _) => ("\u{1b}[32m", "\u{1b}[0m"),
    };
    let mut line = format!("{time} {begin}{level:5}{end} {}", said.message);
    for (name, value) in &said.fields {
        match value {
            serde_json::Value::String(text)
                if !text.is_empty() && !text.contains([' ', '"', '=']) =>
            {
                let _ = write!(line, " {name}={text}");
            }
            other => {
                let _ = write!(line, " {name}={other}");
            }
        }
    }
    line.push('\n');
    line
}

fn json(time: &str, level: Level, said: &Said) -> String {
    let mut object = serde_json::Map::new();
    object.insert("time".into(), time.into());
    object.insert("level".into(), level.as_str().to_lowercase().into());
    object.insert("message".into(), said.message.clone().into());
    for (name, value) in &said.fields {
        object.insert((*name).into(), value.clone());
    }
    format!("{}\n", serde_json::Value::Object(object))
}

/// A moment as RFC 3339 has it, in UTC.
fn moment(milliseconds: i64) -> String {
    let seconds = milliseconds.div_euclid(1_000);
    let day = Day::from_unix_seconds(seconds);
    let of_day = seconds.rem_euclid(86_400);
    format!(
        "{day}T{:02}:{:02}:{:02}.{:03}Z",
        of_day / 3_600,
        of_day / 60 % 60,
        of_day % 60,
        milliseconds.rem_euclid(1_000)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_in_rfc_3339() {
        assert_eq!(moment(1_795_860_585_042), "2026-11-28T10:09:45.042Z");
        assert_eq!(moment(0), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn a_line_stays_one_line() {
        let said = Said {
            message: bounded("GET /a\nb"),
            fields: vec![
                ("path", bounded("/x y\u{1b}[2J").into()),
                ("status", 200.into()),
            ],
        };
        let line = text("T", Level::INFO, &said, false);
        assert_eq!(line.matches('\n').count(), 1);
        assert!(!line.contains('\u{1b}'));
        let parsed: serde_json::Value =
            serde_json::from_str(&json("T", Level::WARN, &said)).expect("JSON");
        assert_eq!(parsed["status"], 200);
        assert_eq!(parsed["level"], "warn");
    }
}
