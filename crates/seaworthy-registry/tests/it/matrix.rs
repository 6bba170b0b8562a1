//! Who may do what: every route, every kind of caller, every kind of object. What is
//! expected comes from the table below, not from the code that decides.

use std::collections::BTreeSet;
use std::sync::atomic::Ordering;

use seaworthy_access::{Right, Role};
use seaworthy_registry::{Needs, Route, routes};
use seaworthy_store::{AccountChange, Millis, NamespaceSettings};

use crate::client::Answer;
use crate::registry::{Registry, root, sha256};

/// Caller, and the rights in `team` and in `other`.
const POLICY: &str = "
    nobody            -                 -
    anonymous-token   -                 -
    wrong             -                 -
    disabled          -                 -
    expired           -                 -
    without-role      -                 -
    reader            read              -
    pusher            read,push         -
    scan-operator     read              -
    policy-manager    read              -
    connector-manager read              -
    namespace-admin   read,push,delete  -
    other-admin       -                 read,push,delete
    admin             read,push,delete  read,push,delete
    narrowed-token    read              -
    narrowed-key      read              -
";

/// What the owner of a narrowed token may have another token for.
const BEHIND_TOKEN: [&str; 2] = ["read", "push"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Object {
    /// A repository of the callers' namespace.
    Own,
    /// One of the same namespace that is not there.
    OwnAbsent,
    /// One of another namespace.
    Other,
    /// One of that other namespace that is not there.
    OtherAbsent,
    /// One of a namespace that is not there.
    Nowhere,
    /// One that anybody may read.
    Public,
}

const OBJECTS: [Object; 6] = [
    Object::Own,
    Object::OwnAbsent,
    Object::Other,
    Object::OtherAbsent,
    Object::Nowhere,
    Object::Public,
];

impl Object {
    fn name(self) -> &'static str {
        match self {
            Self::Own => "team/app",
            Self::OwnAbsent => "team/none",
            Self::Other => "other/app",
            Self::OtherAbsent => "other/none",
            Self::Nowhere => "nowhere/app",
            Self::Public => "open/app",
        }
    }

    fn is_there(self) -> bool {
        matches!(self, Self::Own | Self::Other | Self::Public)
    }
}

struct Caller {
    name: &'static str,
    /// What is shown: nothing, a key, or a token.
    shows: Shows,
    team: BTreeSet<&'static str>,
    other: BTreeSet<&'static str>,
}

#[derive(Clone)]
enum Shows {
    Nothing,
    Key(String),
    Token(String),
}

impl Caller {
    fn may(&self, right: Right, object: Object) -> bool {
        if object == Object::Public && right == Right::Read && !self.is_wrong() {
            return true;
        }
        match object {
            // The key is good for one repository, the token for those it was asked for.
            Object::OwnAbsent if self.name == "narrowed-key" => false,
            Object::Own | Object::OwnAbsent => self.team.contains(right.name()),
            Object::Other | Object::OtherAbsent => self.other.contains(right.name()),
            // Whoever has a role everywhere has it there.
            Object::Nowhere | Object::Public => self.name == "admin",
        }
    }

    fn is_wrong(&self) -> bool {
        ["wrong", "disabled", "expired"].contains(&self.name)
    }

    fn is_nobody(&self) -> bool {
        ["nobody", "anonymous-token"].contains(&self.name)
    }

    /// How it is refused what it may not do.
    fn refusal(&self, right: Right, object: Object) -> u16 {
        let in_team = matches!(object, Object::Own | Object::OwnAbsent);
        let another =
            self.name == "narrowed-token" && in_team && BEHIND_TOKEN.contains(&right.name());
        if self.is_wrong() || self.is_nobody() || another {
            401
        } else {
            403
        }
    }
}

