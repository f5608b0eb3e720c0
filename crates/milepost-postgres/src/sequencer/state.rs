//! What decisions see: rows that were read under the store's lock, and over them what the batch has
//! decided so far. What was not read is asked for, and the decision made again.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytes::Bytes;
use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Definitions, ParentPath, ResourceKey, SetDigest, TRANSACTIONS,
    decision::{Current, State},
};
use tokio_postgres::Row;

use super::Work;
use crate::{
    catalog::Catalog,
    rows::{self, Place, unsigned},
    trouble::Trouble,
    view::digest,
};

/// A collection's counters, which every batch keeps.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Counters {
    pub(super) head: u64,
    pub(super) defined_at: u64,
    pub(super) live: u64,
    pub(super) history_count: u64,
    pub(super) history_bytes: u64,
    pub(super) tombstone_count: u64,
    pub(super) digest: SetDigest,
}

/// Something that a decision needs and nobody read yet.
#[derive(Debug)]
pub(super) enum Missing {
    Current(ResourceKey),
    Below(CollectionPath, ParentPath, usize),
    Counters(CollectionPath),
}

/// See the module.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) catalog: Arc<Catalog>,
    pub(super) current: HashMap<ResourceKey, Option<Current>>,
    /// Where the rows of `keys` lie that were read.
    pub(super) places: HashMap<ResourceKey, Place>,
    pub(super) counters: HashMap<CollectionPath, Counters>,
    /// Which resources the batch has written, and whether they are live.
    pub(super) written: HashMap<ResourceKey, bool>,
    below: HashMap<(CollectionPath, ParentPath), (Vec<ResourceKey>, usize)>,
}

impl State for Held {
    type Error = Missing;

    fn current(&mut self, key: &ResourceKey) -> Result<Option<Current>, Missing> {
        if let Some(current) = self.current.get(key) {
            return Ok(current.clone());
        }
        if self.catalog.number(&key.collection).is_none() {
            // Nothing was ever written there.
            return Ok(None);
        }
        Err(Missing::Current(key.clone()))
    }

    fn live_below(
        &mut self,
        collection: &CollectionPath,
        parent: &ParentPath,
        limit: usize,
    ) -> Result<Vec<ResourceKey>, Missing> {
        if self.catalog.number(collection).is_none() {
            return Ok(Vec::new());
        }
        match self.below.get(&(collection.clone(), parent.clone())) {
            Some((keys, read)) if keys.len() < *read || limit <= *read => {
                Ok(keys.iter().take(limit).cloned().collect())
            }
            _ => Err(Missing::Below(collection.clone(), parent.clone(), limit)),
        }
    }

    fn live_count(&mut self, collection: &CollectionPath) -> Result<u64, Missing> {
        match self.counters.get(collection) {
            Some(counters) => Ok(counters.live),
            None if self.catalog.number(collection).is_none() => Ok(0),
            None => Err(Missing::Counters(collection.clone())),
        }
    }

    fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(&self.catalog.definitions)
    }
}

/// The resources that a batch names: those of its operations, their parents, its records.
pub(super) fn named(works: &[Work]) -> Vec<ResourceKey> {
    let operations = works.iter().flat_map(|work| &work.operations);
    let keys = operations.flat_map(|prepared| {
        let key = &prepared.operation.key;
        [Some(key.clone()), key.parent_key()].into_iter().flatten()
    });
    let records = works.iter().filter_map(|work| work.record.as_ref());
    let records =
        records.map(|record| ResourceKey::top(CollectionPath::transactions(), record.id.clone()));
    let all: HashSet<ResourceKey> = keys.chain(records).collect();
    all.into_iter().collect()
}

const CURRENT: &str = "
SELECT asked.at, k.ctid, v.row, v.replaced, v.modified, v.body, v.digest
FROM unnest($1::integer[], $2::text[], $3::text[]) WITH ORDINALITY AS asked (collection, parent, id, at)
JOIN milepost.keys k ON k.collection = asked.collection AND k.parent = asked.parent AND k.id = asked.id
JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row";
/// Together with what the store says of itself, so that it is one answer.
const OPENING: &str = "
SELECT c.name, c.head, c.defined_at, c.live, c.history_count, c.history_bytes, c.tombstone_count, c.digest,
    s.head, s.epoch, pg_current_xact_id()::text
