//! Lists of tags and of repositories.

use std::collections::HashMap;

use axum::http::request::Parts;
use axum::response::Response;
use seaworthy_access::{Principal, Right};
use seaworthy_store::{Namespace, RepositoryName, Tag};
use serde::Serialize;

use crate::answer;
use crate::door::Door;
use crate::fault::Fault;
use crate::query::{Query, encoded};
use crate::visit::Visit;

/// How many repositories are looked at for one page. Where most are hidden a page may
/// have few names, or none, and yet a link to the next.
const MOST_LOOKED_AT: usize = 20_000;

const JSON: &str = "application/json";

#[derive(Serialize)]
struct Tags<'a> {
    name: &'a str,
    tags: Vec<&'a str>,
}

#[derive(Serialize)]
struct Repositories<'a> {
    repositories: Vec<&'a str>,
}

/// How many names are wanted, and after which.
struct Paging<'a> {
    limit: usize,
    last: Option<&'a str>,
}

fn paging<'a>(query: &'a Query<'_>, most: usize) -> Result<Paging<'a>, Fault> {
    let limit = match query.one("n") {
        None => most,
        Some(text) => {
            let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            if !number {
                return Err(Fault::Query("`n` is not a number"));
            }
            text.parse().unwrap_or(most).min(most)
        }
    };
    let last = query.one("last");
    if last.is_some_and(|last| last.len() > 512) {
        return Err(Fault::Query("`last` is longer than any name"));
    }
    Ok(Paging { limit, last })
}

pub(crate) async fn tags(visit: &Visit) -> Result<Response, Fault> {
    let options = &visit.door.options;
    let query = visit.query();
    let paging = paging(&query, options.limits.page)?;
    // Nobody wants a tag of a page without tags, but whether there is a repository.
    let found = options
        .catalog
        .tags(&visit.repository, paging.last, paging.limit.max(1))
        .await?;
    let Some(page) = found else {
        return Err(Fault::NoRepository(visit.repository.clone()));
    };
    let shown = page.items.iter().take(paging.limit);
    let name = visit.repository.as_str();
    let document = Tags {
        name,
        tags: shown.map(Tag::as_str).collect(),
    };
    let mut response = answer::json(JSON, &document);
    if let Some(last) = document.tags.last()
        && page.more
    {
        let next = format!("/v2/{name}/tags/list?n={}&last={last}", paging.limit);
        answer::link_next(&mut response, &next);
    }
    Ok(response)
}

pub(crate) async fn repositories(
    door: &Door,
    parts: &Parts,
    principal: &Principal,
) -> Result<Response, Fault> {
    let query = Query::read(parts.uri.query());
    let paging = paging(&query, door.options.limits.page)?;
    let mut shown: Vec<RepositoryName> = Vec::new();
    let mut last = paging.last.map(str::to_owned);
    let mut more = paging.limit > 0;
    let mut looked_at = 0;
    let mut readable = Readable::default();
    while more && shown.len() < paging.limit && looked_at < MOST_LOOKED_AT {
        let limit = door.options.limits.page;
        let page = door
            .options
            .catalog
            .repositories(last.as_deref(), limit)
            .await?;
        more = page.more;
        let mut items = page.items.into_iter();
        for repository in items.by_ref() {
            looked_at += 1;
            last = Some(repository.as_str().to_owned());
            if readable.by(door, principal, &repository).await? {
                shown.push(repository);
                if shown.len() == paging.limit {
                    break;
                }
            }
        }
        more = more || items.next().is_some();
    }
    let document = Repositories {
        repositories: shown.iter().map(RepositoryName::as_str).collect(),
    };
    let mut response = answer::json(JSON, &document);
    if let Some(last) = last
        && more
        && paging.limit > 0
    {
        let next = format!("/v2/_catalog?n={}&last={}", paging.limit, encoded(&last));
        answer::link_next(&mut response, &next);
    }
    Ok(response)
}

/// What somebody may read, asked once per namespace where that is enough.
#[derive(Default)]
struct Readable(HashMap<Namespace, bool>);

impl Readable {
    async fn by(
        &mut self,
        door: &Door,
        principal: &Principal,
        repository: &RepositoryName,
    ) -> Result<bool, Fault> {
        if principal.narrowed.is_some() {
            return Ok(door
                .permit(principal, Right::Read, repository)
                .await?
                .is_ok());
        }
        let namespace = repository.namespace();
        if let Some(known) = self.0.get(&namespace) {
            return Ok(*known);
        }
        let may = door
            .permit(principal, Right::Read, repository)
            .await?
            .is_ok();
        self.0.insert(namespace, may);
        Ok(may)
    }
}
