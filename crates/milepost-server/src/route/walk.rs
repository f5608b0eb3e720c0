//! From segments to a route.

use milepost_semantics::{CollectionName, ResourceId};
use milepost_store::{CollectionPath, ParentPath, ResourceKey, Scope};

use super::{Address, Followed, Route, Stray};
use crate::pages::Page;

/// What is left of the path, segment by segment.
struct Segments<'p> {
    rest: Option<&'p str>,
}

impl<'p> Segments<'p> {
    fn next(&mut self) -> Option<&'p str> {
        let rest = self.rest?;
        let (segment, rest) = match rest.split_once('/') {
            Some((segment, rest)) => (segment, Some(rest)),
            None => (rest, None),
        };
        self.rest = rest;
        Some(segment)
    }

    /// The route, if the path ends here.
    fn end(&self, route: Route<'p>) -> Result<Route<'p>, Stray> {
        if self.rest.is_none() {
            Ok(route)
        } else {
            Err(too_long())
        }
    }
}

/// Reads what stands behind `{base}/`; not empty.
pub(super) fn segments(below: &str) -> Result<Route<'_>, Stray> {
    let mut segments = Segments { rest: Some(below) };
    let first = segments.next().unwrap_or_default();
    match first {
        "-" => service(&mut segments),
        "openapi.json" => segments.end(Route::Page(Page::OpenApi)),
        "health" => segments.end(Route::Page(Page::Health)),
        name => {
            let collection = CollectionPath::top(&collection_name(name)?);
            within(&mut segments, collection, ParentPath::top(), false)
        }
    }
}

/// Everything under `/-/`.
fn service<'p>(segments: &mut Segments<'p>) -> Result<Route<'p>, Stray> {
    match segments.next() {
        Some("collections") => within(
            segments,
            CollectionPath::collections(),
            ParentPath::top(),
            false,
        ),
        Some("transactions") => match segments.next() {
            Some(id) if !id.is_empty() => segments.end(Route::Transaction { id }),
            _ => Err(Stray::nowhere(
                "a transaction has a UUID, and there is no list of them: /-/transactions/{uuid}",
            )),
        },
        Some("flows") => match segments.next() {
            Some(name) if !name.is_empty() => segments.end(Route::Flow { name }),
            _ => Err(Stray::nowhere("a flow has a name: /-/flows/{name}")),
        },
        Some("problems") => match segments.next() {
            Some(name) => segments.end(Route::Page(Page::Problem(name))),
            None => Ok(Route::Page(Page::Problems)),
        },
        Some(word @ ("changes" | "snapshots")) => followed(segments, Followed::Everything, word),
        Some("metrics") => segments.end(Route::Page(Page::Metrics)),
        Some("health") => segments.end(Route::Page(Page::Health)),
        Some("ready") => segments.end(Route::Page(Page::Ready)),
        _ => Err(Stray::nowhere("the service has nothing of this name")),
    }
}

/// Reads on behind the name of a collection.
///
/// `across`: a `-` stood for a parent; what follows can only be further `-` and child collections.
fn within<'p>(
    segments: &mut Segments<'p>,
    collection: CollectionPath,
    parent: ParentPath,
    across: bool,
) -> Result<Route<'p>, Stray> {
    let scope = |parent| {
        if across {
            Scope::Below(parent)
        } else {
            Scope::Of(parent)
        }
    };
    let Some(segment) = segments.next() else {
        return Ok(Route::Collection(Address {
            collection,
            scope: scope(parent),
        }));
    };
    match segment {
        "changes" | "snapshots" => {
            let address = Address {
                collection,
                scope: scope(parent),
            };
            followed(segments, Followed::Collection(address), segment)
        }
        "-" => {
            let child = segments.next().ok_or_else(|| {
                Stray::nowhere(
                    "'-' stands for all parents of a child collection, whose name must follow",
                )
            })?;
            within(segments, child_of(&collection, child)?, parent, true)
        }
        _ if across => Err(Stray::nowhere(
            "after a '-' for all parents only '-' may stand for the next ones",
        )),
        id => resource(
            segments,
            ResourceKey {
                collection,
                parent,
                id: resource_id(id)?,
            },
        ),
    }
}

/// Reads on behind `changes` or `snapshots`.
fn followed<'p>(
    segments: &mut Segments<'p>,
    followed: Followed,
    as_what: &str,
) -> Result<Route<'p>, Stray> {
    let position = segments.next();
    if as_what == "changes" {
        let after = position;
        return segments.end(Route::Changes { followed, after });
    }
    let at = position.ok_or_else(|| {
        Stray::nowhere("a snapshot is named by a position: …/snapshots/{position}")
    })?;
    segments.end(Route::Snapshot { followed, at })
}

/// Reads on behind a resource's id.
fn resource<'p>(segments: &mut Segments<'p>, key: ResourceKey) -> Result<Route<'p>, Stray> {
    match segments.next() {
        None => Ok(Route::Resource(key)),
        Some("versions") => match segments.next() {
            None => Ok(Route::Versions(key)),
            Some(at) => segments.end(Route::Version { key, at }),
        },
        Some(child) => within(
            segments,
            child_of(&key.collection, child)?,
            key.as_parent(),
            false,
        ),
    }
}

fn child_of(collection: &CollectionPath, name: &str) -> Result<CollectionPath, Stray> {
    let name = collection_name(name)?;
    if collection.is_reserved() {
        return Err(Stray::nowhere(
            "the service's own collections have no child collections",
        ));
    }
    collection.child(&name).ok_or_else(too_long)
}

fn collection_name(name: &str) -> Result<CollectionName, Stray> {
    if name.is_empty() {
        return Err(Stray::nowhere(
            "no URL here ends with a slash or has two in a row",
        ));
    }
    name.parse()
        .map_err(|error| Stray::Nowhere(format!("{error}")))
}

fn resource_id(id: &str) -> Result<ResourceId, Stray> {
    if id.is_empty() {
        return Err(Stray::nowhere(
            "no URL here ends with a slash or has two in a row",
        ));
    }
    id.parse().map_err(|error| Stray::Malformed {
        segment: id.to_owned(),
        detail: format!("{error}"),
    })
}

fn too_long() -> Stray {
    Stray::nowhere("the path goes deeper than anything here")
}
