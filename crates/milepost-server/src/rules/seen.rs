//! What whoever asks sees of a collection, or of all together.

use std::collections::BTreeMap;

use http::request::Parts;
use milepost_store::{CollectionPath, Definition, Definitions};

use super::Sightline;
use crate::identity::subject_of;

/// What whoever asks sees.
#[derive(Clone, Debug)]
pub(crate) enum Seen {
    /// Of one collection.
    One(Sightline),
    /// Of those that are defined, the service's own apart, which everybody sees.
    Many(BTreeMap<CollectionPath, Sightline>),
}

impl Seen {
    /// What the subject of a request sees of a collection.
    pub(crate) fn of(definition: &Definition, request: &Parts) -> Self {
        Self::One(Sightline::of(definition, subject_of(request)))
    }

    /// What it sees of all collections.
    pub(crate) fn everything(definitions: &Definitions, request: &Parts) -> Self {
        let subject = subject_of(request);
        let lines = definitions.iter().map(|(collection, defined)| {
            let line = Sightline::of(&defined.definition, subject);
            (collection.clone(), line)
        });
        Self::Many(lines.collect())
    }

    /// What is seen of a collection; `None` where it isn't known.
    pub(crate) fn line(&self, collection: &CollectionPath) -> Option<&Sightline> {
        match self {
            Self::One(line) => Some(line),
            Self::Many(_) if collection.is_reserved() => Some(&Sightline::Open),
            Self::Many(lines) => lines.get(collection),
        }
    }

    /// Whether nothing is hidden.
    pub(crate) fn is_whole(&self) -> bool {
        match self {
            Self::One(line) => line.is_whole(),
            Self::Many(lines) => lines.values().all(Sightline::is_whole),
        }
    }

    /// The collections of which some resources may be hidden, others not.
    pub(crate) fn judged(&self) -> impl Iterator<Item = &CollectionPath> {
        let lines = match self {
            Self::One(_) => None,
            Self::Many(lines) => Some(lines.iter()),
        };
        let judged = lines.into_iter().flatten();
        judged
            .filter(|(_, line)| line.is_each())
            .map(|(path, _)| path)
    }
}
