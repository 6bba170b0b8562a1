//! What somebody shows, and who they are then.

use seaworthy_access::{Credential, IdentifyError, Narrowed, Principal, Right, Role};

use crate::world::{HOUR, PASSWORD, World, basic, bearer, in_sqlite, key_in, namespace, whole_key};

#[test]
fn nothing_shown_is_anonymous() {
    in_sqlite(async |world: World| {
        let nobody = world.identify(&Credential::None).await;
        assert_eq!(nobody, Some(Principal::anonymous()));
    });
}

#[test]
fn a_user_is_known_by_name_and_password() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[(Some("team"), Role::Pusher)]).await;
        let principal = world
            .identify(&basic("ada", PASSWORD))
            .await
            .expect("is known");
        assert_eq!(principal.account, Some(ada.id));
        assert_eq!(principal.actor.as_str(), "user:ada");
        assert_eq!(principal.roles, [(Some(namespace("team")), Role::Pusher)]);
        assert_eq!(principal.narrowed, None);
        for (name, password) in [
            ("ada", "wrong horse battery"),
            ("ada", ""),
            ("bob", PASSWORD),
            ("Ada", PASSWORD),
            ("ada\0", PASSWORD),
            ("", ""),
        ] {
            assert_eq!(
                world.identify(&basic(name, password)).await,
                None,
                "{name:?}"
            );
        }
    });
}

#[test]
fn a_robot_is_known_by_its_secret_under_any_name() {
    in_sqlite(async |world: World| {
        let (robot, secret) = world
            .robot("team/ci", Some("team"), &[(Some("team"), Role::Pusher)])
            .await;
        assert!(secret.starts_with("swr_"), "{secret}");
        for credential in [
            basic("team/ci", &secret),
            basic("anything", &secret),
            bearer(&secret),
        ] {
            let principal = world.identify(&credential).await.expect("is known");
            assert_eq!(principal.account, Some(robot.id));
            assert!(world.may(&principal, Right::Push, "team/app").await);
            assert!(!world.may(&principal, Right::Push, "other/app").await);
            assert!(!world.may(&principal, Right::Delete, "team/app").await);
        }
    });
}

#[test]
fn a_secret_that_is_nearly_right_is_wrong() {
    in_sqlite(async |world: World| {
        let (_, secret) = world.robot("ci", None, &[(None, Role::Pusher)]).await;
        let (_, other) = world.robot("cd", None, &[(None, Role::Pusher)]).await;
        let tail = other.rsplit_once('_').expect("two parts").1;
        let head = secret.rsplit_once('_').expect("two parts").0;
        for wrong in [
            format!("{head}_{tail}"),
            format!("{head}_"),
            head.to_owned(),
            format!("{secret}a"),
            secret.to_uppercase(),
            secret.replace("swr_", "swk_") + "x",
        ] {
            assert_eq!(world.identify(&bearer(&wrong)).await, None, "{wrong}");
        }
    });
}

#[test]
fn a_narrowed_key_is_good_for_what_it_says_and_no_more_than_its_account() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[(Some("team"), Role::Pusher)]).await;
        let key = world
            .key(ada.id, key_in("team", &[Right::Read, Right::Delete]))
            .await;
        let principal = world.identify(&bearer(&key)).await.expect("is known");
        assert!(world.may(&principal, Right::Read, "team/app").await);
        assert!(
            !world.may(&principal, Right::Push, "team/app").await,
            "not of the key"
        );
        assert!(
            !world.may(&principal, Right::Delete, "team/app").await,
            "not of hers"
        );
        let foreign = world.key(ada.id, key_in("other", &[Right::Read])).await;
        let principal = world.identify(&bearer(&foreign)).await.expect("is known");
        assert!(!world.may(&principal, Right::Read, "other/app").await);
        assert!(!world.may(&principal, Right::Read, "team/app").await);
    });
}

#[test]
fn a_key_for_one_repository_is_good_for_that() {
    in_sqlite(async |world: World| {
        let (robot, _) = world.robot("ci", None, &[(None, Role::Pusher)]).await;
        let mut request = whole_key();
        request.narrowed = Some(vec![Narrowed {
            repository: Some("team/app".into()),
            namespace: None,
            rights: vec![Right::Read, Right::Push],
        }]);
        let key = world.key(robot.id, request).await;
        let principal = world.identify(&basic("ci", &key)).await.expect("is known");
        assert!(world.may(&principal, Right::Push, "team/app").await);
        assert!(!world.may(&principal, Right::Read, "team/app2").await);
        assert!(!world.may(&principal, Right::Read, "team/app/sub").await);
    });
}

