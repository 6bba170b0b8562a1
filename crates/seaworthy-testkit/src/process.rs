//! Real servers, started for one test and stopped with it.

use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

/// How often [`wait_until`] looks.
const ATTEMPTS: u32 = 600;

/// How long [`wait_until`] rests between two looks.
const REST: Duration = Duration::from_millis(50);

/// A server of a test. Dropping it stops it: politely first, so that it stops
/// what it started itself.
#[derive(Debug)]
pub struct Server(Child);

impl Server {
    /// Starts `command`. What it writes goes nowhere unless `command` says
    /// otherwise before.
    ///
    /// # Panics
    ///
    /// When the program cannot be started.
    pub fn start(command: &mut Command) -> Self {
        let child = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        match child {
            Ok(child) => Self(child),
            Err(error) => panic!("cannot start {}: {error}", command.get_program().display()),
        }
    }

    /// Whether it still runs. A server that ended will never be ready.
    pub fn is_running(&mut self) -> bool {
        matches!(self.0.try_wait(), Ok(None))
    }

    /// Waits until `is_ready`.
    ///
    /// # Panics
    ///
    /// When the server ends first, or is not ready after half a minute.
    #[track_caller]
    #[must_use]
    pub fn ready_when(mut self, mut is_ready: impl FnMut() -> bool) -> Self {
        wait_until("the server is ready", || {
            assert!(self.is_running(), "the server ended before it was ready");
            is_ready()
        });
        self
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let asked = Command::new("sh")
            .args(["-c", "kill -TERM \"$0\"", &self.0.id().to_string()])
            .status();
        if asked.is_ok_and(|status| status.success()) {
            for _ in 0..100 {
                if !self.is_running() {
                    return;
                }
                thread::sleep(REST);
            }
        }
        // It may have ended in between, and then there is nothing left to do.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A TCP port of the loopback address that nobody uses at the moment.
///
/// # Panics
///
/// When the machine has none left.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("a bound socket").port()
}

/// Looks again and again whether `state` holds.
///
/// # Panics
///
/// When it does not hold after half a minute. `what` names it.
#[track_caller]
pub fn wait_until(what: &str, mut state: impl FnMut() -> bool) {
    for _ in 0..ATTEMPTS {
        if state() {
            return;
        }
        thread::sleep(REST);
    }
    panic!("waited in vain until {what}");
}
