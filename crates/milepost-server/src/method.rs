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

impl Verb {
    /// Whether it is for changing something.
    pub(crate) const fn is_write(self) -> bool {
        match self {
            Self::Read | Self::Query | Self::Options => false,
            Self::Put | Self::Patch | Self::Delete | Self::Post => true,
        }
    }
}

/// Which requests of clients are carried out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Access {
    /// Reads and writes.
    #[default]
    Full,
    /// Reads only: what is written is the application's business.
    ReadOnly,
}

impl Access {
    /// Whether a request of this method may be carried out.
    pub(crate) fn admits(self, verb: Verb) -> bool {
        !verb.is_write() || self == Self::Full
    }
}

/// The value of `Allow` for a URL of this form.
pub(crate) fn allowed(route: &Route<'_>, access: Access) -> HeaderValue {
    match access {
        Access::Full => HeaderValue::from_static(of_route(route)),
        Access::ReadOnly => HeaderValue::from_static(read_of_route(route)),
    }
}

fn of_route(route: &Route<'_>) -> &'static str {
    match route {
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
        Route::Flow { .. } => "GET, HEAD, POST, OPTIONS",
    }
}

fn read_of_route(route: &Route<'_>) -> &'static str {
    match route {
        Route::Collection(_)
        | Route::Snapshot {
            followed: Followed::Collection(_),
            ..
        } => "GET, HEAD, QUERY, OPTIONS",
        Route::Page(_)
        | Route::Snapshot {
            followed: Followed::Everything,
            ..
        }
        | Route::Changes { .. }
        | Route::Versions(_)
        | Route::Version { .. }
        | Route::Resource(_)
        | Route::Transaction { .. }
        | Route::Flow { .. } => "GET, HEAD, OPTIONS",
    }
}

/// Whether the service can choose an id here: not across parents, and not for a definition, whose
/// id is the collection's name.
pub(crate) fn takes_post(address: &Address) -> bool {
    matches!(address.scope, Scope::Of(_)) && !address.collection.is_reserved()
}
