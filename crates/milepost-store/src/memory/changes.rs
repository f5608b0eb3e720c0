//! Changes by looking at every version: the page at each candidate end is made, and the last one
//! that fits is taken.

use std::sync::Arc;

use milepost_semantics::json;
use serde_json::Value;

use super::{
    listing::is_met,
    retention::Floors,
    table::{Row, Table},
};
use crate::{
    Changed, ChangesPage, ChangesQuery, CollectionPath, Definition, Feed, IndexFilter, ReadError,
    ResourceKey, SetDigest, Version,
    page_end::{Bounds, ends},
    plan,
};

/// A question, and what it is answered from.
struct Telling<'t> {
    table: &'t Table,
    query: &'t ChangesQuery,
    since: u64,
    head: u64,
    floors: Floors,
    bounds: Bounds,
    definition: Arc<Definition>,
    /// The versions after `since`, in the order of commits.
    rows: Vec<(&'t ResourceKey, &'t Row)>,
}

pub(super) fn changes(table: &Table, query: &ChangesQuery) -> Result<ChangesPage, ReadError> {
    let telling = Telling::new(table, query)?;
    let end = telling.end();
    let closed = end < telling.head;
    let whole = match &query.feed {
        Feed::Collection { collection, .. } if !closed && query.feed.is_whole_collection() => {
            Some(collection)
        }
        _ => None,
    };
    Ok(ChangesPage {
        items: telling.items(end),
        position: table.position(end),
        closed,
        immutable: closed
            && telling.is_settled()
            && !query.may_be_among_few()
            && telling.since >= telling.floors.history,
        oldest: table.position(telling.oldest()),
        digest: whole.map(|collection| digest(table, collection)),
    })
}

pub(super) fn tells(table: &Table, query: &ChangesQuery) -> bool {
    Telling::new(table, query).is_ok()
}

fn digest(table: &Table, collection: &CollectionPath) -> SetDigest {
    let mut digest = SetDigest::default();
    for (key, row) in table.live(collection) {
        digest.add(key, table.position(row.sequence));
    }
    digest
}

impl<'t> Telling<'t> {
    fn new(table: &'t Table, query: &'t ChangesQuery) -> Result<Self, ReadError> {
        let (floors, definition, head) = match &query.feed {
            Feed::Collection {
                collection,
                filters,
                ..
            } => {
                let (definition, head) = defined(table, collection)?;
                let names = filters.iter().map(|filter| &filter.index);
                let names = plan::undeclared_among(names, &definition);
                if !names.is_empty() {
                    return Err(ReadError::Undeclared {
                        collection: collection.clone(),
                        names,
                    });
                }
                (table.floors(collection), definition, head)
            }
            Feed::Everything => (highest_floors(table), Arc::default(), table.head),
        };
        let mut telling = Self {
            table,
            query,
            since: 0,
            head,
            floors,
            bounds: Bounds::of(query.limit, query.feed.is_partial()),
            definition,
            rows: Vec::new(),
        };
        let oldest = telling.oldest();
        let since = table
            .sequence(query.since)
            .filter(|since| *since >= oldest)
            .ok_or_else(|| ReadError::Expired {
                oldest: table.position(oldest),
            })?;
        telling.since = since;
        telling.head = head.max(since);
        telling.rows = rows_after(table, &query.feed, since);
        Ok(telling)
    }

    /// From where on the answer is complete.
    fn oldest(&self) -> u64 {
        let kept = if self.query.versions {
            self.floors.history.max(self.floors.tombstones)
        } else {
            self.floors.tombstones
        };
        match &self.query.feed {
            Feed::Collection {
                collection,
                filters,
                ..
            } => filters
                .iter()
                .filter_map(|filter| declared_at(self.table, collection, &filter.index))
                .fold(kept, u64::max),
            Feed::Everything => kept,
        }
    }

    fn end(&self) -> u64 {
        let Some((_, first)) = self.rows.first() else {
            return self.head;
        };
        if self.fits(self.head) {
            return self.head;
        }
        let mut ends = ends(first.sequence, self.head).rev();
        ends.find(|end| self.fits(*end)).unwrap_or(first.sequence)
    }

    /// Whether a closed page ends there for good: what is shown to later ends may become less, and so
    /// fit one day, but not what is looked at.
    fn is_settled(&self) -> bool {
        !self.is_looked_through(self.head)
    }

    fn is_looked_through(&self, end: u64) -> bool {
        self.until(end).count() <= self.bounds.examined
            && self.told_at(end).count() <= self.bounds.weighed
    }

    fn fits(&self, end: u64) -> bool {
        let items = self.items(end);
        let bytes: usize = items
            .iter()
            .map(|item| item.version.body.as_ref().map_or(0, bytes::Bytes::len))
            .sum();
        (self.is_looked_through(end) || (end == self.head && self.is_among_few()))
            && items.len() <= self.bounds.items
            && bytes <= self.bounds.bytes
    }

