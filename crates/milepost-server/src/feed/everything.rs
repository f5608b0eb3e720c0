//! Everything exactly as of a position, `/-/snapshots/{position}`: where whoever follows all
//! collections begins, and begins again.
//!
//! The definitions first, then collection after collection in the order of their names, as one
//! listing: a page may end in one and the next go on there. Where it went on stands in `after`, as
//! the collection's name and the place in it. Behind the last page come the changes since.

use std::sync::Arc;

use http::{Response, request::Parts};
use milepost_semantics::{
    EntityTag, Issue, Position, ProblemType,
    problem::Part,
    wire::{PageEnd, PageKind, PageTail, PageWriter},
};
use milepost_store::{
    CollectionPath, Cursor, ListQuery, Listed, PageLimit, ParentPath, ReadError, Scope,
};

use super::{
    asked::{position, view_of},
    expired,
};
use crate::{
    body::Body,
    collection::{Params, cursor, fill, link, malformed_query},
    conditional::held_tag,
    dispatch::redirect,
    failure,
    governed::Governed,
    href,
    identity::subject_of,
    media,
    refusal::{Answer, Refusal},
    representation::Freshness,
    route::{Address, Followed},
    rules::{SEEN_BY, Seen, Sightline},
    service::Shared,
};

/// What is asked.
#[derive(Debug, Default)]
struct Asked {
    page_size: Option<usize>,
    after: Option<Place>,
    /// Whose view the URL is of, as it says; then whose view whoever asks has.
    seen_by: Option<String>,
}

/// Where a page begins: in a collection, behind a resource.
#[derive(Clone, Debug)]
struct Place {
    collection: CollectionPath,
    behind: Option<Cursor>,
}

/// The resources of a page, and where the next one begins.
#[derive(Debug, Default)]
struct Gathered {
    items: Vec<Listed>,
    bytes: usize,
    next: Option<Place>,
}

/// Answers GET and HEAD.
pub(crate) async fn snapshot(shared: &Shared, request: &Parts, at: &str) -> Answer {
    let at = position(at)?;
    let mut asked = Asked::read(shared, request)?;
    media::require_json_accepted(&request.headers)?;
    let definitions = shared.store.definitions();
    let governed = Governed::everything(shared, &definitions);
    let seen = Seen::everything(&definitions, request);
    let hidden = !seen.is_whole();
    let refuse = async |asked: &Asked, oldest| {
        let url = |at| asked.params(None).url(&path(shared, at));
        expired(
            shared,
            &Followed::Everything,
            (&governed, hidden),
            oldest,
            url,
        )
        .await
    };
    if !asked.lead_on_as(view_of(
        &Followed::Everything,
        &definitions,
        subject_of(request),
    )) {
        return Err(refuse(&asked, None).await);
    }
    let url = asked.params(asked.after.as_ref()).url(&path(shared, at));
    if url != request.uri.path_and_query().map_or("", |url| url.as_str()) {
        return Ok(redirect(&url));
    }
    let defined_at = defined_at(shared).await?;
    let gathered = match gather(shared, &seen, &asked, at).await {
        Ok(gathered) => gathered,
        Err(ReadError::Expired { oldest }) => return Err(refuse(&asked, Some(oldest)).await),
        Err(error) => return Err(failure::of_read(shared, error)),
    };
    if !Arc::ptr_eq(&definitions, &shared.store.definitions()) {
        // What was written under other rules must not be shown by these.
        let detail = "definitions were changed meanwhile: ask again";
        return Err(Refusal::new(ProblemType::Overloaded, detail).retry_after_s(1));
    }
    // The collections shown are those that are defined now: the same for ever only while that is so.
    let freshness = if defined_at.sequence() <= at.sequence() {
        Freshness::Immutable(governed.visibility())
    } else {
        governed.freshness()
    };
    let text = format!("{at}/{}", defined_at.sequence());
    let tag = EntityTag::strong(&text).unwrap_or_else(|_never| EntityTag::from(at));
    if let Some(etag) = held_tag(&request.headers, tag.clone(), None)? {
        return Ok(shared.outline.not_modified(etag, freshness));
    }
    Ok(represent(
        shared,
        &asked,
        at,
        &url,
        &gathered,
        (tag, freshness),
    ))
}

