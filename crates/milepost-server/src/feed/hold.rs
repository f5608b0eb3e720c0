//! Holding a request until there is news that its feed shows, or its time is up.
//!
//! An answer without news is 200 like any other, but its `resume` differs from the URL that was asked,
//! by `tick`: a cache that collapses requests then answers those who waited together, and can't answer
//! their next question with the same bytes. So nobody spins, and no cache needs to know of waiting.
//!
//! Who closes its sending side meanwhile is answered at once, without news: most likely it is gone, and
//! its place is for somebody else.

use std::{future::pending, pin::pin, time::Duration};

use http::request::Parts;
use milepost_semantics::{ProblemType, wire::PageEnd};
use milepost_store::definition::Caching;
use tokio::time::sleep;

use super::{
    answer::{applied, describe_page, refuse, represent},
    asked::Asked,
    read,
    render::without_news,
};
use crate::{
    between::WrittenPage,
    collection::link,
    edge::Begun,
    listen::Held,
    refusal::{Answer, Refusal},
    representation::Freshness,
    service::{Shared, SharedHandle},
};

/// When who found no room to wait should come back, in seconds: until then, asking without waiting is
/// as good.
const RETRY_AFTER_S: u32 = 5;
/// How often, and how long apart, who has waited asks for room to be answered.
const AGAIN_TRIES_MAX: u32 = 500;
const AGAIN_PAUSE: Duration = Duration::from_millis(20);

/// Answers with news, or with none after at most `wait_s` seconds.
pub(super) async fn until_news(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    asked: &Asked,
    wait_s: u32,
) -> Answer {
    begun.give_back();
    let Some(_entered) = shared.waits.held.enter() else {
        return Err(no_room("requests wait for news already"));
    };
    let (mut news, held) = (shared.waits.listen(asked.topic()), begun.hold());
    let time_max = Duration::from_secs(u64::from(wait_s).min(shared.limits.wait_seconds_max));
    let mut is_up = pin!(sleep(jittered(time_max)));
    let mut since = asked.since;
    let mut answer = loop {
        // Apart, so that who is held doesn't hold the room for reading as well.
        let page = match Box::pin(read::page(shared, asked, since)).await {
            Ok(page) => page,
            Err(error) => return Err(Box::pin(refuse(shared, asked, error)).await),
        };
        if page.has_news {
            break represent(shared, request, &page, page.freshness)?;
        }
        since = page.tail.position;
        let moved = tokio::select! {
            () = is_up.as_mut() => false,
            () = left(held.as_ref()) => false,
            moved = news.beyond(since) => moved,
        };
        if !moved {
            break no_news(shared, request, asked, &page)?;
        }
    };
    begin_again(shared, begun).await?;
    if asked.prefers_wait_s == Some(wait_s) {
        applied(answer.headers_mut(), wait_s);
    }
    Ok(answer)
}

/// Waits until the client has closed its sending side; for ever where it doesn't, or nobody can tell.
pub(super) async fn left(held: Option<&Held>) {
    match held {
        Some(held) => held.sensed().await,
        None => pending().await,
    }
}

/// Takes room among the requests in flight again: all who waited for the same news are answered a few
/// at a time.
async fn begin_again(shared: &Shared, begun: &Begun) -> Result<(), Refusal> {
    for _ in 0..AGAIN_TRIES_MAX {
        if begun.take_again(shared.limits.requests_in_flight_max) {
            return Ok(());
        }
        sleep(jittered(AGAIN_PAUSE)).await;
    }
    Err(no_room("requests are being answered"))
}

fn no_news(shared: &Shared, request: &Parts, asked: &Asked, page: &WrittenPage) -> Answer {
    let resume = PageEnd::Resume(asked.ticked_url(shared, page.tail.position));
    let bytes = without_news(shared, asked, page).into();
    let etag = asked.ticked_tag(&page.etag);
    let freshness = passing(asked.freshness());
    describe_page(shared, request, &etag, freshness, link(&resume), bytes)
}

/// How long the answer to those who waited may be kept: long enough for all who waited behind the same
/// cache, no longer than the page itself.
fn passing(freshness: Freshness) -> Freshness {
    match freshness {
        Freshness::Current(caching) => Freshness::Current(Caching {
            max_age_s: caching.max_age_s.min(1),
            stale_while_revalidate_s: 0,
            ..caching
        }),
        other => other,
    }
}

/// 503, where as many wait as may.
pub(super) fn no_room(what: &str) -> Refusal {
    let detail = format!("as many {what} as may; ask without waiting, or later");
    Refusal::new(ProblemType::Overloaded, detail).retry_after_s(RETRY_AFTER_S)
}

/// Four to five fifths of a time, by chance: who began together needn't come back together.
pub(super) fn jittered(time_max: Duration) -> Duration {
    let chance = getrandom::u32().unwrap_or(0);
    time_max.mul_f64(0.8 + 0.2 * f64::from(chance) / f64::from(u32::MAX))
}
