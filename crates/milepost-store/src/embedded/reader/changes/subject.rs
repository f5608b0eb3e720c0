//! What a feed is about: one collection, as it is filtered, or all of them; and from where on it is
//! remembered.

use std::{collections::HashMap, sync::Arc};

use crate::{
    CollectionPath, Definition, IndexFilter, ReadError, Scope, SetDigest, TRANSACTIONS,
    embedded::{
        catalog::{Collection, IndexState},
        reader::{
            snapshot::{Remembered, Snapshot},
            stretch::{self, Condition},
            unavailable,
        },
        rows::unsigned,
        schema,
    },
    plan,
};

/// See the module.
pub(super) enum Subject<'q> {
    One(One<'q>),
    Every(Every),
}

/// One collection, or a part of it.
pub(super) struct One<'q> {
    pub(super) collection: Arc<Collection>,
    pub(super) scope: &'q Scope,
    /// Every filter, as stretches of its index's values.
    pub(super) conditions: Vec<Condition>,
    /// The commit that declared the youngest index that is filtered by.
    declared: u64,
    is_whole: bool,
    remembered: Remembered,
}

/// Every collection that has a feed.
pub(super) struct Every {
    pub(super) collections: HashMap<i64, Described>,
    head: u64,
    floors: Floors,
}

/// What is known of one of many collections.
pub(super) struct Described {
    pub(super) path: CollectionPath,
    pub(super) floors: Floors,
}

/// From where on a collection is remembered, by sequences.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::embedded) struct Floors {
    /// The oldest sequence whose snapshot is complete.
    pub(in crate::embedded) history: u64,
    /// The oldest sequence since which the changes are complete.
    pub(in crate::embedded) tombstones: u64,
}

impl Floors {
    /// From where on nothing of either is missing.
    pub(super) fn max(self, other: Self) -> Self {
        Self {
            history: self.history.max(other.history),
            tombstones: self.tombstones.max(other.tombstones),
        }
    }

    /// From where on changes are complete, or every version is.
    pub(super) fn oldest(self, versions: bool) -> u64 {
        if versions {
            self.history.max(self.tombstones)
        } else {
            self.tombstones
        }
    }
}

impl<'q> Subject<'q> {
    pub(super) fn one(
        snapshot: &Snapshot<'_>,
        path: &CollectionPath,
        scope: &'q Scope,
        filters: &'q [IndexFilter],
    ) -> Result<Self, ReadError> {
        let collection = snapshot
            .collection(path)
            .filter(|_| path.as_str() != TRANSACTIONS)
            .ok_or_else(|| ReadError::CollectionNotDefined {
                collection: path.clone(),
            })?;
        let declared = declared_at(&collection, filters)?;
        Ok(Self::One(One {
            remembered: snapshot.remembered(&collection)?,
            conditions: stretch::conditions(filters, &collection),
            is_whole: filters.is_empty() && scope.is_whole(path),
            scope,
            declared,
            collection,
        }))
    }

    pub(super) fn every(snapshot: &Snapshot<'_>) -> Result<Self, ReadError> {
        let collections = described(snapshot).map_err(unavailable)?;
        let floors = collections.values().map(|described| described.floors);
        let floors = floors.fold(Floors::default(), Floors::max);
        Ok(Self::Every(Every {
            head: schema::head(&snapshot.db).map_err(unavailable)?,
            collections,
            floors,
        }))
    }

    pub(super) fn head(&self) -> u64 {
        match self {
            Self::One(one) => one.remembered.head,
            Self::Every(every) => every.head,
        }
    }

    /// Whether nothing of what it is about is hidden.
    pub(super) fn is_whole(&self) -> bool {
        match self {
            Self::One(one) => one.is_whole,
            Self::Every(_) => true,
        }
    }

    /// The collection of this number, if it is told of.
    pub(super) fn path_of(&self, number: i64) -> Option<&CollectionPath> {
        match self {
            Self::One(one) => (one.collection.collection == number).then_some(&one.collection.path),
            Self::Every(every) => every.collections.get(&number).map(|found| &found.path),
        }
    }

    /// The oldest sequence whose snapshot is complete, of each collection.
    pub(super) fn history_floors(&self) -> Vec<(i64, u64)> {
        match self {
            Self::One(one) => {
                let floor = one.remembered.counters.history_floor;
                vec![(one.collection.collection, floor)]
            }
            Self::Every(every) => {
                let floors = every.collections.iter();
                floors
                    .map(|(number, found)| (*number, found.floors.history))
                    .collect()
            }
        }
    }

    pub(super) fn floors(&self) -> Floors {
        match self {
            Self::One(one) => Floors {
                history: one.remembered.counters.history_floor,
                tombstones: one.remembered.counters.tombstone_floor,
            },
            Self::Every(every) => every.floors,
        }
    }

    /// From where on the answer is complete.
    pub(super) fn oldest(&self, versions: bool) -> u64 {
        let kept = self.floors().oldest(versions);
        match self {
            Self::One(one) => kept.max(one.declared),
            Self::Every(_) => kept,
        }
    }

    /// Of all that is there now.
    pub(super) fn digest(&self) -> Option<SetDigest> {
        match self {
            Self::One(one) => Some(one.remembered.counters.digest).filter(|_| one.is_whole),
            Self::Every(_) => None,
        }
    }
}

/// The commit that declared the youngest of the indexes that are filtered by: what one of that name
/// was before says nothing about who holds what. Each must be declared and complete.
pub(super) fn declared_at(
    collection: &Collection,
    filters: &[IndexFilter],
) -> Result<u64, ReadError> {
    if filters.is_empty() {
        return Ok(0);
    }
    let none = Definition::default();
    let definition = collection.definition.as_deref().unwrap_or(&none);
    let names = filters.iter().map(|filter| &filter.index);
    let names = plan::undeclared_among(names, definition);
    if !names.is_empty() {
        return Err(ReadError::Undeclared {
            collection: collection.path.clone(),
            names,
        });
    }
    let mut declared = 0;
    let indexes = filters
        .iter()
        .filter_map(|filter| collection.index(&filter.index));
    for index in indexes {
        if index.state != IndexState::Ready {
            return Err(ReadError::IndexBuilding {
                collection: collection.path.clone(),
                index: index.name.clone(),
            });
        }
        declared = declared.max(index.declared);
    }
    Ok(declared)
}

fn described(snapshot: &Snapshot<'_>) -> rusqlite::Result<HashMap<i64, Described>> {
    snapshot
        .db
        .prepare_cached("SELECT collection, name, history_floor, tombstone_floor FROM collections")?
        .query_map([], |row| {
            let floors = Floors {
                history: unsigned(row.get(2)?),
                tombstones: unsigned(row.get(3)?),
            };
            let name: String = row.get(1)?;
            let described = CollectionPath::parse(&name).map(|path| Described { path, floors });
            Ok((row.get(0)?, described))
        })?
        .filter_map(|found| match found {
            Ok((number, described)) => described
                .filter(|described| described.path.as_str() != TRANSACTIONS)
                .map(|described| Ok((number, described))),
            Err(error) => Some(Err(error)),
        })
        .collect()
}
