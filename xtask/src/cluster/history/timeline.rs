//! What the store says has happened: every version and deletion, in the order of commits.

use std::collections::HashMap;

use super::{
    record::{Content, Position, Resource},
    violation::Violation,
};

/// One version, or one deletion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) position: Position,
    pub(crate) resource: Resource,
    /// `None`: it was deleted.
    pub(crate) content: Option<Content>,
}

/// All of them, and ways to find them.
#[derive(Debug)]
pub(crate) struct Timeline {
    entries: Vec<Entry>,
    /// Places in `entries`, ascending.
    of_resource: HashMap<Resource, Vec<usize>>,
    of_content: HashMap<Content, usize>,
}

impl Timeline {
    /// Takes entries in any order.
    pub(crate) fn new(mut entries: Vec<Entry>) -> Self {
        entries.sort_by_key(|entry| (entry.position.sequence, entry.resource));
        let mut of_resource: HashMap<Resource, Vec<usize>> = HashMap::new();
        let mut of_content = HashMap::new();
        for (place, entry) in entries.iter().enumerate() {
            of_resource.entry(entry.resource).or_default().push(place);
            if let Some(content) = entry.content {
                of_content.entry(content).or_insert(place);
            }
        }
        Self {
            entries,
            of_resource,
            of_content,
        }
    }

    /// All entries, in the order of commits.
    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// Where a write's content stands.
    pub(super) fn made_of(&self, content: Content) -> Option<&Entry> {
        self.entries.get(*self.of_content.get(&content)?)
    }

    /// A resource's entries, in order.
    pub(super) fn history(&self, resource: Resource) -> impl Iterator<Item = &Entry> {
        let places = self.of_resource.get(&resource).map(Vec::as_slice);
        let places = places.unwrap_or_default().iter();
        places.filter_map(|place| self.entries.get(*place))
    }

    fn places(&self, resource: Resource) -> &[usize] {
        self.of_resource
            .get(&resource)
            .map(Vec::as_slice)
            .unwrap_or_default()
    }

    /// What stood before a commit, deletions included.
    pub(super) fn before(&self, resource: Resource, sequence: u64) -> Option<&Entry> {
        let places = self.places(resource);
        let is_before = |place: &usize| {
            let entry = self.entries.get(*place);
            entry.is_some_and(|entry| entry.position.sequence < sequence)
        };
        let after = places.partition_point(is_before);
        self.entries.get(*places.get(after.checked_sub(1)?)?)
    }

    /// What a commit made of a resource, or what came first after it.
    pub(super) fn from(&self, resource: Resource, sequence: u64) -> Option<&Entry> {
        let places = self.places(resource);
        let is_before = |place: &usize| {
            let entry = self.entries.get(*place);
            entry.is_some_and(|entry| entry.position.sequence < sequence)
        };
        self.entries
            .get(*places.get(places.partition_point(is_before))?)
    }

    /// What a commit made of a resource.
    pub(super) fn at(&self, resource: Resource, sequence: u64) -> Option<&Entry> {
        self.from(resource, sequence)
            .filter(|entry| entry.position.sequence == sequence)
    }

    /// What happened after the first commit until the second, which is included.
    pub(super) fn between(&self, after: u64, until: u64) -> &[Entry] {
        let begin = self
            .entries
            .partition_point(|entry| entry.position.sequence <= after);
        let end = self
            .entries
            .partition_point(|entry| entry.position.sequence <= until);
        self.entries.get(begin..end).unwrap_or_default()
    }

    /// The first commit after one that changed a collection.
    pub(super) fn next_in(&self, collection: u32, after: u64) -> Option<u64> {
        let begin = self
            .entries
            .partition_point(|entry| entry.position.sequence <= after);
        let rest = self.entries.get(begin..).unwrap_or_default();
        let next = rest
            .iter()
            .find(|entry| entry.resource.collection == collection);
        next.map(|entry| entry.position.sequence)
    }

    /// What the timeline itself can't be: one commit with two names, one content made twice, a
    /// resource changed twice by one commit, nothing deleted.
    pub(super) fn violations(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for pair in self.entries.windows(2) {
            let [one, other] = pair else { continue };
            if one.position.sequence != other.position.sequence {
                continue;
            }
            if one.position != other.position || one.resource == other.resource {
                violations.push(Violation::TwoAtOnce {
                    one: one.clone(),
                    other: other.clone(),
                });
            }
        }
        violations.extend(self.made_twice());
        violations.extend(self.nothing_deleted());
        violations
    }

    fn made_twice(&self) -> Vec<Violation> {
        let twice = self.entries.iter().filter(|entry| {
            let first = entry.content.and_then(|content| self.made_of(content));
            first.is_some_and(|first| first != *entry)
        });
        twice
            .map(|entry| Violation::CarriedOutTwice {
                entry: entry.clone(),
            })
            .collect()
    }

    fn nothing_deleted(&self) -> Vec<Violation> {
        let is_deletion = |entry: &&Entry| entry.content.is_none();
        let had_nothing = |entry: &&Entry| {
            let before = self.before(entry.resource, entry.position.sequence);
            before.is_none_or(|before| before.content.is_none())
        };
        let empty = self.entries.iter().filter(is_deletion).filter(had_nothing);
        empty
            .map(|entry| Violation::Phantom {
                entry: entry.clone(),
            })
            .collect()
    }
}
