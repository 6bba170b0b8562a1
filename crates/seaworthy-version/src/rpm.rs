//! What versions of Red Hat's rpms, and of those built after them, tell beside their
//! order: which minor release, and which kind of build, they are of.

/// `9_2` of `7.76.1-23.el9_2.4`, `8.6.0` of `1-1.module+el8.6.0+1+2`, `9` of
/// `1-1.el9`: the minor release that a version was built for, as far as it says.
pub fn minor_release(version: &str) -> Option<&str> {
    let (_, rest) = version.rsplit_once("el").filter(|(before, rest)| {
        before.ends_with(['.', '+', '_']) && rest.starts_with(|it: char| it.is_ascii_digit())
    })?;
    if version.contains("+el") {
        return rest.split(['+', '~']).next();
    }
    let end = rest
        .find(|it: char| !it.is_ascii_digit() && it != '_')
        .unwrap_or(rest.len());
    rest.get(..end)
}

/// Whether a module has built this version.
pub fn is_modular(version: &str) -> bool {
    version.contains(".module")
}

/// `18` of `1:18.20.2-1.module+el8`.
pub fn upstream_major(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.split(['.', '-']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_tells_its_minor_release() {
        for (version, expected) in [
            ("7.76.1-23.el9_2.4", Some("9_2")),
            ("7.76.1-23.el9", Some("9")),
            ("1-1.module+el8.6.0+1+2", Some("8.6.0")),
            ("1-1.module+el9.2.0.z+19113+6f", Some("9.2.0.z")),
            ("1-1.fc40", None),
            ("1-1.elite", None),
            ("", None),
        ] {
            assert_eq!(minor_release(version), expected, "{version}");
        }
    }

    #[test]
    fn a_version_tells_its_major_and_whether_a_module_built_it() {
        for (version, major, modular) in [
            ("1:18.20.2-1.module+el8.9.0+1", "18", true),
            ("20240101-1.el9", "20240101", false),
            ("5-1", "5", false),
            ("", "", false),
        ] {
            assert_eq!(upstream_major(version), major, "{version}");
            assert_eq!(is_modular(version), modular, "{version}");
        }
    }
}
