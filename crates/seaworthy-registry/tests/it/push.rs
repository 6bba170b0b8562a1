//! Pushing manifests, and which are none.

use seaworthy_registry::Limits;
use seaworthy_store::NamespaceSettings;
use serde_json::{Value, json};

use crate::registry::{
    CONFIG, EMBEDDED, IMAGE, INDEX, LAYER, Registry, descriptor, image_of, sha256, sha512,
};

const DOCKER_IMAGE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_LIST: &str = "application/vnd.docker.distribution.manifest.list.v2+json";

/// A registry with the blobs that manifests of these tests name.
async fn prepared() -> Registry {
    let registry = Registry::start().await;
    registry.push_blob("team/app", b"{}").await;
    registry.push_blob("team/app", b"layer").await;
    registry
}

fn image() -> Value {
    image_of(b"{}", b"layer")
}

/// The image with one field changed; `null` takes it away.
fn with(field: &str, value: Value) -> String {
    let mut image = image();
    let fields = image.as_object_mut().expect("an object");
    if value.is_null() {
        fields.remove(field);
    } else {
        fields.insert(field.to_owned(), value);
    }
    image.to_string()
}

#[tokio::test]
async fn a_manifest_is_pushed_by_tag_or_digest_and_kept_byte_for_byte() {
    let registry = prepared().await;
    let manifest = format!(
        "  {}\n\n",
        serde_json::to_string_pretty(&image()).expect("JSON")
    );
    for digest in [sha256(manifest.as_bytes()), sha512(manifest.as_bytes())] {
        for reference in ["latest", &digest] {
            let answer = registry
                .push_manifest("team/app", reference, IMAGE, &manifest)
                .await;
            let answer = answer.expect(201);
            let stored = if reference == "latest" {
                sha256(manifest.as_bytes())
            } else {
                digest.clone()
            };
            assert_eq!(answer.header("docker-content-digest"), stored);
            let location = answer.header("location");
            assert_eq!(location, format!("/v2/team/app/manifests/{stored}"));
            let got = registry.get(location).await.expect(200);
            assert_eq!(got.body, manifest);
            assert_eq!(got.header("content-type"), IMAGE);
        }
    }
}

#[tokio::test]
async fn a_manifest_pushed_by_digest_may_be_given_tags() {
    let registry = prepared().await;
    let manifest = image().to_string();
    for digest in [sha256(manifest.as_bytes()), sha512(manifest.as_bytes())] {
        let reference = format!("{digest}?tag=1.2.3&tag=1.2&tag=latest&tag=1.2");
        let answer = registry
            .push_manifest("team/app", &reference, IMAGE, &manifest)
            .await;
        assert_eq!(answer.expect(201).header("oci-tag"), "1.2.3, 1.2, latest");
        for tag in ["1.2.3", "1.2", "latest"] {
            let got = registry
                .get(&format!("/v2/team/app/manifests/{tag}"))
                .await
                .expect(200);
            assert_eq!(got.header("docker-content-digest"), digest);
        }
    }
    let digest = sha256(manifest.as_bytes());
    let many: Vec<String> = (0..65).map(|at| format!("tag=t{at}")).collect();
    let reference = format!("{digest}?{}", many.join("&"));
    let answer = registry
        .push_manifest("team/app", &reference, IMAGE, &manifest)
        .await;
    answer.refused(414, "UNSUPPORTED");
    let reference = format!("{digest}?tag=-bad");
    let answer = registry
        .push_manifest("team/app", &reference, IMAGE, &manifest)
        .await;
    answer.refused(400, "MANIFEST_INVALID");
    registry.get("/v2/team/app/manifests/t0").await.expect(404);
}

#[tokio::test]
async fn content_with_another_digest_is_refused() {
    let registry = prepared().await;
    let manifest = image().to_string();
    for digest in [sha256(b"other"), sha512(b"other")] {
        let answer = registry
            .push_manifest("team/app", &digest, IMAGE, &manifest)
            .await;
        answer.refused(400, "DIGEST_INVALID");
        registry
            .get(&format!("/v2/team/app/manifests/{digest}"))
            .await
            .expect(404);
    }
    for digest in crate::pull::bad_digests() {
        let answer = registry
            .push_manifest("team/app", &digest, IMAGE, &manifest)
            .await;
        answer.refused(400, "DIGEST_INVALID");
    }
    for tag in [".x", "-x", "a%2Cb", &"a".repeat(129)] {
        let answer = registry
            .push_manifest("team/app", tag, IMAGE, &manifest)
            .await;
        answer.refused(400, "MANIFEST_INVALID");
    }
}

