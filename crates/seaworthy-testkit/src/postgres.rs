//! A PostgreSQL cluster of our own: made for one test process, gone with it.
//!
//! A shell beside the test makes the cluster, obeys a word per line and takes
//! everything away once the test's end of the pipe is closed. That happens
//! however the test ends, even by `kill -9`, so no cluster outlives its test.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};

use crate::need::{is_root, require};

/// What the Debian package `postgresql` leaves behind, whichever version of the
/// server it brings. The server's programs are on nobody's `PATH`.
const INSTALLED: &str = "/var/lib/dpkg/info/postgresql.list";

/// Where Debian puts the programs of each version.
const VERSIONS: &str = "/usr/lib/postgresql";

/// What the shell does. `$1` is the folder of the programs.
///
/// The order of text is that of a language on purpose: whoever sorts by a
/// database's `ORDER BY` where bytes are meant is caught by the tests.
const SCRIPT: &str = r#"
cd /
folder=$(mktemp -d -t seaworthy-postgres-XXXXXX) || exit 1
trap '' INT HUP TERM
"$1/initdb" -D "$folder/data" -U postgres --auth=trust --no-sync --encoding=UTF8 \
    --locale=C --locale-provider=icu --icu-locale=en-US >"$folder/log" 2>&1 || echo "failed $folder"
start() {
    "$1/pg_ctl" start -w -t 60 -s -D "$folder/data" -l "$folder/log" -o "-k $folder -c listen_addresses= \
        -c max_connections=400 -c shared_buffers=64MB -c fsync=on -c synchronous_commit=on" >"$folder/words" 2>&1 </dev/null
}
start "$1" && echo "ready $folder" || echo "failed $folder"
while read -r word; do
    case $word in
        start) start "$1" && echo done || echo "failed $folder" ;;
        fast|immediate)
            "$1/pg_ctl" stop -w -t 60 -s -D "$folder/data" -m "$word" >"$folder/words" 2>&1 && echo done || echo "failed $folder" ;;
    esac
done
"$1/pg_ctl" stop -w -t 60 -s -D "$folder/data" -m immediate >"$folder/words" 2>&1
rm -rf "$folder"
"#;

/// A running PostgreSQL server with `fsync` on, reached through a socket in a
/// folder of its own. Dropping it stops it and removes all it held.
#[derive(Debug)]
pub struct Postgres {
    folder: PathBuf,
    programs: PathBuf,
    databases: AtomicU32,
    talk: Mutex<Talk>,
}

#[derive(Debug)]
struct Talk {
    shell: Child,
    /// `None` once it was told to end.
    orders: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

/// The cluster that the tests of this process share, each with databases of its
/// own. A test that stops its server takes one for itself with [`Postgres::start`].
///
/// Where PostgreSQL is not installed, this prints a `SKIPPED` line and answers
/// `None`.
///
/// # Panics
///
/// With `SEAWORTHY_REQUIRE=1` its absence is a failure, and so is a cluster that
/// does not start.
#[track_caller]
pub fn postgres() -> Option<&'static Postgres> {
    static SHARED: OnceLock<Postgres> = OnceLock::new();
    require(INSTALLED).then(|| SHARED.get_or_init(make))
}

impl Postgres {
    /// A cluster for one test alone.
    ///
    /// # Panics
    ///
    /// As [`postgres`] does.
    #[track_caller]
    pub fn start() -> Option<Self> {
        require(INSTALLED).then(make)
    }

    /// A new, empty database, by its URL.
    ///
    /// # Panics
    ///
    /// When the server refuses.
    pub fn database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        let made = Command::new(self.programs.join("psql"))
            .arg("--host")
            .arg(&self.folder)
            .args(["--username=postgres", "--no-psqlrc", "--quiet"])
            .arg(format!("--command=CREATE DATABASE {name}"))
            .arg("postgres")
            .stdin(Stdio::null())
            .output()
            .expect("psql is installed with the server");
        let words = String::from_utf8_lossy(&made.stderr);
        assert!(made.status.success(), "no database was made: {words}");
        let mut folder = String::new();
        for byte in self.folder.display().to_string().bytes() {
            if byte.is_ascii_alphanumeric() || b"-_".contains(&byte) {
                folder.push(char::from(byte));
            } else {
                let _ = write!(folder, "%{byte:02X}");
            }
        }
        format!("postgres://postgres@localhost/{name}?host={folder}")
    }

    /// Stops the server as a loss of power would: at once, without goodbye. What
    /// was committed is there again after [`Postgres::resume`].
    ///
    /// # Panics
    ///
    /// When it does not stop.
    pub fn kill(&self) {
        self.order("immediate");
    }

    /// Stops the server as an administrator would: connections are cut, what was
    /// committed is written.
    ///
    /// # Panics
    ///
    /// When it does not stop.
    pub fn stop(&self) {
        self.order("fast");
    }

    /// Starts a stopped server again and waits until it answers.
    ///
    /// # Panics
    ///
    /// When it does not start.
    pub fn resume(&self) {
        self.order("start");
    }

    fn order(&self, word: &str) {
        let mut talk = self.talk.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(orders) = &mut talk.orders {
            writeln!(orders, "{word}").expect("the shell beside the test listens");
        }
        let answer = talk.answer();
        assert_eq!(answer, "done", "PostgreSQL does not obey `{word}`");
    }
}

