//! `seaworthy db compare`.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use seaworthy_testkit::{require, shared};

use crate::product::User;

#[test]
fn each_pair_gets_one_line() {
    let user = User::new();
    let ended = user.fed(
        b"1.0~rc1\t1.0\n1.0\t0:1.0\r\n2\t1\nwhat?\t1\n1\t\xff\n1\t2\tand a remark\n1\t1",
        &["db", "compare", "deb"],
    );
    assert_eq!(ended.out, "-1\n0\n1\nE\nE\n-1\n0\n");
    assert_eq!((ended.code, ended.talk.as_str()), (0, ""));
}

#[test]
fn nothing_asked_is_nothing_answered() {
    let ended = User::new().fed(b"", &["db", "compare", "npm"]);
    assert_eq!((ended.code, ended.out.as_str()), (0, ""));
}

#[test]
fn a_line_without_a_tab_is_named_and_what_came_before_is_answered() {
    let user = User::new();
    for (lines, what) in [
        (b"1\t2\n1 2\n1\t2\n".to_vec(), "line 2 has no tab"),
        (b"1\t2\n\n".to_vec(), "line 2 has no tab"),
        (
            [b"1\t2\n1\t".to_vec(), vec![b'2'; 100_000]].concat(),
            "line 2 is longer than 65536 bytes",
        ),
    ] {
        let ended = user.fed(&lines, &["db", "compare", "gem"]);
        assert_eq!((ended.code, ended.out.as_str()), (2, "-1\n"), "{what}");
        assert!(ended.talk.contains(what), "{}", ended.talk);
        assert!(ended.talk.contains("hint: "), "{}", ended.talk);
    }
}

#[test]
fn an_unknown_scheme_is_told_the_known_ones() {
    let ended = User::new().run(&["db", "compare", "what"]);
    assert_eq!(ended.code, 2);
    for name in ["deb", "composer", "pacman", "nuget"] {
        assert!(ended.talk.contains(name), "{}", ended.talk);
    }
}

#[test]
fn an_answer_does_not_wait_for_the_next_question() {
    let user = User::new();
    let mut child = user
        .command()
        .args(["db", "compare", "rpm"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    let mut answers = BufReader::new(child.stdout.take().unwrap());
    for (question, expected) in [("1-1\t1-2\n", "-1\n"), ("1-1\t1\n", "0\n")] {
        questions.write_all(question.as_bytes()).unwrap();
        let mut answer = String::new();
        answers.read_line(&mut answer).unwrap();
        assert_eq!(answer, expected);
    }
    drop(questions);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let user = User::new();
    let mut child = user
        .command()
        .args(["db", "compare", "npm"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut questions = child.stdin.take().unwrap();
    drop(child.stdout.take());
    // The product stops reading as soon as nobody listens.
    let _ = questions.write_all(&b"1.0.0\t2.0.0\n".repeat(100_000));
    drop(questions);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success());
    assert_eq!(String::from_utf8_lossy(&ended.stderr), "");
}

#[test]
fn recorded_tables_can_be_fed_as_they_are() {
    let Some(shared) = shared() else { return };
    if !require("gzip") {
        return;
    }
    let user = User::new();
    for scheme in ["apk", "composer", "deb", "gem", "mvn", "npm", "pypi", "rpm"] {
        let path = shared.join(format!("fixtures/versions/oracle/{scheme}.tsv.gz"));
        let mut gzip = Command::new("gzip");
        let table = gzip.args(["-dc"]).arg(path).output().unwrap().stdout;
        let ended = user.fed(&table, &["db", "compare", scheme]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        let table = String::from_utf8(table).unwrap();
        let recorded = table.lines().filter_map(|line| line.split('\t').nth(2));
        assert!(ended.out.lines().eq(recorded), "{scheme}");
    }
}
