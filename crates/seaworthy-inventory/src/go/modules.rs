//! The list of modules, and the toolchain, as packages.

use seaworthy_core::PackageType;

use super::info::Info;
use crate::record::{FileRecord, PackageRecord};

/// What stands where a version would be, for a module built from a working copy.
const WORKING_COPY: &str = "(devel)";

/// Required versions that only hold the place of a folder.
const PLACEHOLDERS: [&str; 3] = ["", "v0.0.0", "v0.0.0-00010101000000-000000000000"];

/// A line `mod`, `dep` or `=>`.
#[derive(Clone, Copy)]
struct Module<'a> {
    path: &'a str,
    version: &'a str,
}

/// Lists what a program was built from.
pub(super) fn list(info: &Info, found: &mut FileRecord) {
    match &info.toolchain {
        None => found.gap("Go build information: which toolchain built it could not be found"),
        Some(toolchain) => match release(toolchain) {
            Some(version) => package("stdlib", &version, found),
            None => found.gap(format!(
                "built with the Go toolchain `{toolchain}`, which is no release"
            )),
        },
    }
    if info.modules.is_empty() {
        return found.gap("a Go program built without modules: what is in it is not recorded");
    }
    let mut lines = info.modules.lines().peekable();
    while let Some(line) = lines.next() {
        let Some((kind @ ("mod" | "dep"), rest)) = line.split_once('\t') else {
            continue;
        };
        let module = module(rest);
        let replacement = lines
            .peek()
            .and_then(|line| line.strip_prefix("=>\t"))
            .map(self::module);
        match replacement {
            Some(by) if matches!(by.version, "" | WORKING_COPY) => {
                if !PLACEHOLDERS.contains(&module.version) && kind == "dep" {
                    found.gap(format!(
                        "Go module `{}` {} is replaced by the folder `{}`",
                        module.path, module.version, by.path
                    ));
                }
            }
            Some(by) => package(by.path, by.version, found),
            // Modules of one workspace are all working copies.
            None if module.version == WORKING_COPY => {}
            None if kind == "mod" && module.version.is_empty() => {}
            None => package(module.path, module.version, found),
        }
    }
}

fn module(rest: &str) -> Module<'_> {
    let mut fields = rest.split('\t');
    Module {
        path: fields.next().unwrap_or_default(),
        version: fields.next().unwrap_or_default(),
    }
}

fn package(name: &str, version: &str, found: &mut FileRecord) {
    found.package(PackageRecord::recorded(&PackageType::Golang, name, version));
}

/// The version of a toolchain as advisories about `stdlib` write it:
/// `go1.21rc2 X:boringcrypto` is `1.21.0-rc.2`. What distributions add behind
/// the number is dropped. `None` for anything but a release.
fn release(toolchain: &str) -> Option<String> {
    let word = toolchain.split_whitespace().next()?.strip_prefix("go")?;
    let digits = |text: &str| {
        text.len()
            - text
                .trim_start_matches(|it: char| it.is_ascii_digit())
                .len()
    };

    let mut numbers = Vec::new();
    let mut rest = word;
    loop {
        let (number, tail) = rest.split_at_checked(digits(rest))?;
        if number.is_empty() || number.len() > 9 {
            return None;
        }
        numbers.push(number);
        rest = tail;
        match tail.strip_prefix('.') {
            Some(tail) if numbers.len() < 3 => rest = tail,
            _ => break,
        }
    }
    if numbers.len() < 2 {
        return None;
    }
    numbers.resize(3, "0");
    let version = numbers.join(".");
    for (short, long) in [("rc", "rc"), ("beta", "beta")] {
        if let Some(tail) = rest.strip_prefix(short) {
            let (number, _) = tail.split_at_checked(digits(tail))?;
            return (!number.is_empty()).then(|| format!("{version}-{long}.{number}"));
        }
    }
    let is_addition = |it: char| matches!(it, '-' | '+' | '_' | '.');
    (rest.is_empty() || rest.starts_with(is_addition)).then_some(version)
}

