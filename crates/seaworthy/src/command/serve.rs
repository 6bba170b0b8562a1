//! `seaworthy serve` and `seaworthy worker`: from the configuration to a running
//! server, until somebody ends it.

use std::io::IsTerminal as _;

use crate::cli::{ConfigArgs, Flags, ServeArgs, WorkerArgs};
use crate::config::{self, Config, LogFormat};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::log::{self, Form};
use crate::printer;
use crate::runtime;
use crate::serve::{self, Node};

/// Serves until it is told to end.
pub(crate) fn serve(desk: &Desk<'_>, args: &ServeArgs) -> anyhow::Result<Exit> {
    let mut flags = args.listen.flags();
    if let Some(role) = &args.role {
        flags.push(("role".to_owned(), role.clone(), "--role".to_owned()));
    }
    run(desk, &args.config, flags)
}

/// The same as a worker alone.
pub(crate) fn worker(desk: &Desk<'_>, args: &WorkerArgs) -> anyhow::Result<Exit> {
    let mut flags = args.listen.flags();
    flags.push((
        "role".to_owned(),
        "worker".to_owned(),
        "`seaworthy worker`".to_owned(),
    ));
    run(desk, &args.config, flags)
}

fn run(desk: &Desk<'_>, args: &ConfigArgs, flags: Flags) -> anyhow::Result<Exit> {
    let sheet = config::sheet(desk, args, flags)?;
    let config = Config::of(&sheet, desk)?;
    let form = match config.log_format {
        LogFormat::Json => Form::Json,
        LogFormat::Text => Form::Text {
            colour: desk.printer.colours_talk() && std::io::stderr().is_terminal(),
        },
    };
    log::start_serving(config.log_level, form, desk.data);
    let runtime = runtime::start_serving()?;
    let ended = runtime.block_on(async {
        let node = Node::start(&config).await?;
        printer::write_data(node.welcome().as_bytes())?;
        node.run(serve::until_told()).await
    });
    // A job that does not notice that it should end must not keep the process.
    runtime.shutdown_background();
    ended.map(|()| Exit::Pass)
}
