//! The fields that describe a representation: validators, caching, variants.
//!
//! Made on every read, so what depends on nothing is static, and the rest is written on the stack
//! before it becomes a field value.

use std::fmt::Write;

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Response, StatusCode,
    header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, LAST_MODIFIED, LINK, VARY},
};
use milepost_semantics::{Position, UnixSeconds, position::POSITION_BYTES_MAX};
use milepost_store::{
    Timestamp, Version,
    definition::{Caching, Visibility},
};

use crate::{
    body::Body,
    cors::Origin,
    edge::{EdgeSettings, SERVER_TIMING},
};

/// How many fields a response has room for without growing: those set here and those of the edge.
pub(crate) const FIELDS_EXPECTED: usize = 24;

/// What answers about one resource begin with: the fields that are the same on all of them, and
/// places for those that every one has. Copying a map costs a fraction of filling one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outline {
    selected: HeaderMap,
    page: HeaderMap,
    not_modified: HeaderMap,
}

impl Outline {
    /// The outline of a service that is configured so.
    pub(crate) fn of(edge: &EdgeSettings) -> Self {
        Self {
            selected: outline(edge, |fields| {
                is_json(fields);
                describe(fields, PLACE, Freshness::Revalidate);
                fields.insert(LAST_MODIFIED, PLACE);
                fields.insert(LINK, PLACE);
            }),
            page: outline(edge, |fields| {
                is_json(fields);
                describe(fields, PLACE, Freshness::Revalidate);
            }),
            not_modified: outline(edge, |fields| {
                describe(fields, PLACE, Freshness::Revalidate);
            }),
        }
    }

    /// 200 with JSON that is no single resource's representation.
    pub(crate) fn page(
        &self,
        etag: HeaderValue,
        body: impl Into<Body>,
        freshness: Freshness,
        link: Option<HeaderValue>,
    ) -> Response<Body> {
        let mut response = Response::new(body.into());
        let headers = response.headers_mut();
        headers.clone_from(&self.page);
        headers.insert(ETAG, etag);
        headers.insert(CACHE_CONTROL, freshness.field());
        freshness.tell_apart(headers);
        if let Some(link) = link {
            headers.insert(LINK, link);
        }
        response
    }

    /// 200 with a version's representation, and links if it has any.
    pub(crate) fn represent(
        &self,
        version: &Version,
        body: Bytes,
        freshness: Freshness,
        links: Option<HeaderValue>,
    ) -> Response<Body> {
        let mut response = Response::new(Body::from(body));
        let headers = response.headers_mut();
        headers.clone_from(&self.selected);
        headers.insert(ETAG, entity_tag(version.position));
        headers.insert(CACHE_CONTROL, freshness.field());
        freshness.tell_apart(headers);
        was_modified(headers, version.modified);
        match links {
            Some(links) => headers.insert(LINK, links),
            None => headers.remove(LINK),
        };
        response
    }

    /// 304: the client holds what it asked for.
    pub(crate) fn not_modified(&self, etag: HeaderValue, freshness: Freshness) -> Response<Body> {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        let headers = response.headers_mut();
        headers.clone_from(&self.not_modified);
        headers.insert(ETAG, etag);
        headers.insert(CACHE_CONTROL, freshness.field());
        freshness.tell_apart(headers);
        response
    }
}

/// Where a value is to be put.
const PLACE: HeaderValue = HeaderValue::from_static("");

/// The fields of a kind of answer in the order in which people look for them: its own, then those of
/// every answer.
fn outline(edge: &EdgeSettings, own: impl FnOnce(&mut HeaderMap)) -> HeaderMap {
    // Also for those that are added on the way out: a map that grows is filled anew.
    let mut fields = HeaderMap::with_capacity(FIELDS_EXPECTED);
    own(&mut fields);
    edge.security.apply(&mut fields, false);
    if edge.cors.is_same_for_all() {
        edge.cors.apply(&Origin::default(), &mut fields);
    }
    fields.insert(SERVER_TIMING, PLACE);
    fields
}

/// What is said about caching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// About the present of a collection: as its definition says.
    Current(Caching),
    /// About the past: the same for ever.
    Immutable(Visibility),
    /// To be asked for anew each time; an entity tag makes that cheap.
    Revalidate,
}

impl Freshness {
    /// Whether what is told may be for one client.
    pub(crate) const fn is_private(self) -> bool {
        match self {
            Self::Current(caching) => matches!(caching.visibility, Visibility::Private),
            Self::Immutable(visibility) => matches!(visibility, Visibility::Private),
            Self::Revalidate => false,
        }
    }

