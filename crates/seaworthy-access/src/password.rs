//! Passwords: slow to try, and not tried twice.
//!
//! Argon2id with the memory and passes that OWASP recommends (19 MiB, two passes).
//! Only a few are computed at a time, so that many who sign in at once cost time and
//! no memory; when too many wait, the next are sent away. A password that proved
//! right is remembered for some minutes, as a keyed hash, because a client that
//! pushes shows it with every request.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher as _, PasswordVerifier as _};
use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::BASE64_NOPAD;
use seaworthy_store::Millis;
use sha2::{Digest as _, Sha256};
use tokio::sync::Semaphore;

use crate::secret::random_bytes;
use crate::throttle::{Rate, Throttle};

/// The fewest characters of a password that somebody chooses.
pub(crate) const SHORTEST: usize = 12;
/// The most bytes of a password.
pub(crate) const LONGEST: usize = 1024;

/// So many are computed at a time: 19 MiB each.
const AT_A_TIME: usize = 2;
/// So many wait for their turn.
const WAITING: usize = 64;
/// How long a password that proved right is remembered, in milliseconds.
const PROVEN: i64 = 5 * 60 * 1000;
/// More are never remembered.
const MOST_PROVEN: usize = 10_000;

/// Wrong passwords for one name: ten, then one every six seconds.
const EACH: Rate = Rate {
    at_once: 10,
    pause: 6_000,
};
/// Wrong passwords for all names: two hundred, then five a second.
const ALL: Rate = Rate {
    at_once: 200,
    pause: 200,
};

/// Too many try; how many milliseconds to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Flood(pub(crate) i64);

/// What is tried.
pub(crate) struct Try<'a> {
    /// The name as it was shown, whether or not anybody has it.
    pub(crate) name: &'a str,
    /// The password as it was shown.
    pub(crate) password: &'a str,
    /// The hash to compare with, if somebody of that name has a password.
    pub(crate) hash: Option<&'a str>,
    /// The account's revision: a change of it forgets what proved right.
    pub(crate) revision: i64,
}

/// Checks and hashes passwords.
pub(crate) struct Passwords {
    gate: Semaphore,
    waiting: AtomicUsize,
    /// Of this process, so that what is remembered is worth nothing elsewhere.
    key: [u8; 32],
    /// The hash of nothing anybody knows: names that nobody has take as long as others.
    nobody: Arc<str>,
    proven: Mutex<HashMap<[u8; 32], Millis>>,
    throttle: Mutex<Throttle<[u8; 32]>>,
}

impl Passwords {
    pub(crate) fn new() -> Self {
        Self {
            gate: Semaphore::new(AT_A_TIME),
            waiting: AtomicUsize::new(0),
            key: random_bytes(),
            nobody: hash_of_nobody().into(),
            proven: Mutex::new(HashMap::new()),
            throttle: Mutex::new(Throttle::new(EACH, ALL)),
        }
    }

    /// Whether the password is right. That takes as long for names that nobody has.
    pub(crate) async fn check(&self, tried: Try<'_>, now: Millis) -> Result<bool, Flood> {
        if tried.password.len() > LONGEST {
            return Ok(false);
        }
        let proof = self.keyed(&[
            tried.name,
            tried.password,
            tried.hash.unwrap_or_default(),
            &tried.revision.to_string(),
        ]);
        if tried.hash.is_some() && self.is_proven(&proof, now) {
            return Ok(true);
        }
        let name = self.keyed(&[tried.name]);
        self.throttle
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take(&name, now)
            .map_err(Flood)?;
        let take_back = || {
            self.throttle
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .give_back(&name);
        };
        let _turn = match self.turn().await {
            Ok(turn) => turn,
            Err(flood) => {
                take_back();
                return Err(flood);
            }
        };
        // The requests of one client come together: the first of them proved it.
        if tried.hash.is_some() && self.is_proven(&proof, now) {
            take_back();
            return Ok(true);
        }
        let hash: Arc<str> = tried.hash.map_or_else(|| self.nobody.clone(), Into::into);
        let password = tried.password.to_owned();
        let matches = tokio::task::spawn_blocking(move || is_hash_of(&hash, &password))
            .await
            .unwrap_or(false);
        let is_right = matches && tried.hash.is_some();
        if is_right {
            take_back();
            self.note_proven(proof, now);
        }
        Ok(is_right)
    }

    /// The hash to store a password as.
    pub(crate) async fn hash(&self, password: &str) -> Result<String, Flood> {
        let _turn = self.turn().await?;
        let password = password.to_owned();
        let hash = tokio::task::spawn_blocking(move || hashed(&password)).await;
        hash.map_err(|_| Flood(1_000))
    }

    async fn turn(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Flood> {
        if self.waiting.fetch_add(1, Ordering::AcqRel) >= WAITING {
            self.waiting.fetch_sub(1, Ordering::AcqRel);
            return Err(Flood(1_000));
        }
        let waits = Waits(&self.waiting);
        let turn = self.gate.acquire().await;
        drop(waits);
        turn.map_err(|_| Flood(1_000))
    }

    fn is_proven(&self, proof: &[u8; 32], now: Millis) -> bool {
        let proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        proven
            .get(proof)
            .is_some_and(|at| (0..PROVEN).contains(&(now.0 - at.0)))
    }

    fn note_proven(&self, proof: [u8; 32], now: Millis) {
        let mut proven = self.proven.lock().unwrap_or_else(PoisonError::into_inner);
        if proven.len() >= MOST_PROVEN {
            proven.clear();
        }
        proven.insert(proof, now);
    }

    fn keyed(&self, parts: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.key);
        for part in parts {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        hash.finalize().into()
    }
}

/// Somebody who waits, and does not any more when this is dropped.
struct Waits<'a>(&'a AtomicUsize);

