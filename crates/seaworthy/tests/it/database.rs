//! `seaworthy db`.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, UNIX_EPOCH};

use seaworthy_testkit::{Server, free_port, require, shared};

use crate::product::{User, write_mirror};

const RECORD: &str = r#"{"id":"GHSA-x","modified":"2026-01-01T00:00:00Z","affected":[{"package":
    {"ecosystem":"npm","name":"ws"},"ranges":[{"type":"SEMVER","events":[{"introduced":"0"}]}]}]}"#;

#[test]
fn without_an_edition_the_starter_edition_is_told_and_how_to_get_more() {
    let user = User::new();
    let ended = user.run(&["db", "status"]);
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("(starter)"), "{}", ended.out);
    assert!(
        ended.talk.contains("hint: `seaworthy db update"),
        "{}",
        ended.talk
    );
}

#[test]
fn an_edition_is_the_same_bytes_from_the_same_records() {
    let user = User::new();
    write_mirror(&user.path("mirror"), &[("npm", RECORD)]);
    for output in ["one.edition", "two.edition"] {
        let ended = user.run(&["db", "build", "--from", "mirror", "--output", output]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
    }
    assert_eq!(
        fs::read(user.path("one.edition")).unwrap(),
        fs::read(user.path("two.edition")).unwrap()
    );
    let ended = user.run(&["db", "status", "--verify", "--edition", "one.edition"]);
    assert!(ended.out.contains("verified"), "{}", ended.out);
}

#[test]
fn a_mirror_that_cannot_be_used_leaves_the_old_edition_in_place() {
    let user = User::new();
    user.learn(&[("npm", RECORD)]);
    let before = user.run(&["db", "status"]).out;
    fs::write(user.path("mirror/osv/npm/all.zip"), "not a zip").unwrap();
    for from in ["mirror", "nowhere", "https://127.0.0.1:9/none"] {
        let ended = user.run(&["db", "build", "--from", from]);
        assert_eq!(ended.code, 2, "{from}");
        assert!(
            ended.talk.contains("error: ") && ended.talk.contains("hint: "),
            "{}",
            ended.talk
        );
    }
    assert_eq!(user.run(&["db", "status"]).out, before);
}

#[test]
fn a_damaged_edition_is_refused_and_never_read_as_empty() {
    let user = User::new();
    user.learn(&[("npm", RECORD)]);
    let folder = user.path("data/editions");
    let edition = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.extension().is_some_and(|it| it == "edition"))
        .unwrap();
    fs::write(&edition, "gone").unwrap();
    fs::create_dir(user.path("root")).unwrap();
    let ended = user.run(&["scan", "dir:root"]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.talk.contains("cannot use the edition"),
        "{}",
        ended.talk
    );
}

