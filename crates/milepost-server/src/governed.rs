//! What rules over a collection: its definition, or the service's own rules.

use std::sync::Arc;

use milepost_semantics::ProblemType;
use milepost_store::{
    CollectionPath, Definition, Definitions, ResourceKey,
    definition::{Caching, Visibility},
};

use crate::{href, refusal::Refusal, representation::Freshness, service::Shared};

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
            all.any(|(_, defined)| defined.definition.caching.visibility == Visibility::Private);
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
            Self::By(definition) => Freshness::Current(definition.caching),
            Self::Everything { caching, .. } => Freshness::Current(*caching),
            Self::Service(_) => Freshness::Revalidate,
        }
    }

    /// Who may keep an answer.
    pub(crate) fn visibility(&self) -> Visibility {
        match self {
            Self::By(definition) => definition.caching.visibility,
            Self::Everything { caching, .. } => caching.visibility,
            Self::Service(_) => Visibility::Private,
        }
    }
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
