//! Orders that another project wrote down by hand, with reasons: short, and about
//! the corners. For NuGet, Pub, R and Haskell nothing else is at hand.

use std::cmp::Ordering;
use std::fs;

use seaworthy_version::Scheme;

/// Asserts that at least `enough` lines of the table hold. A line with a text that
/// the scheme's own tool refuses says nothing: the project reads more than the tools
/// do.
fn check(scheme: Scheme, table: &str, enough: usize) {
    let Some(shared) = seaworthy_testkit::shared() else {
        return;
    };
    let path = shared.join("fixtures/versions/scalibr").join(table);
    let mut held = 0;
    for line in fs::read_to_string(path).unwrap().lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let &[a, relation, b] = words.as_slice() else {
            continue;
        };
        let expected = match relation {
            "<" => Ordering::Less,
            "=" => Ordering::Equal,
            ">" => Ordering::Greater,
            _ => continue,
        };
        if let Some(ours) = scheme.compare(a, b) {
            assert_eq!(ours, expected, "{scheme}: {line}");
            held += 1;
        }
    }
    assert!(held >= enough, "only {held} lines of {table} are versions");
}

#[test]
fn what_is_told_of_nuget_holds() {
    check(Scheme::NuGet, "nuget-versions.txt", 30);
}

#[test]
fn what_is_told_of_pub_holds() {
    check(Scheme::Pub, "pub-versions.txt", 60);
}

#[test]
fn what_is_told_of_r_holds() {
    check(Scheme::Cran, "cran-versions.txt", 20);
}

#[test]
fn what_is_told_of_haskell_holds() {
    check(Scheme::Hackage, "hackage-versions.txt", 10);
}

#[test]
fn what_is_told_of_gems_holds() {
    check(Scheme::Gem, "rubygems-versions.txt", 20);
}
