//! Why there is no grant: said to whoever makes or narrows one.

use super::{GRANT_BYTES_MAX, NAMELESS, NARROWINGS_MAX};
use crate::identity::MalformedSubject;

/// Why there is no grant.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// It is no grant.
    #[error("it is no grant: {detail}")]
    Malformed {
        /// What is wrong.
        detail: String,
    },
    /// No grant is for this method.
    #[error(
        "{method:?} is not what grants are for: GET (HEAD is meant too), PUT, PATCH, DELETE, POST or QUERY"
    )]
    Method {
        /// What was given.
        method: String,
    },
    /// No grant is for this URL.
    #[error("{url:?} can't be granted: {detail}")]
    Url {
        /// What was given.
        url: String,
        /// What is wrong.
        detail: &'static str,
    },
    /// No issuer is called so.
    #[error("{NAMELESS} is no issuer: that is what bearers of grants without a name are called")]
    Reserved,
    /// Nobody can be called so.
    #[error(transparent)]
    Subject(#[from] MalformedSubject),
    /// No service would take it.
    #[error(
        "the grant would have {bytes} bytes, of {GRANT_BYTES_MAX} at most: it needs fewer claims"
    )]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// It would be the same.
    #[error("nothing is said to narrow it to: a URL within it, or an earlier end")]
    Nothing,
    /// It was narrowed so often that no service would take it narrowed once more.
    #[error("it was narrowed {NARROWINGS_MAX} times already: narrow one of those it was made from")]
    TooNarrow,
    /// Nothing would be left of it.
    #[error("the grant is for {granted}, so it can't be narrowed to that")]
    Wider {
        /// What it is for.
        granted: String,
    },
}

impl GrantError {
    pub(super) fn malformed(detail: impl std::fmt::Display) -> Self {
        Self::Malformed {
            detail: detail.to_string(),
        }
    }
}