#[tokio::test]
async fn images_and_indexes_of_both_worlds_are_taken() {
    let registry = prepared().await;
    let mut image = image();
    for (media_type, tag) in [(IMAGE, "oci"), (DOCKER_IMAGE, "docker")] {
        image["mediaType"] = json!(media_type);
        let image = image.to_string();
        registry
            .push_manifest("team/app", tag, media_type, &image)
            .await
            .expect(201);
    }
    let image = image.to_string();
    let mut child = descriptor(DOCKER_IMAGE, image.as_bytes());
    child["platform"] = json!({ "os": "linux", "architecture": "arm64", "variant": "v8" });
    for (media_type, tag) in [(INDEX, "index"), (DOCKER_LIST, "list")] {
        let index = json!({ "schemaVersion": 2, "mediaType": media_type, "manifests": [child] });
        let index = index.to_string();
        registry
            .push_manifest("team/app", tag, media_type, &index)
            .await
            .expect(201);
        let nested = json!({
            "schemaVersion": 2,
            "mediaType": INDEX,
            "manifests": [descriptor(media_type, index.as_bytes())],
        });
        registry
            .push_manifest("team/app", "nested", INDEX, &nested.to_string())
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn parameters_of_the_content_type_say_nothing_and_the_field_is_enough() {
    let registry = prepared().await;
    let manifest = image().to_string();
    let with_charset = format!("{IMAGE}; charset=utf-8");
    for content_type in [IMAGE, &with_charset, ""] {
        let answer = registry
            .push_manifest("team/app", "1", content_type, &manifest)
            .await;
        answer.expect(201);
        let got = registry.get("/v2/team/app/manifests/1").await.expect(200);
        assert_eq!(got.header("content-type"), IMAGE);
    }
    let manifest = with("mediaType", Value::Null);
    registry
        .push_manifest("team/app", "2", IMAGE, &manifest)
        .await
        .expect(201);
    let answer = registry.push_manifest("team/app", "3", "", &manifest).await;
    answer.refused(400, "MANIFEST_INVALID");
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused() {
    let registry = prepared().await;
    let manifest = image().to_string();
    let twin = manifest.replacen('{', r#"{"schemaVersion":2,"#, 1);
    let disguised = manifest.replacen('{', r#"{"MediaType":"x","#, 1);
    let inner = manifest.replace(r#""size":2"#, r#""size":2,"size":2"#);
    let both = with("manifests", json!([]));
    let index = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "layers": [],
    });
    let index_with_config = json!({
        "schemaVersion": 2, "mediaType": INDEX, "manifests": [], "config": descriptor(CONFIG, b"{}"),
    });
    let unknown = json!({ "layers": [], "manifests": [] });
    for (media_type, content) in [
        (IMAGE, twin),
        (IMAGE, disguised),
        (IMAGE, inner),
        (IMAGE, both),
        (INDEX, manifest.clone()),
        (DOCKER_IMAGE, manifest),
        (INDEX, index.to_string()),
        (INDEX, index_with_config.to_string()),
        ("application/vnd.example+json", unknown.to_string()),
    ] {
        let answer = registry
            .push_manifest("team/app", "bad", media_type, &content)
            .await;
        answer.refused(400, "MANIFEST_INVALID");
    }
    registry.get("/v2/team/app/manifests/bad").await.expect(404);
}

#[tokio::test]
async fn what_is_no_manifest_of_its_kind_is_refused() {
    let registry = prepared().await;
    let good = descriptor(LAYER, b"layer");
    let mut no_type = good.clone();
    no_type["mediaType"] = json!("");
    let mut negative = good.clone();
    negative["size"] = json!(-1);
    let mut huge = good.clone();
    huge["size"] = json!(u64::MAX);
    let mut fraction = good.clone();
    fraction["size"] = json!(5.0);
    let mut tricky = good.clone();
    tricky["digest"] = json!("sha256:../../../../etc/passwd");
    let mut unknown = good.clone();
    unknown["digest"] = json!(format!("md5:{}", "a".repeat(32)));
    let mut data = good.clone();
    data["data"] = json!("b3RoZXI=");
    let many: Vec<Value> = std::iter::repeat_n(good.clone(), 5000).collect();
    let deep = "[".repeat(100_000);
    let cases = [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\u{feff}{}".to_owned(),
        deep,
        format!("{} x", image()),
        with("schemaVersion", Value::Null),
        with("schemaVersion", json!(3)),
        with("schemaVersion", json!("2")),
        with("config", Value::Null),
        with("layers", Value::Null),
        with("layers", json!({})),
        with("annotations", json!({ "a": 1 })),
        with("annotations", json!([])),
        with("artifactType", json!(1)),
        with("subject", json!({ "digest": "sha256:x", "size": 1 })),
        with("layers", json!([no_type])),
        with("layers", json!([negative])),
        with("layers", json!([huge])),
        with("layers", json!([fraction])),
        with("layers", json!([tricky])),
        with("layers", json!([unknown])),
        with("layers", json!([data])),
        with("layers", json!(many)),
        with("layers", json!([null])),
    ];
    for content in cases {
        let answer = registry
            .push_manifest("team/app", "bad", IMAGE, &content)
            .await;
        answer.refused(400, "MANIFEST_INVALID");
    }
    for media_type in [
        "not a type",
        "a/b c",
        "/",
        "text",
        &format!("a/{}", "b".repeat(300)),
    ] {
        let content = with("mediaType", Value::Null);
        let answer = registry
            .push_manifest("team/app", "bad", media_type, &content)
            .await;
        answer.refused(400, "MANIFEST_INVALID");
    }
}

#[tokio::test]
async fn schema_1_is_refused_with_a_hint() {
    let registry = prepared().await;
    let old = json!({ "schemaVersion": 1, "name": "team/app", "tag": "1", "fsLayers": [] });
    let old = old.to_string();
    for media_type in [
        "application/vnd.docker.distribution.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v1+prettyjws",
        "application/json",
    ] {
        let answer = registry
            .push_manifest("team/app", "old", media_type, &old)
            .await;
        let answer = answer.refused(400, "MANIFEST_INVALID");
        let message = answer.json()["errors"][0]["message"].to_string();
        assert!(message.contains("schema 1"), "{message}");
    }
}

#[tokio::test]
async fn a_manifest_that_names_what_is_missing_is_refused_and_all_of_it_is_named() {
    let registry = prepared().await;
    let manifest = image_of(b"no config", b"no layer").to_string();
    let answer = registry
        .push_manifest("team/app", "1", IMAGE, &manifest)
        .await;
    let answer = answer.refused(400, "MANIFEST_BLOB_UNKNOWN");
    let errors = answer.json()["errors"].as_array().expect("errors").clone();
    let named: Vec<&str> = errors
        .iter()
        .filter_map(|it| it["detail"]["digest"].as_str())
        .collect();
    assert_eq!(named, [sha256(b"no config"), sha256(b"no layer")]);
    let index = json!({
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [descriptor(IMAGE, b"no manifest")],
    });
    let answer = registry
        .push_manifest("team/app", "1", INDEX, &index.to_string())
        .await;
    answer.refused(400, "MANIFEST_BLOB_UNKNOWN");
    registry.get("/v2/team/app/manifests/1").await.expect(404);
}

#[tokio::test]
async fn a_manifest_that_states_another_size_is_refused() {
    let registry = prepared().await;
    let mut layer = descriptor(LAYER, b"layer");
    layer["size"] = json!(6);
    let manifest = with("layers", json!([layer]));
    let answer = registry
        .push_manifest("team/app", "1", IMAGE, &manifest)
        .await;
    answer.refused(400, "SIZE_INVALID");
}

#[tokio::test]
async fn a_namespace_for_sparse_images_takes_what_is_not_whole() {
    let registry = Registry::start().await;
    let settings = NamespaceSettings {
        is_sparse: true,
        ..NamespaceSettings::default()
    };
    registry.namespace("team", settings).await;
    let manifest = image_of(b"no config", b"no layer").to_string();
    registry
        .push_manifest("team/app", "1", IMAGE, &manifest)
        .await
        .expect(201);
}

#[tokio::test]
async fn layers_that_lie_elsewhere_need_not_be_pushed() {
    let registry = prepared().await;
    for media_type in [
        "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
        "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
    ] {
        let mut layer = descriptor(media_type, b"elsewhere");
        layer["urls"] = json!(["https://store.example/blob"]);
        let manifest = with("layers", json!([layer, descriptor(LAYER, b"layer")]));
        registry
            .push_manifest("team/app", "1", IMAGE, &manifest)
            .await
            .expect(201);
    }
}

#[tokio::test]
async fn fields_that_nobody_knows_and_data_that_is_right_are_kept() {
    let registry = prepared().await;
    let mut layer = descriptor(LAYER, b"layer");
    layer["data"] = json!("bGF5ZXI=");
    layer["org.example.field"] = json!({ "any": ["thing"] });
    let mut manifest: Value = serde_json::from_str(&with("layers", json!([layer]))).expect("JSON");
    manifest["org.example.custom"] = json!("x");
    let manifest = manifest.to_string();
    registry
        .push_manifest("team/app", "1", IMAGE, &manifest)
        .await
        .expect(201);
    let got = registry.get("/v2/team/app/manifests/1").await.expect(200);
    assert_eq!(got.body, manifest);
}

#[tokio::test]
async fn a_manifest_may_have_4_mebibytes_and_no_more() {
    let registry = prepared().await;
    let limit = Limits::default().manifest_bytes;
    assert_eq!(limit, 4 << 20);
    let filled = |size: usize| {
        let empty = with("annotations", json!({ "fill": "" }));
        let filling = "x".repeat(size - empty.len());
        with("annotations", json!({ "fill": filling }))
    };
    let largest = filled(limit);
    assert_eq!(largest.len(), limit);
    registry
        .push_manifest("team/app", "large", IMAGE, &largest)
        .await
        .expect(201);
    let got = registry
        .get("/v2/team/app/manifests/large")
        .await
        .expect(200);
    assert_eq!(got.body, largest);
    let too_large = filled(limit + 1);
    let answer = registry
        .push_manifest("team/app", "larger", IMAGE, &too_large)
        .await;
    answer.refused(413, "SIZE_INVALID");
    // Also where its length is not told.
    let chunks = too_large.into_bytes();
    let body = axum::body::Body::from_stream(futures_util::stream::iter([std::io::Result::Ok(
        bytes::Bytes::from(chunks),
    )]));
    let ask = registry
        .ask("PUT", "/v2/team/app/manifests/larger")
        .by(&registry.admin);
    let ask = ask.header("content-type", IMAGE).body(body);
    ask.send().await.refused(413, "SIZE_INVALID");
}

#[tokio::test]
async fn a_manifest_larger_than_somebody_allows_is_refused() {
    let small = Limits {
        manifest_bytes: 100,
        ..Limits::default()
    };
    let registry = Registry::start_with(EMBEDDED, |options| options.limits = small).await;
    let manifest = image().to_string();
    let answer = registry
        .push_manifest("team/app", "1", IMAGE, &manifest)
        .await;
    answer.refused(413, "SIZE_INVALID");
}

#[tokio::test]
async fn an_immutable_tag_stays_where_it_is() {
    let registry = Registry::start().await;
    let settings = NamespaceSettings {
        immutable_tags: vec!["v*".parse().expect("a pattern")],
        ..NamespaceSettings::default()
    };
    registry.namespace("team", settings).await;
    let first = registry.push_image("team/app", "v1").await;
    registry.push_image("team/app", "w").await;
    let other = registry.get("/v2/team/app/manifests/w").await.expect(200);
    let other = String::from_utf8(other.body.to_vec()).expect("text");
    let answer = registry
        .push_manifest("team/app", "v1", IMAGE, &other)
        .await;
    answer.refused(409, "DENIED");
    let by_parameter = format!("{}?tag=v1", sha256(other.as_bytes()));
    let answer = registry
        .push_manifest("team/app", &by_parameter, IMAGE, &other)
        .await;
    answer.refused(409, "DENIED");
    registry
        .delete("/v2/team/app/manifests/v1")
        .await
        .refused(409, "DENIED");
    let digest = sha256(first.as_bytes());
    registry
        .delete(&format!("/v2/team/app/manifests/{digest}"))
        .await
        .refused(409, "DENIED");
    registry
        .push_manifest("team/app", "v1", IMAGE, &first)
        .await
        .expect(201);
    let got = registry.get("/v2/team/app/manifests/v1").await.expect(200);
    assert_eq!(got.body, first);
}

#[tokio::test]
async fn a_namespace_that_is_full_takes_no_more() {
    let registry = Registry::start().await;
    let settings = NamespaceSettings {
        quota_bytes: Some(100),
        ..NamespaceSettings::default()
    };
    registry.namespace("team", settings).await;
    registry.push_blob("team/app", &[1; 60]).await;
    let content = [2; 60];
    let digest = sha256(&content);
    let target = format!("/v2/team/app/blobs/uploads/?digest={digest}");
    let ask = registry.ask("POST", &target).by(&registry.admin);
    ask.body(content.to_vec())
        .send()
        .await
        .refused(403, "DENIED");
    registry
        .get(&format!("/v2/team/app/blobs/{digest}"))
        .await
        .expect(404);
}
