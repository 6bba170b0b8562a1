//! Where text becomes lines: the only place that writes.

use std::fmt::Write;

use anstyle::{AnsiColor, Style};

use super::Look;
use super::text::Text;

/// What a piece of text is for, which decides its colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Paint {
    /// As the terminal writes anyway.
    Plain,
    /// What a section is about.
    Strong,
    /// What is good to know and may be passed over.
    Faint,
    /// Passed, or a way out.
    Good,
    /// Not judged, or medium.
    Doubtful,
    /// Failed, or high.
    Bad,
    /// Critical, or known to be exploited.
    Worst,
    /// Low.
    Mild,
    /// The word of a verdict that passes.
    PassBadge,
    /// The word of a verdict that fails.
    FailBadge,
    /// The word of a verdict that cannot tell.
    UnknownBadge,
}

impl Paint {
    fn style(self) -> Style {
        let colour = |colour: AnsiColor| Style::new().fg_color(Some(colour.into()));
        let badge = |colour: AnsiColor| {
            Style::new()
                .fg_color(Some(AnsiColor::Black.into()))
                .bg_color(Some(colour.into()))
                .bold()
        };
        match self {
            Self::Plain => Style::new(),
            Self::Strong => Style::new().bold(),
            Self::Faint => Style::new().dimmed(),
            Self::Good => colour(AnsiColor::Green),
            Self::Doubtful => colour(AnsiColor::Yellow),
            Self::Bad => colour(AnsiColor::Red),
            Self::Worst => colour(AnsiColor::Red).bold(),
            Self::Mild => colour(AnsiColor::Cyan),
            Self::PassBadge => badge(AnsiColor::Green),
            Self::FailBadge => badge(AnsiColor::Red),
            Self::UnknownBadge => badge(AnsiColor::Yellow),
        }
    }
}

/// One line in the making.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    pieces: Vec<(Paint, Text)>,
}

impl Line {
    /// Columns so far.
    pub(super) fn width(&self) -> usize {
        self.pieces.iter().map(|(_, text)| text.width()).sum()
    }
}

/// Lines of one look.
#[derive(Debug)]
pub(super) struct Page {
    look: Look,
    out: String,
}

impl Page {
    pub(super) fn new(look: &Look) -> Self {
        Self {
            look: Look {
                width: look.width.max(40),
                ..*look
            },
            out: String::new(),
        }
    }

    /// Columns there are.
    pub(super) fn width(&self) -> usize {
        self.look.width
    }

    /// Whether every package and gap is wanted.
    pub(super) fn wants_everything(&self) -> bool {
        self.look.packages
    }

    /// How many lines are written.
    pub(super) fn lines(&self) -> usize {
        self.out.lines().count()
    }

    /// Everything written.
    pub(super) fn finish(self) -> String {
        self.out
    }

    /// `raw` as it may be shown here.
    pub(super) fn text(&self, raw: &str) -> Text {
        Text::of(raw, self.look.unicode)
    }

    /// Starts a line with `indent` blanks.
    pub(super) fn start(&self, indent: usize) -> Line {
        let mut line = Line::default();
        if indent > 0 {
            line.pieces
                .push((Paint::Plain, self.text(&" ".repeat(indent))));
        }
        line
    }

    /// Adds `raw` to `line`.
    pub(super) fn add(&self, line: &mut Line, paint: Paint, raw: &str) {
        line.pieces.push((paint, self.text(raw)));
    }

    /// Adds `raw`, cut or filled up to `columns`, and two blanks.
    pub(super) fn column(&self, line: &mut Line, paint: Paint, raw: &str, columns: usize) {
        let text = self.text(raw).cut_middle(columns, self.look.unicode);
        let blanks = columns - text.width() + 2;
        line.pieces.push((paint, text));
        self.add(line, Paint::Plain, &" ".repeat(blanks));
    }

    /// Adds `raw`, cut in the middle to at most `columns` and to the line.
    pub(super) fn add_middle(&self, line: &mut Line, paint: Paint, raw: &str, columns: usize) {
        let room = self.look.width.saturating_sub(line.width()).min(columns);
        line.pieces
            .push((paint, self.text(raw).cut_middle(room, self.look.unicode)));
    }

    /// Writes `line`, cut off where the page ends.
    pub(super) fn end(&mut self, line: Line) {
        let mut room = self.look.width;
        let last = line
            .pieces
            .iter()
            .rposition(|(_, text)| !text.as_str().trim().is_empty());
        for (position, (paint, text)) in line.pieces.into_iter().enumerate() {
            let Some(last) = last else { break };
            if position > last || room == 0 {
                break;
            }
            let text = text.cut(room, self.look.unicode);
            room -= text.width();
            let shown = if position == last {
                text.as_str().trim_end()
            } else {
                text.as_str()
            };
            if self.look.colour && paint != Paint::Plain && !shown.trim().is_empty() {
                let style = paint.style();
                // Writing to a string cannot fail.
                let _ = write!(self.out, "{style}{shown}{style:#}");
            } else {
                self.out.push_str(shown);
            }
        }
        self.out.push('\n');
    }

    /// Writes one line of one kind.
    pub(super) fn line(&mut self, indent: usize, paint: Paint, raw: &str) {
        let mut line = self.start(indent);
        self.add(&mut line, paint, raw);
        self.end(line);
    }

    /// Writes an empty line.
    pub(super) fn gap(&mut self) {
        self.out.push('\n');
    }

    /// Writes `raw` over as many lines as it takes, broken at blanks, all of
    /// them `indent` in. The first line goes on where `start` ends.
    pub(super) fn paragraph(&mut self, start: Line, indent: usize, paint: Paint, raw: &str) {
        let mut line = start;
        let mut shown = Text::default();
        for word in raw.split_whitespace() {
            let longer = if shown.width() == 0 {
                self.text(word)
            } else {
                self.text(&format!("{} {word}", shown.as_str()))
            };
            if shown.width() > 0 && line.width() + longer.width() > self.look.width {
                line.pieces.push((paint, shown));
                let next = self.start(indent);
                self.end(std::mem::replace(&mut line, next));
                shown = self.text(word);
            } else {
                shown = longer;
            }
        }
        line.pieces.push((paint, shown));
        self.end(line);
    }
}