impl Drop for Waits<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within Argon2's bounds");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hashed(password: &str) -> String {
    argon2id()
        .hash_password_with_salt(password.as_bytes(), &random_bytes::<16>())
        .expect("a salt of 16 bytes and parameters that are constants")
        .to_string()
}

/// A hash that no password has, made without computing one: a server that starts does
/// not wait for it, and does not hold its memory.
fn hash_of_nobody() -> String {
    let chance = |bytes: &[u8]| BASE64_NOPAD.encode(bytes);
    let (salt, output) = (random_bytes::<16>(), random_bytes::<32>());
    format!(
        "$argon2id$v=19$m=19456,t=2,p=1${}${}",
        chance(&salt),
        chance(&output)
    )
}

/// The comparison inside takes a time that does not tell where the hashes differ.
fn is_hash_of(hash: &str, password: &str) -> bool {
    let Ok(hash) = PasswordHash::new(hash) else {
        tracing::warn!("the stored hash of a password cannot be read");
        return false;
    };
    argon2id()
        .verify_password(password.as_bytes(), &hash)
        .is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn check(
        passwords: &Passwords,
        password: &str,
        hash: Option<&str>,
        now: i64,
    ) -> Result<bool, Flood> {
        let tried = Try {
            name: "ada",
            password,
            hash,
            revision: 1,
        };
        passwords.check(tried, Millis(now)).await
    }

    #[tokio::test]
    async fn a_password_is_kept_as_argon2id_with_the_recommended_cost() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.expect("no flood");
        assert!(
            hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"),
            "{hash}"
        );
        assert_eq!(
            check(&passwords, "correct horse", Some(&hash), 0).await,
            Ok(true)
        );
        assert_eq!(
            check(&passwords, "wrong horse", Some(&hash), 0).await,
            Ok(false)
        );
        assert_eq!(check(&passwords, "correct horse", None, 0).await, Ok(false));
    }

    #[test]
    fn the_hash_of_nobody_costs_what_a_real_one_costs() {
        let (nobody, real) = (hash_of_nobody(), hashed("correct horse"));
        let parts = |text: &str| {
            let hash = PasswordHash::new(text).expect("it is one");
            let lengths = [
                hash.salt.map(|salt| salt.len()),
                hash.hash.map(|hash| hash.len()),
            ];
            (
                hash.algorithm,
                hash.version,
                hash.params.to_string(),
                lengths,
            )
        };
        assert_eq!(parts(&nobody), parts(&real));
        assert!(!is_hash_of(&nobody, "correct horse"));
    }

    #[tokio::test]
    async fn wrong_passwords_are_throttled_and_one_that_proved_right_goes_on() {
        let passwords = Passwords::new();
        let hash = passwords.hash("correct horse").await.expect("no flood");
        assert_eq!(
            check(&passwords, "correct horse", Some(&hash), 0).await,
            Ok(true)
        );
        for _ in 0..EACH.at_once {
            assert_eq!(check(&passwords, "wrong", Some(&hash), 0).await, Ok(false));
        }
        assert_eq!(
            check(&passwords, "wrong", Some(&hash), 0).await,
            Err(Flood(EACH.pause))
        );
        assert_eq!(
            check(&passwords, "correct horse", Some(&hash), 0).await,
            Ok(true),
            "it is remembered"
        );
        assert_eq!(
            check(&passwords, "correct horse", Some(&hash), PROVEN).await,
            Ok(true),
            "the pause is long over"
        );
    }

    #[tokio::test]
    async fn names_that_nobody_has_are_throttled_alike() {
        let passwords = Passwords::new();
        for _ in 0..EACH.at_once {
            assert_eq!(check(&passwords, "guess", None, 0).await, Ok(false));
        }
        assert_eq!(
            check(&passwords, "guess", None, 0).await,
            Err(Flood(EACH.pause))
        );
    }

    #[tokio::test]
    async fn more_who_sign_in_at_once_than_can_wait_are_sent_away() {
        let passwords = Arc::new(Passwords::new());
        let mut tries = tokio::task::JoinSet::new();
        for number in 0..100 {
            let passwords = passwords.clone();
            tries.spawn(async move {
                let name = format!("user{number}");
                let tried = Try {
                    name: &name,
                    password: "guess",
                    hash: None,
                    revision: 0,
                };
                passwords.check(tried, Millis(0)).await
            });
        }
        let answers = tries.join_all().await;
        let heard = answers.iter().filter(|it| **it == Ok(false)).count();
        let sent_away = answers.iter().filter(|it| it.is_err()).count();
        assert_eq!(heard + sent_away, 100);
        assert!(heard >= WAITING, "{heard}");
        assert!(sent_away > 0, "nobody was sent away");
        assert_eq!(passwords.gate.available_permits(), AT_A_TIME);
        assert_eq!(passwords.waiting.load(Ordering::Acquire), 0);
    }

    #[tokio::test]
    async fn a_password_longer_than_any_is_wrong_without_work() {
        let passwords = Passwords::new();
        let long = "a".repeat(LONGEST + 1);
        assert_eq!(check(&passwords, &long, None, 0).await, Ok(false));
    }
}
