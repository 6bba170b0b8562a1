//! Accounts, keys, sessions, roles, and what the audit log says of them.

use seaworthy_store::{
    ADMIN_ROLE, Account, AccountChange, AccountKind, AccountName, Accounts, Actor, AuditLog,
    AuditOrder, AuditQuery, ChangeAccountError, CreateAccountError, GrantError, GrantOrigin,
    KeyError, Millis, Namespace, NewAccount, NewKey, NewWorkloadIdentity, Newcomer,
    WorkloadIdentityError,
};

use crate::store::{HOUR, Store, on_each_database, repository};

on_each_database!(
    every_change_has_exactly_one_audit_entry,
    the_first_account_is_made_once,
    the_last_admin_stays,
    admins_who_remove_each_other_do_not_both_succeed,
    a_change_needs_the_revision_it_was_made_for,
    names_are_taken_once_for_each_kind,
    robots_of_a_namespace_have_roles_in_it_only,
    accounts_are_listed_in_pages,
    roles_in_a_namespace_are_listed,
    whoever_signs_in_elsewhere_is_known_by_subject,
    groups_renew_roles_and_leave_given_ones_alone,
    a_new_password_ends_sessions_and_tokens,
    a_removed_account_takes_everything_along,
    sessions_make_room_and_are_swept,
    workload_identities_belong_to_robots,
    nodes_agree_on_secrets,
    this_process_forgets_what_it_remembers_of_access,
);

fn name(text: &str) -> AccountName {
    text.parse().expect("an account name")
}

fn namespace(text: &str) -> Namespace {
    text.parse().expect("a namespace")
}

fn user(text: &str) -> NewAccount {
    NewAccount {
        kind: AccountKind::User,
        name: name(text),
        display_name: None,
        email: None,
        password: Some("$argon2id$".into()),
        must_change: false,
        namespace: None,
        expires_at: None,
    }
}

fn robot(text: &str, place: Option<&str>) -> NewAccount {
    NewAccount {
        kind: AccountKind::Robot,
        password: None,
        namespace: place.map(namespace),
        ..user(text)
    }
}

fn key(id: &str) -> NewKey {
    NewKey {
        id: id.into(),
        name: "laptop".into(),
        hash: "hash".into(),
        scope: None,
        expires_at: None,
    }
}

fn newcomer(subject: &str, wanted: &str, roles: &[(Option<&str>, &str)]) -> Newcomer {
    Newcomer {
        issuer: "https://id.example".into(),
        subject: subject.into(),
        name: name(wanted),
        display_name: None,
        email: None,
        roles: Some(
            roles
                .iter()
                .map(|(place, role)| (place.map(namespace), (*role).into()))
                .collect(),
        ),
    }
}

/// The accounts of a store, with an admin in it and a namespace `team`.
async fn accounts(store: &Store) -> (Accounts, Account) {
    store
        .push_image(&repository("team/app"), &[], &["{}"])
        .await;
    let accounts = Accounts::of(&store.database);
    let admin = accounts.found(&user("root"), &store.actor).await;
    let admin = admin.expect("no trouble").expect("the first account");
    (accounts, admin)
}

/// How many entries the audit log has.
async fn entries(store: &Store) -> usize {
    let log = AuditLog::of(&store.database);
    let page = log
        .read(&AuditQuery::default(), AuditOrder::After(0), 1000)
        .await
        .expect("is read");
    page.items.len()
}

