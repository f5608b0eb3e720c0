//! Answering a question for changes: at once, when there is news, or as a stream.

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue,
    header::{ACCEPT, VARY},
    request::Parts,
};
use milepost_semantics::EntityTag;
use milepost_semantics::{
    Position,
    prefer::{PREFER, PREFERENCE_APPLIED, Preferences},
};
use milepost_store::ReadError;

use super::{asked::Asked, expired, hold, read, stream};
use crate::{
    between::WrittenPage,
    conditional::{held_tag, is_conditional},
    dispatch::redirect,
    edge::Begun,
    failure, media,
    pages::negotiate,
    refusal::{Answer, Refusal},
    representation::Freshness,
    route::Followed,
    rules::SEEN_BY,
    service::{Shared, SharedHandle},
};

/// What decides which of a URL's answers is sent: the stream or the page, at once or later, and its
/// coding.
const VARY_ON: HeaderValue = HeaderValue::from_static("Accept, Accept-Encoding, Prefer");
/// The same, where it may be for one client.
const VARY_ON_READER: HeaderValue =
    HeaderValue::from_static("Accept, Accept-Encoding, Authorization, Prefer");
const EVENTS: &str = "text/event-stream";

/// Answers GET and HEAD of `…/changes/{position}`.
pub(crate) async fn changes(
    shared: &SharedHandle,
    request: &Parts,
    begun: &Begun,
    followed: Followed,
    since: &str,
) -> Answer {
    let asked = Asked::read(shared, request, followed, since)?;
    if !asked.is_readers {
        return Err(Box::pin(lead_back(shared, &asked, None)).await);
    }
    if wants_stream(&request.headers)? {
        return Box::pin(stream::open(shared, request, begun, asked)).await;
    }
    media::require_json_accepted(&request.headers)?;
    let query = asked.canonical_query();
    if query != request.uri.query().unwrap_or_default() || request.uri.query() == Some("") {
        return Ok(redirect(&asked.canonical_url(shared)));
    }
    // Apart, so that who is held doesn't hold the room for reading as well.
    let page = match Box::pin(read::page(shared, &asked, asked.since)).await {
        Ok(page) => page,
        Err(error) => return Err(Box::pin(refuse(shared, &asked, error)).await),
    };
    match asked.wait_s() {
        Some(wait_s) if !page.has_news => {
            hold::until_news(shared, request, begun, &asked, wait_s).await
        }
        _ => represent(shared, request, &page, page.freshness),
    }
}

/// The answer to GET and HEAD of `…/changes/{position}`, where the page was written out for somebody
/// else and is still what would be answered: most questions are those of others.
pub(crate) fn kept(shared: &Shared, request: &Parts) -> Option<Answer> {
    let headers = &request.headers;
    if headers.contains_key(PREFER) || names_events(headers) {
        return None;
    }
    let url = request.uri.path_and_query()?.as_str();
    if url.contains(SEEN_BY) {
        // Whose view it is must be looked at first.
        return None;
    }
    let page = shared.pages.kept(url, &shared.view())?;
    if !page.has_news && url.contains("wait=") {
        return None;
    }
    if let Err(refusal) = media::require_json_accepted(headers) {
        return Some(Err(refusal));
    }
    Some(represent(shared, request, &page, page.freshness))
}

/// Answers with a page, or says that the client has it.
pub(super) fn represent(
    shared: &Shared,
    request: &Parts,
    page: &WrittenPage,
    freshness: Freshness,
) -> Answer {
    let (link, bytes) = (page.link.clone(), page.bytes.clone());
    describe_page(shared, request, &page.etag, freshness, link, bytes)
}

/// Answers with a page of these bytes, which have this tag.
pub(super) fn describe_page(
    shared: &Shared,
    request: &Parts,
    etag: &EntityTag,
    freshness: Freshness,
    link: Option<HeaderValue>,
    bytes: Bytes,
) -> Answer {
    let held = if is_conditional(&request.headers) {
        held_tag(&request.headers, etag.clone(), None)?
    } else {
        None
    };
    let mut response = match held {
        Some(held) => shared.outline.not_modified(held, freshness),
        None => shared
            .outline
            .page(etag.to_header_value(), bytes, freshness, link),
    };
    let varies = if freshness.is_private() {
        VARY_ON_READER
    } else {
        VARY_ON
    };
    response.headers_mut().insert(VARY, varies);
    Ok(response)
}

/// Says that the client was let wait as it preferred.
pub(super) fn applied(headers: &mut HeaderMap, wait_s: u32) {
    let preferences = Preferences {
        wait_seconds: Some(wait_s),
        ..Preferences::default()
    };
    if let Some(value) = preferences.to_applied_value() {
        headers.insert(PREFERENCE_APPLIED, value);
    }
}

/// Why a page can't be told.
pub(super) async fn refuse(shared: &SharedHandle, asked: &Asked, error: ReadError) -> Refusal {
    match error {
        ReadError::Expired { oldest } => lead_back(shared, asked, Some(oldest)).await,
        error => failure::of_read(shared, error),
    }
}

/// To what the position that was asked for is no way from.
async fn lead_back(shared: &SharedHandle, asked: &Asked, oldest: Option<Position>) -> Refusal {
    let url = |at| asked.snapshot_url(shared, at);
    let governed = (&asked.governed, !asked.seen.is_whole());
    expired(shared, &asked.followed, governed, oldest, url).await
}

/// Whether a stream of events is what the client wants most.
fn wants_stream(headers: &HeaderMap) -> Result<bool, Refusal> {
    if !names_events(headers) {
        return Ok(false);
    }
    let chosen = negotiate(headers, &["application/json", EVENTS])?;
    Ok(chosen.essence() == EVENTS)
}

fn names_events(headers: &HeaderMap) -> bool {
    let mut accepted = headers.get_all(ACCEPT).iter();
    accepted.any(|value| {
        let mut words = value.as_bytes().windows(EVENTS.len());
        words.any(|word| word.eq_ignore_ascii_case(EVENTS.as_bytes()))
    })
}
