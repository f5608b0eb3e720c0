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

/// The refusal of a position. `oldest`: what could be asked for instead; `url`: that of everything at
/// a position. `hidden`: where the collection's newest change must not show.
pub(crate) async fn expired(
    shared: &Shared,
    followed: &Followed,
    (governed, hidden): (&Governed, bool),
    oldest: Position,
    url: impl FnOnce(Position) -> String,
) -> Refusal {
    let at = match recent(shared, followed, oldest, hidden).await {
        Ok(at) => at,
        Err(refusal) => return refusal,
    };
    let resync = url(at);
    let caching = match governed.visibility() {
        Visibility::Public => "public, max-age=60",
        Visibility::Private => "private, max-age=60",
    };
    let detail = "the position is older than what is remembered, or not of this history: start again at \"resync\"";
    let refusal = Refusal::new(ProblemType::PositionExpired, detail)
        .with_member("resync", resync.as_str())
        .with_member("oldest", oldest.to_string())
        .with(CACHE_CONTROL, HeaderValue::from_static(caching));
    match HeaderValue::try_from(resync) {
        Ok(location) => refusal.with(LOCATION, location),
        Err(_never) => refusal,
    }
}

/// A position at which everything is still shown, and from which all changes are still told.
async fn recent(
    shared: &Shared,
    followed: &Followed,
    oldest: Position,
    hidden: bool,
) -> Result<Position, Refusal> {
    let newest = shared.store.head();
    let anchor = shared.store.at(round(newest.sequence()));
    let anchor = anchor.unwrap_or(newest);
    let is_after = |floor: Position| floor.sequence() <= anchor.sequence();
    match followed {
        Followed::Collection(address) => {
            let state = state_of(shared, &address.collection).await?;
            let state = state.ok_or_else(|| not_defined(shared, &address.collection))?;
            // In a quiet collection the newest change stays where it is, too, and is what lists tell.
            let is_quiet = is_after(state.head);
            let is_remembered = floors(&state).into_iter().all(is_after) && is_after(oldest);
            Ok(if is_remembered && (hidden || !is_quiet) {
                anchor
            } else if hidden {
                newest
            } else {
                state.head
            })
        }
        Followed::Everything => {
            let mut is_remembered = is_after(oldest);
            for (collection, _) in shared.store.definitions().iter() {
                let state = state_of(shared, collection).await?;
                is_remembered &= state.is_none_or(|state| floors(&state).into_iter().all(is_after));
            }
            Ok(if is_remembered { anchor } else { newest })
        }
    }
}

/// The last sequence up to `head` that is a multiple of a stride, which is a power of two and grows with the head: so
/// as the head grows this never goes back.
fn round(head: u64) -> u64 {
    let power = (head / STRIDE_SHARE).checked_ilog2().unwrap_or(0);
    let stride = 1_u64
        .checked_shl(power)
        .unwrap_or(STRIDE_MAX)
        .min(STRIDE_MAX);
    head - head % stride
}

/// What a position must not be before for its snapshot, and the changes since, to be told.
fn floors(state: &CollectionState) -> [Position; 2] {
    [state.oldest_snapshot, state.oldest_change]
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
            let at = round(head);
            assert!(before <= at && at <= head, "{head}: {at} after {before}");
            assert!(
                head - at < STRIDE_MAX.min(head / STRIDE_SHARE + 1),
                "{head}: {at}"
            );
            moved += u32::from(at != before);
            before = at;
        }
        assert!(moved < 200, "{moved} ways on in 100,000 commits");
        assert_eq!(round(u64::MAX), u64::MAX - 4095);
    }
}
