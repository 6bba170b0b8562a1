//! Artifacts, and what refers to what.

use serde_json::{Value, json};

use crate::client::Answer;
use crate::list::next;
use crate::registry::{IMAGE, INDEX, LAYER, Registry, descriptor, image_of, sha256, sha512};

const EMPTY: &str = "application/vnd.oci.empty.v1+json";
const SBOM: &str = "application/vnd.example.sbom+json";

/// An artifact that refers to `subject`, told apart by its annotation.
fn artifact(artifact_type: Option<&str>, config: &str, subject: &Value, mark: &str) -> String {
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": IMAGE,
        "config": descriptor(config, b"{}"),
        "layers": [descriptor(SBOM, b"{}")],
        "subject": subject,
        "annotations": { "org.example.mark": mark, "org.example.other": "é \" <x>" },
    });
    if let Some(artifact_type) = artifact_type {
        manifest["artifactType"] = json!(artifact_type);
    }
    manifest.to_string()
}

async fn prepared() -> (Registry, Value) {
    let registry = Registry::start().await;
    registry.push_blob("team/app", b"{}").await;
    let image = registry.push_image("team/app", "1").await;
    let subject = descriptor(IMAGE, image.as_bytes());
    (registry, subject)
}

impl Registry {
    async fn push_artifact(&self, media_type: &str, manifest: &str) -> Answer {
        let digest = sha256(manifest.as_bytes());
        self.push_manifest("team/app", &digest, media_type, manifest)
            .await
            .expect(201)
    }

    async fn referrers(&self, subject: &Value, query: &str) -> Answer {
        let digest = subject["digest"].as_str().expect("a digest");
        let answer = self
            .get(&format!("/v2/team/app/referrers/{digest}{query}"))
            .await;
        let answer = answer.expect(200);
        assert_eq!(answer.header("content-type"), INDEX);
        let index = answer.json();
        assert_eq!(index["schemaVersion"], 2);
        assert_eq!(index["mediaType"], INDEX);
        answer
    }
}

fn digests(answer: &Answer) -> Vec<String> {
    let list = answer.json()["manifests"]
        .as_array()
        .expect("a list")
        .clone();
    let digest = |it: &Value| it["digest"].as_str().expect("a digest").to_owned();
    list.iter().map(digest).collect()
}

#[tokio::test]
async fn what_refers_to_an_image_is_told_when_pushed_and_listed() {
    let (registry, subject) = prepared().await;
    assert!(digests(&registry.referrers(&subject, "").await).is_empty());
    let typed = artifact(Some(SBOM), EMPTY, &subject, "typed");
    let by_config = artifact(
        None,
        "application/vnd.example.config+json",
        &subject,
        "config",
    );
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": subject,
        "artifactType": "application/vnd.example.set", "annotations": { "a": "b" },
    });
    let untyped = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "subject": subject,
    });
    for (media_type, manifest) in [
        (IMAGE, &typed),
        (IMAGE, &by_config),
        (INDEX, &index.to_string()),
        (INDEX, &untyped.to_string()),
    ] {
        let answer = registry.push_artifact(media_type, manifest).await;
        assert_eq!(answer.header("oci-subject"), subject["digest"]);
    }
    let listed = registry.referrers(&subject, "").await.json()["manifests"].clone();
    let told = |media_type: &str,
                content: &str,
                artifact_type: Option<&str>,
                annotations: Option<Value>| {
        let mut told = descriptor(media_type, content.as_bytes());
        if let Some(artifact_type) = artifact_type {
            told["artifactType"] = json!(artifact_type);
        }
        if let Some(annotations) = annotations {
            told["annotations"] = annotations;
        }
        told
    };
    let of = |content: &str| {
        serde_json::from_str::<Value>(content).expect("JSON")["annotations"].clone()
    };
    let expected = json!([
        told(IMAGE, &typed, Some(SBOM), Some(of(&typed))),
        told(
            IMAGE,
            &by_config,
            Some("application/vnd.example.config+json"),
            Some(of(&by_config))
        ),
        told(
            INDEX,
            &index.to_string(),
            Some("application/vnd.example.set"),
            Some(json!({ "a": "b" }))
        ),
        told(INDEX, &untyped.to_string(), None, None),
    ]);
    assert_eq!(listed, expected);
}

#[tokio::test]
async fn referrers_are_filtered_by_type_and_the_filter_is_told() {
    let (registry, subject) = prepared().await;
    let one = artifact(Some(SBOM), EMPTY, &subject, "one");
    let other = artifact(
        Some("application/vnd.example.signature"),
        EMPTY,
        &subject,
        "other",
    );
    registry.push_artifact(IMAGE, &one).await;
    registry.push_artifact(IMAGE, &other).await;
    let encoded = SBOM.replace('+', "%2B");
    for filter in [SBOM, &encoded] {
        let answer = registry
            .referrers(&subject, &format!("?artifactType={filter}"))
            .await;
        assert_eq!(digests(&answer), [sha256(one.as_bytes())]);
        assert_eq!(answer.header("oci-filters-applied"), "artifactType");
    }
    let answer = registry
        .referrers(&subject, "?artifactType=none/such")
        .await;
    assert!(digests(&answer).is_empty());
    let answer = registry.referrers(&subject, "").await;
    assert_eq!(answer.header("oci-filters-applied"), "");
    assert_eq!(digests(&answer).len(), 2);
}