fn rights(text: &'static str) -> BTreeSet<&'static str> {
    text.split(',').filter(|it| *it != "-").collect()
}

async fn shown(registry: &Registry, name: &str) -> Shows {
    let in_team = |role| [("team", role)];
    let key = match name {
        "nobody" => return Shows::Nothing,
        "anonymous-token" => {
            let all = OBJECTS.map(|it| format!("scope=repository:{}:*", it.name()));
            return Shows::Token(registry.token("", &all.join("&")).await);
        }
        "wrong" => return Shows::Token("wrong".to_owned()),
        "disabled" => {
            let key = registry.account(name, &in_team(Role::NamespaceAdmin)).await;
            let accounts = registry.options.authority.accounts();
            let account = accounts
                .named(
                    seaworthy_store::AccountKind::User,
                    &name.parse().expect("a name"),
                )
                .await
                .expect("a store")
                .expect("an account");
            let change = AccountChange {
                is_disabled: Some(true),
                ..AccountChange::default()
            };
            accounts
                .change(account.id, &change, None, &root().actor)
                .await
                .expect("it can be disabled");
            key
        }
        "expired" => {
            let soon = Millis(registry.time.load(Ordering::Relaxed)).plus(1000);
            let roles = in_team(Role::NamespaceAdmin);
            let key = registry.robot(name, &roles, Some(soon), None).await;
            registry.time.fetch_add(2000, Ordering::Relaxed);
            key
        }
        "without-role" => registry.account(name, &[]).await,
        "other-admin" => {
            registry
                .account(name, &[("other", Role::NamespaceAdmin)])
                .await
        }
        "admin" => registry.account(name, &[("", Role::Admin)]).await,
        "narrowed-token" => {
            let key = registry.account(name, &in_team(Role::Pusher)).await;
            let scope = "repository:team/app:pull&scope=repository:team/none:pull";
            return Shows::Token(registry.token(&key, scope).await);
        }
        "narrowed-key" => {
            let narrowed = seaworthy_access::Narrowed {
                repository: Some("team/app".into()),
                namespace: None,
                rights: vec![Right::Read],
            };
            let roles = in_team(Role::NamespaceAdmin);
            registry
                .robot(name, &roles, None, Some(vec![narrowed]))
                .await
        }
        role => {
            registry
                .account(name, &in_team(role.parse().expect("a role")))
                .await
        }
    };
    Shows::Key(key)
}

/// The status of a request that is allowed.
fn allowed(route: &Route, object: Object) -> u16 {
    let found = if object.is_there() { 200 } else { 404 };
    match (route.method.as_str(), route.pattern) {
        ("GET" | "HEAD", "/v2/{name}/referrers/{digest}") => 200,
        ("GET" | "HEAD", pattern) if pattern.contains("uploads") => 404,
        ("GET" | "HEAD", _) => found,
        // What is sent is no manifest and no digest, so that nothing changes.
        ("PUT", "/v2/{name}/manifests/{reference}") | ("POST", "/v2/{name}/blobs/uploads/") => 400,
        _ => 404,
    }
}

async fn ask(registry: &Registry, caller: &Caller, route: &Route, object: Object) -> Answer {
    let method = route.method.as_str();
    let changes = method == "DELETE";
    let reference = if changes { "none" } else { "1" };
    let digest = if changes {
        sha256(b"none")
    } else {
        sha256(b"blob")
    };
    let target = route
        .pattern
        .replace("{name}", object.name())
        .replace("{reference}", reference)
        .replace("{digest}", &digest)
        .replace("{id}", "7b0e1a3c-0000-4000-8000-000000000000");
    let target = match method {
        "POST" => format!("{target}?digest=bad"),
        "PUT" => format!("{target}?digest={digest}"),
        _ => target,
    };
    let ask = registry.ask(method, &target);
    match &caller.shows {
        Shows::Nothing => ask.send().await,
        Shows::Key(key) => ask.by(key).send().await,
        Shows::Token(token) => ask.bearer(token).send().await,
    }
}

#[tokio::test]
async fn every_caller_gets_what_the_policy_says_on_every_route() {
    let registry = Registry::start().await;
    let public = NamespaceSettings {
        is_public: true,
        ..NamespaceSettings::default()
    };
    registry.namespace("open", public).await;
    for object in OBJECTS.into_iter().filter(|it| it.is_there()) {
        registry.push_image(object.name(), "1").await;
        registry.push_blob(object.name(), b"blob").await;
    }
    let mut callers = Vec::new();
    for line in POLICY.lines().map(str::trim).filter(|it| !it.is_empty()) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("a word");
        let (name, team, other) = (word(), rights(word()), rights(word()));
        let shows = shown(&registry, name).await;
        callers.push(Caller {
            name,
            shows,
            team,
            other,
        });
    }
    // Tokens and keys were made at different moments; all that are good still are.
    let mut checked = 0;
    for route in routes() {
        for caller in &callers {
            let who = format!("{} by {}", route_name(route), caller.name);
            match route.needs {
                Needs::Nothing => {
                    let status = ask(&registry, caller, route, Object::Own).await.status;
                    // A token, or a form without anything, or wrong credentials.
                    let is_token = matches!(caller.shows, Shows::Token(_));
                    let expected = match route.method.as_str() {
                        "POST" => 400,
                        _ if caller.is_wrong() || is_token => 401,
                        _ => 200,
                    };
                    assert_eq!(status, expected, "{who}");
                    checked += 1;
                }
                Needs::Credential => {
                    let status = ask(&registry, caller, route, Object::Own).await.status;
                    let is_list = route.pattern == "/v2/_catalog";
                    let is_short =
                        caller.name == "narrowed-token" || caller.name == "anonymous-token";
                    let refused =
                        caller.is_wrong() || caller.name == "nobody" || (is_list && is_short);
                    assert_eq!(status, if refused { 401 } else { 200 }, "{who}");
                    checked += 1;
                }
                Needs::Right(right) => {
                    for object in OBJECTS {
                        let status = ask(&registry, caller, route, object).await.status;
                        let expected = if caller.may(right, object) {
                            allowed(route, object)
                        } else {
                            caller.refusal(right, object)
                        };
                        assert_eq!(status, expected, "{who} on {}", object.name());
                        checked += 1;
                    }
                }
            }
        }
    }
    let with_object = routes()
        .iter()
        .filter(|it| matches!(it.needs, Needs::Right(_)));
    let with_object = with_object.count();
    let expected = callers.len() * (with_object * OBJECTS.len() + routes().len() - with_object);
    assert_eq!(checked, expected);
}

