//! What is sent: what the image is called, and what is in it. No byte of a layer.

use bytes::Bytes;
use seaworthy_core::{ImageFacts, Inventory};
use seaworthy_store::encode_inventory;
use serde_json::{Value, json};

/// What the `schema` field says.
const SCHEMA: &str = "seaworthy.submission/1";

/// The document that a server is sent.
pub(crate) fn submission(facts: &ImageFacts, inventory: &Inventory) -> Bytes {
    let text = |it: &dyn ToString| Value::String(it.to_string());
    let mut document = json!({
        "schema": SCHEMA,
        "target": &*facts.target,
        "tags": facts.tags,
    });
    for (name, value) in [
        ("manifest", facts.manifest.as_ref().map(|it| text(it))),
        ("config", facts.config.as_ref().map(|it| text(it))),
        ("platform", facts.platform.as_ref().map(|it| text(it))),
    ] {
        if let Some(value) = value {
            document[name] = value;
        }
    }
    // The inventory is a document already: it takes its place as it is.
    let mut bytes = document.to_string().into_bytes();
    bytes.pop();
    bytes.extend_from_slice(b",\"inventory\":");
    bytes.extend_from_slice(&encode_inventory(inventory));
    bytes.push(b'}');
    bytes.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_submission_is_one_document_with_the_inventory_in_it() {
        let facts = ImageFacts {
            target: "registry:a/\"b\"".into(),
            tags: vec!["x".into()],
            ..ImageFacts::default()
        };
        let bytes = submission(&facts, &Inventory::default());
        let document: Value = serde_json::from_slice(&bytes).expect("JSON");
        assert_eq!(document["schema"], SCHEMA);
        assert_eq!(document["target"], "registry:a/\"b\"");
        assert_eq!(document["inventory"]["schema"], "seaworthy.inventory/1");
        assert!(document.get("manifest").is_none());
    }
}
