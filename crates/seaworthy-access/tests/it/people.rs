//! The first admin, passwords, and handing out keys and roles.

use seaworthy_access::{
    Authority, ChangePasswordError, Credential, GrantRoleError, KeyRequest, MakeKeyError, NewUser,
    Refusal, Right, Role, Where,
};
use seaworthy_store::GrantError;

use crate::world::{
    HOUR, PASSWORD, World, basic, bearer, in_sqlite, key_in, name, namespace, whole_key,
};

#[test]
fn the_first_admin_has_a_password_for_one_sign_in_and_is_made_once() {
    in_sqlite(async |world: World| {
        assert!(
            world
                .authority
                .first_admin()
                .await
                .expect("no trouble")
                .is_none()
        );
        let other = Authority::open(&world.database).await.expect("opens");
        assert!(other.first_admin().await.expect("no trouble").is_none());
    });
}

#[test]
fn before_the_password_is_changed_nothing_goes() {
    in_sqlite(async |world: World| {
        let new = NewUser {
            name: name("ada"),
            display_name: None,
            email: None,
        };
        let (ada, once) = world
            .authority
            .make_user(new, &world.admin.actor)
            .await
            .expect("is made");
        world
            .authority
            .grant(&world.admin, ada.id, Where::Everywhere, Role::Admin)
            .await
            .expect("is given");
        let signed_in = world
            .authority
            .sign_in("ada", once.reveal())
            .await
            .expect("signs in");
        let principal = &signed_in.principal;
        assert!(principal.must_change_password);
        for right in Right::ALL {
            let answer = world
                .authority
                .permit(principal, right, Where::Everywhere)
                .await;
            assert_eq!(answer.expect("is decided"), Err(Refusal::PasswordDue));
        }
        let key = world
            .authority
            .make_key(principal, ada.id, whole_key())
            .await;
        assert!(matches!(
            key,
            Err(MakeKeyError::Refused(Refusal::PasswordDue))
        ));

        world
            .authority
            .change_password(principal, once.reveal(), PASSWORD)
            .await
            .expect("is changed");
        let session = Credential::Session(signed_in.session.reveal().to_owned());
        let principal = world.identify(&session).await.expect("the session goes on");
        assert!(!principal.must_change_password);
        assert!(world.may(&principal, Right::Push, "team/app").await);
        assert!(world.identify(&basic("ada", once.reveal())).await.is_none());
    });
}

#[test]
fn a_password_is_changed_by_whoever_knows_the_old_one() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[]).await;
        let signed_in = world
            .authority
            .sign_in("ada", PASSWORD)
            .await
            .expect("signs in");
        let principal = &signed_in.principal;
        let wrong = world
            .authority
            .change_password(principal, "guess", "another fine password")
            .await;
        assert!(matches!(wrong, Err(ChangePasswordError::Wrong)));
        let short = world
            .authority
            .change_password(principal, PASSWORD, "short")
            .await;
        assert!(matches!(short, Err(ChangePasswordError::Unfit(_))));
        let key = world.key(ada.id, key_in("team", &[Right::Read])).await;
        let narrow = world.identify(&bearer(&key)).await.expect("is known");
        let narrow = world
            .authority
            .change_password(&narrow, PASSWORD, "another fine password")
            .await;
        assert!(matches!(narrow, Err(ChangePasswordError::Wrong)));
    });
}

#[test]
fn a_key_gives_nothing_away_that_it_is_not_good_for() {
    in_sqlite(async |world: World| {
        let Some(admin) = world.admin.account else {
            panic!("the admin has an account");
        };
        let mut request = key_in("team", &[Right::ManageNamespace]);
        for narrowed in request.narrowed.iter_mut().flatten() {
            narrowed.rights.push(Right::ManageAccounts);
            narrowed.namespace = None;
        }
        let narrow = world.key(admin, request).await;
        let narrow = world.identify(&bearer(&narrow)).await.expect("is known");
        let (robot, _) = world
            .robot("team/ci", Some("team"), &[(Some("team"), Role::Pusher)])
            .await;
        let bob = world.user("bob", &[]).await;
        // It may look after all of them, and yet not become any of them.
        for account in [admin, robot.id, bob.id] {
            for wanted in [whole_key(), key_in("team", &[Right::Push])] {
                let refused = world.authority.make_key(&narrow, account, wanted).await;
                assert!(matches!(refused, Err(MakeKeyError::Unfit(_))), "{account}");
            }
        }
        let authority = &world.authority;
        for (account, right) in [
            (robot, Right::Read),
            (world.account(admin).await, Right::Read),
        ] {
            let refused = authority.permit_all_of(&narrow, &account);
            assert!(
                matches!(refused, Err(Refusal::Missing { right: it, .. }) if it == right),
                "{refused:?}"
            );
            assert_eq!(authority.permit_all_of(&world.admin, &account), Ok(()));
        }
        assert_eq!(authority.permit_all_of(&narrow, &bob), Ok(()));
    });
}

