//! What of a page of changes is told to a reader who may not see all.
//!
//! A reader who was told everything up to `since` holds what it could read then. So a page tells
//! - what it may read as of the page's end;
//! - to forget what it may not, or what is gone: only where it could read it as of `since`, by what the resource was
//!   then, and the feed's filter showed it. What it could never read is never told, deleted or not. Where what was at `since` is no longer known,
//!   nothing can be told: the position is expired, whether or not there was anything to tell.
//!
//! What is to be forgotten comes last, in the order of names and at the position of the page's end: when it was hidden, and
//! whether it was deleted, shows in nothing. Of every version in order (`versions=all`) it is told with the version that
//! took it from sight.
//!
//! A page that would end in between ends where more is told: hidden changes make no pages of their own, up to
//! [`PAGES_MAX`] of them.

use std::collections::{BTreeMap, HashMap};

use milepost_semantics::{Position, index::IndexValue};
use milepost_store::{
    Changed, ChangesPage, ChangesQuery, CollectionPath, Definition, Feed, PageLimit, ReadError,
    ResourceKey, Version, decision::parse_stored,
};

use crate::{
    identity::Subject,
    rules::{Seen, Sightline},
    service::Shared,
};

/// The most pages of the store's that are looked through for one of the reader's: what else is hidden is another's.
const PAGES_MAX: usize = 64;

/// Whom a page is for.
#[derive(Clone, Copy)]
pub(super) struct Reader<'r> {
    pub(super) shared: &'r Shared,
    pub(super) seen: &'r Seen,
    pub(super) subject: &'r Subject,
}

/// The page after the question's position.
pub(super) async fn page(
    reader: Reader<'_>,
    query: &ChangesQuery,
) -> Result<ChangesPage, ReadError> {
    let head = reader.shared.store.head();
    let floor = reader.floor(query).await?;
    let mut telling = Telling::new(reader, query);
    let mut since = query.since;
    let mut looked = 1;
    let mut page = reader.next(query, since, telling.room()).await?;
    // Nothing was told behind a page that was full: that is asked once.
    let mut is_quiet = false;
    loop {
        telling.take(&page.items).await?;
        since = page.position;
        let is_full = telling.is_full() && !is_quiet;
        let is_enough = is_full && reader.tells_more(query, since).await?;
        is_quiet |= is_full && !is_enough;
        if !page.closed || is_enough || looked == PAGES_MAX {
            break;
        }
        looked += 1;
        page = reader.next(query, since, telling.room()).await?;
    }
    let closed = page.closed;
    let position = if closed {
        page.position
    } else {
        later(page.position, head)
    };
    let items = telling.finish(position).await?;
    Ok(ChangesPage {
        items,
        position,
        closed,
        immutable: false,
        oldest: floor.map_or(page.oldest, |floor| later(floor, page.oldest)),
        digest: None,
    })
}

fn later(one: Position, other: Position) -> Position {
    if one.sequence() < other.sequence() {
        other
    } else {
        one
    }
}

impl Reader<'_> {
    /// The oldest position as of which it is known what the reader could see.
    async fn floor(&self, query: &ChangesQuery) -> Result<Option<Position>, ReadError> {
        let mut floor: Option<Position> = None;
        let one = match &query.feed {
            Feed::Collection { collection, .. } => Some(collection),
            Feed::Everything => None,
        };
        for collection in one.into_iter().chain(self.seen.judged()) {
            let state = self.shared.store.collection(collection).await?;
            if let Some(state) = state {
                let known = state.oldest_snapshot;
                floor = Some(floor.map_or(known, |floor| later(floor, known)));
            }
        }
        match floor {
            Some(oldest) if query.since.sequence() < oldest.sequence() => {
                Err(ReadError::Expired { oldest })
            }
            floor => Ok(floor),
        }
    }

    async fn next(
        &self,
        query: &ChangesQuery,
        since: Position,
        limit: PageLimit,
    ) -> Result<std::sync::Arc<ChangesPage>, ReadError> {
        let query = ChangesQuery {
            since,
            limit,
            ..query.clone()
        };
        self.shared.store.changes(&query).await
    }

    /// Whether anything is told after a position.
    async fn tells_more(&self, query: &ChangesQuery, since: Position) -> Result<bool, ReadError> {
        let mut since = since;
        for _ in 0..PAGES_MAX {
            let page = self.next(query, since, query.limit).await?;
            let of_page = ChangesQuery {
                since,
                ..query.clone()
            };
            let mut telling = Telling::new(*self, &of_page);
            telling.take(&page.items).await?;
            if !telling.finish(page.position).await?.is_empty() {
                return Ok(true);
            }
            if !page.closed {
                return Ok(false);
            }
            since = page.position;
        }
        Ok(true)
    }
}

/// A page that is being made.
struct Telling<'r> {
    reader: Reader<'r>,
    query: &'r ChangesQuery,
    /// What is told, by when it comes.
    told: BTreeMap<usize, Changed>,
    bytes: usize,
    /// Of the state at the page's end: where each resource's newest version stands among what is told.
    places: HashMap<ResourceKey, usize>,
    /// Of the state at the page's end: what is there, but not to be seen, or gone.
    lost: BTreeMap<ResourceKey, Version>,
    /// Of every version: whether what came before was seen.
    was_seen: HashMap<ResourceKey, bool>,
    /// What was seen at `since` of collections that are no longer defined.
    lines: HashMap<CollectionPath, Sightline>,
    next: usize,
}