async fn every_change_has_exactly_one_audit_entry(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let actor = Actor::new("user:root");
    let mut before = entries(&store).await;
    let mut told = Vec::new();
    macro_rules! one {
        ($change:expr) => {{
            let value = $change.await.expect("succeeds");
            let page = AuditLog::of(&store.database)
                .read(&AuditQuery::default(), AuditOrder::Before(None), 1)
                .await
                .expect("is read");
            told.push(format!(
                "{} {} {}",
                page.items[0].actor, page.items[0].action, page.items[0].object
            ));
            let after = entries(&store).await;
            assert_eq!(after, before + 1, "{told:?}");
            before = after;
            value
        }};
    }
    let ada = one!(accounts.create(&user("ada"), &actor)).id;
    let change = AccountChange {
        display_name: Some(Some("Ada".into())),
        ..AccountChange::default()
    };
    one!(accounts.change(ada, &change, None, &actor));
    one!(accounts.set_password(ada, "$new$", true, None, &actor));
    one!(accounts.grant(ada, Some(&namespace("team")), "pusher", &actor));
    one!(accounts.withdraw(ada, Some(&namespace("team")), "pusher", &actor));
    one!(accounts.add_key(ada, &key("k1"), &actor));
    one!(accounts.revoke_key(ada, "k1", &actor));
    let later = store.database.now().plus(HOUR);
    one!(accounts.open_session(ada, "s1", later, "password"));
    one!(accounts.close_session(ada, "s1", &actor));
    let ci = one!(accounts.create(&robot("team/ci", Some("team")), &actor)).id;
    let identity = NewWorkloadIdentity {
        issuer: "https://ci.example".into(),
        audience: "seaworthy".into(),
        claims: "{}".into(),
    };
    let identity = one!(accounts.add_workload_identity(ci, &identity, &actor)).id;
    one!(accounts.remove_workload_identity(ci, identity, &actor));
    one!(accounts.replace_secret("k:", "k:1", b"x", Millis(0), &actor));
    one!(accounts.remove(ada, None, &actor));
    one!(accounts.meet(&newcomer("7", "bob", &[])));
    assert_eq!(
        told,
        [
            "user:root account.create user:ada",
            "user:root account.change user:ada",
            "user:root account.password user:ada",
            "user:root role.grant user:ada",
            "user:root role.withdraw user:ada",
            "user:root key.create user:ada",
            "user:root key.revoke user:ada",
            "user:ada session.open user:ada",
            "user:root session.close user:ada",
            "user:root account.create robot:team/ci",
            "user:root workload-identity.create robot:team/ci",
            "user:root workload-identity.remove robot:team/ci",
            "user:root secret.replace k:",
            "user:root account.remove user:ada",
            "user:bob account.create user:bob",
        ]
    );

    // What changes nothing and what is refused is not noted.
    accounts
        .meet(&newcomer("7", "bob", &[]))
        .await
        .expect("known");
    accounts
        .withdraw(ci, None, "pusher", &actor)
        .await
        .expect("it had none");
    assert!(accounts.create(&user("root"), &actor).await.is_err());
    assert!(accounts.remove(ada, None, &actor).await.is_err());
    assert_eq!(entries(&store).await, before);
}

async fn the_first_account_is_made_once(store: Store) {
    let accounts = Accounts::of(&store.database);
    assert!(accounts.is_empty().await.expect("is read"));
    let (one, two) = (user("one"), user("two"));
    let (first, second) = tokio::join!(
        accounts.found(&one, &store.actor),
        accounts.found(&two, &store.actor)
    );
    let made = [first.expect("no trouble"), second.expect("no trouble")];
    assert_eq!(made.iter().flatten().count(), 1);
    let admin = made.into_iter().flatten().next().expect("one of them");
    assert_eq!(&*admin.grants[0].role, ADMIN_ROLE);
    assert!(!accounts.is_empty().await.expect("is read"));
}

async fn the_last_admin_stays(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let actor = &store.actor;
    let is_last = |error| matches!(error, Err(ChangeAccountError::LastAdmin));
    let disable = AccountChange {
        is_disabled: Some(true),
        ..AccountChange::default()
    };
    let end = AccountChange {
        expires_at: Some(Some(store.database.now().plus(HOUR))),
        ..AccountChange::default()
    };
    assert!(is_last(
        accounts
            .change(admin.id, &disable, None, actor)
            .await
            .map(drop)
    ));
    assert!(is_last(
        accounts.change(admin.id, &end, None, actor).await.map(drop)
    ));
    assert!(is_last(accounts.remove(admin.id, None, actor).await));
    let demoted = accounts.withdraw(admin.id, None, ADMIN_ROLE, actor).await;
    assert!(matches!(demoted, Err(GrantError::LastAdmin)));

    // A robot, a disabled user and an admin of nothing but a namespace do not count.
    let ci = accounts
        .create(&robot("ci", None), actor)
        .await
        .expect("is made");
    accounts
        .grant(ci.id, None, ADMIN_ROLE, actor)
        .await
        .expect("is given");
    let bob = accounts.create(&user("bob"), actor).await.expect("is made");
    accounts
        .grant(bob.id, Some(&namespace("team")), ADMIN_ROLE, actor)
        .await
        .expect("is given");
    assert!(is_last(accounts.remove(admin.id, None, actor).await));
    accounts
        .grant(bob.id, None, ADMIN_ROLE, actor)
        .await
        .expect("is given");
    accounts
        .change(bob.id, &disable, None, actor)
        .await
        .expect("another is left");
    assert!(is_last(accounts.remove(admin.id, None, actor).await));

    let enable = AccountChange {
        is_disabled: Some(false),
        ..AccountChange::default()
    };
    accounts
        .change(bob.id, &enable, None, actor)
        .await
        .expect("is changed");
    accounts
        .remove(admin.id, None, actor)
        .await
        .expect("another is left");
    assert!(is_last(accounts.remove(bob.id, None, actor).await));
}

