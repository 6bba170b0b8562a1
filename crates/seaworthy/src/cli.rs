//! Flags and commands, as typed. Nothing here touches the world.

mod serve;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use seaworthy_core::{Day, Platform, Scheme, Severity};

use crate::printer::Colour;
use crate::scheme;

pub(crate) use serve::{
    BackupArgs, ConfigArgs, ConfigCommandArgs, DemoArgs, DoctorArgs, Flags, RestoreArgs, ServeArgs,
    SupportArgs, WorkerArgs,
};

/// Tells whether a container image is fit to ship.
#[derive(Debug, Parser)]
#[command(name = "seaworthy", version, about, long_about = None, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Where editions and the layer cache live [env: `SEAWORTHY_DATA`].
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) data: Option<PathBuf>,

    /// When to use colours.
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        value_name = "WHEN",
        alias = "color"
    )]
    pub(crate) colour: Colour,

    /// Say nothing but the answer and errors.
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,

    /// Say what the program does, in detail.
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Scan an image and answer with findings, a verdict and an exit code.
    Scan(Box<ScanArgs>),
    /// Build and inspect advisory editions.
    #[command(subcommand)]
    Db(DbCommand),
    /// Show in seconds what this is: a registry, images, verdicts; then clean up.
    Demo(DemoArgs),
    /// Be a registry that scans what is pushed.
    #[command(after_help = SERVE_EXAMPLES)]
    Serve(Box<ServeArgs>),
    /// Scan for a registry that runs elsewhere: `serve --role worker`.
    Worker(Box<WorkerArgs>),
    /// Tell every value of the platform's configuration and who set it.
    #[command(after_help = "\
Examples:
  seaworthy config
  seaworthy config --set listen=0.0.0.0:443")]
    Config(Box<ConfigCommandArgs>),
    /// Save everything that is stored in one file, while the server goes on.
    Backup(Box<BackupArgs>),
    /// Put back what `backup` saved, into a place where nothing is yet.
    Restore(Box<RestoreArgs>),
    /// Look whether this installation is well, and say what to do if not.
    #[command(after_help = "\
Exit codes:
  0  everything works; a warning may say otherwise soon
  1  something does not work
  2  the configuration cannot be read")]
    Doctor(Box<DoctorArgs>),
    /// Gather what a person who helps needs, without secrets.
    SupportBundle(Box<SupportArgs>),
}

const SERVE_EXAMPLES: &str = "\
Examples:
  seaworthy serve
  seaworthy serve --listen 0.0.0.0:443 --tls-certificate chain.pem --tls-key key.pem
  seaworthy serve --database postgres://seaworthy@db/seaworthy --blobs 's3://images?endpoint=https://s3.example'
  seaworthy serve --role registry,api

Then:
  docker login 127.0.0.1:8686
  docker push 127.0.0.1:8686/team/app:1.2";

const SCAN_EXAMPLES: &str = "\
Targets:
  alpine:3.20                   an image in a registry (also registry:NAME)
  docker:NAME  podman:NAME      an image of a local engine, through its socket
  containerd:NAME               an image of containerd
  docker-archive:FILE[:TAG]     written by `docker save`
  oci:DIR[:TAG]                 an OCI image layout
  oci-archive:FILE[:TAG]        the same in a tar file
  dir:DIR                       an unpacked root directory
  sbom:FILE                     CycloneDX or SPDX, as JSON
  -                             `docker save` through a pipe

Examples:
  seaworthy scan alpine:3.20
  seaworthy scan --fail-on critical --ignore-unfixed registry.example/team/app:1.2
  docker save app | seaworthy scan -
  seaworthy scan --format cyclonedx --output app.cdx.json oci:./layout
  seaworthy scan --platform linux/arm64 debian:12
  seaworthy scan --server https://seaworthy.example registry.example/team/app:1.2

Exit codes:
  0  pass: everything was read and judged, and nothing breaks the policy
  1  fail: a finding at or above --fail-on
  2  the scan could not be carried out
  3  unknown: nothing seen breaks the policy, but not everything could be seen";

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
#[command(after_help = SCAN_EXAMPLES)]
pub(crate) struct ScanArgs {
    /// What to scan; without a scheme the sensible one is inferred and said.
    #[arg(value_name = "TARGET")]
    pub(crate) target: String,

