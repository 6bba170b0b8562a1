//! The real tools that tests ask for, and the Debian packages that bring them.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::step;

/// How to see that a need is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// The program is on the `PATH`.
    Program(&'static str),
    /// The Debian package is installed: a library has no program to look for.
    Package,
}

/// A need and the Debian package that meets it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Need {
    pub(super) sign: Sign,
    pub(super) package: &'static str,
}

const fn program(name: &'static str, package: &'static str) -> Need {
    Need {
        sign: Sign::Program(name),
        package,
    }
}

const fn package(package: &'static str) -> Need {
    Need {
        sign: Sign::Package,
        package,
    }
}

/// Every program that a test requires stands here, and every library behind one.
pub(super) const NEEDS: [Need; 36] = [
    // Images: made, pushed, served and run.
    program("containerd", "containerd"),
    program("ctr", "containerd"),
    program("debootstrap", "debootstrap"),
    program("docker", "docker.io"),
    program("docker-registry", "docker-registry"),
    program("dockerd", "docker.io"),
    program("podman", "podman"),
    program("skopeo", "skopeo"),
    program("umoci", "umoci"),
    // Archives and keys.
    program("gzip", "gzip"),
    program("htpasswd", "apache2-utils"),
    program("openssl", "openssl"),
    program("tar", "tar"),
    program("unzip", "unzip"),
    program("zip", "zip"),
    program("zstd", "zstd"),
    // dpkg and rpm.
    program("dpkg", "dpkg"),
    program("dpkg-deb", "dpkg"),
    program("dpkg-query", "dpkg"),
    program("gcc", "gcc"),
    package("libdpkg-dev"),
    program("rpm", "rpm"),
    program("rpmbuild", "rpm"),
    program("rpmdb", "rpm"),
    package("python3-rpm"),
    // Languages.
    program("python3", "python3"),
    program("pip3", "python3-pip"),
    package("python3-venv"),
    program("node", "nodejs"),
    program("npm", "npm"),
    program("java", "default-jre-headless"),
    program("javac", "default-jdk-headless"),
    program("mvn", "maven"),
    package("libmaven3-core-java"),
    program("go", "golang-go"),
    package("golang-golang-x-mod-dev"),
];

impl Need {
    pub(super) fn is_met(&self) -> bool {
        match self.sign {
            Sign::Program(program) => step::is_installed(program),
            Sign::Package => step::succeeds(step::program("dpkg").args(["-s", self.package])),
        }
    }

    pub(super) fn name(&self) -> &'static str {
        match self.sign {
            Sign::Program(program) => program,
            Sign::Package => self.package,
        }
    }
}

/// The needs that this machine does not meet.
pub(super) fn missing() -> Vec<Need> {
    NEEDS
        .iter()
        .filter(|need| !need.is_met())
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
    let all = apt(&["update"]).and_then(|()| install(&packages));
    if let Err(why) = all
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
    use crate::tokens::{Kind, tokens};

    #[test]
    fn no_need_is_listed_twice() {
        let mut names: Vec<&str> = NEEDS.iter().map(Need::name).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count);
    }

    #[test]
    fn a_need_that_nothing_meets_is_missing() {
        assert!(!program("no-such-program-anywhere", "x").is_met());
        assert!(!package("no-such-package-anywhere").is_met());
        assert!(program("cargo", "cargo").is_met());
    }

    /// The literal names in `require("…")`.
    fn required(text: &str) -> Vec<&str> {
        tokens(text)
            .windows(3)
            .filter(|three| three[0].is_word("require") && three[1].is_mark('('))
            .filter(|three| three[2].kind == Kind::Text)
            .map(|three| three[2].text.trim_matches('"'))
            .collect()
    }

    #[test]
    fn every_program_a_test_requires_can_be_installed() {
        assert_eq!(required("if !require(\"rpm\") { require(x) }"), ["rpm"]);
        let texts = sources::read_texts().expect("the project can be listed");
        for (path, text) in texts.iter().filter(|(path, _)| path.starts_with("crates/")) {
            for name in required(text) {
                let known = NEEDS
                    .iter()
                    .any(|need| need.name() == name && need.sign != Sign::Package);
                assert!(
                    known,
                    "{path} requires `{name}`, which the table of needs does not have"
                );
            }
        }
    }
}
