//! Whom a write is for, asked inside the storage transaction that carries it out.
//!
//! A definition's rules ([`Rules`](crate::definition::Rules)) are text here: what they mean, and who asks, is for
//! whoever writes. A transaction carries a [`Guard`], which the decision asks with what stands and what would
//! stand, so that nothing can come between its judgement and the write. Without one, whoever writes is trusted:
//! an application's own routes, an import.

use std::fmt::Debug;

use crate::{Definition, ResourceKey, Violation};

/// A version of a resource that somebody would see.
#[derive(Clone, Copy, Debug)]
pub struct Sighted<'a> {
    /// The definition of the resource's collection. Has rules.
    pub definition: &'a Definition,
    /// The resource.
    pub key: &'a ResourceKey,
    /// The representation.
    pub body: &'a [u8],
}

/// A write that somebody would make: a create has no `before`, a delete no `after`.
#[derive(Clone, Copy, Debug)]
pub struct Proposed<'a> {
    /// The definition of the resource's collection. Has rules.
    pub definition: &'a Definition,
    /// The resource.
    pub key: &'a ResourceKey,
    /// The representation that stands.
    pub before: Option<&'a [u8]>,
    /// The representation that would stand.
    pub after: Option<&'a [u8]>,
}

/// Judges for one subject, by the rules of definitions. Must be quick: the one writer waits for it.
///
/// To a subject, what it may not read isn't there: the decision then goes on as though nothing stood, so that
/// a refusal never tells that something does.
pub trait Guard: Debug + Send + Sync {
    /// Whether the subject may read this.
    fn may_read(&self, sighted: &Sighted<'_>) -> bool;

    /// Whether the subject may make this write. Is asked only of what stands that it may read.
    fn may_write(&self, proposed: &Proposed<'_>) -> bool;

    /// What is wrong with a definition that is to be written, besides what the store looks at; empty where
    /// nothing is.
    fn review(&self, definition: &Definition) -> Vec<Violation>;
}
