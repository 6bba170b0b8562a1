//! Every key of the configuration, once: what `seaworthy.toml`, `SEAWORTHY_*` and
//! flags may say, and what the reference page tells of it.

/// One key of the configuration.
#[derive(Debug)]
pub(crate) struct Key {
    /// As written in `seaworthy.toml`.
    pub(crate) name: &'static str,
    /// The variable of the environment.
    pub(crate) variable: &'static str,
    /// What a value must be.
    pub(crate) kind: Kind,
    /// The value where nobody says another; empty for none.
    pub(crate) default: &'static str,
    /// What it does, for the reference page: sentences.
    pub(crate) help: &'static str,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Any text.
    Text,
    /// A text that may hold a password after a user's name, as URLs do.
    Address,
    /// A file or folder.
    Path,
    /// `true` or `false`.
    Truth,
    /// A whole number.
    Number {
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// One of these.
    Choice(&'static [&'static str]),
    /// Any of these, with commas between.
    Choices(&'static [&'static str]),
    /// A secret: never printed.
    Secret,
}

macro_rules! key {
    ($name:literal, $variable:literal, $kind:expr, $default:literal, $help:literal) => {
        Key {
            name: $name,
            variable: $variable,
            kind: $kind,
            default: $default,
            help: $help,
        }
    };
}

/// The parts of the platform that a process may be.
pub(crate) const ROLES: [&str; 3] = ["registry", "api", "worker"];

const fn number(least: u64, most: u64) -> Kind {
    Kind::Number { least, most }
}

