//! `seaworthy db push`.

use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use seaworthy_advisories::{
    Edition, NOTHING, OFFER_MEDIA_TYPE, Offer, Offered, PrivateKey, PublicKey, Sealed, pack,
    pack_since, read_seal, write_parcel,
};
use seaworthy_core::{Day, Digest, Reference};
use seaworthy_remote::{Options, PullError, Purpose, Registry};
use tokio::runtime::Runtime;

use crate::access;
use crate::amount::size;
use crate::cli::DbPushArgs;
use crate::command::db::collect::reference;
use crate::command::db::parcel::{base_on, in_days, private_keys, public_keys, signed};
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;
use crate::settings;

/// Puts the edition in use, or another, into a registry.
pub(crate) fn push(desk: &Desk<'_>, args: &DbPushArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let reference = reference(&args.reference)?;
    let told = || format!("cannot push to `{reference}`");
    if reference.digest().is_some() {
        return Err(Hinted::error(
            format!("{}: a digest is not a place", told()),
            "name it like `registry.example/team/advisories:latest`",
        ));
    }
    let edition = edition::open(desk.data, args.edition.as_deref())?;
    if edition.facts().starter {
        return Err(Hinted::error(
            "there is no edition to push but the starter edition, which every program carries",
            "`seaworthy db update` or `seaworthy db build` makes one",
        ));
    }
    let wish = Wish {
        edition: &edition,
        keys: private_keys(&args.key)?,
        expires: args.expires.map(in_days),
        hand_over: public_keys(&args.hand_over)?,
    };
    // Whoever has taken it asks again tomorrow, and then trusts the new keys alone.
    let stays = |key: &PrivateKey| wish.hand_over.contains(&key.public());
    if !wish.hand_over.is_empty() && !wish.keys.iter().any(stays) {
        return Err(Hinted::error(
            format!("{}: whoever takes it could not take it again", told()),
            "sign with a key that is handed over to, too: --key OLD --key NEW --hand-over NEW.pub",
        ));
    }
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say(&format!("asking {}", reference.registry()));
    let options = Options {
        purpose: Purpose::Push,
        ..access::options(desk, &args.access)?
    };
    let runtime = crate::runtime::start()?;
    let registry = runtime
        .block_on(Registry::connect(reference.registry(), options))
        .with_context(told)?;
    let place = Place {
        runtime: &runtime,
        registry: &registry,
        reference: &reference,
        bar: &bar,
    };
    let there = place.look().map_err(|error| error.context(told()))?;
    let answer = |digest: &Digest| {
        printer::write_data(format!("{}\n", reference.at(digest.clone())).as_bytes())
    };
    if let Some(there) = &there
        && there
            .sealed
            .as_ref()
            .is_some_and(|sealed| wish.is_met_by(sealed, &there.seal))
    {
        bar.clear();
        desk.printer.note(&format!(
            "unchanged, asked in {:.1} s",
            begun.elapsed().as_secs_f64()
        ));
        answer(&there.manifest)?;
        return Ok(Exit::Pass);
    }

    bar.say("packing");
    let serial = wish.serial(there.as_ref());
    let whole = wish.parcel(pack(&edition).context("cannot pack the edition")?, serial)?;
    let mut offer = Offer {
        whole: whole.offered.clone(),
        deltas: Vec::new(),
    };
    let mut parcels = vec![whole];
    if let Some(there) = &there {
        let delta = wish.delta(desk, there, serial)?;
        let delta = delta.filter(|it| it.offered.bytes < offer.whole.bytes && args.keep > 0);
        offer.deltas = place.steps(there, &edition, delta.as_ref(), args.keep.into());
        parcels.extend(delta);
    }
    let told_size = size(offer.whole.bytes);
    let told_delta = parcels.get(1).map_or_else(String::new, |delta| {
        format!(
            ", what changed since the last one {}",
            size(delta.offered.bytes)
        )
    });
    let digest = place
        .put(&offer, parcels)
        .map_err(|error| error.context(told()))?;
    bar.clear();
    desk.printer.note(&format!(
        "pushed in {:.1} s, {told_size}{told_delta}, deltas there: {}, {}",
        begun.elapsed().as_secs_f64(),
        offer.deltas.len(),
        signed(&wish.keys),
    ));
    answer(&digest)?;
    Ok(Exit::Pass)
}

/// What shall be there.
struct Wish<'a> {
    edition: &'a Edition,
    keys: Vec<PrivateKey>,
    expires: Option<Day>,
    hand_over: Vec<PublicKey>,
}

/// A parcel to send.
struct Parcel {
    offered: Offered,
    bytes: Vec<u8>,
}

