//! `seaworthy db update --from oci://...`: an edition that `push` put into a
//! registry.

use std::cell::RefCell;
use std::io::{Cursor, Read};
use std::time::Instant;

use anyhow::Context as _;
use seaworthy_advisories::{
    Edition, Offer, Offered, ParcelError, Sealed, Shelf, read_parcel, read_seal, write_parcel,
};
use seaworthy_core::{Digest, Reference};
use seaworthy_remote::Registry;

use crate::access;
use crate::amount::size;
use crate::cli::DbUpdateArgs;
use crate::command::db::depot::Depot;
use crate::command::db::parcel::{Gate, base_on};
use crate::command::db::status::describe;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;

/// More deltas than this are slower to apply than the whole edition is to fetch.
const MOST_STEPS: usize = 2;

/// Reads what people call a place in a registry for editions.
pub(super) fn reference(text: &str) -> anyhow::Result<Reference> {
    let name = text.strip_prefix("oci://").unwrap_or(text);
    name.parse().map_err(|error| {
        Hinted::over(
            format!("`{text}` is not the name of an edition in a registry"),
            "one is named like `registry.example/team/advisories:latest`",
            error,
        )
    })
}

/// Installs the edition that `name` offers. The one in use stays until then.
pub(super) fn collect(desk: &Desk<'_>, args: &DbUpdateArgs, name: &str) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let told = || format!("cannot update from `{}`", args.from);
    refuse_feeds(args, &told())?;
    let reference = reference(name)?;
    let gate = Gate::of(desk, args.unsigned, args.allow_older, &told())?;
    let options = access::options(desk, &args.registry)?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say(&format!("asking {}", reference.registry()));
    let runtime = crate::runtime::start()?;
    let registry = runtime
        .block_on(Registry::connect(reference.registry(), options))
        .with_context(told)?;
    let manifest = registry.manifest_blocking(&reference).with_context(told)?;
    let offer = Offer::read(&manifest.bytes)
        .map_err(|error| Hinted::over(told(), "`seaworthy db push` puts editions there", error))?;

    let shelf = edition::shelf(desk.data);
    let depot = Depot::open(desk.data, &registry, &reference, &bar)?;
    depot.keep_only(&offer);
    let errand = Errand {
        desk,
        gate: &gate,
        shelf: &shelf,
        depot: &depot,
        current: current(&shelf),
        offer: &offer,
    };
    let mut brought = errand.run();
    if let Err(error) = &brought
        && !matches!(error, ParcelError::Read(_))
    {
        // What lay here from another time may have been damaged meanwhile.
        let again = depot.went_on();
        depot.clear();
        if again {
            brought = errand.run();
        }
    }
    let brought = brought.map_err(|error| match error {
        // The registry's own words have their own hint.
        ParcelError::Read(_) => anyhow::Error::new(error).context(told()),
        error => {
            let hint = gate.hint(&error);
            Hinted::over(told(), hint, error)
        }
    })?;
    settle(desk, &gate, &bar, begun, brought)?;
    depot.clear();
    Ok(Exit::Pass)
}

/// What is compiled already takes nothing that is said of feeds.
pub(super) fn refuse_feeds(args: &DbUpdateArgs, told: &str) -> anyhow::Result<()> {
    if args.accept.is_empty() && args.private.is_empty() {
        return Ok(());
    }
    Err(Hinted::error(
        format!("{told}: it is compiled already"),
        "--accept and --private are for updates from feeds",
    ))
}

/// The edition in use. One that cannot be used is replaced.
pub(super) fn current(shelf: &Shelf) -> Option<Edition> {
    let path = shelf.current().ok().flatten()?;
    Edition::open(&path).ok()
}

