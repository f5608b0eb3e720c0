//! A request's conditions (RFC 9110 §13), at the edge: read once, and judged here for reads.
//!
//! For writes they are only read: the store judges them, inside the transaction that writes.
//!
//! A read names variants. The tag of a coded variant (`"…+gzip"`) is as good as that of the
//! representation itself to whoever could be sent that variant now, and no tag at all to others:
//! a 304 must not tell a client to use bytes that it can't decode.

use http::{
    HeaderMap, HeaderValue, Method,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_UNMODIFIED_SINCE},
};
use milepost_semantics::{
    EntityTag, Issue, MalformedField, Outcome, Position, Preconditions, ProblemType, UnixSeconds,
    Validators,
    precondition::{Condition, IfNoneMatch},
    problem::Part,
};
use milepost_store::Timestamp;

use crate::{media, refusal::Refusal};

/// Reads the conditions of a write.
pub(crate) fn of_write(headers: &HeaderMap) -> Result<Preconditions, Refusal> {
    Preconditions::from_headers(headers).map_err(|malformed| malformed_fields(&malformed))
}

/// Judges the conditions of a read against what is selected. `Some` is the tag that the client
/// holds: answer 304 with it.
pub(crate) fn held(
    headers: &HeaderMap,
    position: Position,
    modified: Option<Timestamp>,
) -> Result<Option<HeaderValue>, Refusal> {
    if !is_conditional(headers) {
        return Ok(None);
    }
    held_tag(headers, EntityTag::from(position), modified)
}

/// The same, for what has another tag than a position.
pub(crate) fn held_tag(
    headers: &HeaderMap,
    current: EntityTag,
    modified: Option<Timestamp>,
) -> Result<Option<HeaderValue>, Refusal> {
    if !is_conditional(headers) {
        return Ok(None);
    }
    let mut preconditions = of_write(headers)?;
    let variant = held_variant(&mut preconditions, &current, headers);
    let etag = current.to_header_value();
    let last_modified = modified.map(|modified| UnixSeconds::new(modified.as_seconds()));
    let validators = Validators {
        etag: current,
        last_modified,
    };
    match preconditions
        .without_variants()
        .evaluate(&Method::GET, Some(&validators))
    {
        Outcome::Proceed | Outcome::ProceedIgnoringRange => Ok(None),
        Outcome::NotModified => Ok(Some(variant.unwrap_or(etag))),
        Outcome::Failed(condition) => Err(read_failed(condition, etag)),
    }
}

/// Whether a read has conditions.
pub(crate) fn is_conditional(headers: &HeaderMap) -> bool {
    headers.contains_key(IF_NONE_MATCH)
        || headers.contains_key(IF_MODIFIED_SINCE)
        || headers.contains_key(IF_MATCH)
        || headers.contains_key(IF_UNMODIFIED_SINCE)
}

/// Drops from `If-None-Match` the variants that can't be sent now; the tag of one that can be and
/// is of the current version, as it is to be repeated.
fn held_variant(
    preconditions: &mut Preconditions,
    current: &EntityTag,
    headers: &HeaderMap,
) -> Option<HeaderValue> {
    let Some(IfNoneMatch::Tags(tags)) = &mut preconditions.if_none_match else {
        return None;
    };
    let is_plain = |tag: &EntityTag| tag.without_variant() == *tag;
    tags.retain(|tag| {
        is_plain(tag)
            || media::variant_of(tag).is_some_and(|coding| media::accepts_coding(headers, coding))
    });
    if tags.iter().any(|tag| tag.weak_eq(current)) {
        return None;
    }
    let variant = tags
        .iter()
        .find(|tag| tag.without_variant().weak_eq(current))?;
    HeaderValue::from_bytes(&[b"\"", variant.opaque(), b"\""].concat()).ok()
}

fn read_failed(condition: Condition, etag: HeaderValue) -> Refusal {
    let text = String::from_utf8_lossy(etag.as_bytes()).into_owned();
    let detail = format!("{} is false: the current tag is {text}", condition.field());
    Refusal::new(ProblemType::PreconditionFailed, detail)
        .with_member("etag", text)
        .with(http::header::ETAG, etag)
}

/// 400, with every field that could not be read.
pub(crate) fn malformed_fields(malformed: &[MalformedField]) -> Refusal {
    let issues = malformed.iter().map(|field| {
        Issue::new(Part::Header, field.field.as_str(), field.detail.clone())
            .with_value(field.value.as_str())
    });
    let detail: Vec<_> = malformed.iter().map(ToString::to_string).collect();
    Refusal::issues(
        ProblemType::MalformedField,
        detail.join("; "),
        issues.collect(),
    )
}
