//! The drafts of one collection, in the order in which they were last written.
//!
//! The feed of what is a draft tells each where it was last changed, so what lies behind the bookmark needs no second look.
//! What was last changed before anything that the feed remembers is listed instead, when the trail begins and whenever one
//! of those is due.

use milepost_semantics::{
    Position,
    index::{Comparison, Filter, IndexValue},
    precondition::{IfMatch, Preconditions},
};
use milepost_store::{
    Change, ChangesQuery, CollectionPath, Effect, Failure, Feed, IndexFilter, ListQuery, Operation,
    Outcome, PageLimit, ParentPath, ReadError, Rejected, ResourceKey, Scope, Store, Timestamp,
    Transaction, Version, WriteError, definition::Defined, definition::Drafts,
};
use serde_json::Value;

use super::Interrupted;

/// How much is looked at, and so deleted in one commit, at a time. Drafts may be large.
const BATCH: PageLimit = PageLimit {
    items: 64,
    bytes: 1 << 20,
};
/// Looked at as soon as can be.
const AT_ONCE: Timestamp = Timestamp(0);

/// How far a sweeper is in one collection.
#[derive(Debug)]
pub(super) struct Trail {
    collection: CollectionPath,
    drafts: Drafts,
    filter: IndexFilter,
    /// The version of the definition.
    defined: Position,
    /// Everything that was last written up to here was looked at; `None` before the beginning.
    since: Option<Position>,
    /// When the next draft that was last written before `since` is due, if there is one.
    behind: Option<Timestamp>,
    /// When the next draft that was written after `since` may be due.
    ahead: Timestamp,
    deleted: u64,
}

impl Trail {
    /// The trail of a collection; `None` where it has no drafts.
    pub(super) fn of(collection: &CollectionPath, defined: &Defined) -> Option<Self> {
        let drafts = defined.definition.drafts.clone()?;
        let is_draft = IndexValue::from_json(Some(&Value::Bool(true))).ok()?;
        let filter = IndexFilter {
            index: drafts.index.clone(),
            any_of: vec![Filter::new(Comparison::Eq, is_draft).ok()?],
        };
        Some(Self {
            collection: collection.clone(),
            drafts,
            filter,
            defined: defined.position,
            since: None,
            behind: Some(AT_ONCE),
            ahead: AT_ONCE,
            deleted: 0,
        })
    }

    /// Whether it follows what this definition says.
    pub(super) fn is_of(&self, defined: &Defined) -> bool {
        self.defined == defined.position
    }

    /// When the next look is worth while.
    pub(super) fn next(&self) -> Timestamp {
        self.behind.map_or(self.ahead, |due| due.min(self.ahead))
    }

    /// How many were deleted since this was asked last.
    pub(super) fn take_deleted(&mut self) -> u64 {
        std::mem::take(&mut self.deleted)
    }

    /// Deletes everything that is due.
    pub(super) async fn follow(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), Interrupted> {
        loop {
            let since = self.begin(store).await?;
            if self.behind.is_some_and(|due| due <= now) {
                self.list(store, since, now).await?;
            }
            match self.page(store, since, now).await {
                Ok(true) => return Ok(()),
                Ok(false) => {}
                // What lies between is no longer told: it is listed.
                Err(Interrupted::Read(ReadError::Expired { oldest })) => {
                    (self.since, self.behind) = (Some(oldest), Some(AT_ONCE));
                }
                Err(interrupted) => return Err(interrupted),
            }
        }
    }

    async fn begin(&mut self, store: &dyn Store) -> Result<Position, ReadError> {
        if let Some(since) = self.since {
            return Ok(since);
        }
        let state = store.collection(&self.collection).await?;
        let state = state.ok_or_else(|| ReadError::CollectionNotDefined {
            collection: self.collection.clone(),
        })?;
        self.since = Some(state.oldest_change);
        Ok(state.oldest_change)
    }

    /// Takes one page of the feed; whether there is nothing more that is due.
    async fn page(
        &mut self,
        store: &dyn Store,
        since: Position,
        now: Timestamp,
    ) -> Result<bool, Interrupted> {
        let page = store.changes(&self.changes(since)).await?;
        let drafts = page.items.iter();
        let drafts = drafts.filter(|item| !item.version.is_deleted());
        let waits = |version: &Version| self.due(version) > now;
        let due = drafts.clone().take_while(|item| !waits(&item.version));
        let due: Vec<_> = due
            .map(|item| (item.key.clone(), item.version.clone()))
            .collect();
        let next = drafts.map(|item| &item.version).find(|item| waits(item));
        let waiting = next.map(|version| (self.due(version), version.position));
        self.delete(store, due, now).await?;
        let Some((due, first)) = waiting else {
            self.since = Some(page.position);
            // Whatever is written from now on is due no earlier.
            self.ahead = Timestamp(now.0.saturating_add(self.drafts.age_ms));
            return Ok(!page.closed);
        };
        self.ahead = due;
        // One commit may have written several: the bookmark never stands within it.
        let passed = page.items.iter().map(|item| item.version.position);
        let passed = passed.take_while(|at| at.sequence() < first.sequence());
        self.since = passed.last().or(self.since);
        Ok(true)
    }

