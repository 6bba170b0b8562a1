//! npm packages: the `package.json` of installed modules.

use std::fmt;

use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

use seaworthy_core::PackageType;
use seaworthy_image::FileFacts;

use crate::probe::Probe;
use crate::record::{FileRecord, PackageRecord};

/// Reads `node_modules/<name>/package.json` and
/// `node_modules/@<scope>/<name>/package.json`, at any depth.
///
/// What counts is the name inside: an alias changes the folder only. Modules of
/// modules count as well, in the layout of npm and in the store of pnpm.
/// Elsewhere inside a module (test data, templates) a `package.json` counts
/// where it has both name and version, and is passed over otherwise.
#[derive(Debug)]
pub(crate) struct Npm;

/// The largest file read, in bytes. Old versions of npm wrote the readme into it.
const LIMIT: u64 = 4 << 20;

const MODULES: &str = "node_modules";

impl Probe for Npm {
    fn name(&self) -> &'static str {
        "npm"
    }

    fn version(&self) -> u32 {
        1
    }

    fn wants(&self, file: &FileFacts<'_>) -> bool {
        file.path
            .strip_suffix("/package.json")
            .is_some_and(|folder| module(folder).is_some())
    }

    fn limit(&self) -> u64 {
        LIMIT
    }

    fn read(&self, file: &FileFacts<'_>, bytes: &[u8], found: &mut FileRecord) {
        let folder = file.path.strip_suffix("/package.json").unwrap_or_default();
        let is_installed = module(folder).is_some_and(is_installed);
        let text = String::from_utf8_lossy(bytes);
        let text = text.trim_start_matches('\u{feff}');
        let manifest = match serde_json::from_str::<Manifest>(text) {
            Ok(manifest) => manifest,
            Err(_) if !is_installed => return,
            Err(error) => {
                found.gap(format!("it is not a JSON object: {error}"));
                return;
            }
        };
        match (text_of(&manifest.name), text_of(&manifest.version)) {
            (Some(name), Some(version)) => found.package(PackageRecord::recorded(
                &PackageType::Npm,
                name,
                loose(version),
            )),
            _ if !is_installed => {}
            (Some(name), None) => found.gap(format!("package `{name}` without a version")),
            (None, _) => found.gap("a package without a name"),
        }
    }
}

/// What surrounds the module that `folder` is, if it is one: the path up to the
/// last `node_modules`.
fn module(folder: &str) -> Option<&str> {
    let (rest, name) = split_last(folder);
    if name.is_empty() || name.starts_with('.') {
        return None;
    }
    let (above, parent) = split_last(rest);
    if parent == MODULES && !name.starts_with('@') {
        return Some(above);
    }
    let (above, grandparent) = split_last(above);
    (parent.starts_with('@') && grandparent == MODULES).then_some(above)
}

/// Whether a `node_modules` below `around` is one that Node searches: at the
/// top of a module, in a store, or outside of any module.
fn is_installed(around: &str) -> bool {
    let mut rest = around;
    loop {
        let Some(outer) = enclosing(rest) else {
            return !rest.split('/').any(|part| part == MODULES);
        };
        rest = outer;
    }
}

/// Peels one installed module, or one entry of a store, off the end of a path.
fn enclosing(path: &str) -> Option<&str> {
    module(path).or_else(|| {
        let (rest, _) = split_last(path);
        let (above, store) = split_last(rest);
        let (above, modules) = split_last(above);
        (matches!(store, ".pnpm" | ".store") && modules == MODULES).then_some(above)
    })
}

/// Everything but the last component, and the last component.
fn split_last(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn text_of(value: &Value) -> Option<&str> {
    value
        .as_str()
        .map(str::trim)
        .filter(|text| !text.is_empty())
}

/// npm reads `v1.0.0` and `=1.0.0` as `1.0.0`.
fn loose(version: &str) -> &str {
    let bare = version.trim_start_matches(['=', 'v', ' ']);
    if bare.starts_with(|first: char| first.is_ascii_digit()) {
        bare
    } else {
        version
    }
}

/// Name and version; of two with one key the later counts, as in JavaScript.
#[derive(Debug, Default)]
struct Manifest {
    name: Value,
    version: Value,
}

impl<'de> Deserialize<'de> for Manifest {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Fields;
        impl<'de> Visitor<'de> for Fields {
            type Value = Manifest;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Manifest, A::Error> {
                let mut manifest = Manifest::default();
                while let Some(key) = map.next_key::<String>()? {
                    match key.as_str() {
                        "name" => manifest.name = map.next_value()?,
                        "version" => manifest.version = map.next_value()?,
                        _ => {
                            map.next_value::<IgnoredAny>()?;
                        }
                    }
                }
                Ok(manifest)
            }
        }
        from.deserialize_map(Fields)
    }
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;

    use super::*;
    use crate::trial::read;

    fn find(folder: &str, text: &str) -> String {
        read(&Npm, &format!("{folder}/package.json"), text)
    }

    #[test]
    fn the_name_inside_counts() {
        assert_snapshot!(find("app/node_modules/my-alias", r#"{"name": "left-pad", "version": "v1.3.0"}"#), @"left-pad 1.3.0");
        assert_snapshot!(find("node_modules/@babel/core",
            r#"{"version": "0", "name": "@babel/core", "deep": [{"name": 1}], "version": "7.0.0"}"#
        ), @"@babel/core 7.0.0");
    }

    #[test]
    fn an_installed_module_without_name_or_version_is_a_gap() {
        for folder in [
            "node_modules/a",
            "srv/app/node_modules/@s/a",
            "node_modules/a/node_modules/b",
            "usr/lib/node_modules/npm/node_modules/@s/b",
            "node_modules/.pnpm/a@1.0.0/node_modules/a",
            "node_modules/.store/a@1.0.0-x/node_modules/a/node_modules/b",
        ] {
            assert_eq!(
                find(folder, "{}"),
                "gap: a package without a name\n",
                "{folder}"
            );
        }
        assert_snapshot!(find("node_modules/a", r#"{"name": "a", "version": 1}"#), @"gap: package `a` without a version");
        assert_snapshot!(find("node_modules/a", r#"{"name": "a", "version""#), @"gap: it is not a JSON object: EOF while parsing an object at line 1 column 23");
        assert_snapshot!(find("node_modules/a", "[]"), @"gap: it is not a JSON object: invalid type: sequence, expected an object at line 1 column 0");
        assert_snapshot!(find("node_modules/a", &format!(r#"{{"x": {}"#, "[".repeat(1 << 20))), @"gap: it is not a JSON object: EOF while parsing a list at line 1 column 1048582");
    }

    #[test]
    fn test_data_inside_a_module_counts_only_when_it_is_a_package() {
        let folder = "node_modules/resolve/test/nested/node_modules/b";
        assert_eq!(find(folder, "{}"), "");
        assert_eq!(find(folder, "nonsense"), "");
        assert_eq!(
            find(folder, r#"{"name": "b", "version": "1.0.0"}"#),
            "b 1.0.0\n"
        );
    }

    #[test]
    fn only_folders_of_modules_are_wanted() {
        for path in [
            "package.json",
            "app/package.json",
            "node_modules/package.json",
            "node_modules/.cache/package.json",
            "node_modules/@s/package.json",
            "node_modules/a/lib/package.json",
            "node_modules/@s/a/lib/package.json",
            "my_node_modules/a/package.json",
        ] {
            let file = FileFacts {
                path,
                mode: 0o644,
                size: 1,
            };
            assert!(!Npm.wants(&file), "{path}");
        }
    }
}
