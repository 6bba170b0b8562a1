//! Search over all images that one may see.

use axum::extract::State;
use seaworthy_store::{Found, FoundPackage, Sought};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::image::{OutcomeWord, StateWord};
use crate::caller::Caller;
use crate::form::Asked;
use crate::page::{Listed, Window};
use crate::problem::Problem;
use crate::shared::Shared;
use crate::sight;

/// The longest text that is sought.
const LONGEST: usize = 1024;

/// An image that was found.
#[derive(Serialize, ToSchema)]
#[schema(as = Found)]
pub(crate) struct FoundDocument {
    /// The repository it is in.
    repository: String,
    /// Its digest.
    digest: String,
    /// Such as `linux/amd64`.
    platform: Option<String>,
    /// How far its scan is.
    state: StateWord,
    /// What the policy says to its newest report.
    verdict: Option<OutcomeWord>,
    /// The packages that made it a hit; none where it was sought otherwise.
    packages: Vec<FoundPackageDocument>,
}

/// A package that made an image a hit.
#[derive(Serialize, ToSchema)]
#[schema(as = FoundPackage)]
pub(crate) struct FoundPackageDocument {
    /// The package URL type.
    #[serde(rename = "type")]
    kind: String,
    name: String,
    version: String,
    /// Its package URL.
    purl: String,
    /// The vulnerability that was sought, as the edition calls it.
    vulnerability: Option<String>,
    /// Its severity there.
    severity: Option<String>,
    /// What can be done.
    fix: Option<String>,
}

impl From<FoundPackage> for FoundPackageDocument {
    fn from(found: FoundPackage) -> Self {
        Self {
            kind: found.kind.into(),
            name: found.name.into(),
            version: found.version.into(),
            purl: found.purl.into(),
            vulnerability: found.vulnerability.map(String::from),
            severity: found.severity.map(String::from),
            fix: found.fix.map(String::from),
        }
    }
}

impl From<Found> for FoundDocument {
    fn from(found: Found) -> Self {
        Self {
            repository: found.repository.to_string(),
            digest: found.address.to_string(),
            platform: found.platform.map(String::from),
            state: found.state.into(),
            verdict: found.outcome.as_deref().map(OutcomeWord::of),
            packages: found
                .packages
                .into_iter()
                .map(FoundPackageDocument::from)
                .collect(),
        }
    }
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Search {
    /// The most items of a page, from 1 to 200; 50 without it.
    limit: Option<u16>,
    /// Where to go on: `next` of the page before.
    cursor: Option<String>,
    /// Images with this vulnerability, by any of its names.
    vulnerability: Option<String>,
    /// Images with this package, or with packages built from this source package.
    package: Option<String>,
    /// Together with `package`: only this version.
    version: Option<String>,
    /// Images with this package URL; without a version any is meant.
    purl: Option<String>,
    /// The image with this digest, or whatever holds this content.
    digest: Option<String>,
    /// Images with this label: `name`, or `name=value`.
    label: Option<String>,
}

impl Search {
    fn sought(&self) -> Result<Sought, Problem> {
        let given = [
            &self.vulnerability,
            &self.package,
            &self.purl,
            &self.digest,
            &self.label,
        ];
        let one = "search by one of `vulnerability`, `package`, `purl`, `digest`, `label`";
        if given.into_iter().flatten().count() != 1 {
            return Err(Problem::malformed(one));
        }
        let texts = given.into_iter().chain([&self.version]).flatten();
        for text in texts {
            if text.is_empty() || text.len() > LONGEST {
                return Err(Problem::malformed(format!(
                    "what is sought has from 1 to {LONGEST} bytes"
                )));
            }
        }
        if self.version.is_some() && self.package.is_none() {
            return Err(Problem::malformed("`version` goes with `package`"));
        }
        if let Some(name) = &self.vulnerability {
            return Ok(Sought::Vulnerability(name.clone()));
        }
        if let Some(name) = &self.package {
            return Ok(Sought::Package {
                name: name.clone(),
                version: self.version.clone(),
            });
        }
        if let Some(purl) = &self.purl {
            let purl = purl
                .parse()
                .map_err(|error| Problem::malformed(format!("`purl`: {error}")))?;
            return Ok(Sought::Purl(purl));
        }
        if let Some(digest) = &self.digest {
            let address = digest
                .parse()
                .map_err(|error| Problem::malformed(format!("`digest`: {error}")))?;
            return Ok(Sought::Address(address));
        }
        let label = self
            .label
            .as_deref()
            .ok_or_else(|| Problem::malformed(one))?;
        let (name, value) = match label.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (label, None),
        };
        Ok(Sought::Label {
            name: name.to_owned(),
            value,
        })
    }
}

/// Search for images
///
/// By exactly one of the parameters that name something; newest first.
#[utoipa::path(
    get,
    path = "/search",
    operation_id = "search",
    tag = "search",
    params(Search),
    responses((status = 200, description = "A page of images.", body = Listed<FoundDocument>))
)]
pub(crate) async fn search(
    State(shared): State<Shared>,
    caller: Caller,
    Asked(asked): Asked<Search>,
) -> Result<Listed<FoundDocument>, Problem> {
    let window = Window::of(asked.limit, asked.cursor.as_deref())?;
    let sought = asked.sought()?;
    let sight = sight::of(&caller.principal);
    let page = shared
        .scans
        .search(&sought, &sight, window.number()?, window.limit)
        .await?;
    let last = page.items.last().map(|found| found.image.to_string());
    let items = page.items.into_iter().map(FoundDocument::from);
    Ok(Listed::of(items.collect(), last, page.more))
}
