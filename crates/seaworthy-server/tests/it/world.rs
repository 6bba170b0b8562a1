//! An installation for one test: a store that is filled through its own acts, people
//! with keys, and a clock that the test turns.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use axum::Router;
use bytes::Bytes;
use seaworthy_access::{
    Authority, FetchError, Fetching, Freshness, IssuerKeys, KeyRequest, Narrowed, OidcOptions,
    Principal, Role, Secret, SignInOptions,
};
use seaworthy_core::{
    Claim, Comparison, Digest, EditionFacts, Finding, FixState, ImageFacts, Inventory, Package,
    PackageId, PackageType, Policy, ProbeSet, Reason, Report, Severity, Sighting, Source, Verdict,
    Version,
};
use seaworthy_server::{
    AssessError, Assessed, Assessor, Cookies, EditionInUse, Rate, ServerOptions, router,
};
use seaworthy_store::{
    AccountKind, Accounts, Actor, Address, Catalog, Clock, Database, DatabaseOptions, Founding,
    Jobs, ManifestKind, Millis, Namespace, NamespaceSettings, NewAccount, NewManifest, NewReport,
    Packed, Part, PartRole, RepositoryName, Scan, Scans, Tag, encode_inventory,
};
use sha2::{Digest as _, Sha256};
use tempfile::TempDir;

/// Makes a test of each function, once per database.
macro_rules! on_each_database {
    ($($name:ident),* $(,)?) => {
        mod sqlite {
            $(#[test] fn $name() { $crate::world::in_sqlite(super::$name); })*
        }
        mod postgres {
            $(#[test] fn $name() { $crate::world::in_postgres(super::$name); })*
        }
    };
}
pub(crate) use on_each_database;

/// No limit.
pub(crate) const FREE: Rate = Rate {
    per_minute: 0,
    burst: 0,
};

/// An installation. Clones share it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) database: Database,
    pub(crate) authority: Authority,
    pub(crate) catalog: Catalog,
    pub(crate) accounts: Accounts,
    pub(crate) scans: Scans,
    pub(crate) jobs: Jobs,
    pub(crate) router: Router,
    /// Whoever fills the store.
    pub(crate) actor: Actor,
    time: Arc<AtomicI64>,
    _folder: Arc<TempDir>,
}

/// Somebody with a key.
#[derive(Clone, Debug)]
pub(crate) struct Somebody {
    pub(crate) account: i64,
    pub(crate) key: String,
}

pub(crate) fn in_sqlite<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let folder = tempfile::tempdir().expect("a folder");
    let options = DatabaseOptions::Sqlite {
        path: folder.path().join("seaworthy.db"),
    };
    run(folder, &options, test);
}

#[track_caller]
pub(crate) fn in_postgres<F: Future<Output = ()>>(test: impl FnOnce(World) -> F) {
    let Some(postgres) = seaworthy_testkit::postgres() else {
        return;
    };
    let options = DatabaseOptions::Postgres {
        url: postgres.database(),
        connections: 8,
    };
    run(tempfile::tempdir().expect("a folder"), &options, test);
}

fn run<F: Future<Output = ()>>(
    folder: TempDir,
    options: &DatabaseOptions,
    test: impl FnOnce(World) -> F,
) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let time = Arc::new(AtomicI64::new(1_780_000_000_000));
        let hand = Arc::clone(&time);
        let clock = Clock::new(move || Millis(hand.load(Ordering::SeqCst)));
        let database = Database::open(options, clock).await.expect("opens");
        let authority = Authority::open(&database).await.expect("opens");
        let authority = authority.believing(elsewhere(), Arc::new(Issuer));
        let world = World {
            catalog: Catalog::of(&database),
            accounts: authority.accounts().clone(),
            scans: Scans::of(&database),
            jobs: Jobs::of(&database),
            router: router(server(&database, &authority, FREE, FREE)),
            actor: Actor::new("user:filler"),
            database: database.clone(),
            authority,
            time,
            _folder: Arc::new(folder),
        };
        test(world).await;
        database.close().await;
    });
}

