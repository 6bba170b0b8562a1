//! Package URLs of what an inventory holds.

use std::fmt::Write;

use seaworthy_core::{Distro, Package, PackageType};

/// The package URL of `package`: type, namespace, name and version, with the
/// architecture and distribution where they tell packages apart.
pub(crate) fn purl(package: &Package, distro: Option<&Distro>) -> String {
    let mut out = format!("pkg:{}/", package.kind.purl_type());
    let (namespace, name) = match &package.kind {
        PackageType::Maven => split(package.name.split_once(':'), &package.name),
        PackageType::Golang | PackageType::Npm | PackageType::Composer => {
            split(package.name.rsplit_once('/'), &package.name)
        }
        kind if kind.is_os() => (distro.map(|distro| &*distro.id), &*package.name),
        _ => (None, &*package.name),
    };
    for part in namespace.unwrap_or_default().split('/') {
        if !part.is_empty() {
            encode(part, &mut out);
            out.push('/');
        }
    }
    encode(name, &mut out);
    if !package.version.text().is_empty() {
        out.push('@');
        encode(package.version.text(), &mut out);
    }
    let mut mark = '?';
    let mut qualify = |key: &str, value: &str| {
        if !value.is_empty() {
            out.push(mark);
            mark = '&';
            out.push_str(key);
            out.push('=');
            encode(value, &mut out);
        }
    };
    if let Some(architecture) = &package.architecture {
        qualify("arch", architecture);
    }
    if let (true, Some(distro)) = (package.kind.is_os(), distro)
        && let Some(release) = &distro.version_id
    {
        qualify("distro", &format!("{}-{release}", distro.id));
    }
    out
}

fn split<'a>(parts: Option<(&'a str, &'a str)>, whole: &'a str) -> (Option<&'a str>, &'a str) {
    match parts {
        Some((namespace, name)) => (Some(namespace), name),
        None => (None, whole),
    }
}

/// Percent-encodes all but what the specification leaves as it is.
fn encode(text: &str, out: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}
