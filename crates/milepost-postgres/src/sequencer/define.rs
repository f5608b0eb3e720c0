//! What a written definition changes: the catalog, and which indexes there are.

use std::sync::Arc;

use milepost_store::{CollectionPath, Definition, decision::Write, definition::Defined};

use super::apply::Pending;
use crate::catalog::{Collection, StoredIndex, stands_for, text_stands_for};

impl Pending {
    /// A definition was written, or deleted.
    pub(super) fn define(&mut self, sequence: u64, row: i64, write: &Write) {
        let Some(path) = CollectionPath::parse(write.key.id.as_str()) else {
            return;
        };
        let definition = write
            .contents
            .as_ref()
            .and_then(|contents| contents.defines.clone());
        let mut collection = (*self.collection(&path)).clone();
        self.declare(&mut collection, definition.as_deref(), row);
        collection.definition.clone_from(&definition);
        let counters = self.counters(&path);
        counters.head = sequence;
        counters.defined_at = sequence;
        let position = self.held.catalog.lineage.position(sequence);
        let catalog = Arc::make_mut(&mut self.held.catalog);
        let definitions = Arc::make_mut(&mut catalog.definitions);
        match definition {
            Some(definition) => definitions.insert(
                path.clone(),
                Defined {
                    definition,
                    position,
                },
            ),
            None => definitions.remove(&path),
        }
        catalog.collections.insert(path, Arc::new(collection));
        self.is_redefined = true;
    }

    /// Keeps the indexes that stand for what they stood for, drops the others, makes new ones.
    fn declare(&mut self, collection: &mut Collection, definition: Option<&Definition>, row: i64) {
        let indexes = definition.map_or(&[][..], |definition| &definition.indexes);
        let mut wanted: Vec<(String, String)> = indexes
            .iter()
            .map(|index| (index.name.clone(), stands_for(index)))
            .collect();
        let text = definition.filter(|definition| !definition.text.is_empty());
        wanted.extend(text.map(|definition| (String::new(), text_stands_for(definition))));
        let mut standing: Vec<StoredIndex> = std::mem::take(&mut collection.indexes);
        standing.extend(collection.text.take());
        for (name, stands_for) in wanted {
            let kept = standing
                .iter()
                .position(|index| index.name == name && index.stands_for == stands_for);
            let index = match kept {
                Some(at) => standing.swap_remove(at),
                None => self.make_index(collection, name, stands_for, row),
            };
            if index.name.is_empty() {
                collection.text = Some(index);
            } else {
                collection.indexes.push(index);
            }
        }
        self.dropped_indexes
            .extend(standing.iter().map(|index| index.number));
    }

    fn make_index(
        &mut self,
        collection: &Collection,
        name: String,
        stands_for: String,
        row: i64,
    ) -> StoredIndex {
        let counters = *self.counters(&collection.path);
        let catalog = Arc::make_mut(&mut self.held.catalog);
        catalog.indexes_made += 1;
        let index = StoredIndex {
            number: catalog.indexes_made,
            name,
            stands_for,
            declared: row,
            // Where nothing was written yet there is nothing to catch up with.
            is_complete: counters.live + counters.history_count + counters.tombstone_count == 0,
        };
        self.made_indexes.push((collection.number, index.clone()));
        index
    }
}
