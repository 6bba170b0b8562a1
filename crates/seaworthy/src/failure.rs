//! How an error is told: what failed, what lies behind it, what to do.

use std::error::Error;
use std::io;

use seaworthy_image::{ChooseError, OciLayoutError, ResolveError};
use seaworthy_inventory::SbomError;
use seaworthy_remote::{ContainerdError, EngineError, PullError, PushError, ServerError};
use seaworthy_scan::{ReadLayerError, TakeError, TakeRootError, TakeStreamError};

use crate::printer::{Printer, WriteError};

/// An error that knows the way out. Wrap one with [`Hinted::error`] where the
/// operation's own error has no hint but the front door does.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub(crate) struct Hinted {
    what: String,
    hint: String,
    #[source]
    source: Option<anyhow::Error>,
}

impl Hinted {
    /// An error of its own.
    pub(crate) fn error(what: impl Into<String>, hint: impl Into<String>) -> anyhow::Error {
        Self {
            what: what.into(),
            hint: hint.into(),
            source: None,
        }
        .into()
    }

    /// The same with a cause.
    pub(crate) fn over(
        what: impl Into<String>,
        hint: impl Into<String>,
        source: impl Into<anyhow::Error>,
    ) -> anyhow::Error {
        Self {
            what: what.into(),
            hint: hint.into(),
            source: Some(source.into()),
        }
        .into()
    }
}

/// Prints an error with its causes and the first hint any of them has.
pub(crate) fn tell(printer: &Printer, error: &anyhow::Error) {
    printer.error(&error.to_string());
    let mut last = error.to_string();
    for cause in error.chain().skip(1) {
        let text = cause.to_string();
        // A transparent wrapper would say the same twice.
        if text != last {
            printer.cause(&text);
        }
        last = text;
    }
    if let Some(hint) = error.chain().find_map(hint_of) {
        printer.hint(&hint);
    }
}

fn hint_of(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(hinted) = error.downcast_ref::<Hinted>() {
        return Some(hinted.hint.clone());
    }
    // An error that travelled as an I/O error is found inside it, not behind it.
    if let Some(inner) = error
        .downcast_ref::<io::Error>()
        .and_then(io::Error::get_ref)
    {
        return hint_of(inner);
    }
    let own = error
        .downcast_ref::<PullError>()
        .and_then(PullError::hint)
        .or_else(|| error.downcast_ref::<PushError>().and_then(PushError::hint))
        .or_else(|| {
            error
                .downcast_ref::<EngineError>()
                .and_then(EngineError::hint)
        })
        .or_else(|| {
            error
                .downcast_ref::<ContainerdError>()
                .and_then(ContainerdError::hint)
        })
        .or_else(|| {
            error
                .downcast_ref::<ServerError>()
                .and_then(ServerError::hint)
        });
    own.or_else(|| way_out(error)).map(str::to_owned)
}

const DAMAGED: &str = "this copy is damaged or was changed: pull or save the image again";
const NAMED: &str =
    "name the image after a colon, as in `oci:DIR:TAG` or `docker-archive:FILE:TAG`";

/// The way out of errors whose rooms do not know what a user can type.
fn way_out(error: &(dyn Error + 'static)) -> Option<&'static str> {
    if let Some(error) = error.downcast_ref::<TakeError>() {
        return Some(take_hint(error));
    }
    if let Some(error) = error.downcast_ref::<TakeStreamError>() {
        return Some(match error {
            TakeStreamError::Stream(_) => {
                "`docker save`, `podman save` and `skopeo copy` write such archives"
            }
            TakeStreamError::Choose(error) => choose_hint(error),
            TakeStreamError::Take(error) => take_hint(error),
        });
    }
    if let Some(error) = error.downcast_ref::<ChooseError>() {
        return Some(choose_hint(error));
    }
    if let Some(error) = error.downcast_ref::<ResolveError>() {
        return Some(resolve_hint(error));
    }
    if error.is::<OciLayoutError>() {
        return Some(
            "a layout holds `oci-layout` and `index.json`; `dir:DIR` scans a root directory",
        );
    }
    if error.is::<TakeRootError>() {
        return Some("`dir:DIR` takes a directory that this user may list");
    }
    if error.is::<SbomError>() {
        return Some("CycloneDX and SPDX are read as JSON; other forms can be converted to it");
    }
    if error.is::<WriteError>() {
        return Some("check that the folder exists, is yours to write to and has room");
    }
    None
}

fn take_hint(error: &TakeError) -> &'static str {
    match error {
        TakeError::Read {
            source: ReadLayerError::Reader { .. } | ReadLayerError::Start(_),
            ..
        } => "try again, on a machine with more memory if need be; if it stays, report it",
        TakeError::Verify { .. } | TakeError::Read { .. } => DAMAGED,
        TakeError::TooMuch => "no image that people run is like this one; where is it from?",
        TakeError::Open { .. } => "check that the image is still complete where it is stored",
        TakeError::Foreign { .. } => "scan the image where its base layers are stored, too",
    }
}

fn choose_hint(error: &ChooseError) -> &'static str {
    match error {
        ChooseError::NoSuchName { .. } | ChooseError::Several { .. } => NAMED,
        ChooseError::Resolve(error) => resolve_hint(error),
        ChooseError::Empty | ChooseError::Saved(_) => DAMAGED,
    }
}

fn resolve_hint(error: &ResolveError) -> &'static str {
    match error {
        ResolveError::Platform { .. } => {
            "choose one of them with --platform, or take all with --all-platforms"
        }
        ResolveError::Manifest { .. } | ResolveError::Config { .. } | ResolveError::Empty(_) => {
            "not everything a registry stores is an image: charts, signatures and SBOMs are not"
        }
        ResolveError::Open { .. } => "check that the image is still complete where it is stored",
        ResolveError::Verify { .. } | ResolveError::TooLarge { .. } | ResolveError::TooDeep(_) => {
            DAMAGED
        }
    }
}
