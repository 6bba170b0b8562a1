//! An rpm header as databases keep it: two counts, an index of tags, and a store
//! of values. Numbers are big-endian. No magic goes before it.

use std::borrow::Cow;

use seaworthy_core::PackageType;

use crate::field::{self, Order};
use crate::record::{FileRecord, PackageRecord, SourceRecord};

const NAME: u32 = 1000;
const VERSION: u32 = 1001;
const RELEASE: u32 = 1002;
const EPOCH: u32 = 1003;
const VENDOR: u32 = 1011;
const ARCHITECTURE: u32 = 1022;
const SOURCE: u32 = 1044;
const MODULARITY_LABEL: u32 = 5096;

/// Types of values in the store.
const INT32: u32 = 4;
const STRING: u32 = 6;

/// The most index entries of a header; rpm itself refuses more.
const MAX_TAGS: usize = 0xffff;

/// Bytes of an index entry: tag, type, offset, count.
const ENTRY: usize = 16;

/// What a header says that we keep.
#[derive(Default)]
struct Header<'a> {
    name: Option<&'a [u8]>,
    version: Option<&'a [u8]>,
    release: Option<&'a [u8]>,
    epoch: Option<u32>,
    vendor: Option<&'a [u8]>,
    architecture: Option<&'a [u8]>,
    source: Option<&'a [u8]>,
    modularity_label: Option<&'a [u8]>,
}

/// Reads the header of one installed package.
pub(super) fn read(blob: &[u8], found: &mut FileRecord) {
    match parse(blob) {
        Ok(header) => package(&header, found),
        Err(why) => found.gap(format!("rpm header: {why}")),
    }
}

fn parse(blob: &[u8]) -> Result<Header<'_>, &'static str> {
    let counts = field::u32(blob, 0, Order::Big).zip(field::u32(blob, 4, Order::Big));
    let (tags, length) = counts.ok_or("shorter than its counts")?;
    let tags = usize::try_from(tags).unwrap_or(usize::MAX);
    if tags == 0 || tags > MAX_TAGS {
        return Err("an impossible number of tags");
    }
    let index = field::slice(blob, 8, tags * ENTRY).ok_or("shorter than its index")?;
    let store = field::slice64(blob, (8 + index.len()) as u64, length.into())
        .ok_or("shorter than its values")?;

    let mut header = Header::default();
    for entry in index.chunks_exact(ENTRY) {
        let number = |at| field::u32(entry, at, Order::Big).unwrap_or_default();
        let (tag, kind, offset) = (number(0), number(4), number(8) as usize);
        let slot = match tag {
            NAME => &mut header.name,
            VERSION => &mut header.version,
            RELEASE => &mut header.release,
            VENDOR => &mut header.vendor,
            ARCHITECTURE => &mut header.architecture,
            SOURCE => &mut header.source,
            MODULARITY_LABEL => &mut header.modularity_label,
            EPOCH => {
                if kind != INT32 {
                    return Err("an epoch that is no number");
                }
                let epoch = field::u32(store, offset, Order::Big);
                header.epoch = Some(epoch.ok_or("an epoch outside its values")?);
                continue;
            }
            _ => continue,
        };
        if kind != STRING {
            return Err("a name or version that is no string");
        }
        // The region comes first; a later tag of the same name was added by the
        // installing rpm and does not replace what the package said.
        if slot.is_none() {
            let rest = store.get(offset..).ok_or("a string outside its values")?;
            let end = memchr::memchr(0, rest).ok_or("a string without an end")?;
            *slot = rest.get(..end);
        }
    }
    Ok(header)
}

fn package(header: &Header<'_>, found: &mut FileRecord) {
    let name = text(header.name);
    // Keys of package signers are kept as packages; nothing is installed.
    if name.as_deref() == Some("gpg-pubkey") {
        return;
    }
    let Some(name) = name else {
        return found.gap("rpm header: a package without a name");
    };
    let (Some(version), Some(release)) = (text(header.version), text(header.release)) else {
        return found.gap(format!("rpm header: package `{name}` without a version"));
    };
    let label = text(header.modularity_label);
    let module = label.as_deref().and_then(module);
    if let (Some(label), None) = (&label, &module) {
        found.gap(format!(
            "rpm header: package `{name}` with the module label `{label}`"
        ));
    }
    found.package(record(&Said {
        name: &name,
        version: &format!("{version}-{release}"),
        epoch: header.epoch.unwrap_or(0),
        architecture: text(header.architecture).as_deref(),
        vendor: text(header.vendor).as_deref(),
        source: text(header.source).as_deref(),
        module,
    }));
}

