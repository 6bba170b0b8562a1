//! The answer for people at a terminal.

mod blind;
mod component;
mod finding;
mod packages;
mod page;
mod summary;
mod text;

use page::{Page, Paint};

use crate::{Assessed, overall};

/// An answer longer than this ends with the verdict once more, since its
/// beginning has scrolled away.
const LINES_IN_SIGHT: usize = 24;

/// How a table may look. Whoever calls knows the terminal; this room does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Columns to fill; at least 40 are used.
    pub width: usize,
    /// Whether colours and bold are understood.
    pub colour: bool,
    /// Whether characters beyond ASCII can be shown.
    pub unicode: bool,
    /// Whether to list every package and gap as well.
    pub packages: bool,
}

impl Default for Look {
    /// Plain text in 80 columns, safe to write anywhere.
    fn default() -> Self {
        Self {
            width: 80,
            colour: false,
            unicode: true,
            packages: false,
        }
    }
}

/// The terminal answer about `images`, each line ending in a line break.
///
/// No line is wider than the look says, and apart from its line breaks and the
/// colours it was allowed the text holds nothing that a terminal obeys.
pub fn table(images: &[Assessed<'_>], look: &Look) -> String {
    let mut page = Page::new(look);
    for (position, assessed) in images.iter().enumerate() {
        if position > 0 {
            page.gap();
            page.gap();
        }
        image(&mut page, assessed);
    }
    if images.len() > 1 {
        page.gap();
        page.gap();
        let mut line = page.start(0);
        summary::badge(&page, &mut line, overall(images));
        let sentence = format!("  over all {} images", images.len());
        page.add(&mut line, Paint::Plain, &sentence);
        page.end(line);
    }
    page.finish()
}

fn image(page: &mut Page, assessed: &Assessed<'_>) {
    let first = page.lines();
    let components = component::components(assessed);
    summary::subject(page, assessed.report);
    page.gap();
    summary::verdict(page, assessed, &components);
    summary::levels(page, &components);
    summary::kernel(page, assessed);
    if page.wants_everything() {
        packages::packages(page, assessed.report);
    }
    finding::findings(page, assessed.report, &components);
    blind::blind_spots(page, assessed);
    finding::next_step(page, &components);
    if page.lines() - first > LINES_IN_SIGHT {
        page.gap();
        summary::verdict(page, assessed, &components);
    }
}
