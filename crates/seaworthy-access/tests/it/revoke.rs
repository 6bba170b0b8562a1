//! Whoever loses a right loses it everywhere, whatever they hold: at once on the node
//! where it was taken, within seconds on every other.

use seaworthy_access::{Authority, Credential, Principal, Right, Role, Wanted, Where};
use seaworthy_store::AccountChange;

use crate::world::{
    PASSWORD, World, basic, bearer, identify, in_postgres, in_sqlite, name, namespace, repository,
};

/// What a node believes of others, at most.
const BELIEVED: i64 = 2_000;

/// A way to take something from somebody.
#[derive(Clone, Copy, Debug)]
enum Taking {
    Role,
    Account,
    Disabled,
    Key,
    Password,
}

const ALL: [Taking; 5] = [
    Taking::Role,
    Taking::Account,
    Taking::Disabled,
    Taking::Key,
    Taking::Password,
];

/// Somebody with everything that can be shown.
struct Holder {
    account: i64,
    key: Credential,
    key_id: String,
    password: Option<Credential>,
    session: Option<Credential>,
    token_of_key: Credential,
    token_of_password: Option<Credential>,
}

async fn token(world: &World, shown: &Credential) -> Credential {
    let principal = world.identify(shown).await.expect("is known");
    let wanted = Wanted {
        repository: repository("team/app"),
        rights: vec![Right::Push],
    };
    let issued = world.authority.issue(&principal, &[wanted], 300).await;
    bearer(&issued.expect("is issued"))
}

async fn holder(world: &World, text: &str) -> Holder {
    let ada = world.user(text, &[(Some("team"), Role::Pusher)]).await;
    let text_of_key = world.key(ada.id, crate::world::whole_key()).await;
    let key = bearer(&text_of_key);
    let password = basic(text, PASSWORD);
    let signed_in = world
        .authority
        .sign_in(text, PASSWORD)
        .await
        .expect("signs in");
    Holder {
        account: ada.id,
        token_of_key: token(world, &key).await,
        token_of_password: Some(token(world, &password).await),
        key,
        key_id: text_of_key
            .split('_')
            .nth(1)
            .expect("a public part")
            .to_owned(),
        password: Some(password),
        session: Some(Credential::Session(signed_in.session.reveal().to_owned())),
    }
}

impl Holder {
    /// What is good for nothing after `taking`.
    fn lost(&self, taking: Taking) -> Vec<Credential> {
        let of_key = vec![self.key.clone(), self.token_of_key.clone()];
        let of_password = [&self.password, &self.session, &self.token_of_password];
        let of_password = of_password.into_iter().flatten().cloned();
        match taking {
            Taking::Key => of_key,
            Taking::Password => of_password.chain([self.token_of_key.clone()]).collect(),
            Taking::Role | Taking::Account | Taking::Disabled => {
                of_key.into_iter().chain(of_password).collect()
            }
        }
    }
}

async fn take(world: &World, holder: &Holder, taking: Taking) {
    let (accounts, actor) = (&world.accounts, &world.admin.actor);
    match taking {
        Taking::Role => {
            let team = namespace("team");
            let place = Where::In(&team);
            world
                .authority
                .withdraw(&world.admin, holder.account, place, Role::Pusher)
                .await
                .expect("is taken");
        }
        Taking::Account => accounts
            .remove(holder.account, None, actor)
            .await
            .expect("is removed"),
        Taking::Disabled => {
            let change = AccountChange {
                is_disabled: Some(true),
                ..AccountChange::default()
            };
            accounts
                .change(holder.account, &change, None, actor)
                .await
                .expect("is disabled");
        }
        Taking::Key => world
            .authority
            .revoke_key(&world.admin, holder.account, &holder.key_id)
            .await
            .expect("is revoked"),
        Taking::Password => {
            world
                .authority
                .reset_password(holder.account, actor)
                .await
                .expect("is reset");
        }
    }
}

async fn may_push(authority: &Authority, credential: &Credential) -> bool {
    let Some(principal) = identify(authority, credential).await else {
        return false;
    };
    authority
        .permit_repository(&principal, Right::Push, &repository("team/app"))
        .await
        .expect("is decided")
        .is_ok()
}

