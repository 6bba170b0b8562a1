//! Debian's `docker-registry`, filled by `skopeo`.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use seaworthy_core::Reference;
use seaworthy_remote::{Credential, Manifest, Options, Registry, Secret};
use seaworthy_testkit::{Image, Server, digest_of, free_port, image, require};
use tempfile::TempDir;

use crate::{CANARY, manifest_of, options, password, read, with};

/// An image with a layer that takes more than one read.
pub(crate) fn sample() -> Image {
    let noise: Vec<u8> = (0..600_000_u32)
        .flat_map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes())
        .collect();
    image()
        .tag("localhost/team/app:1")
        .layer(|layer| layer.file("/etc/os-release", "ID=test\n"))
        .layer(|layer| layer.file("/srv/noise", noise))
        .build()
}

pub(crate) fn run(command: &mut Command) -> Output {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{command:?}: {said}");
    output
}

pub(crate) fn skopeo(arguments: &[&str]) {
    run(Command::new("skopeo")
        .args(["--insecure-policy", "copy", "--quiet"])
        .args(arguments));
}

/// A `docker-registry` of one test.
pub(crate) struct RealRegistry {
    pub(crate) name: String,
    pub(crate) folder: TempDir,
    _server: Server,
}

impl RealRegistry {
    /// Starts one. `more` is further configuration, and may speak of `FOLDER`,
    /// which `prepare` may fill.
    pub(crate) fn start(prepare: impl FnOnce(&Path), http: &str, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        prepare(folder.path());
        let port = free_port();
        let configuration = format!(
            "version: 0.1\n\
             storage: {{ filesystem: {{ rootdirectory: FOLDER/store }} }}\n\
             http: {{ addr: 127.0.0.1:{port}{http} }}\n{more}\n"
        );
        let path = folder.path().join("registry.yml");
        let configuration = configuration.replace("FOLDER", &folder.path().to_string_lossy());
        fs::write(&path, configuration).unwrap();
        let server = Server::start(Command::new("docker-registry").arg("serve").arg(&path))
            .ready_when(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
        Self {
            name: format!("127.0.0.1:{port}"),
            folder,
            _server: server,
        }
    }

    /// Pushes `image` as `team/app:1`, with further arguments for skopeo.
    pub(crate) fn push(&self, image: &Image, arguments: &[&str]) {
        let layout = layout(self.folder.path(), image);
        let from = format!("oci:{}:1", layout.display());
        let to = format!("docker://{}/team/app:1", self.name);
        skopeo(&[arguments, &[&from, &to]].concat());
    }

    pub(crate) fn reference(&self) -> Reference {
        format!("{}/team/app:1", self.name).parse().unwrap()
    }
}

/// Writes `image` as an OCI layout below `folder`, with the tag `1`.
pub(crate) fn layout(folder: &Path, image: &Image) -> PathBuf {
    let path = folder.join("layout");
    let mut image = image.clone();
    image.tags = vec!["1".into()];
    image.write_oci_layout(&path).unwrap();
    path
}

/// Asserts that the registry gives `image`, whole.
pub(crate) async fn gives(registry: &RealRegistry, image: &Image, options: Options) {
    let connected = Registry::connect(&registry.name, options).await.unwrap();
    let reference = registry.reference();
    let manifest: Manifest = connected.manifest(&reference).await.unwrap();
    assert_eq!(manifest.digest.to_string(), image.manifest.digest);
    assert_eq!(&*manifest.bytes, &*image.manifest.bytes);
    let pinned = reference.at(manifest.digest.clone());
    assert_eq!(connected.manifest(&pinned).await.unwrap(), manifest);
    for blob in image.blobs().skip(1) {
        let digest = blob.digest.parse().unwrap();
        let reader = connected
            .blob(&reference, &digest, blob.bytes.len() as u64)
            .await
            .unwrap();
        assert_eq!(digest_of(&read(reader).await.unwrap()), blob.digest);
    }
    let absent = format!("{}/team/app:2", registry.name).parse().unwrap();
    let error = connected.manifest(&absent).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        format!(
            "`{}` has no tag `2` in `team/app`: MANIFEST_UNKNOWN",
            registry.name
        )
    );
    let other = format!("{}/team/other:1", registry.name).parse().unwrap();
    let error = connected.manifest(&other).await.unwrap_err().to_string();
    assert!(error.contains("`team/other`"), "{error}");
}

/// A password file with bcrypt, which is what the registry insists on.
fn htpasswd(folder: &Path) {
    let hash = run(Command::new("perl").args([
        "-e",
        "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')",
        CANARY,
    ]));
    let mut line = b"captain:".to_vec();
    line.extend_from_slice(&hash.stdout);
    fs::File::create(folder.join("htpasswd"))
        .unwrap()
        .write_all(&line)
        .unwrap();
}

#[tokio::test]
async fn a_real_registry_gives_an_image_to_anybody() {
    if !require("docker-registry") || !require("skopeo") {
        return;
    }
    let registry = RealRegistry::start(|_| {}, "", "");
    let image = sample();
    registry.push(&image, &["--dest-tls-verify=false"]);
    gives(&registry, &image, options()).await;
    // On this machine plain HTTP needs no word from the user.
    gives(&registry, &image, Options::default()).await;
}

#[tokio::test]
async fn a_real_registry_gives_an_image_for_a_password() {
    if !require("docker-registry") || !require("skopeo") || !require("perl") {
        return;
    }
    let registry = RealRegistry::start(
        htpasswd,
        "",
        "auth: { htpasswd: { realm: here, path: FOLDER/htpasswd } }",
    );
    let image = sample();
    let login = format!("--dest-creds=captain:{CANARY}");
    registry.push(&image, &["--dest-tls-verify=false", &login]);
    gives(&registry, &image, with(password())).await;
    let unknown = manifest_of(&registry.name, options()).await;
    let wrong = Credential::Password {
        user: "captain".into(),
        password: Secret::new("wrong"),
    };
    let story = [unknown, manifest_of(&registry.name, with(wrong)).await];
    insta::assert_snapshot!(story.join("\n"), @r"
    `REGISTRY` wants a login for `team/app` (hint)
    `REGISTRY` does not accept the login for `team/app` (hint)
    ");
}

#[tokio::test]
async fn what_docker_login_wrote_is_understood() {
    if !require("docker-registry") || !require("skopeo") || !require("perl") {
        return;
    }
    let registry = RealRegistry::start(
        htpasswd,
        "",
        "auth: { htpasswd: { realm: here, path: FOLDER/htpasswd } }",
    );
    let file = registry.folder.path().join("auth.json");
    run(Command::new("skopeo")
        .args(["login", "--tls-verify=false", "--username", "captain"])
        .args(["--password", CANARY, "--authfile"])
        .arg(&file)
        .arg(&registry.name));
    let logins = seaworthy_remote::CredentialFile::read("auth.json", &fs::read(&file).unwrap());
    let image = sample();
    let login = format!("--dest-creds=captain:{CANARY}");
    registry.push(&image, &["--dest-tls-verify=false", &login]);
    let mut options = options();
    options.credentials.files.push(logins.unwrap());
    gives(&registry, &image, options).await;
}
