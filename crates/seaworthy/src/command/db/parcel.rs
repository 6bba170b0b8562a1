//! `seaworthy db export`, `import`, `trust` and `verify`.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use seaworthy_advisories::{
    Edition, Keyring, PackError, ParcelError, PrivateKey, PublicKey, SealError, Sealed, Shelf,
    is_parcel, pack, pack_since, read_parcel, write_parcel,
};
use seaworthy_core::{Day, Digest};

use crate::amount::megabytes;
use crate::cli::{DbExportArgs, DbImportArgs, DbTrustArgs, DbVerifyArgs};
use crate::command::db::status::describe;
use crate::desk::Desk;
use crate::edition;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::printer;
use crate::progress::Bar;
use crate::settings;

/// A key in PEM has some hundred bytes.
const KEY_BYTES: u64 = 16 << 10;

/// Writes the edition in use, or another, to one file that `import` takes.
pub(crate) fn export(desk: &Desk<'_>, args: &DbExportArgs) -> anyhow::Result<Exit> {
    let edition = edition::open(desk.data, args.edition.as_deref())?;
    if edition.facts().starter {
        return Err(Hinted::error(
            "there is no edition to export but the starter edition, which every program carries",
            "`seaworthy db update` or `seaworthy db build` makes one",
        ));
    }
    let keys = private_keys(&args.key)?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("packing");
    let (packed, mut sealed) = match &args.since {
        Some(since) => changes(&edition, &edition::open(desk.data, Some(since))?)?,
        None => pack(&edition).context("cannot pack the edition")?,
    };
    sealed.serial = settings::seconds();
    sealed.expires = args.expires.map(in_days);
    sealed.keys = public_keys(&args.hand_over)?;
    let seal = sealed.seal(&keys)?;
    let mut parcel = Vec::new();
    write_parcel(&seal, &packed, &mut parcel)?;
    bar.clear();
    printer::write_file(&args.output, &parcel)?;
    desk.printer.note(&format!(
        "{:.1} MB{}, {}: {}",
        megabytes(parcel.len() as u64),
        sealed
            .from
            .map_or_else(String::new, |from| format!(", what changed since {from}")),
        signed(&keys),
        args.output.display()
    ));
    Ok(Exit::Pass)
}

fn changes(edition: &Edition, base: &Edition) -> anyhow::Result<(Vec<u8>, Sealed)> {
    pack_since(edition, base).map_err(|error| {
        let hint = match &error {
            PackError::Delta(_) => "leave out --since: the whole edition is the way then",
            PackError::Unproven(_) => "build both editions again with this version",
        };
        Hinted::over("cannot pack what changed", hint, error)
    })
}

/// How a parcel of changes finds the edition they start from.
pub(super) fn base_on(shelf: &Shelf) -> impl Fn(&Digest) -> Option<Edition> {
    |wanted| Edition::open(&shelf.find(wanted)?).ok()
}

pub(super) fn signed(keys: &[PrivateKey]) -> String {
    let ids: Vec<String> = keys
        .iter()
        .map(|key| key.public().id().chars().take(16).collect())
        .collect();
    if ids.is_empty() {
        "not signed".to_owned()
    } else {
        format!("signed with {}", ids.join(", "))
    }
}

/// What may come in: whose seals count, and from which serial on.
pub(super) struct Gate {
    keyring: Keyring,
    keys: Vec<PublicKey>,
    installed: Option<u64>,
    unsigned: bool,
}

impl Gate {
    /// The gate of this data folder. `told` is what cannot be done if it stays shut.
    pub(super) fn of(
        desk: &Desk<'_>,
        unsigned: bool,
        allow_older: bool,
        told: &str,
    ) -> anyhow::Result<Self> {
        let keyring = edition::keyring(desk.data);
        let keys = keyring.keys()?;
        if unsigned && !keys.is_empty() {
            return Err(Hinted::error(
                format!("{told}: keys are trusted here, so a signature is needed"),
                "leave out --unsigned, or `seaworthy db trust --remove` every key first",
            ));
        }
        let installed = edition::shelf(desk.data)
            .seal()
            .and_then(|seal| Sealed::read_unverified(&seal).ok())
            .map(|sealed| sealed.serial)
            .filter(|_| !allow_older);
        Ok(Self {
            keyring,
            keys,
            installed,
            unsigned,
        })
    }

