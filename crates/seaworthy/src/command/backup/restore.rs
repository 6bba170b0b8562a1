//! `seaworthy restore FILE`.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader, Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use bytes::Bytes;
use futures_util::stream;
use seaworthy_core::Digest;
use seaworthy_store::{Blobs, BlobsOptions, Database, DatabaseOptions, NamedBlob, Whole};
use sha2::{Digest as _, Sha256};

use crate::amount::size;
use crate::cli::{Flags, RestoreArgs};
use crate::config::{self, Config};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::progress::Bar;
use crate::runtime;
use crate::serve::{clock, folder};
use crate::tar::{Entry, Reader};

use super::archive::{ABOUT, About, DATABASE, LARGEST_TEXT, SUMS, is_blob, name};
use super::save::sync_folder;

/// Bytes moved at once.
const CHUNK: usize = 1 << 20;

/// Blobs that are listed at once.
const PAGE: usize = 1_000;

/// Puts back everything of a backup, into a place where nothing is yet.
pub(crate) fn restore(desk: &Desk<'_>, args: &RestoreArgs) -> anyhow::Result<Exit> {
    let sheet = config::sheet(desk, &args.config, Flags::new())?;
    let config = Config::of(&sheet, desk)?;
    let DatabaseOptions::Sqlite { path } = &config.database else {
        return Err(Hinted::error(
            "a backup goes into SQLite, and `database` names PostgreSQL",
            "restore what `pg_dump` wrote with PostgreSQL's own tools: docs/serve-many.md",
        ));
    };
    refuse_what_is_there(path, &config.blobs)?;
    let told = || format!("cannot restore from `{}`", args.file.display());
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("checking the backup");
    let about = verify(&args.file)
        .map_err(|error| Hinted::over(told(), "nothing was changed; take another backup", error))?;
    folder(desk.data)?;
    if let Some(parent) = path.parent() {
        folder(parent)?;
    }
    let draft = path.with_extension(format!("draft-{}", std::process::id()));
    let runtime = runtime::start()?;
    let restored = runtime.block_on(async {
        let blobs = Blobs::open(&config.blobs)
            .await
            .context("cannot open the store of blobs")?;
        put_back(&args.file, &draft, &blobs, &bar, about.bytes).await
    });
    if let Err(error) = restored {
        // What came into the store of blobs means nothing without the database.
        let _ = fs::remove_file(&draft);
        return Err(Hinted::over(
            told(),
            "the database was not put in place: make room, empty the place of blobs, try again",
            error,
        ));
    }
    fs::rename(&draft, path)
        .and_then(|()| sync_folder(path))
        .with_context(told)?;
    bar.clear();
    desk.printer.note(&format!(
        "restored the database and {} blobs ({}); accounts and passwords are those of the backup",
        about.blobs,
        size(about.bytes)
    ));
    Ok(Exit::Pass)
}

fn refuse_what_is_there(database: &Path, blobs: &BlobsOptions) -> anyhow::Result<()> {
    let refused = |path: &Path| {
        Hinted::error(
            format!("`{}` is there already", path.display()),
            "a restore goes into an empty place: name another one with --data, or move this away",
        )
    };
    if database.exists() {
        return Err(refused(database));
    }
    if let BlobsOptions::Files { folder } = blobs {
        let kinds = ["sha256", "sha512"].map(|kind| folder.join(kind));
        if let Some(found) = kinds.iter().find(|it| it.exists()) {
            return Err(refused(found));
        }
    }
    Ok(())
}

/// Reads the whole archive and compares every sum before anything is believed.
fn verify(file: &Path) -> anyhow::Result<About> {
    let mut reader = open(file)?;
    let mut found = BTreeMap::new();
    let mut about = None;
    let mut count = 0;
    while let Some(Entry { name, bytes }) = reader.next()? {
        match &*name {
            SUMS => {
                let sums = text(&mut reader, bytes)?;
                compare(&sums, &found)?;
                let about: About = about.context("the backup does not say what it is")?;
                anyhow::ensure!(found.contains_key(DATABASE), "there is no database in it");
                anyhow::ensure!(
                    about.blobs == count,
                    "it has {count} blobs and should have {}",
                    about.blobs
                );
                anyhow::ensure!(reader.next()?.is_none(), "something follows its end");
                return Ok(about);
            }
            ABOUT => {
                let bytes = text(&mut reader, bytes)?;
                found.insert(name, sum(&mut &*bytes)?);
                about = Some(About::read(&bytes).map_err(anyhow::Error::msg)?);
            }
            _ => {
                count += u64::from(is_blob(&name));
                let sum = sum(&mut reader)?;
                found.insert(name, sum);
            }
        }
    }
    anyhow::bail!("it is torn: its sums are missing")
}

