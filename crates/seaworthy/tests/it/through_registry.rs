//! `seaworthy db push` and `db update --from oci://...` with a real registry
//! between them.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use seaworthy_testkit::{Server, digest_of, require};
use serde_json::{Value, json};

use crate::database::make_key;
use crate::product::{Ended, User, tool, write_mirror};
use crate::real_servers::{PASSWORD, registry};

/// Whoever makes editions, the registry, and the name of both.
struct Maker {
    user: User,
    host: String,
    _server: Server,
}

impl Maker {
    /// None where a tool is missing.
    fn new() -> Option<Self> {
        for name in ["docker-registry", "openssl", "perl"] {
            if !require(name) {
                return None;
            }
        }
        let user = User::new();
        make_key(&user, "one");
        make_key(&user, "two");
        let (host, server) = registry(&user);
        Some(Self {
            user,
            host,
            _server: server,
        })
    }

    fn place(&self, tag: &str) -> String {
        format!("{}/team/advisories:{tag}", self.host)
    }

    /// As `user`, who has the login and the certificate.
    fn command(&self, user: &User) -> Command {
        let mut command = user.command();
        command
            .env("SEAWORTHY_REGISTRY_USERNAME", "captain")
            .env("SEAWORTHY_REGISTRY_PASSWORD", PASSWORD)
            .env("SEAWORTHY_REGISTRY_CA", self.user.path("ca.pem"));
        command
    }

    fn run(&self, user: &User, arguments: &[&str]) -> Ended {
        let output = self.command(user).args(arguments).output().unwrap();
        Ended {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            talk: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    /// Builds and installs the edition of so many records.
    fn learns(&self, count: usize) {
        let records: Vec<String> = (0..400).map(filler).chain((0..count).map(news)).collect();
        let records: Vec<(&str, &str)> = records.iter().map(|it| ("npm", it.as_str())).collect();
        write_mirror(&self.user.path("mirror"), &records);
        let ended = self.user.run(&["db", "build", "--from", "mirror"]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
    }

    /// Pushes what is installed, and gives what was said.
    fn pushes(&self, tag: &str, more: &[&str]) -> String {
        let place = self.place(tag);
        let ended = self.run(&self.user, &[&["db", "push", &place], more].concat());
        assert_eq!(ended.code, 0, "{}", ended.talk);
        let name = format!("{}/team/advisories@sha256:", self.host);
        assert!(ended.out.starts_with(&name), "{}", ended.out);
        ended.talk
    }

    /// The file in which the registry keeps a blob.
    fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let start: String = hex.chars().take(2).collect();
        self.user
            .path("store/docker/registry/v2/blobs/sha256")
            .join(start)
            .join(hex)
            .join("data")
    }

    /// Where the registry keeps which manifests there are.
    fn manifests(&self) -> PathBuf {
        self.user
            .path("store/docker/registry/v2/repositories/team/advisories/_manifests")
    }

    /// What a tag names.
    fn manifest(&self, tag: &str) -> Value {
        let link = self.manifests().join("tags").join(tag).join("current/link");
        let manifest = fs::read(self.blob(&fs::read_to_string(link).unwrap())).unwrap();
        serde_json::from_slice(&manifest).unwrap()
    }

    /// Makes the tag name this, behind the maker's back.
    fn forge(&self, tag: &str, manifest: &Value) {
        let bytes = serde_json::to_vec(manifest).unwrap();
        let digest = digest_of(&bytes);
        let hex = digest.trim_start_matches("sha256:");
        let revision = self.manifests().join("revisions/sha256").join(hex);
        let blob = self.blob(&digest);
        for folder in [&revision, blob.parent().unwrap()] {
            fs::create_dir_all(folder).unwrap();
        }
        fs::write(blob, bytes).unwrap();
        fs::write(revision.join("link"), &digest).unwrap();
        let link = self.manifests().join("tags").join(tag).join("current/link");
        fs::write(link, &digest).unwrap();
    }

    /// Digest of the parcel with the whole edition.
    fn whole(&self, tag: &str) -> String {
        let manifest = self.manifest(tag);
        assert_eq!(
            manifest["artifactType"],
            "application/vnd.seaworthy.edition.v1"
        );
        manifest["layers"][0]["digest"].as_str().unwrap().to_owned()
    }
}

/// A record that stays, of a package whose name does not compress.
fn filler(number: usize) -> String {
    let name = u64::try_from(number)
        .unwrap()
        .wrapping_mul(0x9e37_79b9_7f4a_7c15);
    record(&format!("CVE-2025-{number}"), &format!("p{name:x}"))
}

fn news(number: usize) -> String {
    record(&format!("CVE-2026-{number}"), "ws")
}

fn record(id: &str, package: &str) -> String {
    format!(
        r#"{{"id":"{id}","modified":"2026-01-01T00:00:00Z","affected":[{{"package":
        {{"ecosystem":"npm","name":"{package}"}},"ranges":[{{"type":"SEMVER","events":[{{"introduced":"0"}}]}}]}}]}}"#
    )
}

