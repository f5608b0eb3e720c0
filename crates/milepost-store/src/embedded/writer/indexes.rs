//! Keeping indexes true: with every write, and for what was there before they were declared.

use rusqlite::params;

use super::{
    super::{
        catalog::{Collection, IndexState, StoredIndex, load_indexes, matching, text_pointer},
        rows::{self, join_fields, signed},
        schema,
        values::{declared, values_in},
    },
    Ledger,
};
use crate::{
    Definition, ResourceKey,
    decision::{Write, index_value_or_other, parse_stored, text_of},
    definition::Index,
};

/// A collection of at most so many resources is indexed in the commit that declares the index.
const SMALL: u64 = 2000;
/// How many resources one step of building an index reads.
const STEP: usize = 128;

/// A resource that a building index has yet to take in.
struct Unindexed {
    parent: String,
    id: String,
    row: i64,
    body: Vec<u8>,
}

impl Ledger {
    /// The column of indexed values that lies beside a body.
    pub(super) fn fields(&self, collection: &Collection, write: &Write) -> Option<Vec<u8>> {
        let contents = write.contents.as_ref()?;
        let values = collection.indexes.iter().zip(&contents.index_values);
        (!contents.index_values.is_empty())
            .then(|| join_fields(values.map(|(index, value)| (index.index_id, value.as_slice()))))
    }

    /// Brings the indexes from the previous version's values to the new one's.
    pub(super) fn index(
        &mut self,
        collection: &Collection,
        sequence: u64,
        row: i64,
        write: &Write,
    ) -> rusqlite::Result<()> {
        if !collection.indexes.is_empty() {
            let previous = write
                .previous
                .as_ref()
                .filter(|previous| !previous.version.is_deleted());
            let old = previous.map_or_else(Vec::new, |previous| {
                let body = previous.version.body.as_deref().unwrap_or_default();
                values_in(collection, previous.fields.as_deref(), body)
            });
            let new = write
                .contents
                .as_ref()
                .map(|contents| contents.index_values.as_slice())
                .unwrap_or_default();
            for (place, index) in collection.indexes.iter().enumerate() {
                self.move_entry(index, &write.key, sequence, old.get(place), new.get(place))?;
            }
        }
        match &collection.text {
            Some(text) => self.index_text(text, row, write),
            None => Ok(()),
        }
    }

