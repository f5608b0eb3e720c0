//! The collections of a store with their indexes: read when it is opened, and from then on changed
//! by the writer alone, who publishes it as an immutable value.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use foldhash::fast::RandomState;
use milepost_semantics::JsonPointer;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::Value;

use super::rows::{sequence_of, signed, unsigned};
use crate::{COLLECTIONS, CollectionPath, Definition, SetDigest, definition::Index};

/// How far an index is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum IndexState {
    /// Maintained by every write, but without some of the older resources.
    Building,
    /// Complete.
    Ready,
    /// No longer declared; its rows are being taken away.
    Dropped,
}

/// An index as it lies on disk.
#[derive(Clone, Debug)]
pub(super) struct StoredIndex {
    pub(super) index_id: i64,
    /// Empty for the text index.
    pub(super) name: String,
    pub(super) pointer: String,
    pub(super) state: IndexState,
    /// From this commit on it knows which values were left when.
    pub(super) complete_from: u64,
    /// The commit that declared it.
    pub(super) declared: u64,
}

/// A collection's counters, which the writer keeps and every commit stores.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    pub(super) live: u64,
    /// Snapshots at positions before this one are no longer complete.
    pub(super) history_floor: u64,
    /// The last row whose predecessor was looked at.
    pub(super) history_cursor: i64,
    /// The last row whose predecessor, if it was forgotten, has gone from the log too.
    pub(super) log_cursor: i64,
    pub(super) history_count: u64,
    pub(super) history_bytes: u64,
    /// Changes since positions before this one are no longer complete.
    pub(super) tombstone_floor: u64,
    pub(super) tombstone_cursor: i64,
    pub(super) tombstone_count: u64,
    /// Of what is there now; kept for collections that have a feed.
    pub(super) digest: SetDigest,
}

/// What the store knows of one collection.
#[derive(Clone, Debug)]
pub(super) struct Collection {
    pub(super) collection: i64,
    pub(super) path: CollectionPath,
    /// What is declared; `None` for the service's own collections and after a definition was deleted.
    pub(super) definition: Option<Arc<Definition>>,
    /// The commit that declared it.
    pub(super) defined_at: u64,
    /// Ready and building ones, in the definition's order.
    pub(super) indexes: Vec<StoredIndex>,
    /// The text index, if text is declared.
    pub(super) text: Option<StoredIndex>,
    /// How far it is; the same value in every version of the catalog.
    pub(super) marks: Arc<Marks>,
}

/// How far a collection is, for questions that need no more than that.
///
/// The writer moves a mark after the commit that moves it, and before anybody is told.
#[derive(Debug, Default)]
pub(super) struct Marks {
    head: AtomicU64,
    history_floor: AtomicU64,
    tombstone_floor: AtomicU64,
    newest: RwLock<Newest>,
}

/// A collection's head, and the digest of what is there then.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Newest {
    pub(super) head: u64,
    pub(super) digest: SetDigest,
}

impl Marks {
    /// The commit that last changed the collection.
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// See [`Counters::history_floor`].
    pub(super) fn history_floor(&self) -> u64 {
        self.history_floor.load(Ordering::Acquire)
    }

    /// See [`Counters::tombstone_floor`].
    pub(super) fn tombstone_floor(&self) -> u64 {
        self.tombstone_floor.load(Ordering::Acquire)
    }

    /// Head and digest, of one moment.
    pub(super) fn newest(&self) -> Newest {
        *self.newest.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Moves the marks on; none ever moves back.
    pub(super) fn advance(&self, head: u64, counters: &Counters) {
        self.history_floor
            .fetch_max(counters.history_floor, Ordering::AcqRel);
        self.tombstone_floor
            .fetch_max(counters.tombstone_floor, Ordering::AcqRel);
        // What was forgotten may have been the newest.
        let head = head
            .max(counters.history_floor)
            .max(counters.tombstone_floor);
        let before = self.head.fetch_max(head, Ordering::AcqRel);
        *self.newest.write().unwrap_or_else(PoisonError::into_inner) = Newest {
            head: before.max(head),
            digest: counters.digest,
        };
    }
}

impl Collection {
    /// The stored index for a declared one.
    pub(super) fn index(&self, name: &str) -> Option<&StoredIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }
}

/// Every collection that ever was, by name.
#[derive(Clone, Debug, Default)]
pub(super) struct Catalog {
    collections: HashMap<CollectionPath, Arc<Collection>, RandomState>,
    /// Counts the commits that changed it: a view of the database has the catalog of the same number.
    pub(super) generation: i64,
}

impl Catalog {
    pub(super) fn of(&self, path: &CollectionPath) -> Option<&Arc<Collection>> {
        self.collections.get(path)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Arc<Collection>> {
        self.collections.values()
    }

    pub(super) fn put(&mut self, collection: Collection) {
        self.collections
            .insert(collection.path.clone(), Arc::new(collection));
    }

    /// Reads everything. Costs what the definitions cost, not what the resources do.
    pub(super) fn load(db: &Connection) -> rusqlite::Result<Self> {
        let mut catalog = Self {
            generation: generation(db)?,
            ..Self::default()
        };
        let mut statement = db.prepare("SELECT collection, name FROM collections")?;
        let found = statement.query_map([], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, String>(1)?))
        })?;
        for found in found {
            let (collection, name) = found?;
            if let Some(path) = CollectionPath::parse(&name) {
                catalog.put(load_collection(db, collection, path)?);
            }
        }
        Ok(catalog)
    }
}

