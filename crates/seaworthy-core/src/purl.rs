//! Package URLs: how the world's tools name a package.

use std::collections::BTreeMap;
use std::fmt::{self, Write};
use std::str::FromStr;

use crate::{Distro, Package, PackageType};

/// The longest package URL that is read, in bytes.
const MAX_LENGTH: usize = 16 << 10;

/// Types whose namespace and name have no case. For Go modules the
/// specification says so as well, but `github.com/BurntSushi/toml` and its
/// spelling in small letters are two modules to Go and to its advisories, so we
/// keep the letters as they are.
const CASELESS: [&str; 12] = [
    "alpm",
    "apk",
    "bitbucket",
    "bitnami",
    "brew",
    "composer",
    "deb",
    "git",
    "github",
    "hex",
    "otp",
    "pypi",
];

/// Types that need a namespace, and types that must not have one.
const WITH_NAMESPACE: [&str; 3] = ["composer", "swift", "vscode-extension"];
const WITHOUT_NAMESPACE: [&str; 5] = ["chrome-extension", "julia", "opam", "otp", "vcpkg"];

/// A package URL, `pkg:type/namespace/name@version?qualifiers#subpath`.
///
/// Invariant: the type is a lowercase word, the name is not empty, and keys of
/// qualifiers are lowercase words with values that are not empty. All parts are
/// kept decoded. [`FromStr`] and [`Purl::of`] are the only ways in; [`fmt::Display`]
/// writes the canonical form.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Purl {
    kind: Box<str>,
    namespace: Option<Box<str>>,
    name: Box<str>,
    version: Option<Box<str>>,
    qualifiers: BTreeMap<Box<str>, Box<str>>,
    subpath: Option<Box<str>>,
}

/// Why a text is not a package URL.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PurlError {
    /// It does not begin with `pkg:`.
    #[error("a package URL begins with `pkg:`")]
    Scheme,
    /// The type is missing or no word.
    #[error("the type of a package URL is a word of letters, digits, `.` and `-`")]
    Type,
    /// The namespace is missing or one too many.
    #[error("a package URL of type `{0}` {1} a namespace")]
    Namespace(Box<str>, &'static str),
    /// The name is missing.
    #[error("the package URL has no name")]
    Name,
    /// A qualifier has no proper key, or one is given twice.
    #[error("a qualifier of a package URL is a key that is given once, `=`, and a value")]
    Qualifier,
    /// A percent sign is not followed by two digits, or what is encoded is not
    /// UTF-8.
    #[error("the package URL is not properly percent-encoded")]
    Encoding,
    /// It is longer than anything honest.
    #[error("the package URL is longer than {MAX_LENGTH} bytes")]
    Length,
}

impl Purl {
    /// The package URL with these parts, decoded.
    pub fn of(kind: &str, namespace: Option<&str>, name: &str) -> Result<Self, PurlError> {
        let mut letters = kind.bytes();
        let is_word = letters.next().is_some_and(|it| it.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || b".-".contains(&it));
        if !is_word {
            return Err(PurlError::Type);
        }
        let kind = kind.to_ascii_lowercase();
        let in_case = |text: &str| -> Box<str> {
            if CASELESS.contains(&&*kind) {
                text.to_lowercase().into()
            } else {
                text.into()
            }
        };
        let mut name = in_case(name);
        if kind == "pypi" {
            name = name.replace('_', "-").into();
        }
        if name.is_empty() {
            return Err(PurlError::Name);
        }
        let namespace = namespace.filter(|it| !it.is_empty()).map(in_case);
        if namespace.is_none() && WITH_NAMESPACE.contains(&&*kind) {
            return Err(PurlError::Namespace(kind.into(), "needs"));
        }
        if namespace.is_some() && WITHOUT_NAMESPACE.contains(&&*kind) {
            return Err(PurlError::Namespace(kind.into(), "cannot have"));
        }
        Ok(Self {
            kind: kind.into(),
            namespace,
            name,
            version: None,
            qualifiers: BTreeMap::new(),
            subpath: None,
        })
    }

    /// Sets the version; an empty one is none.
    #[must_use]
    pub fn with_version(mut self, version: &str) -> Self {
        self.version = Some(version).filter(|it| !it.is_empty()).map(Into::into);
        self
    }

