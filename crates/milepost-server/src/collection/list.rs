//! Answering a listing: now, or as of a position.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::{Response, header::LINK, request::Parts};
use milepost_semantics::{EntityTag, Issue, Position, ProblemType, problem::Part};
use milepost_store::{ListQuery, Listed, Page, PageLimit, ReadError};
use sha2::{Digest, Sha256};

use super::{cursor, fill, page, params::Params, request::ListRequest};
use crate::{
    body::Body,
    conditional::{held, held_tag, is_conditional},
    dispatch::redirect,
    failure,
    feed::expired,
    governed::Governed,
    href, media,
    refusal::{Answer, Refusal},
    representation::{FIELDS_EXPECTED, Freshness, describe, is_json},
    route::{Address, Followed},
    rules::{self, SEEN_BY, Sightline},
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
    /// What the reader sees.
    pub(crate) line: Sightline,
    /// What that is called; `None` where everybody sees all.
    view: Option<String>,
    /// Whether the URL is of what the reader sees.
    is_readers: bool,
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
    let listing = Listing::read(shared, request, address, moment, &params)?;
    media::require_json_accepted(&request.headers)?;
    if !listing.is_readers {
        return Err(listing.expired(shared, None).await);
    }
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
        require_parent(shared, request, listing.address, parent).await?;
    }
    let query = listing.query(shared)?;
    if !listing.is_readers {
        return Err(listing.expired(shared, None).await);
    }
    if listing.view.is_none() && listing.at.is_none() && is_conditional(&request.headers) {
        // What is held may be known by the collection's newest change alone.
        let state = shared.store.collection(&query.collection).await;
        let state = state.map_err(|error| failure::of_read(shared, error))?;
        if let Some(state) = state
            && let Some(etag) = held(&request.headers, state.head, None)?
        {
            return Ok(shared.outline.not_modified(etag, listing.freshness()));
        }
    }
    let page = match fill(shared, &listing.line, &query).await {
        Ok(Some(page)) => page,
        Ok(None) => return Err(busy()),
        Err(ReadError::Expired { oldest }) => {
            return Err(listing.expired(shared, Some(oldest)).await);
        }
        Err(error) => return Err(failure::of_read(shared, error)),
    };
    listing
        .governed
        .still(shared, &listing.address.collection)?;
    let tag = listing.tag(&page);
    if let Some(etag) = held_tag(&request.headers, tag.clone(), None)? {
        return Ok(shared.outline.not_modified(etag, listing.freshness()));
    }
    Ok(represent(shared, listing, &page, &tag))
}

fn busy() -> Refusal {
    let detail = "the collection is written to all the time: ask again";
    Refusal::new(ProblemType::Overloaded, detail).retry_after_s(1)
}

fn represent(
    shared: &Shared,
    listing: &Listing<'_>,
    page: &Page,
    tag: &EntityTag,
) -> Response<Body> {
    let way_on = page::WayOn::of(shared, listing, page);
    let bytes = page::render(shared, listing, page, &way_on);
    let mut response = Response::new(Body::from(bytes));
    let headers = response.headers_mut();
    headers.reserve(FIELDS_EXPECTED);
    is_json(headers);
    describe(headers, tag.to_header_value(), listing.freshness());
    if let Some(link) = way_on.link() {
        headers.insert(LINK, link);
    }
    response
}

impl<'l> Listing<'l> {
    /// Reads what is asked of a collection.
    pub(crate) fn read(
        shared: &Shared,
        request: &Parts,
        address: &'l Address,
        moment: Moment<'_>,
        params: &Params,
    ) -> Result<Self, Refusal> {
        let governed = Governed::of(shared, &address.collection)?;
        let line = governed.admit(request)?;
        let at = match moment {
            Moment::Now => None,
            Moment::At(text) => Some(text.parse().map_err(
                |error: milepost_semantics::position::MalformedPosition| {
                    Refusal::malformed_position(text, &error)
                },
            )?),
        };
        let view = governed.view(&address.collection, request);
        let mut request =
            ListRequest::read(shared, &address.collection, governed.definition(), params)?;
        let is_readers = request.lead_on_as(view.clone()) || at.is_none();
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
            line,
            view,
            is_readers,
            at,
            request,
        })
    }

    /// The canonical URL of this page.
    pub(crate) fn self_url(&self, shared: &Shared) -> String {
        match self.at {
            Some(at) => self.request.params().url(&self.snapshot_path(shared, at)),
            // The present is whoever asks'.
            None => {
                let params = self.request.params().without(&[SEEN_BY]);
                params.url(&href::address(&shared.base, self.address))
            }
        }
    }

    /// The path of the collection as of a position.
    pub(crate) fn snapshot_path(&self, shared: &Shared, at: Position) -> String {
        format!(
            "{}/snapshots/{at}",
            href::address(&shared.base, self.address)
        )
    }

    /// A page's tag. Where not everybody sees all, it is of what is shown, and to whom, since links lead on as that
    /// reader; and weak: the position that it was shown at moves with every commit.
    fn tag(&self, page: &Page) -> EntityTag {
        let position = EntityTag::from(page.position);
        let Some(view) = &self.view else {
            return position;
        };
        let mut digest = Sha256::new();
        digest.update(view);
        for Listed { key, version } in &page.items {
            digest.update(key.parent.as_str());
            digest.update([0]);
            digest.update(key.id.as_str());
            digest.update(version.position.text().as_bytes());
        }
        digest.update([u8::from(page.next.is_some())]);
        let hash = digest.finalize();
        let text = URL_SAFE_NO_PAD.encode(hash.get(..12).unwrap_or_default());
        EntityTag::weak(&text).unwrap_or(position)
    }

    /// 410, with the way on for this reader.
    async fn expired(&self, shared: &Shared, oldest: Option<Position>) -> Refusal {
        let followed = Followed::Collection(self.address.clone());
        let carried = &self.request.carried;
        let url = |at| carried.url(&self.snapshot_path(shared, at));
        let hidden = self.line.is_each();
        expired(shared, &followed, (&self.governed, hidden), oldest, url).await
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

/// 404 where what the collection would lie below doesn't exist, for whoever asks.
pub(crate) async fn require_parent(
    shared: &Shared,
    request: &Parts,
    address: &Address,
    parent: &milepost_store::ParentPath,
) -> Result<(), Refusal> {
    let Some(key) = page::parent_key(address, parent) else {
        return Ok(());
    };
    let found = rules::look_up(shared, request, &key).await;
    let found = found.map_err(|error| failure::of_read(shared, error))?;
    if found.is_some() {
        return Ok(());
    }
    let parent = href::resource(&shared.base, &key);
    let detail = format!("there is no resource at {parent}, which this collection would lie below");
    Err(Refusal::new(ProblemType::ParentNotFound, detail).with_member("parent", parent))
}
