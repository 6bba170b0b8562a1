//! Which packages are of the kernel.
//!
//! A container runs on the kernel of its host. Headers, images and modules of a
//! kernel in an image are never run, and what is wrong with the kernel is not wrong
//! with the image. Tools that are built from the kernel's source (`perf`, `bpftool`)
//! do run, and are not meant here.

use seaworthy_core::{Package, PackageType};

/// How binary packages of a kernel's source begin in Debian and its relatives.
const DEB: &[&str] = &[
    "linux-buildinfo-",
    "linux-config-",
    "linux-doc",
    "linux-headers-",
    "linux-image-",
    "linux-kbuild-",
    "linux-libc-dev",
    "linux-modules-",
    "linux-source",
    "linux-support-",
];

/// How those of rpm distributions begin that call their kernel `linux`.
const RPM: &[&str] = &[
    "linux-api-headers",
    "linux-aws",
    "linux-devel",
    "linux-docs",
    "linux-drivers",
    "linux-esx",
    "linux-glibc-devel",
    "linux-rt",
    "linux-secure",
];

/// How those of Alpine and its relatives begin.
const APK: &[&str] = &[
    "linux-asahi",
    "linux-edge",
    "linux-headers",
    "linux-lts",
    "linux-rpi",
    "linux-stable",
    "linux-virt",
];

/// Whether this package is a part of a kernel that only a booted machine runs.
pub(crate) fn is_kernel(package: &Package) -> bool {
    let name = &*package.name;
    let begins = |list: &[&str]| list.iter().any(|start| name.starts_with(start));
    match package.kind {
        PackageType::Deb => {
            let source = package.source.as_ref().map_or(name, |source| &source.name);
            (source == "linux" || source.starts_with("linux-")) && begins(DEB)
        }
        PackageType::Rpm => name == "linux" || begins(RPM) || is_kernel_rpm(name),
        PackageType::Apk => begins(APK),
        _ => false,
    }
}

/// `kernel`, `kernel-core`, `kernel6.1-headers`; not `kernel-tools` and its libraries.
fn is_kernel_rpm(name: &str) -> bool {
    name.strip_prefix("kernel").is_some_and(|rest| {
        let is_kernel =
            rest.is_empty() || rest.starts_with(|it: char| it == '-' || it.is_ascii_digit());
        is_kernel && !rest.contains("-tools")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::package;
    use seaworthy_core::SourcePackage;

    #[test]
    fn what_only_a_booted_machine_runs_is_of_the_kernel() {
        for (kind, name, source, expected) in [
            ("deb", "linux-libc-dev", "linux", true),
            ("deb", "linux-headers-6.1.0-18-common", "linux", true),
            (
                "deb",
                "linux-image-6.1.0-18-amd64",
                "linux-signed-amd64",
                true,
            ),
            ("deb", "linux-modules-5.15.0-91-generic", "linux", true),
            ("deb", "linux-perf", "linux", false),
            ("deb", "bpftool", "linux", false),
            ("deb", "linux-tools-common", "linux", false),
            ("deb", "linux-base", "linux-base", false),
            ("deb", "linuxptp", "linuxptp", false),
            ("rpm", "kernel", "kernel", true),
            ("rpm", "kernel-headers", "kernel", true),
            ("rpm", "kernel-uek-core", "kernel-uek", true),
            ("rpm", "kernel6.1-devel", "kernel6.1", true),
            ("rpm", "linux-glibc-devel", "linux-glibc-devel", true),
            ("rpm", "kernel-tools-libs", "kernel", false),
            ("rpm", "kernelshark", "trace-cmd", false),
            ("rpm", "linux-firmware", "linux-firmware", false),
            ("apk", "linux-headers", "linux-headers", true),
            ("apk", "linux-pam", "linux-pam", false),
            ("npm", "kernel", "kernel", false),
        ] {
            let mut package = package(kind, name, "1");
            package.source = Some(SourcePackage {
                name: source.into(),
                version: package.version.clone(),
            });
            assert_eq!(is_kernel(&package), expected, "{kind} {name}");
        }
    }
}
