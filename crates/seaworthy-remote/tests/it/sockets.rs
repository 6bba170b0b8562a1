//! Real engines and a real containerd behind their sockets.

use std::fs;
use std::io::Read;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::Command;

use seaworthy_remote::{Containerd, ContainerdError, EngineError, EngineSocket};
use seaworthy_testkit::{Server, digest_of, require, require_root};

use crate::real::{layout, run, sample, skopeo};
use crate::{chain, digest, read};

/// Where a socket answers. Paths of sockets are short, so they lie in a folder
/// of their own.
fn answers(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// Saves the sample as a docker archive that names it `localhost/team/app:1`.
fn archive(folder: &Path) -> PathBuf {
    let path = folder.join("app.tar");
    let layout = layout(folder, &sample());
    skopeo(&[
        &format!("oci:{}:1", layout.display()),
        &format!("docker-archive:{}:localhost/team/app:1", path.display()),
    ]);
    path
}

/// Whether the tar `archive` has all the layers of the sample, inflated.
fn has_layers(archive: &[u8]) -> bool {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("export.tar");
    fs::write(&path, archive).unwrap();
    let list = run(Command::new("tar").arg("tf").arg(&path));
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    let diff_ids: Vec<String> = sample()
        .layers
        .iter()
        .map(seaworthy_testkit::Layer::diff_id)
        .collect();
    let members = list.lines().filter(|name| !name.ends_with('/'));
    let mut found = Vec::new();
    for name in members {
        let content = run(Command::new("tar").arg("xOf").arg(&path).arg(name));
        found.push(digest_of(&content.stdout));
    }
    diff_ids.iter().all(|diff_id| found.contains(diff_id))
}

async fn gives_the_sample(socket: &Path) {
    let engine = EngineSocket::open(socket).await.unwrap();
    let found = engine.inspect("localhost/team/app:1").await.unwrap();
    assert_eq!(found.id.to_string(), sample().config.digest);
    assert_eq!(found.tags, ["localhost/team/app:1"]);
    assert_eq!(found.platform.unwrap().to_string(), sample().platform);
    for name in ["localhost/team/app:1", &found.id.to_string()] {
        let bytes = read(engine.export(name).await.unwrap()).await.unwrap();
        assert!(has_layers(&bytes), "{name}");
    }
    let error = engine.inspect("localhost/team/none:1").await.unwrap_err();
    assert!(matches!(error, EngineError::NoSuchImage { .. }), "{error}");
    assert!(error.hint().is_some());
    let error = engine.export("localhost/team/none:1").await.unwrap_err();
    assert!(matches!(error, EngineError::NoSuchImage { .. }), "{error}");
}

#[tokio::test]
async fn podman_gives_its_images() {
    if !require("podman") || !require("skopeo") || !require_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("podman.sock");
    let podman = || {
        let mut command = Command::new("podman");
        command
            .arg("--root")
            .arg(folder.path().join("root"))
            .arg("--runroot")
            .arg(folder.path().join("run"))
            .args(["--storage-driver", "vfs"]);
        command
    };
    run(podman()
        .arg("load")
        .arg("--input")
        .arg(archive(folder.path())));
    let address = format!("unix://{}", socket.display());
    let _server = Server::start(podman().args(["system", "service", "--time=0", &address]))
        .ready_when(|| answers(&socket));
    gives_the_sample(&socket).await;
}

#[tokio::test]
async fn docker_gives_its_images() {
    if !require("dockerd") || !require("docker") || !require("skopeo") || !require_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let address = format!("unix://{}", socket.display());
    let at = |name: &str| folder.path().join(name);
    let _server = Server::start(
        Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--storage-driver=vfs", "--host", &address])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid")),
    )
    .ready_when(|| answers(&socket));
    run(Command::new("docker")
        .args(["--host", &address, "load", "--input"])
        .arg(archive(folder.path())));
    gives_the_sample(&socket).await;
}

