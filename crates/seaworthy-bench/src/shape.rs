//! What the measured images hold: the shapes of `docs/benchmarks.md`.

use std::fmt::Write as _;
use std::io::Write;

use tar::{Builder, EntryType, Header};

use crate::content::{Author, Content};
use crate::dice::Dice;
use crate::jar::jar;
use crate::names;

/// An image to make.
pub(crate) struct Shape {
    pub(crate) name: &'static str,
    pub(crate) layers: &'static [Layer],
}

/// A layer to make.
pub(crate) struct Layer {
    /// Folder most of its files lie in.
    folder: &'static str,
    /// Unpacked size, in MB.
    megabytes: usize,
    /// Entries of any kind.
    entries: usize,
    /// Shares of text, code and noise, in a thousand.
    mixture: [usize; 3],
    /// Large executables, in MB each.
    executables: &'static [usize],
    /// Packages in its dpkg database; 0 for a layer that leaves it alone.
    debs: usize,
    /// Python distributions.
    wheels: usize,
    /// npm modules.
    modules: usize,
    /// Java archives.
    jars: usize,
}

impl Layer {
    const fn of(folder: &'static str, megabytes: usize, entries: usize) -> Self {
        Self {
            folder,
            megabytes,
            entries,
            mixture: [340, 600, 60],
            executables: &[],
            debs: 0,
            wheels: 0,
            modules: 0,
            jars: 0,
        }
    }
}

/// The image most services resemble: 6 layers, 24,010 entries, 437 MB in 137 MB.
pub(crate) const SMALL: Shape = Shape {
    name: "small",
    layers: &[
        Layer {
            debs: 140,
            ..Layer::of("usr", 96, 6800)
        },
        Layer {
            debs: 165,
            ..Layer::of("usr", 21, 1500)
        },
        Layer {
            debs: 230,
            ..Layer::of("usr/lib/python3", 52, 3400)
        },
        Layer {
            wheels: 70,
            mixture: [420, 520, 60],
            ..Layer::of("opt/venv/lib/python3.11/site-packages", 83, 5700)
        },
        Layer {
            debs: 320,
            executables: &[88, 22],
            ..Layer::of("usr", 158, 3200)
        },
        Layer {
            modules: 330,
            mixture: [800, 140, 60],
            ..Layer::of("srv/app/node_modules", 27, 3410)
        },
    ],
};

/// The image that hurts: 5 layers of which one has half of the bytes, 48,000
/// entries, 340 jars, 1181 MB in 478 MB.
pub(crate) const LARGE: Shape = Shape {
    name: "large",
    layers: &[
        Layer {
            debs: 140,
            ..Layer::of("usr", 140, 6800)
        },
        Layer {
            debs: 165,
            ..Layer::of("usr", 21, 1500)
        },
        Layer {
            debs: 420,
            jars: 340,
            executables: &[60, 24, 20],
            ..Layer::of("usr/lib/jvm", 560, 19_000)
        },
        Layer {
            wheels: 120,
            mixture: [300, 550, 150],
            ..Layer::of("opt/venv/lib/python3.11/site-packages", 438, 16_000)
        },
        Layer {
            modules: 420,
            mixture: [800, 140, 60],
            ..Layer::of("srv/app/node_modules", 22, 4700)
        },
    ],
};

/// The image that is known already: 500 packages in 3 layers.
pub(crate) const KNOWN: Shape = Shape {
    name: "known",
    layers: &[
        Layer {
            debs: 380,
            ..Layer::of("usr", 24, 1500)
        },
        Layer {
            wheels: 60,
            ..Layer::of("opt/venv/lib/python3.11/site-packages", 8, 900)
        },
        Layer {
            modules: 60,
            ..Layer::of("srv/app/node_modules", 4, 700)
        },
    ],
};

/// Packages of the whole image that our probes list today.
pub(crate) fn packages(shape: &Shape) -> usize {
    let debs = shape.layers.iter().map(|layer| layer.debs).max();
    let rest = |layer: &Layer| layer.wheels + layer.modules + layer.jars;
    debs.unwrap_or(0) + shape.layers.iter().map(rest).sum::<usize>()
}