/// What the server is built from.
pub(crate) fn server(
    database: &Database,
    authority: &Authority,
    principal_rate: Rate,
    address_rate: Rate,
) -> ServerOptions {
    ServerOptions {
        database: database.clone(),
        authority: authority.clone(),
        assessor: Some(Arc::new(Judge)),
        cookies: Cookies::Plain,
        principal_rate,
        address_rate,
    }
}

/// Where people and workloads may come from.
fn elsewhere() -> OidcOptions {
    OidcOptions {
        sign_in: Some(SignInOptions {
            issuer: "https://issuer.example".to_owned(),
            client_id: "seaworthy".to_owned(),
            client_secret: None,
            redirect_uri: "https://registry.example/api/v1/session/oidc/callback".to_owned(),
            scopes: Vec::new(),
            name_claim: "preferred_username".to_owned(),
            groups_claim: None,
            groups: Vec::new(),
        }),
        workload_issuers: vec!["https://ci.example".to_owned()],
    }
}

/// An issuer that tells where it is, and nothing else.
struct Issuer;

impl IssuerKeys for Issuer {
    fn discovery<'a>(&'a self, issuer: &'a str) -> Fetching<'a> {
        let document = serde_json::json!({
            "issuer": issuer,
            "authorization_endpoint": format!("{issuer}/authorize"),
        });
        Box::pin(async move { Ok(document.to_string().into_bytes().into()) })
    }

    fn keys<'a>(&'a self, _issuer: &'a str, _freshness: Freshness) -> Fetching<'a> {
        Box::pin(async { Err(FetchError("it is away".to_owned())) })
    }

    fn redeem<'a>(
        &'a self,
        _issuer: &'a str,
        _fields: Vec<(&'static str, Secret)>,
    ) -> Fetching<'a> {
        Box::pin(async { Err(FetchError("it is away".to_owned())) })
    }
}

/// Finds the same vulnerability in every package.
struct Judge;

impl Assessor for Judge {
    fn edition(&self) -> Option<EditionInUse> {
        Some(EditionInUse {
            facts: edition(),
            serial: Some(7),
            feeds: vec![("osv/npm".to_owned(), Some("2026-11-27".to_owned()))],
        })
    }

    fn policy(&self) -> Policy {
        Policy::default()
    }

    fn assess(&self, image: ImageFacts, inventory: Inventory) -> Result<Assessed, AssessError> {
        let findings = (0..inventory.packages.len())
            .map(|at| finding(&inventory.packages[at], at, "CVE-2026-1", Severity::High))
            .collect();
        let report = Report {
            image,
            inventory,
            findings,
            coverage: Vec::new(),
            edition: Some(edition()),
        };
        Ok(Assessed {
            deciding: vec![String::new(); report.inventory.packages.len()],
            verdict: verdict(&report),
            report,
            policy: Policy::default(),
        })
    }
}

fn edition() -> EditionFacts {
    EditionFacts {
        digest: Digest::from_sha256([7; 32]),
        starter: false,
        advisories: 3,
    }
}

pub(crate) fn verdict(report: &Report) -> Verdict {
    let reasons = report
        .findings
        .iter()
        .filter(|finding| finding.severity >= Some(Severity::High))
        .map(|finding| Reason {
            package: finding.package,
            vulnerability: finding.vulnerability.clone(),
            severity: Severity::High,
            fix_available: finding.fix.is_available(),
        });
    Verdict {
        reasons: reasons.collect(),
        blindness: Vec::new(),
    }
}

pub(crate) fn package(name: &str, version: &str) -> Package {
    Package {
        kind: PackageType::Npm,
        name: name.into(),
        version: Version::of(PackageType::Npm.scheme(), version),
        architecture: None,
        source: None,
        vendor: None,
        module: None,
        claim: Claim::Recorded,
        seen: vec![Sighting {
            path: format!("app/node_modules/{name}/package.json").into(),
            layer: None,
        }],
    }
}