    /// Takes all drafts there are, and finds out when the first of those that the feed doesn't tell from `since` on is due.
    async fn list(
        &mut self,
        store: &dyn Store,
        since: Position,
        now: Timestamp,
    ) -> Result<(), Interrupted> {
        let mut query = ListQuery {
            filters: vec![self.filter.clone()],
            ..ListQuery::all(self.collection.clone(), BATCH)
        };
        let mut behind = None;
        loop {
            let page = store.list(&query).await?;
            let items = page.items.into_iter();
            let items = items.map(|listed| (listed.key, listed.version));
            let (due, waiting): (Vec<_>, Vec<_>) =
                items.partition(|(_, version)| self.due(version) <= now);
            let waiting = waiting.iter().map(|(_, version)| version);
            let waiting = waiting.filter(|v| v.position.sequence() <= since.sequence());
            behind = earlier(behind, waiting.map(|version| self.due(version)).min());
            let refused = self.delete(store, due, now).await?;
            behind = earlier(behind, refused);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        self.behind = behind;
        Ok(())
    }

    fn due(&self, version: &Version) -> Timestamp {
        Timestamp(version.modified.0.saturating_add(self.drafts.age_ms))
    }

    fn changes(&self, since: Position) -> ChangesQuery {
        ChangesQuery {
            feed: Feed::Collection {
                collection: self.collection.clone(),
                scope: Scope::Below(ParentPath::top()),
                filters: vec![self.filter.clone()],
            },
            since,
            versions: false,
            limit: BATCH,
        }
    }

    /// Deletes these, each only if it still is what was seen. Where one can't be deleted, such as a parent whose
    /// children are in the way, it is tried again after as long as a draft is kept: when that is.
    async fn delete(
        &mut self,
        store: &dyn Store,
        mut due: Vec<(ResourceKey, Version)>,
        now: Timestamp,
    ) -> Result<Option<Timestamp>, WriteError> {
        let mut again = None;
        while !due.is_empty() {
            let Some(rejected) = self.write(store, &due).await? else {
                break;
            };
            if is_obstructed(&rejected) {
                again = Some(Timestamp(now.0.saturating_add(self.drafts.age_ms)));
            }
            due = without(due, &rejected);
        }
        self.behind = earlier(self.behind, again);
        Ok(again)
    }

    /// Deletes these in one commit; what was in the way, where it could not.
    async fn write(
        &mut self,
        store: &dyn Store,
        due: &[(ResourceKey, Version)],
    ) -> Result<Option<Rejected>, WriteError> {
        let operations = due.iter().map(deletion).collect();
        match store.write(Transaction::of(operations)).await? {
            Outcome::Rejected(rejected) => Ok(Some(rejected)),
            Outcome::Committed(committed) => {
                let applied = committed.applied.iter();
                let deleted = applied.filter(|applied| applied.effect == Effect::Deleted);
                self.deleted += u64::try_from(deleted.count()).unwrap_or(u64::MAX);
                Ok(None)
            }
            // Nothing was to be recorded.
            Outcome::Recorded(_) | Outcome::RecordMismatch => Ok(None),
        }
    }
}

fn deletion((key, version): &(ResourceKey, Version)) -> Operation {
    Operation {
        key: key.clone(),
        preconditions: Preconditions {
            if_match: Some(IfMatch::Tags(vec![version.entity_tag()])),
            ..Preconditions::default()
        },
        change: Change::Delete,
    }
}

/// Whether anything else was in the way than somebody who was faster.
fn is_obstructed(rejected: &Rejected) -> bool {
    let is_overtaken = |failure: &Failure| {
        matches!(
            failure,
            Failure::PreconditionFailed { .. } | Failure::NotFound
        )
    };
    let failures = rejected.failures.iter();
    failures
        .map(|(_, failure)| failure)
        .any(|f| !is_overtaken(f))
}

/// Those that could be deleted without the others.
fn without(due: Vec<(ResourceKey, Version)>, rejected: &Rejected) -> Vec<(ResourceKey, Version)> {
    let has_failed = |at: usize| rejected.failures.iter().any(|(failed, _)| *failed == at);
    let due = due.into_iter().enumerate();
    due.filter(|(at, _)| !has_failed(*at))
        .map(|(_, one)| one)
        .collect()
}

fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