#[test]
fn keys_and_accounts_end_when_they_say() {
    in_sqlite(async |world: World| {
        let (robot, forever) = world.robot("ci", None, &[(None, Role::Reader)]).await;
        let mut request = whole_key();
        request.expires_at = Some(world.database.now().plus(HOUR));
        let key = world.key(robot.id, request).await;
        world.pass(HOUR - 1);
        assert!(world.identify(&bearer(&key)).await.is_some());
        world.pass(1);
        assert!(world.identify(&bearer(&key)).await.is_none());
        assert!(world.identify(&bearer(&forever)).await.is_some());

        let change = seaworthy_store::AccountChange {
            expires_at: Some(Some(world.database.now().plus(HOUR))),
            ..seaworthy_store::AccountChange::default()
        };
        world
            .accounts
            .change(robot.id, &change, None, &world.admin.actor)
            .await
            .expect("is changed");
        world.pass(HOUR);
        assert!(world.identify(&bearer(&forever)).await.is_none());
    });
}

#[test]
fn wrong_passwords_hold_back_the_password_and_nothing_else() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[]).await;
        let key = world.key(ada.id, whole_key()).await;
        let session = world
            .authority
            .sign_in("ada", PASSWORD)
            .await
            .expect("signs in");
        // Whoever comes back after a while is not remembered.
        world.pass(HOUR);
        let mut waits = None;
        for _ in 0..20 {
            match world.authority.identify(&basic("ada", "guess")).await {
                Err(IdentifyError::Invalid) => {}
                Err(IdentifyError::TooMany(seconds)) => {
                    waits = Some(seconds);
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        let seconds = waits.expect("guesses are held back");
        assert!((1..=60).contains(&seconds), "{seconds}");
        let right = world.authority.identify(&basic("ada", PASSWORD)).await;
        assert!(matches!(right, Err(IdentifyError::TooMany(_))));
        assert!(world.identify(&bearer(&key)).await.is_some());
        let session = Credential::Session(session.session.reveal().to_owned());
        assert!(world.identify(&session).await.is_some());
        assert!(world.identify(&basic("admin", PASSWORD)).await.is_some());
        world.pass(i64::try_from(seconds).expect("small") * 1000);
        assert!(world.identify(&basic("ada", PASSWORD)).await.is_some());
    });
}

#[test]
fn a_session_slides_and_ends_at_last() {
    in_sqlite(async |world: World| {
        let signed_in = world
            .authority
            .sign_in("admin", PASSWORD)
            .await
            .expect("signs in");
        let session = Credential::Session(signed_in.session.reveal().to_owned());
        // Used every ten hours it goes on for a week.
        let mut hours = 0;
        while world.identify(&session).await.is_some() {
            world.pass(10 * HOUR);
            hours += 10;
            assert!(hours <= 24 * 7 + 10, "it never ends");
        }
        assert!(hours > 24 * 6, "{hours}");

        let signed_in = world
            .authority
            .sign_in("admin", PASSWORD)
            .await
            .expect("signs in");
        let session = Credential::Session(signed_in.session.reveal().to_owned());
        world.pass(12 * HOUR);
        assert!(world.identify(&session).await.is_none(), "it was not used");
    });
}

#[test]
fn a_session_that_was_closed_is_over() {
    in_sqlite(async |world: World| {
        let signed_in = world
            .authority
            .sign_in("admin", PASSWORD)
            .await
            .expect("signs in");
        let session = Credential::Session(signed_in.session.reveal().to_owned());
        let principal = world.identify(&session).await.expect("is known");
        world.authority.sign_out(&principal).await.expect("ends");
        assert!(world.identify(&session).await.is_none());
    });
}

#[test]
fn the_cookie_is_no_bearer_and_the_bearer_no_cookie() {
    in_sqlite(async |world: World| {
        let signed_in = world
            .authority
            .sign_in("admin", PASSWORD)
            .await
            .expect("signs in");
        let secret = signed_in.session.reveal();
        assert!(world.identify(&bearer(secret)).await.is_none());
        let (_, key) = world.robot("ci", None, &[]).await;
        assert!(world.identify(&Credential::Session(key)).await.is_none());
    });
}

#[test]
fn what_was_used_is_written_down() {
    in_sqlite(async |world: World| {
        let (robot, key) = world.robot("ci", None, &[]).await;
        assert!(world.identify(&bearer(&key)).await.is_some());
        let now = world.database.now();
        let mut used = None;
        for _ in 0..1000 {
            let keys = world.accounts.keys(robot.id).await.expect("is read");
            used = keys[0].used_at;
            if used.is_some() {
                break;
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(used, Some(now));
    });
}

#[test]
fn a_public_namespace_is_read_by_anybody() {
    in_sqlite(async |world: World| {
        let nobody = Principal::anonymous();
        assert!(!world.may(&nobody, Right::Read, "team/app").await);
        world.namespace("team", true).await;
        assert!(world.may(&nobody, Right::Read, "team/app").await);
        assert!(!world.may(&nobody, Right::Push, "team/app").await);
        assert!(!world.may(&nobody, Right::Read, "other/app").await);
        world.namespace("team", false).await;
        assert!(
            !world.may(&nobody, Right::Read, "team/app").await,
            "at once"
        );
    });
}