impl Talk {
    fn answer(&mut self) -> String {
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the shell beside the test answers");
        line.trim().to_owned()
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        let talk = self.talk.get_mut().unwrap_or_else(PoisonError::into_inner);
        talk.orders = None;
        let _ = talk.shell.wait();
    }
}

fn make() -> Postgres {
    let programs = newest_programs().expect("the package `postgresql` brings a server");
    let mut command = Command::new("sh");
    command
        .args(["-c", SCRIPT, "sh"])
        .arg(&programs)
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        // Whoever interrupts the test at a terminal does not interrupt the shell,
        // which still has to clean up.
        .process_group(0);
    if is_root() {
        // PostgreSQL refuses to run as root.
        let (user, group) = account("postgres").expect("the package `postgresql` makes its user");
        command.gid(group).uid(user);
    }
    let mut shell = command.spawn().expect("every machine has `sh`");
    let orders = shell.stdin.take();
    let answers = shell.stdout.take().expect("it is piped");
    let mut talk = Talk {
        shell,
        orders,
        answers: BufReader::new(answers),
    };
    let answer = talk.answer();
    let Some(folder) = answer.strip_prefix("ready ") else {
        let log = answer.strip_prefix("failed ").unwrap_or_default();
        let log = fs::read_to_string(Path::new(log).join("log")).unwrap_or_default();
        panic!("PostgreSQL does not start: {log}");
    };
    Postgres {
        folder: PathBuf::from(folder),
        programs,
        databases: AtomicU32::new(0),
        talk: Mutex::new(talk),
    }
}

/// The programs of the newest version that is here.
fn newest_programs() -> Option<PathBuf> {
    let versions = fs::read_dir(VERSIONS).ok()?;
    let versions = versions.flatten().filter_map(|version| {
        let number: u32 = version.file_name().to_str()?.parse().ok()?;
        let programs = version.path().join("bin");
        programs
            .join("initdb")
            .is_file()
            .then_some((number, programs))
    });
    versions.max().map(|(_, programs)| programs)
}

/// The numbers of a user and its group.
fn account(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let found = fields.next() == Some(name);
        let user = fields.nth(1)?.parse().ok()?;
        let group = fields.next()?.parse().ok()?;
        found.then_some((user, group))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wait_until;

    fn ask(url: &str, sql: &str) -> Option<String> {
        let programs = newest_programs()?;
        let answer = Command::new(programs.join("psql"))
            .args([url, "--no-psqlrc", "--tuples-only", "--no-align", "-c", sql])
            .stdin(Stdio::null())
            .output()
            .ok()?;
        let text = String::from_utf8_lossy(&answer.stdout).trim().to_owned();
        answer.status.success().then_some(text)
    }

    #[test]
    fn each_test_has_databases_of_its_own_on_a_server_that_syncs() {
        let Some(postgres) = postgres() else { return };
        let (one, other) = (postgres.database(), postgres.database());
        assert_ne!(one, other);
        assert_eq!(ask(&one, "SHOW fsync").as_deref(), Some("on"));
        ask(&one, "CREATE TABLE mine (n BIGINT)").expect("a table can be made");
        assert_eq!(ask(&other, "SELECT * FROM mine"), None);
    }

    #[test]
    fn a_cluster_that_was_killed_comes_back_and_one_that_is_dropped_leaves_nothing() {
        let Some(postgres) = Postgres::start() else {
            return;
        };
        let url = postgres.database();
        ask(&url, "CREATE TABLE kept (n BIGINT)").expect("a table can be made");
        postgres.kill();
        assert_eq!(ask(&url, "SELECT 1"), None);
        postgres.resume();
        assert_eq!(ask(&url, "SELECT count(*) FROM kept").as_deref(), Some("0"));
        postgres.stop();
        postgres.resume();
        let folder = postgres.folder.clone();
        assert!(folder.exists());
        drop(postgres);
        wait_until("the folder is gone", || !folder.exists());
    }
}
