//! Being as new as any other node: what one acknowledged before a request came is known here before the
//! request is answered.
//!
//! Where several nodes share a store, each holds what was declared and how far the store is as it last
//! heard; the store's own reads and writes look at what is, but not all that an answer is made of is
//! read by them (whether a collection is defined, whose rules hold, whether a kept page is still the
//! newest). So the store is asked to catch up first. That is not done for writes to collections that
//! are known: they are decided where they are written. Where there is but one node nothing is done.

use http::request::Parts;
use milepost_store::{CollectionPath, ReadError};

use crate::{pages::Page, route::Route, service::Shared};

/// See the module.
pub(crate) async fn catch_up(
    shared: &Shared,
    request: &Parts,
    route: &Route<'_>,
) -> Result<(), ReadError> {
    if !shared.store.kind().has_primary {
        return Ok(());
    }
    let is_known =
        |path: &CollectionPath| path.is_reserved() || shared.store.definitions().of(path).is_some();
    match route {
        Route::Page(Page::Service | Page::OpenApi) => {
            // What was declared a moment ago is better than nothing.
            let _ = shared.store.refresh().await;
            Ok(())
        }
        Route::Page(_) => Ok(()),
        Route::Collection(address) if !is_reading(request) && is_known(&address.collection) => {
            Ok(())
        }
        Route::Resource(key) if !is_reading(request) && is_known(&key.collection) => Ok(()),
        Route::Collection(_)
        | Route::Snapshot { .. }
        | Route::Changes { .. }
        | Route::Resource(_)
        | Route::Versions(_)
        | Route::Version { .. }
        | Route::Transaction { .. }
        | Route::Flow { .. } => shared.store.refresh().await,
    }
}

/// Whether the method only reads, a `QUERY` included.
fn is_reading(request: &Parts) -> bool {
    request.method.is_safe() || request.method.as_str() == "QUERY"
}
