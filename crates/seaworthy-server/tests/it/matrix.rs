//! Every route × every kind of caller × an own, another's and an absent object, made of
//! the table of routes itself.

use axum::http::{Method, StatusCode};
use seaworthy_access::{Narrowed, Right, Role};
use seaworthy_core::Severity;
use seaworthy_server::{Need, RouteRow, routes};
use seaworthy_store::{
    AccountChange, AccountKind, NamespaceSettings, NewAccount, NewWorkloadIdentity,
};
use serde_json::json;

use crate::ask::{Answer, Ask, ask, read};
use crate::world::{World, address_of, namespace, on_each_database, report};

on_each_database! {
    every_route_answers_every_caller_as_the_rights_say,
    lists_hold_what_one_may_see_and_nothing_else,
    objects_of_another_namespace_are_not_there,
}

/// A kind of caller, and what they may: in `team`, and everywhere.
struct Caller {
    name: &'static str,
    /// What they send as `Authorization`; nothing for nobody.
    shown: Option<String>,
    team: &'static str,
    /// Rights in the installation, which hold in every namespace, too.
    everywhere: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Nobody,
    Somebody,
    /// What they show is not valid.
    Invalid,
    /// Their password is due.
    Due,
}

const ALL: &str = "read push delete scan manage-policy manage-connectors manage-namespace \
                   create-namespace manage-accounts read-audit operate";
const NAMESPACE_ADMIN: &str =
    "read push delete scan manage-policy manage-connectors manage-namespace";

/// A name, roles, and the rights that follow: in `team`, and everywhere.
type Granted<'a> = (
    &'static str,
    &'a [(Option<&'a str>, Role)],
    &'static str,
    &'static str,
);

async fn callers(world: &World) -> Vec<Caller> {
    let mut callers = vec![Caller {
        name: "nobody",
        shown: None,
        team: "",
        everywhere: "",
        kind: Kind::Nobody,
    }];
    let roles: [Granted<'_>; 10] = [
        ("stranger", &[], "", ""),
        ("reader", &[(Some("team"), Role::Reader)], "read", ""),
        ("pusher", &[(Some("team"), Role::Pusher)], "read push", ""),
        (
            "scanner",
            &[(Some("team"), Role::ScanOperator)],
            "read scan",
            "",
        ),
        (
            "policy",
            &[(Some("team"), Role::PolicyManager)],
            "read manage-policy",
            "",
        ),
        (
            "connector",
            &[(Some("team"), Role::ConnectorManager)],
            "read manage-connectors",
            "",
        ),
        (
            "chief",
            &[(Some("team"), Role::NamespaceAdmin)],
            NAMESPACE_ADMIN,
            "",
        ),
        // In a namespace even an admin has no right of the installation as a whole.
        (
            "local-admin",
            &[(Some("team"), Role::Admin)],
            NAMESPACE_ADMIN,
            "",
        ),
        ("everywhere-reader", &[(None, Role::Reader)], "read", "read"),
        ("admin", &[(None, Role::Admin)], ALL, ALL),
    ];
    for (name, roles, team, everywhere) in roles {
        let who = world.somebody(name, roles).await;
        callers.push(Caller {
            name,
            shown: Some(format!("Bearer {}", who.key)),
            team,
            everywhere,
            kind: Kind::Somebody,
        });
    }
    // A key that an admin narrowed to reading one namespace.
    let narrow = vec![Narrowed {
        repository: None,
        namespace: Some(namespace("team")),
        rights: vec![Right::Read],
    }];
    let who = world
        .somebody_with("narrow", &[(None, Role::Admin)], Some(narrow))
        .await;
    callers.push(Caller {
        name: "narrow",
        shown: Some(format!("Bearer {}", who.key)),
        team: "read",
        everywhere: "",
        kind: Kind::Somebody,
    });
    let who = world.somebody("gone", &[(None, Role::Admin)]).await;
    let change = AccountChange {
        is_disabled: Some(true),
        ..AccountChange::default()
    };
    let changed = world
        .accounts
        .change(who.account, &change, None, &world.actor);
    changed.await.expect("disabled");
    callers.push(Caller {
        name: "disabled",
        shown: Some(format!("Bearer {}", who.key)),
        team: "",
        everywhere: "",
        kind: Kind::Invalid,
    });
    let first = world.authority.make_user(
        seaworthy_access::NewUser {
            name: "fresh".parse().expect("a name"),
            display_name: None,
            email: None,
        },
        &world.actor,
    );
    let (account, password) = first.await.expect("a user");
    let grant = world
        .accounts
        .grant(account.id, None, Role::Admin.name(), &world.actor);
    grant.await.expect("a role");
    let shown = data_encoding::BASE64.encode(format!("fresh:{}", password.reveal()).as_bytes());
    callers.push(Caller {
        name: "password-due",
        shown: Some(format!("Basic {shown}")),
        team: "",
        everywhere: "",
        kind: Kind::Due,
    });
    callers
}

