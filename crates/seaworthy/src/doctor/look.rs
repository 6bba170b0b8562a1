//! The parts, one after the other.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

use seaworthy_scan::LayerReader as _;
use seaworthy_store::{Blobs, BlobsOptions, Database, DatabaseOptions, Dialect, Jobs, Whole};
use tokio::time::timeout;

use crate::config::Config;
use crate::confine::ConfinedReader;
use crate::edition;
use crate::serve::{chain, clock, tls};
use crate::settings;

use super::{Finding, blobs, certificate};

/// How long a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// Less free space than this is a warning, in bytes and in hundredths.
const LEAST_FREE: u64 = 2 << 30;
const LEAST_SHARE: u64 = 10;

/// Days before the end of a certificate from which on it is a warning.
const RENEWAL: i64 = 14;

/// How long a job may wait before somebody should look, in milliseconds.
const LONG_WAIT: i64 = 10 * 60 * 1_000;

/// The first moment that can be now: this program was not written before.
const FIRST_DAY: &str = "2026-01-01";

/// Looks at everything. `is_all` reads every blob.
pub(crate) async fn look(config: &Config, is_all: bool) -> Vec<Finding> {
    let mut found = vec![
        Finding::ok("configuration", "reads well"),
        folder(&config.data),
    ];
    found.push(room("free space", &config.data));
    let (database, told) = database(&config.database).await;
    found.extend(told);
    let (blobs, told) = store(&config.blobs).await;
    found.push(told);
    if let BlobsOptions::Files { folder } = &config.blobs {
        found.push(room("space for blobs", folder));
    }
    if let Some(database) = &database {
        if let Some(blobs) = &blobs {
            found.push(blobs::compare(&Whole::of(database), blobs, is_all).await);
        }
        found.push(jobs(database).await);
    }
    found.push(time());
    found.push(advisories(config));
    found.push(secured(config));
    found.push(sandbox());
    if let Some(database) = database {
        database.close().await;
    }
    found
}

fn folder(data: &Path) -> Finding {
    const PART: &str = "data folder";
    let shown = data.display();
    let file = match fs::metadata(data) {
        Ok(file) if file.is_dir() => file,
        Ok(_) => {
            return Finding::fail(
                PART,
                format!("`{shown}` is not a folder"),
                "name a folder with --data or SEAWORTHY_DATA",
            );
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Finding::warn(
                PART,
                format!("`{shown}` is not there yet"),
                "`seaworthy serve` makes it; --data or SEAWORTHY_DATA names another",
            );
        }
        Err(error) => {
            return Finding::fail(
                PART,
                format!("`{shown}`: {error}"),
                "run this as the user that runs the server",
            );
        }
    };
    if file.permissions().mode() & 0o077 != 0 {
        return Finding::warn(
            PART,
            format!("others may look into `{shown}`"),
            format!("it holds secrets: chmod 700 {shown}"),
        );
    }
    let draft = data.join(format!(".doctor-{}", std::process::id()));
    let written = File::create(&draft).and_then(|file| file.sync_all());
    let _ = fs::remove_file(&draft);
    match written {
        Ok(()) => Finding::ok(PART, format!("`{shown}` can be written")),
        Err(error) => Finding::fail(
            PART,
            format!("`{shown}` cannot be written: {error}"),
            "run this as the user that runs the server, and look for a full or read-only disk",
        ),
    }
}