/// Somebody who wants editions from there.
struct Site<'a> {
    user: User,
    maker: &'a Maker,
}

impl<'a> Site<'a> {
    fn new(maker: &'a Maker, keys: &[&str]) -> Self {
        let user = User::new();
        for key in keys {
            let key = maker.user.path(key);
            assert_eq!(user.run(&["db", "trust", key.to_str().unwrap()]).code, 0);
        }
        Self { user, maker }
    }

    fn update(&self, tag: &str, more: &[&str]) -> Ended {
        let from = format!("oci://{}", self.maker.place(tag));
        let arguments = [&["db", "update", "--from", &from], more].concat();
        self.maker.run(&self.user, &arguments)
    }

    #[track_caller]
    fn takes(&self, tag: &str, how: &str) {
        let ended = self.update(tag, &[]);
        assert_eq!(ended.code, 0, "{}", ended.talk);
        assert!(ended.talk.contains(how), "{}", ended.talk);
        let verified = self.user.run(&["db", "verify"]).out;
        assert!(verified.contains("by a trusted key"), "{verified}");
        let parts = fs::read_dir(self.user.path("data/scratch/parcels")).unwrap();
        let left: Vec<_> = parts.map(|part| part.unwrap().file_name()).collect();
        assert_eq!(left, [".lock"], "nothing is left of the transfer");
    }

    #[track_caller]
    fn refuses(&self, tag: &str, why: &str) {
        let before = self.user.run(&["db", "status"]).out;
        let ended = self.update(tag, &[]);
        assert_eq!(ended.code, 2, "{}", ended.talk);
        assert!(ended.talk.contains(why), "{}", ended.talk);
        assert!(ended.talk.contains("hint: "), "{}", ended.talk);
        assert_eq!(self.user.run(&["db", "status"]).out, before);
    }

    #[track_caller]
    fn knows(&self, news: usize) {
        let status = self.user.run(&["db", "status", "--verify"]).out;
        let counted = format!("advisories       {}\n", 400 + news);
        assert!(status.contains(&counted), "{status}");
    }
}

