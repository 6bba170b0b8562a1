//! The list that Azure Linux and Mariner leave in images without a database: one
//! line per package, ten fields set apart by tabs.

use super::header::{self, Said};
use crate::record::FileRecord;

/// Name, version-release, install time, build time, vendor, epoch, size,
/// architecture, epoch as a number, source package.
const FIELDS: usize = 10;

/// Reads the whole list.
pub(super) fn read(bytes: &[u8], found: &mut FileRecord) {
    let text = String::from_utf8_lossy(bytes);
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        let fields: Vec<&str> = line.splitn(FIELDS + 1, '\t').collect();
        let &[
            name,
            version,
            _,
            _,
            vendor,
            _,
            _,
            architecture,
            epoch,
            source,
        ] = &*fields
        else {
            found.gap(format!(
                "manifest of packages: a line with {} fields instead of {FIELDS}",
                fields.len()
            ));
            continue;
        };
        let Ok(epoch) = epoch.parse() else {
            found.gap(format!(
                "manifest of packages: `{name}` with the epoch `{epoch}`"
            ));
            continue;
        };
        let told = |text: &'static str| move |it: &&str| !it.is_empty() && *it != text;
        found.package(header::record(&Said {
            name,
            version,
            epoch,
            architecture: Some(architecture).filter(told("(none)")),
            vendor: Some(vendor).filter(told("(none)")),
            source: Some(source).filter(told("(none)")),
            module: None,
        }));
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use crate::rpm::Rpm;
    use crate::trial::read;

    #[test]
    fn a_line_is_a_package_and_a_short_one_a_gap() {
        assert_snapshot!(read(&Rpm, super::super::MANIFEST,
            "glibc\t2.35-2.cm2\t1\t2\tMicrosoft Corporation\t(none)\t3\tx86_64\t0\tglibc-2.35-2.cm2.src.rpm\n\
             vim\t9.0-1.cm2\t1\t2\t(none)\t2\t3\tx86_64\t2\tvim-9.0-1.cm2.src.rpm\n\
             \n\
             short\t1-1\n\
             odd\t1-1\t1\t2\tv\t(none)\t3\tnoarch\tmany\todd-1-1.src.rpm\n"),
        @r"
        glibc 2.35-2.cm2 x86_64 by Microsoft Corporation
        vim 2:9.0-1.cm2 x86_64
        gap: manifest of packages: a line with 2 fields instead of 10
        gap: manifest of packages: `odd` with the epoch `many`
        ");
    }
}