fn path(shared: &Shared, at: Position) -> String {
    format!(
        "{}/snapshots/{at}",
        href::followed(&shared.base, &Followed::Everything)
    )
}

/// When a definition was last made, changed or deleted.
async fn defined_at(shared: &Shared) -> Result<Position, Refusal> {
    let definitions = CollectionPath::collections();
    let state = shared.store.collection(&definitions).await;
    let state = state.map_err(|error| failure::of_read(shared, error))?;
    Ok(state.map_or_else(|| shared.store.head(), |state| state.head))
}

/// The resources that fit on the page, from one collection after the other.
async fn gather(
    shared: &Shared,
    seen: &Seen,
    asked: &Asked,
    at: Position,
) -> Result<Gathered, ReadError> {
    let items_max = asked.page_size.unwrap_or(shared.limits.page_items_max);
    let bytes_max = shared.limits.page_bytes_max;
    let mut gathered = Gathered::default();
    let mut place = asked.after.clone().unwrap_or_else(Place::first);
    loop {
        let limit = PageLimit {
            items: items_max.saturating_sub(gathered.items.len()),
            bytes: bytes_max.saturating_sub(gathered.bytes),
        };
        if limit.items == 0 || (limit.bytes == 0 && !gathered.items.is_empty()) {
            gathered.next = Some(place);
            return Ok(gathered);
        }
        let behind = gathered.take(shared, seen, (&place, at, limit)).await?;
        place = match behind {
            // It may be full, or only have looked at much: the page goes on there.
            Some(cursor) => Place {
                behind: Some(cursor),
                ..place
            },
            None => match place.collection_after(shared) {
                Some(next) => next,
                None => return Ok(gathered),
            },
        };
        if place.behind.is_some() {
            gathered.next = Some(place);
            return Ok(gathered);
        }
    }
}

