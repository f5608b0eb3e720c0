//! Request methods, and which of them each form of URL has.

use http::{HeaderValue, Method};
use milepost_store::Scope;

use crate::route::{Address, Followed, Route};

/// A method that some URL here has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// GET, and HEAD: the same but for the body, which is left out at the very end.
    Read,
    Put,
    Patch,
    Delete,
    Post,
    /// QUERY (RFC 10008).
    Query,
    Options,
}

impl Verb {
    /// Reads a method; `None` for one that no URL here has.
    pub(crate) fn of(method: &Method) -> Option<Self> {
        Some(match *method {
            Method::GET | Method::HEAD => Self::Read,
            Method::PUT => Self::Put,
            Method::PATCH => Self::Patch,
            Method::DELETE => Self::Delete,
            Method::POST => Self::Post,
            Method::OPTIONS => Self::Options,
            _ if method.as_str() == "QUERY" => Self::Query,
            _ => return None,
        })
    }
}

/// The value of `Allow` for a URL of this form.
pub(crate) fn allowed(route: &Route<'_>) -> HeaderValue {
    HeaderValue::from_static(match route {
        Route::Page(_)
        | Route::Snapshot {
            followed: Followed::Everything,
            ..
        }
        | Route::Changes { .. }
        | Route::Versions(_)
        | Route::Version { .. } => "GET, HEAD, OPTIONS",
        Route::Snapshot { .. } => "GET, HEAD, QUERY, OPTIONS",
        Route::Collection(address) if takes_post(address) => "GET, HEAD, POST, QUERY, OPTIONS",
        Route::Collection(_) => "GET, HEAD, QUERY, OPTIONS",
        Route::Resource(_) => "GET, HEAD, PUT, PATCH, DELETE, OPTIONS",
        Route::Transaction { .. } => "GET, HEAD, PUT, OPTIONS",
    })
}

/// Whether the service can choose an id here: not across parents, and not for a definition, whose
/// id is the collection's name.
pub(crate) fn takes_post(address: &Address) -> bool {
    matches!(address.scope, Scope::Of(_)) && !address.collection.is_reserved()
}
