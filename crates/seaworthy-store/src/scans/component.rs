//! Packages as they are searched: kept once for all images that have them.
//!
//! What is found of a component is a function of the component and the edition, so
//! it is written once for each edition, by whichever image comes first.

use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

use crate::sql::{Transaction, args, each, list};
use crate::trouble::StoreError;

/// A package in the surroundings that decide what is said of it.
#[derive(Clone, Debug)]
pub(super) struct NewComponent {
    pub(super) hash: String,
    pub(super) kind: String,
    pub(super) name: String,
    pub(super) version: String,
    pub(super) purl: String,
    pub(super) source_name: Option<String>,
    pub(super) vulnerabilities: Vec<Vulnerability>,
}

/// A vulnerability of a component.
#[derive(Clone, Debug)]
pub(super) struct Vulnerability {
    pub(super) name: String,
    pub(super) severity: Option<&'static str>,
    pub(super) fix: String,
}

/// Lets an image have exactly these components, sorted by hash and each once.
pub(super) async fn save(
    transaction: &mut Transaction,
    image: i64,
    components: &[NewComponent],
    edition: Option<&str>,
) -> Result<(), StoreError> {
    let mut known = known(transaction, components).await?;
    let missing: Vec<&NewComponent> = components
        .iter()
        .filter(|it| !known.contains_key(&it.hash))
        .collect();
    if !missing.is_empty() {
        insert(transaction, &missing).await?;
        known = self::known(transaction, components).await?;
    }
    if let Some(edition) = edition {
        let stale: Vec<(i64, &NewComponent)> = components
            .iter()
            .filter_map(|it| {
                let (id, of) = known.get(&it.hash)?;
                (of != edition).then_some((*id, it))
            })
            .collect();
        tell(transaction, &stale, edition).await?;
    }
    let wanted: BTreeSet<i64> = known.values().map(|(id, _)| *id).collect();
    belong(transaction, image, &wanted).await
}

/// Number and edition of those that are there, by hash.
async fn known(
    transaction: &mut Transaction,
    components: &[NewComponent],
) -> Result<BTreeMap<String, (i64, String)>, StoreError> {
    let hashes = components.iter().map(|it| json!([it.hash])).collect();
    let sql = each!(
        transaction.for_update(),
        "SELECT component.hash, component.id, component.edition FROM",
        "JOIN component ON component.hash = (item.value ->> 0)"
    );
    let rows = transaction.rows(sql, args![list(hashes)]).await?;
    rows.iter()
        .map(|row| Ok((row.text(0)?, (row.int(1)?, row.text(2)?))))
        .collect()
}

async fn insert(
    transaction: &mut Transaction,
    components: &[&NewComponent],
) -> Result<(), StoreError> {
    // In the order of their hashes: two transactions that insert the same ones wait
    // for each other, and never both.
    let rows = components
        .iter()
        .map(|it| {
            json!([
                it.hash,
                it.kind,
                it.name,
                it.version,
                it.purl,
                it.source_name
            ])
        })
        .collect();
    let sql = each!(
        transaction.for_update(),
        "INSERT INTO component (hash, kind, name, version, purl, source_name)
         SELECT item.value ->> 0, item.value ->> 1, item.value ->> 2, item.value ->> 3,
             item.value ->> 4, item.value ->> 5 FROM",
        "WHERE true ON CONFLICT (hash) DO NOTHING"
    );
    transaction.execute(sql, args![list(rows)]).await?;
    Ok(())
}

