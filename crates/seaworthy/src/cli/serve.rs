//! Flags of the platform.

use std::path::PathBuf;

use clap::Args;

/// How the configuration is found, and what of it flags change.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Configuration")]
pub(crate) struct ConfigArgs {
    /// The configuration [default: `seaworthy.toml` in the data folder, else
    /// `/etc/seaworthy/seaworthy.toml`; env: `SEAWORTHY_CONFIG`].
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Set any key of the configuration; docs/configuration.md lists them.
    #[arg(long, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,

    /// `sqlite:FILE` or `postgres://USER@HOST/DATABASE`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) database: Option<String>,

    /// `files:FOLDER` or `s3://BUCKET/PREFIX?endpoint=URL`.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) blobs: Option<String>,
}

#[derive(Debug, Default, Args)]
pub(crate) struct ServeArgs {
    /// Which parts this process is: registry, api, worker [default: all].
    #[arg(long, value_name = "ROLE,...")]
    pub(crate) role: Option<String>,

    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Default, Args)]
pub(crate) struct WorkerArgs {
    #[command(flatten)]
    pub(crate) listen: ListenArgs,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// Where a server listens.
#[derive(Debug, Default, Args)]
pub(crate) struct ListenArgs {
    /// Address and port; port 0 takes a free one [default: 127.0.0.1:8686].
    #[arg(long, value_name = "ADDRESS:PORT")]
    pub(crate) listen: Option<String>,

    /// How clients reach this installation, such as `https://registry.example`.
    #[arg(long, value_name = "URL")]
    pub(crate) url: Option<String>,

    /// The certificate chain (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,

    /// The private key of the certificate (PEM).
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,

    /// Let others reach it without TLS, behind a proxy that has it.
    #[arg(long)]
    pub(crate) allow_plain_http: bool,

    /// Form of the log: text or json.
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// End after printing what happened.
    #[arg(long)]
    pub(crate) once: bool,

    /// Address and port; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    pub(crate) listen: String,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigCommandArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArgs,

    /// Print the reference page of all keys instead.
    #[arg(long, hide = true)]
    pub(crate) reference: bool,
}

#[derive(Debug, Args)]
pub(crate) struct BackupArgs {
    /// The file to write.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct RestoreArgs {
    /// A file that `seaworthy backup` wrote.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DoctorArgs {
    /// Read every blob and compare it with its digest, instead of some.
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

#[derive(Debug, Args)]
pub(crate) struct SupportArgs {
    /// The file to write, a tar archive of texts.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    #[command(flatten)]
    pub(crate) config: ConfigArgs,
}

/// (key, value, flag) of what flags say.
pub(crate) type Flags = Vec<(String, String, String)>;

impl ConfigArgs {
    /// What these flags say.
    ///
    /// # Errors
    ///
    /// The text of a `--set` that is none.
    pub(crate) fn flags(&self) -> Result<Flags, String> {
        let mut flags = Flags::new();
        for (name, value) in [("database", &self.database), ("blobs", &self.blobs)] {
            put(&mut flags, name, value.as_ref());
        }
        for pair in &self.set {
            let (name, value) = pair.split_once('=').ok_or_else(|| pair.clone())?;
            let name = name.trim().to_owned();
            flags.push((
                name.clone(),
                value.trim().to_owned(),
                format!("--set {name}"),
            ));
        }
        Ok(flags)
    }
}

impl ListenArgs {
    /// What these flags say.
    pub(crate) fn flags(&self) -> Flags {
        let mut flags = Flags::new();
        for (name, value) in [
            ("listen", &self.listen),
            ("url", &self.url),
            ("tls_certificate", &self.tls_certificate),
            ("tls_key", &self.tls_key),
            ("log_format", &self.log_format),
        ] {
            put(&mut flags, name, value.as_ref());
        }
        if self.allow_plain_http {
            put(&mut flags, "allow_plain_http", Some(&"true".to_owned()));
        }
        flags
    }
}

fn put(flags: &mut Flags, name: &str, value: Option<&String>) {
    if let Some(value) = value {
        let flag = format!("--{}", name.replace('_', "-"));
        flags.push((name.to_owned(), value.clone(), flag));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key;

    #[test]
    fn every_flag_is_a_key() {
        let text = || Some("x".to_owned());
        let listen = ListenArgs {
            listen: text(),
            url: text(),
            tls_certificate: text(),
            tls_key: text(),
            allow_plain_http: true,
            log_format: text(),
        };
        let config = ConfigArgs {
            database: text(),
            blobs: text(),
            set: vec!["role=api".to_owned()],
            ..ConfigArgs::default()
        };
        for (name, _, _) in [listen.flags(), config.flags().unwrap_or_default()].concat() {
            assert!(key::named(&name).is_some(), "{name}");
        }
    }
}
