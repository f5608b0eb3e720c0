//! The exchanges of every witness, both arms, as HAR 1.2; `_milepost` holds the scripts, so that
//! the file can be replayed.

use serde_json::{Value, json};

use super::{Report, witness};
use crate::{
    finding::Finding,
    http::{Fields, Place},
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
        pages.push(json!({
            "startedDateTime": moment(0),
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
    let milliseconds = f64::from(u32::try_from(exchange.took_micros).unwrap_or(u32::MAX)) / 1_000.0;
    let mut sent = json!({
        "method": request.method,
        "url": report.redaction.text(&exchange.url),
        "httpVersion": "HTTP/1.1",
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
        "startedDateTime": moment(exchange.sent_micros),
        "time": milliseconds,
        "request": sent,
        "response": {
            "status": response.status,
            "statusText": "",
            "httpVersion": "HTTP/1.1",
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

/// The auditor has no calendar: times count from the start of the run, which stands for this day.
fn moment(micros: u64) -> String {
    let seconds = micros / 1_000_000;
    let (hours, minutes, seconds) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!(
        "1970-01-01T{hours:02}:{minutes:02}:{seconds:02}.{:06}Z",
        micros % 1_000_000
    )
}
