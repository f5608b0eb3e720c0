//! A witness in a file: the script, what must hold, and the exchanges of the last play. Whoever has
//! it can play it again; it holds no secret, since credentials and cookies are named and not told.

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    engine::Mask,
    finding::{Finding, Witness},
    redact::Redaction,
    script::{Claim, Exchange, Script, Step},
};

/// Bytes of a body that a report shows.
const EXCERPT_BYTES: usize = 2_000;

/// What `milepost audit replay` reads.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Recorded {
    pub(crate) check: String,
    pub(crate) summary: String,
    /// Base URLs, the first one and its replicas.
    pub(crate) urls: Vec<String>,
    pub(crate) script: Script,
    pub(crate) claims: Vec<Claim>,
    pub(crate) mask: Mask,
    /// Whether one play in which the claims hold is enough: a race is not lost every time.
    #[serde(default)]
    pub(crate) is_decisive: bool,
}

/// A witness as reports carry it.
pub(super) fn document(report: &super::Report, finding: &Finding, witness: &Witness) -> Value {
    let proof = &witness.proof;
    let recorded = Recorded {
        check: finding.check.to_owned(),
        summary: report.redaction.text(&finding.summary),
        urls: std::iter::once(&report.url)
            .chain(&report.replicas)
            .cloned()
            .collect(),
        script: proof.script.clone(),
        claims: proof.claims.clone(),
        mask: proof.mask.clone(),
        is_decisive: proof.is_decisive,
    };
    let steps = proof.played.exchanges.iter().enumerate();
    let exchanges: Vec<Value> = steps
        .map(|(step, done)| exchange(report, step, done.as_ref()))
        .collect();
    let remembered = witness.remembered.as_ref().map(|remembered| {
        json!({ "from": remembered.from, "at": remembered.at, "through": remembered.through.to_string() })
    });
    let mut document = serde_json::to_value(&recorded).unwrap_or_default();
    if let Some(members) = document.as_object_mut() {
        members.insert(
            "reproduced".to_owned(),
            json!({ "held": proof.held, "of": proof.of }),
        );
        members.insert("remembered".to_owned(), json!(remembered));
        members.insert("exchanges".to_owned(), Value::Array(exchanges));
        members.insert(
            "curl".to_owned(),
            json!(super::curl::lines(report, witness)),
        );
    }
    document
}

fn exchange(report: &super::Report, step: usize, exchange: Option<&Exchange>) -> Value {
    let Some(exchange) = exchange else {
        return json!({ "step": step, "restart": true });
    };
    let fields = |fields| {
        let pairs = report.redaction.fields(fields);
        Value::Array(
            pairs
                .into_iter()
                .map(|(name, value)| json!({ "name": name, "value": value }))
                .collect(),
        )
    };
    let body = excerpt(&report.redaction, &exchange.response.text());
    json!({
        "step": step,
        "number": exchange.number,
        "connection": exchange.connection,
        "client": client(exchange),
        "method": exchange.request.method,
        "url": report.redaction.text(&exchange.url),
        "request": { "fields": fields(&exchange.request.fields), "body": exchange.request.body },
        "response": { "status": exchange.response.status, "fields": fields(&exchange.response.fields), "body": body },
    })
}

/// Who spoke, in a few words.
pub(super) fn client(exchange: &Exchange) -> String {
    let voice = exchange.voice;
    let replica = if voice.replica > 0 {
        format!(" at replica {}", voice.replica)
    } else {
        String::new()
    };
    format!("client {}{replica}", voice.jar.max(voice.source))
}

/// The beginning of a body.
pub(super) fn excerpt(redaction: &Redaction, body: &str) -> String {
    let mut end = body.len().min(EXCERPT_BYTES);
    while !body.is_char_boundary(end) {
        end -= 1;
    }
    redaction.text(body.get(..end).unwrap_or_default())
}

/// Whether a step is a restart.
pub(super) fn is_restart(script: &Script, step: usize) -> bool {
    matches!(script.0.get(step), Some(Step::Restart))
}
