//! What a key narrows its account to, as it is stored.

use serde::{Deserialize, Serialize};

use crate::principal::Narrowed;

/// Version 1 of the stored document.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    version: u32,
    items: Vec<Item>,
}

/// One thing that a credential is good for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Item {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) namespace: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) repository: Option<String>,
    pub(crate) rights: Vec<String>,
}

impl From<&Narrowed> for Item {
    fn from(narrowed: &Narrowed) -> Self {
        Self {
            namespace: narrowed.namespace.as_ref().map(|it| it.as_str().to_owned()),
            repository: narrowed.repository.as_deref().map(str::to_owned),
            rights: narrowed
                .rights
                .iter()
                .map(|right| right.name().to_owned())
                .collect(),
        }
    }
}

impl Item {
    /// What it means. What this program does not know gives nothing.
    pub(crate) fn narrowed(&self) -> Option<Narrowed> {
        let namespace = match &self.namespace {
            Some(name) => Some(name.parse().ok()?),
            None => None,
        };
        let known = self.rights.iter().filter_map(|word| word.parse().ok());
        Some(Narrowed {
            repository: self.repository.as_deref().map(Into::into),
            namespace,
            rights: known.collect(),
        })
    }
}

/// The document to store.
pub(crate) fn document(narrowed: &[Narrowed]) -> String {
    let document = Document {
        version: 1,
        items: narrowed.iter().map(Item::from).collect(),
    };
    serde_json::to_string(&document).expect("texts and a number become JSON")
}

/// What a stored document means. One that cannot be read is good for nothing, never
/// for everything.
pub(crate) fn narrowed(document: &str) -> Vec<Narrowed> {
    match serde_json::from_str::<Document>(document) {
        Ok(document) if document.version == 1 => {
            document.items.iter().filter_map(Item::narrowed).collect()
        }
        Ok(_) | Err(_) => {
            tracing::warn!("what a key is narrowed to cannot be read; it is good for nothing");
            Vec::new()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::right::Right;

    #[test]
    fn what_is_stored_is_read_again() {
        let items = vec![
            Narrowed {
                repository: Some("team/app".into()),
                namespace: None,
                rights: vec![Right::Read, Right::Push],
            },
            Narrowed {
                repository: None,
                namespace: Some("team".parse().expect("a namespace")),
                rights: vec![Right::Scan],
            },
        ];
        assert_eq!(narrowed(&document(&items)), items);
    }

    #[test]
    fn what_cannot_be_read_gives_nothing() {
        for text in [
            "",
            "null",
            "{}",
            r#"{"version":2,"items":[{"rights":["read"]}]}"#,
            r#"{"version":1,"items":[{"rights":["read"],"all":true}]}"#,
            r#"{"version":1,"items":[{"namespace":"../x","rights":["read"]}]}"#,
        ] {
            assert_eq!(narrowed(text), vec![], "{text}");
        }
        let unknown = narrowed(r#"{"version":1,"items":[{"rights":["fly"]}]}"#);
        assert!(unknown.iter().all(|item| item.rights.is_empty()));
    }
}