#[test]
fn a_scan_as_of_a_day_answers_with_the_edition_of_that_day() {
    let user = User::new();
    let install = |count| {
        write_records(&user.path("mirror"), count);
        let mut command = user.command();
        command.args(["db", "build", "--from", "mirror"]);
        let ended = command
            .env("SEAWORTHY_KEEP_DAYS", "10000")
            .output()
            .unwrap();
        assert!(ended.status.success());
    };
    let history = user.path("data/editions/history");
    // As if they had come years ago.
    for (count, day) in [(1, "2022-03-01"), (2, "2023-03-01"), (3, "2024-03-01")] {
        install(count);
        let text = fs::read_to_string(&history).unwrap();
        let (earlier, last) = text.trim_end().rsplit_once('\n').unwrap_or(("", &text));
        let (_, digest) = last.trim_end().split_once(' ').unwrap();
        let earlier = if earlier.is_empty() {
            String::new()
        } else {
            format!("{earlier}\n")
        };
        fs::write(&history, format!("{earlier}{day} {digest}\n")).unwrap();
    }
    let package = user.path("root/node_modules/ws/package.json");
    fs::create_dir_all(package.parent().unwrap()).unwrap();
    fs::write(package, r#"{"name": "ws", "version": "9.9.9"}"#).unwrap();
    let scan = |more: &[&str]| {
        let arguments = [&["scan", "dir:root", "--format", "json"], more].concat();
        let ended = user.run(&arguments);
        (
            ended.out.matches("\"vulnerability\": \"CVE-2026-").count(),
            ended.talk,
        )
    };
    assert_eq!(scan(&[]).0, 3);
    for (day, findings) in [
        ("2022-03-01", 1),
        ("2023-02-28", 1),
        ("2023-03-01", 2),
        ("2025-01-01", 3),
    ] {
        let (found, talk) = scan(&["--as-of", day]);
        assert_eq!(found, findings, "{day}: {talk}");
        assert!(
            talk.contains(&format!("as of {day}: edition sha256:")),
            "{talk}"
        );
    }
    let (_, talk) = scan(&["--as-of", "2022-02-28"]);
    assert!(
        talk.contains("what is remembered begins on 2022-03-01"),
        "{talk}"
    );
    assert!(talk.contains("hint: "), "{talk}");
}

#[test]
fn the_shared_feeds_compile_into_one_edition() {
    let Some(shared) = shared() else { return };
    let user = User::new();
    let from = shared.join("feeds");
    let ended = user.run(&["db", "build", "--from", from.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{}", ended.talk);
    for ecosystem in [
        "\nnpm ",
        "\nPyPI ",
        "\nMaven ",
        "\nGo ",
        "\nAlpine:v3.20 ",
        "\nDebian:11 ",
    ] {
        assert!(ended.out.contains(ecosystem), "{}", ended.out);
    }
}

/// Serves `folder` with a real web server, which answers conditional requests by
/// the dates of files.
fn serve(folder: &Path) -> (Server, String) {
    let port = free_port();
    let mut command = Command::new("python3");
    command
        .args(["-m", "http.server", "--bind", "127.0.0.1"])
        .arg(port.to_string())
        .arg("--directory")
        .arg(folder);
    let server =
        Server::start(&mut command).ready_when(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    (server, format!("http://127.0.0.1:{port}"))
}

/// A record of `npm` that says something of `ws`.
fn record(number: usize) -> String {
    format!(
        r#"{{"id":"CVE-2026-{number}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":
        {{"ecosystem":"npm","name":"ws"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"{number}.0.0"}}]}}]}}]}}"#
    )
}

fn write_records(mirror: &Path, count: usize) {
    let records: Vec<String> = (1..=count).map(record).collect();
    let records: Vec<(&str, &str)> = records.iter().map(|it| ("npm", it.as_str())).collect();
    write_mirror(mirror, &records);
    // A web server tells states apart by whole seconds.
    let second = u64::try_from(count).unwrap();
    date(&mirror.join("osv/npm/all.zip"), second);
}

fn date(file: &Path, second: u64) {
    let day = UNIX_EPOCH + Duration::from_secs(1_700_000_000 + second);
    let file = fs::File::options().write(true).open(file).unwrap();
    file.set_modified(day).unwrap();
}

