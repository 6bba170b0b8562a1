//! Small images in real servers: what the front door makes of sockets, logins
//! and certificates. The room `remote` has the long list; here it is wired up.

use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Command;

use seaworthy_testkit::{Image, Server, free_port, require, require_root};

use crate::forms::sample;
use crate::product::{User, packages, tool};

pub(crate) const PASSWORD: &str = "correct horse";

/// The sample, written as a layout of the tag that skopeo is told.
fn layout(user: &User) -> String {
    let image = Image {
        tags: vec!["1".into()],
        ..sample()
    };
    image.write_oci_layout(&user.path("layout")).unwrap();
    format!("oci:{}:1", user.path("layout").display())
}

#[track_caller]
fn is_the_sample(user: &User, arguments: &[&str]) {
    let document = user.scan(arguments);
    assert_eq!(
        packages(&document, "deb"),
        ["bash 5.2-1", "libssl3 3.0.1-1"]
    );
    assert_eq!(packages(&document, "npm"), ["ws 7.4.5"]);
}

#[test]
fn an_image_of_containerd_is_read() {
    if !require("containerd") || !require("ctr") || !require_root() {
        return;
    }
    let user = User::new();
    let socket = user.path("c.sock");
    let configuration = user.path("containerd.toml");
    let folder = user.folder.path().display();
    fs::write(
        &configuration,
        format!(
            "version = 2\nroot = \"{folder}/root\"\nstate = \"{folder}/state\"\n\
             disabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n\
             [grpc]\naddress = \"{}\"\n",
            socket.display()
        ),
    )
    .unwrap();
    let _server = Server::start(
        Command::new("containerd")
            .arg("--config")
            .arg(&configuration),
    )
    .ready_when(|| UnixStream::connect(&socket).is_ok());
    let archive = user.path("app.tar");
    let image = Image {
        tags: vec!["1".into()],
        ..sample()
    };
    fs::write(&archive, image.oci_archive()).unwrap();
    tool(
        Command::new("ctr")
            .arg("--address")
            .arg(&socket)
            .args(["--namespace", "here", "images", "import", "--no-unpack"])
            .args(["--base-name", "localhost/team/app"])
            .arg(&archive),
    );
    let socket = socket.to_str().unwrap();
    let flags = ["--socket", socket, "--containerd-namespace", "here"];
    is_the_sample(
        &user,
        &[&flags[..], &["containerd:localhost/team/app:1"]].concat(),
    );
    let ended = user.run(&[
        "scan",
        "--socket",
        socket,
        "containerd:localhost/team/app:1",
    ]);
    assert_eq!(ended.code, 2);
    assert!(ended.talk.contains("hint: "), "{}", ended.talk);
}

#[test]
fn an_image_of_docker_is_read() {
    if !require("dockerd") || !require("docker") || !require_root() {
        return;
    }
    let user = User::new();
    let socket = user.path("docker.sock");
    let address = format!("unix://{}", socket.display());
    let _server = Server::start(
        Command::new("dockerd")
            .args(["--iptables=false", "--ip6tables=false", "--bridge=none"])
            .args(["--storage-driver=vfs", "--host", &address])
            .arg("--data-root")
            .arg(user.path("docker"))
            .arg("--exec-root")
            .arg(user.path("exec"))
            .arg("--pidfile")
            .arg(user.path("pid")),
    )
    .ready_when(|| UnixStream::connect(&socket).is_ok());
    let archive = user.path("app.tar");
    let image = Image {
        tags: vec!["localhost/team/app:1".into()],
        ..sample()
    };
    // The form that every docker reads: it knows no zstd in archives.
    fs::write(&archive, image.legacy_docker_archive()).unwrap();
    tool(
        Command::new("docker")
            .args(["--host", &address, "load", "--input"])
            .arg(&archive),
    );
    let socket = socket.to_str().unwrap();
    is_the_sample(&user, &["--socket", socket, "docker:localhost/team/app:1"]);

    let mut command = user.command();
    command
        .env("DOCKER_HOST", &address)
        .args(["scan", "docker:absent"]);
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let talk = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        talk.contains("no such image") && talk.contains("hint: "),
        "{talk}"
    );
}

/// A registry that wants a password and has a certificate of an authority of its
/// own.
pub(crate) fn registry(user: &User) -> (String, Server) {
    let hash = tool(Command::new("perl").args([
        "-e",
        "print crypt($ARGV[0], '$2y$05$abcdefghijklmnopqrstuu')",
        PASSWORD,
    ]));
    fs::write(user.path("htpasswd"), format!("captain:{hash}\n")).unwrap();
    fs::write(user.path("leaf.ext"), "subjectAltName=IP:127.0.0.1\n").unwrap();
    for line in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=ca \
         -keyout ca.key -out ca.pem",
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=registry \
         -keyout leaf.key -out leaf.csr",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
         -extfile leaf.ext -out leaf.pem",
    ] {
        let mut openssl = Command::new("openssl");
        tool(
            openssl
                .args(line.split_whitespace())
                .current_dir(user.folder.path()),
        );
    }
    let port = free_port();
    let folder = user.folder.path().display();
    fs::write(
        user.path("registry.yml"),
        format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {folder}/store }} }}\n\
             http: {{ addr: 127.0.0.1:{port}, \
             tls: {{ certificate: {folder}/leaf.pem, key: {folder}/leaf.key }} }}\n\
             auth: {{ htpasswd: {{ realm: here, path: {folder}/htpasswd }} }}\n"
        ),
    )
    .unwrap();
    let mut command = Command::new("docker-registry");
    let server = Server::start(command.arg("serve").arg(user.path("registry.yml")))
        .ready_when(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    (format!("127.0.0.1:{port}"), server)
}