impl Wish<'_> {
    /// Whether all that is asked for is there already.
    fn is_met_by(&self, sealed: &Sealed, seal: &[u8]) -> bool {
        let lasts = match (sealed.expires, self.expires) {
            (None, None) => true,
            (Some(there), Some(wanted)) => there >= wanted,
            _ => false,
        };
        sealed.edition == *self.edition.digest()
            && sealed.keys == self.hand_over
            && lasts
            && self.keys.iter().all(|key| vouches(key, seal))
    }

    /// Greater than what we sealed for this place before, whatever the clock says.
    fn serial(&self, there: Option<&There>) -> u64 {
        let now = settings::seconds();
        let before = there
            .filter(|there| self.keys.iter().any(|key| vouches(key, &there.seal)))
            .and_then(|there| there.sealed.as_ref());
        before.map_or(now, |sealed| now.max(sealed.serial.saturating_add(1)))
    }

    /// What changed since the edition that is there, if that is at hand.
    fn delta(&self, desk: &Desk<'_>, there: &There, serial: u64) -> anyhow::Result<Option<Parcel>> {
        let Some(sealed) =
            (there.sealed.as_ref()).filter(|it| it.edition != *self.edition.digest())
        else {
            return Ok(None);
        };
        let Some(base) = base_on(&edition::shelf(desk.data))(&sealed.edition) else {
            return Ok(None);
        };
        match pack_since(self.edition, &base) {
            Ok(packed) => self.parcel(packed, serial).map(Some),
            Err(error) => {
                desk.printer
                    .note(&format!("the whole edition goes without a delta: {error}"));
                Ok(None)
            }
        }
    }

    fn parcel(
        &self,
        (packed, mut sealed): (Vec<u8>, Sealed),
        serial: u64,
    ) -> anyhow::Result<Parcel> {
        sealed.serial = serial;
        sealed.expires = self.expires;
        sealed.keys.clone_from(&self.hand_over);
        let seal = sealed.seal(&self.keys)?;
        let mut bytes = Vec::new();
        write_parcel(&seal, &packed, &mut bytes)?;
        Ok(Parcel {
            offered: Offered::parcel(&bytes, &sealed),
            bytes,
        })
    }
}

/// Whether `key` signed what the seal says, on whatever day.
fn vouches(key: &PrivateKey, seal: &[u8]) -> bool {
    Sealed::open(seal, &[key.public()], Day::from_days(i32::MIN), None).is_ok()
}

/// What the tag has now.
struct There {
    manifest: Digest,
    offer: Offer,
    seal: Vec<u8>,
    /// What its seal says; nobody has proved that.
    sealed: Option<Sealed>,
}

/// A tag in a registry.
struct Place<'a> {
    runtime: &'a Runtime,
    registry: &'a Registry,
    reference: &'a Reference,
    bar: &'a Bar,
}

impl Place<'_> {
    /// What is there, if anything is.
    fn look(&self) -> anyhow::Result<Option<There>> {
        let manifest = match self.registry.manifest_blocking(self.reference) {
            Ok(manifest) => manifest,
            Err(PullError::NotFound { .. } | PullError::NoRepository { .. }) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        let offer = Offer::read(&manifest.bytes).map_err(|error| {
            Hinted::over(
                "the tag names something already",
                "choose a tag for editions alone: what is there would be lost",
                error,
            )
        })?;
        let whole = &offer.whole;
        let seal = self
            .registry
            .blob_blocking(self.reference, &whole.parcel, whole.bytes)
            .ok()
            .and_then(|mut parcel| read_seal(&mut parcel).ok())
            .unwrap_or_default();
        Ok(Some(There {
            manifest: manifest.digest,
            sealed: Sealed::read_unverified(&seal).ok(),
            seal,
            offer,
        }))
    }

    /// The deltas of the new offer: ours, if there is one, and those that lead to
    /// where it starts. At most `keep`, and only what the registry still has.
    fn steps(
        &self,
        there: &There,
        edition: &Edition,
        delta: Option<&Parcel>,
        keep: usize,
    ) -> Vec<Offered> {
        let mut steps: Vec<Offered> = delta.iter().map(|it| it.offered.clone()).collect();
        let goal = match delta {
            Some(delta) => delta.offered.from.as_ref(),
            None => Some(edition.digest()),
        };
        if goal == Some(&there.offer.whole.edition) {
            let old = there.offer.steps(keep.saturating_sub(steps.len()));
            let is_there = |step: &Offered| {
                let asked = self
                    .registry
                    .has_blob(self.reference, &step.parcel, step.bytes);
                self.runtime.block_on(asked).unwrap_or(false)
            };
            steps.extend(old.into_iter().take_while(is_there));
        }
        steps
    }

    /// Sends what is missing, and then makes the tag name it.
    fn put(&self, offer: &Offer, parcels: Vec<Parcel>) -> anyhow::Result<Digest> {
        let send = |digest: &Digest, bytes: Vec<u8>, what: &str| {
            self.bar.carry(what, bytes.len() as u64, 0);
            let sent = self.bar.pointer();
            self.runtime.block_on(self.registry.push_blob(
                self.reference,
                digest,
                bytes.into(),
                Some(Arc::new(sent)),
            ))
        };
        send(&Offer::config(), NOTHING.to_vec(), "sending")?;
        for parcel in parcels {
            let what = match &parcel.offered.from {
                None => "sending the edition",
                Some(_) => "sending what changed",
            };
            send(&parcel.offered.parcel, parcel.bytes, what)?;
        }
        let manifest = offer.to_bytes()?.into();
        let pushed = self
            .registry
            .push_manifest(self.reference, OFFER_MEDIA_TYPE, manifest);
        Ok(self.runtime.block_on(pushed)?)
    }
}