pub(crate) fn finding(
    package: &Package,
    at: usize,
    vulnerability: &str,
    severity: Severity,
) -> Finding {
    Finding {
        package: PackageId(at),
        vulnerability: vulnerability.into(),
        aliases: vec![vulnerability.replace("CVE", "GHSA").into()],
        summary: "It does what it should not.".into(),
        severity: Some(severity),
        ratings: Vec::new(),
        fix: if at.is_multiple_of(2) {
            FixState::In(vec!["9.0.0".into()])
        } else {
            FixState::NotYet
        },
        sources: vec![Source {
            feed: "osv/npm".into(),
            id: "x".into(),
            comparison: Comparison {
                name: package.name.clone(),
                ecosystem: "npm".into(),
                installed: package.version.clone(),
                interval: None,
            },
        }],
        kev: None,
        epss: None,
        references: Vec::new(),
        kernel: false,
    }
}

/// A package: its name, its version and its vulnerabilities.
pub(crate) type Installed<'a> = (&'a str, &'a str, &'a [(&'a str, Severity)]);

/// A report of these packages.
pub(crate) fn report(packages: &[Installed<'_>]) -> Report {
    let mut report = Report {
        image: ImageFacts::default(),
        inventory: Inventory {
            probes: ProbeSet::new("npm/1"),
            ..Inventory::default()
        },
        findings: Vec::new(),
        coverage: Vec::new(),
        edition: Some(edition()),
    };
    for (at, (name, version, vulnerabilities)) in packages.iter().enumerate() {
        let package = package(name, version);
        for (vulnerability, severity) in *vulnerabilities {
            let found = finding(&package, at, vulnerability, *severity);
            report.findings.push(found);
        }
        report.inventory.packages.push(package);
    }
    report
}

pub(crate) fn repository(name: &str) -> RepositoryName {
    name.parse().expect("a repository")
}

pub(crate) fn namespace(name: &str) -> Namespace {
    name.parse().expect("a namespace")
}

pub(crate) fn address_of(bytes: &[u8]) -> Address {
    Address::of_sha256(Sha256::digest(bytes).into())
}

impl World {
    /// Lets time pass.
    pub(crate) fn pass(&self, milliseconds: i64) {
        self.time.fetch_add(milliseconds, Ordering::SeqCst);
    }

    /// Makes a namespace.
    pub(crate) async fn found(&self, name: &str, settings: NamespaceSettings) {
        self.catalog
            .create_namespace(&namespace(name), &settings, &self.actor)
            .await
            .expect("a namespace");
    }

    /// Pushes an image: a manifest whose content is `text`.
    pub(crate) async fn push(&self, name: &str, tags: &[&str], text: &str) -> Address {
        self.push_parts(name, tags, text, ManifestKind::Image, Vec::new())
            .await
    }

    /// Pushes an index of these images, whose manifests have three bytes.
    pub(crate) async fn push_index(&self, name: &str, tag: &str, images: &[&Address]) -> Address {
        let parts = images.iter().enumerate().map(|(at, address)| Part {
            role: PartRole::Manifest,
            address: (*address).clone(),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            size: 3,
            platform: Some(
                if at == 0 {
                    "linux/amd64"
                } else {
                    "linux/arm64"
                }
                .into(),
            ),
        });
        let text = format!("index of {images:?}");
        self.push_parts(name, &[tag], &text, ManifestKind::Index, parts.collect())
            .await
    }

    async fn push_parts(
        &self,
        name: &str,
        tags: &[&str],
        text: &str,
        kind: ManifestKind,
        parts: Vec<Part>,
    ) -> Address {
        let manifest = NewManifest {
            address: address_of(text.as_bytes()),
            media_type: "application/vnd.oci.image.manifest.v1+json".into(),
            artifact_type: None,
            kind,
            content: Bytes::copy_from_slice(text.as_bytes()),
            subject: None,
            annotations: BTreeMap::new(),
            parts,
        };
        let tags: Vec<Tag> = tags.iter().map(|tag| tag.parse().expect("a tag")).collect();
        self.catalog
            .push_manifest(
                &repository(name),
                &manifest,
                &tags,
                Founding::Allowed,
                &self.actor,
            )
            .await
            .expect("a push");
        manifest.address
    }

    /// Does every scan that waits, each with this outcome.
    pub(crate) async fn scan_all(&self, report: &Report) {
        while let Some(lease) = self.jobs.claim("w", 60_000).await.expect("a claim") {
            let body: serde_json::Value = serde_json::from_str(&lease.body).expect("JSON");
            let image = body["image"].as_i64().expect("an image");
            let fact = self.scans.image(image).await.expect("answers");
            if fact.is_some_and(|fact| &*fact.kind == "index") {
                let saved = self.scans.save_index(&lease, image).await;
                saved.expect("an index is summed up");
                continue;
            }
            let scan = scan(report);
            self.scans
                .save(&lease, image, &scan)
                .await
                .expect("a report is saved");
        }
    }

    /// Somebody with these roles, and a key that is good for all they may.
    pub(crate) async fn somebody(&self, name: &str, roles: &[(Option<&str>, Role)]) -> Somebody {
        self.somebody_with(name, roles, None).await
    }

    /// Somebody whose key is narrowed.
    pub(crate) async fn somebody_with(
        &self,
        name: &str,
        roles: &[(Option<&str>, Role)],
        narrowed: Option<Vec<Narrowed>>,
    ) -> Somebody {
        let new = NewAccount {
            kind: AccountKind::User,
            name: name.parse().expect("a name"),
            display_name: None,
            email: None,
            password: None,
            must_change: false,
            namespace: None,
            expires_at: None,
        };
        let account = self.accounts.create(&new, &self.actor).await;
        let account = account.expect("an account").id;
        for (place, role) in roles {
            let place = place.map(namespace);
            self.accounts
                .grant(account, place.as_ref(), role.name(), &self.actor)
                .await
                .expect("a role");
        }
        let (key, _) = self.key(account, narrowed).await;
        Somebody { account, key }
    }

    /// A key of an account: its secret and its public part.
    pub(crate) async fn key(
        &self,
        account: i64,
        narrowed: Option<Vec<Narrowed>>,
    ) -> (String, String) {
        let mighty = Principal {
            actor: self.actor.clone(),
            account: Some(0),
            roles: vec![(None, Role::Admin)],
            ..Principal::anonymous()
        };
        let request = KeyRequest {
            name: "test".into(),
            narrowed,
            expires_at: None,
        };
        let (key, secret) = self
            .authority
            .make_key(&mighty, account, request)
            .await
            .expect("a key");
        (secret.reveal().to_owned(), key.id.into())
    }
}

/// What a worker saves of this report.
pub(crate) fn scan(report: &Report) -> Scan {
    let deciding = vec![String::new(); report.inventory.packages.len()];
    let verdict = verdict(report);
    let policy = Policy::default();
    let mut document = Vec::new();
    let assessed = seaworthy_report::Assessed {
        report,
        verdict: &verdict,
        policy: &policy,
    };
    seaworthy_report::json(&[assessed], &mut document).expect("a document");
    Scan {
        inventory: Some(seaworthy_store::Finding {
            probes: report.inventory.probes.as_str().to_owned(),
            content: Packed::of(&encode_inventory(&report.inventory)),
            platform: Some("linux/amd64".to_owned()),
            labels: BTreeMap::from([("team".to_owned(), "harbour".to_owned())]),
        }),
        report: NewReport::of(report, &verdict, &policy, &deciding, &document),
    }
}
