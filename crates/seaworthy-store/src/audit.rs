//! Who did what, when: entries that are only ever appended.

mod read;

use seaworthy_core::Digest;
use sha2::{Digest as _, Sha256};

use crate::clock::Millis;
use crate::sql::{Transaction, args};
use crate::trouble::StoreError;

pub use read::{AuditCheck, AuditLog, AuditOrder, AuditQuery};

/// Who does something, as the audit log names them: `user:ada`, `robot:ci`,
/// `system:retention`, `anonymous`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Actor(Box<str>);

impl Actor {
    /// An actor by this name.
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// A part of this program that acts by itself.
    pub fn system(part: &str) -> Self {
        Self(format!("system:{part}").into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// One line of the audit log.
///
/// Each entry's hash covers the one before, so that a line taken out or changed
/// later is noticed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Counts up without gaps.
    pub serial: i64,
    /// When.
    pub at: Millis,
    /// Who.
    pub actor: Box<str>,
    /// What was done, such as `manifest.push`.
    pub action: Box<str>,
    /// To what, such as `team/app:1.2`.
    pub object: Box<str>,
    /// What else is known, a JSON object as text; never a secret.
    pub detail: Box<str>,
    /// The hash of this line and of the hash before it, hex.
    pub hash: Box<str>,
}

impl AuditEntry {
    /// The hash that this entry has after one with the hash `before`.
    pub fn hash_after(&self, before: &str) -> String {
        let mut hash = Sha256::new();
        let serial = self.serial.to_string();
        let at = self.at.0.to_string();
        for part in [
            before,
            &serial,
            &at,
            &self.actor,
            &self.action,
            &self.object,
            &self.detail,
        ] {
            hash.update((part.len() as u64).to_le_bytes());
            hash.update(part.as_bytes());
        }
        Digest::from_sha256(hash.finalize().into()).hex().to_owned()
    }
}

/// Appends an entry in the transaction that makes the change it tells of.
pub(crate) async fn note(
    transaction: &mut Transaction,
    actor: &Actor,
    action: &str,
    object: &str,
    detail: &serde_json::Value,
) -> Result<(), StoreError> {
    transaction.lock_audit().await?;
    let last = transaction
        .optional(
            "SELECT serial, hash FROM audit ORDER BY serial DESC LIMIT 1",
            args![],
        )
        .await?;
    let (serial, before) = match &last {
        Some(row) => (row.int(0)? + 1, row.text(1)?),
        None => (1, String::new()),
    };
    let mut entry = AuditEntry {
        serial,
        at: transaction.now(),
        actor: actor.as_str().into(),
        action: action.into(),
        object: object.into(),
        detail: detail.to_string().into(),
        hash: Box::default(),
    };
    entry.hash = entry.hash_after(&before).into();
    transaction
        .execute(
            "INSERT INTO audit (serial, at, actor, action, object, detail, hash)
             VALUES ($1, $2, $3, $4, $5, $6, $7)",
            args![
                entry.serial,
                entry.at,
                &*entry.actor,
                &*entry.action,
                &*entry.object,
                &*entry.detail,
                &*entry.hash
            ],
        )
        .await?;
    Ok(())
}
