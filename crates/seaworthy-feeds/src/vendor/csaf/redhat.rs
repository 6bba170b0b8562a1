//! Red Hat's names: which world a product is, and which package an item is.

use std::str::FromStr;

use seaworthy_core::{Ecosystem, Purl};

use super::document::Item;
use super::{Package, is_debugging, is_name};
use crate::red_hat::red_hat_ecosystem;

pub(super) fn ecosystem_of(product: Item<'_>) -> Option<Ecosystem> {
    red_hat_ecosystem(product.cpe?)
}

/// The package that `item` is, in whatever product.
pub(super) fn package_of(item: Item<'_>, product: Item<'_>, _fixed: bool) -> Option<Package> {
    let Some(text) = item.purl else {
        return component_of(item.id, product);
    };
    if !text.starts_with("pkg:rpm/") {
        return None;
    }
    let purl = Purl::from_str(text).ok()?;
    let name = Some(purl.name()).filter(|it| is_name(it) && !is_debugging(it))?;
    let module = purl.qualifier("rpmmod").and_then(|module| {
        // `name:stream:version:context`.
        let (name, rest) = module.split_once(':')?;
        let stream = rest.split(':').next()?;
        (is_name(name) && is_name(stream)).then(|| format!("{name}:{stream}").into())
    });
    let version = match purl.version() {
        None => None,
        Some(version) if !is_name(version) => return None,
        Some(version) => {
            let epoch = purl
                .qualifier("epoch")
                .or_else(|| epoch_of(item.id, name))
                .filter(|it| !it.is_empty() && it.bytes().all(|byte| byte.is_ascii_digit()));
            Some(match epoch {
                Some(epoch) if epoch.bytes().any(|byte| byte != b'0') => {
                    format!("{epoch}:{version}").into()
                }
                _ => version.into(),
            })
        }
    };
    Some(Package {
        name: name.into(),
        version,
        module,
        is_source: purl.qualifier("arch") == Some("src"),
    })
}

/// The epoch in `name-epoch:version-release.arch`; older documents leave it out
/// of the package URL.
fn epoch_of<'a>(id: &'a str, name: &str) -> Option<&'a str> {
    let (epoch, _) = id.strip_prefix(name)?.strip_prefix('-')?.split_once(':')?;
    Some(epoch)
}

/// The source package that an item without a package URL is. Only the
/// distribution itself consists of packages; what other products call a component
/// may be anything. `postgresql:15/postgresql` is one of a module's stream.
fn component_of(id: &str, product: Item<'_>) -> Option<Package> {
    let is_distribution = product
        .cpe?
        .split(':')
        .nth(3)
        .is_some_and(|it| it.starts_with("enterprise_linux") || it.starts_with("rhel_"));
    if !is_distribution {
        return None;
    }
    let (module, name) = match id.split_once('/') {
        None => (None, id),
        Some((module, name)) => {
            let (family, stream) = module.split_once(':')?;
            if !(is_name(family) && is_name(stream)) {
                return None;
            }
            (Some(module.into()), name)
        }
    };
    is_name(name).then(|| Package {
        name: name.into(),
        version: None,
        module,
        is_source: true,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_item_is_a_package_of_some_kind() {
        let read = |id: &str, purl: Option<&str>, cpe: &str| {
            let item = |id, cpe, purl| Item {
                id,
                name: "",
                cpe,
                purl,
            };
            package_of(item(id, None, purl), item("p", Some(cpe), None), false).map_or(
                "none".to_owned(),
                |it| {
                    format!(
                        "{} {} {}{}",
                        it.name,
                        it.version.as_deref().unwrap_or("-"),
                        it.module.as_deref().unwrap_or("-"),
                        if it.is_source { " source" } else { "" }
                    )
                },
            )
        };
        let rhel = "cpe:/o:redhat:enterprise_linux:9";
        let other = "cpe:/a:redhat:amq:7";
        for (id, purl, product, expected) in [
            (
                "firefox-0:115.5.0-1.el9_2.src",
                Some("pkg:rpm/redhat/firefox@115.5.0-1.el9_2?arch=src"),
                rhel,
                "firefox 115.5.0-1.el9_2 - source",
            ),
            (
                "bind-32:9.16-1.el9.x86_64",
                Some("pkg:rpm/redhat/bind@9.16-1.el9?arch=x86_64"),
                rhel,
                "bind 32:9.16-1.el9 -",
            ),
            (
                "x",
                Some(
                    "pkg:rpm/redhat/perl-FCGI@0.78-12.module%2Bel8.10.0%2B1?arch=aarch64&epoch=1&rpmmod=perl-FCGI:0.78:81:69",
                ),
                rhel,
                "perl-FCGI 1:0.78-12.module+el8.10.0+1 perl-FCGI:0.78",
            ),
            ("samba", Some("pkg:rpm/redhat/samba"), rhel, "samba - -"),
            (
                "gdb-debuginfo",
                Some("pkg:rpm/redhat/gdb-debuginfo@1-1?arch=x86_64"),
                rhel,
                "none",
            ),
            (
                "m",
                Some("pkg:maven/antlr/antlr@2.7.7?type=jar"),
                rhel,
                "none",
            ),
            ("postgresql", None, rhel, "postgresql - - source"),
            ("postgresql", None, other, "none"),
            (
                "postgresql:15/postgresql",
                None,
                rhel,
                "postgresql - postgresql:15 source",
            ),
            ("rhelai3/bootc-aws", None, rhel, "none"),
        ] {
            assert_eq!(read(id, purl, product), expected, "{id}");
        }
    }
}
