//! Who asks: found out once at the edge, and carried with the request from there.
//!
//! Every request has a [`Subject`]; [`subject_of`] tells it wherever the request is at hand. Nothing about it outlives
//! the request. What a subject may do is not decided here: that is for rules.

mod challenge;
mod subject;

use http::request::Parts;

#[cfg_attr(not(test), expect(unused_imports, reason = "rules refuse by it"))]
pub(crate) use self::challenge::not_permitted;
pub use self::subject::{Credential, MalformedSubject, Subject};

/// Who a request speaks for: whom the edge found, or the application that mounts the service.
pub(crate) fn subject_of(request: &Parts) -> &Subject {
    request.extensions.get().unwrap_or(&Subject::ANONYMOUS)
}