async fn admins_who_remove_each_other_do_not_both_succeed(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let bob = accounts
        .create(&user("bob"), &store.actor)
        .await
        .expect("is made");
    accounts
        .grant(bob.id, None, ADMIN_ROLE, &store.actor)
        .await
        .expect("is given");
    let (one, two) = tokio::join!(
        accounts.remove(admin.id, None, &store.actor),
        accounts.remove(bob.id, None, &store.actor)
    );
    assert!(one.is_ok() != two.is_ok(), "{one:?} {two:?}");
}

async fn a_change_needs_the_revision_it_was_made_for(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let ada = accounts
        .create(&user("ada"), &store.actor)
        .await
        .expect("is made");
    let change = AccountChange {
        email: Some(Some("ada@example.com".into())),
        ..AccountChange::default()
    };
    let changed = accounts
        .change(ada.id, &change, Some(ada.revision), &store.actor)
        .await
        .expect("is changed");
    assert!(changed.revision > ada.revision);
    assert_eq!(changed.email.as_deref(), Some("ada@example.com"));
    let stale = accounts
        .change(ada.id, &change, Some(ada.revision), &store.actor)
        .await;
    assert!(matches!(stale, Err(ChangeAccountError::Stale(now)) if now == changed.revision));
    let stale = accounts
        .remove(ada.id, Some(ada.revision), &store.actor)
        .await;
    assert!(matches!(stale, Err(ChangeAccountError::Stale(_))));
    let granted = accounts.grant(ada.id, None, "reader", &store.actor).await;
    assert!(granted.expect("is given").revision > changed.revision);
}

async fn names_are_taken_once_for_each_kind(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let actor = &store.actor;
    accounts.create(&user("ada"), actor).await.expect("is made");
    let again = accounts.create(&user("ada"), actor).await;
    assert!(matches!(again, Err(CreateAccountError::NameTaken(_))));
    accounts
        .create(&robot("ada", None), actor)
        .await
        .expect("of another kind");
    let misnamed = [
        robot("ci", Some("team")),
        robot("other/ci", Some("team")),
        robot("team/ci", None),
        user("team/ada"),
    ];
    for new in misnamed {
        let answer = accounts.create(&new, actor).await;
        assert!(matches!(answer, Err(CreateAccountError::Misnamed(_))));
    }
    let nowhere = accounts
        .create(&robot("nowhere/ci", Some("nowhere")), actor)
        .await;
    assert!(matches!(nowhere, Err(CreateAccountError::NoNamespace(_))));
    let found = accounts
        .named(AccountKind::User, &name("ada"))
        .await
        .expect("is read");
    assert_eq!(found.map(|it| it.kind), Some(AccountKind::User));
}

async fn robots_of_a_namespace_have_roles_in_it_only(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let actor = &store.actor;
    store
        .push_image(&repository("other/app"), &[], &["{}"])
        .await;
    let ci = accounts
        .create(&robot("team/ci", Some("team")), actor)
        .await
        .expect("is made");
    for place in [None, Some(namespace("other"))] {
        let answer = accounts.grant(ci.id, place.as_ref(), "pusher", actor).await;
        assert!(matches!(answer, Err(GrantError::Foreign(_))));
    }
    let nowhere = accounts
        .grant(ci.id, Some(&namespace("nowhere")), "pusher", actor)
        .await;
    assert!(nowhere.is_err());
    let team = namespace("team");
    let granted = accounts.grant(ci.id, Some(&team), "pusher", actor).await;
    let again = accounts.grant(ci.id, Some(&team), "pusher", actor).await;
    assert_eq!(again.expect("stays"), granted.expect("is given"));
}

async fn accounts_are_listed_in_pages(store: Store) {
    let (accounts, _) = accounts(&store).await;
    for number in 0..5 {
        let new = user(&format!("user{number}"));
        let made = accounts.create(&new, &store.actor).await.expect("is made");
        for role in ["reader", "pusher"] {
            accounts
                .grant(made.id, None, role, &store.actor)
                .await
                .expect("is given");
        }
        let new = robot(&format!("team/ci{number}"), Some("team"));
        accounts.create(&new, &store.actor).await.expect("is made");
    }
    let (mut seen, mut after) = (Vec::new(), 0);
    loop {
        let page = accounts
            .list(Some(AccountKind::User), None, after, 2)
            .await
            .expect("is read");
        assert!(page.items.len() <= 2);
        after = page.items.last().map_or(after, |last| last.id);
        seen.extend(
            page.items
                .into_iter()
                .map(|it| (it.name.to_string(), it.grants.len())),
        );
        if !page.more {
            break;
        }
    }
    let expected: Vec<(String, usize)> = std::iter::once(("root".to_owned(), 1))
        .chain((0..5).map(|number| (format!("user{number}"), 2)))
        .collect();
    assert_eq!(seen, expected);
    let team = namespace("team");
    let robots = accounts
        .list(None, Some(&team), 0, 100)
        .await
        .expect("is read");
    assert_eq!(robots.items.len(), 5);
    assert!(!robots.more);
}

