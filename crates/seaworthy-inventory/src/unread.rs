//! Package records of ecosystems that no probe reads yet. They are met and said,
//! so that an image full of them does not look judged.

use seaworthy_image::FileFacts;

use crate::probe::{Probe, Scanner};
use crate::record::FileRecord;

/// Notices what it cannot read.
pub(crate) struct Unread;

/// The name of the probe, by which [`crate::link`] gathers its gaps.
pub(crate) const NAME: &str = "unread";

/// What the record at `path` belongs to, if it is one that nobody reads.
fn ecosystem(path: &str) -> Option<&'static str> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let (stem, extension) = name.rsplit_once('.').unwrap_or((name, ""));
    let inside = |last: &str| folder == last || folder.ends_with(&format!("/{last}"));
    if extension == "gemspec" && (inside("specifications") || inside("specifications/default")) {
        Some("Ruby gems")
    } else if name == "installed.json" && inside("vendor/composer") {
        Some("PHP packages of Composer")
    } else if extension == "json"
        && stem
            .rsplit_once('.')
            .is_some_and(|(_, last)| last == "deps")
    {
        Some(".NET packages")
    } else if extension == "json" && inside("conda-meta") {
        Some("conda packages")
    } else if name == "DESCRIPTION"
        && (path.contains("/library/") || path.contains("/site-library/"))
    {
        Some("R packages")
    } else {
        None
    }
}

impl Probe for Unread {
    fn name(&self) -> &'static str {
        NAME
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        // Most paths end otherwise; only the rest is looked at closely.
        let ends = [".gemspec", ".json", "/DESCRIPTION"];
        ends.iter().any(|end| file.path.ends_with(end)) && ecosystem(file.path).is_some()
    }

    fn limit(&self) -> u64 {
        // That it is there says it all: nothing of it is held.
        0
    }

    fn read(&self, file: &FileFacts<'_>, _bytes: &[u8], found: &mut FileRecord) {
        say(file.path, found);
    }

    fn scanner(&self, file: &FileFacts<'_>) -> Option<Box<dyn Scanner>> {
        Some(Box::new(Passing(file.path.to_owned())))
    }
}

/// A file that passes by unread.
struct Passing(String);

impl Scanner for Passing {
    fn feed(&mut self, _bytes: &[u8], _found: &mut FileRecord) {}

    fn finish(self: Box<Self>, found: &mut FileRecord) {
        say(&self.0, found);
    }
}

fn say(path: &str, found: &mut FileRecord) {
    if let Some(ecosystem) = ecosystem(path) {
        found.gap(format!("{ecosystem} are not read yet"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_of_unread_ecosystems_are_noticed_and_others_are_not() {
        for (path, ecosystem_name) in [
            (
                "usr/lib/ruby/gems/3.1.0/specifications/default/json-2.6.1.gemspec",
                "Ruby gems",
            ),
            (
                "srv/vendor/composer/installed.json",
                "PHP packages of Composer",
            ),
            ("app/app.deps.json", ".NET packages"),
            ("opt/conda/conda-meta/openssl-3.0.8.json", "conda packages"),
            ("usr/lib/R/library/base/DESCRIPTION", "R packages"),
        ] {
            assert_eq!(ecosystem(path), Some(ecosystem_name), "{path}");
        }
        for path in [
            "a.gemspec",
            "installed.json",
            "package.json",
            "debian/DESCRIPTION",
        ] {
            assert_eq!(ecosystem(path), None, "{path}");
        }
    }
}
