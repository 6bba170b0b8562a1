//! What refers to a manifest.

use std::collections::BTreeMap;

use axum::response::Response;
use seaworthy_store::Referrer;
use serde::Serialize;

use crate::answer;
use crate::document::OCI_INDEX;
use crate::fault::Fault;
use crate::query::encoded;
use crate::visit::Visit;

/// How many referrers one page has at most.
const MOST: usize = 500;

/// How large a page may grow: clients expect what manifests may have.
const LARGEST: usize = 3 << 20;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Index<'a> {
    schema_version: u8,
    media_type: &'static str,
    manifests: Vec<Descriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Descriptor<'a> {
    media_type: &'a str,
    digest: &'a str,
    size: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    artifact_type: Option<&'a str>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    annotations: &'a BTreeMap<String, String>,
}

fn descriptor(referrer: &Referrer) -> Descriptor<'_> {
    Descriptor {
        media_type: &referrer.media_type,
        digest: referrer.address.as_str(),
        size: referrer.size,
        artifact_type: referrer.artifact_type.as_deref(),
        annotations: &referrer.annotations,
    }
}

/// About how many bytes it takes in the list.
fn weight(referrer: &Referrer) -> usize {
    let annotations = referrer.annotations.iter();
    let text: usize = annotations
        .map(|(key, value)| key.len() + value.len() + 8)
        .sum();
    text + 600
}

pub(crate) async fn list(visit: &Visit) -> Result<Response, Fault> {
    let subject = visit.address()?;
    let query = visit.query();
    // A plus sign that nobody encoded reads as a space, which no media type has.
    let wanted = query.one("artifactType").map(|it| it.replace(' ', "+"));
    let after = query.one("after").map(str::parse::<i64>).transpose();
    let after = after
        .map_err(|_| Fault::Query("`after` is not a number"))?
        .unwrap_or(0);
    let catalog = &visit.door.options.catalog;
    let found = catalog.referrers(&visit.repository, &subject, wanted.as_deref(), after, MOST);
    let page = found.await?;
    let mut size = 0;
    let fitting = page.items.iter().take_while(|(_, referrer)| {
        // One fits always, or nobody would get any further.
        let fits = size == 0 || size + weight(referrer) <= LARGEST;
        size += weight(referrer);
        fits
    });
    let shown: Vec<&(i64, Referrer)> = fitting.collect();
    let index = Index {
        schema_version: 2,
        media_type: OCI_INDEX,
        manifests: shown
            .iter()
            .map(|(_, referrer)| descriptor(referrer))
            .collect(),
    };
    let mut response = answer::json(OCI_INDEX, &index);
    let is_cut = shown.len() < page.items.len();
    if let Some((serial, _)) = shown.last()
        && (page.more || is_cut)
    {
        let filter = wanted.as_deref().map(encoded);
        let filter = filter.map_or_else(String::new, |it| format!("&artifactType={it}"));
        let repository = &visit.repository;
        let next = format!("/v2/{repository}/referrers/{subject}?after={serial}{filter}");
        answer::link_next(&mut response, &next);
    }
    if wanted.is_some() {
        answer::tell(&mut response, answer::FILTERS, "artifactType");
    }
    Ok(response)
}