async fn roles_in_a_namespace_are_listed(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let team = namespace("team");
    for who in ["ada", "bob", "eve"] {
        let made = accounts
            .create(&user(who), &store.actor)
            .await
            .expect("is made");
        let place = (who != "eve").then_some(&team);
        for role in ["reader", "pusher"] {
            accounts
                .grant(made.id, place, role, &store.actor)
                .await
                .expect("is given");
        }
    }
    let first = accounts.members(&team, 0, 1).await.expect("is read");
    assert_eq!(first.items[0].name, name("ada"));
    assert_eq!(first.items[0].grants.len(), 2);
    assert!(first.more);
    let rest = accounts
        .members(&team, first.items[0].id, 10)
        .await
        .expect("is read");
    assert_eq!(rest.items.len(), 1);
    assert_eq!(rest.items[0].name, name("bob"));
}

async fn whoever_signs_in_elsewhere_is_known_by_subject(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let root = accounts
        .meet(&newcomer("1", "root", &[]))
        .await
        .expect("is met");
    assert_eq!(
        root.name,
        name("root-2"),
        "the name does not make them the admin"
    );
    assert!(root.grants.is_empty());
    let again = accounts
        .meet(&newcomer("1", "other", &[]))
        .await
        .expect("is met");
    assert_eq!((again.id, again.name), (root.id, name("root-2")));
    let third = accounts
        .meet(&newcomer("2", "root", &[]))
        .await
        .expect("is met");
    assert_eq!(third.name, name("root-3"));
}

async fn groups_renew_roles_and_leave_given_ones_alone(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let roles: &[(Option<&str>, &str)] = &[
        (None, "reader"),
        (Some("team"), "pusher"),
        (Some("nowhere"), "pusher"),
    ];
    let ada = accounts
        .meet(&newcomer("1", "ada", roles))
        .await
        .expect("is met");
    assert_eq!(ada.grants.len(), 2, "there is no such namespace");
    assert!(
        ada.grants
            .iter()
            .all(|grant| grant.origin == GrantOrigin::Group)
    );
    accounts
        .grant(ada.id, None, "pusher", &store.actor)
        .await
        .expect("is given");
    let ada = accounts
        .meet(&newcomer("1", "ada", &[(None, ADMIN_ROLE)]))
        .await
        .expect("is met");
    let words: Vec<&str> = ada.grants.iter().map(|grant| &*grant.role).collect();
    assert_eq!(words, ["pusher", ADMIN_ROLE]);

    // Nobody is left without an admin by a group that is gone.
    accounts
        .remove(admin.id, None, &store.actor)
        .await
        .expect("another is left");
    let ada = accounts
        .meet(&newcomer("1", "ada", &[]))
        .await
        .expect("is met");
    assert!(ada.grants.iter().any(|grant| &*grant.role == ADMIN_ROLE));
}

async fn a_new_password_ends_sessions_and_tokens(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let later = store.database.now().plus(HOUR);
    for hash in ["s1", "s2"] {
        accounts
            .open_session(admin.id, hash, later, "password")
            .await
            .expect("begins");
    }
    let changed = accounts
        .set_password(admin.id, "$new$", false, Some("s2"), &store.actor)
        .await
        .expect("is changed");
    assert!(changed.epoch > admin.epoch);
    let left = accounts.sessions(admin.id).await.expect("is read");
    assert_eq!(left.len(), 1);
    assert_eq!(&*left[0].hash, "s2");
    let stored = accounts.password(&name("root")).await.expect("is read");
    let stored = stored.expect("there is one");
    assert_eq!((&*stored.hash, stored.epoch), ("$new$", changed.epoch));
}