/// Installs what came, if it is not in use already, and tells.
pub(super) fn settle(
    desk: &Desk<'_>,
    gate: &Gate,
    bar: &Bar,
    begun: Instant,
    brought: Brought,
) -> anyhow::Result<()> {
    let Brought {
        edition,
        how,
        seal,
        sealed,
    } = brought;
    let seconds = || begun.elapsed().as_secs_f64();
    let Some(bytes) = edition else {
        bar.clear();
        if gate.is_news(&sealed) {
            gate.keep(desk, &seal, &sealed)?;
        }
        desk.printer
            .note(&format!("unchanged, asked in {:.1} s", seconds()));
        return Ok(());
    };
    let length = bytes.len() as u64;
    let path = edition::shelf_today(desk)?.install(bytes)?;
    bar.clear();
    gate.keep(desk, &seal, &sealed)?;
    desk.printer.note(&format!(
        "installed in {:.1} s, {how}, {}: {}",
        seconds(),
        size(length),
        path.display(),
    ));
    let edition = edition::open(desk.data, None)?;
    printer::write_data(describe(&edition, true).as_bytes())?;
    Ok(())
}

/// One way to the registry and back.
struct Errand<'a> {
    desk: &'a Desk<'a>,
    gate: &'a Gate,
    shelf: &'a Shelf,
    depot: &'a Depot<'a>,
    current: Option<Edition>,
    offer: &'a Offer,
}

/// What came of asking.
pub(super) struct Brought {
    /// The edition; none if it is in use already.
    pub(super) edition: Option<Vec<u8>>,
    /// In which form it came.
    pub(super) how: String,
    pub(super) seal: Vec<u8>,
    pub(super) sealed: Sealed,
}

impl Errand<'_> {
    fn run(&self) -> Result<Brought, ParcelError> {
        let whole = &self.offer.whole;
        let mut fetch = self.depot.fetch(whole).map_err(ParcelError::Read)?;
        // Who vouches for what, and whether it is new, is known before anything
        // large comes.
        let seal = read_seal(&mut fetch)?;
        let sealed = self.gate.check(&seal).map_err(ParcelError::Seal)?;
        fetch.pause();
        let current = self.current.as_ref().map(Edition::digest);
        if current == Some(&sealed.edition) {
            return Ok(Brought {
                edition: None,
                how: String::new(),
                seal,
                sealed,
            });
        }
        if whole.edition == sealed.edition
            && let Some(way) = current.and_then(|at| self.offer.way_from(at, MOST_STEPS))
        {
            match self.walk(&way, &sealed.edition) {
                Ok(edition) => {
                    let bytes = way.iter().map(|step| step.bytes).sum();
                    let deltas = if way.len() == 1 { "delta" } else { "deltas" };
                    return Ok(Brought {
                        edition: Some(edition),
                        how: format!("by {} {deltas} of {}", way.len(), size(bytes)),
                        seal,
                        sealed,
                    });
                }
                Err(error) => self.desk.printer.note(&format!(
                    "fetching the whole edition, as its deltas are of no use: {:#}",
                    anyhow::Error::new(error)
                )),
            }
        }
        fetch.show("fetching the edition");
        let mut head = Vec::new();
        write_parcel(&seal, &[], &mut head).map_err(ParcelError::Read)?;
        let mut parcel = Cursor::new(head).chain(fetch);
        let (edition, sealed) = read_parcel(&mut parcel, &base_on(self.shelf), |seal| {
            self.gate.check(seal)
        })?;
        Ok(Brought {
            edition: Some(edition),
            how: format!("whole, from {}", size(whole.bytes)),
            seal,
            sealed,
        })
    }

    /// Applies one delta after the other. What comes of it must be `target`.
    fn walk(&self, way: &[&Offered], target: &Digest) -> Result<Vec<u8>, ParcelError> {
        let reached = RefCell::new(None::<(Digest, Vec<u8>)>);
        for step in way {
            let mut fetch = self.depot.fetch(step).map_err(ParcelError::Read)?;
            fetch.show("fetching what changed");
            // Where the step before led, else what is installed.
            let base = |wanted: &Digest| match reached.take() {
                Some((digest, bytes)) if digest == *wanted => Edition::from_bytes(bytes).ok(),
                _ => base_on(self.shelf)(wanted),
            };
            let (bytes, sealed) = read_parcel(&mut fetch, &base, |seal| self.gate.check(seal))?;
            reached.replace(Some((sealed.edition, bytes)));
        }
        match reached.take() {
            Some((digest, bytes)) if digest == *target => Ok(bytes),
            _ => Err(ParcelError::Other { what: "edition" }),
        }
    }
}