    /// What a seal says, if it counts.
    pub(super) fn check(&self, seal: &[u8]) -> Result<Sealed, SealError> {
        if self.unsigned {
            Sealed::read_unverified(seal)
        } else {
            Sealed::open(seal, &self.keys, settings::today(), self.installed)
        }
    }

    /// The way out of what went wrong with a parcel.
    pub(super) fn hint(&self, error: &ParcelError) -> &'static str {
        hint_of(error, self.keys.is_empty())
    }

    /// Whether `sealed` is newer than the seal that was kept last.
    pub(super) fn is_news(&self, sealed: &Sealed) -> bool {
        self.installed.is_none_or(|serial| serial < sealed.serial)
    }

    /// Keeps a seal that counts, of the edition in use, and hands over to the keys
    /// it names.
    pub(super) fn keep(&self, desk: &Desk<'_>, seal: &[u8], sealed: &Sealed) -> anyhow::Result<()> {
        if self.unsigned {
            desk.printer
                .note("nobody vouches for this edition: it was taken unsigned");
            return Ok(());
        }
        edition::shelf(desk.data).keep_seal(seal)?;
        if !sealed.keys.is_empty() {
            self.keyring.hand_over(&sealed.keys)?;
            desk.printer
                .note("the seal handed over to other keys: see `seaworthy db trust`");
        }
        Ok(())
    }
}

/// Takes the edition of a file that `export` wrote.
pub(crate) fn import(desk: &Desk<'_>, args: &DbImportArgs) -> anyhow::Result<Exit> {
    let told = || format!("cannot import `{}`", args.file.display());
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("checking");
    let gate = Gate::of(desk, args.unsigned, args.allow_older, &told())?;
    let shelf = edition::shelf_today(desk)?;
    let mut seal = Vec::new();
    let file = File::open(&args.file).with_context(told)?;
    let (bytes, sealed) = read_parcel(&mut BufReader::new(file), &base_on(&shelf), |text| {
        seal = text.to_vec();
        gate.check(text)
    })
    .map_err(|error| {
        let hint = gate.hint(&error);
        Hinted::over(told(), hint, error)
    })?;
    shelf.install(bytes)?;
    bar.clear();
    gate.keep(desk, &seal, &sealed)?;
    let edition = edition::open(desk.data, None)?;
    printer::write_data(describe(&edition, true).as_bytes())?;
    Ok(Exit::Pass)
}

fn hint_of(error: &ParcelError, nobody: bool) -> &'static str {
    match error {
        ParcelError::Seal(SealError::Untrusted { .. } | SealError::Unsigned) if nobody => {
            "no key is trusted here: `seaworthy db trust KEY.pem` trusts one, --unsigned takes \
             the edition without"
        }
        ParcelError::Seal(SealError::Untrusted { .. }) => {
            "`seaworthy db trust` lists whom you trust; ask whoever made the file for their key"
        }
        ParcelError::Seal(SealError::Expired { .. }) => "fetch a newer file",
        ParcelError::Seal(SealError::Older { .. }) => "--allow-older goes back on purpose",
        ParcelError::Base { .. } => {
            "import the whole edition, or changes of the one that `seaworthy db status` names"
        }
        ParcelError::Apply(_) => "import the whole edition instead",
        ParcelError::NotAParcel => "`seaworthy db export` writes such files",
        _ => "copy the file again: it was cut or changed on the way",
    }
}

/// Lists, adds or removes keys whose seals count.
pub(crate) fn trust(desk: &Desk<'_>, args: &DbTrustArgs) -> anyhow::Result<Exit> {
    let keyring = edition::keyring(desk.data);
    for path in &args.key {
        let key = public_key(path)?;
        keyring.add(&key)?;
        desk.printer.note(&format!("trusted: {}", key.id()));
    }
    if let Some(id) = &args.remove
        && !keyring.remove(id)?
    {
        return Err(Hinted::error(
            format!("`{}` is not trusted", seaworthy_report::clean(id)),
            "`seaworthy db trust` lists the keys by their whole names",
        ));
    }
    let mut text = String::new();
    for key in keyring.keys()? {
        let _ = writeln!(text, "{}", key.id());
    }
    printer::write_data(text.as_bytes())?;
    Ok(Exit::Pass)
}

