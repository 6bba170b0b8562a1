//! Where database and blobs are, as configured.

use std::path::Path;

use seaworthy_store::{BlobsOptions, DatabaseOptions, S3Options};

use crate::failure::Hinted;

use super::sheet::Sheet;

const DATABASE_HINT: &str =
    "write `sqlite:/folder/file.db`, or `postgres://user@host:5432/database?sslmode=verify-full`";
const BLOBS_HINT: &str =
    "write `files:/folder`, or `s3://bucket/prefix?endpoint=https://host&region=us-east-1`";

/// Where the database is.
pub(super) fn database(sheet: &Sheet, data: &Path) -> anyhow::Result<DatabaseOptions> {
    let said = sheet.said("database");
    let password = sheet.secret("database_password")?;
    if let Some(path) = said
        .text
        .strip_prefix("sqlite:")
        .filter(|it| !it.is_empty())
    {
        return Ok(DatabaseOptions::Sqlite {
            path: data.join(path.strip_prefix("//").unwrap_or(path)),
        });
    }
    let refused = |what: &str| Hinted::error(format!("{} {what}", said.told()), DATABASE_HINT);
    let rest = said
        .text
        .strip_prefix("postgres://")
        .or_else(|| said.text.strip_prefix("postgresql://"))
        .ok_or_else(|| refused("names no database"))?;
    let url = match password {
        None => format!("postgres://{rest}"),
        Some(password) => {
            let (user, host) = rest
                .split_once('@')
                .ok_or_else(|| refused("names no user for `database_password`"))?;
            if user.contains(':') {
                return Err(refused("has a password beside `database_password`"));
            }
            format!("postgres://{user}:{}@{host}", escaped(&password))
        }
    };
    Ok(DatabaseOptions::Postgres {
        url,
        connections: u32::try_from(sheet.number("database_connections")?).unwrap_or(u32::MAX),
    })
}

/// Where blobs are.
pub(super) fn blobs(sheet: &Sheet, data: &Path) -> anyhow::Result<BlobsOptions> {
    let said = sheet.said("blobs");
    if let Some(path) = said.text.strip_prefix("files:").filter(|it| !it.is_empty()) {
        return Ok(BlobsOptions::Files {
            folder: data.join(path.strip_prefix("//").unwrap_or(path)),
        });
    }
    let refused = |what: &str| Hinted::error(format!("{} {what}", said.told()), BLOBS_HINT);
    let rest = said
        .text
        .strip_prefix("s3://")
        .ok_or_else(|| refused("names no place for blobs"))?;
    let (place, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (bucket, prefix) = place.split_once('/').unwrap_or((place, ""));
    let mut endpoint = None;
    let mut region = "us-east-1".to_owned();
    for pair in query.split('&').filter(|it| !it.is_empty()) {
        match pair.split_once('=') {
            Some(("endpoint", value)) => endpoint = Some(value.trim_end_matches('/').to_owned()),
            Some(("region", value)) => value.clone_into(&mut region),
            _ => return Err(refused("says more than `endpoint` and `region`")),
        }
    }
    if bucket.is_empty() {
        return Err(refused("names no bucket"));
    }
    let endpoint = endpoint.unwrap_or_else(|| format!("https://s3.{region}.amazonaws.com"));
    if !endpoint.starts_with("http://") && !endpoint.starts_with("https://") {
        return Err(refused(
            "has an endpoint that is not the address of a server",
        ));
    }
    let key = |name, told: &str| {
        sheet.secret(name)?.ok_or_else(|| {
            Hinted::error(
                format!("{} needs `{name}`", said.told()),
                format!("set {told}, or `{name}_file` to a file that holds it"),
            )
        })
    };
    let prefix = prefix.trim_matches('/');
    Ok(BlobsOptions::S3(S3Options {
        endpoint,
        bucket: bucket.to_owned(),
        prefix: if prefix.is_empty() {
            String::new()
        } else {
            format!("{prefix}/")
        },
        region,
        access_key: key("s3_access_key", "SEAWORTHY_S3_ACCESS_KEY")?,
        secret_key: key("s3_secret_key", "SEAWORTHY_S3_SECRET_KEY")?,
    }))
}

/// A password as it stands in a URL.
fn escaped(text: &str) -> String {
    use std::fmt::Write as _;
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            let _ = write!(escaped, "%{byte:02X}");
        }
    }
    escaped
}