/// How much room there is where `path` is or will be.
fn room(part: &'static str, path: &Path) -> Finding {
    let there = path.ancestors().find(|it| it.exists());
    let measured = there.and_then(|it| rustix::fs::statvfs(it).ok());
    let Some(disk) = measured else {
        return Finding::warn(part, "cannot be measured", "look with `df`");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let all = disk.f_blocks.saturating_mul(disk.f_frsize).max(1);
    let share = free.saturating_mul(100) / all;
    let told = format!("{} GiB free, {share} %", free >> 30);
    if free < LEAST_FREE || share < LEAST_SHARE {
        Finding::warn(
            part,
            told,
            "make room, delete images, or set retention rules: a full disk refuses pushes",
        )
    } else {
        Finding::ok(part, told)
    }
}

async fn database(options: &DatabaseOptions) -> (Option<Database>, Vec<Finding>) {
    const PART: &str = "database";
    if let DatabaseOptions::Sqlite { path } = options
        && !path.exists()
    {
        let told = Finding::warn(
            PART,
            format!("`{}` is not there yet", path.display()),
            "`seaworthy serve` makes it",
        );
        return (None, vec![told]);
    }
    let next = match options {
        DatabaseOptions::Sqlite { .. } => {
            "run this as the user that runs the server; `seaworthy restore` puts back a backup"
        }
        DatabaseOptions::Postgres { .. } => {
            "check `database` and `database_password`, and whether the server answers `psql`"
        }
    };
    match timeout(PATIENCE, Database::open(options, clock())).await {
        Ok(Ok(database)) => {
            let kind = match database.dialect() {
                Dialect::Sqlite => "SQLite",
                Dialect::Postgres => "PostgreSQL",
            };
            let version = database.schema_version().await.unwrap_or_default();
            let told = Finding::ok(PART, format!("{kind} answers, schema {version}"));
            (Some(database), vec![told])
        }
        Ok(Err(error)) => (None, vec![Finding::fail(PART, chain(&error), next)]),
        Err(_) => (None, vec![Finding::fail(PART, "does not answer", next)]),
    }
}

async fn store(options: &BlobsOptions) -> (Option<Blobs>, Finding) {
    const PART: &str = "blobs";
    let (kind, next) = match options {
        BlobsOptions::Files { folder } => {
            if !folder.exists() {
                let told = format!("`{}` is not there yet", folder.display());
                let told = Finding::warn(PART, told, "`seaworthy serve` makes it");
                return (None, told);
            }
            ("the folder", "run this as the user that runs the server")
        }
        BlobsOptions::S3(_) => (
            "the bucket",
            "check endpoint, bucket, region and keys in `blobs` and `s3_...`",
        ),
    };
    let opened = async {
        let blobs = Blobs::open(options).await?;
        blobs.ping().await?;
        Ok::<_, seaworthy_store::StoreError>(blobs)
    };
    match timeout(PATIENCE, opened).await {
        Ok(Ok(blobs)) => (Some(blobs), Finding::ok(PART, format!("{kind} answers"))),
        Ok(Err(error)) => (None, Finding::fail(PART, chain(&error), next)),
        Err(_) => (
            None,
            Finding::fail(PART, format!("{kind} does not answer"), next),
        ),
    }
}

async fn jobs(database: &Database) -> Finding {
    const PART: &str = "jobs";
    let jobs = Jobs::of(database);
    let (counts, oldest) = match tokio::try_join!(jobs.counts(), jobs.oldest()) {
        Ok(asked) => asked,
        Err(error) => {
            return Finding::fail(PART, chain(&error), "look at the database first");
        }
    };
    let count = |state: &str| -> u64 {
        let of_state = counts.iter().filter(|it| &*it.state == state);
        of_state.map(|it| it.count).sum()
    };
    let told = format!(
        "{} queued, {} running, {} given up",
        count("queued"),
        count("running"),
        count("dead")
    );
    let waits = oldest.map_or(0, |since| database.now().0.saturating_sub(since.0));
    if waits > LONG_WAIT {
        return Finding::warn(
            PART,
            format!("{told}; the oldest has waited {} minutes", waits / 60_000),
            "does a worker run? `seaworthy worker`, or `serve` with that role",
        );
    }
    if count("dead") > 0 {
        return Finding::warn(
            PART,
            told,
            "GET /api/v1/jobs?state=dead tells why; a scan by hand tries again",
        );
    }
    Finding::ok(PART, told)
}

fn time() -> Finding {
    let today = settings::today();
    let is_possible = FIRST_DAY.parse().is_ok_and(|first| today >= first);
    if is_possible {
        Finding::ok("clock", format!("it is {today} (UTC)"))
    } else {
        Finding::fail(
            "clock",
            format!("it says {today}"),
            "set the clock, and let it follow a time server: tokens and leases depend on it",
        )
    }
}

fn advisories(config: &Config) -> Finding {
    const PART: &str = "edition";
    let next = "`seaworthy db update` with the same data folder fetches one";
    let opened = match edition::open(&config.data, None) {
        Ok(opened) => opened,
        Err(error) => return Finding::fail(PART, format!("{error:#}"), next),
    };
    if opened.facts().starter {
        return Finding::warn(
            PART,
            "only the starter edition: an image can fail and never pass",
            next,
        );
    }
    let newest = opened.feeds().iter().filter_map(|it| it.date.day()).max();
    let Some(newest) = newest else {
        return Finding::warn(PART, "nothing says how current it is", next);
    };
    let age = settings::today().days().saturating_sub(newest.days());
    let most = i32::try_from(config.policy.max_age_days).unwrap_or(i32::MAX);
    let told = format!(
        "{} advisories, newest of {newest}",
        opened.facts().advisories
    );
    if age > most {
        Finding::warn(PART, format!("{told}, {age} days ago"), next)
    } else {
        Finding::ok(PART, told)
    }
}

fn secured(config: &Config) -> Finding {
    const PART: &str = "TLS";
    let Some(files) = &config.tls else {
        return if config.listen.ip().is_loopback() {
            Finding::ok(PART, "none, and only this machine can reach it")
        } else {
            Finding::warn(
                PART,
                "none, and others can reach it",
                "passwords must not pass a network readable: is there a proxy that speaks TLS?",
            )
        };
    };
    let next = "renew the certificate; a running server takes it when the files change";
    let chain_read = tls::Certificate::read(files).and_then(|_| tls::chain(&files.certificate));
    let chain_read = match chain_read {
        Ok(read) => read,
        Err(error) => return Finding::fail(PART, chain(&error), error.hint()),
    };
    let end = chain_read
        .iter()
        .filter_map(|it| certificate::ends(it))
        .min();
    let Some(end) = end else {
        return Finding::warn(
            PART,
            "nothing says until when the certificate is good",
            next,
        );
    };
    let now = i64::try_from(settings::seconds()).unwrap_or(i64::MAX);
    let days = end.saturating_sub(now).div_euclid(86_400);
    match days {
        ..0 => Finding::fail(
            PART,
            format!("the certificate ended {} days ago", -days),
            next,
        ),
        0..RENEWAL => Finding::warn(PART, format!("the certificate ends in {days} days"), next),
        _ => Finding::ok(PART, format!("the certificate is good for {days} days")),
    }
}

fn sandbox() -> Finding {
    const PART: &str = "sandbox";
    // The end of an archive: a layer of nothing.
    let layer = [0_u8; 1024];
    let read = ConfinedReader::of_this_program()
        .map_err(|error| error.to_string())
        .and_then(|reader| {
            let read = reader.read_layer(&mut &layer[..]);
            read.map_err(|error| error.to_string())
        });
    match read {
        Ok(_) => Finding::ok(PART, "a confined child reads a layer"),
        Err(error) => Finding::fail(
            PART,
            error,
            "layers cannot be read: is this process kept from starting children or from prlimit, \
             Landlock or seccomp?",
        ),
    }
}