/// Which object the path names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Object {
    Team,
    Other,
    Absent,
}

impl Object {
    fn namespace(self) -> &'static str {
        match self {
            Self::Team => "team",
            Self::Other => "other",
            Self::Absent => "nowhere",
        }
    }
}

/// Makes (again) all that paths name in a namespace and in the installation, and says how
/// they name it.
async fn objects(world: &World, object: Object, round: usize) -> Vec<(&'static str, String)> {
    let space = object.namespace();
    let name = format!("{space}/app");
    let text = format!("image of {space}");
    let digest = address_of(text.as_bytes()).to_string();
    let mut names = vec![
        ("{namespace}", space.to_owned()),
        ("{repository}", name.replace('/', "%2F")),
        ("{digest}", digest),
        ("{tag}", "v1".to_owned()),
        ("{member}", "user:guest".to_owned()),
        ("{role}", "reader".to_owned()),
    ];
    let absent = [
        "{report}",
        "{robot}",
        "{key}",
        "{identity}",
        "{account}",
        "{job}",
    ];
    if object == Object::Absent {
        names.extend(absent.map(|name| (name, "99999999".to_owned())));
        return names;
    }
    let address = world.push(&name, &["v1"], &text).await;
    let row = seaworthy_store::Browse::of(&world.database)
        .image(&name.parse().expect("a name"), &address)
        .await
        .expect("answers")
        .expect("an image");
    let report_number = if let Some(number) = row.report {
        number
    } else {
        world
            .scan_all(&report(&[("a", "1", &[("CVE-2026-1", Severity::High)])]))
            .await;
        let row = seaworthy_store::Browse::of(&world.database)
            .image(&name.parse().expect("a name"), &address)
            .await
            .expect("answers")
            .expect("an image");
        row.report.expect("a report")
    };
    let new = NewAccount {
        kind: AccountKind::Robot,
        name: format!("{space}/robot{round}").parse().expect("a name"),
        display_name: None,
        email: None,
        password: None,
        must_change: false,
        namespace: Some(namespace(space)),
        expires_at: None,
    };
    let robot = world.accounts.create(&new, &world.actor).await;
    let robot = robot.expect("a robot").id;
    let (_, key) = world.key(robot, None).await;
    let identity = NewWorkloadIdentity {
        issuer: "https://issuer.example".into(),
        audience: "seaworthy".into(),
        claims: r#"{"sub":"x"}"#.into(),
    };
    let identity = world
        .accounts
        .add_workload_identity(robot, &identity, &world.actor);
    let identity = identity.await.expect("an identity").id;
    // A job that failed for good.
    world
        .scans
        .request(row.id, seaworthy_store::Lane::Manual, &world.actor)
        .await
        .expect("a job");
    let lease = world.jobs.claim("w", 60_000).await.expect("answers");
    let lease = lease.expect("a job");
    let ended = world.jobs.give_up(&lease, "it was not meant to be").await;
    ended.expect("given up");
    names.extend([
        ("{report}", report_number.to_string()),
        ("{robot}", robot.to_string()),
        ("{key}", key),
        ("{identity}", identity.to_string()),
        ("{account}", robot.to_string()),
        ("{job}", lease.job.to_string()),
    ]);
    names
}

fn path_of(row: &RouteRow, names: &[(&str, String)]) -> String {
    let mut path = row.path.strip_prefix("/api/v1").expect("ours").to_owned();
    for (place, name) in names {
        path = path.replace(place, name);
    }
    assert!(!path.contains('{'), "nothing stands for {path}");
    path
}

/// The request that goes through a route without doing harm: with an empty document,
/// which most routes refuse once they let the caller in.
fn request(row: &RouteRow, path: &str, caller: &Caller) -> Ask {
    let mut request = ask(row.method.clone(), path);
    if let Some(shown) = &caller.shown {
        request = request.header("authorization", shown);
    }
    if row.method != Method::GET {
        request = request.json(&json!({}));
    }
    request
}