#[tokio::test]
async fn referrers_may_come_before_what_they_refer_to() {
    let registry = Registry::start().await;
    registry.push_blob("team/app", b"{}").await;
    let image = image_of(b"{}", b"{}").to_string();
    for subject in [
        descriptor(IMAGE, image.as_bytes()),
        json!({ "mediaType": IMAGE, "digest": sha512(b"none"), "size": 4 }),
    ] {
        let referrer = artifact(Some(SBOM), EMPTY, &subject, "early");
        let answer = registry.push_artifact(IMAGE, &referrer).await;
        assert_eq!(answer.header("oci-subject"), subject["digest"]);
        let answer = registry.referrers(&subject, "").await;
        assert_eq!(digests(&answer), [sha256(referrer.as_bytes())]);
    }
}

#[tokio::test]
async fn a_list_of_referrers_is_never_not_found_and_a_bad_digest_is_bad() {
    let (registry, _) = prepared().await;
    for repository in ["team/app", "team/none", "none"] {
        let target = format!("/v2/{repository}/referrers/{}", sha256(b"none"));
        let answer = registry.get(&target).await.expect(200);
        assert!(digests(&answer).is_empty());
    }
    for digest in crate::pull::bad_digests()
        .iter()
        .map(String::as_str)
        .chain(["latest"])
    {
        let answer = registry
            .get(&format!("/v2/team/app/referrers/{digest}"))
            .await;
        answer.refused(400, "DIGEST_INVALID");
    }
    let target = format!("/v2/team/app/referrers/{}?after=x", sha256(b"none"));
    registry.get(&target).await.refused(400, "UNSUPPORTED");
}

#[tokio::test]
async fn many_referrers_are_listed_in_pages_of_what_clients_can_take() {
    let (registry, subject) = prepared().await;
    let mut pushed = Vec::new();
    for at in 0..5 {
        let mut manifest: Value =
            serde_json::from_str(&artifact(Some(SBOM), EMPTY, &subject, &at.to_string()))
                .expect("JSON");
        manifest["annotations"]["fill"] = json!("x".repeat(1 << 20));
        let manifest = manifest.to_string();
        registry.push_artifact(IMAGE, &manifest).await;
        pushed.push(sha256(manifest.as_bytes()));
    }
    for query in ["", "?artifactType=application/vnd.example.sbom%2Bjson"] {
        let mut answer = registry.referrers(&subject, query).await;
        let mut found = digests(&answer);
        let mut pages = 1;
        while let Some(target) = next(&answer) {
            answer = registry.get(&target).await.expect(200);
            assert!(answer.body.len() <= 4 << 20);
            let filtered = answer.header("oci-filters-applied") == "artifactType";
            assert_eq!(filtered, !query.is_empty());
            found.extend(digests(&answer));
            pages += 1;
        }
        assert_eq!(found, pushed);
        assert!(pages > 1);
    }
}

#[tokio::test]
async fn a_deleted_referrer_is_listed_no_more_and_goes_with_its_subject() {
    let (registry, subject) = prepared().await;
    let one = artifact(Some(SBOM), EMPTY, &subject, "one");
    let two = artifact(Some(SBOM), EMPTY, &subject, "two");
    registry.push_artifact(IMAGE, &one).await;
    registry.push_artifact(IMAGE, &two).await;
    let target = |digest: &str| format!("/v2/team/app/manifests/{digest}");
    registry
        .delete(&target(&sha256(one.as_bytes())))
        .await
        .expect(202);
    let answer = registry.referrers(&subject, "").await;
    assert_eq!(digests(&answer), [sha256(two.as_bytes())]);
    let of_subject = subject["digest"].as_str().expect("a digest");
    registry.delete(&target(of_subject)).await.expect(202);
    registry
        .get(&target(&sha256(two.as_bytes())))
        .await
        .expect(404);
    assert!(digests(&registry.referrers(&subject, "").await).is_empty());
}

#[tokio::test]
async fn artifacts_of_any_kind_are_taken() {
    let (registry, _) = prepared().await;
    let chart = json!({
        "schemaVersion": 2,
        "config": descriptor("application/vnd.cncf.helm.config.v1+json", b"{}"),
        "layers": [descriptor("application/vnd.cncf.helm.chart.content.v1.tar+gzip", b"{}")],
    });
    let cache = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            descriptor(LAYER, b"{}"),
            descriptor("application/vnd.buildkit.cacheconfig.v0", b"{}"),
        ],
    });
    let old_artifact = json!({
        "mediaType": "application/vnd.oci.artifact.manifest.v1+json",
        "artifactType": "application/vnd.example",
        "blobs": [descriptor(LAYER, b"{}")],
    });
    let unknown = json!({ "whatever": ["it", "means"] });
    for (media_type, manifest) in [
        (IMAGE, chart),
        (INDEX, cache),
        (
            "application/vnd.oci.artifact.manifest.v1+json",
            old_artifact,
        ),
        ("application/vnd.example.unknown+json", unknown),
    ] {
        let manifest = manifest.to_string();
        registry
            .push_manifest("team/app", "any", media_type, &manifest)
            .await
            .expect(201);
        let got = registry.get("/v2/team/app/manifests/any").await.expect(200);
        assert_eq!(got.body, manifest);
        assert_eq!(got.header("content-type"), media_type);
    }
}
