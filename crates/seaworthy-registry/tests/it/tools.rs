//! The tools that people push and pull with, on SQLite and files and on PostgreSQL and
//! S3.

use std::fs;
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use seaworthy_testkit::{Image, Server, free_port, image, index_layout, require, require_root};
use tempfile::TempDir;

use crate::registry::{EMBEDDED, Kept, Registry};
use crate::storage::{in_bucket, in_postgres};

/// Runs a tool to its end, while the registry goes on serving.
fn run(command: &mut Command) -> String {
    let output = tokio::task::block_in_place(|| command.stdin(Stdio::null()).output());
    let output = output.expect("the tool is installed");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Two images for two platforms, under one tag.
fn images() -> [Image; 2] {
    ["linux/amd64", "linux/arm64"].map(|platform| {
        image()
            .platform(platform)
            .layer(|layer| layer.file("/etc/os-release", "ID=alpine\n"))
            .layer(|layer| layer.file("/platform", platform))
            .build()
    })
}

fn layout(folder: &Path) -> String {
    let path = folder.join("layout");
    index_layout(&path, "1", &images(), &[]).expect("a layout");
    format!("oci:{}:1", path.display())
}

struct Place {
    registry: Registry,
    folder: TempDir,
}

/// Each test, once on each kind of storage.
macro_rules! on_each_storage {
    ($($name:ident),* $(,)?) => {
        mod on_sqlite_and_files {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                super::$name(super::Place::on(super::EMBEDDED).await).await;
            }
        )*}

        mod on_postgresql_and_s3 {$(
            #[tokio::test(flavor = "multi_thread")]
            async fn $name() {
                let Some(database) = super::in_postgres() else {
                    return;
                };
                let bucket = seaworthy_bucket::Bucket::start();
                let kept = super::Kept {
                    database: Some(database),
                    blobs: Some(super::in_bucket(&bucket)),
                };
                super::$name(super::Place::on(kept).await).await;
            }
        )*}
    };
}

on_each_storage!(
    skopeo_copies_all_platforms_there_and_back,
    skopeo_copies_in_the_formats_of_docker,
    images_move_between_this_registry_and_another,
    podman_pushes_and_pulls,
    buildah_builds_pushes_and_pulls,
);