fn text(bytes: Option<&[u8]>) -> Option<Cow<'_, str>> {
    bytes
        .map(String::from_utf8_lossy)
        .filter(|text| !text.is_empty())
}

/// What a header or a line of the manifest says of a package.
pub(super) struct Said<'a> {
    pub(super) name: &'a str,
    /// Version and release.
    pub(super) version: &'a str,
    pub(super) epoch: u32,
    pub(super) architecture: Option<&'a str>,
    pub(super) vendor: Option<&'a str>,
    /// File name of the source package.
    pub(super) source: Option<&'a str>,
    /// `name:stream`.
    pub(super) module: Option<&'a str>,
}

/// The package in our words.
pub(super) fn record(said: &Said<'_>) -> PackageRecord {
    let with_epoch = |version: &str| match said.epoch {
        0 => version.to_owned(),
        epoch => format!("{epoch}:{version}"),
    };
    PackageRecord {
        architecture: said.architecture.map(str::to_owned),
        vendor: said.vendor.map(str::to_owned),
        module: said.module.map(str::to_owned),
        // The file name has no epoch; packages of one build share it but for
        // rare exceptions, which no record tells.
        source: said
            .source
            .and_then(source)
            .map(|(name, version)| SourceRecord::new(name, &with_epoch(version))),
        ..PackageRecord::recorded(&PackageType::Rpm, said.name, &with_epoch(said.version))
    }
}

/// `nodejs:18` of the label `nodejs:18:8070020230418:bd1311ed`: a build of a stream
/// is told from the others by its version already.
pub(crate) fn module(label: &str) -> Option<&str> {
    let mut ends = label.match_indices(':').map(|(at, _)| at);
    let first = ends.next()?;
    let end = ends.next().unwrap_or(label.len());
    let is_word = |it: char| it.is_ascii_graphic() && it != '/';
    label
        .get(..end)
        .filter(|it| first > 0 && first + 1 < end && it.chars().all(is_word))
}

/// Name and `version-release` of a source package, from its file name
/// `name-version-release.src.rpm`.
fn source(file: &str) -> Option<(&str, &str)> {
    let stem = file.strip_suffix(".rpm")?;
    let stem = stem
        .strip_suffix(".src")
        .or_else(|| stem.strip_suffix(".nosrc"))?;
    let (rest, _release) = stem.rsplit_once('-')?;
    let (name, _version) = rest.rsplit_once('-')?;
    let version = stem.strip_prefix(name)?.strip_prefix('-')?;
    (!name.is_empty()).then_some((name, version))
}

#[cfg(test)]
pub(crate) mod tests {
    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::*;

    /// A value of a header made in a test.
    pub(crate) enum Value<'a> {
        Text(&'a str),
        Number(u32),
    }