    /// Adds a qualifier; one with an empty value is none.
    pub fn with_qualifier(mut self, key: &str, value: &str) -> Result<Self, PurlError> {
        let mut letters = key.bytes();
        let is_word = letters.next().is_some_and(|it| it.is_ascii_alphabetic())
            && letters.all(|it| it.is_ascii_alphanumeric() || b"._-".contains(&it));
        if !is_word {
            return Err(PurlError::Qualifier);
        }
        let key = key.to_ascii_lowercase().into_boxed_str();
        if !value.is_empty() && self.qualifiers.insert(key, value.into()).is_some() {
            return Err(PurlError::Qualifier);
        }
        Ok(self)
    }

    /// Sets the path inside the package; empty parts, `.` and `..` are dropped.
    #[must_use]
    pub fn with_subpath(mut self, subpath: &str) -> Self {
        let parts: Vec<&str> = subpath
            .split('/')
            .filter(|part| !matches!(*part, "" | "." | ".."))
            .collect();
        self.subpath = (!parts.is_empty()).then(|| parts.join("/").into());
        self
    }

    /// The type, such as `deb`.
    pub fn kind(&self) -> &str {
        &self.kind
    }

    /// The namespace: `debian`, `@babel`, `org.apache.commons`.
    pub fn namespace(&self) -> Option<&str> {
        self.namespace.as_deref()
    }

    /// The name without the namespace.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The version.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The value of a qualifier, whose key is in small letters.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        self.qualifiers.get(key).map(|value| &**value)
    }

    /// All qualifiers, sorted by key.
    pub fn qualifiers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.qualifiers
            .iter()
            .map(|(key, value)| (&**key, &**value))
    }

    /// The path inside the package.
    pub fn subpath(&self) -> Option<&str> {
        self.subpath.as_deref()
    }
}

impl FromStr for Purl {
    type Err = PurlError;

    fn from_str(text: &str) -> Result<Self, PurlError> {
        if text.len() > MAX_LENGTH {
            return Err(PurlError::Length);
        }
        let (rest, subpath) = match text.rsplit_once('#') {
            Some((rest, subpath)) => (rest, decoded_parts(subpath)?),
            None => (text, String::new()),
        };
        let (rest, qualifiers) = rest.rsplit_once('?').unwrap_or((rest, ""));
        let (scheme, rest) = rest.split_once(':').ok_or(PurlError::Scheme)?;
        if !scheme.eq_ignore_ascii_case("pkg") {
            return Err(PurlError::Scheme);
        }
        let rest = rest.trim_start_matches('/');
        let (kind, rest) = rest.split_once('/').unwrap_or((rest, ""));
        // Many write `@scope/name` as npm does, though the first sign stands for
        // a version in a package URL.
        let is_scope = |head: &str| {
            kind.eq_ignore_ascii_case("npm") && (head.is_empty() || head.ends_with('/'))
        };
        let (path, version) = match rest.rsplit_once('@') {
            Some((head, version)) if !is_scope(head) => (head, decoded(version)?),
            _ => (rest, String::new()),
        };
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let namespace = decoded_parts(namespace)?;
        let mut purl = Self::of(kind, Some(&namespace), &decoded(name)?)?
            .with_version(&version)
            .with_subpath(&subpath);
        for pair in qualifiers.split('&').filter(|pair| !pair.is_empty()) {
            let (key, value) = pair.split_once('=').ok_or(PurlError::Qualifier)?;
            purl = purl.with_qualifier(key, &decoded(value)?)?;
        }
        Ok(purl)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = Parts {
            kind: &self.kind,
            namespace: self.namespace(),
            name: &self.name,
            version: self.version(),
            subpath: self.subpath(),
        };
        parts.write(self.qualifiers(), formatter)
    }
}

/// The decoded parts of a package URL, without its qualifiers.
struct Parts<'a> {
    kind: &'a str,
    namespace: Option<&'a str>,
    name: &'a str,
    version: Option<&'a str>,
    subpath: Option<&'a str>,
}

impl Parts<'_> {
    /// Writes the canonical form; `qualifiers` are sorted by key.
    fn write<'q>(
        &self,
        qualifiers: impl Iterator<Item = (&'q str, &'q str)>,
        out: &mut impl Write,
    ) -> fmt::Result {
        out.write_str("pkg:")?;
        out.write_str(self.kind)?;
        out.write_char('/')?;
        for part in self.namespace.iter().flat_map(|it| it.split('/')) {
            encode(part, out)?;
            out.write_char('/')?;
        }
        encode(self.name, out)?;
        if let Some(version) = self.version {
            out.write_char('@')?;
            encode(version, out)?;
        }
        for (at, (key, value)) in qualifiers.enumerate() {
            out.write_char(if at == 0 { '?' } else { '&' })?;
            out.write_str(key)?;
            out.write_char('=')?;
            encode(value, out)?;
        }
        for (at, part) in self.subpath.iter().flat_map(|it| it.split('/')).enumerate() {
            out.write_char(if at == 0 { '#' } else { '/' })?;
            encode(part, out)?;
        }
        Ok(())
    }
}

