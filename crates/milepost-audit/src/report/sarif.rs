//! The report for code scanning: SARIF 2.1.0. A service has no source files here, so a result's
//! location is the URL of the operation.

use serde_json::{Value, json};

use super::{Report, curl};
use crate::finding::{Finding, Level};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The whole report.
pub(super) fn document(report: &Report) -> Value {
    let rules: Vec<Value> = report.checks.iter().map(|check| {
        let page = crate::explain::explain(check.id).map(|page| page.text).unwrap_or_default();
        json!({
            "id": check.id,
            "name": name(check.title),
            "shortDescription": { "text": format!("{}: {}", check.category, check.title) },
            "help": { "text": page, "markdown": page },
            "properties": { "principles": check.principles.iter().map(|principle| principle.code()).collect::<Vec<_>>() },
        })
    }).collect();
    let results: Vec<Value> = report
        .findings
        .iter()
        .map(|finding| result(report, finding))
        .collect();
    let notes: Vec<Value> = report.not_shown.iter().map(|(check, reason)| {
        json!({ "level": "note", "message": { "text": format!("{check}: {reason}") } })
    }).collect();
    json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "milepost audit",
                "version": env!("CARGO_PKG_VERSION"),
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            } },
            "invocations": [{ "executionSuccessful": report.over.is_none(), "toolExecutionNotifications": notes }],
            "results": results,
            "properties": { "verdict": report.verdict.name() },
        }],
    })
}

fn result(report: &Report, finding: &Finding) -> Value {
    let index = report
        .checks
        .iter()
        .position(|check| check.id == finding.check);
    let (kind, level) = match finding.level {
        Level::Good => ("pass", "none"),
        Level::Info => ("informational", "none"),
        Level::Warn => ("fail", "warning"),
        Level::Bad => ("fail", "error"),
    };
    let subject = finding
        .operation
        .clone()
        .unwrap_or_else(|| "service".to_owned());
    let path = subject.split_once(' ').map_or("", |(_, path)| path);
    let place = crate::http::Place::parse(&report.url).ok();
    let origin = place
        .map(|place| place.origin.to_string())
        .unwrap_or_default();
    let reproduce = finding
        .witness
        .as_ref()
        .map(|witness| curl::lines(report, witness).join("\n"))
        .unwrap_or_default();
    let text = report
        .redaction
        .text(&format!("{subject}: {}", finding.summary));
    let mut result = json!({
        "ruleId": finding.check,
        "kind": kind,
        "level": level,
        "message": { "text": text },
        "locations": [{
            "physicalLocation": { "artifactLocation": { "uri": uri(&format!("{origin}{path}")) } },
            "logicalLocations": [{ "fullyQualifiedName": subject, "kind": "resource" }],
        }],
        "properties": { "confidence": finding.confidence.name(), "reproduce": reproduce },
    });
    if let Some(members) = result.as_object_mut() {
        members.insert("ruleIndex".to_owned(), json!(index));
        if let Some(waiver) = &finding.waived {
            let text = format!("{} (until {})", waiver.reason, waiver.expires);
            members.insert(
                "suppressions".to_owned(),
                json!([{ "kind": "external", "justification": text }]),
            );
        }
    }
    result
}

/// A URI of what may be none.
fn uri(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_ascii_graphic() && !"<>\"{}|\\^`…".contains(*c))
        .collect()
}

/// `next, cold` as `NextCold`.
fn name(title: &str) -> String {
    let words = title
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty());
    words
        .map(|word| {
            let mut letters = word.chars();
            letters
                .next()
                .map(|first| first.to_uppercase().chain(letters).collect::<String>())
                .unwrap_or_default()
        })
        .collect()
}