FROM milepost.store s LEFT JOIN milepost.collections c ON c.name = ANY($1) WHERE s.one";
const COUNTERS: &str = "
SELECT name, head, defined_at, live, history_count, history_bytes, tombstone_count, digest
FROM milepost.collections WHERE name = ANY($1)";
const BELOW: &str = "
SELECT k.parent, k.id, k.ctid, v.row, v.replaced, v.modified, v.body, v.digest FROM milepost.keys k
JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row
WHERE k.collection = $1 AND (k.parent = $2 OR ($3 AND k.parent >= $2 || '/' AND k.parent < $2 || '0'))
    AND NOT k.deleted
ORDER BY k.parent, k.id LIMIT $4";
/// A delete that asks for more children than this means to delete them all.
const SOME: usize = 1000;

impl Held {
    pub(super) fn new(catalog: Arc<Catalog>) -> Self {
        Self {
            catalog,
            current: HashMap::new(),
            places: HashMap::new(),
            counters: HashMap::new(),
            written: HashMap::new(),
            below: HashMap::new(),
        }
    }

    /// What was read of children holds for one decision: the batch may write others.
    pub(super) fn next_transaction(&mut self) {
        self.below.clear();
    }

    /// Reads what the store says of itself, and the counters of the collections that are named.
    pub(super) async fn open(
        &mut self,
        client: &ClientWrapper,
        keys: &[ResourceKey],
    ) -> Result<Opening, Trouble> {
        let names = self.collections(keys);
        let statement = client.prepare_cached(OPENING).await?;
        let rows = client.query(&statement, &[&names]).await?;
        for row in &rows {
            if row.try_get::<_, Option<&str>>(0)?.is_some() {
                let (path, counters) = counters_in(row)?;
                self.counters.entry(path).or_insert(counters);
            }
        }
        let store = rows.first().ok_or_else(|| Trouble::Malformed {
            what: "no store".to_owned(),
        })?;
        Ok(Opening {
            head: unsigned(store.try_get(8)?),
            epoch: store.try_get(9)?,
            transaction: store.try_get(10)?,
        })
    }

    /// Which collections resources lie in, each once, as far as they are known and their counters not.
    fn collections<'k>(&self, keys: &'k [ResourceKey]) -> Vec<&'k str> {
        let paths = keys.iter().map(|key| &key.collection);
        let unread = paths.filter(|path| {
            self.catalog.number(path).is_some() && !self.counters.contains_key(path)
        });
        let mut names: Vec<&str> = unread.map(CollectionPath::as_str).collect();
        names.sort_unstable();
        names.dedup();
        names
    }

    /// Reads what [`Held::open`] doesn't: also the counters of collections that nobody named before.
    pub(super) async fn read_more(
        &mut self,
        client: &ClientWrapper,
        keys: Vec<ResourceKey>,
    ) -> Result<(), Trouble> {
        let names = self.collections(&keys);
        if !names.is_empty() {
            for (path, counters) in counters_of(client, &names).await? {
                self.counters.entry(path).or_insert(counters);
            }
        }
        let found = rows_of(client, &self.catalog, &keys).await?;
        self.take(keys, &found)
    }

    /// Takes the newest versions of resources in, as [`rows_of`] has read them.
    pub(super) fn take(&mut self, keys: Vec<ResourceKey>, rows: &[Row]) -> Result<(), Trouble> {
        let mut found: HashMap<usize, &Row> = HashMap::with_capacity(rows.len());
        for row in rows {
            let at = usize::try_from(row.try_get::<_, i64>(0)?).unwrap_or(0);
            found.insert(at, row);
        }
        for (at, key) in keys.into_iter().enumerate() {
            // What the batch has written is newer than what the database says.
            if self.current.contains_key(&key) {
                continue;
            }
            let current = match found.get(&(at + 1)) {
                Some(row) => {
                    self.places.insert(key.clone(), row.try_get(1)?);
                    Some(self.current_of(row, 2)?)
                }
                None => None,
            };
            self.current.insert(key, current);
        }
        Ok(())
    }

    /// Reads what a decision missed.
    pub(super) async fn fetch(
        &mut self,
        client: &ClientWrapper,
        missing: Missing,
    ) -> Result<(), Trouble> {
        match missing {
            Missing::Current(key) => self.read_more(client, vec![key]).await,
            Missing::Counters(path) => {
                for (path, counters) in counters_of(client, &[path.as_str()]).await? {
                    self.counters.entry(path).or_insert(counters);
                }
                Ok(())
            }
            Missing::Below(path, parent, limit) => self.below(client, path, parent, limit).await,
        }
    }

    /// Reads the children of a resource, and theirs too where all are to be deleted.
    async fn below(
        &mut self,
        client: &ClientWrapper,
        path: CollectionPath,
        parent: ParentPath,
        limit: usize,
    ) -> Result<(), Trouble> {
        let is_deep = limit > SOME;
        let descendants = self.catalog.collections.keys().filter(|found| {
            let above = found.as_str().strip_prefix(path.as_str());
            is_deep && above.is_some_and(|rest| rest.starts_with('.'))
        });
        let mut paths: Vec<CollectionPath> = descendants.cloned().collect();
        paths.insert(0, path.clone());
        let most = limit.saturating_add(self.written.len());
        let mut children: HashMap<(CollectionPath, ParentPath), Vec<ResourceKey>> = HashMap::new();
        children.insert((path, parent.clone()), Vec::new());
        for path in paths {
            for key in self.live_in(client, &path, &parent, is_deep, most).await? {
                let place = (path.clone(), key.parent.clone());
                children.entry(place).or_default().push(key);
            }
        }
        for (key, is_live) in &self.written {
            let place = (key.collection.clone(), key.parent.clone());
            let Some(keys) = children.get_mut(&place) else {
                continue;
            };
            keys.retain(|other| other != key);
            if *is_live {
                keys.push(key.clone());
            }
        }
        for (place, mut keys) in children {
            keys.sort_unstable();
            self.below.insert(place, (keys, limit));
        }
        Ok(())
    }

    async fn live_in(
        &mut self,
        client: &ClientWrapper,
        path: &CollectionPath,
        parent: &ParentPath,
        is_deep: bool,
        most: usize,
    ) -> Result<Vec<ResourceKey>, Trouble> {
        let Some(number) = self.catalog.number(path) else {
            return Ok(Vec::new());
        };
        let statement = client.prepare_cached(BELOW).await?;
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let parent = parent.as_str();
        let rows = client
            .query(&statement, &[&number, &parent, &is_deep, &most])
            .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in rows {
            let key = rows::key(path, row.try_get(0)?, row.try_get(1)?)?;
            if !self.current.contains_key(&key) {
                self.places.insert(key.clone(), row.try_get(2)?);
                let current = self.current_of(&row, 3)?;
                self.current.insert(key.clone(), Some(current));
            }
            keys.push(key);
        }
        Ok(keys)
    }

    fn current_of(&self, row: &Row, at: usize) -> Result<Current, Trouble> {
        let digest: Option<&[u8]> = row.try_get(at + 4)?;
        Ok(Current {
            version: rows::version(row, at, &self.catalog.lineage)?,
            digest: digest
                .and_then(|digest| digest.try_into().ok())
                .unwrap_or_default(),
            row: row.try_get(at)?,
            fields: None::<Bytes>,
        })
    }
}

