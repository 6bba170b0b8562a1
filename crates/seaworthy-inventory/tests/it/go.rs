//! Programs built by Go, against `go version -m`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use seaworthy_testkit::{require, shared};

use crate::look::{kept, lines, look, output};

/// A program that uses two modules, one of them in place of another, and a
/// folder in place of a third.
const FILES: [(&str, &str); 6] = [
    (
        "go.mod",
        "module example.org/tool\n\ngo 1.20\n\n\
         require (\n\tgolang.org/x/text v0.3.0\n\tgithub.com/pkg/errors v0.8.0\n\
         \texample.org/patched v1.2.3\n)\n\n\
         replace github.com/pkg/errors => github.com/pkg/errors v0.9.1\n\
         replace example.org/patched => ./patched\n",
    ),
    ("patched/go.mod", "module example.org/patched\n"),
    (
        "patched/patched.go",
        "package patched\n\nfunc Name() string { return \"patched\" }\n",
    ),
    (
        "main.go",
        "package main\n\nimport (\n\t\"fmt\"\n\n\t\"example.org/patched\"\n\
         \t\"golang.org/x/text/language\"\n\t\"github.com/pkg/errors\"\n)\n\n\
         func main() {\n\tfmt.Println(language.English, errors.New(\"x\"), patched.Name())\n}\n",
    ),
    (
        // Small, for targets whose standard library has to be built first.
        "small/main.go",
        "package main\n\nimport \"golang.org/x/text/transform\"\n\n\
         func main() {\n\ttransform.Discard.Reset()\n}\n",
    ),
    (
        "large/main.go",
        "package main\n\nimport (\n\t_ \"embed\"\n\t\"fmt\"\n\n\t\"golang.org/x/text/language\"\n)\n\n\
         //go:embed filling\nvar filling []byte\n\n\
         func main() {\n\tfmt.Println(language.English, len(filling))\n}\n",
    ),
];

/// How a program is built: a name, the target, arguments, the package.
const BUILDS: [(&str, &str, &[&str], &str); 7] = [
    ("plain", "linux/amd64", &[], "."),
    (
        "stripped",
        "linux/amd64",
        &["-trimpath", "-ldflags=-s -w"],
        ".",
    ),
    ("relocatable", "linux/amd64", &["-buildmode=pie"], "./small"),
    ("big-endian", "linux/s390x", &[], "./small"),
    ("windows.exe", "windows/386", &[], "./small"),
    ("darwin", "darwin/arm64", &[], "./small"),
    ("large", "linux/amd64", &[], "./large"),
];

/// The programs, built once per run at most.
fn built() -> &'static [PathBuf] {
    static BUILT: OnceLock<Vec<PathBuf>> = OnceLock::new();
    BUILT.get_or_init(build)
}

fn build() -> Vec<PathBuf> {
    let folder = kept("go");
    for (name, content) in FILES {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().expect("a folder")).expect("the folder takes folders");
        fs::write(path, content).expect("the folder takes files");
    }
    fs::write(folder.join("large/filling"), vec![b'x'; 20 << 20]).expect("room for 20 MB");
    let go = |target: &str| {
        let (system, machine) = target.split_once('/').expect("a target");
        let mut command = Command::new("go");
        command
            .current_dir(&folder)
            .env("GOOS", system)
            .env("GOARCH", machine)
            .env("CGO_ENABLED", "0")
            .env("GOFLAGS", "-mod=mod");
        command
    };
    BUILDS
        .into_iter()
        .map(|(name, target, arguments, package)| {
            let program = folder.join("built").join(name);
            if !program.exists() {
                let mut command = go(target);
                command.arg("build").args(arguments).arg("-o").arg(&program);
                output(command.arg(package));
            }
            program
        })
        .collect()
}

/// What `go version -m` says, as we would list it.
fn theirs(program: &Path) -> Vec<String> {
    let text = output(Command::new("go").args(["version", "-m"]).arg(program));
    expected(&text)
}

fn expected(text: &str) -> Vec<String> {
    let mut modules: Vec<String> = Vec::new();
    for line in text.lines() {
        let words: Vec<&str> = line.split('\t').filter(|it| !it.is_empty()).collect();
        match *words {
            ["dep", path, version, ..] => modules.push(format!("{path} {version}")),
            ["mod", path, version, ..] if version != "(devel)" => {
                modules.push(format!("{path} {version}"));
            }
            ["=>", path, version, ..] if version != "(devel)" => {
                modules.pop();
                modules.push(format!("{path} {version}"));
            }
            ["=>", folder, ..] => {
                let replaced = modules.pop().expect("something is replaced");
                let gap = format!(
                    "gap: Go module `{}` is replaced by the folder `{folder}`",
                    replaced.replacen(' ', "` ", 1)
                );
                modules.push(gap.replacen("` is", " is", 1));
            }
            _ => {}
        }
    }
    modules.sort_unstable();
    modules
}