    /// A header as rpm would keep it.
    pub(crate) fn header(tags: &[(u32, Value<'_>)]) -> Vec<u8> {
        let (mut index, mut store) = (Vec::new(), Vec::new());
        for (tag, value) in tags {
            if matches!(value, Value::Number(_)) {
                store.resize(store.len().next_multiple_of(4), 0);
            }
            let kind = match value {
                Value::Text(_) => STRING,
                Value::Number(_) => INT32,
            };
            for number in [*tag, kind, u32::try_from(store.len()).unwrap_or(0), 1] {
                index.extend(number.to_be_bytes());
            }
            match value {
                Value::Text(text) => store.extend([text.as_bytes(), b"\0"].concat()),
                Value::Number(number) => store.extend(number.to_be_bytes()),
            }
        }
        let counts = [index.len() / ENTRY, store.len()];
        let mut blob: Vec<u8> = counts
            .iter()
            .flat_map(|it| u32::try_from(*it).unwrap_or(0).to_be_bytes())
            .collect();
        blob.extend(index);
        blob.extend(store);
        blob
    }

    fn of(blob: &[u8]) -> FileRecord {
        let mut found = FileRecord::of("rpm", "var/lib/rpm/Packages");
        read(blob, &mut found);
        found
    }

    fn check(tags: &[(u32, Value<'_>)]) -> String {
        let found = of(&header(tags));
        let mut lines: Vec<String> = found
            .packages
            .iter()
            .map(|it| {
                let source = it.source.as_ref();
                let source = source.map(|it| format!("{} {}", it.name, it.version));
                format!(
                    "{} {} {:?} {:?} {:?}",
                    it.name, it.version, it.architecture, it.vendor, source
                )
            })
            .collect();
        lines.extend(found.gaps.iter().map(|it| format!("gap: {it}")));
        lines.join("\n")
    }

    #[test]
    fn a_header_becomes_a_package_and_its_source() {
        use Value::{Number, Text};
        let whole = [
            (NAME, Text("vim-minimal")),
            (VERSION, Text("9.0")),
            (RELEASE, Text("1.el9~rc1")),
            (EPOCH, Number(2)),
            (VENDOR, Text("Red Hat, Inc.")),
            (ARCHITECTURE, Text("x86_64")),
            (SOURCE, Text("vim-9.0-1.el9~rc1.src.rpm")),
        ];
        assert_snapshot!(check(&whole), @r#"vim-minimal 2:9.0-1.el9~rc1 Some("x86_64") Some("Red Hat, Inc.") Some("vim 2:9.0-1.el9~rc1")"#);
        let plain = [
            (NAME, Text("a")),
            (VERSION, Text("1")),
            (RELEASE, Text("2")),
            (EPOCH, Number(0)),
            (SOURCE, Text("(none)")),
        ];
        assert_snapshot!(check(&plain), @"a 1-2 None None None");
    }

    #[test]
    fn keys_are_no_packages_and_what_is_missing_is_a_gap() {
        use Value::{Number, Text};
        assert_snapshot!(check(&[(NAME, Text("gpg-pubkey")), (VERSION, Text("1"))]), @"");
        assert_snapshot!(check(&[(NAME, Text("a")), (VERSION, Text("1"))]), @"gap: rpm header: package `a` without a version");
        assert_snapshot!(check(&[(VERSION, Text("1"))]), @"gap: rpm header: a package without a name");
        assert_snapshot!(check(&[(NAME, Number(1))]), @"gap: rpm header: a name or version that is no string");
        assert_snapshot!(check(&[]), @"gap: rpm header: an impossible number of tags");
    }

    #[test]
    fn a_module_is_its_name_and_stream() {
        for (label, expected) in [
            ("nodejs:18:8070020230418:bd1311ed", Some("nodejs:18")),
            ("perl:5.30", Some("perl:5.30")),
            ("container-tools:rhel8:1:2:3", Some("container-tools:rhel8")),
            ("nodejs", None),
            (":18:1", None),
            ("nodejs::1", None),
            ("nodejs:", None),
            ("a/b:1", None),
            ("a b:1", None),
        ] {
            assert_eq!(module(label), expected, "{label}");
        }
        let tags = |label| {
            let tags = [
                (NAME, "a"),
                (VERSION, "1"),
                (RELEASE, "2"),
                (MODULARITY_LABEL, label),
            ];
            of(&header(&tags.map(|(tag, text)| (tag, Value::Text(text)))))
        };
        let found = tags("a:1:2:3");
        assert_eq!(found.packages[0].module.as_deref(), Some("a:1"));
        assert_eq!(found.gaps, [""; 0]);
        let found = tags("what");
        assert_eq!(found.packages[0].module, None);
        assert_eq!(
            found.gaps,
            ["rpm header: package `a` with the module label `what`"]
        );
    }

    #[test]
    fn a_source_file_name_is_split_at_its_last_two_dashes() {
        assert_eq!(
            source("xorg-x11-font-utils-7.5-53.el9.src.rpm"),
            Some(("xorg-x11-font-utils", "7.5-53.el9"))
        );
        assert_eq!(source("a-1-2.nosrc.rpm"), Some(("a", "1-2")));
        for broken in ["a-1.src.rpm", "", "(none)", "-1-2.src.rpm", "a-1-2.rpm"] {
            assert_eq!(source(broken), None, "{broken}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_package_or_a_gap(blob in proptest::collection::vec(any::<u8>(), 0..300)) {
            let found = of(&blob);
            prop_assert_eq!(found.packages.len() + found.gaps.len(), 1);
        }

        #[test]
        fn a_cut_header_is_a_gap(at in 0_usize..1000) {
            let blob = header(&[(NAME, Value::Text("a")), (VERSION, Value::Text("1")), (RELEASE, Value::Text("2"))]);
            let cut = blob.get(..at % blob.len()).unwrap_or_default();
            prop_assert_eq!(of(cut).gaps.len(), 1);
        }
    }
}
