//! Reading the conditional fields of a request into values, at the edge.
//!
//! Judges nothing: whether a condition holds is [`super::evaluate`]'s.

use http::header::{
    HeaderMap, HeaderName, IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE,
    IF_UNMODIFIED_SINCE, RANGE,
};

use super::{IfMatch, IfNoneMatch, IfRange, Preconditions};
use crate::date::UnixSeconds;
use crate::field::MalformedField;
use crate::tag::{EntityTag, MalformedTag};

enum TagsOrAny {
    Any,
    Tags(Vec<EntityTag>),
}

pub(super) fn parse(headers: &HeaderMap) -> Result<Preconditions, Vec<MalformedField>> {
    let mut malformed = Vec::new();
    let if_match = noted(tags_or_any(headers, &IF_MATCH), &mut malformed);
    let if_none_match = noted(tags_or_any(headers, &IF_NONE_MATCH), &mut malformed);
    let if_range = noted(range_condition(headers), &mut malformed);
    if !malformed.is_empty() {
        return Err(malformed);
    }
    Ok(Preconditions {
        if_match: if_match.map(|field| match field {
            TagsOrAny::Any => IfMatch::Any,
            TagsOrAny::Tags(tags) => IfMatch::Tags(tags),
        }),
        if_none_match: if_none_match.map(|field| match field {
            TagsOrAny::Any => IfNoneMatch::Any,
            TagsOrAny::Tags(tags) => IfNoneMatch::Tags(tags),
        }),
        if_modified_since: date(headers, &IF_MODIFIED_SINCE),
        if_unmodified_since: date(headers, &IF_UNMODIFIED_SINCE),
        if_range,
    })
}

/// `If-Match = "*" / #entity-tag`, over any number of field lines.
fn tags_or_any(
    headers: &HeaderMap,
    field: &HeaderName,
) -> Result<Option<TagsOrAny>, MalformedField> {
    let mut lines = headers.get_all(field).iter().peekable();
    if lines.peek().is_none() {
        return Ok(None);
    }
    let mut tags = Vec::new();
    let mut is_any = false;
    for line in lines {
        let value = line.as_bytes();
        if value.trim_ascii() == b"*" {
            is_any = true;
            continue;
        }
        let listed = EntityTag::parse_list(value);
        tags.extend(
            listed.map_err(|error| MalformedField::new(field, &tag_detail(value, error), value))?,
        );
    }
    match (is_any, tags.is_empty()) {
        (true, true) => Ok(Some(TagsOrAny::Any)),
        (true, false) => Err(MalformedField::new(
            field,
            "'*' stands alone or not at all",
            b"*",
        )),
        (false, _) => Ok(Some(TagsOrAny::Tags(tags))),
    }
}

/// `If-Range = entity-tag / HTTP-date`; to be ignored without a `Range` (§13.1.5).
fn range_condition(headers: &HeaderMap) -> Result<Option<IfRange>, MalformedField> {
    let mut lines = headers.get_all(IF_RANGE).iter();
    let Some(value) = lines.next().filter(|_| headers.contains_key(RANGE)) else {
        return Ok(None);
    };
    let value = value.as_bytes();
    if lines.next().is_some() {
        return Err(MalformedField::new(
            &IF_RANGE,
            "it may stand only once",
            value,
        ));
    }
    // §13.1.5: a tag is told from a date by a double quote among the first three characters.
    if value.iter().take(3).any(|byte| *byte == b'"') {
        let tag = EntityTag::parse(value);
        let tag = tag.map_err(|error| MalformedField::new(&IF_RANGE, &error.to_string(), value))?;
        return Ok(Some(IfRange::Tag(tag)));
    }
    let date = UnixSeconds::parse_http_date(value);
    let date = date.ok_or_else(|| {
        MalformedField::new(
            &IF_RANGE,
            "it is neither an entity tag nor an HTTP-date",
            value,
        )
    })?;
    Ok(Some(IfRange::Date(date)))
}

/// §13.1.3 and §13.1.4: ignored when it is no valid HTTP-date, or more than one.
fn date(headers: &HeaderMap, field: &HeaderName) -> Option<UnixSeconds> {
    let mut lines = headers.get_all(field).iter();
    let only = lines.next().filter(|_| lines.next().is_none())?;
    UnixSeconds::parse_http_date(only.as_bytes())
}

fn tag_detail(value: &[u8], error: MalformedTag) -> String {
    let is_unquoted = error == MalformedTag::MissingQuotes && !value.contains(&b'"');
    if is_unquoted && value.iter().all(u8::is_ascii_graphic) {
        let text = String::from_utf8_lossy(value);
        return format!("{error}: write \"{text}\", quotes included");
    }
    error.to_string()
}

fn noted<T>(
    parsed: Result<Option<T>, MalformedField>,
    malformed: &mut Vec<MalformedField>,
) -> Option<T> {
    parsed.unwrap_or_else(|error| {
        malformed.push(error);
        None
    })
}
