//! `seaworthy backup FILE`.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use futures_util::StreamExt as _;
use seaworthy_core::Digest;
use seaworthy_store::{Address, Blobs, Database, DatabaseOptions, NamedBlob, StoreError, Whole};
use sha2::{Digest as _, Sha256};

use crate::amount::size;
use crate::cli::{BackupArgs, Flags};
use crate::config::{self, Config};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::failure::Hinted;
use crate::progress::Bar;
use crate::runtime;
use crate::serve::{clock, store};
use crate::settings;
use crate::tar::Writer;

use super::archive::{ABOUT, About, DATABASE, SUMS, name};

/// How often to begin anew when a blob was removed while it was to be copied.
const TRIES: u32 = 3;

/// Blobs that are listed at once.
const PAGE: usize = 1_000;

/// Writes everything that is stored into a file, while the server goes on.
pub(crate) fn backup(desk: &Desk<'_>, args: &BackupArgs) -> anyhow::Result<Exit> {
    let sheet = config::sheet(desk, &args.config, Flags::new())?;
    let config = Config::of(&sheet, desk)?;
    let DatabaseOptions::Sqlite { path } = &config.database else {
        return Err(Hinted::error(
            "this installation keeps its database in PostgreSQL",
            "save it with `pg_dump`, and after that the bucket: docs/serve-many.md tells how",
        ));
    };
    if !path.exists() {
        return Err(Hinted::error(
            format!("there is no database `{}` yet", path.display()),
            "--data or SEAWORTHY_DATA names the folder of the server",
        ));
    }
    if args.file.exists() {
        return Err(Hinted::error(
            format!("`{}` is there already", args.file.display()),
            "choose another name: a backup never takes the place of another one",
        ));
    }
    let runtime = runtime::start()?;
    let bar = Bar::new(desk.printer.shows_progress());
    let draft = Draft::beside(&args.file);
    let saved = runtime.block_on(async {
        let (database, blobs) = store(&config).await?;
        let copy = Draft::beside(path);
        let mut tries = 1;
        loop {
            match save(&database, &blobs, &copy.0, &draft.0, &bar).await {
                Ok(about) => break anyhow::Ok(about),
                Err(SaveError::Gone(_)) if tries < TRIES => tries += 1,
                Err(error) => return Err(error.told()),
            }
        }
    })?;
    fs::rename(&draft.0, &args.file)
        .and_then(|()| sync_folder(&args.file))
        .with_context(|| format!("cannot write `{}`", args.file.display()))?;
    bar.clear();
    desk.printer.note(&format!(
        "saved the database and {} blobs ({}) in `{}`; it holds secrets: keep it like them",
        saved.blobs,
        size(saved.bytes),
        args.file.display()
    ));
    Ok(Exit::Pass)
}

/// A file that is gone when this is, unless it got another name.
struct Draft(PathBuf);

impl Draft {
    fn beside(path: &Path) -> Self {
        let end = format!("draft-{}", std::process::id());
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(".");
        name.push(end);
        Self(path.with_file_name(name))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        for end in ["", "-wal", "-shm"] {
            let mut path = self.0.clone().into_os_string();
            path.push(end);
            let _ = fs::remove_file(path);
        }
    }
}

/// Why nothing was saved.
enum SaveError {
    /// A blob that the database names is not there (any more).
    Gone(Address),
    /// A blob is not what its address says.
    Damaged(Address),
    Store(StoreError),
    File(io::Error),
}

impl From<StoreError> for SaveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<io::Error> for SaveError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

impl SaveError {
    fn told(self) -> anyhow::Error {
        match self {
            Self::Gone(address) => Hinted::error(
                format!("the blob `{address}` is in the database and not in the store"),
                "`seaworthy doctor --all` lists what is missing; push those images again",
            ),
            Self::Damaged(address) => Hinted::error(
                format!("the blob `{address}` has other bytes than its digest says"),
                "`seaworthy doctor --all` lists what is damaged; push those images again",
            ),
            Self::Store(error) => anyhow::Error::new(error).context("cannot read what is stored"),
            Self::File(error) => Hinted::over(
                "cannot write the backup",
                "check that the folder is yours to write to and has room",
                error,
            ),
        }
    }
}

