//! What became of a transaction, as a document.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use http::request::Parts;
use milepost_semantics::{
    EntityTag, Problem, ProblemType,
    wire::{OperationFailure, OperationResult, TransactionOutcome},
};
use milepost_store::{Committed, Effect, Failure, Rejected, RenderOutcome, ResourceKey, Version};
use serde::Deserialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::operations::Asked;
use crate::{failure, href, identity::subject_of, refusal::Refusal, service::Shared};

/// Makes the representation that the store keeps, once the position is known.
pub(super) fn renderer(shared: &Shared, asked: &Asked, maker: Option<&str>) -> RenderOutcome {
    let base = shared.base.clone();
    let methods = asked.methods.clone();
    let maker = maker.map(str::to_owned);
    Box::new(move |committed| Bytes::from(document(&base, &methods, committed, maker.as_deref())))
}

/// What the subject of a request is called in its outcomes; `None` for nobody in particular.
pub(super) fn maker(request: &Parts) -> Option<String> {
    let name = subject_of(request).seal_name()?;
    let hash = Sha256::new()
        .chain_update("transaction\n")
        .chain_update(name)
        .finalize();
    Some(URL_SAFE_NO_PAD.encode(hash.get(..16).unwrap_or_default()))
}

/// Whether an outcome is told to the subject of a request: to whoever made it, and to all where nobody in particular did.
pub(super) fn is_told(request: &Parts, outcome: &[u8]) -> bool {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Made {
        #[serde(default)]
        made_by: Option<String>,
    }
    match serde_json::from_slice::<Made>(outcome) {
        Ok(Made { made_by: None }) => true,
        Ok(Made { made_by }) => made_by == maker(request),
        Err(_unreadable) => false,
    }
}

/// The same bytes, for the first answer.
pub(super) fn bytes(
    shared: &Shared,
    methods: &[&'static str],
    committed: &Committed,
    maker: Option<&str>,
) -> Vec<u8> {
    document(&shared.base, methods, committed, maker)
}

fn document(
    base: &str,
    methods: &[&'static str],
    committed: &Committed,
    maker: Option<&str>,
) -> Vec<u8> {
    let results =
        committed
            .applied
            .iter()
            .zip(methods)
            .enumerate()
            .map(|(index, (applied, method))| OperationResult {
                index,
                method: (*method).to_owned(),
                href: href::resource(base, &applied.key),
                status: status(applied.effect),
                etag: applied.version.as_ref().and_then(current_tag),
            });
    let outcome = TransactionOutcome {
        position: committed.position,
        results: results.collect(),
        made_by: maker.map(str::to_owned),
    };
    outcome.to_json().to_string().into_bytes()
}

fn status(effect: Effect) -> u16 {
    match effect {
        Effect::Created => 201,
        Effect::Deleted => 204,
        Effect::Replaced | Effect::Unchanged | Effect::AlreadyApplied | Effect::Checked => 200,
    }
}

/// Nothing was written: why, operation by operation. The status is that of the first.
pub(crate) fn rejected(shared: &Shared, keys: &[ResourceKey], rejected: Rejected) -> Refusal {
    let mut failed = Vec::with_capacity(rejected.failures.len());
    let mut issues = Vec::new();
    for (index, failure) in rejected.failures {
        let Some(key) = keys.get(index) else { continue };
        let etag = current(&failure).and_then(current_tag);
        let refusal = failure::of_operation(shared, key, failure, false);
        let problem = refusal.problem();
        failed.push(OperationFailure {
            index,
            href: href::resource(&shared.base, key),
            status: problem.status(),
            etag,
            detail: Some(problem.detail.clone()),
        });
        issues.extend(within(index, problem));
    }
    let Some(first) = failed.first() else {
        return failure::internal_text("the store rejected a transaction for no reason");
    };
    let detail = format!(
        "nothing was written: {} of {} operations failed",
        failed.len(),
        keys.len()
    );
    let status = answered(first.status);
    let failed: Vec<Value> = failed.iter().map(OperationFailure::to_json).collect();
    let problem = Problem::new(ProblemType::TransactionFailed, detail).with_issues(issues);
    Refusal::from(
        problem
            .with_member("failed", failed)
            .with_member("status", status),
    )
}

/// The statuses that a transaction fails with; any other reason makes it one that can't be carried
/// out as it is.
fn answered(first: u16) -> u16 {
    if matches!(first, 403 | 404 | 412) {
        first
    } else {
        422
    }
}

/// The parts of an operation's document that are wrong, as parts of the transaction's.
fn within(index: usize, problem: &Problem) -> impl Iterator<Item = milepost_semantics::Issue> {
    let issues = problem.issues.clone().into_iter();
    issues.map(move |mut issue| {
        issue.name = format!("/operations/{index}/value{}", issue.name);
        issue
    })
}

fn current(failure: &Failure) -> Option<&Version> {
    match failure {
        Failure::PreconditionFailed { current, .. } => current.as_ref(),
        Failure::PreconditionRequired { current } => Some(current),
        _ => None,
    }
}

fn current_tag(version: &Version) -> Option<EntityTag> {
    (!version.is_deleted()).then(|| version.entity_tag())
}
