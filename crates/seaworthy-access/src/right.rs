//! What somebody may do, and the roles that bundle it.

use std::fmt;
use std::str::FromStr;

/// Something that one may or may not do, in a namespace or in the whole installation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Right {
    /// See repositories, pull images, read reports and inventories.
    Read,
    /// Push images and artifacts; send reports of images that lie elsewhere.
    Push,
    /// Delete tags, images and blobs.
    Delete,
    /// Start scans by hand.
    Scan,
    /// Write policies and waivers, rules of retention and immutability.
    ManagePolicy,
    /// Set up connectors to other registries.
    ManageConnectors,
    /// Change a namespace's settings, its robots and who has which role in it.
    ManageNamespace,
    /// Make namespaces.
    CreateNamespace,
    /// Make, change and disable accounts anywhere.
    ManageAccounts,
    /// Read and export the audit log.
    ReadAudit,
    /// Look after the installation: jobs, garbage collection, editions, backup.
    Operate,
}

/// A bundle of rights that is given to an account, in one namespace or in all.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Reads.
    Reader,
    /// Reads and pushes.
    Pusher,
    /// Reads and scans.
    ScanOperator,
    /// Reads and writes policies.
    PolicyManager,
    /// Reads and sets up connectors.
    ConnectorManager,
    /// Everything inside a namespace.
    NamespaceAdmin,
    /// Everything.
    Admin,
}

const NAMESPACE_ADMIN: [Right; 7] = [
    Right::Read,
    Right::Push,
    Right::Delete,
    Right::Scan,
    Right::ManagePolicy,
    Right::ManageConnectors,
    Right::ManageNamespace,
];

impl Right {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Read,
        Self::Push,
        Self::Delete,
        Self::Scan,
        Self::ManagePolicy,
        Self::ManageConnectors,
        Self::ManageNamespace,
        Self::CreateNamespace,
        Self::ManageAccounts,
        Self::ReadAudit,
        Self::Operate,
    ];

    /// As refusals, scopes and documents spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Push => "push",
            Self::Delete => "delete",
            Self::Scan => "scan",
            Self::ManagePolicy => "manage-policy",
            Self::ManageConnectors => "manage-connectors",
            Self::ManageNamespace => "manage-namespace",
            Self::CreateNamespace => "create-namespace",
            Self::ManageAccounts => "manage-accounts",
            Self::ReadAudit => "read-audit",
            Self::Operate => "operate",
        }
    }
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Reader,
        Self::Pusher,
        Self::ScanOperator,
        Self::PolicyManager,
        Self::ConnectorManager,
        Self::NamespaceAdmin,
        Self::Admin,
    ];

    /// As stored and as documents spell it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reader => "reader",
            Self::Pusher => "pusher",
            Self::ScanOperator => "scan-operator",
            Self::PolicyManager => "policy-manager",
            Self::ConnectorManager => "connector-manager",
            Self::NamespaceAdmin => "namespace-admin",
            Self::Admin => "admin",
        }
    }

    /// What it bundles.
    pub fn rights(self) -> &'static [Right] {
        match self {
            Self::Reader => &[Right::Read],
            Self::Pusher => &[Right::Read, Right::Push],
            Self::ScanOperator => &[Right::Read, Right::Scan],
            Self::PolicyManager => &[Right::Read, Right::ManagePolicy],
            Self::ConnectorManager => &[Right::Read, Right::ManageConnectors],
            Self::NamespaceAdmin => &NAMESPACE_ADMIN,
            Self::Admin => &Right::ALL,
        }
    }
}

/// A text names none of them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known")]
pub struct UnknownName(Box<str>);

impl FromStr for Right {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|right| right.name() == text);
        found.ok_or_else(|| UnknownName(text.chars().take(100).collect()))
    }
}

impl FromStr for Role {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        let found = Self::ALL.into_iter().find(|role| role.name() == text);
        found.ok_or_else(|| UnknownName(text.chars().take(100).collect()))
    }
}

impl fmt::Display for Right {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

impl fmt::Display for Role {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
