//! Runs a program and reads what it and its children cost.
//!
//! A process that has ended keeps its books until somebody waits for it. So we
//! look at them first: processor time and bytes written of the process and of
//! every descendant it waited for. Memory is sampled in runs of its own, since
//! looking costs time.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;
use rustix::process::{Pid, WaitId, WaitIdOptions, waitid};

/// What a run cost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Spent {
    pub(crate) wall: Duration,
    /// User and system time of the process and its descendants. The kernel
    /// tells it in hundredths of a second.
    pub(crate) processor: Duration,
    /// Bytes it caused to be written to storage.
    pub(crate) written: u64,
}

/// The most memory seen in a run, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peak {
    /// Resident set of the largest process.
    pub(crate) process: u64,
    /// Sum of the resident sets of all processes at one moment: an upper bound,
    /// since shared pages count several times.
    pub(crate) tree: u64,
    /// The part of that sum which is no file's: what could not be taken back
    /// when memory runs short.
    pub(crate) anonymous: u64,
    /// The same with shared pages divided among their users, where we may look.
    pub(crate) proportional: u64,
}

impl Peak {
    /// Keeps the larger of each.
    pub(crate) fn raise(&mut self, other: &Self) {
        self.process = self.process.max(other.process);
        self.tree = self.tree.max(other.tree);
        self.anonymous = self.anonymous.max(other.anonymous);
        self.proportional = self.proportional.max(other.proportional);
    }

    /// How many times as much as another.
    #[expect(clippy::cast_precision_loss, reason = "two digits are printed")]
    pub(crate) fn against(&self, other: &Self) -> f64 {
        self.tree as f64 / other.tree.max(1) as f64
    }
}

/// Runs a command whose output nobody reads. Exit codes in `fine` are.
pub(crate) fn run(command: &mut Command, fine: &[i32]) -> anyhow::Result<Spent> {
    let begun = Instant::now();
    let mut child = start(command)?;
    let pid = Pid::from_child(&child);
    waitid(
        WaitId::Pid(pid),
        WaitIdOptions::EXITED | WaitIdOptions::NOWAIT,
    )?;
    let wall = begun.elapsed();
    let spent = Spent {
        wall,
        processor: processor_time(pid)?,
        written: written(pid),
    };
    end(&mut child, command, fine)?;
    Ok(spent)
}

/// Runs a command and looks at its memory every millisecond.
pub(crate) fn watch(command: &mut Command, fine: &[i32]) -> anyhow::Result<Peak> {
    let mut child = start(command)?;
    let pid = Pid::from_child(&child);
    let mut peak = Peak::default();
    let mut looked = 0_u32;
    let quietly = WaitIdOptions::EXITED | WaitIdOptions::NOWAIT | WaitIdOptions::NOHANG;
    while waitid(WaitId::Pid(pid), quietly)?.is_none() {
        let tree = family(pid.as_raw_nonzero().get());
        let mut resident = 0;
        let mut proportional = 0;
        let mut anonymous = 0;
        // A look at shared pages is slow; one in eight is enough.
        let at_shares = looked.is_multiple_of(8);
        for member in tree.iter().filter(|&&member| !is_us(member)) {
            let facts = table(&format!("/proc/{member}/status"));
            let bytes = |name: &str| facts.get(name).copied().unwrap_or(0) * 1024;
            peak.process = peak.process.max(bytes("VmHWM"));
            resident += bytes("VmRSS");
            anonymous += bytes("RssAnon");
            if at_shares {
                let facts = table(&format!("/proc/{member}/smaps_rollup"));
                proportional += facts.get("Pss").copied().unwrap_or(0) * 1024;
            }
        }
        peak.tree = peak.tree.max(resident);
        peak.anonymous = peak.anonymous.max(anonymous);
        peak.proportional = peak.proportional.max(proportional);
        looked += 1;
        std::thread::sleep(Duration::from_millis(1));
    }
    end(&mut child, command, fine)?;
    Ok(peak)
}

fn start(command: &mut Command) -> anyhow::Result<Child> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start {}", command.get_program().display()))
}

fn end(child: &mut Child, command: &Command, fine: &[i32]) -> anyhow::Result<()> {
    let status = child.wait()?;
    let words: Vec<String> = std::iter::once(command.get_program())
        .chain(command.get_args())
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    anyhow::ensure!(
        status.code().is_some_and(|code| fine.contains(&code)),
        "`{}` ended with {status}",
        words.join(" ")
    );
    Ok(())
}

/// Processor time of a process, and of everyone it waited for.
pub(crate) fn processor_time(pid: Pid) -> anyhow::Result<Duration> {
    let text = fs::read_to_string(format!("/proc/{}/stat", pid.as_raw_nonzero()))?;
    // The second field is the program's name in brackets, and may hold anything.
    let (_, fields) = text.rsplit_once(')').context("an odd process table")?;
    let ticks: u64 = fields
        .split_ascii_whitespace()
        .skip(11)
        .take(4)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    let rate = rustix::param::clock_ticks_per_second().max(1);
    Ok(Duration::from_micros(ticks * 1_000_000 / rate))
}

/// Resident memory of a process and its descendants now, and the part of it that
/// is no file's, in bytes.
pub(crate) fn resident(pid: Pid) -> (u64, u64) {
    let mut sum = (0, 0);
    for member in family(pid.as_raw_nonzero().get()) {
        let facts = table(&format!("/proc/{member}/status"));
        let bytes = |name: &str| facts.get(name).copied().unwrap_or(0) * 1024;
        sum = (sum.0 + bytes("VmRSS"), sum.1 + bytes("RssAnon"));
    }
    sum
}

fn written(pid: Pid) -> u64 {
    let facts = table(&format!("/proc/{}/io", pid.as_raw_nonzero()));
    facts.get("write_bytes").copied().unwrap_or(0)
}

/// Whether a child still shares our memory, in the moment before it becomes the
/// program it is meant to be.
fn is_us(process: i32) -> bool {
    let program = fs::read_link(format!("/proc/{process}/exe"));
    matches!((program, std::env::current_exe()), (Ok(theirs), Ok(ours)) if theirs == ours)
}

/// A process and its descendants.
fn family(root: i32) -> Vec<i32> {
    let mut family = vec![root];
    let mut next = 0;
    while let Some(&member) = family.get(next) {
        next += 1;
        let tasks = fs::read_dir(format!("/proc/{member}/task"));
        for task in tasks.into_iter().flatten().flatten() {
            let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
            family.extend(
                children
                    .split_ascii_whitespace()
                    .filter_map(|it| it.parse::<i32>().ok()),
            );
        }
    }
    family
}

/// A file of lines `name: number …`. Empty when it cannot be read: the process
/// may be gone.
fn table(path: &str) -> BTreeMap<String, u64> {
    let text = fs::read_to_string(path).unwrap_or_default();
    text.lines()
        .filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let value = value.split_ascii_whitespace().next()?.parse().ok()?;
            Some((name.to_owned(), value))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_work_of_grandchildren_counts() {
        let mut shell = Command::new("sh");
        shell.args([
            "-c",
            "sh -c 'i=0; while [ $i -lt 60000 ]; do i=$((i+1)); done'; exit 3",
        ]);
        let spent = run(&mut shell, &[3]).expect("there is a shell");
        assert!(spent.processor > Duration::ZERO, "{spent:?}");
        assert!(run(&mut shell, &[0]).is_err(), "3 is not 0");
    }
}
