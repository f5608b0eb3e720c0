//! The drafts of one collection, in the order in which they were last written.
//!
//! A trail begins with a listing of the drafts by their index, and goes on in the feed from before the oldest of them that isn't
//! due. The feed of what is a draft tells each where it was last changed, so what lies behind the bookmark needs no second
//! look. What the feed doesn't remember is listed again whenever one of it is due, and so is what a clock dated ahead.

use milepost_semantics::{
    Position,
    index::{Comparison, Filter, IndexValue},
};
use milepost_store::{
    ChangesQuery, CollectionPath, Effect, Feed, IndexFilter, ListQuery, Outcome, PageLimit,
    ParentPath, ReadError, Rejected, ResourceKey, Scope, Store, Timestamp, Transaction, Version,
    definition::{Defined, Drafts},
};
use serde_json::Value;

use super::{
    Interrupted, deletion,
    listed::{Listed, earlier},
};

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
    /// When everything that was due was deleted last.
    looked: Timestamp,
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
            behind: None,
            ahead: AT_ONCE,
            looked: AT_ONCE,
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

    /// Whether there is nothing to look for: nothing is due by this clock, and it has not been set since.
    pub(super) fn may_rest(&self, now: Timestamp, look_max_ms: u64) -> bool {
        let again = Timestamp(self.looked.0.saturating_add(look_max_ms));
        self.since.is_some() && self.next() > now && self.looked <= now && now < again
    }

    /// Deletes everything that is due.
    pub(super) async fn follow(
        &mut self,
        store: &dyn Store,
        now: Timestamp,
    ) -> Result<(), Interrupted> {
        loop {
            let since = match self.since {
                None => self.begin(store, now).await?,
                Some(since) => since,
            };
            if self.behind.is_some_and(|due| due <= now) {
                let listed = self.list(store, now).await?;
                self.behind = listed.due_up_to(Some(since));
            }
            match self.page(store, since, now).await {
                Ok(true) => break,
                Ok(false) => {}
                // What lies between is no longer told: it is listed.
                Err(Interrupted::Read(ReadError::Expired { oldest })) => {
                    (self.since, self.behind) = (Some(oldest), Some(AT_ONCE));
                }
                Err(interrupted) => return Err(interrupted),
            }
        }
        self.looked = now;
        Ok(())
    }

    /// Begins before the oldest draft that waits, so that nothing is read but drafts.
    async fn begin(&mut self, store: &dyn Store, now: Timestamp) -> Result<Position, Interrupted> {
        let listed = self.list(store, now).await?;
        let first = listed
            .waiting
            .iter()
            .map(|(position, _)| position.sequence());
        let before = first
            .min()
            .and_then(|first| store.at(first.saturating_sub(1)));
        let begun = before
            .filter(|before| before.sequence() < listed.position.sequence())
            .unwrap_or(listed.position);
        self.behind = listed.due_up_to(None);
        self.since = Some(begun);
        Ok(begun)
    }

    /// Takes one page of the feed; whether there is nothing more that is due.
    async fn page(
        &mut self,
        store: &dyn Store,
        since: Position,
        now: Timestamp,
    ) -> Result<bool, Interrupted> {
        let page = store.changes(&self.changes(since)).await?;
        let mut due = Vec::new();
        let mut waiting = None;
        for item in page.items.iter().filter(|item| !item.version.is_deleted()) {
            let version = &item.version;
            if self.due(version) <= now {
                due.push((item.key.clone(), version.clone()));
            } else if version.modified > now {
                // By a clock that was ahead: nobody waits for it.
                self.behind = earlier(self.behind, Some(self.due(version)));
            } else {
                waiting = Some((self.due(version), version.position.sequence()));
                break;
            }
        }
        let again = self.delete(store, &due, now).await?;
        self.behind = earlier(self.behind, again);
        let Some((due, first)) = waiting else {
            self.since = Some(page.position);
            // Whatever is written from now on is due no earlier.
            self.ahead = Timestamp(now.0.saturating_add(self.drafts.age_ms));
            return Ok(!page.closed);
        };
        self.ahead = due;
        // One commit may have written several: the bookmark never stands within it.
        let before = store.at(first.saturating_sub(1));
        let is_further = |before: &Position| before.sequence() > since.sequence();
        self.since = before.filter(is_further).or(self.since);
        Ok(true)
    }

    /// Takes all drafts there are, deletes those that are due, and says what waits.
    async fn list(&mut self, store: &dyn Store, now: Timestamp) -> Result<Listed, Interrupted> {
        let mut query = ListQuery {
            filters: vec![self.filter.clone()],
            ..ListQuery::all(self.collection.clone(), BATCH)
        };
        let mut listed: Option<Listed> = None;
        loop {
            let page = store.list(&query).await?;
            // What is written while this goes on is told from the first page's position on.
            let listed = listed.get_or_insert_with(|| Listed::at(page.position));
            let items = page.items.into_iter();
            let items = items.map(|item| (item.key, item.version));
            let (due, waiting): (Vec<_>, Vec<_>) =
                items.partition(|(_, version)| self.due(version) <= now);
            for (_, version) in &waiting {
                listed.waits(version, self.due(version), now);
            }
            let refused = self.delete(store, &due, now).await?;
            listed.apart = earlier(listed.apart, refused);
            match page.next {
                Some(next) => query.after = Some(next),
                None => break,
            }
        }
        Ok(listed.expect("a page was read"))
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

    /// Deletes these, each only if it still is what was seen, and all only while the definition stands that says so. Where
    /// one can't be deleted, such as a parent whose children are in the way, it is tried again after as long as a draft is kept:
    /// when that is.
    async fn delete(
        &mut self,
        store: &dyn Store,
        due: &[(ResourceKey, Version)],
        now: Timestamp,
    ) -> Result<Option<Timestamp>, Interrupted> {
        let mut again = None;
        for batch in due.chunks(BATCH.items) {
            if self.delete_batch(store, batch.to_vec()).await? {
                again = Some(Timestamp(now.0.saturating_add(self.drafts.age_ms)));
            }
        }
        Ok(again)
    }

    /// The same of few at a time; whether something is in the way of one.
    async fn delete_batch(
        &mut self,
        store: &dyn Store,
        mut batch: Vec<(ResourceKey, Version)>,
    ) -> Result<bool, Interrupted> {
        let mut is_put_off = false;
        while !batch.is_empty() {
            let Some(rejected) = self.write(store, &batch).await? else {
                break;
            };
            is_put_off |= deletion::is_obstructed(&rejected);
            batch = deletion::without(batch, &rejected)?;
        }
        Ok(is_put_off)
    }

    /// Deletes these in one commit; what was in the way, where it could not.
    async fn write(
        &mut self,
        store: &dyn Store,
        due: &[(ResourceKey, Version)],
    ) -> Result<Option<Rejected>, Interrupted> {
        let ordered = deletion::ordered(&self.collection, self.defined);
        let ordered = ordered.ok_or(Interrupted::Redefined)?;
        let operations = [ordered].into_iter().chain(due.iter().map(deletion::of));
        match store.write(Transaction::of(operations.collect())).await? {
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
