//! A document of the Common Security Advisory Framework 2.0, as far as it is read.
//!
//! Everything is borrowed from the document's bytes where JSON allows it: large
//! documents name the same product tens of thousands of times.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;

/// A string of the document.
#[derive(Deserialize)]
#[serde(transparent)]
pub(super) struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

#[derive(Deserialize)]
pub(super) struct Document<'a> {
    #[serde(borrow, rename = "document")]
    pub(super) front: Front<'a>,
    #[serde(borrow, default)]
    pub(super) product_tree: Tree<'a>,
    #[serde(borrow, default)]
    pub(super) vulnerabilities: Vec<Vulnerability<'a>>,
}

/// What is said of the document itself.
#[derive(Deserialize)]
pub(super) struct Front<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow, default)]
    pub(super) title: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) aggregate_severity: Option<Level<'a>>,
    #[serde(borrow, default)]
    pub(super) references: Vec<Reference<'a>>,
    #[serde(borrow, default)]
    pub(super) notes: Vec<Note<'a>>,
    #[serde(borrow)]
    pub(super) tracking: Tracking<'a>,
}

#[derive(Deserialize)]
pub(super) struct Level<'a> {
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Note<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) text: Text<'a>,
}

#[derive(Deserialize)]
pub(super) struct Reference<'a> {
    #[serde(borrow)]
    pub(super) url: Text<'a>,
    #[serde(borrow, default)]
    pub(super) category: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Tracking<'a> {
    #[serde(borrow)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) initial_release_date: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) current_release_date: Option<Text<'a>>,
}

#[derive(Default, Deserialize)]
pub(super) struct Tree<'a> {
    #[serde(borrow, default)]
    branches: Vec<Branch<'a>>,
    #[serde(borrow, default)]
    full_product_names: Vec<Product<'a>>,
    #[serde(borrow, default)]
    relationships: Vec<Relationship<'a>>,
}

#[derive(Deserialize)]
struct Branch<'a> {
    #[serde(borrow, default)]
    product: Option<Product<'a>>,
    #[serde(borrow, default)]
    branches: Vec<Branch<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Product<'a> {
    #[serde(borrow, rename = "product_id")]
    id: Text<'a>,
    #[serde(borrow, default)]
    name: Option<Text<'a>>,
    #[serde(borrow, default, rename = "product_identification_helper")]
    identity: Option<Identity<'a>>,
}

/// What names a product beyond this document.
#[derive(Deserialize)]
struct Identity<'a> {
    #[serde(borrow, default)]
    cpe: Option<Text<'a>>,
    #[serde(borrow, default)]
    purl: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Relationship<'a> {
    #[serde(borrow)]
    product_reference: Text<'a>,
    #[serde(borrow)]
    relates_to_product_reference: Text<'a>,
    #[serde(borrow)]
    full_product_name: Product<'a>,
}

#[derive(Deserialize)]
pub(super) struct Vulnerability<'a> {
    #[serde(borrow, default)]
    pub(super) cve: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) title: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) notes: Vec<Note<'a>>,
    #[serde(borrow, default)]
    pub(super) release_date: Option<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) product_status: Statuses<'a>,
    #[serde(borrow, default)]
    pub(super) flags: Vec<Flag<'a>>,
    #[serde(borrow, default)]
    pub(super) remediations: Vec<Remediation<'a>>,
    #[serde(borrow, default)]
    pub(super) scores: Vec<Score<'a>>,
    #[serde(borrow, default)]
    pub(super) threats: Vec<Threat<'a>>,
    #[serde(borrow, default)]
    pub(super) references: Vec<Reference<'a>>,
}

/// Ids of products by what is said of them.
#[derive(Default, Deserialize)]
pub(super) struct Statuses<'a> {
    #[serde(borrow, default)]
    pub(super) fixed: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) first_fixed: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) recommended: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) known_affected: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) known_not_affected: Vec<Text<'a>>,
    #[serde(borrow, default)]
    pub(super) under_investigation: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Flag<'a> {
    #[serde(borrow)]
    pub(super) label: Text<'a>,
    #[serde(borrow, default)]
    pub(super) product_ids: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Remediation<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow, default)]
    pub(super) product_ids: Vec<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Score<'a> {
    #[serde(borrow, default, rename = "cvss_v2")]
    pub(super) v2: Option<Vector<'a>>,
    #[serde(borrow, default, rename = "cvss_v3")]
    pub(super) v3: Option<Vector<'a>>,
    #[serde(borrow, default, rename = "cvss_v4")]
    pub(super) v4: Option<Vector<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Vector<'a> {
    #[serde(borrow, rename = "vectorString", default)]
    pub(super) vector: Option<Text<'a>>,
}

#[derive(Deserialize)]
pub(super) struct Threat<'a> {
    #[serde(borrow)]
    pub(super) category: Text<'a>,
    #[serde(borrow)]
    pub(super) details: Text<'a>,
}

/// A product by itself: a release of a distribution, or a package of any.
#[derive(Clone, Copy)]
pub(super) struct Item<'a> {
    /// Its name in this document.
    pub(super) id: &'a str,
    /// Its name for people.
    pub(super) name: &'a str,
    /// Its Common Platform Enumeration.
    pub(super) cpe: Option<&'a str>,
    /// Its package URL.
    pub(super) purl: Option<&'a str>,
}

/// The products of a document, and which of them are a package in a product.
pub(super) struct Products<'a> {
    items: HashMap<&'a str, Item<'a>>,
    /// The package and the product, by the id of both together.
    within: HashMap<&'a str, (&'a str, &'a str)>,
}

impl<'a> Products<'a> {
    pub(super) fn of(tree: &'a Tree<'_>) -> Self {
        let mut items = HashMap::new();
        let mut add = |product: &'a Product<'_>| {
            let id = product.id.as_str();
            let identity = product.identity.as_ref();
            let item = Item {
                id,
                name: product.name.as_ref().map_or(id, Text::as_str),
                cpe: identity.and_then(|it| it.cpe.as_ref()).map(Text::as_str),
                purl: identity.and_then(|it| it.purl.as_ref()).map(Text::as_str),
            };
            items.insert(id, item);
        };
        tree.full_product_names.iter().for_each(&mut add);
        let mut waiting: Vec<&Branch<'_>> = tree.branches.iter().collect();
        while let Some(branch) = waiting.pop() {
            branch.product.iter().for_each(&mut add);
            waiting.extend(&branch.branches);
        }
        let within = tree
            .relationships
            .iter()
            .map(|relationship| {
                (
                    relationship.full_product_name.id.as_str(),
                    (
                        relationship.product_reference.as_str(),
                        relationship.relates_to_product_reference.as_str(),
                    ),
                )
            })
            .collect();
        Self { items, within }
    }

    /// The package and the product that `id` stands for. `None` where it is a
    /// product as a whole, or nothing that the document explains.
    pub(super) fn package_in_product(&self, id: &str) -> Option<(Item<'a>, Item<'a>)> {
        let &(package, product) = self.within.get(id)?;
        let item = |id: &'a str| {
            self.items.get(id).copied().unwrap_or(Item {
                id,
                name: id,
                cpe: None,
                purl: None,
            })
        };
        Some((item(package), item(product)))
    }
}