#[test]
fn logins_and_certificates_of_a_registry_are_found_where_people_keep_them() {
    for name in ["docker-registry", "skopeo", "openssl", "perl"] {
        if !require(name) {
            return;
        }
    }
    let user = User::new();
    let (host, _server) = registry(&user);
    let image = format!("{host}/team/app:1");
    let from = layout(&user);
    let login = format!("--dest-creds=captain:{PASSWORD}");
    let to = format!("docker://{image}");
    tool(
        Command::new("skopeo")
            .args([
                "--insecure-policy",
                "copy",
                "--quiet",
                "--dest-tls-verify=false",
                &login,
            ])
            .args([&from, &to]),
    );
    let ask = |environment: &[(&str, &str)], flags: &[&str]| {
        let mut command = user.command();
        command.envs(environment.iter().copied());
        command
            .args(["scan", "--no-cache", "--format", "json"])
            .args(flags)
            .arg(&image);
        let output = command.output().unwrap();
        let talk = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!talk.contains(PASSWORD), "{talk}");
        (output.status.code().unwrap(), talk)
    };
    let given = [
        ("SEAWORTHY_REGISTRY_USERNAME", "captain"),
        ("SEAWORTHY_REGISTRY_PASSWORD", PASSWORD),
    ];
    let trusting = ["--registry-ca", "ca.pem"];

    let (code, talk) = ask(&given, &[]);
    assert!(code == 2 && talk.contains("--registry-ca"), "{talk}");
    let (code, talk) = ask(&[], &trusting);
    assert!(code == 2 && talk.contains("docker login"), "{talk}");
    let wrong = [given[0], ("SEAWORTHY_REGISTRY_PASSWORD", "wrong")];
    assert_eq!(ask(&wrong, &trusting).0, 2);
    let half = ask(&given[..1], &trusting);
    assert!(
        half.0 == 2 && half.1.contains("SEAWORTHY_REGISTRY_PASSWORD"),
        "{}",
        half.1
    );

    let (code, talk) = ask(&given, &trusting);
    assert_ne!(code, 2, "{talk}");
    let (code, talk) = ask(&given, &["--insecure"]);
    assert_ne!(code, 2, "{talk}");

    // What `docker login` and `podman login` leave behind.
    let file = user.path("home/.docker/config.json");
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    tool(
        Command::new("skopeo")
            .args([
                "login",
                "--tls-verify=false",
                "--username",
                "captain",
                "--password",
                PASSWORD,
            ])
            .arg("--authfile")
            .arg(&file)
            .arg(&host),
    );
    let (code, talk) = ask(&[], &trusting);
    assert_ne!(code, 2, "{talk}");
    let moved = user.path("auth.json");
    fs::rename(&file, &moved).unwrap();
    assert_eq!(ask(&[], &trusting).0, 2);
    let (code, talk) = ask(
        &[("REGISTRY_AUTH_FILE", moved.to_str().unwrap())],
        &trusting,
    );
    assert_ne!(code, 2, "{talk}");

    // A program that keeps the password.
    let program = user.path("bin/docker-credential-keeper");
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    let answer = format!("{{\"Username\":\"captain\",\"Secret\":\"{PASSWORD}\"}}");
    fs::write(&program, format!("#!/bin/sh\necho '{answer}'\n")).unwrap();
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&program, mode).unwrap();
    fs::write(&file, r#"{"credsStore":"keeper"}"#).unwrap();
    let path = format!("{}:/usr/bin:/bin", user.path("bin").display());
    let (code, talk) = ask(&[("PATH", &path)], &trusting);
    assert_ne!(code, 2, "{talk}");
}

#[test]
fn a_proxy_is_used_where_the_environment_names_one() {
    let user = User::new();
    // Nobody listens there, so being refused shows that it was asked.
    let proxy = format!("http://127.0.0.1:{}", free_port());
    let ask = |environment: &[(&str, &str)]| {
        let mut command = user.command();
        command.envs(environment.iter().copied());
        command.args(["scan", "registry.invalid/team/app:1"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let direct = ask(&[]);
    let through = ask(&[("HTTPS_PROXY", &proxy)]);
    assert_ne!(direct, through);
    assert_eq!(
        direct,
        ask(&[("HTTPS_PROXY", &proxy), ("NO_PROXY", "registry.invalid")])
    );
}
