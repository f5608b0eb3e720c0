//! What is declared, as every node must know it: read from the database whenever its epoch moved,
//! and from then on an immutable value.

use std::{collections::HashMap, sync::Arc};

use deadpool_postgres::ClientWrapper;
use milepost_semantics::{History, json};
use milepost_store::{
    COLLECTIONS, CollectionPath, Definition, Definitions, ReadError,
    backend::{Incarnation, Lineage, random},
    definition::{Defined, Index},
};
use tokio_postgres::Row;

use crate::{
    rows::{sequence_of, signed, unsigned},
    trouble::Trouble,
};

/// By how much an epoch grows at most from one catalog to the next.
const EPOCH_LEAP_MAX: u64 = 1 << 20;

/// By how much the next epoch is higher: a leap of its own, so that two futures of one past, where a database
/// lost what had been committed, never have the same epochs for different things.
pub(crate) fn leap() -> i64 {
    1 + signed(random() % EPOCH_LEAP_MAX)
}

/// An index as it lies in the database.
#[derive(Clone, Debug)]
pub(crate) struct StoredIndex {
    pub(crate) number: i64,
    /// Empty for the text index.
    pub(crate) name: String,
    /// Which member it stands for, read as which type.
    pub(crate) stands_for: String,
    /// The row of the definition that declared it.
    pub(crate) declared: i64,
    /// Whether what is older than itself is in it.
    pub(crate) is_complete: bool,
}

/// What is known of one collection.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) number: i32,
    pub(crate) path: CollectionPath,
    /// What is declared; `None` for the service's own collections and after a definition was deleted.
    pub(crate) definition: Option<Arc<Definition>>,
    /// In the definition's order.
    pub(crate) indexes: Vec<StoredIndex>,
    /// The text index, if text is declared.
    pub(crate) text: Option<StoredIndex>,
    pub(crate) floors: Floors,
}

/// From where on a collection is remembered.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Floors {
    /// Snapshots before are no longer complete.
    pub(crate) history: u64,
    /// Changes since before are no longer complete.
    pub(crate) tombstones: u64,
}

/// Everything that is declared at one moment.
#[derive(Clone, Debug)]
pub(crate) struct Catalog {
    pub(crate) epoch: i64,
    pub(crate) lineage: Arc<Lineage>,
    pub(crate) definitions: Arc<Definitions>,
    pub(crate) collections: HashMap<CollectionPath, Arc<Collection>>,
    /// How many indexes were ever made: the number of the newest.
    pub(crate) indexes_made: i64,
}

impl Catalog {
    /// The number of a collection; `None` where nothing was ever heard of it.
    pub(crate) fn number(&self, path: &CollectionPath) -> Option<i32> {
        self.collections.get(path).map(|found| found.number)
    }

    /// What is declared about a collection; the service's own always are.
    pub(crate) fn defined(&self, path: &CollectionPath) -> Result<Arc<Definition>, ReadError> {
        match self.definitions.of(path) {
            Some(defined) => Ok(Arc::clone(&defined.definition)),
            None if path.is_reserved() => Ok(Arc::default()),
            None => Err(ReadError::CollectionNotDefined {
                collection: path.clone(),
            }),
        }
    }
}

impl Collection {
    /// The declared index of this name, as it is stored.
    pub(crate) fn index(&self, name: &str) -> Option<&StoredIndex> {
        self.indexes.iter().find(|index| index.name == name)
    }

    /// That index if it is complete.
    pub(crate) fn complete(&self, name: &str) -> Result<&StoredIndex, ReadError> {
        let index = if name.is_empty() {
            self.text.as_ref()
        } else {
            self.index(name)
        };
        index
            .filter(|index| index.is_complete)
            .ok_or_else(|| ReadError::IndexBuilding {
                collection: self.path.clone(),
                index: if name.is_empty() { "q" } else { name }.to_owned(),
            })
    }
}

/// What an index stands for, as it is compared and kept.
pub(crate) fn stands_for(index: &Index) -> String {
    format!("{} {:?}", index.pointer, index.value_type)
}

/// The same of declared text.
pub(crate) fn text_stands_for(definition: &Definition) -> String {
    let pointers: Vec<String> = definition.text.iter().map(ToString::to_string).collect();
    pointers.join("\n")
}

/// Reads the catalog within the caller's snapshot. Definitions that `known` holds already are kept
/// as they are, so that what was prepared under them stays good.
pub(crate) async fn load(
    client: &ClientWrapper,
    known: Option<&Catalog>,
) -> Result<Catalog, Trouble> {
    let store = client
        .query_one(
            "SELECT history, epoch, indexes_made FROM milepost.store",
            &[],
        )
        .await?;
    let lineage = Arc::new(lineage(client, store.try_get(0)?).await?);
    let definitions = definitions(client, &lineage, known).await?;
    let collections = collections(client, &definitions).await?;
    Ok(Catalog {
        epoch: store.try_get(1)?,
        lineage,
        definitions: same_as(known, definitions),
        collections,
        indexes_made: store.try_get(2)?,
    })
}

