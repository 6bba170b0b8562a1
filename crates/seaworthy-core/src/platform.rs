//! Operating system and architecture of an image.

use std::fmt;
use std::str::FromStr;

/// A platform as the OCI image index writes it: `linux/arm64/v8`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// `GOOS` spelling, such as `linux`.
    pub os: Box<str>,
    /// `GOARCH` spelling, such as `amd64`.
    pub architecture: Box<str>,
    /// Such as `v8`, where the architecture has variants.
    pub variant: Option<Box<str>>,
}

/// The text is not `os/architecture[/variant]`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a platform like `linux/amd64` or `linux/arm/v7`")]
pub struct PlatformError(Box<str>);

impl Platform {
    /// Whether an image for this platform is what someone asking for `wanted`
    /// means. A wish without a variant takes any; `arm64` and `arm64/v8` are one.
    pub fn satisfies(&self, wanted: &Platform) -> bool {
        let plain =
            |platform: &Platform| match (&*platform.architecture, platform.variant.as_deref()) {
                ("arm64", Some("v8")) | ("amd64", Some("v1")) => None,
                (_, variant) => variant.map(str::to_owned),
            };
        self.os == wanted.os
            && self.architecture == wanted.architecture
            && (plain(wanted).is_none() || plain(self) == plain(wanted))
    }
}

impl FromStr for Platform {
    type Err = PlatformError;

    fn from_str(text: &str) -> Result<Self, PlatformError> {
        let word = |part: &str| {
            !part.is_empty()
                && part.len() <= 64
                && part
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
        };
        let parts: Vec<&str> = text.split('/').collect();
        if !parts.iter().all(|part| word(part)) {
            return Err(PlatformError(
                text.chars().take(100).collect::<String>().into(),
            ));
        }
        match parts.as_slice() {
            [os, architecture] => Ok(Self {
                os: (*os).into(),
                architecture: (*architecture).into(),
                variant: None,
            }),
            [os, architecture, variant] => Ok(Self {
                os: (*os).into(),
                architecture: (*architecture).into(),
                variant: Some((*variant).into()),
            }),
            _ => Err(PlatformError(
                text.chars().take(100).collect::<String>().into(),
            )),
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.os, self.architecture)?;
        if let Some(variant) = &self.variant {
            write!(formatter, "/{variant}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wish_without_a_variant_takes_any() {
        let platform = |text: &str| text.parse::<Platform>().expect("a platform");
        assert!(platform("linux/arm/v7").satisfies(&platform("linux/arm")));
        assert!(!platform("linux/arm/v6").satisfies(&platform("linux/arm/v7")));
        assert!(platform("linux/arm64").satisfies(&platform("linux/arm64/v8")));
        assert!(!platform("windows/amd64").satisfies(&platform("linux/amd64")));
        for bad in ["", "linux", "linux/", "a/b/c/d", "li nux/amd64"] {
            assert!(bad.parse::<Platform>().is_err(), "{bad}");
        }
    }
}