async fn here_at_once(world: World) {
    for (number, taking) in ALL.into_iter().enumerate() {
        let holder = holder(&world, &format!("ada{number}")).await;
        let lost = holder.lost(taking);
        for credential in &lost {
            assert!(may_push(&world.authority, credential).await, "{taking:?}");
        }
        take(&world, &holder, taking).await;
        for (number, credential) in lost.iter().enumerate() {
            let may = may_push(&world.authority, credential).await;
            assert!(!may, "{taking:?} left credential {number} good");
        }
    }
}

#[test]
fn on_this_node_at_once_in_sqlite() {
    in_sqlite(here_at_once);
}

#[test]
fn on_this_node_at_once_in_postgres() {
    in_postgres(here_at_once);
}

#[test]
fn on_other_nodes_within_two_seconds() {
    in_postgres(async |world: World| {
        let other = world.other_node().await;
        for (number, taking) in ALL.into_iter().enumerate() {
            let holder = holder(&world, &format!("ada{number}")).await;
            let lost = holder.lost(taking);
            for credential in &lost {
                assert!(may_push(&other, credential).await, "{taking:?}");
            }
            take(&world, &holder, taking).await;
            world.pass(BELIEVED);
            for (number, credential) in lost.iter().enumerate() {
                let may = may_push(&other, credential).await;
                assert!(!may, "{taking:?} left credential {number} good");
            }
        }
    });
}

#[test]
fn a_namespace_that_is_public_no_more_is_closed_on_other_nodes() {
    in_postgres(async |world: World| {
        let other = world.other_node().await;
        let nobody = Principal::anonymous();
        let app = repository("team/app");
        world.namespace("team", true).await;
        let read = async || {
            let answer = other.permit_repository(&nobody, Right::Read, &app).await;
            answer.expect("is decided").is_ok()
        };
        assert!(read().await);
        world.namespace("team", false).await;
        world.pass(BELIEVED);
        assert!(!read().await);
    });
}

#[test]
fn tokens_of_one_node_are_good_on_another_before_and_after_a_new_key() {
    in_postgres(async |world: World| {
        let other = world.other_node().await;
        let holder = holder(&world, "ada").await;
        assert!(may_push(&other, &holder.token_of_key).await);
        world.pass(60_000);
        world
            .authority
            .renew_token_key(&world.admin.actor)
            .await
            .expect("is renewed");
        let fresh = token(&world, &holder.key).await;
        assert!(
            may_push(&other, &fresh).await,
            "the other does not know the key yet"
        );
        world.pass(10_000);
        let fresh = token(&world, &holder.key).await;
        assert!(may_push(&other, &fresh).await);
        assert!(
            may_push(&other, &holder.token_of_key).await,
            "it has not ended"
        );

        let accounts = &world.accounts;
        assert_eq!(
            accounts.secrets("token-key:").await.expect("is read").len(),
            2
        );
        world.pass(2 * 3_600_000);
        for _ in 0..2 {
            world
                .authority
                .renew_token_key(&world.admin.actor)
                .await
                .expect("is renewed");
            world.pass(2 * 3_600_000);
        }
        assert_eq!(
            accounts.secrets("token-key:").await.expect("is read").len(),
            2
        );

        let fresh = token(&world, &holder.key).await;
        world
            .authority
            .revoke_all_tokens(&world.admin.actor)
            .await
            .expect("are revoked");
        assert!(!may_push(&world.authority, &fresh).await);
        world.pass(BELIEVED);
        assert!(!may_push(&other, &fresh).await);
        let again = token(&world, &holder.key).await;
        assert!(may_push(&other, &again).await);
    });
}

#[test]
fn a_robot_of_a_namespace_that_was_deleted_is_nobody() {
    in_sqlite(async |world: World| {
        world.namespace("gone", false).await;
        let (_, secret) = world
            .robot("gone/ci", Some("gone"), &[(Some("gone"), Role::Pusher)])
            .await;
        assert!(world.identify(&bearer(&secret)).await.is_some());
        world
            .catalog
            .delete_namespace(&namespace("gone"), None, &world.admin.actor)
            .await
            .expect("is deleted");
        assert!(world.identify(&bearer(&secret)).await.is_none());
        let named = world
            .accounts
            .named(seaworthy_store::AccountKind::Robot, &name("gone/ci"))
            .await;
        assert_eq!(named.expect("is read"), None);
    });
}
