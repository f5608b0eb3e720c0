//! 410: a position that can't be answered, and the way on from it.
//!
//! The way on is everything at one recent position, the same for all who ask within a minute, and the
//! answer may be kept as long: of a thousand clients that come back after a year, one costs the
//! origin a snapshot.

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
    let anchor = shared.anchor.position(shared.clock.now(), newest);
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
