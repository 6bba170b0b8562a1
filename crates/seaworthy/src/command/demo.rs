//! `seaworthy demo`: a server in a scratch directory, images made on the spot, pushed
//! and judged, and a page that tells what happened.

mod client;
mod page;

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::Context as _;
use tokio::sync::oneshot;

use crate::cli::DemoArgs;
use crate::config::{Config, Sheet};
use crate::demo::samples;
use crate::desk::Desk;
use crate::exit::Exit;
use crate::printer;
use crate::progress::Bar;
use crate::runtime;
use crate::serve::{self, Node};
use crate::settings::{self, Surroundings};

use client::Client;
use page::Page;

/// Shows everything once, and then goes on serving unless `--once`.
pub(crate) fn demo(desk: &Desk<'_>, args: &DemoArgs) -> anyhow::Result<Exit> {
    let begun = Instant::now();
    let scratch = Scratch::make()?;
    let plain = Surroundings::default();
    let here = Desk {
        printer: desk.printer,
        surroundings: &plain,
        data: &scratch.0,
    };
    let flags = [
        ("listen", &*args.listen),
        // What a person waits for is over in a moment.
        ("drain_seconds", "5"),
    ];
    let flags =
        flags.map(|(name, value)| (name.to_owned(), value.to_owned(), "--listen".to_owned()));
    let config = Config::of(&Sheet::without_file(&here, &flags)?, &here)?;
    let runtime = runtime::start_serving()?;
    let bar = Bar::new(desk.printer.shows_progress());
    bar.say("starting the server");
    runtime.block_on(async {
        let node = Node::start(&config).await?;
        let client = Client::of(&node).await?;
        let address = node.address();
        let password = node.first().map(|it| it.password.clone());
        let (end, ended) = oneshot::channel::<()>();
        let served = tokio::spawn(node.run(async {
            let _ = ended.await;
        }));

        let mut judged = Vec::new();
        for sample in samples() {
            bar.say(&format!("pushing {}:{}", sample.repository, sample.tag));
            judged.push(client.push_and_wait(&sample).await?);
        }
        let found = client.search(page::SOUGHT).await?;
        bar.clear();
        let page = Page {
            colour: desk.printer.colours_data(),
            took: begun.elapsed(),
            address,
            judged: &judged,
            found: &found,
        };
        printer::write_data(page.top().as_bytes())?;
        if args.once {
            printer::write_data(page.end_once().as_bytes())?;
        } else {
            let secret = client.secret();
            let password = password.as_ref().map_or("", |it| it.reveal());
            let scratch = scratch.0.display().to_string();
            printer::write_data(page.end(secret, password, &scratch).as_bytes())?;
            serve::until_told().await;
        }
        drop(end);
        served.await.context("the server ended badly")?
    })?;
    runtime.shutdown_background();
    Ok(Exit::Pass)
}

/// A folder that is gone when this is.
struct Scratch(PathBuf);

impl Scratch {
    fn make() -> anyhow::Result<Self> {
        let name = format!(
            "seaworthy-demo-{}-{}",
            std::process::id(),
            settings::milliseconds()
        );
        let path = std::env::temp_dir().join(name);
        DirBuilder::new()
            .mode(0o700)
            .create(&path)
            .with_context(|| format!("cannot make the folder `{}`", shown(&path)))?;
        Ok(Self(path))
    }
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // It lies where the system cleans up anyway.
        let _ = fs::remove_dir_all(&self.0);
    }
}