fn open(file: &Path) -> io::Result<Reader<BufReader<File>>> {
    Ok(Reader::new(BufReader::with_capacity(
        CHUNK,
        File::open(file)?,
    )))
}

fn text(reader: &mut impl Read, bytes: u64) -> anyhow::Result<Vec<u8>> {
    anyhow::ensure!(bytes <= LARGEST_TEXT, "a list in it is too long");
    let mut text = Vec::new();
    reader.take(bytes).read_to_end(&mut text)?;
    Ok(text)
}

fn sum(reader: &mut impl Read) -> io::Result<Digest> {
    let mut hash = Sha256::new();
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = reader.read(&mut buffer)?;
        if count == 0 {
            return Ok(Digest::from_sha256(hash.finalize().into()));
        }
        hash.update(buffer.get(..count).unwrap_or_default());
    }
}

fn compare(sums: &[u8], found: &BTreeMap<String, Digest>) -> anyhow::Result<()> {
    let mut lines = 0;
    for line in String::from_utf8_lossy(sums).lines() {
        let (hex, name) = line.split_once("  ").context("a sum cannot be read")?;
        let is_right = found.get(name).is_some_and(|digest| digest.hex() == hex);
        anyhow::ensure!(is_right, "`{name}` is damaged");
        lines += 1;
    }
    anyhow::ensure!(lines == found.len(), "it has files without a sum");
    Ok(())
}

/// Writes the database beside its place and takes in every blob that it names.
async fn put_back(
    file: &Path,
    draft: &Path,
    blobs: &Blobs,
    bar: &Bar,
    bytes: u64,
) -> anyhow::Result<()> {
    let mut reader = open(file)?;
    bar.carry("restoring blobs", bytes, 0);
    let told = bar.pointer();
    let mut database = None;
    let mut waiting = BTreeMap::new();
    let mut done = 0;
    while let Some(entry) = reader.next()? {
        if entry.name == DATABASE {
            write(draft, &mut reader)?;
            let opened = open_database(draft).await?;
            waiting = named(&Whole::of(&opened)).await?;
            database = Some(opened);
        } else if is_blob(&entry.name) {
            let blob = waiting
                .remove(&entry.name)
                .with_context(|| format!("the database does not name `{}`", entry.name))?;
            let opened = database
                .as_ref()
                .context("a blob stands before the database")?;
            take_in(blobs, &blob, &mut reader, &Whole::of(opened)).await?;
            done += blob.size;
            told(done);
        }
    }
    if let Some(opened) = database {
        opened.close().await;
    }
    match waiting.keys().next() {
        None => Ok(()),
        Some(missing) => anyhow::bail!("`{missing}` is not in the backup"),
    }
}

fn write(path: &Path, reader: &mut impl Read) -> anyhow::Result<()> {
    let told = || format!("cannot write `{}`", path.display());
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .with_context(told)?;
    io::copy(reader, &mut file).with_context(told)?;
    file.flush()
        .and_then(|()| file.sync_all())
        .with_context(told)
}

async fn open_database(path: &Path) -> anyhow::Result<Database> {
    let options = DatabaseOptions::Sqlite {
        path: path.to_owned(),
    };
    Database::open(&options, clock())
        .await
        .context("cannot open the database of the backup")
}

/// Every blob of the database, by its name in the archive.
async fn named(whole: &Whole) -> anyhow::Result<BTreeMap<String, NamedBlob>> {
    let mut all = BTreeMap::new();
    let mut last = None;
    loop {
        let page = whole.blobs(last.as_ref(), PAGE).await?;
        let Some(end) = page.last() else {
            return Ok(all);
        };
        last = Some(end.address.clone());
        all.extend(page.into_iter().map(|blob| (name(&blob.address), blob)));
    }
}

/// Takes in a blob as if it were pushed.
async fn take_in(
    blobs: &Blobs,
    blob: &NamedBlob,
    reader: &mut (impl Read + Send),
    whole: &Whole,
) -> anyhow::Result<()> {
    let told = || format!("cannot take in the blob `{}`", blob.address);
    let id = uuid::Uuid::now_v7().simple().to_string();
    let partial = blobs.begin(&id).await.with_context(told)?;
    let pieces = std::iter::from_fn(|| {
        let mut buffer = vec![0; CHUNK];
        match reader.read(&mut buffer) {
            Ok(0) => None,
            Ok(count) => {
                buffer.truncate(count);
                Some(Ok(Bytes::from(buffer)))
            }
            Err(error) => Some(Err(error)),
        }
    });
    let incoming = Box::pin(stream::iter(pieces));
    let appended = blobs.append(partial, incoming, blob.size, None).await;
    appended.ended.with_context(told)?;
    let place = blobs
        .finish(appended.partial, &blob.address)
        .await
        .with_context(told)?;
    whole
        .relocate(&blob.address, &place)
        .await
        .with_context(told)
}