#[cfg(test)]
mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_toolchain_is_written_as_advisories_write_it() {
        let check = |toolchain: &str| release(toolchain).unwrap_or("none".to_owned());
        for (toolchain, expected) in [
            ("go1.22.3", "1.22.3"),
            ("go1.22", "1.22.0"),
            ("go1.21rc2", "1.21.0-rc.2"),
            ("go1.18beta1", "1.18.0-beta.1"),
            ("go1.9.2rc2", "1.9.2-rc.2"),
            ("go1.22.1 X:loopvar", "1.22.1"),
            ("go1.19.13 (Red Hat 1.19.13-1.el9)", "1.19.13"),
            ("go1.20.12-fips", "1.20.12"),
            ("go1.20.12+microsoft.1", "1.20.12"),
            ("devel go1.23-abcdef Mon Jan 1", "none"),
            ("devel +b8061825 Tue", "none"),
            ("go1", "none"),
            ("go1.", "none"),
            ("go1.2x", "none"),
            ("go1.21rc", "none"),
            ("", "none"),
        ] {
            assert_eq!(check(toolchain), expected, "{toolchain}");
        }
    }

    fn check(toolchain: Option<&str>, modules: &str) -> String {
        let mut found = FileRecord::of("go", "bin/tool");
        let info = Info {
            toolchain: toolchain.map(str::to_owned),
            modules: modules.to_owned(),
        };
        list(&info, &mut found);
        let packages = found.packages.iter();
        let mut lines: Vec<String> = packages
            .map(|it| format!("{} {}", it.name, it.version))
            .collect();
        lines.extend(found.gaps.iter().map(|it| format!("gap: {it}")));
        lines.join("\n")
    }

    #[test]
    fn modules_are_listed_after_replacement() {
        assert_snapshot!(check(Some("go1.22.3"),
            "path\texample.org/tool/cmd\n\
             mod\texample.org/tool\t(devel)\t\n\
             dep\tgolang.org/x/text\tv0.3.0\th1:abc=\n\
             dep\tgolang.org/x/net\tv0.1.0\n\
             =>\texample.org/fork/net\tv0.2.0\th1:abc=\n\
             dep\tk8s.io/api\tv0.0.0\n\
             =>\t./staging/src/k8s.io/api\t(devel)\t\n\
             dep\tk8s.io/other\tv0.0.0\n\
             =>\t./staging/src/k8s.io/other\t\t\n\
             dep\texample.org/patched\tv1.2.3\n\
             =>\t../patched\t\t\n\
             build\t-compiler=gc\n"), @"
        stdlib 1.22.3
        golang.org/x/text v0.3.0
        example.org/fork/net v0.2.0
        gap: Go module `example.org/patched` v1.2.3 is replaced by the folder `../patched`
        ");
        assert_snapshot!(check(Some("go1.24.0"), "mod\texample.org/tool\tv1.2.3-0.20240101000000-0123456789ab+dirty\t\n"), @"
        stdlib 1.24.0
        example.org/tool v1.2.3-0.20240101000000-0123456789ab+dirty
        ");
    }

    #[test]
    fn what_is_not_known_is_a_gap() {
        assert_snapshot!(check(None, "path\tcommand-line-arguments\n"), @"gap: Go build information: which toolchain built it could not be found");
        assert_snapshot!(check(Some("devel +abc"), ""), @"
        gap: built with the Go toolchain `devel +abc`, which is no release
        gap: a Go program built without modules: what is in it is not recorded
        ");
    }

    proptest! {
        #[test]
        fn any_text_is_a_list(toolchain in ".{0,40}", modules in "(mod|dep|=>|path|\t|\n|v1|.){0,60}") {
            check(Some(&toolchain), &modules);
            let _ = release(&format!("go{toolchain}"));
        }
    }
}