/// What the rights say, in words of their own.
fn expected(need: Need, caller: &Caller, object: Object) -> Expected {
    let has = |list: &str, right: Right| list.split_whitespace().any(|it| it == right.name());
    match caller.kind {
        Kind::Invalid => return Expected::Unauthenticated,
        Kind::Due => {
            return match need {
                Need::Nothing | Need::Somebody => Expected::In,
                _ => Expected::PasswordDue,
            };
        }
        Kind::Nobody | Kind::Somebody => {}
    }
    let is_nobody = caller.kind == Kind::Nobody;
    match need {
        Need::Everywhere(right) if !is_nobody && !has(caller.everywhere, right) => {
            Expected::Missing(right)
        }
        Need::Somebody | Need::Own | Need::Everywhere(_) if is_nobody => Expected::Unauthenticated,
        Need::Nothing | Need::Sight | Need::Somebody | Need::Own | Need::Everywhere(_) => {
            Expected::In
        }
        Need::Namespace(right) | Need::Repository(right) => {
            let rights = if object == Object::Team {
                caller.team
            } else {
                caller.everywhere
            };
            if has(rights, right) {
                Expected::In
            } else if is_nobody {
                Expected::Unauthenticated
            } else if has(rights, Right::Read) {
                Expected::Missing(right)
            } else {
                Expected::Absent
            }
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
enum Expected {
    In,
    Unauthenticated,
    PasswordDue,
    Missing(Right),
    Absent,
}

fn check(row: &RouteRow, caller: &Caller, object: Object, answer: &Answer) {
    let told = format!(
        "{} {} by {} on {object:?}: {} {}",
        row.method, row.path, caller.name, answer.status, answer.text
    );
    let mut expected = expected(row.need, caller, object);
    // Somebody who holds one narrow key revokes none of their keys with it.
    if caller.name == "narrow" && row.path == "/api/v1/session/keys/{key}" {
        expected = Expected::Missing(Right::ManageAccounts);
    }
    match &expected {
        Expected::In => {
            let is_object = row.path.contains('{');
            // What is named under one's own is the robot's.
            let may_be_absent = is_object && (object == Object::Absent || row.need == Need::Own);
            let is_refusal = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN];
            // Signing in with an empty document is malformed, not refused.
            assert!(!is_refusal.contains(&answer.status), "{told}");
            assert!(
                may_be_absent || answer.status != StatusCode::NOT_FOUND,
                "{told}"
            );
            assert!(!answer.status.is_server_error(), "{told}");
        }
        Expected::Unauthenticated => {
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{told}");
            assert_eq!(answer.problem(), "unauthenticated", "{told}");
        }
        Expected::PasswordDue => assert_eq!(answer.problem(), "password-due", "{told}"),
        Expected::Missing(right) => {
            assert_eq!(answer.status, StatusCode::FORBIDDEN, "{told}");
            assert_eq!(answer.problem(), "missing-right", "{told}");
            assert_eq!(answer.json()["right"], right.name(), "{told}");
        }
        Expected::Absent => {
            assert_eq!(answer.status, StatusCode::NOT_FOUND, "{told}");
            // Byte for byte what is said of what nobody ever made.
            assert_eq!(answer.text, ABSENT, "{told}");
        }
    }
}

const ABSENT: &str =
    r#"{"type":"urn:seaworthy:problem:absent","title":"It is not there","status":404}"#;

async fn every_route_answers_every_caller_as_the_rights_say(world: World) {
    let settings = NamespaceSettings::default;
    world.found("team", settings()).await;
    world.found("other", settings()).await;
    let callers = callers(&world).await;
    // Whom roles are given to and taken from.
    world.somebody("guest", &[]).await;
    let rows = routes();
    let mut round = 0;
    let mut asked = 0;
    for object in [Object::Team, Object::Other, Object::Absent] {
        let mut names = objects(&world, object, round).await;
        round += 1;
        for row in &rows {
            if object != Object::Team && !row.path.contains('{') {
                continue;
            }
            for caller in &callers {
                // What was let in may have changed things.
                let changes = row.method != Method::GET
                    && expected(row.need, caller, object) == Expected::In
                    && object != Object::Absent
                    && row.path.contains('{');
                let path = path_of(row, &names);
                let request = request(row, &path, caller);
                if row.path == "/api/v1/events" {
                    // It goes on and on: what it begins with is enough.
                    let response = request.open(&world).await;
                    let answer = Answer {
                        status: response.status(),
                        headers: response.headers().clone(),
                        text: String::new(),
                    };
                    if answer.status != StatusCode::OK {
                        let answer = self::request(row, &path, caller).of(&world).await;
                        check(row, caller, object, &answer);
                    }
                    asked += 1;
                    continue;
                }
                let answer = request.of(&world).await;
                check(row, caller, object, &answer);
                asked += 1;
                if changes {
                    names = objects(&world, object, round).await;
                    round += 1;
                }
            }
        }
    }
    assert!(asked > rows.len() * callers.len(), "{asked}");
}

async fn lists_hold_what_one_may_see_and_nothing_else(world: World) {
    for space in ["team", "other", "open"] {
        let settings = NamespaceSettings {
            is_public: space == "open",
            ..NamespaceSettings::default()
        };
        world.found(space, settings).await;
        for app in ["a", "b"] {
            let name = format!("{space}/{app}");
            world.push(&name, &["v1"], &name).await;
        }
    }
    let found = report(&[("left-pad", "1.0.0", &[("CVE-2026-1", Severity::High)])]);
    world.scan_all(&found).await;
    let narrow = vec![Narrowed {
        repository: Some("team/b".into()),
        namespace: None,
        rights: vec![Right::Read],
    }];
    let mut callers = vec![
        world.somebody("stranger2", &[]).await,
        world
            .somebody("reader2", &[(Some("team"), Role::Reader)])
            .await,
        world.somebody("admin2", &[(None, Role::Admin)]).await,
        world
            .somebody_with("narrow2", &[(None, Role::Admin)], Some(narrow))
            .await,
    ];
    callers.push(
        world
            .somebody(
                "two",
                &[(Some("team"), Role::Reader), (Some("other"), Role::Pusher)],
            )
            .await,
    );
    let all = ["open/a", "open/b", "other/a", "other/b", "team/a", "team/b"];
    for caller in &callers {
        let mut seen = Vec::new();
        for name in all {
            let path = format!("/repositories/{}", name.replace('/', "~"));
            if read(&path).by(caller).of(&world).await.status == StatusCode::OK {
                seen.push(name);
            }
        }
        let names = |answer: &Answer, field: &str| -> Vec<String> {
            let document = answer.json();
            let items = document["items"].as_array().expect("items");
            let name = |item: &serde_json::Value| item[field].as_str().map(str::to_owned);
            items
                .iter()
                .map(|item| name(item).expect("a name"))
                .collect()
        };
        let listed = read("/repositories").by(caller).of(&world).await;
        assert_eq!(names(&listed, "name"), seen);
        for search in [
            "package=left-pad",
            "vulnerability=CVE-2026-1",
            "vulnerability=ghsa-2026-1",
            "label=team%3Dharbour",
            "purl=pkg:npm/left-pad",
        ] {
            let found = read(&format!("/search?{search}"))
                .by(caller)
                .of(&world)
                .await;
            let mut found = names(&found, "repository");
            found.sort_unstable();
            // Names of vulnerabilities other than CVE ids are written as they are.
            if search.contains("ghsa") {
                continue;
            }
            assert_eq!(found, seen, "{search}");
        }
    }
}

async fn objects_of_another_namespace_are_not_there(world: World) {
    world.found("team", NamespaceSettings::default()).await;
    world.found("other", NamespaceSettings::default()).await;
    let chief = world
        .somebody("chief", &[(Some("team"), Role::NamespaceAdmin)])
        .await;
    let names = objects(&world, Object::Other, 0).await;
    let robot = &names
        .iter()
        .find(|(name, _)| *name == "{robot}")
        .expect("one")
        .1;
    let key = &names
        .iter()
        .find(|(name, _)| *name == "{key}")
        .expect("one")
        .1;
    for (method, path) in [
        (Method::GET, format!("/namespaces/team/robots/{robot}")),
        (Method::DELETE, format!("/namespaces/team/robots/{robot}")),
        (Method::GET, format!("/namespaces/team/robots/{robot}/keys")),
        (
            Method::DELETE,
            format!("/namespaces/team/robots/{robot}/keys/{key}"),
        ),
        (
            Method::GET,
            format!("/namespaces/team/robots/{robot}/workload-identities"),
        ),
        // Somebody else's account and key, under names of one's own.
        (Method::DELETE, format!("/session/keys/{key}")),
        (
            Method::GET,
            format!("/namespaces/team/robots/{}", chief.account),
        ),
    ] {
        let answer = ask(method, &path)
            .by(&chief)
            .header("if-match", "*")
            .of(&world)
            .await;
        assert_eq!(answer.text, ABSENT, "{path}");
    }
    let keys = world.accounts.keys(robot.parse().expect("a number")).await;
    assert_eq!(keys.expect("answers").len(), 1);
}