#[test]
fn an_edition_goes_through_a_registry_whole_and_then_by_deltas() {
    let Some(maker) = Maker::new() else { return };
    let key = ["--key", "one.key"];
    maker.learns(1);
    let told = maker.pushes("latest", &key);
    assert!(told.contains("signed with "), "{told}");
    assert!(told.contains("deltas there: 0"), "{told}");
    let told = maker.pushes("latest", &key);
    assert!(told.contains("unchanged"), "{told}");

    let site = Site::new(&maker, &[]);
    site.refuses("latest", "none of them is trusted");
    let site = Site::new(&maker, &["one.pub"]);
    site.takes("latest", "whole, from ");
    site.takes("latest", "unchanged");
    site.knows(1);

    maker.learns(2);
    let told = maker.pushes("latest", &key);
    assert!(told.contains("what changed since the last one"), "{told}");
    assert!(told.contains("deltas there: 1"), "{told}");
    site.takes("latest", "by 1 delta of ");
    site.knows(2);

    // Two steps are taken, three are not.
    let late = Site::new(&maker, &["one.pub"]);
    late.takes("latest", "whole, from ");
    for count in [3, 4] {
        maker.learns(count);
        maker.pushes("latest", &key);
    }
    site.takes("latest", "by 2 deltas of ");
    site.knows(4);
    maker.learns(5);
    let told = maker.pushes("latest", &key);
    assert!(told.contains("deltas there: 4"), "{told}");
    late.takes("latest", "whole, from ");
    late.knows(5);

    // A delta that is gone is no reason to stay behind.
    maker.learns(6);
    let told = maker.pushes("latest", &[&key[..], &["--keep", "2"]].concat());
    assert!(told.contains("deltas there: 2"), "{told}");
    let digests = fs::read_dir(maker.user.path("store/docker/registry/v2/blobs/sha256")).unwrap();
    let whole = maker.blob(&maker.whole("latest"));
    for entry in digests.flat_map(|it| fs::read_dir(it.unwrap().path()).unwrap()) {
        let data = entry.unwrap().path().join("data");
        let is_parcel = fs::read(&data).is_ok_and(|it| it.starts_with(b"seaworthy.parcel"));
        if is_parcel && data != whole {
            fs::remove_file(data).unwrap();
        }
    }
    late.takes("latest", "its deltas are of no use");
    late.knows(6);
}

#[test]
fn a_registry_brings_no_edition_of_strangers_and_none_from_before() {
    let Some(maker) = Maker::new() else { return };
    maker.learns(1);
    maker.pushes("old", &["--key", "one.key"]);
    maker.pushes("latest", &["--key", "one.key"]);
    let other = ["--key", "one.key", "--key", "two.key"];
    maker.learns(2);
    maker.pushes("latest", &other);
    let site = Site::new(&maker, &["one.pub"]);
    site.takes("latest", "whole, from ");

    // The tag of an old day, as a registry may show it on purpose.
    site.refuses("old", "was installed before");
    site.knows(2);
    let back = site.update("old", &["--allow-older"]);
    assert_eq!(back.code, 0, "{}", back.talk);
    site.knows(1);
    site.takes("latest", "by 1 delta of ");

    maker.learns(3);
    maker.pushes("stranger", &["--key", "two.key"]);
    site.refuses("stranger", "none of them is trusted");
    maker.pushes("unsigned", &[]);
    site.refuses("unsigned", "the seal has no signature");
    let anybody = Site::new(&maker, &[]);
    let taken = anybody.update("unsigned", &["--unsigned"]);
    assert_eq!(taken.code, 0, "{}", taken.talk);
    assert!(taken.talk.contains("nobody vouches"), "{}", taken.talk);
    site.refuses("nothing", "has no tag `nothing`");
    site.knows(2);

    // The same edition under a new seal hands over to another key.
    let told = maker.pushes(
        "stranger",
        &[&other[..], &["--hand-over", "two.pub"]].concat(),
    );
    assert!(told.contains("pushed in"), "{told}");
    site.takes("stranger", "handed over to other keys");
    site.takes("stranger", "unchanged");
    maker.pushes("latest", &["--key", "one.key"]);
    site.refuses("latest", "none of them is trusted");
}