#[test]
fn a_key_that_ends_makes_none_that_outlives_it() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[]).await;
        let end = world.database.now().plus(HOUR);
        let ending = KeyRequest {
            expires_at: Some(end),
            ..whole_key()
        };
        let key = world.key(ada.id, ending.clone()).await;
        let key = world.identify(&bearer(&key)).await.expect("is known");
        let later = KeyRequest {
            expires_at: Some(end.plus(1)),
            ..whole_key()
        };
        for wanted in [whole_key(), later] {
            let refused = world.authority.make_key(&key, ada.id, wanted).await;
            assert!(matches!(refused, Err(MakeKeyError::Unfit(_))));
        }
        let made = world.authority.make_key(&key, ada.id, ending).await;
        assert!(made.is_ok());
    });
}

#[test]
fn a_narrow_key_makes_no_wide_one() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[(None, Role::NamespaceAdmin)]).await;
        let narrow = world.key(ada.id, key_in("team", &[Right::Read])).await;
        let narrow = world.identify(&bearer(&narrow)).await.expect("is known");
        let refused = world.authority.make_key(&narrow, ada.id, whole_key()).await;
        assert!(matches!(refused, Err(MakeKeyError::Refused(_))));
        let whole = world
            .identify(&basic("ada", PASSWORD))
            .await
            .expect("is known");
        let made = world.authority.make_key(&whole, ada.id, whole_key()).await;
        assert!(made.is_ok());
    });
}

#[test]
fn keys_of_others_need_a_right() {
    in_sqlite(async |world: World| {
        let ada = world
            .user("ada", &[(Some("team"), Role::NamespaceAdmin)])
            .await;
        let bob = world.user("bob", &[]).await;
        let (own, _) = world.robot("team/ci", Some("team"), &[]).await;
        let (foreign, _) = world.robot("other/ci", Some("other"), &[]).await;
        let (global, _) = world.robot("ci", None, &[]).await;
        let principal = world
            .identify(&basic("ada", PASSWORD))
            .await
            .expect("is known");
        for (account, may) in [
            (&ada, true),
            (&own, true),
            (&foreign, false),
            (&global, false),
            (&bob, false),
        ] {
            let answer = world
                .authority
                .make_key(&principal, account.id, whole_key())
                .await;
            assert_eq!(answer.is_ok(), may, "{}", account.name);
        }
        let names = world.authority.permit_account(&principal, &ada);
        assert_eq!(
            names,
            Err(Refusal::Missing {
                right: Right::ManageAccounts,
                namespace: None
            }),
            "nobody changes their own account"
        );
    });
}

#[test]
fn nobody_gives_away_what_they_do_not_have() {
    in_sqlite(async |world: World| {
        world
            .user("ada", &[(Some("team"), Role::NamespaceAdmin)])
            .await;
        let bob = world.user("bob", &[]).await;
        let ada = world
            .identify(&basic("ada", PASSWORD))
            .await
            .expect("is known");
        let (team, other) = (namespace("team"), namespace("other"));
        let give = async |place, role| world.authority.grant(&ada, bob.id, place, role).await;
        assert!(give(Where::In(&team), Role::NamespaceAdmin).await.is_ok());
        let refused = |answer| matches!(answer, Err(GrantRoleError::Refused(_)));
        assert!(refused(give(Where::In(&other), Role::Reader).await));
        assert!(refused(give(Where::Everywhere, Role::Reader).await));
        let everywhere = give(Where::In(&team), Role::Admin).await;
        assert!(matches!(
            everywhere,
            Err(GrantRoleError::OnlyEverywhere(Role::Admin))
        ));
        let last = world
            .authority
            .withdraw(
                &world.admin,
                world.admin.account.expect("somebody"),
                Where::Everywhere,
                Role::Admin,
            )
            .await;
        assert!(matches!(
            last,
            Err(GrantRoleError::Grant(GrantError::LastAdmin))
        ));
    });
}

#[test]
fn a_reset_password_is_good_for_one_sign_in() {
    in_sqlite(async |world: World| {
        let ada = world.user("ada", &[]).await;
        let once = world
            .authority
            .reset_password(ada.id, &world.admin.actor)
            .await
            .expect("is reset");
        assert!(world.identify(&basic("ada", PASSWORD)).await.is_none());
        let principal = world
            .identify(&basic("ada", once.reveal()))
            .await
            .expect("is known");
        assert!(principal.must_change_password);
        let (robot, _) = world.robot("ci", None, &[]).await;
        let none = world
            .authority
            .reset_password(robot.id, &world.admin.actor)
            .await;
        assert!(matches!(none, Err(ChangePasswordError::Change(_))));
    });
}

#[test]
fn what_a_key_is_asked_for_with_is_looked_at() {
    in_sqlite(async |world: World| {
        let (robot, _) = world.robot("ci", None, &[]).await;
        let mut asked = vec![whole_key(); 5];
        asked[0].name = "".into();
        asked[1].name = "a\nb".into();
        asked[2].name = "a".repeat(101).into();
        asked[3].expires_at = Some(world.database.now());
        asked[4].narrowed = Some(vec![seaworthy_access::Narrowed {
            repository: Some("../x".into()),
            namespace: None,
            rights: vec![Right::Read],
        }]);
        for request in asked {
            let answer = world
                .authority
                .make_key(&world.admin, robot.id, request.clone())
                .await;
            assert!(matches!(answer, Err(MakeKeyError::Unfit(_))), "{request:?}");
        }
    });
}