#[test]
fn an_update_fetches_what_changed_and_says_when_nothing_did() {
    if !require("python3") {
        return;
    }
    let user = User::new();
    write_records(&user.path("mirror"), 3);
    let (_server, address) = serve(&user.path("mirror"));
    let update = || {
        let ended = user.run(&["db", "update", "--from", &address]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        (ended.talk, ended.out)
    };
    let (talk, out) = update();
    assert!(talk.contains("note: installed in"), "{talk}");
    assert!(out.contains("advisories       3\n"), "{out}");
    let (talk, out) = update();
    assert!(talk.contains("note: unchanged"), "{talk}");
    assert_eq!(out, "");
    write_records(&user.path("mirror"), 4);
    assert!(update().1.contains("advisories       4\n"));

    // A feed that breaks keeps what it had, and that is told.
    fs::write(user.path("mirror/osv/npm/all.zip"), "no export").unwrap();
    date(&user.path("mirror/osv/npm/all.zip"), 9);
    let (talk, out) = update();
    assert!(talk.contains("`osv/npm` is an older copy: "), "{talk}");
    assert!(out.contains("advisories       4\n"), "{out}");
    let status = user.run(&["db", "status"]).out;
    assert!(
        status.contains("osv/npm: cannot use the export of `npm`"),
        "{status}"
    );
}

#[test]
fn an_update_that_is_killed_anywhere_leaves_a_whole_edition_in_use() {
    if !require("python3") || !require("strace") {
        return;
    }
    let user = User::new();
    let mirror = user.path("mirror");
    write_records(&mirror, 3);
    let (_server, address) = serve(&mirror);
    let traced = |inject: Option<&str>| {
        let mut command = user.command();
        let program = command.get_program().to_owned();
        let environment: Vec<_> = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
            .collect();
        command = Command::new("strace");
        command
            .args(["-f", "-o", "calls", "-e"])
            .arg("trace=openat,write,fsync,rename,unlink,mkdir,flock")
            .env_clear()
            .envs(environment)
            .current_dir(user.folder.path());
        if let Some(inject) = inject {
            command.args(["-e", inject]);
        }
        command
            .arg(program)
            .args(["db", "update", "--from", &address])
            .stdin(Stdio::null())
            .output()
            .unwrap()
    };
    let whole = |expected: &[&str]| {
        let ended = user.run(&["db", "status", "--verify"]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        let advisories = ended.out.lines().find(|it| it.starts_with("advisories"));
        let count = advisories.and_then(|line| line.split_whitespace().last());
        assert!(expected.contains(&count.unwrap()), "{}", ended.out);
    };
    assert!(traced(None).status.success());
    whole(&["3"]);

    // How often each call is made when everything changed, and from which call
    // on the work begins.
    write_records(&mirror, 4);
    assert!(traced(None).status.success());
    let calls = fs::read_to_string(user.path("calls")).unwrap();
    let often = |name: &str| calls.matches(&format!(" {name}(")).count();
    let mut points: Vec<String> = Vec::new();
    for (name, times) in [("openat", 6), ("write", 6), ("fsync", 5), ("rename", 4)] {
        let all = often(name);
        assert!(all >= 3, "{name} was called {all} times");
        // The last ones do the most: those before start the program.
        for step in 0..times.min(all) {
            let at = all - step * (all / 2) / times.min(all);
            points.push(format!("{name}:signal=KILL:when={at}"));
        }
    }
    assert!(points.len() >= 20, "{points:?}");
    for (round, point) in points.iter().enumerate() {
        let (before, after) = (4 + round, 5 + round);
        write_records(&mirror, after);
        traced(Some(&format!("inject={point}")));
        whole(&[&before.to_string(), &after.to_string()]);
        let again = user.run(&["db", "update", "--from", &address]);
        assert_eq!(again.code, 0, "{point}: {}", again.talk);
        whole(&[&after.to_string()]);
    }
}

fn openssl(user: &User, arguments: &[&str]) {
    let done = Command::new("openssl")
        .args(arguments)
        .current_dir(user.folder.path())
        .stderr(Stdio::null())
        .status();
    assert!(done.unwrap().success(), "{arguments:?}");
}

/// Makes `NAME.key` and `NAME.pub`.
pub(crate) fn make_key(user: &User, name: &str) {
    let (private, public) = (format!("{name}.key"), format!("{name}.pub"));
    openssl(
        user,
        &["genpkey", "-algorithm", "ed25519", "-out", &private],
    );
    openssl(user, &["pkey", "-in", &private, "-pubout", "-out", &public]);
}

#[test]
fn an_edition_travels_in_one_file_to_those_who_trust_its_maker() {
    if !require("openssl") {
        return;
    }
    let maker = User::new();
    make_key(&maker, "one");
    make_key(&maker, "two");
    maker.learn(&[("npm", RECORD)]);
    let export = |arguments: &[&str]| {
        let ended = maker.run(&[&["db", "export"], arguments].concat());
        assert_eq!(ended.code, 0, "{}", ended.talk);
    };
    export(&["--key", "one.key", "--output", "first.parcel"]);
    export(&["--output", "unsigned.parcel"]);

    let site = User::new();
    let at = |name: &str| maker.path(name).to_str().unwrap().to_owned();
    let import = |arguments: &[&str]| site.run(&[&["db", "import"], arguments].concat());
    let refused = |arguments: &[&str], why: &str| {
        let ended = import(arguments);
        assert_eq!(ended.code, 2, "{}", ended.out);
        assert!(ended.talk.contains(why), "{}", ended.talk);
        assert!(ended.talk.contains("hint: "), "{}", ended.talk);
    };
    // Nobody is trusted yet.
    refused(&[&at("first.parcel")], "none of them is trusted");
    assert!(site.run(&["db", "status"]).out.contains("(starter)"));
    assert_eq!(site.run(&["db", "trust", &at("one.pub")]).code, 0);
    let taken = import(&[&at("first.parcel")]);
    assert_eq!(taken.code, 0, "{}", taken.talk);
    assert!(taken.out.contains("advisories       1\n"), "{}", taken.out);
    let verified = site.run(&["db", "verify"]).out;
    assert!(verified.contains("by a trusted key"), "{verified}");

    // Once somebody is trusted, a signature is needed.
    refused(&[&at("unsigned.parcel")], "the seal has no signature");
    refused(
        &[&at("unsigned.parcel"), "--unsigned"],
        "a signature is needed",
    );
    let mut cut = fs::read(maker.path("first.parcel")).unwrap();
    let last = cut.len() - 1;
    cut[last] ^= 1;
    fs::write(site.path("changed.parcel"), &cut).unwrap();
    refused(&["changed.parcel"], "not the one that the seal speaks of");
    fs::write(site.path("cut.parcel"), &cut[..last / 2]).unwrap();
    refused(&["cut.parcel"], "parcel");
    refused(&[&at("one.pub")], "not a parcel");

    // The maker hands over to another key.
    export(&[
        "--key",
        "one.key",
        "--hand-over",
        "two.pub",
        "--output",
        "second.parcel",
    ]);
    assert_eq!(import(&[&at("second.parcel")]).code, 0);
    refused(&[&at("first.parcel")], "none of them is trusted");
    export(&["--key", "two.key", "--output", "third.parcel"]);
    assert_eq!(import(&[&at("third.parcel")]).code, 0);
    let trusted = site.run(&["db", "trust"]).out;
    assert_eq!(trusted.lines().count(), 1, "{trusted}");
    let gone = site.run(&["db", "trust", "--remove", trusted.trim()]);
    assert_eq!(gone.out, "");
}

#[test]
fn an_older_edition_does_not_take_the_place_of_a_newer_one() {
    if !require("openssl") {
        return;
    }
    let maker = User::new();
    make_key(&maker, "one");
    maker.learn(&[("npm", RECORD)]);
    let export = |name: &str| maker.run(&["db", "export", "--key", "one.key", "--output", name]);
    assert_eq!(export("older.parcel").code, 0);
    // Serials are seconds: the next one is greater.
    let serial = |name: &str| {
        let parcel = fs::read(maker.path(name)).unwrap();
        let text = String::from_utf8_lossy(&parcel);
        let payload = text.split("\"payload\": \"").nth(1).unwrap();
        payload.split('"').next().unwrap().as_bytes().to_vec()
    };
    let first = serial("older.parcel");
    seaworthy_testkit::wait_until("the clock moves on", || {
        assert_eq!(export("newer.parcel").code, 0);
        serial("newer.parcel") != first
    });
    let site = User::new();
    let at = |name: &str| maker.path(name).to_str().unwrap().to_owned();
    assert_eq!(site.run(&["db", "trust", &at("one.pub")]).code, 0);
    assert_eq!(site.run(&["db", "import", &at("newer.parcel")]).code, 0);
    let ended = site.run(&["db", "import", &at("older.parcel")]);
    assert_eq!(ended.code, 2);
    assert!(
        ended.talk.contains("was installed before"),
        "{}",
        ended.talk
    );
    let forced = site.run(&["db", "import", &at("older.parcel"), "--allow-older"]);
    assert_eq!(forced.code, 0, "{}", forced.talk);
}

#[test]
fn what_changed_since_an_edition_travels_alone_to_those_who_have_it() {
    if !require("openssl") {
        return;
    }
    let maker = User::new();
    make_key(&maker, "one");
    let made = |count| {
        write_records(&maker.path("mirror"), count);
        let output = format!("{count}.edition");
        let ended = maker.run(&["db", "build", "--from", "mirror", "--output", &output]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        output
    };
    let editions = [made(2), made(3), made(4)];
    let export = |edition: &str, since: &[&str], output: &str| {
        let arguments = ["db", "export", "--key", "one.key", "--edition", edition];
        let ended = maker.run(&[&arguments[..], since, &["--output", output]].concat());
        assert_eq!(ended.code, 0, "{}", ended.talk);
        ended.talk
    };
    export(&editions[0], &[], "whole.parcel");
    let told = export(&editions[1], &["--since", &editions[0]], "first.parcel");
    assert!(told.contains("what changed since sha256:"), "{told}");
    export(&editions[2], &["--since", &editions[1]], "second.parcel");

    let site = User::new();
    let at = |name: &str| maker.path(name).to_str().unwrap().to_owned();
    let import = |name: &str| site.run(&["db", "import", &at(name)]);
    assert_eq!(site.run(&["db", "trust", &at("one.pub")]).code, 0);
    let refused = |name: &str| {
        let ended = import(name);
        assert_eq!(ended.code, 2, "{}", ended.out);
        assert!(ended.talk.contains("which is not here"), "{}", ended.talk);
        assert!(ended.talk.contains("hint: import the whole edition"));
    };
    refused("first.parcel");
    for (name, advisories) in [
        ("whole.parcel", 2),
        ("first.parcel", 3),
        ("second.parcel", 4),
    ] {
        if name == "first.parcel" {
            // One step after the other.
            refused("second.parcel");
        }
        let ended = import(name);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        let counted = format!("advisories       {advisories}\n");
        assert!(ended.out.contains(&counted), "{}", ended.out);
    }
    let installed = site.run(&["db", "verify"]).out;
    let built = maker.run(&["db", "verify", &editions[2]]).out;
    assert_eq!(installed.lines().next(), built.lines().next());
    let verified = site.run(&["db", "verify", &at("second.parcel")]).out;
    assert!(verified.contains("by a trusted key"), "{verified}");
}

#[test]
fn what_an_edition_knows_can_be_asked_and_compared() {
    let user = User::new();
    write_records(&user.path("mirror"), 2);
    for (count, output) in [(2, "old.edition"), (3, "new.edition")] {
        write_records(&user.path("mirror"), count);
        let ended = user.run(&["db", "build", "--from", "mirror", "--output", output]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
    }
    let ask = |what: &str| {
        let ended = user.run(&["db", "search", "--edition", "new.edition", what]);
        (ended.code, ended.out + &ended.talk)
    };
    let (code, by_name) = ask("ws");
    assert_eq!(code, 0);
    insta::assert_snapshot!(by_name, @r"
    CVE-2026-3  unrated
      npm  ws  >= 3.0.0  (osv/npm CVE-2026-3)

    CVE-2026-2  unrated
      npm  ws  >= 2.0.0  (osv/npm CVE-2026-2)

    CVE-2026-1  unrated
      npm  ws  >= 1.0.0  (osv/npm CVE-2026-1)
    ");
    assert_eq!(ask("pkg:npm/ws@1.0.0").1, by_name);
    insta::assert_snapshot!(ask("cve-2026-2").1, @r"
    CVE-2026-2  unrated
      npm  ws  >= 2.0.0  (osv/npm CVE-2026-2)
    ");
    let (code, told) = ask("CVE-1999-1");
    assert_eq!(code, 2);
    assert!(told.contains("knows nothing of `CVE-1999-1`"), "{told}");
    let json = user.run(&[
        "db",
        "search",
        "--edition",
        "new.edition",
        "--json",
        "nothing",
    ]);
    assert_eq!((json.code, json.out.as_str()), (0, "[]\n"));

    let diff = |arguments: &[&str]| user.run(&[&["db", "diff"], arguments].concat());
    insta::assert_snapshot!(diff(&["old.edition", "new.edition"]).out, @r"
    vulnerabilities: 1 added, 0 removed, 0 changed

    added
      CVE-2026-3            unrated     npm ws
    ");
    let json = diff(&["--json", "new.edition", "old.edition"]).out;
    let document: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(document["removed"][0]["id"], "CVE-2026-3");
}

#[test]
fn an_edition_comes_from_any_web_server_that_has_its_parcel() {
    if !require("python3") || !require("openssl") {
        return;
    }
    let maker = User::new();
    make_key(&maker, "one");
    let shown = maker.path("www");
    fs::create_dir(&shown).unwrap();
    let (_server, address) = serve(&shown);
    let export = |count: u64, more: &[&str], name: &str| {
        write_records(&maker.path("mirror"), usize::try_from(count).unwrap());
        let edition = format!("{count}.edition");
        let ended = maker.run(&["db", "build", "--from", "mirror", "--output", &edition]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        let output = format!("www/{name}");
        let arguments = ["db", "export", "--edition", &edition, "--output", &output];
        let ended = maker.run(&[&arguments[..], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.talk);
        date(&shown.join(name), count);
    };
    let key = ["--key", "one.key"];
    let since = |edition| [&key[..], &["--since", edition]].concat();
    export(2, &key, "today.parcel");

    let site = User::new();
    let update = |name: &str| {
        let ended = site.run(&["db", "update", "--from", &format!("{address}/{name}")]);
        (ended.code, ended.talk, ended.out)
    };
    let refused = |name: &str, why: &str| {
        let before = site.run(&["db", "status"]).out;
        let (code, talk, _) = update(name);
        assert_eq!(code, 2, "{talk}");
        assert!(talk.contains(why) && talk.contains("hint: "), "{talk}");
        assert_eq!(site.run(&["db", "status"]).out, before);
    };
    refused("today.parcel", "none of them is trusted");
    let public = maker.path("one.pub");
    assert_eq!(site.run(&["db", "trust", public.to_str().unwrap()]).code, 0);
    let (code, talk, out) = update("today.parcel");
    assert_eq!(code, 0, "{talk}");
    assert!(talk.contains("whole, from ") && out.contains("advisories       2\n"));
    assert!(update("today.parcel").1.contains("unchanged"));
    refused("missing.parcel", "status 404");

    export(3, &since("2.edition"), "today.parcel");
    let (code, talk, out) = update("today.parcel");
    assert_eq!(code, 0, "{talk}");
    assert!(talk.contains("by a delta of ") && out.contains("advisories       3\n"));

    export(4, &[], "today.parcel");
    refused("today.parcel", "the seal has no signature");
    // What is damaged on the way is fetched again, and not asked for as unchanged.
    export(4, &key, "today.parcel");
    let parcel = fs::read(shown.join("today.parcel")).unwrap();
    let half = parcel.len() - 20;
    fs::write(shown.join("today.parcel"), &parcel[..half]).unwrap();
    date(&shown.join("today.parcel"), 5);
    refused("today.parcel", "not the one that the seal speaks of");
    fs::write(shown.join("today.parcel"), &parcel).unwrap();
    date(&shown.join("today.parcel"), 5);
    let (code, talk, out) = update("today.parcel");
    assert_eq!(code, 0, "{talk}");
    assert!(out.contains("advisories       4\n"), "{out}");
}
