//! All definitions at one moment: an immutable value that the writer replaces as a whole.

use std::{collections::BTreeMap, sync::Arc};

use milepost_semantics::Position;

use super::Definition;
use crate::CollectionPath;

/// A definition, and the version of it.
#[derive(Clone, Debug)]
pub struct Defined {
    /// What is declared.
    pub definition: Arc<Definition>,
    /// The position of the write that declared it.
    pub position: Position,
}

/// What is declared about every collection.
#[derive(Clone, Debug, Default)]
pub struct Definitions {
    by_path: BTreeMap<CollectionPath, Defined>,
}

impl Definitions {
    /// The definition of a collection.
    #[must_use]
    pub fn of(&self, collection: &CollectionPath) -> Option<&Defined> {
        self.by_path.get(collection)
    }

    /// Every defined collection with its definition, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&CollectionPath, &Defined)> {
        self.by_path.iter()
    }

    /// The collections that lie directly within resources of `collection`.
    pub fn children_of<'a>(
        &'a self,
        collection: &'a CollectionPath,
    ) -> impl Iterator<Item = (&'a CollectionPath, &'a Defined)> {
        self.by_path
            .iter()
            .filter(move |(path, _)| path.is_child_of(collection))
    }

    /// Adds or replaces a definition.
    pub fn insert(&mut self, collection: CollectionPath, defined: Defined) {
        self.by_path.insert(collection, defined);
    }

    /// Takes a definition away.
    pub fn remove(&mut self, collection: &CollectionPath) {
        self.by_path.remove(collection);
    }
}