    /// Which platform of a multi-platform image [default: this machine's].
    #[arg(
        long,
        value_name = "OS/ARCH[/VARIANT]",
        conflicts_with = "all_platforms"
    )]
    pub(crate) platform: Option<Platform>,

    /// Scan every platform of a multi-platform image.
    #[arg(long)]
    pub(crate) all_platforms: bool,

    /// Fail on findings of this severity or worse.
    #[arg(long, value_name = "SEVERITY", default_value = "high", value_parser = severity)]
    pub(crate) fail_on: Severity,

    /// Findings without a fix do not fail.
    #[arg(long)]
    pub(crate) ignore_unfixed: bool,

    /// Count findings of a kernel, as for the root of a machine that runs it.
    #[arg(long)]
    pub(crate) kernel: bool,

    /// How old advisory feeds may be before a pass becomes unknown.
    #[arg(long, value_name = "DAYS", default_value_t = 7)]
    pub(crate) max_age: u32,

    /// Form of the answer.
    #[arg(long, short, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,

    /// Write the answer to a file instead of standard output.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// List all packages, not only those with findings.
    #[arg(long)]
    pub(crate) packages: bool,

    /// Refuse anything that would need a network.
    #[arg(long)]
    pub(crate) offline: bool,

    /// Compare with this edition instead of the installed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) edition: Option<PathBuf>,

    /// Answer as on this day: with the edition that was in use at its end.
    #[arg(long, value_name = "YYYY-MM-DD", conflicts_with = "edition")]
    pub(crate) as_of: Option<Day>,

    /// Read every layer, whether it is remembered or not.
    #[arg(long)]
    pub(crate) no_cache: bool,

    #[command(flatten)]
    pub(crate) elsewhere: ServerArgs,

    #[command(flatten)]
    pub(crate) access: AccessArgs,
}

/// Who judges, if not this machine.
#[derive(Debug, Args)]
#[command(next_help_heading = "Server")]
pub(crate) struct ServerArgs {
    /// Read the image here and let this Seaworthy server judge it: what is in the image
    /// is sent, and no byte of its layers. Its edition and policy count.
    #[arg(
        long,
        value_name = "URL",
        conflicts_with_all = ["edition", "as_of", "fail_on", "ignore_unfixed", "max_age", "kernel", "offline"]
    )]
    pub(crate) server: Option<String>,

    /// A file that holds the API key or robot's secret for the server [env:
    /// `SEAWORTHY_TOKEN` holds it itself].
    #[arg(long, value_name = "FILE", requires = "server")]
    pub(crate) server_token_file: Option<PathBuf>,

    /// Where the server keeps the report [default: the image's own repository].
    #[arg(long, value_name = "NAME", requires = "server")]
    pub(crate) repository: Option<String>,
}

/// How to reach registries and engines.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct AccessArgs {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,

    /// The engine's socket [default: where docker, podman or containerd have it;
    /// env: `DOCKER_HOST`, `CONTAINER_HOST`, `CONTAINERD_ADDRESS`].
    #[arg(long, value_name = "SOCKET")]
    pub(crate) socket: Option<PathBuf>,

    /// The namespace of containerd's images [default: default; env:
    /// `CONTAINERD_NAMESPACE`].
    #[arg(long, value_name = "NAME")]
    pub(crate) containerd_namespace: Option<String>,
}

/// How to reach registries.
#[derive(Debug, Args)]
#[command(next_help_heading = "Access")]
pub(crate) struct RegistryArgs {
    /// Name for the registry; else docker's and podman's own configuration
    /// [env: `SEAWORTHY_REGISTRY_USERNAME`, with `SEAWORTHY_REGISTRY_PASSWORD`].
    #[arg(long, value_name = "NAME")]
    pub(crate) registry_username: Option<String>,

    /// Trust this certificate authority too (PEM) [env: `SEAWORTHY_REGISTRY_CA`].
    #[arg(long, value_name = "FILE")]
    pub(crate) registry_ca: Option<PathBuf>,

    /// Send the registry's credentials to this host too, when it is named as the
    /// token server [default: the registry's own host and its relatives; env:
    /// `SEAWORTHY_REGISTRY_TRUSTED_REALM`].
    #[arg(long, value_name = "HOST", value_delimiter = ',')]
    pub(crate) registry_trusted_realm: Vec<String>,

    /// Allow plain http and certificates nobody vouches for [env:
    /// `SEAWORTHY_REGISTRY_INSECURE`].
    #[arg(long)]
    pub(crate) insecure: bool,
}

/// Forms of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For people.
    #[default]
    Table,
    /// Our own versioned document, with everything.
    Json,
    /// CycloneDX 1.6.
    Cyclonedx,
}