/// Writes layer `number` of a shape as a tar.
pub(crate) fn write_layer(
    author: &Author,
    shape: &Shape,
    number: usize,
    out: &mut dyn Write,
) -> anyhow::Result<()> {
    let Some(layer) = shape.layers.get(number) else {
        return Ok(());
    };
    let mut tar = Archive {
        tar: Builder::new(out),
        left: layer.entries,
        bytes: 0,
    };
    let mut dice = Dice::of(0x1a7e4 + number as u64 * 977 + shape.layers.len() as u64);
    if number == 0 {
        tar.file(
            "etc/os-release",
            0o644,
            b"PRETTY_NAME=\"Debian GNU/Linux 12 (bookworm)\"\nID=debian\nVERSION_ID=\"12\"\nVERSION_CODENAME=bookworm\n",
        )?;
    } else {
        // Some of what lies below was removed.
        for gone in 0..4 {
            tar.file(&format!("usr/share/doc/.wh.gone-{gone}"), 0o644, b"")?;
        }
    }
    if layer.debs > 0 {
        tar.file("var/lib/dpkg/status", 0o644, &status(author, layer.debs))?;
    }
    for wheel in names::installed(layer.wheels, 11) {
        let (name, version) = (names::package(wheel), names::three(&mut dice));
        let mut text = format!("Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n\n");
        let about = 1500 + dice.magnitude(9000);
        lengthen(author, &mut text, about, &mut dice);
        let path = format!("{}/{name}-{version}.dist-info/METADATA", layer.folder);
        tar.file(&path, 0o644, text.as_bytes())?;
    }
    for module in names::installed(layer.modules, 13) {
        let (name, version) = (names::package(module), names::three(&mut dice));
        let mut about = String::new();
        let length = 300 + dice.magnitude(900);
        lengthen(author, &mut about, length, &mut dice);
        let json = serde_json::json!({
            "name": name, "version": version, "description": about, "license": "MIT",
        });
        let path = format!("{}/{name}/package.json", layer.folder);
        tar.file(&path, 0o644, json.to_string().as_bytes())?;
    }
    for artifact in names::installed(layer.jars, 17) {
        let (name, version) = (names::package(artifact), names::three(&mut dice));
        let length = 40_000 + dice.magnitude(1 << 20) * 5 / 2;
        let jar = jar(author, &name, &version, length, &mut dice)?;
        let path = format!("usr/share/java/{name}-{version}.jar");
        tar.file(&path, 0o644, &jar)?;
    }
    let mut bytes = Vec::new();
    for (number, &megabytes) in layer.executables.iter().enumerate() {
        executable(author, megabytes * 1_000_000, &mut dice, &mut bytes);
        tar.file(&format!("usr/bin/tool-{number}"), 0o755, &bytes)?;
    }
    everything_else(author, layer, &mut tar, &mut dice)?;
    tar.tar.finish()?;
    Ok(())
}

/// Folders, links and files of many sizes, until the layer is full.
fn everything_else(
    author: &Author,
    layer: &Layer,
    tar: &mut Archive<'_>,
    dice: &mut Dice,
) -> anyhow::Result<()> {
    let budget = (layer.megabytes * 1_000_000).saturating_sub(tar.bytes);
    // A tenth are folders, one in twenty a link; files share what remains after
    // headers, and the padding of half a block each.
    let files = tar.left * 85 / 100;
    let content = budget.saturating_sub(tar.left * 512 + files * 256);
    let weights: Vec<usize> = (0..files).map(|_| 1 << (dice.hill(28) / 8)).collect();
    let sum = weights.iter().sum::<usize>().max(1);
    let mut folder = format!("{}/{}", layer.folder, author.name(dice));
    let mut bytes = Vec::new();
    let mut weights = weights.into_iter();
    let mut previous = None;
    for number in 0..tar.left {
        match number % 20 {
            0 | 10 => {
                folder = format!("{}/{}-{number}", layer.folder, author.name(dice));
                tar.entry(&folder, EntryType::Directory, 0o755, None)?;
            }
            5 => tar.entry(
                &format!("{folder}/link-{number}"),
                EntryType::Symlink,
                0o777,
                previous.as_deref(),
            )?,
            _ => {
                let Some(weight) = weights.next() else { break };
                let length = usize::try_from(content as u128 * weight as u128 / sum as u128)?;
                let (kind, end) = pick(layer.mixture, dice);
                bytes.clear();
                // A shared object is an executable, too.
                if kind == Content::Code && end == "so" {
                    executable(author, length, dice, &mut bytes);
                } else {
                    author.write(kind, length, dice, &mut bytes);
                }
                let name = format!("{}-{number}.{end}", author.name(dice));
                let mode = if end == "so" { 0o755 } else { 0o644 };
                tar.file(&format!("{folder}/{name}"), mode, &bytes)?;
                previous = Some(name);
            }
        }
    }
    Ok(())
}

fn pick(mixture: [usize; 3], dice: &mut Dice) -> (Content, &'static str) {
    let [text, code, _] = mixture;
    match dice.below(1000) {
        at if at < text => (Content::Text, if at % 2 == 0 { "py" } else { "js" }),
        at if at < text + code => (Content::Code, if at % 3 == 0 { "so" } else { "pyc" }),
        _ => (Content::Noise, "png"),
    }
}

