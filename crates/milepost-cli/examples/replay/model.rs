//! What the server should hold: the simplest thing that could be right.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Collection and id.
pub(crate) type Key = (String, String);

/// Every resource as of the last revision, and all that it ever was.
#[derive(Debug, Default)]
pub(crate) struct Model {
    /// What stands.
    pub(crate) state: BTreeMap<Key, Value>,
    /// Each resource's edits, oldest first; `None` where it was deleted.
    pub(crate) edits: BTreeMap<Key, Vec<Option<Value>>>,
    /// Each resource's entity tag, while it exists.
    pub(crate) tags: BTreeMap<Key, String>,
    /// The collections that are defined.
    pub(crate) collections: BTreeSet<String>,
    /// How many revisions were taken in.
    pub(crate) revisions: usize,
}

impl Model {
    /// Takes one edit in; one that changes nothing is none.
    pub(crate) fn apply(&mut self, key: &Key, value: Option<&Value>) {
        if self.state.get(key) == value {
            return;
        }
        match value {
            Some(value) => self.state.insert(key.clone(), value.clone()),
            None => self.state.remove(key),
        };
        self.edits
            .entry(key.clone())
            .or_default()
            .push(value.cloned());
    }
}