#[derive(Debug, Subcommand)]
pub(crate) enum DbCommand {
    /// Compile advisory feeds into an edition and use it from now on.
    #[command(after_help = "\
Examples:
  seaworthy db build --from ./mirror
  seaworthy db build --from https://mirror.example/feeds
  seaworthy db build --from ./mirror --output company.edition")]
    Build(DbBuildArgs),
    /// Fetch what changed in the feeds and use an edition of it from now on.
    ///
    /// What was fetched before is asked for again without a body, and a download
    /// that was cut goes on where it stopped. A feed that fails, or that lost most
    /// of its records, keeps what it had; `db status` says so.
    ///
    /// From a registry comes a compiled edition that `db push` put there: only what
    /// changed since the one in use, where that is less. It is taken under the rules
    /// of `db import`: somebody you trust signed it, and it is no older. The same
    /// goes for a parcel on a web server.
    #[command(after_help = "\
Examples:
  seaworthy db update
  seaworthy db update --from oci://registry.example/team/advisories:latest
  seaworthy db update --from https://mirror.example/feeds
  seaworthy db update --from publishers+https://proxy.example/cache")]
    Update(DbUpdateArgs),
    /// Tell which edition is in use: its feeds, counts and ages.
    Status(DbStatusArgs),
    /// Tell what the edition knows of a vulnerability or a package.
    #[command(after_help = "\
Examples:
  seaworthy db search CVE-2021-44228
  seaworthy db search log4j-core
  seaworthy db search --json pkg:npm/ws")]
    Search(DbSearchArgs),
    /// Tell what changed between two editions.
    #[command(after_help = "\
Examples:
  seaworthy db diff last-week.edition
  seaworthy db diff --json monday.edition friday.edition")]
    Diff(DbDiffArgs),
    /// Write the edition in use to one file, for a place without a network.
    #[command(after_help = "\
Examples:
  openssl genpkey -algorithm ed25519 -out edition.key
  seaworthy db export --key edition.key --output today.parcel
  seaworthy db export --key edition.key --expires 14 --output today.parcel
  seaworthy db export --key edition.key --since yesterday.edition --output changes.parcel")]
    Export(DbExportArgs),
    /// Take the edition of a file that `db export` wrote.
    ///
    /// The signature is checked before anything is unpacked, and an older edition
    /// does not take the place of a newer one. A file of changes needs the edition
    /// they start from to be in use, or the one before.
    #[command(after_help = "\
Examples:
  seaworthy db trust edition.pub
  seaworthy db import today.parcel")]
    Import(DbImportArgs),
    /// Put the edition in use into a registry, for `db update --from oci://...`.
    ///
    /// Where the tag holds an older edition that is still on this machine, what
    /// changed since goes there, too, and deltas of earlier days stay. Nothing is
    /// sent that is there already.
    #[command(after_help = "\
Examples:
  openssl genpkey -algorithm ed25519 -out edition.key
  seaworthy db push --key edition.key registry.example/team/advisories:latest
  seaworthy db push --key edition.key --expires 14 registry.example/team/advisories
  seaworthy db update --from oci://registry.example/team/advisories:latest")]
    Push(DbPushArgs),
    /// List, add or remove the keys whose signatures on editions count.
    #[command(after_help = "\
Examples:
  openssl pkey -in edition.key -pubout -out edition.pub
  seaworthy db trust edition.pub
  seaworthy db trust")]
    Trust(DbTrustArgs),
    /// Recompute every digest of an edition or of an exported file.
    Verify(DbVerifyArgs),
    /// Compare pairs of versions, as a scheme's own tool would.
    ///
    /// Reads two versions a line, with a tab between, from standard input, and
    /// answers each line as soon as it is read: -1, 0 or 1, or E where one of the
    /// two is not a version. What follows a second tab is left alone.
    #[command(after_help = COMPARE_EXAMPLES)]
    Compare(DbCompareArgs),
}