impl<'r> Telling<'r> {
    fn new(reader: Reader<'r>, query: &'r ChangesQuery) -> Self {
        Self {
            reader,
            query,
            told: BTreeMap::new(),
            bytes: 0,
            places: HashMap::new(),
            lost: BTreeMap::new(),
            was_seen: HashMap::new(),
            lines: HashMap::new(),
            next: 0,
        }
    }

    fn is_full(&self) -> bool {
        let PageLimit { items, bytes } = self.query.limit;
        self.told.len() >= items || self.bytes >= bytes
    }

    /// What is left of the page; as much again, where it is full and nothing more is told.
    fn room(&self) -> PageLimit {
        let PageLimit { items, bytes } = self.query.limit;
        if self.is_full() {
            return self.query.limit;
        }
        PageLimit {
            items: items.saturating_sub(self.told.len()).max(1),
            bytes: bytes.saturating_sub(self.bytes).max(1),
        }
    }

    async fn take(&mut self, items: &[Changed]) -> Result<(), ReadError> {
        for changed in items {
            let line = self.line(&changed.key.collection).await?;
            let is_seen = line.shows_version(&changed.key, &changed.version);
            if self.query.versions {
                self.take_version(changed, &line, is_seen).await?;
            } else {
                self.take_state(changed, is_seen);
            }
        }
        Ok(())
    }

    fn take_state(&mut self, changed: &Changed, is_seen: bool) {
        self.lost.remove(&changed.key);
        if let Some(place) = self.places.remove(&changed.key) {
            self.told.remove(&place);
        }
        if is_seen {
            self.places.insert(changed.key.clone(), self.next);
            self.tell(changed.clone());
        } else {
            self.lost
                .insert(changed.key.clone(), changed.version.clone());
        }
    }

    async fn take_version(
        &mut self,
        changed: &Changed,
        line: &Sightline,
        is_seen: bool,
    ) -> Result<(), ReadError> {
        let before = match self.was_seen.get(&changed.key) {
            Some(before) => *before,
            None => self.could_see(&changed.key, line).await?,
        };
        self.was_seen.insert(changed.key.clone(), is_seen);
        if is_seen {
            self.tell(changed.clone());
        } else if before {
            self.tell(forgotten(changed.key.clone(), changed.version.clone()));
        }
        Ok(())
    }

    fn tell(&mut self, changed: Changed) {
        self.bytes += changed.version.body.as_ref().map_or(0, bytes::Bytes::len);
        self.told.insert(self.next, changed);
        self.next += 1;
    }

    /// What is seen of a collection: of one that is no longer defined, what was seen at `since`.
    async fn line(&mut self, collection: &CollectionPath) -> Result<Sightline, ReadError> {
        if let Some(line) = self.reader.seen.line(collection) {
            return Ok(line.clone());
        }
        if let Some(line) = self.lines.get(collection) {
            return Ok(line.clone());
        }
        let line = self.line_then(collection).await?;
        self.lines.insert(collection.clone(), line.clone());
        Ok(line)
    }

    async fn line_then(&self, collection: &CollectionPath) -> Result<Sightline, ReadError> {
        let Some(key) = ResourceKey::definition(collection) else {
            return Ok(Sightline::Nothing);
        };
        let store = &self.reader.shared.store;
        let version = store.read(&key, Some(self.query.since)).await?;
        let body = version.and_then(|version| version.body);
        let value = body.and_then(|body| serde_json::from_slice(&body).ok());
        let definition = value.and_then(|value| Definition::parse(&value).ok());
        Ok(definition.map_or(Sightline::Nothing, |definition| {
            Sightline::of(&definition, self.reader.subject)
        }))
    }

    /// Whether the reader could see a resource as of `since`.
    async fn could_see(&self, key: &ResourceKey, line: &Sightline) -> Result<bool, ReadError> {
        match line {
            // Forgetting what was never held is harmless where nothing is hidden.
            Sightline::Open | Sightline::Whole => return Ok(true),
            Sightline::Nothing => return Ok(false),
            Sightline::Each(..) => {}
        }
        let then = self.reader.shared.store.read(key, Some(self.query.since));
        let then = then.await?;
        Ok(then.is_some_and(|then| line.shows_version(key, &then) && self.passed(key, &then)))
    }

    /// Whether a version passes the feed's filter: what is hidden now must not show by passing it.
    fn passed(&self, key: &ResourceKey, then: &Version) -> bool {
        let Feed::Collection { filters, .. } = &self.query.feed else {
            return true;
        };
        if filters.is_empty() {
            return true;
        }
        let definitions = self.reader.shared.store.definitions();
        let (Some(defined), Some(body)) = (definitions.of(&key.collection), &then.body) else {
            return false;
        };
        let value = parse_stored(body);
        filters.iter().all(|filter| {
            let index = defined.definition.index(&filter.index);
            index.is_some_and(|index| {
                let value = IndexValue::from_json(index.pointer.resolve(&value));
                filter.matches(&value.unwrap_or(IndexValue::OTHER))
            })
        })
    }

    async fn finish(mut self, position: Position) -> Result<Vec<Changed>, ReadError> {
        let lost = std::mem::take(&mut self.lost);
        let mut forgotten_last = Vec::new();
        for (key, version) in lost {
            let line = self.line(&key.collection).await?;
            if self.could_see(&key, &line).await? {
                let version = Version {
                    position,
                    ..version
                };
                forgotten_last.push(forgotten(key, version));
            }
        }
        let mut items: Vec<Changed> = self.told.into_values().collect();
        items.append(&mut forgotten_last);
        Ok(items)
    }
}

fn forgotten(key: ResourceKey, mut version: Version) -> Changed {
    version.body = None;
    Changed { key, version }
}