/// Decodes parts between slashes and drops empty ones.
fn decoded_parts(text: &str) -> Result<String, PurlError> {
    let parts = text.split('/').filter(|part| !part.is_empty());
    Ok(parts.map(decoded).collect::<Result<Vec<_>, _>>()?.join("/"))
}

fn decoded(text: &str) -> Result<String, PurlError> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let mut digit = || {
            let digit = char::from(rest.next()?).to_digit(16)?;
            u8::try_from(digit).ok()
        };
        let (Some(high), Some(low)) = (digit(), digit()) else {
            return Err(PurlError::Encoding);
        };
        bytes.push(high << 4 | low);
    }
    String::from_utf8(bytes).map_err(|_| PurlError::Encoding)
}

/// Percent-encodes all but letters, digits and the few signs that the
/// specification leaves as they are.
fn encode(text: &str, out: &mut impl Write) -> fmt::Result {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:".contains(&byte);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(|byte| !is_plain(byte)) {
        let (plain, after) = rest.split_at(at);
        out.write_str(plain)?;
        let mut letters = after.chars();
        let letter = letters.next().unwrap_or_default();
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            write!(out, "%{byte:02X}")?;
        }
        rest = letters.as_str();
    }
    out.write_str(rest)
}

/// The package URL of a package found in an image of `distro`.
///
/// Packages of an operating system carry the distribution as namespace and as
/// the qualifier `distro`, the architecture as `arch`, and the source package as
/// `upstream` (`name`, or `name@version` where the versions differ); the epoch
/// of an rpm is the qualifier `epoch`, the stream of its module `rpmmod`.
#[expect(
    clippy::missing_panics_doc,
    reason = "the expectation holds for every input"
)]
pub fn package_purl(package: &Package, distro: Option<&Distro>) -> String {
    let kind = package.kind.purl_type();
    let distro = distro.filter(|_| package.kind.is_os());
    let (namespace, name) = match &package.kind {
        PackageType::Apk | PackageType::Deb | PackageType::Rpm => {
            (distro.map(vendor), &*package.name)
        }
        PackageType::Maven => parts(package.name.split_once(':'), &package.name),
        PackageType::Cargo
        | PackageType::Composer
        | PackageType::Gem
        | PackageType::Golang
        | PackageType::Hex
        | PackageType::Npm
        | PackageType::NuGet
        | PackageType::Pub
        | PackageType::PyPi
        | PackageType::Other(_) => parts(package.name.rsplit_once('/'), &package.name),
    };
    let version = package.version.text();
    let (epoch, version) = match version.split_once(':') {
        Some((epoch, rest)) if package.kind == PackageType::Rpm => (epoch, rest),
        _ => ("", version),
    };
    let release = distro.and_then(|it| it.version_id.as_ref().or(it.codename.as_ref()));
    let release = match (distro, release) {
        (Some(distro), Some(release)) => format!("{}-{release}", distro.id),
        (Some(distro), None) => distro.id.to_string(),
        (None, _) => String::new(),
    };
    let upstream = match &package.source {
        Some(source) if source.version != package.version => {
            format!("{}@{}", source.name, source.version)
        }
        Some(source) if source.name != package.name => source.name.to_string(),
        Some(_) | None => String::new(),
    };
    let qualifiers = [
        ("arch", package.architecture.as_deref().unwrap_or_default()),
        ("distro", &release),
        ("epoch", epoch),
        ("rpmmod", package.module.as_deref().unwrap_or_default()),
        ("upstream", &upstream),
    ];
    // Written without asking whether it makes sense: what an image claims is
    // shown as it is, encoded.
    let parts = Parts {
        kind,
        namespace: namespace.filter(|it| !it.is_empty()),
        name,
        version: Some(version).filter(|it| !it.is_empty()),
        subpath: None,
    };
    let qualifiers = qualifiers
        .into_iter()
        .filter(|(_, value)| !value.is_empty());
    let mut purl = String::with_capacity(128);
    parts
        .write(qualifiers, &mut purl)
        .expect("a text takes whatever is written to it");
    purl
}