#[derive(Debug, Args)]
pub(crate) struct DbBuildArgs {
    /// A mirror of the feeds: a folder, or the address of one.
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) from: String,

    /// Write the edition to a file instead of installing it.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,

    /// Add the OSV records (JSON) in this folder. They are believed before all
    /// others.
    #[arg(long, value_name = "DIR")]
    pub(crate) private: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DbUpdateArgs {
    /// A mirror of the feeds, `publishers` for the addresses of their publishers,
    /// `publishers+URL` for the same through a caching proxy that has each
    /// publisher's host as the first part of its path. Or an edition that is
    /// compiled already: `oci://HOST/NAME[:TAG]` for what `db push` put into a
    /// registry, `https://.../NAME.parcel` for what `db export` wrote.
    #[arg(
        long,
        value_name = "SOURCE",
        env = "SEAWORTHY_DB_SOURCE",
        default_value = "publishers"
    )]
    pub(crate) from: String,

    /// Believe that this feed lost most of its records.
    #[arg(long, value_name = "FEED")]
    pub(crate) accept: Vec<String>,

    /// Add the OSV records (JSON) in this folder. They are believed before all
    /// others.
    #[arg(long, value_name = "DIR")]
    pub(crate) private: Vec<PathBuf>,

    /// Take a compiled edition although nobody whom you trust signed it.
    #[arg(long)]
    pub(crate) unsigned: bool,

    /// Take a compiled edition although a newer one was installed before.
    #[arg(long)]
    pub(crate) allow_older: bool,

    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DbPushArgs {
    /// Where to put it: a registry, a repository and a tag [default tag: latest].
    #[arg(value_name = "REFERENCE")]
    pub(crate) reference: String,

    /// Sign with this Ed25519 key (PEM). Several sign together, so that either is
    /// enough.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,

    /// Refuse to be taken after so many days.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3_650))]
    pub(crate) expires: Option<i32>,

    /// Whoever takes this trusts exactly these public keys from then on (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) hand_over: Vec<PathBuf>,

    /// Push this edition instead of the installed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) edition: Option<PathBuf>,

    /// How many deltas to keep there, one a step.
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub(crate) keep: u8,

    #[command(flatten)]
    pub(crate) access: RegistryArgs,
}

#[derive(Debug, Args)]
pub(crate) struct DbSearchArgs {
    /// A vulnerability, a record, a package or a package URL.
    #[arg(value_name = "WHAT")]
    pub(crate) what: String,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,

    /// Look at this edition instead of the installed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) edition: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DbDiffArgs {
    /// The older edition.
    #[arg(value_name = "OLD")]
    pub(crate) old: PathBuf,

    /// The newer edition [default: the installed one].
    #[arg(value_name = "NEW")]
    pub(crate) new: Option<PathBuf>,

    /// Answer in JSON.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DbExportArgs {
    /// Where to write it.
    #[arg(long, short, value_name = "FILE")]
    pub(crate) output: PathBuf,

    /// Sign with this Ed25519 key (PEM). Several sign together, so that either is
    /// enough.
    #[arg(long, value_name = "FILE")]
    pub(crate) key: Vec<PathBuf>,

    /// Refuse to be imported after so many days.
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(i32).range(1..=3_650))]
    pub(crate) expires: Option<i32>,

    /// Whoever imports this trusts exactly these public keys from then on (PEM).
    #[arg(long, value_name = "FILE", requires = "key")]
    pub(crate) hand_over: Vec<PathBuf>,

    /// Write only what changed since this edition, for places that have it.
    #[arg(long, value_name = "FILE")]
    pub(crate) since: Option<PathBuf>,

    /// Export this edition instead of the installed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) edition: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct DbImportArgs {
    /// The file that `db export` wrote.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,

    /// Take it although nobody whom you trust signed it.
    #[arg(long)]
    pub(crate) unsigned: bool,

    /// Take it although a newer one was installed before.
    #[arg(long)]
    pub(crate) allow_older: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DbTrustArgs {
    /// Public keys (PEM) to trust, too.
    #[arg(value_name = "KEY")]
    pub(crate) key: Vec<PathBuf>,

    /// No longer trust the key of this name.
    #[arg(long, value_name = "NAME")]
    pub(crate) remove: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DbVerifyArgs {
    /// An edition or an exported file, instead of the installed edition.
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
}

const COMPARE_EXAMPLES: &str = "\
Schemes:
  apk bitnami cran crates composer deb gem go hackage hex mvn npm nuget opam pacman
  pub pypi rpm; types of package URLs and OSV's names of ecosystems are known, too

Examples:
  printf '1.0~rc1\\t1.0\\n' | seaworthy db compare deb
  seaworthy db compare gem < pairs.tsv | paste pairs.tsv -";

#[derive(Debug, Args)]
pub(crate) struct DbCompareArgs {
    /// How the versions are written and ordered.
    #[arg(value_name = "SCHEME", value_parser = scheme::named)]
    pub(crate) scheme: Scheme,
}

#[derive(Debug, Args)]
pub(crate) struct DbStatusArgs {
    /// Look at this edition instead of the installed one.
    #[arg(long, value_name = "FILE")]
    pub(crate) edition: Option<PathBuf>,

    /// Recompute every checksum of the edition.
    #[arg(long)]
    pub(crate) verify: bool,
}

fn severity(text: &str) -> Result<Severity, String> {
    text.parse::<Severity>().map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_flags_do_not_contradict_each_other() {
        Cli::command().debug_assert();
    }
}
