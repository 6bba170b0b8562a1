//! What Red Hat calls its platforms, and we call them.

use seaworthy_core::Ecosystem;

/// Streams of minor releases that live longer than the mainline, as Red Hat's
/// platform names spell them.
const STREAMS: [&str; 6] = ["aus", "e4s", "els", "eus", "eus_long_life", "tus"];

/// The ecosystem that packages of the platform `cpe` live in.
///
/// Whatever the repository, the mainline of a release is `Red Hat:9`. A stream
/// that outlives its minor release is `Red Hat:eus:9.2` (likewise `aus`, `e4s`,
/// `els`, `eus_long_life`, `tus`), any other product `Red Hat:openshift:4.12`, with
/// the release its packages are built for where it has several
/// (`Red Hat:openshift:4.12:el8`). `None` for what is no platform of Red Hat.
pub fn red_hat_ecosystem(cpe: &str) -> Option<Ecosystem> {
    let mut parts = cpe.strip_prefix("cpe:/")?.split(':');
    if !matches!(parts.next()?, "a" | "o") || parts.next()? != "redhat" {
        return None;
    }
    let product = parts.next().filter(|it| is_word(it))?;
    let version = parts.next().unwrap_or_default();
    let edition = parts.nth(1).unwrap_or_default();
    if !(version.is_empty() || is_word(version)) {
        return None;
    }
    if product == "enterprise_linux" {
        let major = version.split('.').next().filter(|it| !it.is_empty())?;
        return Some(Ecosystem::of_release("Red Hat", major));
    }
    let stream = ["rhel_", "enterprise_linux_"]
        .iter()
        .find_map(|prefix| product.strip_prefix(prefix))
        .filter(|stream| STREAMS.contains(stream));
    let mut release = String::from(stream.unwrap_or(product));
    if !version.is_empty() {
        release.push(':');
        release.push_str(version);
    }
    let built_for = edition.strip_prefix("el").is_some_and(|number| {
        !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
    });
    if built_for {
        release.push(':');
        release.push_str(edition);
    }
    Some(Ecosystem::of_release("Red Hat", &release))
}

/// Whether `text` can be a part of a platform's name.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'/' | b'@' | b'"' | b'\\');
    !text.is_empty() && text.len() <= 200 && text.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_platform_is_the_mainline_a_stream_or_another_product() {
        for (cpe, expected) in [
            ("cpe:/o:redhat:enterprise_linux:9", "Red Hat:9"),
            ("cpe:/a:redhat:enterprise_linux:8::appstream", "Red Hat:8"),
            ("cpe:/o:redhat:enterprise_linux:10.1", "Red Hat:10"),
            ("cpe:/o:redhat:rhel_eus:9.2::baseos", "Red Hat:eus:9.2"),
            ("cpe:/a:redhat:rhel_e4s:9.0::appstream", "Red Hat:e4s:9.0"),
            ("cpe:/a:redhat:rhel_aus:8.4::appstream", "Red Hat:aus:8.4"),
            ("cpe:/o:redhat:rhel_tus:8.4::baseos", "Red Hat:tus:8.4"),
            (
                "cpe:/o:redhat:enterprise_linux_eus:10.0",
                "Red Hat:eus:10.0",
            ),
            (
                "cpe:/o:redhat:rhel_eus_long_life:8.4::baseos",
                "Red Hat:eus_long_life:8.4",
            ),
            ("cpe:/o:redhat:rhel_els:7", "Red Hat:els:7"),
            (
                "cpe:/a:redhat:openshift:4.12::el8",
                "Red Hat:openshift:4.12:el8",
            ),
            ("cpe:/a:redhat:openshift:4", "Red Hat:openshift:4"),
            (
                "cpe:/a:redhat:rhel_software_collections:3::el7",
                "Red Hat:rhel_software_collections:3:el7",
            ),
            ("cpe:/a:redhat:optaplanner:::el6", "Red Hat:optaplanner:el6"),
            ("cpe:/o:redhat:enterprise_linux", "none"),
            ("cpe:/o:suse:sles:15", "none"),
            ("cpe:2.3:o:redhat:enterprise_linux:9:*", "none"),
            ("", "none"),
        ] {
            let said = red_hat_ecosystem(cpe).map_or("none".into(), |it| it.to_string());
            assert_eq!(said, expected, "{cpe}");
        }
    }
}
