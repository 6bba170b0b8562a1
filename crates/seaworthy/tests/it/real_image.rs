//! An image made from a real Debian root and real packages of known-vulnerable
//! versions, in every form that real tools give it.

use std::fs;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use seaworthy_testkit::{Server, free_port, require, require_root, shared};
use serde_json::Value;

use crate::product::{User, findings, packages, tool};

const TOOLS: [&str; 7] = ["debootstrap", "pip3", "npm", "mvn", "go", "umoci", "skopeo"];

const PYTHON: [&str; 5] = [
    "django==2.2.0",
    "requests==2.19.0",
    "urllib3==1.24.1",
    "jinja2==2.10",
    "pyyaml==5.3.1",
];
const NODE: [&str; 5] = [
    "lodash@4.17.15",
    "minimist@1.2.0",
    "ws@7.4.5",
    "node-fetch@2.6.0",
    "renamed@npm:left-pad@1.3.0",
];
const MAVEN: [&str; 3] = [
    "org.apache.logging.log4j:log4j-core:2.14.1",
    "org.apache.commons:commons-text:1.9",
    "org.yaml:snakeyaml:1.26",
];
const GO: [&str; 2] = [
    "golang.org/x/text@v0.3.0",
    "golang.org/x/net@v0.0.0-20190404232315-eb5bcb51f2a3",
];

/// Package and vulnerability that the feeds at hand must show.
const EXPECTED: [&str; 14] = [
    "pkg:golang/golang.org/x/net@v0.0.0-20190404232315-eb5bcb51f2a3 CVE-2023-39325",
    "pkg:golang/golang.org/x/text@v0.3.0 CVE-2020-14040",
    "pkg:golang/golang.org/x/text@v0.3.0 CVE-2021-38561",
    "pkg:maven/org.apache.commons/commons-text@1.9 CVE-2022-42889",
    "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1 CVE-2021-44228",
    "pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1 CVE-2021-45046",
    "pkg:maven/org.yaml/snakeyaml@1.26 CVE-2022-25857",
    "pkg:npm/minimist@1.2.0 CVE-2021-44906",
    "pkg:npm/node-fetch@2.6.0 CVE-2022-0235",
    "pkg:npm/ws@7.4.5 CVE-2021-32640",
    "pkg:pypi/django@2.2 CVE-2020-7471",
    "pkg:pypi/jinja2@2.10 CVE-2019-10906",
    "pkg:pypi/pyyaml@5.3.1 CVE-2020-14343",
    "pkg:pypi/urllib3@1.24.1 CVE-2023-43804",
];

/// What was made, once for all tests: a root directory and an OCI layout of it in
/// two layers.
struct Made {
    root: PathBuf,
    layout: PathBuf,
}

fn made() -> Option<&'static Made> {
    static MADE: OnceLock<Option<Made>> = OnceLock::new();
    if !TOOLS.iter().all(|tool| require(tool)) || !require_root() {
        return None;
    }
    MADE.get_or_init(|| Some(make())).as_ref()
}

fn make() -> Made {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("real-image");
    let made = Made {
        root: folder.join("root"),
        layout: folder.join("layout"),
    };
    // A half-made folder of an interrupted run has no `done`.
    if folder.join("done").exists() {
        return made;
    }
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    tool(
        Command::new("debootstrap")
            .args(["--variant=minbase", "bullseye"])
            .arg(&made.root),
    );
    let python = made.root.join("usr/local/lib/python3.9/dist-packages");
    tool(
        Command::new("pip3")
            .args([
                "install",
                "--quiet",
                "--no-deps",
                "--no-compile",
                "--target",
            ])
            .arg(&python)
            .args(PYTHON),
    );
    let node = made.root.join("opt/node");
    fs::create_dir_all(&node).unwrap();
    fs::write(
        node.join("package.json"),
        r#"{"name":"app","version":"1.0.0","private":true}"#,
    )
    .unwrap();
    tool(
        Command::new("npm")
            .args(["install", "--no-audit", "--no-fund", "--ignore-scripts"])
            .args(NODE)
            .current_dir(&node),
    );
    let java = made.root.join("opt/java");
    for artifact in MAVEN {
        tool(
            Command::new("mvn")
                .args(["--quiet", "--batch-mode", "dependency:copy"])
                .arg(format!("-Dartifact={artifact}"))
                .arg(format!("-DoutputDirectory={}", java.display())),
        );
    }
    let go = folder.join("go");
    fs::create_dir_all(&go).unwrap();
    fs::write(
        go.join("main.go"),
        "package main\nimport (\"fmt\"; \"golang.org/x/net/html\"; \"golang.org/x/text/language\")\n\
         func main() { fmt.Println(language.English, html.EscapeString(\"x\")) }\n",
    )
    .unwrap();
    tool(
        Command::new("go")
            .args(["mod", "init", "example.com/app"])
            .current_dir(&go),
    );
    tool(Command::new("go").arg("get").args(GO).current_dir(&go));
    tool(
        Command::new("go")
            .args(["build", "-o"])
            .arg(made.root.join("usr/local/bin/app"))
            .arg(".")
            .current_dir(&go),
    );
    layers(&folder, &made);
    fs::write(folder.join("done"), "").unwrap();
    made
}

