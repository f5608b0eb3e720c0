//! What a collection is to whoever asks: decided once for a request where it can be, else for each version.

use std::sync::Arc;

use milepost_store::{Definition, ResourceKey, Version};
use serde_json::Value;

use super::{
    evaluate::{Sight, holds},
    judge::Judge,
    ruled::{Method, Ruled},
};
use crate::Subject;

/// What may be read of a collection.
#[derive(Clone, Debug)]
pub(crate) enum Sightline {
    /// All, by everybody.
    Open,
    /// All, by this reader.
    Whole,
    /// What its rule says, resource by resource.
    Each(Arc<Ruled>, Judge),
    /// Nothing, by this reader, whatever there is.
    Nothing,
}

impl Sightline {
    /// What `subject` may read of a collection.
    pub(crate) fn of(definition: &Definition, subject: &Subject) -> Self {
        let rules = definition.rules.as_ref();
        if rules.is_none_or(|rules| rules.is_read_by_all()) {
            return Self::Open;
        }
        let Some(ruled) = Ruled::of(definition) else {
            return Self::Open;
        };
        let Some(rule) = &ruled.read else {
            return Self::Nothing;
        };
        if rule.sees.looks_at_resource() {
            return Self::Each(ruled, Judge(subject.clone()));
        }
        let sight = Sight {
            method: Method::Read.as_str(),
            subject,
            id: "",
            parents: "",
            resource: &Value::Null,
            previous: &Value::Null,
        };
        if holds(&rule.root, &sight) {
            Self::Whole
        } else {
            Self::Nothing
        }
    }

    /// Whether a representation may be read.
    pub(crate) fn shows(&self, key: &ResourceKey, body: &[u8]) -> bool {
        match self {
            Self::Open | Self::Whole => true,
            Self::Nothing => false,
            Self::Each(ruled, judge) => judge.reads(ruled, key, body),
        }
    }

    /// Whether this version may be read; a tombstone only where everything may.
    pub(crate) fn shows_version(&self, key: &ResourceKey, version: &Version) -> bool {
        match &version.body {
            Some(body) => self.shows(key, body),
            None => self.is_whole(),
        }
    }

    /// Whether everything is shown.
    pub(crate) const fn is_whole(&self) -> bool {
        matches!(self, Self::Open | Self::Whole)
    }

    /// Whether it depends on the resource what is shown.
    pub(crate) const fn is_each(&self) -> bool {
        matches!(self, Self::Each(..))
    }
}
