//! What decides what is said of a package.

use std::fmt::Write as _;

use seaworthy_core::Inventory;

use crate::home::{Lookup, home, minor_streams};
use crate::kernel::is_kernel;
use crate::vendor::Own;

/// For each package of an inventory, all that its findings depend on beside the
/// edition, as one text: the lookups that are made for it, how each answer counts,
/// and whether the package is somebody else's or of a kernel.
///
/// Packages with the same text have the same findings in the same edition, in
/// whatever image they are. The text is for comparing, not for reading.
pub fn deciding(inventory: &Inventory) -> Vec<String> {
    let distro = inventory.distro.as_ref();
    let streams = minor_streams(distro, &inventory.content_sets);
    let own = Own::of(distro, &inventory.packages);
    inventory
        .packages
        .iter()
        .map(|package| {
            let mut text = String::new();
            match home(package, distro, &streams, &own) {
                Ok(home) => {
                    for it in std::iter::once(&home.main).chain(&home.others) {
                        lookup(it, &mut text);
                    }
                    if home.foreign.is_some() {
                        text.push_str("foreign\n");
                    }
                }
                Err(_) => text.push_str("nowhere\n"),
            }
            if is_kernel(package) {
                text.push_str("kernel\n");
            }
            text
        })
        .collect()
}

fn lookup(lookup: &Lookup<'_>, out: &mut String) {
    let Lookup {
        ecosystem,
        name,
        version,
        standing,
        scope,
    } = lookup;
    // A text takes whatever is written to it. Debug quotes what hostile names are made of, so that no two texts meet.
    let _written = writeln!(
        out,
        "{:?} {name:?} {} {:?} {standing:?} {scope:?}",
        ecosystem.to_string(),
        version.scheme().name(),
        version.text(),
    );
}

#[cfg(test)]
mod tests {
    use seaworthy_core::Inventory;

    use super::*;
    use crate::fixture::{distro, package};

    fn of(kind: &str, release: &str, version: &str) -> String {
        let inventory = Inventory {
            distro: Some(distro("debian", release)),
            packages: vec![package(kind, "zlib", version)],
            ..Inventory::default()
        };
        deciding(&inventory).pop().unwrap_or_default()
    }

    #[test]
    fn a_distributions_package_depends_on_the_release_and_others_do_not() {
        assert_eq!(of("deb", "12.1", "1"), of("deb", "12.5", "1"));
        assert_ne!(of("deb", "12", "1"), of("deb", "13", "1"));
        assert_eq!(of("npm", "12", "1"), of("npm", "13", "1"));
        assert_ne!(of("npm", "12", "1"), of("npm", "12", "2"));
    }
}
