//! What was acknowledged: the whole store after each commit, as a map.

use std::collections::BTreeMap;

use bytes::Bytes;
use milepost_semantics::index::{Filter, IndexValue, ValueType};
use milepost_store::{CollectionPath, ResourceKey};
use serde_json::Value;

use super::steps::{FILTERS, Followed};

/// What stands of a resource: the commit that made it, and its representation.
pub(super) type Standing = BTreeMap<ResourceKey, (u64, Bytes)>;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Model {
    /// What stood after each commit, oldest first.
    commits: Vec<(u64, Standing)>,
    /// The member that the index `n` stands for.
    pub(super) member: &'static str,
    /// The commit from which on it does.
    pub(super) declared: u64,
}

impl Model {
    pub(super) fn now(&self) -> Standing {
        let newest = self.commits.last();
        newest
            .map(|(_, standing)| standing.clone())
            .unwrap_or_default()
    }

    pub(super) fn commit(&mut self, sequence: u64, standing: Standing) {
        self.commits.push((sequence, standing));
    }

    /// What a follower of `feed` holds who has applied everything up to a commit.
    pub(super) fn followed(&self, feed: Followed, until: u64) -> Standing {
        let commits = self.commits.iter().rev();
        let then = commits
            .map(|(sequence, standing)| (*sequence, standing))
            .find(|(sequence, _)| *sequence <= until);
        let standing = then.map(|(_, standing)| standing.clone());
        let mut standing = standing.unwrap_or_default();
        standing.retain(|key, (_, body)| self.is_followed(feed, key, body));
        standing
    }

    fn is_followed(&self, feed: Followed, key: &ResourceKey, body: &Bytes) -> bool {
        let Followed::Collection {
            child,
            below,
            filter,
        } = feed
        else {
            return true;
        };
        let is_below = below.is_none_or(|id| key.parent.as_str() == format!("r{id}"));
        let passes = filter.is_none_or(|filter| self.passes(filter, body));
        key.collection == collection(child) && is_below && passes
    }

    fn passes(&self, filter: usize, body: &Bytes) -> bool {
        let value: Value = serde_json::from_slice(body).expect("JSON");
        let value = IndexValue::from_json(value.get(self.member)).expect("a small value");
        let mut written = FILTERS.get(filter).expect("a filter").iter();
        written.all(|text| {
            let filter = Filter::parse(text, ValueType::Any).expect("a filter");
            filter.matches(&value)
        })
    }
}

pub(super) fn collection(child: bool) -> CollectionPath {
    CollectionPath::parse(if child { "a.b" } else { "a" }).expect("a name")
}