#[tokio::test]
async fn containerd_gives_its_images() {
    if !require("containerd") || !require("ctr") || !require_root() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("c.sock");
    let configuration = folder.path().join("containerd.toml");
    let text = format!(
        "version = 2\nroot = \"{0}/root\"\nstate = \"{0}/state\"\n\
         disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = \"{1}\"\n",
        folder.path().display(),
        socket.display()
    );
    fs::write(&configuration, text).unwrap();
    let _server = Server::start(
        Command::new("containerd")
            .arg("--config")
            .arg(&configuration),
    )
    .ready_when(|| answers(&socket));
    let mut image = sample();
    // What is behind the colon; `ctr` is told the rest.
    image.tags = vec!["1".into()];
    let path = folder.path().join("app.tar");
    fs::write(&path, image.oci_archive()).unwrap();
    let ctr = |arguments: &[&str]| {
        run(Command::new("ctr")
            .arg("--address")
            .arg(&socket)
            .args(["--namespace", "test"])
            .args(arguments));
    };
    let import = path.to_string_lossy().into_owned();
    ctr(&[
        "images",
        "import",
        "--no-unpack",
        "--base-name",
        "localhost/team/app",
        &import,
    ]);
    ctr(&[
        "images",
        "tag",
        "localhost/team/app:1",
        "docker.io/library/app:latest",
    ]);
    ctr(&["images", "tag", "localhost/team/app:1", "As Typed"]);

    let containerd = Containerd::open(&socket, "test").await.unwrap();
    for name in ["localhost/team/app:1", "app", "As Typed"] {
        let found = containerd.image(name).await.unwrap();
        assert_eq!(found.digest.to_string(), image.manifest.digest, "{name}");
        assert_eq!(found.size, image.manifest.bytes.len() as u64);
        assert_eq!(found.media_type, image.manifest.media_type);
    }
    for blob in image.blobs() {
        let reader = containerd
            .blob(&blob.digest.parse().unwrap(), blob.bytes.len() as u64)
            .await
            .unwrap();
        assert_eq!(digest_of(&read(reader).await.unwrap()), blob.digest);
    }
    let absent = containerd.blob(&digest(b"absent"), 6).await.unwrap_err();
    assert!(
        matches!(absent, ContainerdError::NoContent { .. }),
        "{absent}"
    );
    let config = image.config.digest.parse().unwrap();
    let wrong = containerd.blob(&config, 1).await.unwrap_err();
    assert!(matches!(wrong, ContainerdError::Size { .. }), "{wrong}");
    let absent = containerd.image("none").await.unwrap_err();
    assert_eq!(
        absent.to_string(),
        "containerd has no image `none` in the namespace `test`"
    );
    let elsewhere = Containerd::open(&socket, "other").await.unwrap();
    let absent = elsewhere.image("app").await.unwrap_err();
    assert!(
        matches!(absent, ContainerdError::NoSuchImage { .. }),
        "{absent}"
    );
}

#[tokio::test]
async fn a_socket_that_is_not_there_or_not_alive_is_told_with_a_hint() {
    let folder = tempfile::tempdir().unwrap();
    let stale = folder.path().join("stale.sock");
    drop(UnixListener::bind(&stale).unwrap());
    let absent = folder.path().join("absent.sock");
    let mut story = Vec::new();
    for socket in [&absent, &stale] {
        let engine = EngineSocket::open(socket).await.unwrap_err();
        let containerd = Containerd::open(socket, "default").await.unwrap_err();
        assert!(engine.hint().is_some() && containerd.hint().is_some());
        story.push(format!("{}\n{}", chain(&engine), chain(&containerd)));
    }
    for namespace in ["", "a b", "a\n"] {
        let error = Containerd::open(&absent, namespace).await.unwrap_err();
        story.push(format!("{error}"));
    }
    insta::assert_snapshot!(story.join("\n").replace(&*folder.path().to_string_lossy(), "FOLDER"), @r"
    there is no engine socket at `FOLDER/absent.sock`
    there is no containerd socket at `FOLDER/absent.sock`
    no engine answers at `FOLDER/stale.sock` <- Connection refused (os error 111)
    no containerd answers at `FOLDER/stale.sock` <- Connection refused (os error 111)
    `` is not the name of a namespace
    `ab` is not the name of a namespace
    `a` is not the name of a namespace
    ");
}

/// A socket that gives everybody `answer` and hangs up.
fn talking(folder: &Path, answer: &'static [u8]) -> PathBuf {
    use std::io::Write;
    let path = folder.join("fake.sock");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer);
        }
    });
    path
}

#[tokio::test]
async fn what_is_not_an_engine_is_an_error() {
    let mut story = Vec::new();
    for answer in [
        &b"HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"[..],
        b"SSH-2.0-Noise\r\n",
        b"",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let socket = talking(folder.path(), answer);
        let error = EngineSocket::open(&socket).await.unwrap_err();
        let folder = folder.path().to_string_lossy();
        story.push(error.to_string().replace(&*folder, "FOLDER"));
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    what answers at `FOLDER/fake.sock` does not speak like an engine
    the engine at `FOLDER/fake.sock` stopped in the middle of its answer
    the engine at `FOLDER/fake.sock` stopped in the middle of its answer
    ");
}

#[tokio::test]
async fn an_engine_that_lies_is_an_error() {
    let mut story = Vec::new();
    for answer in [
        &b"HTTP/1.1 200 Yes\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"[..],
        b"HTTP/1.1 200 Yes\r\nContent-Length: 20\r\nConnection: close\r\n\r\n{\"Id\":\"sha256:../x\"}",
        b"HTTP/1.1 200 Yes\r\nContent-Length: 200\r\nConnection: close\r\n\r\n{}",
    ] {
        let folder = tempfile::tempdir().unwrap();
        let socket = talking(folder.path(), answer);
        let engine = EngineSocket::open(&socket).await.unwrap();
        let error = engine.inspect("app").await.unwrap_err();
        let shown = folder.path().to_string_lossy();
        story.push(error.to_string().replace(&*shown, "FOLDER"));
        let name = engine.inspect("../containers/json?x=").await.unwrap_err();
        assert!(matches!(name, EngineError::Name { .. }), "{name}");
        if answer.ends_with(b"200\r\nConnection: close\r\n\r\n{}") {
            let export = read(engine.export("app").await.unwrap()).await;
            assert!(export.is_err(), "half an archive is not an archive");
        }
    }
    insta::assert_snapshot!(story.join("\n"), @r"
    what answers at `FOLDER/fake.sock` does not speak like an engine
    what answers at `FOLDER/fake.sock` does not speak like an engine
    the engine at `FOLDER/fake.sock` stopped in the middle of its answer
    ");
}
