//! Judging preconditions against the current state, in the order of RFC 9110 §13.2.2.
//!
//! Reads no fields and chooses no status: the outcome says which of the RFC's answers it is.

use http::Method;

use super::{IfMatch, IfNoneMatch, IfRange, Preconditions};
use crate::date::UnixSeconds;
use crate::tag::EntityTag;

/// What tells a selected representation from others (RFC 9110 §8.8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validators {
    /// Its entity tag.
    pub etag: EntityTag,
    /// When it was last modified; `None` where that is not known, then conditions on it are
    /// ignored.
    pub last_modified: Option<UnixSeconds>,
}

/// What the preconditions say about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Perform the method.
    Proceed,
    /// Perform the method as if there were no `Range` field: the client's part is of another
    /// version.
    ProceedIgnoringRange,
    /// Answer 304: the client holds the current representation.
    NotModified,
    /// Answer 412: this condition is false.
    Failed(Condition),
}

/// A condition that can refuse a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// `If-Match`.
    IfMatch,
    /// `If-Unmodified-Since`.
    IfUnmodifiedSince,
    /// `If-None-Match`.
    IfNoneMatch,
}

impl Condition {
    /// The field's name as it is usually written.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::IfMatch => "If-Match",
            Self::IfUnmodifiedSince => "If-Unmodified-Since",
            Self::IfNoneMatch => "If-None-Match",
        }
    }
}

impl Preconditions {
    /// Evaluates the conditions for a request, in the order of RFC 9110 §13.2.2.
    ///
    /// `selected` are the validators of the representation that the request would select now, `None`
    /// when the resource doesn't exist. To be called when the answer without conditions would be
    /// 2xx (§13.2.1).
    #[must_use]
    pub fn evaluate(&self, method: &Method, selected: Option<&Validators>) -> Outcome {
        // §13.2.1: methods that neither select nor modify a representation.
        if matches!(*method, Method::CONNECT | Method::OPTIONS | Method::TRACE) {
            return Outcome::Proceed;
        }
        let is_read = matches!(*method, Method::GET | Method::HEAD);

        // §13.2.2 step 1, else step 2.
        if let Some(condition) = &self.if_match {
            if !condition.holds(selected) {
                return Outcome::Failed(Condition::IfMatch);
            }
        } else if self.is_modified_after_guard(selected) {
            return Outcome::Failed(Condition::IfUnmodifiedSince);
        }

        // Step 3, else step 4.
        if let Some(condition) = &self.if_none_match {
            if !condition.holds(selected) {
                return refusal(is_read);
            }
        } else if is_read && self.is_unmodified_since_read(selected) {
            return Outcome::NotModified;
        }

        // Step 5: the range applies, or the whole representation is sent.
        match &self.if_range {
            Some(condition) if *method == Method::GET && !condition.holds(selected) => {
                Outcome::ProceedIgnoringRange
            }
            _ => Outcome::Proceed,
        }
    }

    /// §13.1.4: false when modified after the date; ignored without a modification date.
    fn is_modified_after_guard(&self, selected: Option<&Validators>) -> bool {
        let modified = selected.and_then(|validators| validators.last_modified);
        matches!((modified, self.if_unmodified_since), (Some(at), Some(guard)) if at > guard)
    }

    /// §13.1.3: false when not modified after the date; ignored without a modification date.
    fn is_unmodified_since_read(&self, selected: Option<&Validators>) -> bool {
        let modified = selected.and_then(|validators| validators.last_modified);
        matches!((modified, self.if_modified_since), (Some(at), Some(since)) if at <= since)
    }
}

/// §13.2.2 step 3: 304 to a read, 412 to anything else.
const fn refusal(is_read: bool) -> Outcome {
    if is_read {
        Outcome::NotModified
    } else {
        Outcome::Failed(Condition::IfNoneMatch)
    }
}

impl IfMatch {
    /// §13.1.1: strong comparison; false for a resource that doesn't exist.
    fn holds(&self, selected: Option<&Validators>) -> bool {
        selected.is_some_and(|current| match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.strong_eq(&current.etag)),
        })
    }
}

impl IfNoneMatch {
    /// §13.1.2: weak comparison; true for a resource that doesn't exist.
    fn holds(&self, selected: Option<&Validators>) -> bool {
        selected.is_none_or(|current| match self {
            Self::Any => false,
            Self::Tags(tags) => !tags.iter().any(|tag| tag.weak_eq(&current.etag)),
        })
    }
}

impl IfRange {
    /// §13.1.5: strong comparison; a date is never strong here (see the module's essay).
    fn holds(&self, selected: Option<&Validators>) -> bool {
        match self {
            Self::Tag(tag) => selected.is_some_and(|current| tag.strong_eq(&current.etag)),
            Self::Date(_) => false,
        }
    }
}
