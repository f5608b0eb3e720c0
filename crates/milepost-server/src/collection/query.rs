//! QUERY (RFC 10008): the question in a document, for filters that are too long for a URL.
//!
//! The document has the same names as a URL's query, an array where a key is repeated:
//! `{"owner": ["ada", "bob"], "balance": "gte:100", "sort": ["-opened"], "pageSize": 50}`. What it asks
//! has a URL of its own, told in `Location` and `Content-Location` where it is short enough; pages
//! that follow are at their `next`. Where the URL is too long, `next` leaves out what the document
//! says, and is asked for with QUERY and the same document.

use http::{
    HeaderValue,
    header::{CONTENT_LOCATION, LOCATION},
    request::Parts,
};
use milepost_semantics::{Issue, ProblemType, problem::Part};
use serde_json::Value;

use super::{
    list::{Listing, Moment, answer, malformed_query},
    params::Params,
};
use crate::{
    intake::{self, RequestBody},
    media,
    refusal::{Answer, Refusal},
    resource,
    route::Address,
    rules::SEEN_BY,
    service::Shared,
};

/// Answers QUERY.
pub(crate) async fn query(
    shared: &Shared,
    request: &Parts,
    address: &Address,
    moment: Moment<'_>,
    body: RequestBody<'_>,
) -> Answer {
    media::require_query_content(&request.headers)?;
    let mut params = Params::of_query(request.uri.query()).map_err(malformed_query)?;
    let bytes = intake::read(shared, request, body, shared.limits.query_bytes_max).await?;
    let document = resource::parsed(shared, &bytes).await?;
    params.extend(read(&document)?);
    let mut listing = Listing::read(shared, request, address, moment, &params)?;
    media::require_json_accepted(&request.headers)?;
    let url = listing.self_url(shared);
    let fits = url.len() <= shared.limits.url_bytes_max;
    if !fits {
        listing.request.carried.keep(&[SEEN_BY]);
    }
    let mut response = answer(shared, request, &listing).await?;
    if let Ok(url) = HeaderValue::try_from(url)
        && fits
    {
        response.headers_mut().insert(CONTENT_LOCATION, url.clone());
        response.headers_mut().insert(LOCATION, url);
    }
    Ok(response)
}

/// Reads the document: an object of texts, numbers, booleans, and arrays of them.
fn read(document: &Value) -> Result<Params, Refusal> {
    let wrong = |pointer: String, detail: &str| Issue::new(Part::Body, pointer, detail);
    let mut params = Params::default();
    let mut issues = Vec::new();
    let Some(members) = document.as_object() else {
        let issue = wrong(
            String::new(),
            "is an object, whose members are named like a URL's query keys",
        );
        return Err(Refusal::issues(
            ProblemType::InvalidQuery,
            "the query is no object",
            vec![issue],
        ));
    };
    for (key, value) in members {
        let values = match value {
            Value::Array(values) => values.as_slice(),
            single => std::slice::from_ref(single),
        };
        for value in values {
            match text_of(value) {
                Some(text) => params.push(key, text),
                None => issues.push(wrong(
                    format!("/{key}"),
                    "is a text, number or boolean, or an array of them",
                )),
            }
        }
    }
    if issues.is_empty() {
        Ok(params)
    } else {
        Err(Refusal::issues(
            ProblemType::InvalidQuery,
            "some values can't be used",
            issues,
        ))
    }
}

/// A value as it would stand in a URL's query.
fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) | Value::Null => Some(value.to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}