    /// Says that other credentials may be told something else: a client's own cache outlives who is logged in.
    fn tell_apart(self, headers: &mut HeaderMap) {
        if self.is_private() {
            headers.insert(
                VARY,
                HeaderValue::from_static("Accept-Encoding, Authorization"),
            );
        }
    }

    /// The value of `Cache-Control` (RFC 9111 §5.2.2, RFC 5861, RFC 8246).
    pub(crate) fn field(self) -> HeaderValue {
        match self {
            Self::Current(caching) => current(caching),
            Self::Immutable(Visibility::Public) => {
                HeaderValue::from_static("public, max-age=31536000, immutable")
            }
            Self::Immutable(Visibility::Private) => {
                HeaderValue::from_static("private, max-age=31536000, immutable")
            }
            Self::Revalidate => HeaderValue::from_static("no-cache"),
        }
    }
}

fn current(caching: Caching) -> HeaderValue {
    let is_public = caching.visibility == Visibility::Public;
    match (
        is_public,
        caching.max_age_s,
        caching.stale_while_revalidate_s,
    ) {
        // What holds by default, and so nearly everywhere.
        (true, 1, 5) => {
            return HeaderValue::from_static("public, max-age=1, stale-while-revalidate=5");
        }
        (_, 0, 0) => {
            return HeaderValue::from_static(if is_public {
                "public, no-cache"
            } else {
                "private, no-cache"
            });
        }
        _ => {}
    }
    let visibility = if is_public { "public" } else { "private" };
    let mut text = format!("{visibility}, max-age={}", caching.max_age_s);
    if caching.stale_while_revalidate_s > 0 {
        // Writing to a string doesn't fail.
        let _ = write!(
            text,
            ", stale-while-revalidate={}",
            caching.stale_while_revalidate_s
        );
    }
    HeaderValue::try_from(text).unwrap_or_else(|_never| HeaderValue::from_static("no-cache"))
}

/// The strong entity tag of the version that the write at `position` made.
pub(crate) fn entity_tag(position: Position) -> HeaderValue {
    let mut tag = [b'"'; POSITION_BYTES_MAX + 2];
    let text = position.text();
    let text = text.as_bytes();
    if let Some(space) = tag.get_mut(1..=text.len()) {
        space.copy_from_slice(text);
    }
    let tag = tag.get(..text.len() + 2).unwrap_or_default();
    HeaderValue::from_bytes(tag).unwrap_or_else(|_never| HeaderValue::from_static(""))
}

/// `Last-Modified` (RFC 9110 §8.8.2).
pub(crate) fn last_modified(modified: Timestamp) -> HeaderValue {
    UnixSeconds::new(modified.as_seconds()).to_header_value()
}

/// The fields of a selected representation that a 304 repeats (RFC 9110 §15.4.5).
pub(crate) fn describe(headers: &mut HeaderMap, etag: HeaderValue, freshness: Freshness) {
    headers.insert(ETAG, etag);
    headers.insert(CACHE_CONTROL, freshness.field());
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
    freshness.tell_apart(headers);
}

/// `Content-Type` of everything that isn't a problem.
pub(crate) fn is_json(headers: &mut HeaderMap) {
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
}

/// `Last-Modified` of a version.
pub(crate) fn was_modified(headers: &mut HeaderMap, modified: Timestamp) {
    headers.insert(LAST_MODIFIED, last_modified(modified));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_entity_tag_is_the_position_in_quotes() {
        let position: Position = "k3f7.1042-x7qa".parse().unwrap();
        assert_eq!(entity_tag(position), "\"k3f7.1042-x7qa\"");
        let longest: Position = "abcdefgh.18446744073709551615-x7qa".parse().unwrap();
        assert_eq!(
            entity_tag(longest),
            "\"abcdefgh.18446744073709551615-x7qa\""
        );
    }

    #[test]
    fn last_modified_is_an_imf_fixdate() {
        assert_eq!(
            last_modified(Timestamp(784_111_777_999)),
            "Sun, 06 Nov 1994 08:49:37 GMT"
        );
    }

    #[test]
    fn caching_follows_the_definition() {
        let caching = |visibility, max_age_s, stale_while_revalidate_s| {
            Freshness::Current(Caching {
                visibility,
                max_age_s,
                stale_while_revalidate_s,
            })
            .field()
        };
        assert_eq!(
            caching(Visibility::Public, 1, 5),
            "public, max-age=1, stale-while-revalidate=5"
        );
        assert_eq!(caching(Visibility::Private, 60, 0), "private, max-age=60");
        assert_eq!(caching(Visibility::Public, 0, 0), "public, no-cache");
    }
}
