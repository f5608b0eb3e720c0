//! Values of earlier answers in later requests: `${3:etag}`, `${3:field:x-token}`,
//! `${3:json:/items/0/href}`, `${3:link:next}`, `${3:at:/next}` (a reference in the body, resolved),
//! `${3:href:2}` (the third link of the answer), `${3:location}`, `${3:event:0}` (the first id
//! of a stream's events), `${3:data}` (the reference that a stream's first event is).
//!
//! A script holds no token of one run, so it can be played again after the server was restarted.

use crate::{
    corpus::links,
    http::{Origin, Request, Response, resolve},
};

use super::play::Exchange;

/// Fills in the placeholders; `None` where an answer lacks what is asked of it.
pub(super) fn expand(
    request: &Request,
    origin: &Origin,
    answers: &[Option<Exchange>],
) -> Option<Request> {
    let fill = |text: &str| fill(text, origin, answers);
    let mut fields = crate::http::Fields::default();
    for (name, value) in request.fields.iter() {
        fields.add(name, fill(value)?);
    }
    let body = match &request.body {
        Some(body) => Some(fill(body)?),
        None => None,
    };
    Some(Request {
        method: request.method.clone(),
        target: fill(&request.target)?,
        fields,
        body,
    })
}

fn fill(text: &str, origin: &Origin, answers: &[Option<Exchange>]) -> Option<String> {
    let mut filled = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let (name, after) = after.split_once('}')?;
        filled.push_str(&value(name, origin, answers)?);
        rest = after;
    }
    filled.push_str(rest);
    Some(filled)
}

fn value(name: &str, origin: &Origin, answers: &[Option<Exchange>]) -> Option<String> {
    let mut parts = name.splitn(3, ':');
    let step: usize = parts.next()?.parse().ok()?;
    let kind = parts.next()?;
    let argument = parts.next().unwrap_or_default();
    let exchange = answers.get(step)?.as_ref()?;
    let target = &exchange.request.target;
    let response = &exchange.response;
    let reference = |found: Option<String>| resolve(origin, target, &found?);
    match kind {
        "etag" => response.etag().map(str::to_owned),
        "field" => response.fields.first(argument).map(str::to_owned),
        "json" => json(response, argument),
        "at" => reference(json(response, argument)),
        "location" => reference(response.fields.first("location").map(str::to_owned)),
        "data" => reference(data(response)),
        "event" => told(response, &format!("{kind}:{argument}")),
        "href" | "link" => reference(told(response, &format!("{kind}:{argument}"))),
        _ => None,
    }
}

/// A value of an answer as it stands there, references not resolved: `json:`, `href:`, `link:` and
/// `event:`.
pub(crate) fn told(response: &Response, name: &str) -> Option<String> {
    let (kind, argument) = name.split_once(':')?;
    match kind {
        "json" => json(response, argument),
        "href" => links::all(response).into_iter().nth(argument.parse().ok()?),
        "link" => links::named(response, argument),
        "event" => event(response, argument.parse().ok()?),
        _ => None,
    }
}

/// The first line of data of a stream.
fn data(response: &Response) -> Option<String> {
    let text = response.text();
    let data = text.lines().find_map(|line| line.strip_prefix("data:"))?;
    Some(data.trim().to_owned()).filter(|data| data.starts_with('/') || data.contains("://"))
}

/// The nth id of a stream's events; events in a row with one id are one.
fn event(response: &Response, nth: usize) -> Option<String> {
    let text = response.text();
    let ids = text.lines().filter_map(|line| line.strip_prefix("id:"));
    let mut ids: Vec<&str> = ids.map(str::trim).filter(|id| !id.is_empty()).collect();
    ids.dedup();
    ids.get(nth).map(|id| (*id).to_owned())
}

fn json(response: &Response, pointer: &str) -> Option<String> {
    let value = response.json()?.pointer(pointer)?.clone();
    Some(
        value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    )
}