/// The operating system below, what was added above.
fn layers(folder: &Path, made: &Made) {
    let image = format!("{}:v1", made.layout.display());
    tool(
        Command::new("umoci")
            .args(["init", "--layout"])
            .arg(&made.layout),
    );
    tool(Command::new("umoci").args(["new", "--image", &image]));
    for (name, arguments) in [
        (
            "base.tar",
            ["--exclude=./opt", "--exclude=./usr/local", "."].as_slice(),
        ),
        ("app.tar", ["./opt", "./usr/local"].as_slice()),
    ] {
        let tar = folder.join(name);
        tool(
            Command::new("tar")
                .arg("-C")
                .arg(&made.root)
                .args(["--numeric-owner", "-cf"])
                .arg(&tar)
                .args(arguments),
        );
        tool(
            Command::new("umoci")
                .args(["raw", "add-layer", "--image", &image])
                .arg(&tar),
        );
        fs::remove_file(&tar).unwrap();
    }
}

/// A user whose edition is made of the shared feeds.
fn knowing() -> Option<User> {
    let feeds = shared()?.join("feeds");
    let user = User::new();
    let ended = user.run(&["db", "build", "--from", feeds.to_str().unwrap()]);
    assert_eq!(ended.code, 0, "{}", ended.talk);
    Some(user)
}

fn skopeo(from: &str, to: &str, more: &[&str]) {
    tool(
        Command::new("skopeo")
            .args(["--insecure-policy", "copy", "--quiet"])
            .args(more)
            .args([from, to]),
    );
}

#[test]
fn a_real_image_has_the_expected_findings_in_every_form() {
    let (Some(made), Some(user)) = (made(), knowing()) else {
        return;
    };
    if !require("docker-registry") || !require("podman") {
        return;
    }
    let layout = format!("oci:{}:v1", made.layout.display());
    let first = user.scan(&[&layout]);
    let lines = findings(&first);
    for expected in EXPECTED {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("{expected} "))),
            "{expected} is not among\n{}",
            lines.join("\n")
        );
    }
    assert_eq!(first["outcome"], "fail");
    same_as(
        &first,
        &user,
        "the root directory",
        &[&format!("dir:{}", made.root.display())],
    );

    let archive = user.path("image.tar");
    let archived = format!("docker-archive:{}", archive.display());
    skopeo(&layout, &format!("{archived}:app:v1"), &[]);
    same_as(&first, &user, "the docker archive", &[&archived]);
    let ended = user.fed(
        &fs::read(&archive).unwrap(),
        &["scan", "--format", "json", "-"],
    );
    let piped: Value = serde_json::from_str(&ended.out).expect(&ended.talk);
    assert_eq!(findings(&piped), lines, "the archive through a pipe");

    through_a_registry(&first, &user, &layout);
    through_podman(&first, &user, &archive);
}

#[track_caller]
fn same_as(first: &Value, user: &User, form: &str, arguments: &[&str]) {
    let document = user.scan(arguments);
    assert_eq!(findings(&document), findings(first), "{form}");
    for kind in ["deb", "pypi", "npm", "maven", "golang"] {
        assert_eq!(packages(&document, kind), packages(first, kind), "{form}");
    }
}

