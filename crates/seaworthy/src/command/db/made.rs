//! What building and updating share: feeds in, the bytes of an edition out.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use seaworthy_advisories::{CompileError, Compiler, Context, Mark};
use seaworthy_core::{Advisory, FeedDate};
use seaworthy_feeds::{
    CopiesError, Fed, Options, PrivateError, Reading, Sink, private_feed, read_private,
};

use crate::desk::Desk;
use crate::failure::Hinted;
use crate::settings;

/// An edition in the making.
#[derive(Default)]
pub(super) struct Draft {
    compiler: Compiler,
    kept: Mark,
    refused: Option<CompileError>,
}

impl Sink for Draft {
    fn take(&mut self, advisory: Advisory) {
        if self.refused.is_none() {
            self.refused = self.compiler.add(&advisory).err();
        }
    }

    fn keep(&mut self) {
        self.kept = self.compiler.mark();
    }

    fn undo(&mut self) {
        self.compiler.undo(self.kept);
    }
}

impl Draft {
    /// The bytes of the edition.
    pub(super) fn compile(self, fed: &Fed) -> Result<Vec<u8>, CompileError> {
        if let Some(error) = self.refused {
            return Err(error);
        }
        self.compiler.compile(&Context {
            feeds: fed.dates(),
            kev: fed.kev.clone(),
            epss: fed.epss.clone(),
            support: fed.support.clone(),
            starter: false,
        })
    }
}

/// Reads folders of the user's own records into `draft`, each a feed of its own.
pub(super) fn add_private(
    folders: &[PathBuf],
    options: &Options,
    draft: &mut Draft,
    fed: &mut Fed,
) -> anyhow::Result<()> {
    for folder in folders {
        let told = || format!("cannot read the records in `{}`", folder.display());
        let failed = |error: PrivateError| hinted(told(), error.hint(), error);
        let feed = private_feed(folder).map_err(failed)?;
        let read = read_private(&feed, folder, &options.limits, &mut |advisory| {
            draft.take(advisory);
        })
        .map_err(failed)?;
        fed.feeds.push(Reading {
            id: feed.into(),
            // It is as current as the user keeps it: it was read just now.
            date: FeedDate::Fetched(options.today),
            records: read.records,
            refused: read.refused,
            refusals: read.refusals,
            trouble: None,
        });
    }
    Ok(())
}

/// How feeds are read here.
pub(super) fn options(desk: &Desk<'_>, may_shrink: &[String]) -> anyhow::Result<Options> {
    let scratch = desk.data.join("scratch");
    fs::create_dir_all(&scratch)
        .with_context(|| format!("cannot use the data folder `{}`", desk.data.display()))?;
    Ok(Options {
        today: settings::today(),
        scratch,
        limits: seaworthy_feeds::Limits::default(),
        may_shrink: may_shrink.iter().cloned().collect(),
    })
}

/// The way out where copies cannot be used.
pub(super) fn way_out(error: &CopiesError) -> &'static str {
    match error {
        CopiesError::Busy { .. } => "wait until it is done",
        CopiesError::File { .. } => "check the data folder and the space left",
    }
}

pub(super) fn hinted(what: String, hint: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
    Hinted::over(what, hint, error)
}

/// Refused records, feeds in trouble and what is missing are told, not hidden: an
/// edition without them knows less.
pub(super) fn tell(desk: &Desk<'_>, fed: &Fed) {
    for Reading {
        id,
        records,
        refused,
        refusals,
        trouble,
        ..
    } in &fed.feeds
    {
        if let Some(trouble) = trouble {
            desk.printer
                .note(&format!("`{id}` is an older copy: {trouble}"));
        }
        if *refused == 0 {
            continue;
        }
        desk.printer.note(&format!(
            "`{id}`: {refused} of {} records refused",
            records + refused
        ));
        for refusal in refusals.iter().take(3) {
            desk.printer
                .note(&format!("  {}: {}", refusal.what, refusal.why));
        }
    }
    for missing in &fed.missing {
        desk.printer.note(&format!("the mirror has no `{missing}`"));
    }
}
