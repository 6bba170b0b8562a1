//! Which route a path is: few names, however many repositories there are.

/// The name of a path of the registry or of the front door; `None` for others.
pub(super) fn of(path: &str) -> Option<&'static str> {
    match path {
        "/healthz" => return Some("/healthz"),
        "/readyz" => return Some("/readyz"),
        "/metrics" => return Some("/metrics"),
        "/v2/" | "/v2" => return Some("/v2/"),
        "/v2/_catalog" => return Some("/v2/_catalog"),
        "/token" => return Some("/token"),
        _ => {}
    }
    let rest = path.strip_prefix("/v2/")?;
    let parts: Vec<&str> = rest.rsplit('/').take(3).collect();
    Some(match parts.as_slice() {
        ["", "uploads", "blobs"] | ["uploads", "blobs", ..] => "/v2/{name}/blobs/uploads/",
        [_, "uploads", "blobs"] => "/v2/{name}/blobs/uploads/{id}",
        [_, "blobs", ..] => "/v2/{name}/blobs/{digest}",
        [_, "manifests", ..] => "/v2/{name}/manifests/{reference}",
        [_, "referrers", ..] => "/v2/{name}/referrers/{digest}",
        ["list", "tags", ..] => "/v2/{name}/tags/list",
        _ => "/v2/...",
    })
}

/// Longest path that is logged, in characters.
const LONGEST: usize = 256;

/// A path as the log may have it: without what a client could use in somebody
/// else's name, short, and on one line.
pub(super) fn logged(path: &str) -> String {
    let shown = match path.rsplit_once("/blobs/uploads/") {
        // Whoever has the id of an upload is nearly who began it.
        Some((before, id)) if !id.is_empty() => {
            let begin: String = id.chars().take(8).collect();
            format!("{before}/blobs/uploads/{begin}...")
        }
        _ => path.to_owned(),
    };
    shown
        .chars()
        .map(|it| if it.is_control() { '?' } else { it })
        .take(LONGEST)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_few_names() {
        for (path, name) in [
            ("/v2/", Some("/v2/")),
            (
                "/v2/a/b/c/manifests/1.2",
                Some("/v2/{name}/manifests/{reference}"),
            ),
            ("/v2/a/blobs/sha256:00", Some("/v2/{name}/blobs/{digest}")),
            ("/v2/a/blobs/uploads/", Some("/v2/{name}/blobs/uploads/")),
            (
                "/v2/a/blobs/uploads/x",
                Some("/v2/{name}/blobs/uploads/{id}"),
            ),
            ("/v2/a/tags/list", Some("/v2/{name}/tags/list")),
            (
                "/v2/a/referrers/sha256:00",
                Some("/v2/{name}/referrers/{digest}"),
            ),
            ("/v2/odd", Some("/v2/...")),
            ("/healthz", Some("/healthz")),
            ("/api/v1/images", None),
            ("/", None),
        ] {
            assert_eq!(of(path), name, "{path}");
        }
    }

    #[test]
    fn the_id_of_an_upload_is_not_logged() {
        assert_eq!(
            logged("/v2/a/blobs/uploads/0123456789abcdef"),
            "/v2/a/blobs/uploads/01234567..."
        );
        assert_eq!(logged("/a\n\u{1b}[2J"), "/a??[2J");
        assert_eq!(logged(&"/x".repeat(500)).chars().count(), LONGEST);
    }
}
