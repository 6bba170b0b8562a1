//! A disk that loses power on command.
//!
//! It is a file system in a file, mounted through a loop device. Linux can shut
//! such a file system down as a loss of power would: what was not synced is gone,
//! and so is what the journal had not written yet. That is harsher than any
//! `kill -9`, which takes nothing that a program has handed to the kernel.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use tempfile::TempDir;

use crate::need::{require, require_root, skip};
use crate::process::wait_until;

/// Shuts the file system at the given path down without writing its journal, after
/// it told the time in microseconds: `FS_IOC_SHUTDOWN` with `NOLOGFLUSH`.
const SHUTDOWN: &str = "import fcntl, os, struct, sys, time
disk = os.open(sys.argv[1], os.O_RDONLY)
print(time.time_ns() // 1000, flush=True)
fcntl.ioctl(disk, 0x8004587d, struct.pack('I', 2))";

/// Large enough for every file system here; the file behind it is sparse.
const SIZE: u64 = 512 << 20;

/// Which file system a [`Disk`] has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileSystem {
    /// Most servers have it.
    Ext4,
    /// Most of the others have it.
    Xfs,
}

/// A mounted disk. Dropping it unmounts and removes it.
#[derive(Debug)]
pub struct Disk {
    file: PathBuf,
    folder: PathBuf,
    _root: TempDir,
}

impl Disk {
    /// Makes and mounts an empty disk.
    ///
    /// Where that is not possible, this prints a `SKIPPED` line and answers `None`.
    ///
    /// # Panics
    ///
    /// With `SEAWORTHY_REQUIRE=1` a missing program or another user than root is a
    /// failure. A machine that allows no loop devices is not.
    #[track_caller]
    pub fn mount(file_system: FileSystem) -> Option<Self> {
        let made = match file_system {
            FileSystem::Ext4 => require("mkfs.ext4"),
            FileSystem::Xfs => require("mkfs.xfs"),
        };
        if !(made && require("mount") && require("python3") && require_root()) {
            return None;
        }
        let root = tempfile::tempdir().expect("a temporary folder");
        let disk = Self {
            file: root.path().join("disk"),
            folder: root.path().join("mounted"),
            _root: root,
        };
        fs::create_dir_all(&disk.folder).expect("a temporary folder");
        fs::File::create(&disk.file)
            .and_then(|file| file.set_len(SIZE))
            .expect("a sparse file");
        let mut make = match file_system {
            FileSystem::Ext4 => program("mkfs.ext4"),
            FileSystem::Xfs => program("mkfs.xfs"),
        };
        run(make.arg("-q").arg(&disk.file)).expect("a file system in a file");
        // A container may be root and may still not mount: that is nothing that could
        // be installed.
        if disk.attach().is_err() {
            skip("this machine allows no loop mounts");
            return None;
        }
        Some(disk)
    }

    /// Where it is mounted.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Takes its power: from now on everything fails, and what was not on it by now
    /// will never be.
    ///
    /// The answer is the time just before. Only what was answered for earlier has to
    /// be there afterwards: unlike a machine without power, a program goes on for a
    /// moment, and a sync that it waits for may end well although its transaction
    /// was thrown away.
    ///
    /// # Panics
    ///
    /// When the kernel does not know how.
    pub fn lose_power(&self) -> SystemTime {
        let told = run(program("python3").args(["-c", SHUTDOWN]).arg(&self.folder))
            .expect("the file system is shut down");
        let before = told.trim().parse().expect("microseconds");
        SystemTime::UNIX_EPOCH + Duration::from_micros(before)
    }

    /// Gives the power back: the disk is mounted again, as after a reboot. Whoever
    /// used it has ended.
    ///
    /// # Panics
    ///
    /// When somebody still uses it, or it cannot be mounted any more.
    pub fn restore_power(&self) {
        wait_until("nobody uses the disk", || self.detach().is_ok());
        self.attach().expect("the file system repairs itself");
    }

    fn attach(&self) -> io::Result<()> {
        run(program("mount")
            .args(["-o", "loop"])
            .arg(&self.file)
            .arg(&self.folder))
        .map(drop)
    }

    fn detach(&self) -> io::Result<()> {
        run(program("umount").arg(&self.folder)).map(drop)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        if self.detach().is_err() {
            // Somebody of a test that failed still uses it, but not for long.
            let _ = run(program("umount").arg("-l").arg(&self.folder));
        }
    }
}

/// A program that may be where only root looks.
fn program(name: &str) -> Command {
    let places = ["/usr/sbin", "/sbin"].map(|folder| Path::new(folder).join(name));
    let found = places.iter().find(|place| place.is_file());
    let mut command = Command::new(found.map_or(Path::new(name), |place| place));
    command.stdin(Stdio::null());
    command
}

/// What a program says, unless it fails.
fn run(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let words = String::from_utf8_lossy(&output.stderr);
    let name = command.get_program().display();
    Err(io::Error::other(format!("{name}: {words}")))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn what_is_synced_survives(file_system: FileSystem) {
        let Some(disk) = Disk::mount(file_system) else {
            return;
        };
        let write = |name: &str| {
            let mut file = fs::File::create(disk.folder().join(name)).expect("there is room");
            file.write_all(b"bytes").expect("there is room");
            file
        };
        write("synced").sync_all().expect("it syncs");
        let sync = fs::File::open(disk.folder()).and_then(|folder| folder.sync_all());
        sync.expect("it syncs");
        drop(write("careless"));
        disk.lose_power();
        assert!(fs::File::create(disk.folder().join("late")).is_err());
        disk.restore_power();
        let read = |name: &str| fs::read_to_string(disk.folder().join(name));
        assert_eq!(read("synced").expect("it was synced"), "bytes");
        assert!(read("careless").is_ok_and(|text| text.is_empty()) || read("careless").is_err());
    }

    #[test]
    fn what_is_synced_survives_on_ext4() {
        what_is_synced_survives(FileSystem::Ext4);
    }

    #[test]
    fn what_is_synced_survives_on_xfs() {
        what_is_synced_survives(FileSystem::Xfs);
    }
}