fn route_name(route: &Route) -> String {
    format!("{} {}", route.method, route.pattern)
}

#[tokio::test]
async fn what_one_may_not_see_is_answered_as_what_is_not_there() {
    let registry = Registry::start().await;
    registry.push_image("other/app", "1").await;
    registry.push_blob("other/app", b"blob").await;
    let key = registry
        .account("stranger", &[("team", Role::NamespaceAdmin)])
        .await;
    let callers = [Shows::Nothing, Shows::Key(key)].map(|shows| Caller {
        name: "stranger",
        shows,
        team: BTreeSet::new(),
        other: BTreeSet::new(),
    });
    let within = routes()
        .iter()
        .filter(|it| matches!(it.needs, Needs::Right(_)));
    for route in within {
        for caller in &callers {
            let mut told = Vec::new();
            for object in [Object::Other, Object::OtherAbsent] {
                let answer = ask(&registry, caller, route, object).await;
                let plain = |text: &str| text.replace(object.name(), "…");
                let mut headers: Vec<String> = Vec::new();
                for (name, value) in &answer.headers {
                    if name != "date" && name != "content-length" {
                        headers.push(plain(&format!("{name}: {}", value.to_str().expect("text"))));
                    }
                }
                let body = String::from_utf8(answer.body.to_vec()).expect("text");
                told.push((answer.status, headers, plain(&body)));
            }
            assert_eq!(told[0], told[1], "{}", route_name(route));
        }
    }
}

#[tokio::test]
async fn what_is_not_in_the_table_cannot_be_reached() {
    let registry = Registry::start().await;
    registry.push_image("team/app", "1").await;
    for target in [
        "/v2/team/app",
        "/v2/team/app/",
        "/v2/team/app/manifests",
        "/v2/team/app/manifests/",
        "/v2/team/app/tags",
        "/v2/team/app/tags/list/more",
        "/v2/_catalog/",
        "/v2//manifests/1",
        "/v1/",
        "/v2/_",
    ] {
        let status = registry.get(target).await.status;
        assert!([404, 400].contains(&status), "{target}: {status}");
    }
    for method in [
        "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW",
    ] {
        for (target, pattern) in [
            (
                "/v2/team/app/manifests/1",
                "/v2/{name}/manifests/{reference}",
            ),
            ("/v2/team/app/tags/list", "/v2/{name}/tags/list"),
            ("/v2/team/app/blobs/uploads/", "/v2/{name}/blobs/uploads/"),
            ("/v2/", "/v2/"),
        ] {
            let is_known = routes()
                .iter()
                .any(|it| it.pattern == pattern && it.method.as_str() == method);
            if !is_known {
                let answer = registry
                    .ask(method, target)
                    .by(&registry.admin)
                    .send()
                    .await;
                let answer = answer.expect(405);
                assert!(!answer.header("allow").is_empty());
            }
        }
    }
}
