//! Links that may stand where the specification demands an address.

/// Whether `link` is a plain web address that every reader of RFC 3986 takes:
/// a scheme, a host of letters, digits, dots and hyphens, perhaps a port, and
/// only allowed characters after that.
///
/// Feeds carry other links too; those are kept where any text may stand.
pub(super) fn is_web_address(link: &str) -> bool {
    let Some(rest) = link
        .strip_prefix("https://")
        .or_else(|| link.strip_prefix("http://"))
    else {
        return false;
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (host, port) = authority.split_once(':').unwrap_or((authority, "443"));
    let in_host = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
    !host.is_empty()
        && host.bytes().all(in_host)
        && (1..=5).contains(&port.len())
        && port.bytes().all(|byte| byte.is_ascii_digit())
        && is_path(path)
}

fn is_path(path: &str) -> bool {
    let bytes = path.as_bytes();
    let mut fragments = 0;
    bytes.iter().enumerate().all(|(position, byte)| match byte {
        b'%' => {
            let hex = |ahead: usize| {
                bytes
                    .get(position + ahead)
                    .is_some_and(u8::is_ascii_hexdigit)
            };
            hex(1) && hex(2)
        }
        b'#' => {
            fragments += 1;
            fragments == 1
        }
        byte => byte.is_ascii_alphanumeric() || b"-._~:/?@!$&'()*+,;=".contains(byte),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_web_addresses_pass() {
        for good in [
            "https://nvd.nist.gov/vuln/detail/CVE-2021-44228",
            "http://example.org",
            "https://example.org:8443/a?b=c%20d#e",
        ] {
            assert!(is_web_address(good), "{good}");
        }
        for bad in [
            "",
            "CVE-2021-44228",
            "javascript:alert(1)",
            "https://",
            "https://user@host/",
            "https://a b/",
            "https://example.org/a b",
            "https://example.org/%zz",
            "https://example.org/#a#b",
            "https://example.org:port/",
            "https://example.org/\u{202e}",
            "https://[::1]/",
        ] {
            assert!(!is_web_address(bad), "{bad}");
        }
    }
}
