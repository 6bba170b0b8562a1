//! What a search costs.

use std::time::{Duration, Instant};

use super::*;
use crate::clock::{Clock, Millis};
use crate::sql::{Database, DatabaseOptions};

async fn empty() -> (tempfile::TempDir, Database) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DatabaseOptions::Sqlite {
        path: folder.path().join("seaworthy.db"),
    };
    let clock = Clock::new(|| Millis(0));
    let database = Database::open(&options, clock).await.expect("opens");
    (folder, database)
}

fn run<T>(test: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(test)
}

fn all() -> Vec<Sought> {
    let package = |version: Option<&str>| Sought::Package {
        name: "base-7".to_owned(),
        version: version.map(str::to_owned),
    };
    vec![
        Sought::Vulnerability("CVE-2026-1".to_owned()),
        Sought::Vulnerability("CVE-2026-2".to_owned()),
        Sought::Vulnerability("CVE-2026-3".to_owned()),
        Sought::Vulnerability("GHSA-2026-1".to_owned()),
        package(None),
        package(Some("3")),
        Sought::Purl("pkg:npm/base-7".parse().expect("a purl")),
        Sought::Purl("pkg:npm/pool-7@1".parse().expect("a purl")),
        Sought::Address(format!("sha256:{:064}", 77).parse().expect("an address")),
        Sought::Label {
            name: "team".to_owned(),
            value: Some("7".to_owned()),
        },
    ]
}

#[test]
fn no_search_reads_a_whole_table() {
    run(async {
        let (_folder, database) = empty().await;
        for sought in all() {
            let (sql, more) = sought.statement();
            let mut values = args![i64::MAX, false, true, "", "", 11];
            values.extend(more);
            let mut transaction = database.begin().await.expect("begins");
            let sql = sqlx::AssertSqlSafe(format!("EXPLAIN QUERY PLAN {sql}"));
            let plan = transaction.rows(sql, values).await.expect("explains");
            for row in plan {
                let line = row.text(3).expect("a line");
                let reads = line.strip_prefix("SCAN ");
                let small = ["hit", "hits", "CONSTANT ROW"];
                assert!(
                    reads.is_none_or(|it| small.contains(&it)),
                    "{sought:?}: {line}"
                );
            }
        }
    });
}

/// A hundred thousand images with 280 packages each. Run it with `SEAWORTHY_LONG=1`;
/// it takes minutes and some gigabytes.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "who wants the long test says so in the environment"
)]
fn a_search_over_a_hundred_thousand_images_takes_less_than_a_second() {
    if std::env::var_os("SEAWORTHY_LONG").is_none() {
        return;
    }
    run(async {
        let (_folder, database) = empty().await;
        fill(&database).await;
        let scans = Scans::of(&database);
        let narrow = Sight::Only {
            namespaces: vec!["n7".parse().expect("a namespace")],
            repositories: Vec::new(),
            public: false,
        };
        let mut slow = Vec::new();
        for sight in [&Sight::Everything, &narrow] {
            for sought in all() {
                for before in [None, Some(50_000)] {
                    let begun = Instant::now();
                    let page = scans.search(&sought, sight, before, 50).await;
                    let took = begun.elapsed();
                    let hits = page.expect("seeks").items.len();
                    slow.push((took, hits, format!("{sought:?} before {before:?}")));
                }
            }
        }
        slow.sort();
        slow.reverse();
        assert!(
            slow.iter().all(|it| it.0 < Duration::from_secs(1)),
            "{slow:#?}"
        );
    });
}

/// Every image has the 180 packages of one of 200 bases, and 100 of 50,000 others.
async fn fill(database: &Database) {
    let count = "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 <";
    let steps = [
        format!(
            "INSERT INTO namespace (id, name, created_at) {count} 50) SELECT i + 1, 'n' || i, 0
             FROM n"
        ),
        format!(
            "INSERT INTO repository (id, namespace_id, name, created_at) {count} 5000)
             SELECT i + 1, i % 50 + 1, 'n' || (i % 50) || '/r' || i, 0 FROM n"
        ),
        format!(
            "INSERT INTO image (id, repository_id, address, retention_class, kind, state,
                 state_since, created_at) {count} 100000)
             SELECT i + 1, i % 5000 + 1, 'sha256:' || printf('%064d', i), 'full', 'image',
                 'done', 0, 0 FROM n"
        ),
        format!(
            "INSERT INTO image_label (image_id, name, value) {count} 100000)
             SELECT i + 1, 'team', i % 40 FROM n"
        ),
        format!(
            "INSERT INTO component (id, hash, kind, name, version, purl) {count} 36000)
             SELECT i + 1, 'b' || i, 'npm', 'base-' || (i % 180), i / 180,
                 'pkg:npm/base-' || (i % 180) || '@' || (i / 180) FROM n"
        ),
        format!(
            "INSERT INTO component (id, hash, kind, name, version, purl) {count} 50000)
             SELECT i + 36001, 'p' || i, 'npm', 'pool-' || i, '1', 'pkg:npm/pool-' || i || '@1'
             FROM n"
        ),
        "DROP INDEX image_component_image".to_owned(),
        format!(
            "INSERT INTO image_component (component_id, image_id)
             {count} 36000), m(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM m WHERE j + 1 < 500)
             SELECT i + 1, i / 180 + j * 200 + 1 FROM n CROSS JOIN m"
        ),
        format!(
            "INSERT INTO image_component (component_id, image_id)
             {count} 50000), m(j) AS (SELECT 0 UNION ALL SELECT j + 1 FROM m WHERE j + 1 < 200)
             SELECT i + 36001, (i * 2 + j * 499) % 100000 + 1 FROM n CROSS JOIN m WHERE true
             ON CONFLICT DO NOTHING"
        ),
        "CREATE INDEX image_component_image ON image_component (image_id)".to_owned(),
        // One flaw in every base, one in ten packages of the others, and one in none.
        format!(
            "INSERT INTO component_finding (component_id, vulnerability, severity, fix)
             {count} 200) SELECT i * 180 + 8, 'CVE-2026-1', 'high', 'not_yet' FROM n"
        ),
        format!(
            "INSERT INTO component_finding (component_id, vulnerability, severity, fix)
             {count} 10) SELECT i + 36101, 'CVE-2026-2', 'high', 'not_yet' FROM n"
        ),
        format!(
            "INSERT INTO component_finding (component_id, vulnerability, severity, fix)
             {count} 86000) SELECT i + 1, 'CVE-2025-' || (i % 9000), 'low', 'not_yet' FROM n"
        ),
        "INSERT INTO vulnerability_alias VALUES ('GHSA-2026-1', 'CVE-2026-1')".to_owned(),
    ];
    for step in steps {
        let mut transaction = database.begin().await.expect("begins");
        let sql = sqlx::AssertSqlSafe(step);
        transaction.execute(sql, args![]).await.expect("fills");
        transaction.commit().await.expect("commits");
    }
}