/// The namespace of a distribution's packages.
fn vendor(distro: &Distro) -> &str {
    match &*distro.id {
        // The specification's own example.
        "rhel" => "redhat",
        id => id,
    }
}

fn parts<'a>(parts: Option<(&'a str, &'a str)>, whole: &'a str) -> (Option<&'a str>, &'a str) {
    parts.map_or((None, whole), |(namespace, name)| (Some(namespace), name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{Claim, SourcePackage, Version};

    fn package(kind: PackageType, name: &str, version: &str) -> Package {
        Package {
            version: Version::of(kind.scheme(), version),
            kind,
            name: name.into(),
            architecture: None,
            source: None,
            vendor: None,
            module: None,
            claim: Claim::Recorded,
            seen: Vec::new(),
        }
    }

    #[test]
    fn each_type_has_its_own_namespace() {
        let debian = Distro {
            id: "debian".into(),
            version_id: Some("12".into()),
            ..Distro::default()
        };
        let source = |name: &str, version| {
            Some(SourcePackage {
                name: name.into(),
                version: Version::of(PackageType::Deb.scheme(), version),
            })
        };
        let bash = Package {
            architecture: Some("amd64".into()),
            source: source("bash", "5.2-1"),
            ..package(PackageType::Deb, "bash", "5.2-1+b1")
        };
        let zlib = Package {
            source: source("zlib", "1:1.3"),
            ..package(PackageType::Deb, "zlib1g", "1:1.3")
        };
        let nodejs = Package {
            module: Some("nodejs:18".into()),
            ..package(PackageType::Rpm, "nodejs", "1:18.20.2-1.module+el8")
        };
        let purls = [
            package_purl(&bash, Some(&debian)),
            package_purl(&zlib, Some(&debian)),
            package_purl(&zlib, None),
            package_purl(&package(PackageType::Rpm, "bind", "32:9.16-1.el9"), None),
            package_purl(&nodejs, None),
            package_purl(
                &package(PackageType::Npm, "@babel/core", "7.0.0"),
                Some(&debian),
            ),
            package_purl(&package(PackageType::Npm, "left-pad", "1.3.0"), None),
            package_purl(
                &package(PackageType::Golang, "golang.org/x/net", "v0.1.0"),
                None,
            ),
            package_purl(
                &package(
                    PackageType::Maven,
                    "org.apache.logging.log4j:log4j-core",
                    "2.14.1",
                ),
                None,
            ),
            package_purl(&package(PackageType::PyPi, "requests", "2.19.0"), None),
        ];
        insta::assert_snapshot!(purls.join("\n"), @r"
        pkg:deb/debian/bash@5.2-1%2Bb1?arch=amd64&distro=debian-12&upstream=bash%405.2-1
        pkg:deb/debian/zlib1g@1:1.3?distro=debian-12&upstream=zlib
        pkg:deb/zlib1g@1:1.3?upstream=zlib
        pkg:rpm/bind@9.16-1.el9?epoch=32
        pkg:rpm/nodejs@18.20.2-1.module%2Bel8?epoch=1&rpmmod=nodejs:18
        pkg:npm/%40babel/core@7.0.0
        pkg:npm/left-pad@1.3.0
        pkg:golang/golang.org/x/net@v0.1.0
        pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1
        pkg:pypi/requests@2.19.0
        ");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(
            kind in "[a-z][a-z0-9.-]{0,8}",
            namespace in prop::option::of("[^/%]{1,5}(/[^/]{1,5})?"),
            name in "[^/]{1,10}",
            version in prop::option::of(".{1,10}"),
            value in ".{0,10}",
        ) {
            let Ok(purl) = Purl::of(&kind, namespace.as_deref(), &name) else {
                return Ok(());
            };
            let purl = purl
                .with_version(&version.unwrap_or_default())
                .with_qualifier("key", &value)
                .unwrap_or_else(|error| unreachable!("{error}"));
            prop_assert_eq!(purl.to_string().parse(), Ok(purl));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "(pkg:)?[a-z@/?#%&=:. \\PC]{0,40}") {
            if let Ok(purl) = text.parse::<Purl>() {
                prop_assert_eq!(purl.to_string().parse(), Ok(purl));
            }
        }
    }
}