async fn save(
    database: &Database,
    blobs: &Blobs,
    copy: &Path,
    into: &Path,
    bar: &Bar,
) -> Result<About, SaveError> {
    bar.say("copying the database");
    let _ = fs::remove_file(copy);
    Whole::of(database).copy_into(copy).await?;
    let options = DatabaseOptions::Sqlite {
        path: copy.to_owned(),
    };
    // The copy is asked what it names: the database itself goes on.
    let copied = Database::open(&options, clock()).await?;
    let whole = Whole::of(&copied);
    whole.forget_what_is_elsewhere().await?;
    let (count, bytes) = whole.size().await?;
    let about = About {
        made_at: settings::milliseconds(),
        blobs: count,
        bytes,
    };
    let mut named = Vec::new();
    loop {
        let last = named.last().map(|it: &NamedBlob| it.address.clone());
        let page = whole.blobs(last.as_ref(), PAGE).await?;
        if page.is_empty() {
            break;
        }
        named.extend(page);
    }
    copied.close().await;

    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(into)?;
    let mut out = Archive {
        writer: Writer::new(BufWriter::with_capacity(1 << 20, file)),
        sums: String::new(),
    };
    out.text(ABOUT, &about.write())?;
    out.database(copy)?;
    let mut done = 0;
    bar.carry("saving blobs", bytes, 0);
    let told = bar.pointer();
    for blob in &named {
        out.blob(blobs, blob).await?;
        done += blob.size;
        told(done);
    }
    out.finish()?;
    Ok(about)
}

/// The archive in the making.
struct Archive {
    writer: Writer<BufWriter<File>>,
    sums: String,
}

impl Archive {
    fn text(&mut self, name: &str, content: &[u8]) -> io::Result<()> {
        self.writer.file(name, content)?;
        self.sum(name, Sha256::digest(content).into());
        Ok(())
    }

    fn sum(&mut self, name: &str, sum: [u8; 32]) {
        let digest = Digest::from_sha256(sum);
        for part in [digest.hex(), "  ", name, "\n"] {
            self.sums.push_str(part);
        }
    }

    fn database(&mut self, copy: &Path) -> io::Result<()> {
        let mut file = File::open(copy)?;
        let bytes = file.metadata()?.len();
        self.writer.begin(DATABASE, bytes)?;
        let mut hash = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        loop {
            let count = io::Read::read(&mut file, &mut buffer)?;
            if count == 0 {
                break;
            }
            let some = buffer.get(..count).unwrap_or_default();
            hash.update(some);
            self.writer.write(some)?;
        }
        self.writer.end(bytes)?;
        self.sum(DATABASE, hash.finalize().into());
        Ok(())
    }

    async fn blob(&mut self, blobs: &Blobs, blob: &NamedBlob) -> Result<(), SaveError> {
        let gone = || SaveError::Gone(blob.address.clone());
        let mut bytes = match blobs.read(&blob.place, 0..blob.size).await {
            Ok(bytes) => bytes,
            Err(error) if is_missing(&error) => return Err(gone()),
            Err(error) => return Err(error.into()),
        };
        let name = name(&blob.address);
        self.writer.begin(&name, blob.size)?;
        let mut hash = Sha256::new();
        let mut count = 0;
        while let Some(some) = bytes.next().await {
            let some = match some {
                Ok(some) => some,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(gone()),
                Err(error) => return Err(error.into()),
            };
            count += some.len() as u64;
            hash.update(&some);
            self.writer.write(&some)?;
        }
        let sum: [u8; 32] = hash.finalize().into();
        let is_right = blob
            .address
            .as_digest()
            .is_none_or(|digest| digest == Digest::from_sha256(sum));
        if count != blob.size || !is_right {
            return Err(SaveError::Damaged(blob.address.clone()));
        }
        self.writer.end(blob.size)?;
        // The whole address, whose end the name may lack.
        self.sum(&name, sum);
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        let sums = std::mem::take(&mut self.sums);
        self.writer.file(SUMS, sums.as_bytes())?;
        let mut out = self.writer.finish()?;
        out.flush()?;
        out.get_ref().sync_all()
    }
}

fn is_missing(error: &StoreError) -> bool {
    matches!(error, StoreError::Blobs { source, .. } if source.kind() == io::ErrorKind::NotFound)
}

/// Makes the name of a file last.
pub(super) fn sync_folder(file: &Path) -> io::Result<()> {
    let folder = match file.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    File::open(folder)?.sync_all()
}
