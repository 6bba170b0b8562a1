//! The only place that writes to the terminal: data on standard output, talk on
//! standard error.

use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anstyle::{AnsiColor, Style};

/// Whether colours are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Colour {
    /// On a terminal, unless `NO_COLOR` is set.
    #[default]
    Auto,
    /// Always, also into a pipe.
    Always,
    /// Never.
    Never,
}

/// How much talk there is, and in which dress.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four answers that do not depend on each other"
)]
pub(crate) struct Printer {
    quiet: bool,
    colour_data: bool,
    colour_talk: bool,
    progress: bool,
}

/// Standard output, or the file asked for, could not be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    /// The reader of the pipe went away: it has what it wanted.
    #[error("the reader of standard output went away")]
    ReaderGone,
    /// Standard output cannot be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// The file cannot be written.
    #[error("cannot write `{}`", path.display())]
    File {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
}

/// Columns of the terminal data goes to; 100 for anything else.
pub(crate) fn width() -> usize {
    let columns = io::stdout()
        .is_terminal()
        .then(|| rustix::termios::tcgetwinsize(io::stdout()).ok())
        .flatten()
        .map_or(100, |size| usize::from(size.ws_col));
    columns.clamp(60, 200)
}

/// Writes data to standard output.
pub(crate) fn write_data(bytes: &[u8]) -> Result<(), WriteError> {
    stream_data(|out| out.write_all(bytes))
}

/// Writes data to a file: whole or not at all.
pub(crate) fn write_file(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    stream_file(path, |out| out.write_all(bytes))
}

/// Lets `write` write to standard output.
pub(crate) fn stream_data(
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let mut out = io::stdout().lock();
    match write(&mut out).and_then(|()| out.flush()) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Err(WriteError::ReaderGone),
        Err(error) => Err(WriteError::Stdout(error)),
    }
}

/// Lets `write` write to a file, which then is there whole or not at all.
pub(crate) fn stream_file(
    path: &Path,
    write: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), WriteError> {
    let told = |source| WriteError::File {
        path: path.to_owned(),
        source,
    };
    let fill = |path: &Path| File::create(path).and_then(|mut file| write(&mut file));
    // A pipe, a device or a link must not be replaced by a file.
    if fs::symlink_metadata(path).is_ok_and(|file| !file.is_file()) {
        return fill(path).map_err(told);
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let written = fill(&draft).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _ = fs::remove_file(&draft);
    }
    written.map_err(told)
}

impl Printer {
    /// A printer that asks the streams what they are.
    pub(crate) fn of(colour: Colour, quiet: bool, no_color: bool) -> Self {
        let dress = |terminal: bool| match colour {
            Colour::Always => true,
            Colour::Never => false,
            Colour::Auto => terminal && !no_color,
        };
        let talk_terminal = io::stderr().is_terminal();
        Self {
            quiet,
            colour_data: dress(io::stdout().is_terminal()),
            colour_talk: dress(talk_terminal),
            progress: talk_terminal && !quiet,
        }
    }

    /// Whether data may carry colours.
    pub(crate) fn colours_data(&self) -> bool {
        self.colour_data
    }

    /// Whether talk may carry colours.
    pub(crate) fn colours_talk(&self) -> bool {
        self.colour_talk
    }

    /// Whether moving progress can be shown.
    pub(crate) fn shows_progress(&self) -> bool {
        self.progress
    }

    /// Tells people something that is not an error.
    pub(crate) fn note(&self, line: &str) {
        if !self.quiet {
            self.talk("note", AnsiColor::Cyan, line);
        }
    }

    /// Tells people why it went wrong.
    pub(crate) fn error(&self, line: &str) {
        self.talk("error", AnsiColor::Red, line);
    }

    /// Tells people what lies behind an error.
    pub(crate) fn cause(&self, line: &str) {
        self.talk("cause", AnsiColor::Yellow, line);
    }

    /// Tells people what to do next.
    pub(crate) fn hint(&self, line: &str) {
        self.talk("hint", AnsiColor::Green, line);
    }

    fn talk(&self, word: &str, colour: AnsiColor, line: &str) {
        // Names and reasons may quote hostile bytes.
        let line = seaworthy_report::clean(line);
        let style = if self.colour_talk {
            Style::new().fg_color(Some(colour.into())).bold()
        } else {
            Style::new()
        };
        // Nobody is left to be told when standard error is gone.
        let _ = writeln!(io::stderr().lock(), "{style}{word}:{style:#} {line}");
    }
}
