//! One file, offered to the probe that its name belongs to.
#![no_main]

use libfuzzer_sys::fuzz_target;
use seaworthy_image::{FileFacts, Sink};
use seaworthy_inventory::Recorder;

/// A path for each kind of file that some probe wants.
const PATHS: [&str; 16] = [
    "var/lib/dpkg/status",
    "var/lib/dpkg/status.d/base",
    "lib/apk/db/installed",
    "var/lib/rpm/Packages",
    "var/lib/rpm/Packages.db",
    "var/lib/rpm/rpmdb.sqlite",
    "etc/os-release",
    "etc/lsb-release",
    "etc/redhat-release",
    "usr/lib/python3/dist-packages/a-1.dist-info/METADATA",
    "usr/lib/python3/dist-packages/a.egg-info",
    "usr/lib/python3/dist-packages/a.egg",
    "app/node_modules/a/package.json",
    "app/a.jar",
    "app/a.war",
    "usr/bin/program",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((choice, content)) = bytes.split_first() else { return };
    let path = PATHS[usize::from(*choice) % PATHS.len()];
    let facts = FileFacts { path, mode: 0o755, size: content.len() as u64 };
    let mut recorder = Recorder::new();
    if recorder.wants(&facts) {
        recorder.file(&facts, &mut &*content).expect("memory can always be read");
    }
});