/// Writes what this edition says of components.
async fn tell(
    transaction: &mut Transaction,
    components: &[(i64, &NewComponent)],
    edition: &str,
) -> Result<(), StoreError> {
    if components.is_empty() {
        return Ok(());
    }
    let mut ids: Vec<i64> = components.iter().map(|(id, _)| *id).collect();
    ids.sort_unstable();
    let ids = list(ids.into_iter().map(|id| json!([id])).collect());
    let is_postgres = transaction.for_update();
    if is_postgres {
        transaction
            .rows(
                "SELECT id FROM component WHERE id IN (
                     SELECT CAST(item.value ->> 0 AS BIGINT)
                     FROM json_array_elements($1::json) AS item(value))
                 ORDER BY id FOR UPDATE",
                args![ids.as_str()],
            )
            .await?;
    }
    let sql = each!(
        is_postgres,
        "UPDATE component SET edition = $2 WHERE id IN (
             SELECT CAST(item.value ->> 0 AS BIGINT) FROM",
        ")"
    );
    transaction
        .execute(sql, args![ids.as_str(), edition])
        .await?;
    let sql = each!(
        is_postgres,
        "DELETE FROM component_finding WHERE component_id IN (
             SELECT CAST(item.value ->> 0 AS BIGINT) FROM",
        ")"
    );
    transaction.execute(sql, args![ids]).await?;
    let mut rows = Vec::new();
    for (id, component) in components {
        for it in &component.vulnerabilities {
            rows.push(json!([id, it.name, it.severity, it.fix]));
        }
    }
    if rows.is_empty() {
        return Ok(());
    }
    let sql = each!(
        is_postgres,
        "INSERT INTO component_finding (component_id, vulnerability, severity, fix)
         SELECT CAST(item.value ->> 0 AS BIGINT), item.value ->> 1, item.value ->> 2,
             item.value ->> 3 FROM",
        "WHERE true ON CONFLICT (component_id, vulnerability) DO NOTHING"
    );
    transaction.execute(sql, args![list(rows)]).await?;
    Ok(())
}

/// Lets the image have these components and no others.
async fn belong(
    transaction: &mut Transaction,
    image: i64,
    wanted: &BTreeSet<i64>,
) -> Result<(), StoreError> {
    let rows = transaction
        .rows(
            "SELECT component_id FROM image_component WHERE image_id = $1",
            args![image],
        )
        .await?;
    let mut had = BTreeSet::new();
    for row in rows {
        had.insert(row.int(0)?);
    }
    let of = |ids: &mut dyn Iterator<Item = &i64>| list(ids.map(|id| json!([id])).collect());
    let is_postgres = transaction.for_update();
    if !had.is_subset(wanted) {
        let gone = of(&mut had.difference(wanted));
        let sql = each!(
            is_postgres,
            "DELETE FROM image_component WHERE image_id = $2 AND component_id IN (
                 SELECT CAST(item.value ->> 0 AS BIGINT) FROM",
            ")"
        );
        transaction.execute(sql, args![gone, image]).await?;
    }
    if !wanted.is_subset(&had) {
        let new = of(&mut wanted.difference(&had));
        let sql = each!(
            is_postgres,
            "INSERT INTO image_component (component_id, image_id)
             SELECT CAST(item.value ->> 0 AS BIGINT), CAST($2 AS BIGINT) FROM",
            "WHERE true ON CONFLICT (component_id, image_id) DO NOTHING"
        );
        transaction.execute(sql, args![new, image]).await?;
    }
    Ok(())
}

/// Notes other names of vulnerabilities.
pub(super) async fn save_aliases(
    transaction: &mut Transaction,
    aliases: &BTreeSet<(String, String)>,
) -> Result<(), StoreError> {
    if aliases.is_empty() {
        return Ok(());
    }
    let rows = aliases
        .iter()
        .map(|(alias, vulnerability)| json!([alias, vulnerability]))
        .collect();
    let sql = each!(
        transaction.for_update(),
        "INSERT INTO vulnerability_alias (alias, vulnerability)
         SELECT item.value ->> 0, item.value ->> 1 FROM",
        "WHERE true ON CONFLICT (alias, vulnerability) DO NOTHING"
    );
    transaction.execute(sql, args![list(rows)]).await?;
    Ok(())
}
