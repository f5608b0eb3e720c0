//! What is declared about a collection: schema, indexes, text, preconditions, retention, caching, drafts.
//!
//! A definition is itself a resource: its representation is the normal form, in which everything
//! that holds by default is said. Unknown members are refused, so that a misspelt one can't be
//! silently without effect.

mod duration;
mod normal_form;
mod parse;
mod registry;
mod rules;
mod schema;

use bytes::Bytes;
use milepost_semantics::{JsonPointer, index::ValueType};

pub use self::{
    registry::{Defined, Definitions},
    rules::Rules,
    schema::{Schema, VIOLATIONS_MAX},
};

/// The most indexes that one collection may declare.
pub const INDEXES_MAX: usize = 32;
/// The most pointers that one collection may declare as text.
pub const TEXT_POINTERS_MAX: usize = 16;

/// A collection's definition, with every default filled in.
#[derive(Debug)]
pub struct Definition {
    /// A name for people.
    pub title: Option<String>,
    /// What the collection holds, for people.
    pub description: Option<String>,
    /// What a representation must look like.
    pub schema: Option<Schema>,
    /// What can be filtered and sorted by, in declared order.
    pub indexes: Vec<Index>,
    /// The strings that `q` searches.
    pub text: Vec<JsonPointer>,
    /// Whether changing an existing resource needs a condition.
    pub preconditions: PreconditionRule,
    /// How long what was superseded is kept.
    pub retention: Retention,
    /// What caches may do.
    pub caching: Caching,
    /// For a child collection: what deleting a parent does.
    pub on_parent_delete: OnParentDelete,
    /// Which resources are drafts; `None`: none is.
    pub drafts: Option<Drafts>,
    /// Who may do what; `None`: everybody everything.
    pub rules: Option<Rules>,
    /// The normal form, as JSON.
    pub representation: Bytes,
}

/// A declared index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Index {
    /// Its camelCase name: the query key.
    pub name: String,
    /// The member it stands for.
    pub pointer: JsonPointer,
    /// How query values are read, from the schema.
    pub value_type: ValueType,
}

/// Which resources are drafts, and how long one is kept. Whoever runs the store deletes those that are older.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Drafts {
    /// The declared index whose value is `true` for a draft.
    pub index: String,
    /// How long a draft is kept since it was last written, in milliseconds; whole seconds, at least one.
    pub age_ms: u64,
}

/// Whether an unconditional change of an existing resource is refused.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PreconditionRule {
    /// It is: 428.
    #[default]
    Required,
    /// It isn't.
    Optional,
}

/// How long what was superseded is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Old versions of resources.
    pub history: Bounds,
    /// What says that a resource was deleted.
    pub tombstones: Bounds,
}

/// Bounds that hold together: the first that is reached applies. `None`: no bound of that kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bounds {
    /// The most that are kept.
    pub count: Option<u64>,
    /// The oldest that is kept, in milliseconds since it was superseded.
    pub age_ms: Option<u64>,
    /// The most bytes of representations that are kept.
    pub bytes: Option<u64>,
}

/// Who may keep a copy of an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Visibility {
    /// Shared caches too.
    #[default]
    Public,
    /// The client's own only.
    Private,
}

/// What caches may do with answers about the present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caching {
    /// Who may keep a copy.
    pub visibility: Visibility,
    /// For how many seconds an answer is fresh.
    pub max_age_s: u32,
    /// For how many further seconds a stale answer may be used while a fresh one is fetched.
    pub stale_while_revalidate_s: u32,
}

/// What deleting a resource does to those that lie below it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OnParentDelete {
    /// It is refused while there are any.
    #[default]
    Restrict,
    /// They are deleted in the same commit.
    Cascade,
}

impl Definition {
    /// The declared index of this name.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<&Index> {
        self.indexes.iter().find(|index| index.name == name)
    }
}
