//! Artifact and version in the file name of an archive.

/// Words that belong to the version before them, without their digits.
const QUALIFIERS: [&str; 22] = [
    "alpha",
    "android",
    "b",
    "beta",
    "build",
    "cr",
    "dev",
    "ea",
    "final",
    "ga",
    "incubating",
    "jbossorg",
    "jre",
    "m",
    "milestone",
    "pre",
    "rc",
    "redhat",
    "release",
    "snapshot",
    "sp",
    "v",
];

/// Splits a name without extension: `artifact-version`, or `bundle_version` as
/// Eclipse writes it.
pub(super) fn split(stem: &str) -> (&str, Option<&str>) {
    let dashes = stem.match_indices('-').filter_map(|(at, _)| cut(stem, at));
    for (artifact, version) in dashes {
        if !goes_on(version) {
            return (artifact, Some(version));
        }
    }
    let underline = stem
        .match_indices('_')
        .filter_map(|(at, _)| cut(stem, at))
        .find(|(_, version)| version.contains('.'));
    match underline {
        Some((artifact, version)) => (artifact, Some(version)),
        None => (stem, None),
    }
}

/// Whether a word behind a version is part of it, such as `rc1` or `jre`.
pub(super) fn is_qualifier(part: &str) -> bool {
    let word = part.trim_matches(|it: char| it.is_ascii_digit() || it == '.');
    QUALIFIERS.iter().any(|it| it.eq_ignore_ascii_case(word))
}

/// Both sides of the separator at `at`, if a number follows.
fn cut(stem: &str, at: usize) -> Option<(&str, &str)> {
    let (artifact, rest) = stem.split_at_checked(at)?;
    let mut characters = rest.chars();
    characters.next();
    let version = characters.as_str();
    let is_version = version.starts_with(|it: char| it.is_ascii_digit());
    (is_version && !artifact.is_empty()).then_some((artifact, version))
}

/// Whether the number was part of the name, as in `log4j-1.2-api-2.14.1`: a word
/// follows that qualifies no version, and behind it another number.
fn goes_on(version: &str) -> bool {
    let mut parts = version.split('-').skip(1).peekable();
    while let Some(part) = parts.next() {
        let is_number = part.starts_with(|it: char| it.is_ascii_digit());
        let number_follows = parts
            .peek()
            .is_some_and(|next| next.starts_with(|it: char| it.is_ascii_digit()));
        if !is_number && !is_qualifier(part) && number_follows {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_split_where_the_version_starts() {
        for (stem, artifact, version) in [
            ("log4j-core-2.14.1", "log4j-core", "2.14.1"),
            ("log4j-1.2-api-2.14.1", "log4j-1.2-api", "2.14.1"),
            ("guava-31.1-jre", "guava", "31.1-jre"),
            ("kafka_2.13-3.0.0", "kafka_2.13", "3.0.0"),
            ("foo-1.0-20210101.123456-1", "foo", "1.0-20210101.123456-1"),
            ("foo-1.0-SNAPSHOT", "foo", "1.0-SNAPSHOT"),
            ("foo-1.0-rc1-2", "foo", "1.0-rc1-2"),
            ("zstd-jni-1.3.8-5", "zstd-jni", "1.3.8-5"),
            (
                "java-cup-runtime-11b-20160615",
                "java-cup-runtime",
                "11b-20160615",
            ),
            (
                "netty-transport-native-epoll-4.1.58.Final-linux-x86_64",
                "netty-transport-native-epoll",
                "4.1.58.Final-linux-x86_64",
            ),
            (
                "org.eclipse.osgi_3.16.0.v2020",
                "org.eclipse.osgi",
                "3.16.0.v2020",
            ),
            (
                "jakarta.annotation-api-1.3.5",
                "jakarta.annotation-api",
                "1.3.5",
            ),
        ] {
            assert_eq!(split(stem), (artifact, Some(version)), "{stem}");
        }
        for stem in ["app", "guava-r09", "scala_library", "", "-1.0", "x-", "ü-ß"] {
            assert_eq!(split(stem), (stem, None), "{stem}");
        }
    }
}
