//! Laps of two servers that take turns.

use std::time::Duration;

use super::server::Server;

/// What one lap cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lap {
    pub(crate) wall: Duration,
    /// Processor time of the server, in hundredths of a second.
    pub(crate) processor: Duration,
}

impl Lap {
    /// Runs something that says how long it took.
    pub(crate) fn time(
        server: &Server,
        run: impl FnOnce() -> anyhow::Result<Duration>,
    ) -> anyhow::Result<Self> {
        let before = server.processor()?;
        let wall = run()?;
        Ok(Self {
            wall,
            processor: server.processor()?.saturating_sub(before),
        })
    }
}

/// Laps of ours and of the peer, round by round.
#[derive(Debug, Default)]
pub(crate) struct Race {
    pub(crate) ours: Vec<Lap>,
    pub(crate) theirs: Vec<Lap>,
}

impl Race {
    pub(crate) fn note(&mut self, is_ours: bool, lap: Lap) {
        let laps = if is_ours {
            &mut self.ours
        } else {
            &mut self.theirs
        };
        laps.push(lap);
    }
}
