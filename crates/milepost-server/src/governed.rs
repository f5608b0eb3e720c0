//! What rules over a collection: its definition, or the service's own rules.

use std::sync::Arc;

use http::request::Parts;
use milepost_semantics::ProblemType;
use milepost_store::{
    CollectionPath, Definition, Definitions, ResourceKey,
    definition::{Caching, Visibility},
};

use crate::{
    href,
    identity::{not_permitted, subject_of},
    refusal::Refusal,
    representation::Freshness,
    rules::{self, Sightline},
    service::Shared,
};

/// What rules over a collection.
#[derive(Clone, Debug)]
pub(crate) enum Governed {
    /// A definition.
    By(Arc<Definition>),
    /// The service's own rules, for definitions and outcomes of transactions.
    Service(Arc<Definition>),
    /// All collections together: nothing is declared, and who may keep what is told depends on all.
    Everything {
        /// The service's own rules.
        definition: Arc<Definition>,
        /// What caches may do.
        caching: Caching,
    },
}

impl Governed {
    /// What rules over `collection` now.
    pub(crate) fn of(shared: &Shared, collection: &CollectionPath) -> Result<Self, Refusal> {
        if collection.is_reserved() {
            return Ok(Self::Service(Arc::clone(&shared.own_definition)));
        }
        let definitions = shared.store.definitions();
        match definitions.of(collection) {
            Some(defined) => Ok(Self::By(Arc::clone(&defined.definition))),
            None => Err(not_defined(shared, collection)),
        }
    }

    /// What rules over all collections together: where one is private, all is.
    pub(crate) fn everything(shared: &Shared, definitions: &Definitions) -> Self {
        let mut all = definitions.iter();
        let is_private =
            all.any(|(_, defined)| rules::visibility(&defined.definition) == Visibility::Private);
        let visibility = if is_private {
            Visibility::Private
        } else {
            Visibility::Public
        };
        let definition = Arc::clone(&shared.own_definition);
        let caching = Caching {
            visibility,
            ..definition.caching
        };
        Self::Everything {
            definition,
            caching,
        }
    }

    /// What can be filtered, sorted and searched by.
    pub(crate) fn definition(&self) -> &Definition {
        match self {
            Self::By(definition)
            | Self::Service(definition)
            | Self::Everything { definition, .. } => definition,
        }
    }

    /// How long an answer about the present may be kept.
    pub(crate) fn freshness(&self) -> Freshness {
        match self {
            Self::By(definition) => Freshness::Current(caching(definition)),
            Self::Everything { caching, .. } => Freshness::Current(*caching),
            Self::Service(_) => Freshness::Revalidate,
        }
    }

    /// What the subject of a request sees of the collection.
    ///
    /// # Errors
    /// The refusal of a subject that may read nothing of it, whatever there is.
    pub(crate) fn admit(&self, request: &Parts) -> Result<Sightline, Refusal> {
        let line = match self {
            Self::By(definition) => Sightline::of(definition, subject_of(request)),
            Self::Service(_) | Self::Everything { .. } => Sightline::Open,
        };
        match line {
            Sightline::Nothing => Err(closed(request)),
            line => Ok(line),
        }
    }

    /// The name of what the subject of a request sees of this collection; `None` where everybody sees all.
    pub(crate) fn view(&self, collection: &CollectionPath, request: &Parts) -> Option<String> {
        match self {
            Self::By(definition) => {
                let ruled = [(collection, &**definition)];
                rules::view_name(ruled.into_iter(), subject_of(request))
            }
            Self::Service(_) | Self::Everything { .. } => None,
        }
    }

    /// Whether this still rules over a collection. Asked after a read: what was written under other rules must not be
    /// shown by these.
    ///
    /// # Errors
    /// Asks to come again, where it doesn't.
    pub(crate) fn still(
        &self,
        shared: &Shared,
        collection: &CollectionPath,
    ) -> Result<(), Refusal> {
        let Self::By(definition) = self else {
            return Ok(());
        };
        let definitions = shared.store.definitions();
        let now = definitions.of(collection);
        if now.is_some_and(|now| Arc::ptr_eq(&now.definition, definition)) {
            return Ok(());
        }
        let detail = "the collection's definition was changed meanwhile: ask again";
        Err(Refusal::new(ProblemType::Overloaded, detail).retry_after_s(1))
    }

    /// Who may keep an answer.
    pub(crate) fn visibility(&self) -> Visibility {
        match self {
            Self::By(definition) => rules::visibility(definition),
            Self::Everything { caching, .. } => caching.visibility,
            Self::Service(_) => Visibility::Private,
        }
    }
}

/// What caches may do: what the definition says, and never more than the rules let them.
fn caching(definition: &Definition) -> Caching {
    Caching {
        visibility: rules::visibility(definition),
        ..definition.caching
    }
}

/// The refusal of a subject that may read nothing of a collection.
pub(crate) fn closed(request: &Parts) -> Refusal {
    not_permitted(
        request,
        "the collection's rules let the subject of this request read nothing of it",
    )
}

/// 404: there is no such collection, and where its definition would be.
pub(crate) fn not_defined(shared: &Shared, collection: &CollectionPath) -> Refusal {
    let definition =
        ResourceKey::definition(collection).map(|key| href::resource(&shared.base, &key));
    let definition = definition.unwrap_or_else(|| href::definitions(&shared.base));
    let detail =
        format!("collection {collection} is not defined; its definition would be {definition}");
    Refusal::new(ProblemType::CollectionNotDefined, detail).with_member("definition", definition)
}