    /// Whether it is about one parent's children, of which there are few.
    fn is_among_few(&self) -> bool {
        let Feed::Collection { collection, .. } = &self.query.feed else {
            return false;
        };
        let Some(parent) = self.query.feed.parent().filter(|_| !self.query.versions) else {
            return false;
        };
        let rows = self.table.rows(collection);
        let newest = rows.filter(|(key, row)| key.parent == *parent && row.superseded.is_none());
        newest.count() <= self.bounds.weighed
    }

    fn until(&self, end: u64) -> impl Iterator<Item = &(&'t ResourceKey, &'t Row)> {
        self.rows.iter().filter(move |(_, row)| row.sequence <= end)
    }

    /// The versions that a page to `end` is about.
    fn told_at(&self, end: u64) -> impl Iterator<Item = &(&'t ResourceKey, &'t Row)> {
        self.until(end)
            .filter(move |(_, row)| self.query.versions || row.stands_at(end))
    }

    fn items(&self, end: u64) -> Vec<Changed> {
        self.told_at(end)
            .filter_map(|(key, row)| self.tell(key, row))
            .collect()
    }

    fn tell(&self, key: &ResourceKey, row: &Row) -> Option<Changed> {
        let version = self.table.version_of(row);
        let told = |version| {
            Some(Changed {
                key: key.clone(),
                version,
            })
        };
        let Feed::Collection { scope, filters, .. } = &self.query.feed else {
            return told(version);
        };
        if !scope.contains(&key.parent) {
            return None;
        }
        if filters.is_empty() || self.passes(filters, row) {
            return told(version);
        }
        let left = Version {
            body: None,
            ..version
        };
        self.was_held(key, row, filters)
            .then(|| told(left))
            .flatten()
    }

    /// Whether whoever follows holds, or may hold, an earlier version.
    fn was_held(&self, key: &ResourceKey, row: &Row, filters: &[IndexFilter]) -> bool {
        let rows = self.table.rows_of(key);
        let before = if self.query.versions {
            row.sequence.saturating_sub(1)
        } else {
            self.since
        };
        match rows.iter().find(|earlier| earlier.stands_at(before)) {
            Some(earlier) => self.passes(filters, earlier),
            None => rows
                .iter()
                .find(|later| later.sequence > before)
                .is_some_and(|later| later.replaced.is_some()),
        }
    }

    fn passes(&self, filters: &[IndexFilter], row: &Row) -> bool {
        let value: Option<Value> = row
            .body
            .as_deref()
            .and_then(|body| json::parse(body, json::Limits::default()).ok());
        value.is_some_and(|value| {
            filters
                .iter()
                .all(|filter| is_met(filter, &self.definition, &value))
        })
    }
}

/// What is declared about a collection that has a feed, and its head.
fn defined(
    table: &Table,
    collection: &CollectionPath,
) -> Result<(Arc<Definition>, u64), ReadError> {
    let defined = table
        .defined(collection)
        .filter(|_| *collection != CollectionPath::transactions())
        .ok_or_else(|| ReadError::CollectionNotDefined {
            collection: collection.clone(),
        })?;
    let head = table.newest_change(collection, &defined);
    Ok((defined.definition, head))
}

/// From which commit on an index has stood for what it stands for now.
fn declared_at(table: &Table, collection: &CollectionPath, index: &str) -> Option<u64> {
    let declared = table
        .declared
        .get(&(collection.clone(), index.to_owned()))?;
    declared.last().map(|(sequence, _)| *sequence)
}

fn highest_floors(table: &Table) -> Floors {
    let told = table
        .floors
        .iter()
        .filter(|(collection, _)| **collection != CollectionPath::transactions());
    told.fold(Floors::default(), |highest, (_, floors)| Floors {
        history: highest.history.max(floors.history),
        tombstones: highest.tombstones.max(floors.tombstones),
    })
}

fn rows_after<'t>(table: &'t Table, feed: &Feed, since: u64) -> Vec<(&'t ResourceKey, &'t Row)> {
    let is_told = |key: &ResourceKey| match feed {
        Feed::Collection { collection, .. } => key.collection == *collection,
        Feed::Everything => key.collection != CollectionPath::transactions(),
    };
    let mut rows: Vec<(&ResourceKey, &Row)> = table
        .resources
        .iter()
        .filter(|(key, _)| is_told(key))
        .flat_map(|(key, rows)| rows.iter().map(move |row| (key, row)))
        .filter(|(_, row)| row.sequence > since)
        .collect();
    rows.sort_by_key(|(_, row)| (row.sequence, row.place));
    rows
}
