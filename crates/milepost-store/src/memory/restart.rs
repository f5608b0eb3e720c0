//! What becomes of the table when a store is opened again, or restored to an earlier point.

use std::sync::Arc;

use milepost_semantics::{History, Position, json};

use super::table::Table;
use crate::{
    CollectionPath, Definition, Definitions, ReadError,
    definition::Defined,
    positions::{Incarnation, random},
};

impl Table {
    pub(super) fn reopened(&self) -> Self {
        let mut table = self.clone();
        table.incarnations.push(Incarnation {
            first_sequence: self.head + 1,
            salt: random(),
        });
        table
    }

    pub(super) fn restored_at(&self, position: Position) -> Result<Self, ReadError> {
        let collections = self.resources.keys().map(|key| key.collection.clone());
        for collection in collections.chain([CollectionPath::collections()]) {
            self.as_of(&collection, position)?;
        }
        let sequence = position.sequence();
        let mut table = self.clone();
        table.history = History::from_random(random());
        table
            .incarnations
            .retain(|incarnation| incarnation.first_sequence <= sequence);
        table.incarnations.push(Incarnation {
            first_sequence: sequence + 1,
            salt: random(),
        });
        table.head = sequence;
        table.truncate();
        table.definitions = Arc::new(table.stored_definitions());
        Ok(table)
    }

    /// Takes away what came after the head.
    fn truncate(&mut self) {
        let head = self.head;
        for rows in self.resources.values_mut() {
            rows.retain(|row| row.sequence <= head);
            for row in rows {
                row.superseded = row
                    .superseded
                    .filter(|superseded| superseded.sequence <= head);
            }
        }
        self.resources.retain(|_, rows| !rows.is_empty());
        for declared in self.declared.values_mut() {
            declared.retain(|(sequence, _)| *sequence <= head);
        }
    }

    fn stored_definitions(&self) -> Definitions {
        let mut definitions = Definitions::default();
        for (key, row) in self.live(&CollectionPath::collections()) {
            let value = row
                .body
                .as_ref()
                .and_then(|body| json::parse(body, json::Limits::default()).ok());
            let definition = value.and_then(|value| Definition::parse(&value).ok());
            if let (Some(path), Some(definition)) =
                (CollectionPath::parse(key.id.as_str()), definition)
            {
                let position = self.position(row.sequence);
                definitions.insert(
                    path,
                    Defined {
                        definition: Arc::new(definition),
                        position,
                    },
                );
            }
        }
        definitions
    }
}
