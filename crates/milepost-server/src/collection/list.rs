//! Answering a listing: now, or as of a position.

use http::{Response, header::LINK, request::Parts};
use milepost_semantics::{Issue, Position, ProblemType, problem::Part};
use milepost_store::{ListQuery, Page, PageLimit, ReadError};

use super::{cursor, page, params::Params, request::ListRequest};
use crate::{
    body::Body,
    conditional::{held, is_conditional},
    dispatch::redirect,
    failure,
    feed::expired,
    governed::Governed,
    href, media,
    refusal::{Answer, Refusal},
    representation::{FIELDS_EXPECTED, Freshness, describe, entity_tag, is_json},
    route::{Address, Followed},
    service::Shared,
};

/// Which state a listing shows.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Moment<'p> {
    /// The present.
    Now,
    /// That of a position, as it stands in the URL.
    At(&'p str),
}

/// A listing that was understood.
#[derive(Debug)]
pub(crate) struct Listing<'l> {
    pub(crate) address: &'l Address,
    pub(crate) governed: Governed,
    pub(crate) at: Option<Position>,
    pub(crate) request: ListRequest,
}

/// Answers GET and HEAD.
pub(crate) async fn list(
    shared: &Shared,
    request: &Parts,
    address: &Address,
    moment: Moment<'_>,
) -> Answer {
    let params = Params::of_query(request.uri.query()).map_err(malformed_query)?;
    let listing = Listing::read(shared, address, moment, &params)?;
    media::require_json_accepted(&request.headers)?;
    if listing.at.is_some() {
        let canonical = listing.request.params().to_query();
        if canonical != request.uri.query().unwrap_or(&canonical) || request.uri.query() == Some("")
        {
            return Ok(redirect(&listing.self_url(shared)));
        }
    }
    answer(shared, request, &listing).await
}

/// The parts of a query that aren't percent-encoded UTF-8.
pub(crate) fn malformed_query(issues: Vec<Issue>) -> Refusal {
    Refusal::issues(
        ProblemType::InvalidQuery,
        "the query is not percent-encoded UTF-8",
        issues,
    )
}

/// Answers a listing that was understood, however it was asked.
pub(crate) async fn answer(shared: &Shared, request: &Parts, listing: &Listing<'_>) -> Answer {
    if let Some(parent) = listing.address.parent()
        && listing.at.is_none()
    {
        require_parent(shared, listing.address, parent).await?;
    }
    let query = listing.query(shared)?;
    if listing.at.is_none() && is_conditional(&request.headers) {
        // What is held may be known by the collection's newest change alone.
        let state = shared.store.collection(&query.collection).await;
        let state = state.map_err(|error| failure::of_read(shared, error))?;
        if let Some(state) = state
            && let Some(etag) = held(&request.headers, state.head, None)?
        {
            return Ok(shared.outline.not_modified(etag, listing.freshness()));
        }
    }
    let page = match shared.store.list(&query).await {
        Ok(page) => page,
        Err(ReadError::Expired { oldest }) => {
            let followed = Followed::Collection(listing.address.clone());
            let carried = &listing.request.carried;
            let url = |at| carried.url(&listing.snapshot_path(shared, at));
            return Err(expired(shared, &followed, &listing.governed, oldest, url).await);
        }
        Err(error) => return Err(failure::of_read(shared, error)),
    };
    if let Some(etag) = held(&request.headers, page.position, None)? {
        return Ok(shared.outline.not_modified(etag, listing.freshness()));
    }
    Ok(represent(shared, listing, &page))
}

fn represent(shared: &Shared, listing: &Listing<'_>, page: &Page) -> Response<Body> {
    let way_on = page::WayOn::of(shared, listing, page);
    let bytes = page::render(shared, listing, page, &way_on);
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.reserve(FIELDS_EXPECTED);
    is_json(headers);
    describe(headers, entity_tag(page.position), listing.freshness());
    if let Some(link) = way_on.link() {
        headers.insert(LINK, link);
    }
    response
}

impl<'l> Listing<'l> {
    /// Reads what is asked of a collection.
    pub(crate) fn read(
        shared: &Shared,
        address: &'l Address,
        moment: Moment<'_>,
        params: &Params,
    ) -> Result<Self, Refusal> {
        let governed = Governed::of(shared, &address.collection)?;
        let at = match moment {
            Moment::Now => None,
            Moment::At(text) => Some(text.parse().map_err(
                |error: milepost_semantics::position::MalformedPosition| {
                    Refusal::malformed_position(text, &error)
                },
            )?),
        };
        let request =
            ListRequest::read(shared, &address.collection, governed.definition(), params)?;
        if at.is_some() && !request.is_snapshot() {
            let name = if request.text.is_some() { "q" } else { "sort" };
            let detail = "a snapshot is in its default order";
            let issue = Issue::new(Part::Query, name, detail);
            return Err(Refusal::issues(
                ProblemType::InvalidQuery,
                format!("{name}: {detail}"),
                vec![issue],
            ));
        }
        Ok(Self {
            address,
            governed,
            at,
            request,
        })
    }

    /// The canonical URL of this page.
    pub(crate) fn self_url(&self, shared: &Shared) -> String {
        let path = match self.at {
            Some(at) => self.snapshot_path(shared, at),
            None => href::address(&shared.base, self.address),
        };
        self.request.params().url(&path)
    }

    /// The path of the collection as of a position.
    pub(crate) fn snapshot_path(&self, shared: &Shared, at: Position) -> String {
        format!(
            "{}/snapshots/{at}",
            href::address(&shared.base, self.address)
        )
    }

    fn freshness(&self) -> Freshness {
        match self.at {
            Some(_) => Freshness::Immutable(self.governed.visibility()),
            None => self.governed.freshness(),
        }
    }

    fn query(&self, shared: &Shared) -> Result<ListQuery, Refusal> {
        let limits = &shared.limits;
        let plain = self.request.is_plain();
        let after = match &self.request.after {
            None => None,
            Some(text) => match cursor::decode(text, self.address, plain) {
                Some(cursor) => Some(cursor),
                None => return Err(failure::of_read(shared, ReadError::MalformedCursor)),
            },
        };
        Ok(ListQuery {
            collection: self.address.collection.clone(),
            scope: self.address.scope.clone(),
            filters: self.request.filters.clone(),
            text: self.request.text.clone(),
            sort: self.request.sort.clone(),
            after,
            at: self.at,
            limit: PageLimit {
                items: self.request.page_size.unwrap_or(limits.page_items_default),
                bytes: limits.page_bytes_max,
            },
            total: self.request.total,
        })
    }
}

/// 404 where what the collection would lie below doesn't exist.
pub(crate) async fn require_parent(
    shared: &Shared,
    address: &Address,
    parent: &milepost_store::ParentPath,
) -> Result<(), Refusal> {
    let Some(key) = page::parent_key(address, parent) else {
        return Ok(());
    };
    let version = shared
        .store
        .read(&key, None)
        .await
        .map_err(|error| failure::of_read(shared, error))?;
    if version.is_some_and(|version| !version.is_deleted()) {
        return Ok(());
    }
    let parent = href::resource(&shared.base, &key);
    let detail = format!("there is no resource at {parent}, which this collection would lie below");
    Err(Refusal::new(ProblemType::ParentNotFound, detail).with_member("parent", parent))
}
