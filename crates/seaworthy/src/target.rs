//! What people may ask to scan.

use std::fmt;
use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use seaworthy_core::Reference;

use crate::failure::Hinted;

/// A target, told apart by its scheme.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// `registry:REFERENCE`, and what looks like nothing else.
    Registry(String),
    /// `docker-archive:FILE[:TAG]`.
    DockerArchive(Place),
    /// `oci:DIRECTORY[:TAG]`.
    OciLayout(Place),
    /// `oci-archive:FILE[:TAG]`.
    OciArchive(Place),
    /// `-`: an archive on standard input.
    Stream,
    /// `docker:NAME`.
    Docker(String),
    /// `podman:NAME`.
    Podman(String),
    /// `containerd:NAME`.
    Containerd(String),
    /// `dir:DIRECTORY`.
    Directory(PathBuf),
    /// `sbom:FILE`.
    Sbom(PathBuf),
}

/// A file or folder that may hold several images, and which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) path: PathBuf,
    pub(crate) tag: Option<String>,
}

impl Target {
    /// The repository of an image in a registry, without the registry.
    pub(crate) fn repository(&self) -> Option<String> {
        let name = match self {
            Self::Registry(name)
            | Self::Docker(name)
            | Self::Podman(name)
            | Self::Containerd(name) => name,
            Self::DockerArchive(_)
            | Self::OciLayout(_)
            | Self::OciArchive(_)
            | Self::Stream
            | Self::Directory(_)
            | Self::Sbom(_) => return None,
        };
        let reference: Reference = name.parse().ok()?;
        Some(reference.repository().to_owned())
    }

    /// Reads what the user typed. Answers also whether the kind was inferred, so
    /// that it can be said.
    pub(crate) fn read(text: &str) -> anyhow::Result<(Self, bool)> {
        if text == "-" {
            return Ok((Self::Stream, false));
        }
        if let Some((scheme, rest)) = text.split_once(':') {
            let given = match scheme {
                "registry" => Some(Self::Registry(rest.to_owned())),
                "docker-archive" => Some(Self::DockerArchive(place(rest))),
                "oci" => Some(Self::OciLayout(place(rest))),
                "oci-archive" => Some(Self::OciArchive(place(rest))),
                "docker" => Some(Self::Docker(rest.to_owned())),
                "podman" => Some(Self::Podman(rest.to_owned())),
                "containerd" => Some(Self::Containerd(rest.to_owned())),
                "dir" => Some(Self::Directory(rest.into())),
                "sbom" => Some(Self::Sbom(rest.into())),
                _ => None,
            };
            if let Some(target) = given {
                if rest.is_empty() {
                    return Err(Hinted::error(
                        format!("`{text}` names nothing after `{scheme}:`"),
                        "`seaworthy scan --help` lists the forms of a target",
                    ));
                }
                return Ok((target, false));
            }
        }
        infer(text).map(|target| (target, true))
    }
}

/// Splits `PATH[:TAG]`, taking the longest path that exists.
fn place(text: &str) -> Place {
    let whole = Place {
        path: text.into(),
        tag: None,
    };
    if whole.path.exists() {
        return whole;
    }
    text.rmatch_indices(':')
        .map(|(at, _)| text.split_at(at))
        .find(|(path, _)| Path::new(path).exists())
        .map(|(path, tag)| Place {
            path: path.into(),
            tag: Some(tag.trim_start_matches(':').to_owned()),
        })
        .unwrap_or(whole)
}

/// Without a scheme: what lies on disk under this name, else a registry.
fn infer(text: &str) -> anyhow::Result<Target> {
    let path = Path::new(text);
    let Ok(found) = fs::metadata(path) else {
        if text.starts_with(['/', '.']) {
            return Err(Hinted::error(
                format!("there is no file or directory `{text}`"),
                "an image in a registry is named like `alpine:3.20` or `registry.example/team/app:1.2`",
            ));
        }
        return Ok(Target::Registry(text.to_owned()));
    };
    if found.is_dir() {
        if path.join("oci-layout").is_file() {
            return Ok(Target::OciLayout(Place {
                path: path.into(),
                tag: None,
            }));
        }
        // A folder that happens to be called like an image must not stand in for
        // it: `redis` is the image, `./redis` the folder.
        if !text.contains('/') && text.parse::<Reference>().is_ok() {
            return Ok(Target::Registry(text.to_owned()));
        }
        return Ok(Target::Directory(path.into()));
    }
    let mut head = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(512).read_to_end(&mut head))
        .map_err(|error| {
            Hinted::over(
                format!("cannot read `{text}`"),
                "is it yours to read?",
                error,
            )
        })?;
    let first = head
        .iter()
        .find(|byte| !byte.is_ascii_whitespace() && **byte < 0x80);
    Ok(if first == Some(&b'{') {
        Target::Sbom(path.into())
    } else {
        // One reader knows both kinds of archive.
        Target::DockerArchive(Place {
            path: path.into(),
            tag: None,
        })
    })
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = |formatter: &mut fmt::Formatter<'_>, scheme: &str, place: &Place| {
            write!(formatter, "{scheme}:{}", place.path.display())?;
            place
                .tag
                .iter()
                .try_for_each(|tag| write!(formatter, ":{tag}"))
        };
        match self {
            Self::Registry(name) => write!(formatter, "registry:{name}"),
            Self::DockerArchive(it) => place(formatter, "docker-archive", it),
            Self::OciLayout(it) => place(formatter, "oci", it),
            Self::OciArchive(it) => place(formatter, "oci-archive", it),
            Self::Stream => formatter.write_str("-"),
            Self::Docker(name) => write!(formatter, "docker:{name}"),
            Self::Podman(name) => write!(formatter, "podman:{name}"),
            Self::Containerd(name) => write!(formatter, "containerd:{name}"),
            Self::Directory(path) => write!(formatter, "dir:{}", path.display()),
            Self::Sbom(path) => write!(formatter, "sbom:{}", path.display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scheme_is_taken_at_its_word_and_anything_else_is_looked_at() {
        let folder = tempfile::tempdir().expect("a folder");
        let layout = folder.path().join("layout");
        std::fs::create_dir(&layout).expect("a folder");
        std::fs::write(layout.join("oci-layout"), "{}").expect("a file");
        let sbom = folder.path().join("sbom.json");
        std::fs::write(&sbom, "\u{feff} {}").expect("a file");
        let archive = folder.path().join("image.tar");
        std::fs::write(&archive, "manifest.json").expect("a file");
        let read = |text: &str| {
            Target::read(text).map(|(target, inferred)| (target.to_string(), inferred))
        };
        for (text, meaning) in [
            ("alpine:3.20".to_owned(), "registry:alpine:3.20".to_owned()),
            (
                layout.display().to_string(),
                format!("oci:{}", layout.display()),
            ),
            (
                folder.path().display().to_string(),
                format!("dir:{}", folder.path().display()),
            ),
            (
                sbom.display().to_string(),
                format!("sbom:{}", sbom.display()),
            ),
            (
                archive.display().to_string(),
                format!("docker-archive:{}", archive.display()),
            ),
        ] {
            assert_eq!(read(&text).expect("a target"), (meaning, true));
        }
        let tagged = format!("oci:{}:v1", layout.display());
        assert_eq!(
            Target::read(&tagged).expect("a target").0,
            Target::OciLayout(Place {
                path: layout,
                tag: Some("v1".into())
            })
        );
        assert!(read("./nowhere").is_err());
        assert!(read("oci:").is_err());
    }
}