#[test]
fn what_a_registry_makes_up_about_editions_is_not_believed() {
    let Some(maker) = Maker::new() else { return };
    let key = ["--key", "one.key"];
    maker.learns(1);
    maker.pushes("latest", &key);
    let site = Site::new(&maker, &["one.pub"]);
    site.takes("latest", "whole, from ");
    let old = maker.manifest("latest");
    maker.learns(2);
    maker.pushes("latest", &key);
    let offer = maker.manifest("latest");
    let forged = |change: &dyn Fn(&mut Value)| {
        let mut manifest = offer.clone();
        change(&mut manifest);
        maker.forge("latest", &manifest);
    };
    let layer = |at: usize| format!("/layers/{at}");
    let annotation = |at: usize, name: &str| format!("/layers/{at}/annotations/{name}");
    let (edition, from) = ("dev.seaworthy.edition", "dev.seaworthy.edition.from");
    let set = |manifest: &mut Value, at: &str, value: Value| {
        *manifest.pointer_mut(at).unwrap() = value;
    };
    let here = old["layers"][0]["annotations"][edition].clone();

    // Too much, too little, another one's bytes, and no edition at all.
    forged(&|it| set(it, "/layers/0/size", json!(1_u64 << 50)));
    site.refuses("latest", "the whole edition of the offer cannot be used");
    forged(&|it| set(it, "/layers/0/size", json!(100_000)));
    let ended = site.update("latest", &[]);
    assert_eq!(ended.code, 2, "{}", ended.talk);
    assert!(
        ended.talk.contains("should have 100000 bytes"),
        "{}",
        ended.talk
    );
    forged(&|it| {
        let config = it["config"].clone();
        set(it, "/layers/0/digest", config["digest"].clone());
        set(it, "/layers/0/size", config["size"].clone());
    });
    site.refuses("latest", "not a parcel with an edition");
    forged(&|it| set(it, "/layers/0/mediaType", json!("application/x-tar")));
    site.refuses("latest", "not an edition");
    // What was newest before, under the newest name.
    forged(&|it| {
        let mut whole = old["layers"][0].clone();
        whole["annotations"][edition] = it["layers"][0]["annotations"][edition].clone();
        set(it, &layer(0), whole);
    });
    site.takes("latest", "unchanged");
    site.knows(1);

    // It says that this is the edition in use already: the seal says another.
    let other = Site::new(&maker, &["one.pub"]);
    maker.forge("latest", &old);
    other.takes("latest", "whole, from ");
    forged(&|it| set(it, &annotation(0, edition), here.clone()));
    other.takes("latest", "whole, from ");
    other.knows(2);
    // A whole edition that is said to be a delta, and a delta of another one.
    forged(&|it| {
        let mut delta = it["layers"][0].clone();
        delta["size"] = json!(17);
        delta["annotations"][from] = here.clone();
        set(it, &layer(1), delta);
    });
    site.takes("latest", "its deltas are of no use");
    site.knows(2);
}

