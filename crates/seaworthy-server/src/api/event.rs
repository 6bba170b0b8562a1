//! Events as they happen, for whoever keeps a page open.

use std::collections::{HashMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream::{self, Stream};
use seaworthy_access::Credential;
use seaworthy_store::{ImageRow, Millis};
use serde::Deserialize;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;
use utoipa::IntoParams;

use super::image::ImageDocument;
use crate::caller::Caller;
use crate::form::Asked;
use crate::problem::{Kind, Problem};
use crate::shared::Shared;
use crate::sight;

/// How often it is looked for something new.
const PAUSE: Duration = Duration::from_secs(1);

/// How long a stream goes on before the client connects again, so that an
/// installation that is taken down does not wait for pages that are open.
const LONGEST: Duration = Duration::from_mins(5);

/// A change is dated when its transaction begins, and seen when it ends: what is dated
/// up to this many milliseconds before the newest event is looked at again.
const LATE: i64 = 5_000;

/// The most that is read at once.
const BATCH: usize = 200;

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Follow {
    /// Where to go on: the `id` of the last event that was seen. The header
    /// `Last-Event-ID` says the same.
    cursor: Option<String>,
}

/// A stream that is open.
struct Watch {
    shared: Shared,
    credential: Credential,
    /// The newest event that was sent: when, and which image.
    newest: (Millis, i64),
    /// What was sent of the stretch that is looked at again.
    sent: HashMap<i64, Millis>,
    waiting: VecDeque<ImageRow>,
    ends: Instant,
    next_look: Instant,
    _place: OwnedSemaphorePermit,
}

/// Follow what happens to images
///
/// Server-sent events: each is called `image` and holds the image as it is now, whenever
/// it came into another state. An event may come twice. The stream ends now and then; go
/// on with the last `id`.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "follow_events",
    tag = "events",
    params(Follow),
    responses((status = 200, description = "Events.", body = String, content_type = "text/event-stream"))
)]
pub(crate) async fn follow(
    State(shared): State<Shared>,
    caller: Caller,
    headers: HeaderMap,
    Asked(asked): Asked<Follow>,
) -> Result<Sse<impl Stream<Item = Result<Event, Infallible>>>, Problem> {
    let streams = if caller.is_somebody() {
        &shared.streams
    } else {
        &shared.streams_of_strangers
    };
    let place = Arc::clone(streams)
        .try_acquire_owned()
        .map_err(|_| Problem::new(Kind::Unavailable, "too many streams").retry_after(10))?;
    let last = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok());
    let newest = match last.or(asked.cursor.as_deref()) {
        Some(cursor) => position(cursor)
            .ok_or_else(|| Problem::malformed("`cursor` is not the id of an event"))?,
        None => (shared.database.now(), i64::MAX),
    };
    let now = Instant::now();
    let watch = Watch {
        credential: caller.shown.clone(),
        newest,
        sent: HashMap::new(),
        waiting: VecDeque::new(),
        ends: now + LONGEST,
        next_look: now,
        shared,
        _place: place,
    };
    let events = stream::unfold(watch, |mut watch| async move {
        let event = watch.next().await?;
        Some((Ok(event), watch))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

fn position(cursor: &str) -> Option<(Millis, i64)> {
    let (at, image) = cursor.split_once('-')?;
    let (at, image) = (at.parse().ok()?, image.parse().ok()?);
    (at >= 0 && image >= 0).then_some((Millis(at), image))
}

impl Watch {
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(row) = self.waiting.pop_front() {
                let at = row.state_since;
                if self.sent.insert(row.id, at) == Some(at) {
                    continue;
                }
                self.newest = self.newest.max((at, row.id));
                let id = format!("{}-{}", self.newest.0.0, self.newest.1.min(i64::MAX - 1));
                let event = Event::default().event("image").id(id);
                return event.json_data(ImageDocument::from(row)).ok();
            }
            if self.next_look >= self.ends {
                return None;
            }
            tokio::time::sleep_until(self.next_look).await;
            self.next_look = Instant::now() + PAUSE;
            self.look().await.ok()?;
        }
    }

    /// Reads what is new. Who asks is identified anew each time: whoever lost a right,
    /// or was signed out, sees no more.
    async fn look(&mut self) -> Result<(), Problem> {
        let principal = self.shared.authority.identify(&self.credential).await?;
        if principal.must_change_password {
            return Err(Problem::absent());
        }
        let sight = sight::of(&principal);
        let since = Millis(self.newest.0.0.saturating_sub(LATE).max(0));
        self.sent.retain(|_, at| *at >= since);
        let mut from = (since, -1);
        loop {
            let page = self
                .shared
                .browse
                .turns(&sight, from.0, from.1, BATCH)
                .await?;
            for turn in page.items {
                from = (turn.image.state_since, turn.image.id);
                self.waiting.push_back(turn.image);
            }
            if !page.more || self.waiting.len() >= BATCH * 5 {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_a_moment_and_an_image() {
        assert_eq!(position("12-3"), Some((Millis(12), 3)));
        for bad in ["", "12", "-1-2", "a-b", "1-2-3", "99999999999999999999-1"] {
            assert_eq!(position(bad), None, "{bad}");
        }
    }
}
