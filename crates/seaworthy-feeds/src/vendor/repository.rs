//! Repositories of rpm packages: where one is today, and what its index calls its
//! list of updates.

use std::str;

use super::VendorError;
use super::listing::is_path;
use super::markup::{Markup, Node};

/// The path, below the repository, of the list of updates that the index
/// `repomd.xml` names. `None` for a repository without updates.
pub(crate) fn list_of_updates(index: &[u8]) -> Result<Option<String>, VendorError> {
    let mut markup = Markup::of(index);
    let mut is_index = false;
    let mut is_updates = false;
    let mut found = None;
    while let Some(node) = markup.next()? {
        let Node::Open(element) = node else { continue };
        match element.name.as_str() {
            "repomd" => is_index = true,
            "data" => is_updates = element.attribute("type") == Some("updateinfo"),
            "location" if is_updates && found.is_none() => {
                let path = element.attribute("href").filter(|path| is_path(path));
                found = Some(path.map(str::to_owned).ok_or(VendorError::Missing {
                    what: "the name of the list of updates",
                })?);
            }
            _ => {}
        }
    }
    if is_index {
        Ok(found)
    } else {
        Err(VendorError::Missing {
            what: "an index of a repository",
        })
    }
}

/// The address of a repository that the first line of a `mirror.list` has, for the
/// processor that we ask for. It has to lie where the list lies, or beside it.
pub(crate) fn address_in(list: &[u8], published: &str) -> Result<String, VendorError> {
    let broken = VendorError::Missing {
        what: "the address of a repository",
    };
    let Some(line) = str::from_utf8(list).ok().and_then(|it| it.lines().next()) else {
        return Err(broken);
    };
    let address = line
        .trim()
        .trim_end_matches('/')
        .replace("$basearch", "x86_64");
    let (Some(ours), Some(theirs)) = (domain(published), domain(&address)) else {
        return Err(broken);
    };
    if ours == theirs && address.len() <= 500 && address.bytes().all(|it| it.is_ascii_graphic()) {
        Ok(address)
    } else {
        Err(broken)
    }
}

/// `amazonaws.com` of `http://packages.us-west-2.amazonaws.com/2018.03`.
fn domain(address: &str) -> Option<&str> {
    let rest = address
        .strip_prefix("https://")
        .or_else(|| address.strip_prefix("http://"))?;
    let host = rest.split('/').next()?;
    let is_name = |it: u8| it.is_ascii_alphanumeric() || matches!(it, b'.' | b'-');
    if host.is_empty() || !host.bytes().all(is_name) {
        return None;
    }
    let dots: Vec<usize> = host.match_indices('.').map(|(at, _)| at).collect();
    match dots.as_slice() {
        [.., start, _] => host.get(start + 1..),
        _ => Some(host),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_names_the_list_of_updates() {
        let data = |kind: &str, href: &str| {
            format!(r#"<data type="{kind}"><location href="{href}"/></data>"#)
        };
        for (inner, expected) in [
            (
                data("primary", "a") + &data("updateinfo", "repodata/12-updateinfo.xml.gz"),
                "repodata/12-updateinfo.xml.gz",
            ),
            (data("primary", "a"), "none"),
            (
                data("updateinfo", "../../etc/passwd"),
                "the name of the list of updates is missing",
            ),
            (
                data("updateinfo", "https://elsewhere/x"),
                "the name of the list of updates is missing",
            ),
        ] {
            let index = format!("<repomd>{inner}</repomd>");
            let said = match list_of_updates(index.as_bytes()) {
                Ok(found) => found.unwrap_or("none".to_owned()),
                Err(error) => error.to_string(),
            };
            assert_eq!(said, expected);
        }
        for text in ["<html></html>", "", "<repomd>"] {
            assert!(list_of_updates(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_list_of_mirrors_names_a_repository_of_the_same_publisher() {
        let published = "http://repo.us-west-2.example.org/2018.03/updates/mirror.list";
        for (list, expected) in [
            (
                "http://packages.eu-west-1.example.org/2018.03/updates/4b/$basearch\nhttp://b",
                Some("http://packages.eu-west-1.example.org/2018.03/updates/4b/x86_64"),
            ),
            (
                "https://example.org/core/12/\n",
                Some("https://example.org/core/12"),
            ),
            ("https://elsewhere.net/core", None),
            ("https://example.org@elsewhere.net/core", None),
            ("https://example.org:81/core", None),
            ("ftp://example.org/core", None),
            ("<html>", None),
            ("", None),
        ] {
            let found = address_in(list.as_bytes(), published).ok();
            assert_eq!(found.as_deref(), expected, "{list}");
        }
        assert!(address_in(b"\xff", published).is_err());
    }
}
