//! How long one small answer takes, and how many there are a second.

use std::time::{Duration, Instant};

use anyhow::Context;

use super::wire::Connection;

/// Times of many requests, shortest first.
pub(crate) struct Times(Vec<Duration>);

impl Times {
    pub(crate) fn of(times: impl IntoIterator<Item = Duration>) -> Self {
        let mut times: Vec<Duration> = times.into_iter().collect();
        times.sort_unstable();
        Self(times)
    }

    /// What `share` in a hundred do not exceed.
    pub(crate) fn percentile(&self, share: usize) -> Duration {
        let rank = (self.0.len() * share).div_ceil(100);
        self.0
            .get(rank.saturating_sub(1))
            .copied()
            .unwrap_or_default()
    }
}

/// Asks `count` times on one connection, one after the other. `length` is what each
/// answer's body must have.
pub(crate) fn one_by_one(
    connection: &mut Connection,
    request: &[u8],
    length: u64,
    count: usize,
) -> anyhow::Result<Times> {
    let times = (0..count).map(|_| {
        let begun = Instant::now();
        connection.write(request)?;
        answer(connection, request, length)?;
        Ok(begun.elapsed())
    });
    Ok(Times::of(times.collect::<anyhow::Result<Vec<_>>>()?))
}

/// Keeps one request under way on each connection until `count` are answered, from
/// one thread: the client takes as little as it can from the server's processors.
pub(crate) fn together(
    connections: &mut [Connection],
    request: &[u8],
    length: u64,
    count: usize,
) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    for connection in &mut *connections {
        connection.write(request)?;
    }
    let rounds = count / connections.len().max(1);
    for round in 1..=rounds {
        for connection in &mut *connections {
            answer(connection, request, length)?;
            if round < rounds {
                connection.write(request)?;
            }
        }
    }
    Ok(begun.elapsed())
}

fn answer(connection: &mut Connection, request: &[u8], length: u64) -> anyhow::Result<()> {
    let is_head = request.starts_with(b"HEAD");
    let answer = connection.receive(is_head, &mut |_| ())?;
    anyhow::ensure!(answer.status == 200, "a manifest answers {}", answer.status);
    let stated = if is_head {
        let digits = answer.header("content-length");
        let digits = digits.context("a manifest has no length")?;
        digits.parse()?
    } else {
        answer.length
    };
    anyhow::ensure!(stated == length, "a manifest has {stated} bytes");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_times_that_were_measured() {
        let times = Times::of((1..=200).rev().map(Duration::from_millis));
        assert_eq!(times.percentile(50), Duration::from_millis(100));
        assert_eq!(times.percentile(99), Duration::from_millis(198));
        let one = Times::of([Duration::from_millis(7)]);
        assert_eq!(one.percentile(99), Duration::from_millis(7));
        assert_eq!(Times::of([]).percentile(50), Duration::ZERO);
    }
}