fn through_a_registry(first: &Value, user: &User, layout: &str) {
    let port = free_port();
    let configuration = user.path("registry.yml");
    let store = user.path("store");
    fs::write(
        &configuration,
        format!(
            "version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {} }} }}\n\
             http: {{ addr: 127.0.0.1:{port} }}\n",
            store.display()
        ),
    )
    .unwrap();
    let _server = Server::start(
        Command::new("docker-registry")
            .arg("serve")
            .arg(&configuration),
    )
    .ready_when(|| TcpStream::connect(("127.0.0.1", port)).is_ok());
    let name = format!("127.0.0.1:{port}/team/app:v1");
    skopeo(
        layout,
        &format!("docker://{name}"),
        &["--dest-tls-verify=false"],
    );
    same_as(first, user, "the registry", &[&name]);
    same_as(
        first,
        user,
        "the registry, read again",
        &["--no-cache", &name],
    );
}

fn through_podman(first: &Value, user: &User, archive: &Path) {
    let socket = user.path("podman.sock");
    let podman = || {
        let mut command = Command::new("podman");
        command
            .arg("--root")
            .arg(user.path("podman"))
            .arg("--runroot")
            .arg(user.path("run"))
            .args(["--storage-driver", "vfs"]);
        command
    };
    tool(podman().arg("load").arg("--input").arg(archive));
    let address = format!("unix://{}", socket.display());
    let _server = Server::start(podman().args(["system", "service", "--time=0", &address]))
        .ready_when(|| UnixStream::connect(&socket).is_ok());
    let named = socket.to_str().unwrap();
    same_as(
        first,
        user,
        "podman's engine",
        &["--socket", named, "podman:docker.io/library/app:v1"],
    );
}

#[test]
fn the_packages_of_a_real_image_are_those_its_own_tools_list() {
    let Some(made) = made() else { return };
    let user = User::new();
    let document = user.scan(&[&format!("oci:{}:v1", made.layout.display())]);

    let format = "${db:Status-Status} ${Package} ${Version}\n";
    let mut expected: Vec<String> = tool(
        Command::new("dpkg-query")
            .arg("--admindir")
            .arg(made.root.join("var/lib/dpkg"))
            .args(["-W", "-f", format]),
    )
    .lines()
    .filter_map(|line| Some(line.strip_prefix("installed ")?.to_owned()))
    .collect();
    expected.sort();
    assert_eq!(packages(&document, "deb"), expected);

    let listed = tool(
        Command::new("pip3")
            .args([
                "list",
                "--format",
                "json",
                "--disable-pip-version-check",
                "--path",
            ])
            .arg(made.root.join("usr/local/lib/python3.9/dist-packages")),
    );
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let mut expected: Vec<String> = listed
        .as_array()
        .unwrap()
        .iter()
        .map(|it| {
            let name = it["name"]
                .as_str()
                .unwrap()
                .to_lowercase()
                .replace(['_', '.'], "-");
            format!("{name} {}", it["version"].as_str().unwrap())
        })
        .collect();
    expected.sort();
    assert_eq!(packages(&document, "pypi"), expected);

    let listed = tool(
        Command::new("npm")
            .args(["ls", "--all", "--json"])
            .current_dir(made.root.join("opt/node")),
    );
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let mut expected = Vec::new();
    modules(&listed, &mut expected);
    expected.sort();
    expected.dedup();
    assert_eq!(packages(&document, "npm"), expected);

    let listed = tool(
        Command::new("go")
            .args(["version", "-m"])
            .arg(made.root.join("usr/local/bin/app")),
    );
    let mut expected: Vec<String> = listed
        .lines()
        .filter_map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words.as_slice() {
                ["dep", name, version, ..] => Some(format!("{name} {version}")),
                _ => None,
            }
        })
        .collect();
    let toolchain = listed.lines().next().unwrap().rsplit("go").next().unwrap();
    expected.push(format!("stdlib {}", toolchain.trim()));
    expected.sort();
    assert_eq!(packages(&document, "golang"), expected);
}

/// Name and version of every module in what `npm ls` says. An alias is listed by
/// the name it was given; `resolved` shows whose it is.
fn modules(node: &Value, found: &mut Vec<String>) {
    let Some(dependencies) = node["dependencies"].as_object() else {
        return;
    };
    for (name, module) in dependencies {
        let name = if name == "renamed" { "left-pad" } else { name };
        if let Some(version) = module["version"].as_str() {
            found.push(format!("{name} {version}"));
        }
        modules(module, found);
    }
}
