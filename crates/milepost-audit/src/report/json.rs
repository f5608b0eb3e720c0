//! The report for programs. Its schema is `docs/audit/report.schema.json`; members are added, never
//! taken away or given another meaning, while `version` stays 1.

use serde_json::{Value, json};

use super::{Report, witness};
use crate::clock::written;
use crate::finding::{Finding, Measured};

/// The version of the shape.
const VERSION: u32 = 1;

/// The whole report.
pub(super) fn document(report: &Report) -> Value {
    let matrix: Vec<Value> = report.coverage.iter().map(|((check, operation), level)| {
        json!({ "check": check, "operation": operation, "level": level.name() })
    }).collect();
    json!({
        "version": VERSION,
        "tool": { "name": "milepost audit", "version": env!("CARGO_PKG_VERSION") },
        "url": report.url,
        "replicas": report.replicas,
        "profile": report.profile,
        "verdict": report.verdict.name(),
        "sentence": report.sentence(),
        "began": written(report.began_unix_micros),
        "requests": report.requests,
        "seconds": (report.seconds * 1_000.0).round() / 1_000.0,
        "coverage": { "covered": report.readable, "of": report.operations.len(), "operations": report.operations, "matrix": matrix },
        "findings": report.findings.iter().map(|found| finding(report, found)).collect::<Vec<_>>(),
        "notShown": report.not_shown.iter().map(|(check, reason)| json!({ "check": check, "reason": reason })).collect::<Vec<_>>(),
    })
}

fn finding(report: &Report, found: &Finding) -> Value {
    let check = report.checks.iter().find(|check| check.id == found.check);
    let waived = found
        .waived
        .as_ref()
        .map(|waiver| json!({ "reason": waiver.reason, "expires": waiver.expires }));
    let principles: Vec<Value> = found
        .principles
        .iter()
        .map(|principle| json!({ "code": principle.code(), "sentence": principle.sentence() }))
        .collect();
    json!({
        "check": found.check,
        "title": check.map(|check| check.title),
        "category": check.map(|check| check.category),
        "level": found.level.name(),
        "confidence": found.confidence.name(),
        "principles": principles,
        "operation": found.operation,
        "place": found.spot.as_ref().map(ToString::to_string),
        "summary": report.redaction.text(&found.summary),
        "detail": report.redaction.text(&found.detail),
        "witness": found.witness.as_ref().map(|known| witness::document(report, found, known)),
        "measured": found.measured.as_ref().map(measured),
        "waived": waived,
    })
}

fn measured(measured: &Measured) -> Value {
    let points: Vec<Value> = measured.points.iter().map(|(clients, many, one)| {
        json!({ "clients": clients, "bytesOfMany": many, "bytesOfOne": one })
    }).collect();
    json!({ "each": measured.each, "control": measured.control, "bytesPerClient": measured.slope, "low": measured.low, "high": measured.high, "points": points })
}