/// What the store says of itself.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) head: u64,
    pub(super) epoch: i64,
    /// The database's own id of the transaction.
    pub(super) transaction: String,
}

/// The newest versions of resources; of collections that nobody heard of there are none.
pub(super) async fn rows_of(
    client: &ClientWrapper,
    catalog: &Catalog,
    keys: &[ResourceKey],
) -> Result<Vec<Row>, Trouble> {
    let numbers: Vec<Option<i32>> = keys
        .iter()
        .map(|key| catalog.number(&key.collection))
        .collect();
    let parents: Vec<&str> = keys.iter().map(|key| key.parent.as_str()).collect();
    let ids: Vec<&str> = keys.iter().map(|key| key.id.as_str()).collect();
    let statement = client.prepare_cached(CURRENT).await?;
    Ok(client
        .query(&statement, &[&numbers, &parents, &ids])
        .await?)
}

async fn counters_of(
    client: &ClientWrapper,
    names: &[&str],
) -> Result<Vec<(CollectionPath, Counters)>, Trouble> {
    let statement = client.prepare_cached(COUNTERS).await?;
    let rows = client.query(&statement, &[&names]).await?;
    rows.iter().map(counters_in).collect()
}

fn counters_in(row: &Row) -> Result<(CollectionPath, Counters), Trouble> {
    let name: &str = row.try_get(0)?;
    let path = CollectionPath::parse(name).ok_or_else(|| Trouble::Malformed {
        what: format!("the collection {name:?}"),
    })?;
    let number = |at| Ok::<_, Trouble>(unsigned(row.try_get(at)?));
    let counters = Counters {
        head: number(1)?,
        defined_at: number(2)?,
        live: number(3)?,
        history_count: number(4)?,
        history_bytes: number(5)?,
        tombstone_count: number(6)?,
        digest: digest(row.try_get(7)?),
    };
    Ok((path, counters))
}

/// Whether a collection has a digest: the recorded outcomes have none.
pub(super) fn has_digest(path: &CollectionPath) -> bool {
    path.as_str() != TRANSACTIONS
}
