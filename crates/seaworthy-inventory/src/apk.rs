//! Alpine packages: the installed database of apk.

use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;

use crate::lines::{Line, Lines};
use crate::probe::{Probe, Scanner};
use crate::record::{FileRecord, PackageRecord, SourceRecord};

/// Reads `lib/apk/db/installed`, wherever `lib` is.
///
/// The database lists installed packages only: a paragraph each, one field a
/// line, named by one letter whose case counts. A package's origin is the
/// recipe it was built by, and shares its version.
#[derive(Debug)]
pub(crate) struct Apk;

/// Larger databases than this are read in pieces, in bytes.
const LIMIT: u64 = 4 << 20;

impl Probe for Apk {
    fn name(&self) -> &'static str {
        "apk"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        matches!(
            file.path,
            "lib/apk/db/installed" | "usr/lib/apk/db/installed"
        )
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, _: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let mut installed = Box::new(Installed::default());
        installed.feed(bytes, found);
        installed.finish(found);
    }

    fn scanner(&self, _: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        Some(Box::new(Installed::default()))
    }
}

/// An installed database being read.
#[derive(Debug, Default)]
struct Installed {
    lines: Lines,
    paragraph: Paragraph,
}

impl Scanner for Installed {
    fn feed(&mut self, bytes: &[u8], found: &mut FileRecord) {
        found.database = true;
        let Self { lines, paragraph } = self;
        lines.feed(bytes, |line| paragraph.line(line, found));
    }

    fn finish(self: Box<Self>, found: &mut FileRecord) {
        found.database = true;
        let Self {
            lines,
            mut paragraph,
        } = *self;
        lines.finish(|line| paragraph.line(line, found));
        paragraph.close(found);
    }
}

/// What we keep of one paragraph.
#[derive(Debug, Default)]
struct Paragraph {
    name: Option<String>,
    version: Option<String>,
    architecture: Option<String>,
    origin: Option<String>,
    is_begun: bool,
    trouble: Option<&'static str>,
}

impl Paragraph {
    fn line(&mut self, line: Line<'_>, found: &mut FileRecord) {
        if line.bytes.is_empty() || line.bytes == b"\r" {
            std::mem::take(self).close(found);
            return;
        }
        self.is_begun = true;
        if line.is_cut {
            self.trouble("a line is longer than can be read");
        }
        let [letter, b':', value @ ..] = line.bytes else {
            self.trouble("a line is no field");
            return;
        };
        let field = match letter {
            b'P' => &mut self.name,
            b'V' => &mut self.version,
            b'A' => &mut self.architecture,
            b'o' => &mut self.origin,
            _ => return,
        };
        if field.is_some() {
            self.trouble("a field is given twice");
            return;
        }
        let value = String::from_utf8_lossy(value).trim().to_owned();
        *field = Some(value).filter(|value| !value.is_empty());
    }

    fn trouble(&mut self, why: &'static str) {
        self.trouble.get_or_insert(why);
    }

    fn close(self, found: &mut FileRecord) {
        if !self.is_begun {
            return;
        }
        let title = self.name.as_deref().map_or_else(
            || "a package without a name".to_owned(),
            |name| format!("package `{name}`"),
        );
        if let Some(why) = self.trouble {
            found.gap(format!("{title}: {why}"));
        }
        let (Some(name), Some(version)) = (&self.name, &self.version) else {
            found.gap(if self.name.is_some() {
                format!("{title} without a version")
            } else {
                title
            });
            return;
        };
        let origin = self.origin.as_deref().unwrap_or(name);
        found.package(PackageRecord {
            source: Some(SourceRecord::new(origin, version)),
            architecture: self.architecture,
            ..PackageRecord::recorded(&PackageType::Apk, name, version)
        });
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::trial::read;

    const INSTALLED: &str = "lib/apk/db/installed";

    #[test]
    fn an_origin_shares_the_version_of_its_packages() {
        assert_snapshot!(read(&Apk, INSTALLED,
            "C:Q1=\nP:musl-utils\nV:1.1.24-r2\nA:x86_64\no:musl\np:cmd:getent\nF:sbin\nR:ldconfig\n\n\
             P:busybox\nV:1.36.1-r29\nA:x86_64\no:busybox\n\n\
             P:mine\nV:1.2.3"
        ), @r"
        musl-utils 1.1.24-r2 x86_64 (from musl 1.1.24-r2)
        busybox 1.36.1-r29 x86_64
        mine 1.2.3
        ");
    }

    #[test]
    fn a_broken_paragraph_is_a_gap_and_the_rest_is_read() {
        assert_snapshot!(read(&Apk, INSTALLED,
            "this is no database\n\n\
             P:musl\nA:x86_64\n\n\n\
             V:1\n\n\
             P:one\nP:two\nV:1\n\n\
             P:busybox\nV:1.36.1-r29\n\n"
        ), @r"
        one 1
        busybox 1.36.1-r29
        gap: a package without a name: a line is no field
        gap: a package without a name
        gap: package `musl` without a version
        gap: a package without a name
        gap: package `one`: a field is given twice
        ");
        let long = format!("P:x\nV:{}\n\nP:y\nV:2", "9".repeat(3 << 20));
        assert_snapshot!(read(&Apk, INSTALLED, &long), @r"
        y 2
        gap: package `x`: a line is longer than can be read
        gap: package `x` has a text that is too long or holds control characters
        ");
    }
}
