//! Pages of a collection: now or as of a position, in the order that [`plan`](crate::plan) rules.
//!
//! A page costs what it shows. Where a filter that no index carries hides most of what is walked,
//! the page ends early instead, with a cursor to go on from: [`EXAMINED_MAX`].
//!
//! * [`by_key`]: no index needed. * [`by_index`]: one index carries filter or sort.
//! * [`by_group`]: several sort keys. * [`by_text`]: words.

mod by_group;
mod by_index;
mod by_key;
mod by_text;
mod collect;
mod total;

use std::sync::Arc;

use rusqlite::Connection;

use self::collect::Collected;
use super::{
    super::{
        Shared,
        catalog::{Collection, IndexState},
    },
    snapshot::{Remembered, Snapshot},
    stretch::{self, Condition},
};
use crate::{Definition, ListQuery, Page, ReadError, plan};

/// The most resources that are looked at for one page.
const EXAMINED_MAX: usize = 5000;
/// A page of at most so many resources is read on the thread that asks.
const QUICK_ITEMS_MAX: usize = 128;

/// Whether a page takes microseconds, and so is best read on the thread that asks.
pub(in crate::embedded) fn is_quick(query: &ListQuery) -> bool {
    let is_plain = query.text.is_none() && query.sort.len() <= 1 && query.filters.len() <= 1;
    is_plain && query.at.is_none() && !query.total && query.limit.items <= QUICK_ITEMS_MAX
}

/// What a listing works on.
struct Listing<'q, 's> {
    query: &'q ListQuery,
    snapshot: &'s Snapshot<'s>,
    collection: Arc<Collection>,
    definition: Arc<Definition>,
    remembered: Remembered,
    /// As of this sequence; `None`: now.
    at: Option<u64>,
    /// Every filter, as stretches of its index's values.
    conditions: Vec<Condition>,
}

/// A page.
pub(in crate::embedded) fn list(
    db: &Connection,
    shared: &Shared,
    query: &ListQuery,
) -> Result<Page, ReadError> {
    let snapshot = Snapshot::begin(db, shared)?;
    let listing = Listing::new(query, &snapshot)?;
    let collected = listing.collect()?;
    let total = if query.total { listing.total()? } else { None };
    let position = query
        .at
        .unwrap_or_else(|| shared.lineage.position(listing.remembered.head));
    Ok(Page {
        items: collected.items,
        next: collected.next,
        position,
        total,
    })
}

impl<'q, 's> Listing<'q, 's> {
    fn new(query: &'q ListQuery, snapshot: &'s Snapshot<'s>) -> Result<Self, ReadError> {
        let undefined = || ReadError::CollectionNotDefined {
            collection: query.collection.clone(),
        };
        let collection = snapshot
            .collection(&query.collection)
            .ok_or_else(undefined)?;
        let definition = collection.definition.clone().unwrap_or_default();
        let names = plan::undeclared(query, &definition);
        if !names.is_empty() {
            return Err(ReadError::Undeclared {
                collection: query.collection.clone(),
                names,
            });
        }
        built(query, &collection)?;
        let remembered = snapshot.remembered(&collection)?;
        let asked = query
            .at
            .map(|at| snapshot.sequence_at(&remembered, at))
            .transpose()?;
        // Nothing changed since the newest change: a position after it shows what is now.
        let at = asked.filter(|sequence| *sequence < remembered.head);
        let conditions = stretch::conditions(&query.filters, &collection);
        Ok(Self {
            query,
            snapshot,
            collection,
            definition,
            remembered,
            at,
            conditions,
        })
    }

    fn collect(&self) -> Result<Collected, ReadError> {
        if let Some(words) = &self.query.text {
            return self.by_text(words);
        }
        let order = plan::order(self.query, &self.definition);
        match order.as_slice() {
            [] => self.by_key(),
            [key] if self.can_carry(key.index) => self.by_index(*key),
            [_] => self.by_key(),
            keys => self.by_group(keys),
        }
    }

    /// Whether an index knows what was so at the position that is asked for.
    fn can_carry(&self, index: usize) -> bool {
        let index = self.collection.indexes.get(index);
        index.is_some_and(|index| self.at.is_none_or(|at| at >= index.complete_from))
    }
}

/// Every index that is asked must be complete.
fn built(query: &ListQuery, collection: &Collection) -> Result<(), ReadError> {
    let filtered = query.filters.iter().map(|filter| filter.index.as_str());
    let sorted = query.sort.iter().map(|sort| sort.index.as_str());
    let asked = filtered
        .chain(sorted)
        .filter_map(|name| collection.index(name));
    let text = collection.text.iter().filter(|_| query.text.is_some());
    match asked
        .chain(text)
        .find(|index| index.state != IndexState::Ready)
    {
        Some(index) => Err(ReadError::IndexBuilding {
            collection: query.collection.clone(),
            index: if index.name.is_empty() {
                "q".to_owned()
            } else {
                index.name.clone()
            },
        }),
        None => Ok(()),
    }
}