/// All keys, in the order of the reference page.
pub(crate) const KEYS: &[Key] = &[
    key!(
        "role",
        "SEAWORTHY_ROLE",
        Kind::Choices(&ROLES),
        "registry,api,worker",
        "Which parts this process is. Several processes with different parts share one \
         PostgreSQL database and one bucket."
    ),
    key!(
        "listen",
        "SEAWORTHY_LISTEN",
        Kind::Text,
        "127.0.0.1:8686",
        "Address and port to listen on. Port `0` takes a free one and says which. An address \
         that others can reach needs TLS or `allow_plain_http`."
    ),
    key!(
        "url",
        "SEAWORTHY_URL",
        Kind::Text,
        "",
        "How clients reach this installation, such as `https://registry.example`. Needed \
         behind a proxy or a load balancer; else what a client calls us in `Host` is used."
    ),
    key!(
        "allow_plain_http",
        "SEAWORTHY_ALLOW_PLAIN_HTTP",
        Kind::Truth,
        "false",
        "Lets `listen` be an address that others can reach without TLS: passwords and tokens \
         then pass the network readable. For a proxy in front that speaks TLS."
    ),
    key!(
        "tls_certificate",
        "SEAWORTHY_TLS_CERTIFICATE",
        Kind::Path,
        "",
        "The certificate chain (PEM), the server's own first. Read again on SIGHUP and when \
         the file changes."
    ),
    key!(
        "tls_key",
        "SEAWORTHY_TLS_KEY",
        Kind::Path,
        "",
        "The private key of `tls_certificate` (PEM)."
    ),
    key!(
        "database",
        "SEAWORTHY_DATABASE",
        Kind::Address,
        "",
        "`sqlite:FILE`, or `postgres://USER@HOST:PORT/DATABASE?sslmode=verify-full`. By default \
         SQLite in the data folder."
    ),
    key!(
        "database_password",
        "SEAWORTHY_DATABASE_PASSWORD",
        Kind::Secret,
        "",
        "The password for PostgreSQL, so that it need not stand in `database`."
    ),
    key!(
        "database_connections",
        "SEAWORTHY_DATABASE_CONNECTIONS",
        number(2, 1_000),
        "20",
        "The most connections to PostgreSQL of this process."
    ),
    key!(
        "blobs",
        "SEAWORTHY_BLOBS",
        Kind::Address,
        "",
        "`files:FOLDER`, or `s3://BUCKET/PREFIX?endpoint=https://HOST&region=REGION`. By \
         default a folder in the data folder."
    ),
    key!(
        "s3_access_key",
        "SEAWORTHY_S3_ACCESS_KEY",
        Kind::Secret,
        "",
        "The access key for the bucket of `blobs`."
    ),
    key!(
        "s3_secret_key",
        "SEAWORTHY_S3_SECRET_KEY",
        Kind::Secret,
        "",
        "The secret key for the bucket of `blobs`."
    ),
    key!(
        "worker_jobs",
        "SEAWORTHY_WORKER_JOBS",
        number(0, 256),
        "0",
        "How many jobs the worker carries out at the same time; `0` for as many as there are \
         processors."
    ),
    key!(
        "lease_seconds",
        "SEAWORTHY_LEASE_SECONDS",
        number(2, 3_600),
        "30",
        "How long a job stays with a worker that says nothing any more; then another takes it."
    ),
    key!(
        "fail_on",
        "SEAWORTHY_FAIL_ON",
        Kind::Choice(&["critical", "high", "medium", "low", "negligible"]),
        "high",
        "Findings of this severity or worse make a verdict *fail*."
    ),
    key!(
        "ignore_unfixed",
        "SEAWORTHY_IGNORE_UNFIXED",
        Kind::Truth,
        "false",
        "Whether findings without a fix are left out of the verdict; they stay in the report."
    ),
    key!(
        "max_age_days",
        "SEAWORTHY_MAX_AGE_DAYS",
        number(0, 3_650),
        "7",
        "How old advisory feeds may be before a *pass* becomes *unknown*."
    ),
    key!(
        "edition_seconds",
        "SEAWORTHY_EDITION_SECONDS",
        number(1, 86_400),
        "10",
        "How often to look whether `seaworthy db update` installed a newer edition."
    ),
    key!(
        "log_format",
        "SEAWORTHY_LOG_FORMAT",
        Kind::Choice(&["text", "json"]),
        "text",
        "Form of the log on standard error: lines for people, or one JSON object a line."
    ),
    key!(
        "log_level",
        "SEAWORTHY_LOG_LEVEL",
        Kind::Choice(&["error", "warn", "info", "debug"]),
        "info",
        "How much the log says. `info` has one line for each request."
    ),
    key!(
        "metrics_token",
        "SEAWORTHY_METRICS_TOKEN",
        Kind::Secret,
        "",
        "Who asks for `/metrics` must show this as a bearer token. Without it anybody who can \
         reach the port may read the numbers; they name no repository and nobody."
    ),
    key!(
        "oidc_issuer",
        "SEAWORTHY_OIDC_ISSUER",
        Kind::Text,
        "",
        "An OpenID Connect issuer where people may sign in, such as `https://id.example`. Needs \
         `url` and `oidc_client_id`."
    ),
    key!(
        "oidc_client_id",
        "SEAWORTHY_OIDC_CLIENT_ID",
        Kind::Text,
        "",
        "As what we are known at `oidc_issuer`. The address to come back to is `url` and \
         `/api/v1/session/oidc/callback`."
    ),
    key!(
        "oidc_client_secret",
        "SEAWORTHY_OIDC_CLIENT_SECRET",
        Kind::Secret,
        "",
        "What proves that to `oidc_issuer`, where it gave us a secret."
    ),
    key!(
        "oidc_scopes",
        "SEAWORTHY_OIDC_SCOPES",
        Kind::Text,
        "profile,email",
        "What is asked for beside `openid`, with commas between."
    ),
    key!(
        "oidc_name_claim",
        "SEAWORTHY_OIDC_NAME_CLAIM",
        Kind::Text,
        "preferred_username",
        "The claim with the name that an account is given at the first sign-in."
    ),
    key!(
        "oidc_groups_claim",
        "SEAWORTHY_OIDC_GROUPS_CLAIM",
        Kind::Text,
        "",
        "The claim with a person's groups, for `oidc_group_roles`. Without it roles are given \
         by hand."
    ),
    key!(
        "oidc_group_roles",
        "SEAWORTHY_OIDC_GROUP_ROLES",
        Kind::Text,
        "",
        "Which role follows from which group, with commas between: `GROUP=ROLE` for \
         everywhere, `GROUP=ROLE@NAMESPACE` for one namespace."
    ),
    key!(
        "workload_issuers",
        "SEAWORTHY_WORKLOAD_ISSUERS",
        Kind::Text,
        "",
        "OpenID Connect issuers whose tokens may stand for robots, with commas between, such \
         as `https://token.actions.githubusercontent.com`. No other is ever asked."
    ),
    key!(
        "connections",
        "SEAWORTHY_CONNECTIONS",
        number(1, 1_000_000),
        "4096",
        "The most connections at the same time; more wait to be accepted."
    ),
    key!(
        "head_seconds",
        "SEAWORTHY_HEAD_SECONDS",
        number(1, 3_600),
        "15",
        "How long a client may take for the TLS handshake and for the head of a request."
    ),
    key!(
        "stall_seconds",
        "SEAWORTHY_STALL_SECONDS",
        number(1, 3_600),
        "60",
        "How long a client may neither send nor take a byte within a request."
    ),
    key!(
        "drain_seconds",
        "SEAWORTHY_DRAIN_SECONDS",
        number(0, 3_600),
        "30",
        "How long requests and jobs under way may take to end after SIGTERM."
    ),
];

/// The key of this name.
pub(crate) fn named(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// What is added to the name of a secret where a file holds it.
pub(crate) const FILE: &str = "_file";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_is_spelled_like_its_key() {
        for key in KEYS {
            let spelled = format!("SEAWORTHY_{}", key.name.to_uppercase());
            assert_eq!(key.variable, spelled);
            assert!(key.help.ends_with('.'), "{}", key.name);
        }
    }
}