fn lengthen(author: &Author, text: &mut String, length: usize, dice: &mut Dice) {
    let mut bytes = Vec::new();
    author.write(Content::Text, length, dice, &mut bytes);
    text.push_str(&String::from_utf8_lossy(&bytes));
}

/// A dpkg database with the first `count` packages of the image.
fn status(author: &Author, count: usize) -> Vec<u8> {
    let mut text = String::new();
    for number in names::installed(count, 5) {
        let mut dice = Dice::of(number as u64);
        let name = names::package(number);
        let version = names::dpkg_version(&mut dice);
        let _ = write!(
            text,
            "Package: {name}\nStatus: install ok installed\nPriority: optional\nSection: libs\n\
             Installed-Size: {}\nMaintainer: Somebody <somebody@example.org>\nArchitecture: amd64\n\
             Multi-Arch: same\nVersion: {version}\nDepends: libc6 (>= 2.36)\nDescription: {}\n",
            dice.below(9000),
            author.name(&mut dice),
        );
        for _ in 0..=dice.below(8) {
            text.push(' ');
            for _ in 0..9 {
                text.push_str(&author.name(&mut dice));
                text.push(' ');
            }
            text.push('\n');
        }
        text.push('\n');
    }
    text.into_bytes()
}

/// An ELF file of `length` bytes: header, code, words, and two sections that
/// say so at its end.
fn executable(author: &Author, length: usize, dice: &mut Dice, out: &mut Vec<u8>) {
    const HEADER: usize = 64;
    const SECTION: usize = 64;
    const NAMES: &[u8] = b"\0.text\0.rodata\0.shstrtab\0\0\0\0\0\0\0";
    out.clear();
    let tail = NAMES.len() + 4 * SECTION;
    let body = length.saturating_sub(HEADER + tail) & !7;
    let code = (body * 3 / 4) & !7;
    let names_at = HEADER + body;
    let table_at = names_at + NAMES.len();
    out.extend_from_slice(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    for (value, width) in [
        (3, 2),  // a shared object, as position-independent programs are
        (62, 2), // x86-64
        (1, 4),
        (0, 8),
        (0, 8),
        (table_at, 8),
        (0, 4),
        (HEADER, 2),
        (0, 2),
        (0, 2),
        (SECTION, 2),
        (4, 2),
        (3, 2),
    ] {
        number(value, width, out);
    }
    author.write(Content::Code, code, dice, out);
    author.write(Content::Text, body - code, dice, out);
    out.extend_from_slice(NAMES);
    out.resize(out.len() + SECTION, 0);
    for (name, kind, at, size) in [
        (1, 1, HEADER, code),
        (7, 1, HEADER + code, body - code),
        (15, 3, names_at, NAMES.len()),
    ] {
        for (value, width) in [
            (name, 4),
            (kind, 4),
            (0, 8),
            (0, 8),
            (at, 8),
            (size, 8),
            (0, 8),
            (1, 8),
            (0, 8),
        ] {
            number(value, width, out);
        }
    }
}

fn number(value: usize, width: usize, out: &mut Vec<u8>) {
    out.extend((value as u64).to_le_bytes().into_iter().take(width));
}

/// A tar that counts what it still has to hold.
struct Archive<'a> {
    tar: Builder<&'a mut dyn Write>,
    left: usize,
    bytes: usize,
}

impl Archive<'_> {
    fn file(&mut self, path: &str, mode: u32, content: &[u8]) -> anyhow::Result<()> {
        let mut header = header(EntryType::Regular, mode, content.len() as u64);
        self.tar.append_data(&mut header, path, content)?;
        self.left = self.left.saturating_sub(1);
        self.bytes += 512 + content.len().next_multiple_of(512);
        Ok(())
    }

    fn entry(
        &mut self,
        path: &str,
        kind: EntryType,
        mode: u32,
        link: Option<&str>,
    ) -> anyhow::Result<()> {
        let mut header = header(kind, mode, 0);
        match link {
            Some(target) => self.tar.append_link(&mut header, path, target)?,
            None if kind == EntryType::Symlink => {
                self.tar.append_link(&mut header, path, "nowhere")?;
            }
            None => self.tar.append_data(&mut header, path, std::io::empty())?,
        }
        self.left = self.left.saturating_sub(1);
        self.bytes += 512;
        Ok(())
    }
}

fn header(kind: EntryType, mode: u32, size: u64) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(1_700_000_000);
    header.set_size(size);
    header
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_small_image_has_the_shape_it_promises() {
        let megabytes: usize = SMALL.layers.iter().map(|layer| layer.megabytes).sum();
        let entries: usize = SMALL.layers.iter().map(|layer| layer.entries).sum();
        assert_eq!((megabytes, entries), (437, 24_010));
        assert_eq!(packages(&KNOWN), 500);
    }
}
