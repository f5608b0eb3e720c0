//! Drafts that nobody has changed for as long as their definition says are deleted.
//!
//! **The problem.** A draft, such as a file that was sent ahead of the form it is for, belongs to nothing yet. Whoever
//! made it may never come back, and a server that knows no clients can't ask them.
//!
//! **The choice.** What is a draft, and for how long, is said by its collection's definition, so a draft carries all
//! that must be known about it, and who deletes it needs to keep nothing. A [`Sweeper`] follows the drafts of each
//! such collection in the order in which they were last written ([`Trail`]): the oldest come first, so it looks at
//! those that are due and at one that isn't, and then waits until that one is. What it remembers (how far it is) is
//! found again by whoever begins anew. A draft is deleted as anybody would delete it, under the condition that it still is
//! what was seen: so any number of nodes may sweep at once, a draft that was changed meanwhile stays, and who follows the
//! collection is told.
//!
//! It says nothing about who may read a draft, nor does it hide one that is due and not deleted yet.

mod deletion;
mod listed;
mod trail;

use std::{
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    time::Duration,
};

use milepost_store::{CollectionPath, Definitions, ReadError, Timestamp, WriteError};

use self::trail::Trail;
use crate::service::{Service, Shared, SharedHandle};

/// The longest that a sweeper goes without a look: how soon it hears of a definition, or of a clock that was set.
const LOOK_MAX: Duration = Duration::from_secs(30);
/// The shortest time between two looks: what came due meanwhile is deleted together.
const LOOK_MIN: Duration = Duration::from_millis(100);
/// Where there are other nodes: the most that one waits for another to have been there before.
const APART_MAX_MS: u32 = 2000;

/// Deletes drafts that are due. One for each service; of several over one store, each deletes what it comes to first.
pub struct Sweeper {
    shared: SharedHandle,
    trails: BTreeMap<CollectionPath, Trail>,
}

/// What one look at all drafts that are due has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Swept {
    /// How many drafts were deleted.
    pub deleted: u64,
    /// When the next look is worth while; `None` where no collection has drafts.
    pub next: Option<Timestamp>,
}

/// Why a look at a collection's drafts ended early. The next one goes on.
#[derive(Debug, thiserror::Error)]
enum Interrupted {
    #[error(transparent)]
    Read(#[from] ReadError),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("the collection's definition was changed meanwhile")]
    Redefined,
}

impl fmt::Debug for Sweeper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sweeper")
            .field("trails", &self.trails)
            .finish_non_exhaustive()
    }
}

impl Sweeper {
    /// For the drafts in the service's store, by the service's clock.
    #[must_use]
    pub fn of(service: &Service) -> Self {
        Self {
            shared: service.handle(),
            trails: BTreeMap::new(),
        }
    }

    /// Sweeps for as long as it is polled: whoever runs the service spawns it, and drops it when the service stops.
    pub async fn run(mut self) {
        loop {
            let swept = self.sweep().await;
            tokio::time::sleep(self.pause(&swept)).await;
        }
    }

    /// Deletes every draft that is due now.
    ///
    /// Where the store can't be read or written, the rest is left to the next look.
    pub async fn sweep(&mut self) -> Swept {
        let shared = SharedHandle::clone(&self.shared);
        let now = shared.clock.now();
        let soon = Timestamp(now.0.saturating_add(as_ms(LOOK_MAX)));
        let is_known = !shared.store.kind().has_primary || shared.store.refresh().await.is_ok();
        if !is_known {
            return Swept {
                deleted: 0,
                next: (!self.trails.is_empty()).then_some(soon),
            };
        }
        self.find(&shared.store.definitions());
        let mut swept = Swept::default();
        // What lies below others first, since it may be in their way.
        for trail in self.trails.values_mut().rev() {
            let next = look(&shared, trail, now).await.unwrap_or(soon);
            swept.deleted += trail.take_deleted();
            swept.next = Some(swept.next.map_or(next, |other| other.min(next)));
        }
        shared.edge.metrics.count_expired_drafts(swept.deleted);
        swept
    }

    /// A trail for each collection that has drafts; a new one where the definition is another than before.
    fn find(&mut self, definitions: &Definitions) {
        let stands = |path: &CollectionPath, trail: &Trail| {
            let defined = definitions.of(path);
            defined.is_some_and(|defined| trail.is_of(defined))
        };
        self.trails.retain(|path, trail| stands(path, trail));
        for (path, defined) in definitions.iter() {
            if let Entry::Vacant(place) = self.trails.entry(path.clone()) {
                Trail::of(path, defined).map(|trail| place.insert(trail));
            }
        }
    }

    fn pause(&self, swept: &Swept) -> Duration {
        let now = self.shared.clock.now();
        let next = swept.next.map(|next| next.0.saturating_sub(now.0));
        let pause = next.map_or(LOOK_MAX, Duration::from_millis);
        let apart = if self.shared.store.kind().has_primary {
            getrandom::u32().unwrap_or(0) % APART_MAX_MS
        } else {
            0
        };
        pause.clamp(LOOK_MIN, LOOK_MAX) + Duration::from_millis(apart.into())
    }
}

/// Looks at one collection's drafts, unless nothing can be due there; when the next look is worth while, `None` where this one
/// ended early.
async fn look(shared: &Shared, trail: &mut Trail, now: Timestamp) -> Option<Timestamp> {
    if trail.may_rest(now, as_ms(LOOK_MAX)) {
        return Some(trail.next());
    }
    match trail.follow(shared.store.as_ref(), now).await {
        Ok(()) => Some(trail.next()),
        Err(Interrupted::Redefined) => None,
        Err(Interrupted::Read(_) | Interrupted::Write(_)) => {
            shared.edge.metrics.count_failed_sweep();
            None
        }
    }
}

fn as_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
