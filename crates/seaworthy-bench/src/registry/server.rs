//! The servers that are measured, each started in a folder of its own.

use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use rustix::process::{Pid, Signal, kill_process};

use super::wire::{Connection, Request};
use crate::process;

/// A server that runs until this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) address: SocketAddr,
    /// From starting the process to its first answer that says yes.
    pub(crate) start: Duration,
}

/// A server takes at most so long to start or to end.
const PATIENCE: Duration = Duration::from_secs(30);

/// A port of the loopback that nobody listened to a moment ago.
pub(crate) fn free_address() -> anyhow::Result<SocketAddr> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?)
}

impl Server {
    /// Starts a server that is to listen at `address`, and waits until a `GET` of
    /// `ready` answers 200.
    pub(crate) fn start(
        command: &mut Command,
        address: SocketAddr,
        ready: &str,
    ) -> anyhow::Result<Self> {
        let begun = Instant::now();
        let child = command
            .stdin(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot start {}", command.get_program().display()))?;
        let mut server = Self {
            child,
            address,
            start: Duration::ZERO,
        };
        loop {
            if answers(address, ready) {
                server.start = begun.elapsed();
                return Ok(server);
            }
            if let Some(status) = server.child.try_wait()? {
                bail!("{} ended with {status}", command.get_program().display());
            }
            anyhow::ensure!(
                begun.elapsed() < PATIENCE,
                "{} does not answer at {address}",
                command.get_program().display()
            );
            // Asking without a pause would take a processor away from it.
            std::thread::sleep(Duration::from_micros(200));
        }
    }

    /// Processor time so far, with that of children that have ended.
    pub(crate) fn processor(&self) -> anyhow::Result<Duration> {
        process::processor_time(Pid::from_child(&self.child))
    }

    /// Resident memory now, and the part of it that is no file's, in bytes.
    pub(crate) fn resident(&self) -> (u64, u64) {
        process::resident(Pid::from_child(&self.child))
    }

    pub(crate) fn connect(&self) -> anyhow::Result<Connection> {
        Connection::open(self.address)
    }
}

fn answers(address: SocketAddr, ready: &str) -> bool {
    let request = Request {
        method: "GET",
        target: ready,
        authorization: None,
        media_type: None,
    };
    Connection::open(address)
        .and_then(|mut connection| connection.fetch(request, &mut |_| ()))
        .is_ok_and(|answer| answer.status == 200)
}

impl Drop for Server {
    fn drop(&mut self) {
        // Asked politely, a server takes its children along.
        let _ = kill_process(Pid::from_child(&self.child), Signal::TERM);
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if !matches!(self.child.try_wait(), Ok(None)) {
                return;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Debian's `docker-registry`.
pub(crate) mod peer {
    use super::{Command, Context, Path, Server, Stdio, free_address, fs};

    pub(crate) const NAME: &str = "docker-registry";

    /// Whether it is installed, and in which version.
    pub(crate) fn version() -> Option<String> {
        let output = Command::new(NAME).arg("--version").output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        Some(text.split_ascii_whitespace().last()?.to_owned())
    }

    /// Starts it with its storage in `folder`, configured as its package does it,
    /// without a log.
    pub(crate) fn start(folder: &Path) -> anyhow::Result<Server> {
        let address = free_address()?;
        let config = folder.join("config.yml");
        let text = format!(
            "version: 0.1\n\
             log:\n  level: error\n  accesslog:\n    disabled: true\n\
             storage:\n  cache:\n    blobdescriptor: inmemory\n  \
             filesystem:\n    rootdirectory: {}\n  \
             maintenance:\n    uploadpurging:\n      enabled: false\n\
             http:\n  addr: {address}\n",
            folder.join("storage").display()
        );
        fs::write(&config, text).with_context(|| format!("cannot write `{}`", config.display()))?;
        let mut command = Command::new(NAME);
        command
            .env_clear()
            .arg("serve")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Server::start(&mut command, address, "/v2/")
    }
}
