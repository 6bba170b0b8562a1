//! TLS: certificates of `openssl`, spoken by a real registry.

use std::fs;
use std::path::Path;
use std::process::Command;

use seaworthy_remote::{Options, Secret, Security};
use seaworthy_testkit::require;

use crate::fake::{Fake, Reply};
use crate::real::{RealRegistry, gives, run, sample};
use crate::{CANARY, has_canary, manifest_of, password, with};

/// Makes an authority, and a certificate of it for 127.0.0.1 that serves both
/// sides.
fn certificates(folder: &Path) {
    let openssl = |arguments: &str| {
        run(Command::new("openssl")
            .current_dir(folder)
            .args(arguments.split(' ')));
    };
    fs::write(
        folder.join("leaf.ext"),
        "basicConstraints=CA:FALSE\nsubjectAltName=IP:127.0.0.1\n",
    )
    .unwrap();
    openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=authority -keyout ca.key -out ca.pem",
    );
    openssl(
        "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=registry -keyout leaf.key -out leaf.csr",
    );
    openssl(
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile leaf.ext -out leaf.pem",
    );
}

const SECURED: &str = ", tls: { certificate: FOLDER/leaf.pem, key: FOLDER/leaf.key }";

fn met() -> bool {
    require("docker-registry") && require("skopeo") && require("openssl")
}

/// Options with a login, and the authority where `trusted`.
fn secured(registry: &RealRegistry, trusted: bool) -> Options {
    let authority = fs::read(registry.folder.path().join("ca.pem")).unwrap();
    Options {
        security: Security::Verified,
        authorities: trusted.then_some(authority).into_iter().collect(),
        ..with(password())
    }
}

#[tokio::test]
async fn a_certificate_is_proved_unless_we_are_told_not_to() {
    if !met() {
        return;
    }
    let registry = RealRegistry::start(certificates, SECURED, "");
    let image = sample();
    registry.push(&image, &["--dest-tls-verify=false"]);
    gives(&registry, &image, secured(&registry, true)).await;
    let insecure = Options {
        security: Security::Unverified,
        ..secured(&registry, false)
    };
    gives(&registry, &image, insecure).await;
    assert_eq!(
        manifest_of(&registry.name, secured(&registry, false)).await,
        "no secure connection to `REGISTRY` <- invalid peer certificate: UnknownIssuer (hint)"
    );
}

#[tokio::test]
async fn an_insecure_registry_may_also_speak_plain_http() {
    let server = Fake::start(|_| crate::login::manifest());
    let insecure = Options {
        security: Security::Unverified,
        ..crate::options()
    };
    assert!(
        manifest_of(&server.name(), insecure)
            .await
            .starts_with("2 bytes")
    );
}

#[tokio::test]
async fn a_client_certificate_lets_us_in_where_it_is_wanted() {
    if !met() {
        return;
    }
    let mutual =
        ", tls: { certificate: FOLDER/leaf.pem, key: FOLDER/leaf.key, clientcas: [FOLDER/ca.pem] }";
    let registry = RealRegistry::start(certificates, mutual, "");
    let pem = |name: &str| fs::read_to_string(registry.folder.path().join(name)).unwrap();
    let mut options = secured(&registry, true);
    options.identity = Some(Secret::new(pem("leaf.pem") + &pem("leaf.key")));
    // There is no image, but we got as far as to be told.
    let told = manifest_of(&registry.name, options).await;
    assert!(told.contains("has no"), "{told}");
    let told = manifest_of(&registry.name, secured(&registry, true)).await;
    assert!(!told.contains("has no"), "{told}");
}

#[tokio::test]
async fn there_is_no_way_back_from_https_to_http() {
    if !met() {
        return;
    }
    let other = Fake::start(|_| Reply::status(200).body("{\"token\":\"t\"}"));
    let redirect = format!(
        "middleware: {{ storage: [ {{ name: redirect, options: {{ baseurl: \"{}\" }} }} ] }}",
        other.url("/")
    );
    let registry = RealRegistry::start(certificates, SECURED, &redirect);
    let image = sample();
    registry.push(&image, &["--dest-tls-verify=false"]);
    let connected = seaworthy_remote::Registry::connect(&registry.name, secured(&registry, true))
        .await
        .unwrap();
    let layer = image.layers.first().map(|layer| &layer.blob).unwrap();
    let error = connected
        .blob(
            &registry.reference(),
            &layer.digest.parse().unwrap(),
            layer.bytes.len() as u64,
        )
        .await
        .unwrap_err();
    let told = crate::told(&error)
        .replace(&registry.name, "REGISTRY")
        .replace(&other.name(), "OTHER");
    assert_eq!(
        told,
        "`REGISTRY` redirects to `http://OTHER`, which is not encrypted"
    );

    let token = format!(
        "auth: {{ token: {{ realm: \"{}\", service: here, issuer: us, rootcertbundle: FOLDER/ca.pem }} }}",
        other.url("/token")
    );
    let registry = RealRegistry::start(certificates, SECURED, &token);
    let told = manifest_of(&registry.name, secured(&registry, true)).await;
    assert_eq!(
        told.replace(&other.name(), "OTHER"),
        "`REGISTRY` sends us for a token to `http://OTHER`, which is not encrypted"
    );
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn bad_certificates_in_the_options_are_told_without_quoting_them() {
    let broken = |authority: &str, identity: Option<&str>| Options {
        security: Security::Verified,
        authorities: vec![authority.into()],
        identity: identity.map(Secret::new),
        ..with(password())
    };
    let mut story = Vec::new();
    for (authority, identity) in [
        ("", None),
        ("not pem", None),
        (
            "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
            None,
        ),
        (
            "-----BEGIN CERTIFICATE-----\n%%%\n-----END CERTIFICATE-----\n",
            None,
        ),
    ] {
        let told = manifest_of("127.0.0.1:1", broken(authority, identity)).await;
        story.push(told);
    }
    let options = Options {
        identity: Some(Secret::new(CANARY)),
        ..with(password())
    };
    let told = manifest_of("127.0.0.1:1", options).await;
    assert!(!has_canary(&told));
    story.push(told);
    insta::assert_snapshot!(story.join("\n"), @r"
    cannot set up connections to `REGISTRY`: a file of authorities has no certificate in it (hint)
    cannot set up connections to `REGISTRY`: a file of authorities has no certificate in it (hint)
    cannot set up connections to `REGISTRY`: the certificates or the proxy are refused <- invalid peer certificate: BadEncoding (hint)
    cannot set up connections to `REGISTRY`: an authority is not a readable PEM certificate (hint)
    cannot set up connections to `REGISTRY`: the client certificate and key are not readable PEM (hint)
    ");
}
