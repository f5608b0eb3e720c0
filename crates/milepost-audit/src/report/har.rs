//! The exchanges of every witness, both arms, as HAR 1.2; `_milepost` holds the scripts, so that
//! the file can be replayed.

use serde_json::{Value, json};

use super::{Report, witness};
use crate::{
    clock::written,
    finding::Finding,
    http::{Fields, Place, Protocol},
    script::Exchange,
};

/// The whole file.
pub(super) fn document(report: &Report) -> Value {
    let mut entries = Vec::new();
    let mut pages = Vec::new();
    let mut witnesses = Vec::new();
    for (number, finding) in report.findings.iter().enumerate() {
        let Some(known) = &finding.witness else {
            continue;
        };
        let page = format!("finding-{number}");
        let first = known.proof.played.exchanges.iter().flatten().next();
        pages.push(json!({
            "startedDateTime": moment(report, first.map_or(0, |first| first.sent_micros)),
            "id": page,
            "title": report.redaction.text(&format!("{} {}: {}", finding.check, finding.operation.as_deref().unwrap_or_default(), finding.summary)),
            "pageTimings": {},
        }));
        let done = known.proof.played.exchanges.iter().enumerate();
        entries.extend(done.filter_map(|(step, exchange)| {
            Some(entry(report, finding, &page, step, exchange.as_ref()?))
        }));
        witnesses.push(witness::document(report, finding, known));
    }
    json!({ "log": {
        "version": "1.2",
        "creator": { "name": "milepost audit", "version": env!("CARGO_PKG_VERSION") },
        "pages": pages,
        "entries": entries,
        "_milepost": { "witnesses": witnesses },
    } })
}

fn entry(
    report: &Report,
    finding: &Finding,
    page: &str,
    step: usize,
    exchange: &Exchange,
) -> Value {
    let pairs = |fields: &Fields| {
        let pairs = report.redaction.fields(fields).into_iter();
        pairs
            .map(|(name, value)| json!({ "name": name, "value": value }))
            .collect::<Vec<_>>()
    };
    let (request, response) = (&exchange.request, &exchange.response);
    let version = match exchange.voice.protocol {
        Protocol::Http1 => "HTTP/1.1",
        Protocol::Http2 => "HTTP/2",
    };
    let milliseconds = f64::from(u32::try_from(exchange.took_micros).unwrap_or(u32::MAX)) / 1_000.0;
    let mut sent = json!({
        "method": request.method,
        "url": report.redaction.text(&exchange.url),
        "httpVersion": version,
        "cookies": [],
        "headers": pairs(&request.fields),
        "queryString": query(&exchange.url),
        "headersSize": -1,
        "bodySize": request.body.as_ref().map_or(0, String::len),
    });
    if let (Some(body), Some(members)) = (&request.body, sent.as_object_mut()) {
        let kind = request.fields.first("content-type").unwrap_or_default();
        members.insert(
            "postData".to_owned(),
            json!({ "mimeType": kind, "text": body }),
        );
    }
    json!({
        "pageref": page,
        "startedDateTime": moment(report, exchange.sent_micros),
        "time": milliseconds,
        "request": sent,
        "response": {
            "status": response.status,
            "statusText": "",
            "httpVersion": version,
            "cookies": [],
            "headers": pairs(&response.fields),
            "content": { "size": response.body.len(), "mimeType": response.media_type(), "text": witness::excerpt(&report.redaction, &response.text()) },
            "redirectURL": response.fields.first("location").unwrap_or_default(),
            "headersSize": -1,
            "bodySize": response.body.len(),
        },
        "cache": {},
        "timings": { "send": 0, "wait": milliseconds, "receive": 0 },
        "connection": exchange.connection.to_string(),
        "comment": format!("{} step {step}, {}", finding.check, witness::client(exchange)),
    })
}

fn query(url: &str) -> Vec<Value> {
    let Some(query) = Place::parse(url).ok().and_then(|place| {
        place
            .target
            .split_once('?')
            .map(|(_, query)| query.to_owned())
    }) else {
        return Vec::new();
    };
    let pairs = query
        .split('&')
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")));
    pairs
        .map(|(name, value)| json!({ "name": name, "value": value }))
        .collect()
}

/// When something was sent.
fn moment(report: &Report, micros_since_start: u64) -> String {
    written(report.began_unix_micros.saturating_add(micros_since_start))
}