impl Place {
    async fn on(kept: Kept) -> Self {
        Self {
            registry: Registry::start_with(kept, |_| {}).await,
            folder: tempfile::tempdir().expect("a folder"),
        }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn credentials(&self) -> String {
        format!("key:{}", self.registry.admin)
    }

    /// `team/app:1` of the registry, as skopeo names it.
    fn named(&self, name: &str) -> String {
        format!("docker://{}/{name}", self.registry.address)
    }

    fn copy(&self, arguments: &[&str], from: &str, to: &str) {
        let credentials = self.credentials();
        let ours = format!("docker://{}", self.registry.address);
        let mut command = Command::new("skopeo");
        command.args(["--insecure-policy", "copy", "--quiet"]);
        command.args(["--src-tls-verify=false", "--dest-tls-verify=false"]);
        for (place, option) in [(from, "--src-creds"), (to, "--dest-creds")] {
            if place.starts_with(&ours) {
                command.args([option, &credentials]);
            }
        }
        run(command.args(arguments).args([from, to]));
    }

    fn skopeo(&self, verb: &str, place: &str) -> String {
        let credentials = self.credentials();
        let mut command = Command::new("skopeo");
        command.args([verb, "--tls-verify=false", "--creds", &credentials]);
        run(command.arg(place))
    }
}

/// What a layout's entry or a registry's tag leads to.
fn manifest_of(layout: &str) -> String {
    let path = layout
        .strip_prefix("oci:")
        .and_then(|it| it.rsplit_once(':'));
    let (path, _) = path.expect("a layout");
    let index = fs::read_to_string(Path::new(path).join("index.json")).expect("a layout");
    let index: serde_json::Value = serde_json::from_str(&index).expect("JSON");
    let digest = index["manifests"][0]["digest"].as_str();
    digest.expect("an entry").to_owned()
}

async fn skopeo_copies_all_platforms_there_and_back(place: Place) {
    if !require("skopeo") {
        return;
    }
    let from = layout(place.folder.path());
    let here = place.named("team/app:1");
    place.copy(&["--all"], &from, &here);
    let back = format!("oci:{}:1", place.path("back"));
    place.copy(&["--all"], &here, &back);
    assert_eq!(manifest_of(&back), manifest_of(&from));
    // To another repository: its blobs are mounted.
    let other = place.named("team/other:2");
    place.copy(&["--all"], &here, &other);
    let answer = place
        .registry
        .head("/v2/team/other/manifests/2")
        .await
        .expect(200);
    assert_eq!(answer.header("docker-content-digest"), manifest_of(&from));
    let tags = place.skopeo("list-tags", &place.named("team/app"));
    assert!(tags.contains("\"1\""), "{tags}");
    let told = place.skopeo("inspect", &here);
    assert!(told.contains(&manifest_of(&from)), "{told}");
    place.skopeo("delete", &other);
    place
        .registry
        .head("/v2/team/other/manifests/2")
        .await
        .expect(404);
}

async fn skopeo_copies_in_the_formats_of_docker(place: Place) {
    if !require("skopeo") {
        return;
    }
    let from = layout(place.folder.path());
    let here = place.named("team/docker:1");
    place.copy(&["--format", "v2s2"], &from, &here);
    let archive = format!("docker-archive:{}:app:1", place.path("app.tar"));
    place.copy(&[], &here, &archive);
    place.copy(
        &["--format", "v2s2"],
        &archive,
        &place.named("team/docker:2"),
    );
    let answer = place
        .registry
        .get("/v2/team/docker/manifests/2")
        .await
        .expect(200);
    let media_type = "application/vnd.docker.distribution.manifest.v2+json";
    assert_eq!(answer.header("content-type"), media_type);
}

async fn images_move_between_this_registry_and_another(place: Place) {
    if !require("skopeo") || !require("docker-registry") {
        return;
    }
    let port = free_port();
    let store = place.path("store");
    let configuration = format!(
        "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {store} }} }}\n\
         http: {{ addr: 127.0.0.1:{port} }}\n"
    );
    let path = place.path("registry.yml");
    fs::write(&path, configuration).expect("written");
    let mut command = Command::new("docker-registry");
    let peer = Server::start(command.args(["serve", &path]));
    let _peer = tokio::task::block_in_place(|| {
        peer.ready_when(|| TcpStream::connect(("127.0.0.1", port)).is_ok())
    });
    let from = layout(place.folder.path());
    let there = |name: &str| format!("docker://127.0.0.1:{port}/{name}");
    place.copy(&["--all"], &from, &there("theirs/app:1"));
    place.copy(
        &["--all"],
        &there("theirs/app:1"),
        &place.named("ours/app:1"),
    );
    place.copy(
        &["--all"],
        &place.named("ours/app:1"),
        &there("theirs/again:1"),
    );
    let back = format!("oci:{}:1", place.path("back"));
    place.copy(&["--all"], &there("theirs/again:1"), &back);
    assert_eq!(manifest_of(&back), manifest_of(&from));
}

/// A tool of the container family with its own storage below `folder`.
fn with_storage(tool: &str, folder: &Path) -> Command {
    let mut command = Command::new(tool);
    command
        .arg("--root")
        .arg(folder.join("root"))
        .arg("--runroot")
        .arg(folder.join("run"))
        .args(["--storage-driver", "vfs"]);
    command
}

async fn podman_pushes_and_pulls(place: Place) {
    if !require("podman") || !require_root() {
        return;
    }
    let folder = place.folder.path();
    let archive = folder.join("app.tar");
    let built = image()
        .tag("localhost/app:1")
        .layer(|layer| layer.file("/hello", "world"))
        .build();
    fs::write(&archive, built.docker_archive()).expect("written");
    let podman = || with_storage("podman", folder);
    run(podman().arg("load").arg("--input").arg(&archive));
    let here = format!("{}/team/podman:1", place.registry.address);
    let login = [
        "login",
        "--tls-verify=false",
        "--username",
        "key",
        "--password",
        &place.registry.admin,
    ];
    let auth = place.path("auth.json");
    let address = place.registry.address.to_string();
    run(podman().args(login).args(["--authfile", &auth, &address]));
    let sign = ["--tls-verify=false", "--authfile", &auth];
    run(podman()
        .arg("push")
        .args(sign)
        .args(["localhost/app:1", &here]));
    run(podman().args(["rmi", "--force", "localhost/app:1"]));
    run(podman().arg("pull").args(sign).arg(&here));
    let pulled = run(podman().args(["image", "inspect", "--format", "{{.Id}}", &here]));
    let config = built.config.hex();
    assert_eq!(pulled, config);
    // With nobody signed in it is not there to be pulled.
    let mut refused = podman();
    refused.args([
        "pull",
        "--tls-verify=false",
        "--authfile",
        "/dev/null",
        &here,
    ]);
    let output = tokio::task::block_in_place(|| refused.stdin(Stdio::null()).output());
    assert!(!output.expect("podman").status.success());
}

async fn buildah_builds_pushes_and_pulls(place: Place) {
    if !require("buildah") || !require_root() {
        return;
    }
    let folder = place.folder.path();
    let buildah = || with_storage("buildah", folder);
    let file = folder.join("hello");
    fs::write(&file, "world").expect("written");
    let working = run(buildah().args(["from", "scratch"]));
    run(buildah().args(["copy", &working]).arg(&file).arg("/hello"));
    run(buildah().args(["commit", &working, "localhost/built:1"]));
    let here = place.named("team/buildah:1");
    let credentials = place.credentials();
    let sign = ["--tls-verify=false", "--creds", &credentials];
    run(buildah()
        .arg("push")
        .args(sign)
        .args(["localhost/built:1", &here]));
    run(buildah().args(["rmi", "--force", "localhost/built:1"]));
    run(buildah().arg("pull").args(sign).arg(&here));
    let answer = place
        .registry
        .get("/v2/team/buildah/manifests/1")
        .await
        .expect(200);
    assert_eq!(answer.json()["layers"].as_array().map(Vec::len), Some(1));
}
