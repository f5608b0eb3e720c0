//! 410: a position that can't be answered, and the way on from it.
//!
//! Clients whose bookmarks have expired often come together: after an outage, after a restore. Sent to the
//! state at the head, each would ask for another snapshot while writes go on. So the way on is everything
//! at a round position, which stays the same over many commits and at every node: of a thousand clients
//! that come back after a year, one costs the origin a snapshot, and the next commits are told as changes.

use http::{
    HeaderValue,
    header::{CACHE_CONTROL, LOCATION},
};
use milepost_semantics::{Position, ProblemType};
use milepost_store::{CollectionPath, CollectionState, definition::Visibility};

use crate::{
    failure,
    governed::{Governed, not_defined},
    refusal::Refusal,
    route::Followed,
    service::Shared,
};

/// The most commits between two positions that clients are sent to.
const STRIDE_MAX: u64 = 4096;
/// As a share of all commits: of a young store little has to be told again.
const STRIDE_SHARE: u64 = 8;

/// The refusal of a position. `oldest`: before which nothing can be asked for, as far as the question alone goes; `None`
/// where it was another reader's. `url`: that of everything at a position. `hidden`: where the collection's newest
/// change must not show.
pub(crate) async fn expired(
    shared: &Shared,
    followed: &Followed,
    (governed, hidden): (&Governed, bool),
    oldest: Option<Position>,
    url: impl FnOnce(Position) -> String,
) -> Refusal {
    let way = match way_on(shared, followed, oldest, hidden).await {
        Ok(way) => way,
        Err(refusal) => return refusal,
    };
    let resync = url(way.at);
    let caching = match governed.visibility() {
        Visibility::Public => "public, max-age=60",
        Visibility::Private => "private, max-age=60",
    };
    let detail = "the position is older than what is remembered, or not of this history: start again at \"resync\"";
    let refusal = Refusal::new(ProblemType::PositionExpired, detail)
        .with_member("resync", resync.as_str())
        .with_member("oldest", way.oldest.to_string())
        .with(CACHE_CONTROL, HeaderValue::from_static(caching));
    match HeaderValue::try_from(resync) {
        Ok(location) => refusal.with(LOCATION, location),
        Err(_never) => refusal,
    }
}

/// Where to start again.
struct Way {
    /// A position at which everything is still shown, and from which all changes are still told.
    at: Position,
    /// The oldest such position.
    oldest: Position,
}

async fn way_on(
    shared: &Shared,
    followed: &Followed,
    oldest: Option<Position>,
    hidden: bool,
) -> Result<Way, Refusal> {
    let newest = shared.store.head();
    let oldest = oldest.or_else(|| shared.store.at(0)).unwrap_or(newest);
    match followed {
        Followed::Collection(address) => {
            let state = state_of(shared, &address.collection).await?;
            let state = state.ok_or_else(|| not_defined(shared, &address.collection))?;
            let way = between(shared, latest(oldest, &state), newest);
            // In a quiet collection the newest change stays where it is, too, and is what lists tell.
            let is_quiet = state.head.sequence() <= way.at.sequence();
            let at = if is_quiet && !hidden {
                state.head
            } else {
                way.at
            };
            Ok(Way { at, ..way })
        }
        Followed::Everything => {
            let mut oldest = oldest;
            for (collection, _) in shared.store.definitions().iter() {
                if let Some(state) = state_of(shared, collection).await? {
                    oldest = latest(oldest, &state);
                }
            }
            Ok(between(shared, oldest, newest))
        }
    }
}

/// A round position, from which it is further to what is forgotten than to what is new.
fn between(shared: &Shared, oldest: Position, newest: Position) -> Way {
    let at = round(oldest.sequence(), newest.sequence());
    let at = shared.store.at(at).unwrap_or(newest);
    Way { at, oldest }
}

/// The last sequence up to `head` that is a multiple of a stride: of the largest power of two that leads into the newer
/// half of what is remembered. As either end grows this never goes back.
fn round(floor: u64, head: u64) -> u64 {
    let middle = u64::midpoint(floor.min(head), head);
    let power = (head / STRIDE_SHARE).checked_ilog2().unwrap_or(0);
    let mut stride = 1_u64
        .checked_shl(power)
        .unwrap_or(STRIDE_MAX)
        .min(STRIDE_MAX);
    while stride > 1 && head - head % stride < middle {
        stride /= 2;
    }
    head - head % stride
}

/// The latest of what a position must not be before for its snapshot, and the changes since, to be told.
fn latest(oldest: Position, state: &CollectionState) -> Position {
    let floors = [oldest, state.oldest_snapshot, state.oldest_change];
    let latest = floors.into_iter().max_by_key(|floor| floor.sequence());
    latest.unwrap_or(oldest)
}

async fn state_of(
    shared: &Shared,
    collection: &CollectionPath,
) -> Result<Option<CollectionState>, Refusal> {
    let state = shared.store.collection(collection).await;
    state.map_err(|error| failure::of_read(shared, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_on_stays_never_goes_back_and_is_not_far_behind() {
        let (mut before, mut moved) = (0, 0);
        for head in 0..100_000 {
            let at = round(0, head);
            assert!(before <= at && at <= head, "{head}: {at} after {before}");
            assert!(
                head - at < STRIDE_MAX.min(head / STRIDE_SHARE + 1),
                "{head}: {at}"
            );
            moved += u32::from(at != before);
            before = at;
        }
        assert!(moved < 200, "{moved} ways on in 100,000 commits");
        assert_eq!(round(0, u64::MAX), u64::MAX - 4095);
    }

    #[test]
    fn the_way_on_keeps_away_from_what_is_about_to_be_forgotten() {
        let (mut before, mut moved) = (0, 0);
        for head in 50_000..100_000 {
            // A thousand commits are remembered.
            let floor = head - 1000;
            let at = round(floor, head);
            assert!(
                before <= at && at <= head && floor + 500 <= at,
                "{head}: {at}"
            );
            moved += u32::from(at != before);
            before = at;
        }
        assert!(moved < 400, "{moved} ways on in 50,000 commits");
        assert_eq!(round(7, 7), 7);
        assert_eq!(round(9, 7), 7);
    }
}