impl Gathered {
    /// Takes what fits from a collection; where to go on in it.
    async fn take(
        &mut self,
        shared: &Shared,
        seen: &Seen,
        (place, at, limit): (&Place, Position, PageLimit),
    ) -> Result<Option<Cursor>, ReadError> {
        let nothing = &Sightline::Nothing;
        let line = seen.line(&place.collection).unwrap_or(nothing);
        if matches!(line, Sightline::Nothing) {
            return Ok(None);
        }
        let query = ListQuery {
            after: place.behind.clone(),
            at: Some(at),
            ..ListQuery::all(place.collection.clone(), limit)
        };
        match fill(shared, line, &query).await {
            // A moment that is over doesn't change while it is read.
            Ok(None) => Ok(None),
            Ok(Some(page)) => {
                let bodies = page
                    .items
                    .iter()
                    .filter_map(|item| item.version.body.as_ref());
                self.bytes += bodies.map(bytes::Bytes::len).sum::<usize>();
                self.items.extend(page.items);
                Ok(page.next)
            }
            // It is gone by now: the changes since tell so.
            Err(ReadError::CollectionNotDefined { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

impl Place {
    fn first() -> Self {
        Self {
            collection: CollectionPath::collections(),
            behind: None,
        }
    }

    /// The beginning of the collection that comes next.
    fn collection_after(&self, shared: &Shared) -> Option<Self> {
        let definitions = shared.store.definitions();
        let mut names = definitions.iter().map(|(name, _)| name);
        let next = names.find(|name| self.collection.is_reserved() || **name > self.collection);
        next.map(|collection| Self {
            collection: collection.clone(),
            behind: None,
        })
    }

    /// `accounts:…`
    fn to_text(&self) -> String {
        let cursor = self.behind.as_ref();
        let cursor = cursor.map(|cursor| cursor::encode(cursor, &self.address(), true));
        format!("{}:{}", self.collection, cursor.unwrap_or_default())
    }

    fn parse(text: &str) -> Option<Self> {
        let (name, cursor) = text.split_once(':')?;
        let mut place = Self {
            collection: CollectionPath::parse(name)?,
            behind: None,
        };
        if !cursor.is_empty() {
            place.behind = Some(cursor::decode(cursor, &place.address(), true)?);
        }
        Some(place)
    }

    fn address(&self) -> Address {
        Address {
            collection: self.collection.clone(),
            scope: Scope::Below(ParentPath::top()),
        }
    }
}

impl Asked {
    fn read(shared: &Shared, request: &Parts) -> Result<Self, Refusal> {
        let params = Params::of_query(request.uri.query()).map_err(malformed_query)?;
        let items_max = shared.limits.page_items_max;
        let mut asked = Self::default();
        let mut issues = Vec::new();
        for (key, value) in params.iter() {
            let size = value.parse().ok();
            let size = size.filter(|size| (1..=items_max).contains(size));
            let detail = match key {
                "pageSize" if size.is_some() => {
                    asked.page_size = size;
                    continue;
                }
                "pageSize" => format!("is a number from 1 to {items_max}"),
                "after" => match Place::parse(value) {
                    Some(place) => {
                        asked.after = Some(place);
                        continue;
                    }
                    None => "is the end of a page: take it from \"next\"".to_owned(),
                },
                SEEN_BY => {
                    asked.seen_by = Some(value.to_owned());
                    continue;
                }
                _ => "everything has the keys \"after\" and \"pageSize\"".to_owned(),
            };
            issues.push(Issue::new(Part::Query, key, detail).with_value(value));
        }
        if issues.is_empty() {
            return Ok(asked);
        }
        let detail = "some keys or values can't be used";
        Err(Refusal::issues(ProblemType::InvalidQuery, detail, issues))
    }

    /// Leads on as this view, and whether the URL is of it. Who begins needs none.
    fn lead_on_as(&mut self, view: Option<String>) -> bool {
        let begins = self.seen_by.is_none() && self.after.is_none();
        let is_of = begins || self.seen_by == view;
        self.seen_by = view;
        is_of
    }

    fn params(&self, after: Option<&Place>) -> Params {
        let mut params = Params::default();
        if let Some(size) = self.page_size {
            params.push("pageSize", size.to_string());
        }
        if let Some(place) = after {
            params.push("after", place.to_text());
        }
        if let Some(view) = &self.seen_by {
            params.push(SEEN_BY, view.as_str());
        }
        params
    }
}

fn represent(
    shared: &Shared,
    asked: &Asked,
    at: Position,
    url: &str,
    gathered: &Gathered,
    (tag, freshness): (EntityTag, Freshness),
) -> Response<Body> {
    let end = match &gathered.next {
        Some(place) => PageEnd::Next(asked.params(Some(place)).url(&path(shared, at))),
        None => {
            let changes = href::followed(&shared.base, &Followed::Everything);
            PageEnd::Resume(asked.params(None).url(&format!("{changes}/changes/{at}")))
        }
    };
    let link = link(&end);
    let replace = asked.after.is_none();
    let expected = 1024 + gathered.bytes + 320 * gathered.items.len();
    let mut writer = PageWriter::new(url, PageKind::Snapshot, replace, expected);
    let mut place = href::Place::default();
    for Listed { key, version } in &gathered.items {
        let body = version.body.as_deref().unwrap_or(b"null");
        writer.version(
            place.url(&shared.base, key),
            key.id.as_str(),
            version.position,
            body,
        );
    }
    let bytes = writer.finish(&PageTail::new(end, at));
    shared
        .outline
        .page(tag.to_header_value(), bytes, freshness, link)
}
