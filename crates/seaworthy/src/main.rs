//! The front door: flags, configuration, composition, printing, exit codes.
//!
//! Nothing below this crate reads flags, environment or clock, writes to the
//! terminal or ends the process. What is deliberately absent here is knowledge:
//! rooms know things, the front door introduces them to each other.

mod access;
mod amount;
mod cli;
mod command;
mod config;
mod confine;
mod demo;
mod desk;
mod doctor;
mod edition;
mod elsewhere;
mod exit;
mod failure;
mod key;
mod log;
mod printer;
mod progress;
mod runtime;
mod scheme;
mod serve;
mod settings;
mod source;
mod tar;
mod target;

use std::process::ExitCode;

use clap::Parser;

use crate::cli::{Cli, Command, DbCommand};
use crate::desk::Desk;
use crate::exit::Exit;
use crate::printer::{Printer, WriteError};
use crate::settings::Surroundings;

fn main() -> ExitCode {
    // The confined reader must not touch anything before its doors are locked:
    // no flags, no environment, no other thread.
    if std::env::args_os()
        .nth(1)
        .is_some_and(|role| role == confine::ROLE)
    {
        return match confine::run_child() {
            Ok(()) => ExitCode::SUCCESS,
            Err(_) => Exit::Error.into(),
        };
    }
    let cli = Cli::parse();
    let surroundings = Surroundings::read();
    let printer = Printer::of(cli.colour, cli.quiet, surroundings.no_color);
    // A server logs in the way its configuration says.
    if !matches!(cli.command, Command::Serve(_) | Command::Worker(_)) {
        log::start(cli.verbose, cli.quiet, printer.colours_talk());
    }
    let data = cli.data.clone().map_or_else(|| surroundings.data(), Ok);
    let ended = data.and_then(|data| {
        let desk = Desk {
            printer: &printer,
            surroundings: &surroundings,
            data: &data,
        };
        match &cli.command {
            Command::Scan(args) => command::scan(&desk, args),
            Command::Demo(args) => command::demo(&desk, args),
            Command::Serve(args) => command::serve(&desk, args),
            Command::Worker(args) => command::worker(&desk, args),
            Command::Backup(args) => command::backup(&desk, args),
            Command::Restore(args) => command::restore(&desk, args),
            Command::Doctor(args) => command::doctor(&desk, args),
            Command::SupportBundle(args) => command::support(&desk, args),
            Command::Config(args) => command::config(&desk, args),
            Command::Db(DbCommand::Build(args)) => command::db_build(&desk, args),
            Command::Db(DbCommand::Update(args)) => command::db_update(&desk, args),
            Command::Db(DbCommand::Status(args)) => command::db_status(&desk, args),
            Command::Db(DbCommand::Search(args)) => command::db_search(&desk, args),
            Command::Db(DbCommand::Diff(args)) => command::db_diff(&desk, args),
            Command::Db(DbCommand::Export(args)) => command::db_export(&desk, args),
            Command::Db(DbCommand::Import(args)) => command::db_import(&desk, args),
            Command::Db(DbCommand::Push(args)) => command::db_push(&desk, args),
            Command::Db(DbCommand::Trust(args)) => command::db_trust(&desk, args),
            Command::Db(DbCommand::Verify(args)) => command::db_verify(&desk, args),
            Command::Db(DbCommand::Compare(args)) => command::db_compare(args),
        }
    });
    match ended {
        Ok(exit) => exit.into(),
        // Whoever closed the pipe has read enough.
        Err(error) if matches!(error.downcast_ref(), Some(WriteError::ReaderGone)) => {
            Exit::Pass.into()
        }
        Err(error) => {
            failure::tell(&printer, &error);
            Exit::Error.into()
        }
    }
}