#[test]
fn a_transfer_that_was_cut_goes_on_and_one_that_is_killed_leaves_an_edition_in_use() {
    let Some(maker) = Maker::new() else { return };
    let key = ["--key", "one.key"];
    maker.learns(1);
    maker.pushes("latest", &key);
    let site = Site::new(&maker, &["one.pub"]);
    site.takes("latest", "whole, from ");

    let part = |site: &Site<'_>, bytes: &[u8]| {
        let digest = maker.whole("other");
        let name = format!("{}.part", digest.trim_start_matches("sha256:"));
        let folder = site.user.path("data/scratch/parcels");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), bytes).unwrap();
    };
    // What lies there is used: the registry has lost it.
    maker.learns(2);
    maker.pushes("other", &key);
    let blob = maker.blob(&maker.whole("other"));
    let parcel = fs::read(&blob).unwrap();
    fs::write(&blob, "").unwrap();
    part(&site, &parcel);
    site.takes("other", "whole, from ");
    site.knows(2);
    fs::write(&blob, &parcel).unwrap();

    // A half that is sound, a half that is not, and too much.
    let half = parcel.len() / 2;
    let noise = vec![7; half];
    let more = [&parcel[..], b"more"].concat();
    for bytes in [&parcel[..half], &noise, &more] {
        let again = Site::new(&maker, &["one.pub"]);
        part(&again, bytes);
        again.takes("other", "whole, from ");
        again.knows(2);
    }

    if !require("strace") {
        return;
    }
    let from = format!("oci://{}", maker.place("latest"));
    let mut known = 2;
    let mut killed = 0;
    for (round, point) in [
        "write:signal=KILL:when=9",
        "write:signal=KILL:when=12",
        "fsync:signal=KILL:when=1",
        "fsync:signal=KILL:when=3",
        "rename:signal=KILL:when=1",
        "rename:signal=KILL:when=2",
        "rename:signal=KILL:when=3",
    ]
    .into_iter()
    .enumerate()
    {
        let next = 3 + round;
        maker.learns(next);
        maker.pushes("latest", &key);
        let command = maker.command(&site.user);
        let environment = command
            .get_envs()
            .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())));
        let ended = Command::new("strace")
            .args(["-f", "-o", "calls", "-e", "trace=write,fsync,rename", "-e"])
            .arg(format!("inject={point}"))
            .env_clear()
            .envs(environment)
            .current_dir(site.user.folder.path())
            .arg(command.get_program())
            .args(["db", "update", "--from", &from])
            .stdin(Stdio::null())
            .output()
            .unwrap();
        killed += usize::from(ended.status.signal().is_some());
        let status = site.user.run(&["db", "status", "--verify"]);
        assert_eq!(status.code, 0, "{point}: {}", status.talk);
        let is = |news: usize| {
            status
                .out
                .contains(&format!("advisories       {}\n", 400 + news))
        };
        assert!(is(known) || is(next), "{point}: {}", status.out);
        let again = site.update("latest", &[]);
        assert_eq!(again.code, 0, "{point}: {}", again.talk);
        site.knows(next);
        known = next;
    }
    assert!(killed >= 6, "killed {killed} times");
}

#[test]
fn what_cannot_be_pushed_is_told_with_a_way_out() {
    let Some(maker) = Maker::new() else { return };
    let refused = |arguments: &[&str], why: &str| {
        let ended = maker.run(&maker.user, &[&["db", "push"], arguments].concat());
        assert_eq!(ended.code, 2, "{}", ended.out);
        assert!(ended.talk.contains(why), "{}", ended.talk);
        assert!(ended.talk.contains("hint: "), "{}", ended.talk);
        assert!(!ended.talk.contains(PASSWORD), "{}", ended.talk);
    };
    let place = maker.place("latest");
    refused(&[&place], "no edition to push but the starter edition");
    maker.learns(1);
    refused(&["Not A Name"], "is not the name of an edition");
    refused(&[&place, "--key", "one.pub"], "cannot sign with `one.pub`");
    let handed = ["--key", "one.key", "--hand-over", "two.pub"];
    refused(
        &[&[&*place], &handed[..]].concat(),
        "could not take it again",
    );
    let digest = format!("{}/team/advisories@sha256:{}", maker.host, "0".repeat(64));
    refused(&[&digest], "a digest is not a place");
    let ended = maker.user.run(&["db", "push", "--insecure", &place]);
    assert_eq!(ended.code, 2, "{}", ended.out);
    assert!(ended.talk.contains("docker login"), "{}", ended.talk);

    // An image is not written over.
    if !require("skopeo") {
        return;
    }
    let image = crate::forms::sample();
    let image = seaworthy_testkit::Image {
        tags: vec!["1".into()],
        ..image
    };
    image.write_oci_layout(&maker.user.path("layout")).unwrap();
    tool(
        Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet"])
            .args(["--dest-tls-verify=false", "--dest-creds"])
            .arg(format!("captain:{PASSWORD}"))
            .arg(format!("oci:{}:1", maker.user.path("layout").display()))
            .arg(format!("docker://{place}")),
    );
    refused(&[&place], "the tag names something already");
    let site = Site::new(&maker, &["one.pub"]);
    site.refuses("latest", "not an edition");
}