/// Recomputes what can be recomputed of an edition or a parcel.
pub(crate) fn verify(desk: &Desk<'_>, args: &DbVerifyArgs) -> anyhow::Result<Exit> {
    let keys = edition::keyring(desk.data).keys()?;
    let Some(path) = &args.file else {
        let edition = edition::open(desk.data, None)?;
        check(&edition)?;
        let seal = edition::shelf(desk.data).seal();
        let line = seal_line(seal.as_deref(), &keys, Some(edition.digest()));
        let digest = edition.digest();
        printer::write_data(format!("edition  {digest}, whole\nseal     {line}\n").as_bytes())?;
        return Ok(Exit::Pass);
    };
    let told = || format!("cannot verify `{}`", path.display());
    let mut file = File::open(path).with_context(told)?;
    let mut start = [0; 16];
    let read = file.read(&mut start).with_context(told)?;
    file.rewind().with_context(told)?;
    let (digest, line) = if is_parcel(start.get(..read).unwrap_or_default()) {
        let mut seal = Vec::new();
        let shelf = edition::shelf(desk.data);
        let (_, sealed) = read_parcel(&mut BufReader::new(file), &base_on(&shelf), |text| {
            seal = text.to_vec();
            Sealed::read_unverified(text)
        })
        .map_err(|error| Hinted::over(told(), hint_of(&error, false), error))?;
        let line = seal_line(Some(&seal), &keys, Some(&sealed.edition));
        (sealed.edition, line)
    } else {
        // Opening a named file verifies it.
        let edition = edition::open(desk.data, Some(path))?;
        (edition.digest().clone(), "none".to_owned())
    };
    printer::write_data(format!("edition  {digest}, whole\nseal     {line}\n").as_bytes())?;
    Ok(Exit::Pass)
}

fn check(edition: &Edition) -> anyhow::Result<()> {
    edition
        .verify()
        .map_err(|error| Hinted::over("the edition is damaged", "build or fetch it again", error))
}

/// What the seal says of the edition, in a few words.
fn seal_line(
    seal: Option<&[u8]>,
    keys: &[PublicKey],
    edition: Option<&seaworthy_core::Digest>,
) -> String {
    let Some(seal) = seal else {
        return "none".to_owned();
    };
    match Sealed::open(seal, keys, settings::today(), None) {
        Ok(sealed) if Some(&sealed.edition) != edition => {
            "of another edition: this one was made or taken without".to_owned()
        }
        Ok(sealed) => {
            let ends = sealed
                .expires
                .map_or_else(String::new, |day| format!(", until {day}"));
            format!("by a trusted key, serial {}{ends}", sealed.serial)
        }
        Err(error) => format!("does not count: {error}"),
    }
}

fn text_of(path: &Path) -> anyhow::Result<String> {
    let told = || format!("cannot read the key `{}`", path.display());
    let mut text = String::new();
    File::open(path)
        .and_then(|file| file.take(KEY_BYTES).read_to_string(&mut text))
        .with_context(told)?;
    Ok(text)
}

/// The day that many days from today.
pub(super) fn in_days(days: i32) -> Day {
    Day::from_days(settings::today().days().saturating_add(days))
}

pub(super) fn public_keys(paths: &[PathBuf]) -> anyhow::Result<Vec<PublicKey>> {
    paths.iter().map(|path| public_key(path)).collect()
}

pub(super) fn private_keys(paths: &[PathBuf]) -> anyhow::Result<Vec<PrivateKey>> {
    paths.iter().map(|path| private_key(path)).collect()
}

fn public_key(path: &Path) -> anyhow::Result<PublicKey> {
    PublicKey::from_pem(&text_of(path)?).map_err(|error| {
        Hinted::over(
            format!("cannot use `{}`", path.display()),
            "`openssl pkey -in KEY -pubout` writes the public half of a key",
            error,
        )
    })
}

fn private_key(path: &Path) -> anyhow::Result<PrivateKey> {
    PrivateKey::from_pem(&text_of(path)?).map_err(|error| {
        Hinted::over(
            format!("cannot sign with `{}`", path.display()),
            "`openssl genpkey -algorithm ed25519 -out KEY` makes a key",
            error,
        )
    })
}
