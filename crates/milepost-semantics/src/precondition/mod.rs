//! Preconditions (RFC 9110 §13): conditions on a resource's current state that a request carries.
//!
//! **The problem.** Five fields may stand in one request, may contradict each other, may be
//! malformed, and mean different things for reads and for writes. Servers that test them one by one
//! where it happens to be handy let a lost update through, or answer 304 to a write.
//!
//! **The choice.** The fields are read once, at the edge ([`Preconditions::from_headers`]): absent
//! is `None`, malformed is an error, and they are never the same, since a client that sent a guard
//! must not be treated like one that sent none. What is left is a value, that
//! [`Preconditions::evaluate`] judges against the current validators in the order of §13.2.2, in one
//! function. It is pure, so the store calls it inside the transaction that performs the write:
//! compare-and-swap, never check-then-act.
//!
//! **Where the RFC wants leniency it gets it.** A date field that is no HTTP-date, or that stands
//! more than once, is ignored (§13.1.3, §13.1.4); so is `If-Range` without `Range` (§13.1.5).
//! A request that is guarded by such a date only counts as unguarded.
//!
//! **Dates in `If-Range` are never true.** A date is a strong validator only for who knows that the
//! representation did not change twice within that second (§8.8.2.2), which nobody here does; the
//! client gets the whole representation, which is always right.

mod evaluate;
mod fields;

use http::HeaderMap;

pub use crate::field::MalformedField;
pub use evaluate::{Condition, Outcome, Validators};

use crate::date::UnixSeconds;
use crate::tag::EntityTag;

/// A request's conditional fields, parsed. The default is none at all.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preconditions {
    /// `If-Match` (§13.1.1).
    pub if_match: Option<IfMatch>,
    /// `If-None-Match` (§13.1.2).
    pub if_none_match: Option<IfNoneMatch>,
    /// `If-Modified-Since` (§13.1.3).
    pub if_modified_since: Option<UnixSeconds>,
    /// `If-Unmodified-Since` (§13.1.4).
    pub if_unmodified_since: Option<UnixSeconds>,
    /// `If-Range` (§13.1.5), of a request that has a `Range`.
    pub if_range: Option<IfRange>,
}

/// What `If-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`: the resource exists.
    Any,
    /// The current tag is strongly equal to one of these.
    Tags(Vec<EntityTag>),
}

/// What `If-None-Match` asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// `*`: the resource doesn't exist.
    Any,
    /// The current tag is weakly equal to none of these.
    Tags(Vec<EntityTag>),
}

/// Which version a requested range is of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IfRange {
    /// That with this tag, compared strongly.
    Tag(EntityTag),
    /// That of this second.
    Date(UnixSeconds),
}

impl Preconditions {
    /// Reads the conditional fields of a request. Lists may be split over several field lines.
    ///
    /// # Errors
    /// Every malformed `If-Match`, `If-None-Match` and `If-Range`, all at once. Malformed dates are
    /// ignored instead, as the RFC demands.
    pub fn from_headers(headers: &HeaderMap) -> Result<Self, Vec<MalformedField>> {
        fields::parse(headers)
    }

    /// The resource is still the version with this tag.
    #[must_use]
    pub fn if_match(tag: EntityTag) -> Self {
        Self {
            if_match: Some(IfMatch::Tags(vec![tag])),
            ..Self::default()
        }
    }

    /// The resource exists.
    #[must_use]
    pub fn if_match_any() -> Self {
        Self {
            if_match: Some(IfMatch::Any),
            ..Self::default()
        }
    }

    /// The resource is no longer the version with this tag.
    #[must_use]
    pub fn if_none_match(tag: EntityTag) -> Self {
        Self {
            if_none_match: Some(IfNoneMatch::Tags(vec![tag])),
            ..Self::default()
        }
    }

    /// The resource doesn't exist.
    #[must_use]
    pub fn if_none_match_any() -> Self {
        Self {
            if_none_match: Some(IfNoneMatch::Any),
            ..Self::default()
        }
    }

    /// Whether the request is guarded against overwriting what its author hasn't seen: it has an
    /// `If-Match`, an `If-None-Match` that names anything, or an `If-Unmodified-Since`.
    #[must_use]
    pub fn is_guarded(&self) -> bool {
        let names_something = match &self.if_none_match {
            None => false,
            Some(IfNoneMatch::Any) => true,
            Some(IfNoneMatch::Tags(tags)) => !tags.is_empty(),
        };
        self.if_match.is_some() || names_something || self.if_unmodified_since.is_some()
    }

    /// Whether there is no condition at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The same conditions with every tag reduced to its position: how a write compares them, since
    /// it replaces all variants of a representation at once.
    #[must_use]
    pub fn without_variants(&self) -> Self {
        let reduce = |tags: &[EntityTag]| tags.iter().map(EntityTag::without_variant).collect();
        let mut reduced = self.clone();
        if let Some(IfMatch::Tags(tags)) = &mut reduced.if_match {
            *tags = reduce(tags);
        }
        if let Some(IfNoneMatch::Tags(tags)) = &mut reduced.if_none_match {
            *tags = reduce(tags);
        }
        if let Some(IfRange::Tag(tag)) = &mut reduced.if_range {
            *tag = tag.without_variant();
        }
        reduced
    }
}
