//! `seaworthy scan --server URL`: read here, judged there.

use std::fs;

use anyhow::Context as _;
use seaworthy_core::{ImageFacts, Inventory};
use seaworthy_remote::{Secret, Server};
use seaworthy_store::RepositoryName;

use crate::access;
use crate::cli::ScanArgs;
use crate::desk::Desk;
use crate::elsewhere::{self, Judged};
use crate::failure::Hinted;
use crate::progress::Bar;
use crate::runtime;
use crate::target::Target;

/// Most bytes of a report.
const MOST_REPORT: usize = 512 << 20;

/// Longest file that holds a token, in bytes.
const LONGEST_TOKEN: u64 = 64 * 1024;

/// Sends what was found to a server and answers with its judgement.
pub(super) fn ask(
    desk: &Desk<'_>,
    args: &ScanArgs,
    target: &Target,
    taken: Vec<(ImageFacts, Inventory)>,
    bar: &Bar,
) -> anyhow::Result<Vec<Judged>> {
    let address = args.elsewhere.server.as_deref().unwrap_or_default();
    let token = token(desk, args)?;
    let options = access::options(desk, &args.access.registry)?;
    let repository = repository(args, target)?;
    let server = Server::at(address, token, &options)?;
    let path = format!(
        "/api/v1/repositories/{}/assessments",
        repository.as_str().replace('/', "%2F")
    );
    bar.say(&format!("asking {}", server.name()));
    let runtime = runtime::start()?;
    let mut judged = Vec::new();
    for (facts, inventory) in taken {
        let document = elsewhere::submission(&facts, &inventory);
        let answer = runtime
            .block_on(server.send(&path, document, MOST_REPORT))
            .with_context(|| format!("cannot let `{}` judge the image", server.name()))?;
        let read = elsewhere::read(&answer, facts, inventory).map_err(|error| {
            Hinted::over(
                format!("cannot use what `{}` answers", server.name()),
                "both programs should be of about the same version",
                error,
            )
        })?;
        judged.push(read);
    }
    bar.clear();
    desk.printer.note(&format!(
        "judged by {}, kept there in `{repository}` as metadata only",
        server.name()
    ));
    Ok(judged)
}

fn token(desk: &Desk<'_>, args: &ScanArgs) -> anyhow::Result<Option<Secret>> {
    let Some(path) = &args.elsewhere.server_token_file else {
        return Ok(desk.surroundings.server_token.clone().map(Secret::new));
    };
    let told = || format!("cannot read the token in `{}`", path.display());
    let length = fs::metadata(path).with_context(told)?.len();
    anyhow::ensure!(length <= LONGEST_TOKEN, "{}: it is too long", told());
    let text = fs::read_to_string(path).with_context(told)?;
    Ok(Some(Secret::new(text.trim())))
}

/// Where the report is kept: as asked for, else as the image's own repository.
fn repository(args: &ScanArgs, target: &Target) -> anyhow::Result<RepositoryName> {
    let hint = "name one with --repository, such as `team/app`";
    if let Some(name) = &args.elsewhere.repository {
        return name.parse().map_err(|error| {
            Hinted::over(
                "--repository names no repository",
                hint,
                anyhow::Error::new(error),
            )
        });
    }
    target
        .repository()
        .and_then(|name| name.parse().ok())
        .ok_or_else(|| {
            Hinted::error(
                format!("`{target}` does not say in which repository its report is kept"),
                hint,
            )
        })
}
