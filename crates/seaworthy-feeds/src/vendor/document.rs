//! YAML documents of databases that people keep by hand.

use serde::de::DeserializeOwned;

use super::VendorError;

/// Parses one document. It may be long, but neither deep nor full of references:
/// nobody writes such a record.
pub(super) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, VendorError> {
    let options = serde_saphyr::options! {
        budget: serde_saphyr::budget! {
            max_reader_input_bytes: Some(1 << 20),
            max_events: 50_000,
            max_nodes: 20_000,
            max_depth: 16,
            max_anchors: 50,
            max_aliases: 100,
            max_documents: 1,
            max_merge_keys: 50,
            max_total_scalar_bytes: 1 << 20,
            max_recorded_anchor_events: 5_000,
            max_recorded_anchor_bytes: 1 << 20,
        },
    };
    let yaml = |why: String| VendorError::Yaml {
        why: why
            .lines()
            .next()
            .unwrap_or_default()
            .chars()
            .take(200)
            .collect::<String>()
            .into(),
    };
    if bytes.len() > 1 << 20 {
        return Err(VendorError::TooLarge {
            what: "bytes",
            limit: 1 << 20,
        });
    }
    serde_saphyr::from_slice_with_options(bytes, options).map_err(|error| yaml(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn what_makes_much_of_little_is_refused() {
        let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
        for level in 1..20 {
            let below = format!("*a{}", level - 1);
            let many = vec![below; 9].join(", ");
            bomb.push_str(&["a", &level.to_string(), ": &a", &level.to_string()].concat());
            bomb.push_str(&[" [", &many, "]\n"].concat());
        }
        let deep = format!("a: {}{}", "[".repeat(500), "]".repeat(500));
        let long = format!("a: {}", "x".repeat(2 << 20));
        for text in [bomb.as_str(), &deep, &long, "a: [", "- a", "\u{0}"] {
            let read = parse::<BTreeMap<String, serde_json::Value>>(text.as_bytes());
            assert!(read.is_err());
        }
        assert!(parse::<BTreeMap<String, String>>(b"a: \xff").is_err());
        let plain = parse::<BTreeMap<String, String>>(b"a: 2022-23633\nb: 7.4\n");
        assert_eq!(
            plain.ok().map(|it| it.into_values().collect::<Vec<_>>()),
            Some(vec!["2022-23633".to_owned(), "7.4".to_owned()])
        );
    }
}
