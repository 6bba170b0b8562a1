//! The real tools that tests ask for, and the Debian packages that bring them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::step;

/// Something a test asks for by name, and the Debian package that brings it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    /// A program on the `PATH`, or the full path of a library's file.
    pub(super) name: &'static str,
    pub(super) package: &'static str,
}

const fn need(name: &'static str, package: &'static str) -> Need {
    Need { name, package }
}

/// Everything that a test requires by name stands here.
pub(super) const NEEDS: [Need; 47] = [
    // Images: made, pushed, served and run.
    need("buildah", "buildah"),
    need("containerd", "containerd"),
    need("ctr", "containerd"),
    need("debootstrap", "debootstrap"),
    need("docker", "docker.io"),
    need("docker-registry", "docker-registry"),
    need("dockerd", "docker.io"),
    need("podman", "podman"),
    need("skopeo", "skopeo"),
    need("umoci", "umoci"),
    // The server's programs are on nobody's `PATH`; this comes with every version.
    need("/var/lib/dpkg/info/postgresql.list", "postgresql"),
    // Archives and keys.
    need("gzip", "gzip"),
    need("openssl", "openssl"),
    need("tar", "tar"),
    // A program killed at any call it makes.
    need("strace", "strace"),
    // A disk that loses power.
    need("mkfs.ext4", "e2fsprogs"),
    need("mkfs.xfs", "xfsprogs"),
    need("mount", "mount"),
    // dpkg and rpm.
    need("dpkg", "dpkg"),
    need("dpkg-query", "dpkg"),
    need("gcc", "gcc"),
    need("/usr/include/dpkg/dpkg.h", "libdpkg-dev"),
    need("rpm", "rpm"),
    need("rpmbuild", "rpm"),
    need("db5.3_load", "db5.3-util"),
    need("objcopy", "binutils"),
    need("perl", "perl"),
    need(
        "/usr/lib/python3/dist-packages/rpm/__init__.py",
        "python3-rpm",
    ),
    // Languages.
    need("python3", "python3"),
    need("/usr/bin/python3", "python3"),
    need("pip3", "python3-pip"),
    need("/var/lib/dpkg/info/python3-venv.list", "python3-venv"),
    need("node", "nodejs"),
    need("npm", "npm"),
    need("java", "default-jre-headless"),
    need("javac", "default-jdk-headless"),
    need("mvn", "maven"),
    need("/usr/share/java/maven3-artifact.jar", "libmaven3-core-java"),
    need("/usr/share/java/commons-lang3.jar", "libcommons-lang3-java"),
    need("go", "golang-go"),
    need("cargo", "cargo"),
    need("ruby", "ruby"),
    need("php", "php-cli"),
    need(
        "/usr/share/php/Composer/Semver/autoload.php",
        "php-composer-semver",
    ),
    need("elixir", "elixir"),
    need("pacman", "pacman-package-manager"),
    need(
        "/usr/share/gocode/src/golang.org/x/mod/semver/semver.go",
        "golang-golang-x-mod-dev",
    ),
];

/// The needs that this machine does not meet.
pub(super) fn missing() -> Vec<Need> {
    NEEDS
        .iter()
        .filter(|need| !step::is_installed(need.name))
        .copied()
        .collect()
}

/// Whether we may install Debian packages here.
pub(super) fn may_install() -> bool {
    let root = fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
    root && step::is_installed("apt-get")
}

/// Installs the packages that meet `missing`, as far as this Debian has them.
pub(super) fn install(missing: &[Need]) {
    let mut packages: Vec<&str> = missing.iter().map(|need| need.package).collect();
    packages.sort_unstable();
    packages.dedup();
    println!("installing {}", packages.join(" "));
    let apt = |arguments: &[&str]| {
        let mut command = step::program("apt-get");
        command
            .env("DEBIAN_FRONTEND", "noninteractive")
            .args(["--quiet", "--yes"])
            .args(arguments);
        step::run(&mut command)
    };
    let install = |packages: &[&str]| {
        let mut arguments = vec!["install", "--no-install-recommends"];
        arguments.extend(packages);
        apt(&arguments)
    };
    // A mirror that does not answer is no reason not to try what is at hand.
    if let Err(why) = apt(&["update"]) {
        println!("{why:#}");
    }
    if let Err(why) = install(&packages)
        && packages.len() > 1
    {
        // One package that this release does not have must not cost us the others.
        println!("{why:#}; trying one by one");
        for package in packages {
            if let Err(why) = install(&[package]) {
                println!("{why:#}");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sources;
    use crate::tokens::{Kind, Token, tokens};

    #[test]
    fn no_need_is_listed_twice() {
        let mut names: Vec<&str> = NEEDS.iter().map(|need| need.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), NEEDS.len());
    }

    /// The names in `require("…")`, and in `require(NAME)` where the same file
    /// says what the constant is.
    fn required(text: &str) -> Vec<&str> {
        let tokens = tokens(text);
        let constant = |name: &str| {
            let at = tokens
                .windows(2)
                .position(|two| two[0].is_word("const") && two[1].text == name)?;
            let until = |token: &&Token<'_>| !token.is_mark(';');
            let mut value = tokens.iter().skip(at).take_while(until);
            value.find(|token| token.kind == Kind::Text)
        };
        tokens
            .windows(4)
            .filter(|four| four[0].is_word("require") && four[1].is_mark('('))
            .filter(|four| four[3].is_mark(')'))
            .filter_map(|four| match four[2].kind {
                Kind::Text => Some(four[2].text),
                _ => constant(four[2].text).map(|token| token.text),
            })
            .map(|text| text.trim_matches('"'))
            .collect()
    }

    #[test]
    fn what_a_file_requires_is_seen() {
        let text = "const JAR: &str = \"/x.jar\";
            fn f(tool: &str) { require(\"rpm\") && require(JAR) && require(tool) && require(g(x)) }";
        assert_eq!(required(text), ["rpm", "/x.jar"]);
    }

    #[test]
    fn everything_a_test_requires_can_be_installed() {
        let texts = sources::read_texts().expect("the project can be listed");
        let rust = texts.iter().filter(|(path, _)| sources::is_rust(path));
        for (path, text) in rust.filter(|(path, _)| path.starts_with("crates/")) {
            for name in required(text) {
                assert!(
                    NEEDS.iter().any(|need| need.name == name),
                    "{path} requires `{name}`, which the table of needs does not have"
                );
            }
        }
    }
}
