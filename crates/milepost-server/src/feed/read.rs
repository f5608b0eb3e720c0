//! Reading a page of the feed: from the store, or from who reads the same one now.

use std::sync::Arc;

use milepost_semantics::Position;
use milepost_store::ReadError;

use super::{asked::Asked, render::render, told};
use crate::{
    between::{View, WrittenPage},
    service::Shared,
};

/// The page after `since`, as of now or later.
pub(super) async fn page(
    shared: &Shared,
    asked: &Asked,
    since: Position,
) -> Result<Arc<WrittenPage>, ReadError> {
    let now = View {
        head: shared.store.head(),
        // What was declared when the question was understood: where that has changed since, nobody
        // else is to have this page.
        definitions: Arc::clone(&asked.view.definitions),
    };
    let make = async {
        let query = asked.query(shared, since);
        let page = if asked.seen.is_whole() {
            shared.store.changes(&query).await?
        } else {
            let reader = told::Reader {
                shared,
                seen: &asked.seen,
                subject: &asked.subject,
            };
            Arc::new(told::page(reader, &query).await?)
        };
        asked.still(shared)?;
        Ok(render(shared, asked, query, &page))
    };
    let url = asked.resume_url(shared, since);
    shared.pages.page(url, &now, make).await
}