/// The generation of the catalog that belongs to what `db` shows.
pub(super) fn generation(db: &Connection) -> rusqlite::Result<i64> {
    let kept = db
        .prepare_cached("SELECT value FROM meta WHERE name = 'catalog'")?
        .query_row([], |row| row.get(0))
        .optional()?;
    Ok(kept.unwrap_or(0))
}

fn load_collection(
    db: &Connection,
    collection: i64,
    path: CollectionPath,
) -> rusqlite::Result<Collection> {
    let (definition, defined_at) = load_definition(db, &path)?;
    let stored = load_indexes(db, collection)?;
    let text = stored.iter().find(|index| index.name.is_empty()).cloned();
    let declared = definition
        .as_ref()
        .map_or(&[][..], |definition| &definition.indexes);
    let indexes = declared
        .iter()
        .filter_map(|index| matching(&stored, index).cloned())
        .collect();
    let counters = Counters::load(db, collection)?;
    let marks = Marks::default();
    marks.advance(newest(db, collection)?.max(defined_at), &counters);
    Ok(Collection {
        collection,
        path,
        definition,
        defined_at,
        indexes,
        text,
        marks: Arc::new(marks),
    })
}

/// The commit that last wrote what is still there of a collection.
pub(super) fn newest(db: &Connection, collection: i64) -> rusqlite::Result<u64> {
    let newest: Option<i64> = db
        .prepare_cached("SELECT max(row) FROM log WHERE collection = ?1")?
        .query_row([collection], |row| row.get(0))?;
    Ok(newest.map_or(0, sequence_of))
}

/// The stored index that serves a declared one.
pub(super) fn matching<'s>(stored: &'s [StoredIndex], declared: &Index) -> Option<&'s StoredIndex> {
    let pointer = declared.pointer.to_string();
    stored
        .iter()
        .find(|index| index.name == declared.name && index.pointer == pointer)
}

/// What the text index's `pointer` column says.
pub(super) fn text_pointer(pointers: &[JsonPointer]) -> String {
    pointers
        .iter()
        .map(|pointer| Value::from(pointer.to_string()))
        .collect::<Value>()
        .to_string()
}

fn load_definition(
    db: &Connection,
    path: &CollectionPath,
) -> rusqlite::Result<(Option<Arc<Definition>>, u64)> {
    let found = db
        .query_row(
            "SELECT v.row, v.body FROM keys k JOIN versions v ON v.row = k.row
             WHERE k.collection = (SELECT collection FROM collections WHERE name = ?1)
               AND k.live = 1 AND k.parent = '' AND k.id = ?2",
            params![COLLECTIONS, path.as_str()],
            |row| Ok((row.get::<_, i64>(0)?, row.get::<_, Vec<u8>>(1)?)),
        )
        .optional()?;
    let Some((row, body)) = found else {
        return Ok((None, 0));
    };
    let value =
        milepost_semantics::json::parse(&body, milepost_semantics::json::Limits::default()).ok();
    let definition = value.and_then(|value| Definition::parse(&value).ok());
    Ok((definition.map(Arc::new), sequence_of(row)))
}

pub(super) fn load_indexes(db: &Connection, collection: i64) -> rusqlite::Result<Vec<StoredIndex>> {
    db.prepare_cached(
        "SELECT index_id, name, pointer, state, complete_from, declared FROM indexes WHERE collection = ?1 AND state < 2",
    )?
    .query_map([collection], |row| {
        Ok(StoredIndex {
            index_id: row.get(0)?,
            name: row.get(1)?,
            pointer: row.get(2)?,
            state: if row.get::<_, i64>(3)? == 1 { IndexState::Ready } else { IndexState::Building },
            complete_from: unsigned(row.get(4)?),
            declared: unsigned(row.get(5)?),
        })
    })?
    .collect()
}

impl IndexState {
    pub(super) fn as_stored(self) -> i64 {
        match self {
            Self::Building => 0,
            Self::Ready => 1,
            Self::Dropped => 2,
        }
    }
}

impl Counters {
    pub(super) fn load(db: &Connection, collection: i64) -> rusqlite::Result<Self> {
        db.prepare_cached(
            "SELECT live, history_floor, history_cursor, history_count, history_bytes,
                    tombstone_floor, tombstone_cursor, tombstone_count, digest, log_cursor
             FROM collections WHERE collection = ?1",
        )?
        .query_row([collection], |row| {
            Ok(Self {
                live: unsigned(row.get(0)?),
                history_floor: unsigned(row.get(1)?),
                history_cursor: row.get(2)?,
                history_count: unsigned(row.get(3)?),
                history_bytes: unsigned(row.get(4)?),
                tombstone_floor: unsigned(row.get(5)?),
                tombstone_cursor: row.get(6)?,
                tombstone_count: unsigned(row.get(7)?),
                digest: SetDigest::from_bytes(row.get(8)?),
                log_cursor: row.get(9)?,
            })
        })
    }

    pub(super) fn save(&self, db: &Connection, collection: i64) -> rusqlite::Result<()> {
        db.prepare_cached(
            "UPDATE collections SET live = ?2, history_floor = ?3, history_cursor = ?4, history_count = ?5,
                history_bytes = ?6, tombstone_floor = ?7, tombstone_cursor = ?8, tombstone_count = ?9, digest = ?10, log_cursor = ?11
             WHERE collection = ?1",
        )?
        .execute(params![
            collection,
            signed(self.live),
            signed(self.history_floor),
            self.history_cursor,
            signed(self.history_count),
            signed(self.history_bytes),
            signed(self.tombstone_floor),
            self.tombstone_cursor,
            signed(self.tombstone_count),
            self.digest.to_bytes(),
            self.log_cursor,
        ])
        .map(|_| ())
    }
}
