//! Repositories: their tags, their manifests, and which blobs they hold.

use std::collections::BTreeMap;

use bytes::Bytes;

use crate::address::Address;
use crate::audit::Actor;
use crate::blobs::{Partial, Place};
use crate::clock::Millis;
use crate::name::{Namespace, RepositoryName, Tag};
use crate::sql::Database;
use crate::trouble::StoreError;

/// What there is in repositories.
#[derive(Clone, Debug)]
pub struct Catalog {
    database: Database,
}

/// What a manifest is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ManifestKind {
    /// An image for one platform.
    Image,
    /// A list of other manifests.
    Index,
    /// Anything else that is kept in registries: signatures, SBOMs, charts.
    Artifact,
}

/// What a manifest names another thing as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PartRole {
    /// The config blob.
    Config,
    /// A layer blob.
    Layer,
    /// A layer blob that may lie elsewhere and need not be here.
    ForeignLayer,
    /// Another manifest of the same repository.
    Manifest,
}

/// Something a manifest names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// As what.
    pub role: PartRole,
    /// Its content.
    pub address: Address,
    /// Its media type.
    pub media_type: Box<str>,
    /// Its size in bytes, as stated.
    pub size: u64,
    /// Such as `linux/amd64`.
    pub platform: Option<Box<str>>,
}

/// A manifest as the registry read it, to be pushed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewManifest {
    /// Proved by the registry.
    pub address: Address,
    /// Of the manifest itself.
    pub media_type: Box<str>,
    /// As the referrers list tells it: `artifactType`, else the config's media type.
    pub artifact_type: Option<Box<str>>,
    /// What it is.
    pub kind: ManifestKind,
    /// As pushed, byte for byte.
    pub content: Bytes,
    /// What it refers to.
    pub subject: Option<Address>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
    /// What it names, in order.
    pub parts: Vec<Part>,
}

/// A manifest as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredManifest {
    /// Its content address.
    pub address: Address,
    /// Its media type.
    pub media_type: Box<str>,
    /// As pushed, byte for byte.
    pub content: Bytes,
}

/// One line of a referrers list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Referrer {
    /// Its content address.
    pub address: Address,
    /// Of the manifest.
    pub media_type: Box<str>,
    /// What it is.
    pub artifact_type: Option<Box<str>>,
    /// In bytes.
    pub size: u64,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

/// A manifest by tag or by digest.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum ManifestName {
    /// What a tag points to.
    Tag(Tag),
    /// This content.
    Address(Address),
}

/// A blob that a repository may serve.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredBlob {
    /// Where its bytes are.
    pub place: Place,
    /// In bytes.
    pub size: u64,
}

/// An upload that is not finished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// What the client was given.
    pub id: Box<str>,
    /// What there is so far.
    pub partial: Partial,
    /// Who began it. Nobody else goes on with it.
    pub actor: Actor,
}

/// Whether images pushed into a namespace that is not there yet make it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Founding {
    /// They do: the caller may make namespaces.
    Allowed,
    /// They are refused.
    Refused,
}

/// Why nothing was begun.
#[derive(Debug, thiserror::Error)]
pub enum BeginError {
    /// The namespace is not there, and the caller may not make one.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a blob was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum RecordBlobError {
    /// The namespace may not hold so much.
    #[error("namespace `{namespace}` may hold {quota} bytes and would hold {wanted}")]
    Quota {
        /// Which.
        namespace: Namespace,
        /// What it may.
        quota: u64,
        /// What it would.
        wanted: u64,
    },
    /// The upload is not there (any more).
    #[error("there is no such upload")]
    NoUpload,
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a manifest was not recorded.
#[derive(Debug, thiserror::Error)]
pub enum PushError {
    /// Things it names are not in the repository.
    #[error("the manifest names {} things that are not in the repository", .0.len())]
    Missing(Vec<Part>),
    /// A blob it names has another size.
    #[error("the manifest says `{address}` has {stated} bytes; it has {found}")]
    WrongSize {
        /// Which.
        address: Address,
        /// As the manifest says.
        stated: u64,
        /// As stored.
        found: u64,
    },
    /// The tag never moves.
    #[error("the tag `{0}` is immutable")]
    Immutable(Tag),
    /// The namespace is not there, and the caller may not make one.
    #[error("there is no namespace `{0}`")]
    NoNamespace(Namespace),
    /// The namespace may not hold so much.
    #[error("namespace `{namespace}` may hold {quota} bytes and would hold {wanted}")]
    Quota {
        /// Which.
        namespace: Namespace,
        /// What it may.
        quota: u64,
        /// What it would.
        wanted: u64,
    },
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What a push of a manifest did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pushed {
    /// Whether the manifest was new to the repository.
    pub is_new: bool,
    /// The scan job that waits now, where one was made.
    pub job: Option<i64>,
}

/// Why nothing was deleted.
#[derive(Debug, thiserror::Error)]
pub enum DeleteError {
    /// It is not there.
    #[error("it is not in the repository")]
    Absent,
    /// A tag that never moves points to it.
    #[error("the tag `{0}` is immutable")]
    Immutable(Tag),
    /// An index names it.
    #[error("the index `{0}` names it; delete that first")]
    Named(Address),
    /// The store is in trouble.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// One page of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// In order.
    pub items: Vec<T>,
    /// Whether more follow.
    pub more: bool,
}

/// How long a blob that no manifest names yet is kept, in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grace(pub i64);

impl Catalog {
    /// The catalog in `database`.
    pub fn of(database: &Database) -> Self {
        Self {
            database: database.clone(),
        }
    }

