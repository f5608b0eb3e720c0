//! What a URL's path names: read from its segments into one [`Route`], by hand.
//!
//! There is no table of patterns: the service has twelve kinds of URL (protocol §1), collections and
//! ids are data, and no two kinds collide. Looks at neither method, query nor store; whether what is
//! named exists is for those that read it.
//!
//! Every name in a path consists of unreserved characters, so a canonical path has no percent-encoded
//! byte. One that has is redirected where the encoding was merely unneeded, and refused otherwise:
//! `%2F` is never a slash, `%2E%2E` never a step up.

mod encoded;
mod walk;

#[cfg(test)]
mod tests;

use http::Uri;
use milepost_store::{CollectionPath, ParentPath, ResourceKey, Scope};

use crate::{collection::Params, identity::METADATA_PATH, metrics::RouteKind, pages::Page};

/// What a path names.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    /// One of the service's own documents.
    Page(Page<'p>),
    /// A collection, or a part of it.
    Collection(Address),
    /// What is remembered of a collection's changes, or those after a position.
    Changes {
        followed: Followed,
        after: Option<&'p str>,
    },
    /// A collection, or everything, exactly as of a position.
    Snapshot { followed: Followed, at: &'p str },
    /// A resource.
    Resource(ResourceKey),
    /// A resource's retained versions.
    Versions(ResourceKey),
    /// One of them.
    Version { key: ResourceKey, at: &'p str },
    /// A transaction.
    Transaction { id: &'p str },
    /// A flow of several steps.
    Flow { name: &'p str },
}

impl Route<'_> {
    /// What kind of URL it is, for metrics and the log.
    pub(crate) fn kind(&self) -> RouteKind {
        match self {
            Self::Page(Page::Service) => RouteKind::Service,
            Self::Page(Page::Health | Page::Ready | Page::Metrics) => RouteKind::Operations,
            Self::Page(
                Page::ApiCatalog
                | Page::ProtectedResource
                | Page::OpenApi
                | Page::Problems
                | Page::Problem(_),
            ) => RouteKind::Documentation,
            Self::Collection(_) => RouteKind::Collection,
            Self::Changes { .. } => RouteKind::Changes,
            Self::Snapshot { .. } => RouteKind::Snapshot,
            Self::Resource(key) if key.collection.is_reserved() => RouteKind::Definition,
            Self::Resource(_) => RouteKind::Resource,
            Self::Versions(_) | Self::Version { .. } => RouteKind::Versions,
            Self::Transaction { .. } => RouteKind::Transaction,
            Self::Flow { .. } => RouteKind::Flow,
        }
    }
}

/// A collection and which parents' resources of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) collection: CollectionPath,
    pub(crate) scope: Scope,
}

impl Address {
    /// The parent that all resources lie directly below; `None` across parents.
    pub(crate) const fn parent(&self) -> Option<&ParentPath> {
        match &self.scope {
            Scope::Of(parent) => Some(parent),
            Scope::Below(_) => None,
        }
    }
}

/// What can be followed: whose changes are told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Followed {
    /// A collection, or a part of it.
    Collection(Address),
    /// All collections, `/-`.
    Everything,
}

/// Why a path names nothing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stray {
    /// There is nothing of this form here.
    Nowhere(String),
    /// A part of the path can't be a name.
    Malformed { segment: String, detail: String },
    /// The same without needless percent-encoding.
    Elsewhere(String),
}

impl Stray {
    fn nowhere(detail: impl Into<String>) -> Self {
        Self::Nowhere(detail.into())
    }
}

/// Whether a URL is too long, in its canonical form and without what the service's own links add to
/// it: a link of the service must never be too long for the service.
pub(crate) fn is_too_long(uri: &Uri, bytes_max: usize) -> bool {
    // An encoded byte has three.
    const GROWTH_MAX: usize = 3;
    let given = uri.path_and_query().map_or(0, |url| url.as_str().len());
    if given.saturating_mul(GROWTH_MAX) <= bytes_max {
        return false;
    }
    let canonical = Params::of_query(uri.query());
    let canonical = canonical.map(|params| params.without(&["after", "tick"]).to_query());
    let query = canonical.map_or(given, |query| query.len());
    without_position(uri.path()).len() + query > bytes_max
}

/// A path without `/changes/{position}` or `/snapshots/{position}` at its end.
fn without_position(path: &str) -> &str {
    let cut = path.rsplit_once('/').and_then(|(before, _position)| {
        before
            .strip_suffix("/changes")
            .or_else(|| before.strip_suffix("/snapshots"))
    });
    cut.unwrap_or(path)
}

/// Reads a path below `base` (`/v1`, or empty for the host's root).
pub(crate) fn parse<'p>(base: &str, path: &'p str) -> Result<Route<'p>, Stray> {
    if path == "/.well-known/api-catalog" {
        return Ok(Route::Page(Page::ApiCatalog));
    }
    if let Some(of) = path.strip_prefix(METADATA_PATH)
        && (of.is_empty() || of == base)
    {
        return Ok(Route::Page(Page::ProtectedResource));
    }
    let Some(below) = path.strip_prefix(base) else {
        return Err(Stray::Nowhere(format!(
            "everything here lies under {base}/"
        )));
    };
    if path.contains('%') {
        return Err(encoded::stray(base, path));
    }
    match below.strip_prefix('/') {
        _ if below.is_empty() || below == "/" => Ok(Route::Page(Page::Service)),
        Some(below) => walk::segments(below),
        None => Err(Stray::Nowhere(format!(
            "everything here lies under {base}/"
        ))),
    }
}
