//! The parent's side: feed a child, bound its answer, end it when it stalls.

use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pipe::fcntl_setpipe_size;
use seaworthy_inventory::LayerRecords;
use seaworthy_scan::{LayerReader, ReadLayerError};

use super::child::ROLE;
use super::wire::{LONGEST_ANSWER, LONGEST_REASON, RECORDS, REFUSED};

/// Reads each layer in a confined child of this binary.
#[derive(Clone, Debug)]
pub(crate) struct ConfinedReader {
    program: PathBuf,
}

/// How long a child may neither take a byte nor give one. It never waits for
/// anything but its own processor, of which it has a bounded share; what is in
/// the pipe may inflate to a gigabyte, which takes a slow machine a while.
const PATIENCE: Duration = Duration::from_mins(10);

/// Bytes moved at once, and the capacity asked of the pipes: large enough that
/// parent and child seldom wait for each other.
const CHUNK: usize = 256 * 1024;

impl ConfinedReader {
    /// Children run the program this process runs.
    pub(crate) fn of_this_program() -> io::Result<Self> {
        Ok(Self {
            program: std::env::current_exe()?,
        })
    }

    fn start(&self) -> io::Result<Child> {
        let child = Command::new(&self.program)
            .arg(ROLE)
            .env_clear()
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        // A smaller pipe works as well, only slower.
        if let Some(input) = &child.stdin {
            let _ = fcntl_setpipe_size(input, 4 * CHUNK);
        }
        Ok(child)
    }
}

impl LayerReader for ConfinedReader {
    fn read_layer(&self, layer: &mut dyn Read) -> Result<LayerRecords, ReadLayerError> {
        let mut child = Kept(self.start().map_err(ReadLayerError::Start)?);
        let fed = child.feed(layer);
        let answer = match &fed {
            Err(Trouble::Source(_)) => Err(Trouble::Stalled),
            Ok(()) | Err(Trouble::Closed | Trouble::Stalled) => child.answer(),
        };
        let ended = child.end(answer.is_err());
        match (fed, answer) {
            // The reason lies on our side of the pipe; the caller knows it.
            (Err(Trouble::Source(error)), _) => Err(ReadLayerError::Layer {
                reason: error.to_string(),
            }),
            (_, Ok(answer)) if !answer.is_empty() => open(&answer),
            (Err(Trouble::Stalled), _) | (_, Err(Trouble::Stalled)) => {
                Err(ReadLayerError::Reader {
                    reason: format!("it stood still for {} seconds", PATIENCE.as_secs()),
                })
            }
            _ => Err(ReadLayerError::Reader {
                reason: how(&ended),
            }),
        }
    }
}

/// The answer of a child, which may be anything.
fn open(answer: &[u8]) -> Result<LayerRecords, ReadLayerError> {
    match answer.split_first() {
        Some((&RECORDS, records)) => {
            LayerRecords::decode(records).map_err(|error| ReadLayerError::Reader {
                reason: format!("its answer is broken: {error}"),
            })
        }
        Some((&REFUSED, reason)) => Err(ReadLayerError::Layer {
            reason: String::from_utf8_lossy(reason)
                .chars()
                .filter(|it| !it.is_control())
                .take(LONGEST_REASON)
                .collect(),
        }),
        _ => Err(ReadLayerError::Reader {
            reason: "its answer is not one".to_owned(),
        }),
    }
}

/// How a child that gave no answer ended, in words.
fn how(ended: &io::Result<ExitStatus>) -> String {
    use std::os::unix::process::ExitStatusExt;
    match ended
        .as_ref()
        .map(|status| (status.signal(), status.code()))
    {
        Ok((Some(libc::SIGXCPU), _)) => "it used too much processor time".to_owned(),
        Ok((Some(libc::SIGKILL), _)) => {
            "it was killed for using too much memory or processor time".to_owned()
        }
        Ok((Some(libc::SIGABRT), _)) => "it used too much memory".to_owned(),
        Ok((Some(libc::SIGSYS), _)) => "it asked the kernel for something forbidden".to_owned(),
        Ok((Some(signal), _)) => format!("it was ended by signal {signal}"),
        Ok((None, Some(code))) => format!("it ended with code {code}"),
        Ok((None, None)) => "it ended".to_owned(),
        Err(error) => error.to_string(),
    }
}

enum Trouble {
    /// Reading the layer failed on our side.
    Source(io::Error),
    /// The child closed its end.
    Closed,
    /// The child neither takes nor gives.
    Stalled,
}

/// A child that does not outlive its parent's interest.
struct Kept(Child);

impl Kept {
    fn feed(&mut self, layer: &mut dyn Read) -> Result<(), Trouble> {
        let Some(mut input) = self.0.stdin.take() else {
            return Err(Trouble::Closed);
        };
        rustix::io::ioctl_fionbio(&input, true).map_err(|_| Trouble::Closed)?;
        let mut buffer = vec![0; CHUNK];
        loop {
            let count = match layer.read(&mut buffer) {
                Ok(0) => return Ok(()),
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(Trouble::Source(error)),
            };
            let mut rest = buffer.get(..count).unwrap_or_default();
            while !rest.is_empty() {
                match input.write(rest) {
                    Ok(taken) => rest = rest.get(taken..).unwrap_or_default(),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                        wait(&input, PollFlags::OUT)?;
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(_) => return Err(Trouble::Closed),
                }
            }
        }
    }

    fn answer(&mut self) -> Result<Vec<u8>, Trouble> {
        let Some(mut output) = self.0.stdout.take() else {
            return Err(Trouble::Closed);
        };
        let mut answer = Vec::new();
        let mut buffer = vec![0; CHUNK];
        loop {
            wait(&output, PollFlags::IN)?;
            match output.read(&mut buffer) {
                Ok(0) => return Ok(answer),
                Ok(count) => answer.extend_from_slice(buffer.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => return Err(Trouble::Closed),
            }
            if answer.len() as u64 > LONGEST_ANSWER {
                return Err(Trouble::Closed);
            }
        }
    }

    /// Waits for its end, after ending it when it has nothing more to say.
    fn end(&mut self, forcibly: bool) -> io::Result<ExitStatus> {
        if forcibly {
            let _ = self.0.kill();
        }
        self.0.wait()
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn wait(stream: &impl AsFd, wanted: PollFlags) -> Result<(), Trouble> {
    let mut waiting = [PollFd::new(stream, wanted)];
    let patience = Timespec {
        tv_sec: PATIENCE.as_secs().cast_signed(),
        tv_nsec: 0,
    };
    loop {
        match poll(&mut waiting, Some(&patience)) {
            Ok(0) => return Err(Trouble::Stalled),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(_) => return Err(Trouble::Closed),
        }
    }
}