async fn a_removed_account_takes_everything_along(store: Store) {
    let (accounts, _) = accounts(&store).await;
    let ci = accounts
        .create(&robot("ci", None), &store.actor)
        .await
        .expect("is made")
        .id;
    let later = store.database.now().plus(HOUR);
    accounts
        .add_key(ci, &key("k1"), &store.actor)
        .await
        .expect("is made");
    accounts
        .open_session(ci, "s1", later, "password")
        .await
        .expect("begins");
    accounts
        .grant(ci, None, "pusher", &store.actor)
        .await
        .expect("is given");
    accounts
        .remove(ci, None, &store.actor)
        .await
        .expect("is removed");
    assert_eq!(accounts.account(ci).await.expect("is read"), None);
    assert_eq!(accounts.key("k1").await.expect("is read"), None);
    assert_eq!(accounts.session("s1").await.expect("is read"), None);
    let again = accounts
        .create(&robot("ci", None), &store.actor)
        .await
        .expect("is made");
    assert_ne!(
        again.id, ci,
        "a token for the old one is not for the new one"
    );
    let gone = accounts.add_key(ci, &key("k2"), &store.actor).await;
    assert!(matches!(gone, Err(KeyError::NoAccount)));
}

async fn sessions_make_room_and_are_swept(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    for number in 0..60 {
        store.pass(1);
        let later = store.database.now().plus(HOUR);
        let hash = format!("s{number}");
        accounts
            .open_session(admin.id, &hash, later, "password")
            .await
            .expect("begins");
    }
    let left = accounts.sessions(admin.id).await.expect("is read");
    assert_eq!(left.len(), 50);
    assert_eq!(&*left[0].hash, "s10");
    let longer = store.database.now().plus(3 * HOUR);
    accounts
        .extend_session("s59", longer)
        .await
        .expect("goes on");
    store.pass(2 * HOUR);
    assert_eq!(accounts.sessions(admin.id).await.expect("is read").len(), 1);
    let swept = accounts
        .sweep_sessions(store.database.now())
        .await
        .expect("is swept");
    assert_eq!(swept, 49);
}

async fn workload_identities_belong_to_robots(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let ci = accounts
        .create(&robot("ci", None), &store.actor)
        .await
        .expect("is made");
    let new = NewWorkloadIdentity {
        issuer: "https://ci.example".into(),
        audience: "seaworthy".into(),
        claims: r#"{"sub":"repo:*"}"#.into(),
    };
    let refused = accounts
        .add_workload_identity(admin.id, &new, &store.actor)
        .await;
    assert!(matches!(refused, Err(WorkloadIdentityError::NoRobot)));
    let made = accounts
        .add_workload_identity(ci.id, &new, &store.actor)
        .await
        .expect("is made");
    let found = accounts.workload_identities_of("https://ci.example").await;
    assert_eq!(found.expect("is read"), std::slice::from_ref(&made));
    let other = accounts.workload_identities_of("https://ci.example/").await;
    assert_eq!(other.expect("is read"), []);
    let stranger = accounts
        .remove_workload_identity(admin.id, made.id, &store.actor)
        .await;
    assert!(matches!(stranger, Err(WorkloadIdentityError::Absent)));
    accounts
        .remove(ci.id, None, &store.actor)
        .await
        .expect("is removed");
    assert_eq!(
        accounts.workload_identity(made.id).await.expect("is read"),
        None
    );
}

async fn nodes_agree_on_secrets(store: Store) {
    let accounts = Accounts::of(&store.database);
    let (one, two) = tokio::join!(
        accounts.agree_on_secret("k:1", b"one"),
        accounts.agree_on_secret("k:1", b"two")
    );
    let (one, two) = (one.expect("is there"), two.expect("is there"));
    assert_eq!(one, two);
    assert_eq!(format!("{one:?}"), "InstallationSecret(k:1: ****)");
    store.pass(1000);
    let now = store.database.now();
    accounts
        .replace_secret("k:", "k:2", b"next", now.plus(-2000), &store.actor)
        .await
        .expect("is added");
    let names = |found: Vec<seaworthy_store::InstallationSecret>| {
        found
            .into_iter()
            .map(|it| it.name.to_string())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(accounts.secrets("k:").await.expect("is read")),
        ["k:2", "k:1"]
    );
    assert_eq!(
        names(accounts.secrets("x:").await.expect("is read")),
        [""; 0]
    );
    accounts
        .replace_secret("k:", "k:3", b"last", Millis(i64::MAX), &store.actor)
        .await
        .expect("is added");
    assert_eq!(
        names(accounts.secrets("k:").await.expect("is read")),
        ["k:3"]
    );
}

async fn this_process_forgets_what_it_remembers_of_access(store: Store) {
    let (accounts, admin) = accounts(&store).await;
    let before = store.database.access_changes();
    accounts
        .grant(admin.id, None, "reader", &store.actor)
        .await
        .expect("is given");
    assert!(store.database.access_changes() > before);
}