#[test]
fn programs_built_by_go_read_as_go_reads_them() {
    if !require("go") {
        return;
    }
    let toolchain = output(Command::new("go").args(["env", "GOVERSION"]));
    let toolchain = toolchain.trim().trim_start_matches("go");
    for program in built() {
        let bytes = fs::read(program).expect("a program was built");
        let mut found = lines(&look("go", "usr/bin/tool", &bytes));
        let stdlib = found.remove(0);
        assert_eq!(
            stdlib,
            format!("stdlib {toolchain}"),
            "{}",
            program.display()
        );
        found.sort_unstable();
        assert!(
            found
                .iter()
                .any(|it| it.starts_with("golang.org/x/text v0.3.0"))
        );
        assert_eq!(found, theirs(program), "{}", program.display());
    }
}

#[test]
fn a_program_without_its_build_information_is_a_gap() {
    if !require("go") {
        return;
    }
    let programs = built();
    let bytes = fs::read(&programs[0]).expect("a program was built");
    let magic = b"\xff Go buildinf:";
    let wiped = |bytes: &[u8]| {
        let mut bytes = bytes.to_vec();
        let places: Vec<usize> = (0..bytes.len() - magic.len())
            .filter(|at| bytes[*at..].starts_with(magic))
            .collect();
        for at in places {
            bytes[at] = 0;
        }
        bytes
    };
    let gap = ["gap: a Go program without its build information"];
    assert_eq!(lines(&look("go", "a", &wiped(&bytes))), gap);
    // Too large to hold; the list of modules is found by its frame.
    let large = fs::read(&programs[6]).expect("a program was built");
    let found = lines(&look("go", "a", &wiped(&large)));
    assert_eq!(
        found,
        [
            "golang.org/x/text v0.3.0",
            "gap: Go build information: which toolchain built it could not be found"
        ]
    );
}

/// The texts in the fixtures were printed from programs of many makers.
#[test]
fn build_information_of_other_makers_is_understood() {
    let Some(root) = shared() else { return };
    let mut texts = 0;
    for maker in fs::read_dir(root.join("fixtures/go/buildinfo")).expect("fixtures") {
        for file in fs::read_dir(maker.expect("a folder").path()).expect("fixtures") {
            let path = file.expect("a file").path();
            let text = fs::read_to_string(&path).expect("a text");
            let (first, rest) = text.split_once('\n').expect("a first line");
            let (_, toolchain) = first.rsplit_once(": ").expect("a toolchain");
            let modules: Vec<&str> = rest
                .lines()
                .map(|line| line.trim_start_matches('\t'))
                .collect();
            let modules = modules.join("\n") + "\n";
            let found = lines(&look("go", "usr/bin/tool", &program(toolchain, &modules)));
            let mut modules: Vec<String> = found
                .iter()
                .filter(|it| !it.starts_with("stdlib "))
                .cloned()
                .collect();
            modules.sort_unstable();
            assert_eq!(modules, expected(rest), "{}", path.display());
            let release = toolchain
                .trim_start_matches("go")
                .split(' ')
                .next()
                .expect("a word");
            assert!(
                found[0].starts_with(&format!("stdlib {release}")),
                "{found:?}"
            );
            texts += 1;
        }
    }
    assert!(texts > 10);
}

/// An executable that holds only build information.
fn program(toolchain: &str, modules: &str) -> Vec<u8> {
    let varint = |mut length: usize| {
        let mut bytes = Vec::new();
        while length >= 0x80 {
            bytes.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        bytes.push(u8::try_from(length).expect("seven bits"));
        bytes
    };
    let framed = [
        b"\x30\x77\xaf\x0c\x92\x74\x08\x02\x41\xe1\xc1\x07\xe6\xd6\x18\xe6",
        modules.as_bytes(),
        b"\xf9\x32\x43\x31\x86\x18\x20\x72\x00\x82\x42\x10\x41\x16\xd8\xf2",
    ]
    .concat();
    let mut data = b"\xff Go buildinf:\x08\x02".to_vec();
    data.resize(32, 0);
    data.extend(varint(toolchain.len()));
    data.extend(toolchain.as_bytes());
    data.extend(varint(framed.len()));
    data.extend(framed);
    data.resize(70_000, 0);
    elf(&data)
}

/// A 64-bit little-endian ELF file whose one segment is writable data.
fn elf(data: &[u8]) -> Vec<u8> {
    const START: u64 = 64 + 56 + 8;
    let mut bytes = b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec();
    for half in [2_u16, 62] {
        bytes.extend(half.to_le_bytes());
    }
    bytes.extend(1_u32.to_le_bytes());
    for word in [0_u64, 64, 0] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend(0_u32.to_le_bytes());
    for half in [64_u16, 56, 1, 0, 0, 0] {
        bytes.extend(half.to_le_bytes());
    }
    for half in [1_u32, 6] {
        bytes.extend(half.to_le_bytes());
    }
    let size = data.len() as u64;
    for word in [START, 0x40_0000 + START, 0x40_0000 + START, size, size, 16] {
        bytes.extend(word.to_le_bytes());
    }
    bytes.extend([0; 8]);
    bytes.extend(data);
    bytes
}