    fn move_entry(
        &self,
        index: &StoredIndex,
        key: &ResourceKey,
        sequence: u64,
        old: Option<&Vec<u8>>,
        new: Option<&Vec<u8>>,
    ) -> rusqlite::Result<()> {
        if old == new {
            return Ok(());
        }
        let (parent, id) = (key.parent.as_str(), key.id.as_str());
        if let Some(old) = old {
            self.db
                .prepare_cached("DELETE FROM entries WHERE index_id = ?1 AND value = ?2 AND parent = ?3 AND id = ?4")?
                .execute(params![index.index_id, old, parent, id])?;
            self.db
                .prepare_cached("INSERT OR IGNORE INTO past VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![index.index_id, old, parent, id, signed(sequence)])?;
        }
        if let Some(new) = new {
            self.insert_entry(index.index_id, new, parent, id)?;
        }
        Ok(())
    }

    fn insert_entry(
        &self,
        index_id: i64,
        value: &[u8],
        parent: &str,
        id: &str,
    ) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("INSERT OR IGNORE INTO entries VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![index_id, value, parent, id])
            .map(|_| ())
    }

    fn index_text(&self, text: &StoredIndex, row: i64, write: &Write) -> rusqlite::Result<()> {
        if let Some(previous) = write
            .previous
            .as_ref()
            .filter(|previous| !previous.version.is_deleted())
        {
            self.db
                .prepare_cached(&format!(
                    "DELETE FROM text_{} WHERE rowid = ?1",
                    text.index_id
                ))?
                .execute([previous.row])?;
        }
        if let Some(words) = write
            .contents
            .as_ref()
            .and_then(|contents| contents.text.as_ref())
        {
            self.db
                .prepare_cached(&format!(
                    "INSERT INTO text_{} (rowid, words) VALUES (?1, ?2)",
                    text.index_id
                ))?
                .execute(params![row, words])?;
        }
        Ok(())
    }

    /// Brings the stored indexes of a collection in line with its definition.
    pub(super) fn declare_indexes(&mut self, collection: &mut Collection) -> rusqlite::Result<()> {
        let stored = load_indexes(&self.db, collection.collection)?;
        let definition = collection.definition.clone();
        let declared = definition
            .as_ref()
            .map_or(&[][..], |definition| &definition.indexes);
        collection.indexes.clear();
        let before = self.catalog.of(&collection.path).cloned();
        let before = before.and_then(|before| before.definition.clone());
        let is_read_as_before = |index: &Index| {
            let before = before.as_ref().and_then(|before| before.index(&index.name));
            before.is_none_or(|before| before.value_type == index.value_type)
        };
        for index in declared {
            let kept = matching(&stored, index).cloned();
            let kept = match kept {
                Some(kept) if is_read_as_before(index) => kept,
                Some(kept) => self.declare_anew(collection, kept)?,
                None => self.new_index(collection, &index.name, index.pointer.to_string())?,
            };
            collection.indexes.push(kept);
        }
        collection.text = self.declare_text(collection, definition.as_deref(), &stored)?;
        let is_kept = |index: &&StoredIndex| {
            collection
                .indexes
                .iter()
                .chain(&collection.text)
                .any(|kept| kept.index_id == index.index_id)
        };
        for dropped in stored.iter().filter(|index| !is_kept(index)) {
            self.set_index_state(dropped.index_id, IndexState::Dropped)?;
        }
        self.look_for_work();
        Ok(())
    }

    fn declare_text(
        &self,
        collection: &Collection,
        definition: Option<&Definition>,
        stored: &[StoredIndex],
    ) -> rusqlite::Result<Option<StoredIndex>> {
        let Some(definition) = definition.filter(|definition| !definition.text.is_empty()) else {
            return Ok(None);
        };
        let pointer = text_pointer(&definition.text);
        if let Some(kept) = stored
            .iter()
            .find(|index| index.name.is_empty() && index.pointer == pointer)
        {
            return Ok(Some(kept.clone()));
        }
        let index = self.new_index(collection, "", pointer)?;
        schema::create_text(&self.db, index.index_id)?;
        Ok(Some(index))
    }

    /// An index whose filters are read as another type from here on: who was held by one before is not
    /// who is held by the same words now.
    fn declare_anew(
        &self,
        collection: &Collection,
        kept: StoredIndex,
    ) -> rusqlite::Result<StoredIndex> {
        let declared = collection.defined_at;
        self.db
            .prepare_cached("UPDATE indexes SET declared = ?2 WHERE index_id = ?1")?
            .execute(params![kept.index_id, signed(declared)])?;
        Ok(StoredIndex { declared, ..kept })
    }

    /// An index that knows nothing yet. What is left from here on it will know: a position at or
    /// after the collection's newest change can be asked of it once it is built.
    fn new_index(
        &self,
        collection: &Collection,
        name: &str,
        pointer: String,
    ) -> rusqlite::Result<StoredIndex> {
        let (collection, declared) = (collection.collection, collection.defined_at);
        let newest: Option<i64> = self.db.query_row(
            "SELECT max(row) FROM log WHERE collection = ?1",
            [collection],
            |row| row.get(0),
        )?;
        let complete_from = newest.map_or(0, rows::sequence_of);
        let state = IndexState::Building;
        self.db
            .prepare_cached("INSERT INTO indexes (collection, name, pointer, state, complete_from, declared) VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![collection, name, pointer, state.as_stored(), signed(complete_from), signed(declared)])?;
        Ok(StoredIndex {
            index_id: self.db.last_insert_rowid(),
            name: name.to_owned(),
            pointer,
            state,
            complete_from,
            declared,
        })
    }

    fn set_index_state(&self, index_id: i64, state: IndexState) -> rusqlite::Result<()> {
        self.db
            .prepare_cached("UPDATE indexes SET state = ?2 WHERE index_id = ?1")?
            .execute(params![index_id, state.as_stored()])
            .map(|_| ())
    }

    /// Completes a small collection's indexes at once, so that a definition is usable when it is
    /// acknowledged.
    pub(super) fn build_if_small(&mut self, definition: &ResourceKey) -> rusqlite::Result<()> {
        let Some(path) = crate::CollectionPath::parse(definition.id.as_str()) else {
            return Ok(());
        };
        let collection = self.collection(&path)?;
        let live = self
            .counters
            .get(&collection.collection)
            .map_or(0, |counters| counters.live);
        while live <= SMALL && self.build_step(&path)? {}
        Ok(())
    }

    /// Takes some more resources into the first index of a collection that is being built. Answers
    /// whether there is more to do.
    pub(super) fn build_step(&mut self, path: &crate::CollectionPath) -> rusqlite::Result<bool> {
        let mut collection = (*self.collection(path)?).clone();
        let building = |index: &&StoredIndex| index.state == IndexState::Building;
        let Some(index) = collection
            .indexes
            .iter()
            .chain(&collection.text)
            .find(building)
            .cloned()
        else {
            return Ok(false);
        };
        let resources = self.unindexed(&collection, &index)?;
        for resource in &resources {
            self.take_in(&collection, &index, resource)?;
        }
        if resources.len() < STEP {
            self.set_index_state(index.index_id, IndexState::Ready)?;
            let built = collection.indexes.iter_mut().chain(&mut collection.text);
            built
                .filter(|built| built.index_id == index.index_id)
                .for_each(|built| built.state = IndexState::Ready);
            self.catalog.put(collection);
            self.redefined = true;
        } else if let Some(last) = resources.last() {
            self.db
                .prepare_cached(
                    "UPDATE indexes SET cursor_parent = ?2, cursor_id = ?3 WHERE index_id = ?1",
                )?
                .execute(params![index.index_id, last.parent, last.id])?;
        }
        self.written += resources.len();
        Ok(true)
    }

    fn unindexed(
        &self,
        collection: &Collection,
        index: &StoredIndex,
    ) -> rusqlite::Result<Vec<Unindexed>> {
        self.db
            .prepare_cached(
                "SELECT k.parent, k.id, k.row, v.body FROM keys k JOIN versions v ON v.row = k.row
                 WHERE k.collection = ?1 AND k.live = 1 AND (k.parent, k.id) >
                     (SELECT cursor_parent, cursor_id FROM indexes WHERE index_id = ?2)
                 ORDER BY k.parent, k.id LIMIT ?3",
            )?
            .query_map(
                params![
                    collection.collection,
                    index.index_id,
                    i64::try_from(STEP).unwrap_or(1)
                ],
                |row| {
                    Ok(Unindexed {
                        parent: row.get(0)?,
                        id: row.get(1)?,
                        row: row.get(2)?,
                        body: row.get(3)?,
                    })
                },
            )?
            .collect()
    }

    fn take_in(
        &self,
        collection: &Collection,
        index: &StoredIndex,
        resource: &Unindexed,
    ) -> rusqlite::Result<()> {
        let value = parse_stored(&resource.body);
        if let Some(declared) = declared(collection, index) {
            return self.insert_entry(
                index.index_id,
                &index_value_or_other(declared, &value),
                &resource.parent,
                &resource.id,
            );
        }
        let Some(definition) = &collection.definition else {
            return Ok(());
        };
        // A resource written since the index was declared is there already.
        self.db
            .prepare_cached(&format!(
                "DELETE FROM text_{} WHERE rowid = ?1",
                index.index_id
            ))?
            .execute([resource.row])?;
        self.db
            .prepare_cached(&format!(
                "INSERT INTO text_{} (rowid, words) VALUES (?1, ?2)",
                index.index_id
            ))?
            .execute(params![resource.row, text_of(definition, &value)])
            .map(|_| ())
    }
}
