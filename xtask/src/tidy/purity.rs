//! The middle of the house takes values and returns values.
//!
//! The rooms named here are synchronous and never touch network, environment,
//! clock, other processes or the terminal; the lowest of them do no input and
//! output at all. Their tests may.

use crate::layers;
use crate::outline::{Path, Role};
use crate::problem::Problem;
use crate::sources::{Project, Source};

/// Rooms without network, environment, clock, processes and terminal.
const PURE: [&str; 7] = [
    "core",
    "image",
    "inventory",
    "match",
    "report",
    "scan",
    "version",
];
/// Rooms that do not even read a file.
const WORLDLESS: [&str; 3] = ["core", "match", "version"];

pub(super) fn check(project: &Project<'_>) -> Vec<Problem> {
    let mut problems = Vec::new();
    for source in project.sources.values() {
        let room = layers::room(source.owner);
        if source.owner == room || !PURE.contains(&room) {
            continue;
        }
        let mut refuse = |line, what: &str| {
            let message = format!("the room `{room}` {what}");
            problems.push(Problem::refuse(source.place(line), message));
        };
        for path in source.outline.paths.iter().filter(|path| !path.test) {
            if let Some(what) = touches_the_world(path) {
                refuse(path.line, what);
            }
            if WORLDLESS.contains(&room) && reads_and_writes(path) {
                refuse(path.line, "does no input and output");
            }
        }
        for line in waits(source) {
            refuse(line, "is synchronous");
        }
    }
    problems
}

fn touches_the_world(path: &Path<'_>) -> Option<&'static str> {
    let segments = path.segments.as_slice();
    match segments {
        ["std", "env", ..] => return Some("does not read the environment"),
        // An address is a value, a socket is not; and processes that share a cache
        // tell their drafts apart by their numbers.
        ["std", "net", "IpAddr" | "Ipv4Addr" | "Ipv6Addr", ..] | ["std", "process", "id"] => {
            return None;
        }
        ["std", "process", ..] => return Some("does not know about processes"),
        ["std", rest @ ..] if rest.contains(&"net") => return Some("does not use the network"),
        _ => {}
    }
    if path.role == Role::Macro
        && matches!(
            segments.last(),
            Some(&("print" | "println" | "eprint" | "eprintln" | "dbg"))
        )
    {
        return Some("does not print");
    }
    match segments {
        [.., "SystemTime" | "Instant", "now"] => Some("does not look at the clock"),
        [.., "io", "stdin" | "stdout" | "stderr"] => Some("does not know the terminal"),
        _ => None,
    }
}

/// `std::io`'s error types are plain values and welcome everywhere.
fn reads_and_writes(path: &Path<'_>) -> bool {
    match path.segments.as_slice() {
        ["std", "io", name, ..] => !matches!(*name, "Error" | "ErrorKind"),
        ["std", "fs", ..] | ["std", "io"] => true,
        _ => false,
    }
}

fn waits(source: &Source<'_>) -> Vec<usize> {
    source
        .marked()
        .filter(|(_, token, test)| !test && (token.is_word("async") || token.is_word("await")))
        .map(|(_, token, _)| token.line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::tidy::verdict;

    #[track_caller]
    fn says(room: &str, text: &str, expected: &[&str]) {
        let said = verdict(check, room, &[("src/lib.rs", text)]);
        let expected: Vec<String> = expected
            .iter()
            .map(|what| {
                format!(
                    "refused: src/lib.rs:1: the room `{}` {what}",
                    crate::layers::room(room)
                )
            })
            .collect();
        assert_eq!(said, expected, "{text}");
    }

    #[test]
    fn a_pure_room_does_not_touch_the_world() {
        for (text, what) in [
            ("use std::{env, fmt};", "does not read the environment"),
            (
                "fn f() { std::env::var(\"X\"); }",
                "does not read the environment",
            ),
            ("use std::net::TcpStream;", "does not use the network"),
            (
                "use std::os::unix::net::UnixStream;",
                "does not use the network",
            ),
            (
                "use ::std::process::Command;",
                "does not know about processes",
            ),
            (
                "fn f() { SystemTime::now(); }",
                "does not look at the clock",
            ),
            (
                "fn f() { std::time::Instant::now(); }",
                "does not look at the clock",
            ),
            ("fn f() { println!(\"x\"); }", "does not print"),
            ("fn f() { std::eprint!(\"x\"); }", "does not print"),
            ("fn f() { io::stdout(); }", "does not know the terminal"),
            ("async fn f() {}", "is synchronous"),
        ] {
            for room in super::PURE {
                says(&format!("seaworthy-{room}"), text, &[what]);
            }
            says("seaworthy-remote", text, &[]);
            says("seaworthy", text, &[]);
        }
    }

    #[test]
    fn an_address_and_our_own_number_are_values() {
        says("seaworthy-scan", "fn f() { std::process::id(); }", &[]);
        says(
            "seaworthy-core",
            "use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};",
            &[],
        );
    }

    #[test]
    fn the_lowest_rooms_read_no_file() {
        for text in [
            "use std::fs;",
            "use std::io::Read;",
            "use std::io;",
            "fn f() { std::fs::read(x); }",
        ] {
            says("seaworthy-core", text, &["does no input and output"]);
            says("seaworthy-image", text, &[]);
        }
        says("seaworthy-core", "use std::io::{Error, ErrorKind};", &[]);
    }

    #[test]
    fn words_in_tests_comments_and_strings_are_free() {
        says(
            "seaworthy-core",
            "// std::env\nconst X: &str = \"std::env println!\"; const Y: &str = env!(\"Z\");\n\
             #[cfg(test)] mod tests { use std::env; fn f() { println!(); } }",
            &[],
        );
    }
}
