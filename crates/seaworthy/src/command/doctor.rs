//! `seaworthy doctor`: is this installation well, and if not, what next.

use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};

use crate::cli::{DoctorArgs, Flags};
use crate::config::{self, Config};
use crate::desk::Desk;
use crate::doctor::{self, Finding, State};
use crate::exit::Exit;
use crate::printer;
use crate::progress::Bar;
use crate::runtime;

/// Looks at everything and tells. Ends with 1 when something does not work.
pub(crate) fn doctor(desk: &Desk<'_>, args: &DoctorArgs) -> anyhow::Result<Exit> {
    let sheet = config::sheet(desk, &args.config, Flags::new())?;
    let config = Config::of(&sheet, desk)?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("looking");
    let runtime = runtime::start()?;
    let found = runtime.block_on(doctor::look(&config, args.all));
    bar.clear();
    let page = page(&found, desk.printer.colours_data());
    printer::write_data(page.as_bytes())?;
    let worst = found.iter().map(|it| it.state).max();
    Ok(match worst {
        Some(State::Fail) => Exit::Fail,
        Some(State::Ok | State::Warn) | None => Exit::Pass,
    })
}

/// One line a part, and under it what to do.
pub(crate) fn page(found: &[Finding], colour: bool) -> String {
    let mut text = String::new();
    for finding in found {
        let style = match finding.state {
            _ if !colour => Style::new(),
            State::Ok => AnsiColor::Green.on_default(),
            State::Warn => AnsiColor::Yellow.on_default().bold(),
            State::Fail => AnsiColor::Red.on_default().bold(),
        };
        let _ = writeln!(
            text,
            "{style}{:<4}{style:#}  {:<15}  {}",
            finding.state.name(),
            finding.part,
            seaworthy_report::clean(&finding.what)
        );
        if let Some(next) = &finding.next {
            let _ = writeln!(
                text,
                "      {:<15}  next: {}",
                "",
                seaworthy_report::clean(next)
            );
        }
    }
    text
}