/// The same value as before, where nothing else is declared: whoever compares need not look inside.
fn same_as(known: Option<&Catalog>, definitions: Definitions) -> Arc<Definitions> {
    let is_alike = |known: &&Catalog| {
        let is_known = |(path, defined): (&CollectionPath, &Defined)| {
            let before = known.definitions.of(path);
            before.is_some_and(|before| before.position == defined.position)
        };
        known.definitions.iter().count() == definitions.iter().count()
            && definitions.iter().all(is_known)
    };
    match known.filter(is_alike) {
        Some(known) => Arc::clone(&known.definitions),
        None => Arc::new(definitions),
    }
}

async fn lineage(client: &ClientWrapper, history: &str) -> Result<Lineage, Trouble> {
    let history: History = history.parse().map_err(|_malformed| Trouble::Malformed {
        what: format!("the history {history:?}"),
    })?;
    let sql = "SELECT first_sequence, salt FROM milepost.incarnations ORDER BY first_sequence";
    let rows = client.query(sql, &[]).await?;
    let incarnation = |row: &Row| -> Result<Incarnation, Trouble> {
        Ok(Incarnation {
            first_sequence: unsigned(row.try_get(0)?),
            salt: u64::from_ne_bytes(row.try_get::<_, i64>(1)?.to_ne_bytes()),
        })
    };
    let incarnations = rows.iter().map(incarnation).collect::<Result<_, _>>()?;
    Ok(Lineage::new(history, incarnations))
}

async fn definitions(
    client: &ClientWrapper,
    lineage: &Lineage,
    known: Option<&Catalog>,
) -> Result<Definitions, Trouble> {
    // One after the other by its key, however many versions of other collections there are.
    let sql = "SELECT k.id, k.row, v.body FROM milepost.collections c
               JOIN milepost.keys k ON k.collection = c.number AND NOT k.deleted
               CROSS JOIN LATERAL (
                   SELECT body FROM milepost.versions
                   WHERE collection = k.collection AND row = k.row LIMIT 1) AS v
               WHERE c.name = $1";
    let mut definitions = Definitions::default();
    for row in client.query(sql, &[&COLLECTIONS]).await? {
        let id: &str = row.try_get(0)?;
        let position = lineage.position(sequence_of(row.try_get(1)?));
        let malformed = || Trouble::Malformed {
            what: format!("the definition of {id:?}"),
        };
        let path = CollectionPath::parse(id).ok_or_else(malformed)?;
        let standing = known.and_then(|known| known.definitions.of(&path));
        let definition = match standing.filter(|standing| standing.position == position) {
            Some(standing) => Arc::clone(&standing.definition),
            None => Arc::new(parse(row.try_get(2)?).ok_or_else(malformed)?),
        };
        definitions.insert(
            path,
            Defined {
                definition,
                position,
            },
        );
    }
    Ok(definitions)
}

fn parse(body: &[u8]) -> Option<Definition> {
    let limits = json::Limits::with_depth(json::DEPTH_MAX);
    Definition::parse(&json::parse(body, limits).ok()?).ok()
}

async fn collections(
    client: &ClientWrapper,
    definitions: &Definitions,
) -> Result<HashMap<CollectionPath, Arc<Collection>>, Trouble> {
    let mut stored = stored_indexes(client).await?;
    let sql = "SELECT number, name, history_floor, tombstone_floor FROM milepost.collections";
    let mut collections = HashMap::new();
    for row in client.query(sql, &[]).await? {
        let number: i32 = row.try_get(0)?;
        let name: &str = row.try_get(1)?;
        let path = CollectionPath::parse(name).ok_or_else(|| Trouble::Malformed {
            what: format!("the collection {name:?}"),
        })?;
        let definition = definitions
            .of(&path)
            .map(|defined| Arc::clone(&defined.definition));
        let mut indexes = stored.remove(&number).unwrap_or_default();
        let text = indexes.iter().position(|index| index.name.is_empty());
        let text = text.map(|at| indexes.swap_remove(at));
        indexes.sort_by_key(|index| place(definition.as_deref(), &index.name));
        let collection = Collection {
            number,
            path: path.clone(),
            definition,
            indexes,
            text,
            floors: Floors {
                history: unsigned(row.try_get(2)?),
                tombstones: unsigned(row.try_get(3)?),
            },
        };
        collections.insert(path, Arc::new(collection));
    }
    Ok(collections)
}

fn place(definition: Option<&Definition>, name: &str) -> Option<usize> {
    let mut indexes = definition?.indexes.iter();
    indexes.position(|index| index.name == name)
}

async fn stored_indexes(client: &ClientWrapper) -> Result<HashMap<i32, Vec<StoredIndex>>, Trouble> {
    let sql = "SELECT collection, number, name, stands_for, declared, is_complete
               FROM milepost.indexes WHERE NOT is_dropped";
    let mut stored: HashMap<i32, Vec<StoredIndex>> = HashMap::new();
    for row in client.query(sql, &[]).await? {
        let index = StoredIndex {
            number: row.try_get(1)?,
            name: row.try_get(2)?,
            stands_for: row.try_get(3)?,
            declared: row.try_get(4)?,
            is_complete: row.try_get(5)?,
        };
        stored.entry(row.try_get(0)?).or_default().push(index);
    }
    Ok(stored)
}