    /// Begins an upload in `repository`, making the repository where there is none.
    pub async fn begin_upload(
        &self,
        repository: &RepositoryName,
        founding: Founding,
        actor: &Actor,
        id: &str,
        partial: &Partial,
    ) -> Result<(), BeginError> {
        let _ = (repository, founding, actor, id, partial, &self.database);
        todo!()
    }

    /// The upload `id` of `repository`.
    pub async fn upload(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Option<Upload>, StoreError> {
        let _ = (repository, id);
        todo!()
    }

    /// Writes down how far an upload is. Answers `false` where it was cancelled, or
    /// where somebody else wrote meanwhile (`before` is what the caller saw).
    pub async fn note_upload(
        &self,
        id: &str,
        before: u64,
        partial: &Partial,
    ) -> Result<bool, StoreError> {
        let _ = (id, before, partial);
        todo!()
    }

    /// Ends an upload without a blob.
    pub async fn cancel_upload(
        &self,
        repository: &RepositoryName,
        id: &str,
    ) -> Result<Option<Partial>, StoreError> {
        let _ = (repository, id);
        todo!()
    }

    /// Ends an upload: its bytes, already made last at `place`, are the blob `address`
    /// of `repository` from now on. Where the same content was there before, the new
    /// bytes are buried instead.
    pub async fn record_blob(
        &self,
        repository: &RepositoryName,
        upload: &str,
        address: &Address,
        size: u64,
        place: &Place,
        grace: Grace,
    ) -> Result<(), RecordBlobError> {
        let _ = (repository, upload, address, size, place, grace);
        todo!()
    }

    /// Lets `to` serve a blob that `from` has (or, without `from`, one of the
    /// repositories in `readable`). Answers whether it does now.
    pub async fn mount_blob(
        &self,
        to: &RepositoryName,
        from: &RepositoryName,
        address: &Address,
        founding: Founding,
        grace: Grace,
    ) -> Result<bool, BeginError> {
        let _ = (to, from, address, founding, grace);
        todo!()
    }

    /// A repository other than `to` that has the blob, to mount it from; the caller
    /// decides whether whoever asks may read it. At most a few are told.
    pub async fn holders(&self, address: &Address) -> Result<Vec<RepositoryName>, StoreError> {
        let _ = address;
        todo!()
    }

    /// A blob of a repository.
    pub async fn blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
    ) -> Result<Option<StoredBlob>, StoreError> {
        let _ = (repository, address);
        todo!()
    }

    /// The same for somebody who may push: the blob is kept for a while even if no
    /// manifest names it, because a client that sees it need not push it.
    pub async fn keep_blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
        grace: Grace,
    ) -> Result<Option<StoredBlob>, StoreError> {
        let _ = (repository, address, grace);
        todo!()
    }

    /// Lets a repository no longer serve a blob.
    pub async fn delete_blob(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let _ = (repository, address, actor);
        todo!()
    }

    /// Records a manifest, the tags that point to it from now on, the image it is and,
    /// where the namespace scans by itself and the manifest is new or was never
    /// scanned, a scan job: all of it or nothing.
    pub async fn push_manifest(
        &self,
        repository: &RepositoryName,
        manifest: &NewManifest,
        tags: &[Tag],
        founding: Founding,
        actor: &Actor,
    ) -> Result<Pushed, PushError> {
        let _ = (repository, manifest, tags, founding, actor);
        todo!()
    }

    /// A manifest by tag or digest.
    pub async fn manifest(
        &self,
        repository: &RepositoryName,
        name: &ManifestName,
    ) -> Result<Option<StoredManifest>, StoreError> {
        let _ = (repository, name);
        todo!()
    }

    /// Removes a tag; what it pointed to stays.
    pub async fn delete_tag(
        &self,
        repository: &RepositoryName,
        tag: &Tag,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let _ = (repository, tag, actor);
        todo!()
    }

    /// Removes a manifest with its tags, its referrers, and everything known of it as
    /// an image.
    pub async fn delete_manifest(
        &self,
        repository: &RepositoryName,
        address: &Address,
        actor: &Actor,
    ) -> Result<(), DeleteError> {
        let _ = (repository, address, actor);
        todo!()
    }

    /// Tags in lexical order after `last`; `None` where there is no such repository.
    pub async fn tags(
        &self,
        repository: &RepositoryName,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Option<Page<Tag>>, StoreError> {
        let _ = (repository, last, limit);
        todo!()
    }

    /// What refers to `subject`, oldest first, after the serial number `after`.
    pub async fn referrers(
        &self,
        repository: &RepositoryName,
        subject: &Address,
        artifact_type: Option<&str>,
        after: i64,
        limit: usize,
    ) -> Result<Page<(i64, Referrer)>, StoreError> {
        let _ = (repository, subject, artifact_type, after, limit);
        todo!()
    }

    /// Whether the repository is there.
    pub async fn has_repository(&self, repository: &RepositoryName) -> Result<bool, StoreError> {
        let _ = repository;
        todo!()
    }

    /// Repositories in lexical order after `last`.
    pub async fn repositories(
        &self,
        last: Option<&str>,
        limit: usize,
    ) -> Result<Page<RepositoryName>, StoreError> {
        let _ = (last, limit);
        todo!()
    }

    /// Uploads nobody touched since `before`, forgotten; their bytes are the caller's
    /// to abandon.
    pub async fn expire_uploads(
        &self,
        before: Millis,
        limit: usize,
    ) -> Result<Vec<Partial>, StoreError> {
        let _ = (before, limit);
        todo!()
    }
}
