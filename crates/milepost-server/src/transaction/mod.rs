//! Transactions: many writes as one, under an id that the client chose (protocol §8).
//!
//! The id makes repetition safe: the outcome is stored in the same commit as the writes, so a client
//! that heard nothing asks again and is told what became of the first time.

mod operations;
mod outcome;

pub(crate) use self::outcome::rejected;

use http::{HeaderValue, Response, StatusCode, header::LOCATION, request::Parts};
use milepost_semantics::{Issue, Preconditions, ProblemType, ResourceId, problem::Part};
use milepost_store::{
    Change, CollectionPath, Operation, Outcome, Record, Rejected, ResourceKey, Transaction,
    Version, WriteError,
};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    aside,
    body::Body,
    conditional::held,
    failure, flows, href, identity,
    intake::{self, RequestBody},
    media,
    refusal::{Answer, Refusal},
    representation::Freshness,
    resource::parse,
    rules::guard_of,
    service::Shared,
};

/// How many levels of a transaction's document lie around each value: a representation may be as
/// deep here as by itself.
const VALUE_DEPTH: usize = 3;

/// Answers GET and HEAD: the recorded outcome.
pub(crate) async fn read(shared: &Shared, request: &Parts, id: &str) -> Answer {
    media::require_json_accepted(&request.headers)?;
    let (version, body) = outcome_of(shared, request, id).await?;
    if let Some(etag) = held(&request.headers, version.position, Some(version.modified))? {
        return Ok(shared.outline.not_modified(etag, Freshness::Revalidate));
    }
    Ok(shared
        .outline
        .represent(&version, body, Freshness::Revalidate, None))
}

/// The recorded outcome of a transaction, and its bytes; of another's, nothing.
pub(crate) async fn outcome_of(
    shared: &Shared,
    request: &Parts,
    id: &str,
) -> Result<(Version, bytes::Bytes), Refusal> {
    let told = find_outcome((shared, request), id).await?;
    told.ok_or_else(|| {
        let detail = "no transaction of this id was committed, or its outcome is no longer kept";
        Refusal::new(ProblemType::TransactionNotFound, detail)
    })
}

/// The same; `None` where none is recorded, or another's.
pub(crate) async fn find_outcome(
    (shared, request): (&Shared, &Parts),
    id: &str,
) -> Result<Option<(Version, bytes::Bytes)>, Refusal> {
    let key = ResourceKey::top(CollectionPath::transactions(), transaction_id(id)?);
    let version = shared.store.read(&key, None).await;
    let version = version.map_err(|error| failure::of_read(shared, error))?;
    let found = version.and_then(|mut version| version.body.take().map(|body| (version, body)));
    Ok(found.filter(|(_, body)| outcome::is_told(request, body)))
}

/// Answers PUT: carries the transaction out, or tells what became of it before.
pub(crate) async fn put(
    shared: &Shared,
    request: &Parts,
    id: &str,
    body: RequestBody<'_>,
) -> Answer {
    let id = transaction_id(id)?;
    media::require_json_content(&request.headers)?;
    let bytes = intake::read(shared, request, body, shared.limits.transaction_bytes_max).await;
    let bytes = bytes.map_err(Refusal::of_transaction)?;
    let depth_max = shared.limits.depth_max + VALUE_DEPTH;
    let (document, digest) = aside::work(&bytes, move |bytes| {
        let document = parse(bytes, depth_max)?;
        let digest = digest(&document);
        Ok::<_, Refusal>((document, digest))
    })
    .await??;
    match carried((shared, request), id, (document, &bytes), digest).await? {
        Carried::Committed(outcome) => Ok(created(request, outcome)),
        Carried::Recorded(version) => recorded(shared, version),
        Carried::Mismatch => {
            let detail =
                "a transaction of this id and other content was committed before: use a new id";
            Err(Refusal::new(ProblemType::TransactionMismatch, detail))
        }
        Carried::Rejected(keys, rejected) => Err(outcome::rejected(shared, &keys, rejected)),
    }
}

/// What became of a transaction.
#[derive(Debug)]
pub(crate) enum Carried {
    /// It was committed now: its outcome.
    Committed(Vec<u8>),
    /// It was committed before: its outcome.
    Recorded(Version),
    /// Another one of its id was committed before.
    Mismatch,
    /// It does not hold, and nothing was written: why, by the index of these resources.
    Rejected(Vec<ResourceKey>, Rejected),
}

/// Carries out a transaction that the service made itself. `digest` tells it from others of its id.
pub(crate) async fn carry_out(
    (shared, request): (&Shared, &Parts),
    id: ResourceId,
    document: serde_json::Value,
    digest: [u8; 16],
) -> Result<Carried, Refusal> {
    let bytes = bytes::Bytes::from(document.to_string());
    carried((shared, request), id, (document, &bytes), digest).await
}

/// What became before of a transaction that the service made itself; `None` where none of this id is recorded, or another's.
///
/// Only the store knows whether it was the same: it is asked to record the same again, with a check that can't hold, since
/// nobody writes what stands there. So nothing is done, whatever it knows.
pub(crate) async fn repeated(
    (shared, request): (&Shared, &Parts),
    id: &ResourceId,
    digest: [u8; 16],
) -> Result<Option<Carried>, Refusal> {
    let is_recorded = find_outcome((shared, request), id.as_str())
        .await?
        .is_some();
    if !is_recorded {
        return Ok(None);
    }
    let outcome = ResourceKey::top(CollectionPath::transactions(), id.clone());
    let check = Operation {
        key: outcome.clone(),
        preconditions: Preconditions::default(),
        change: Change::Check,
    };
    let record = Record {
        id: id.clone(),
        digest,
        render: Box::new(|_committed| bytes::Bytes::new()),
    };
    let transaction = Transaction {
        record: Some(record),
        ..Transaction::single(check)
    };
    let written = shared.store.write(transaction).await;
    Ok(
        match written.map_err(|error| of_write(shared, error, &outcome))? {
            Outcome::Recorded(version) => Some(Carried::Recorded(version)),
            Outcome::RecordMismatch => Some(Carried::Mismatch),
            Outcome::Rejected(_) | Outcome::Committed(_) => None,
        },
    )
}

async fn carried(
    (shared, request): (&Shared, &Parts),
    id: ResourceId,
    (document, bytes): (serde_json::Value, &bytes::Bytes),
    digest: [u8; 16],
) -> Result<Carried, Refusal> {
    let asked = operations::read(shared, document, bytes)?;
    for operation in &asked.operations {
        if !matches!(operation.change, Change::Check) {
            identity::check_write(shared, request, &operation.key.collection)?;
        }
    }
    let maker = outcome::maker(request);
    let render = outcome::renderer(shared, &asked, maker.as_deref());
    let operations = asked.operations;
    let keys: Vec<_> = operations
        .iter()
        .map(|operation| operation.key.clone())
        .collect();
    let outcome = ResourceKey::top(CollectionPath::transactions(), id.clone());
    let failures = flows::faults((shared, request), &operations).await?;
    if !failures.is_empty() {
        return Ok(Carried::Rejected(keys, Rejected { failures }));
    }
    let record = Record { id, digest, render };
    let transaction = Transaction {
        operations,
        record: Some(record),
        guard: Some(guard_of(request)),
    };
    let written = shared.store.write(transaction).await;
    Ok(
        match written.map_err(|error| of_write(shared, error, &outcome))? {
            Outcome::Committed(committed) => {
                let maker = maker.as_deref();
                Carried::Committed(outcome::bytes(shared, &asked.methods, &committed, maker))
            }
            Outcome::Recorded(version) if is_told(request, &version) => Carried::Recorded(version),
            Outcome::Recorded(_anothers) => Carried::Mismatch,
            Outcome::RecordMismatch => Carried::Mismatch,
            Outcome::Rejected(rejected) => Carried::Rejected(keys, rejected),
        },
    )
}

/// Whether an outcome is told to the subject of a request.
fn is_told(request: &Parts, outcome: &Version) -> bool {
    outcome::is_told(request, outcome.body.as_deref().unwrap_or_default())
}

/// Why a transaction's fate is not an outcome; where it isn't known, with the URL that will tell it.
fn of_write(shared: &Shared, error: WriteError, outcome: &ResourceKey) -> Refusal {
    let is_unknown = matches!(error, WriteError::Unknown | WriteError::Poisoned);
    let refusal = failure::of_write(error);
    if is_unknown {
        refusal.with_member("transaction", href::resource(&shared.base, outcome))
    } else {
        refusal
    }
}

/// 201 with the outcome, which now stands at this URL.
fn created(request: &Parts, outcome: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(outcome));
    *response.status_mut() = StatusCode::CREATED;
    crate::representation::is_json(response.headers_mut());
    if let Ok(url) = HeaderValue::from_str(request.uri.path()) {
        response.headers_mut().insert(LOCATION, url);
    }
    response
}

/// 200 with the outcome of the first time.
fn recorded(shared: &Shared, mut version: Version) -> Answer {
    let Some(body) = version.body.take() else {
        return Err(failure::internal_text("the recorded outcome has no body"));
    };
    Ok(shared
        .outline
        .represent(&version, body, Freshness::Revalidate, None))
}

/// A UUID in its one canonical form: an id that could be written in two ways would be two ids.
fn transaction_id(text: &str) -> Result<ResourceId, Refusal> {
    let canonical = Uuid::try_parse(text)
        .ok()
        .map(|id| id.hyphenated().to_string());
    let id = canonical
        .filter(|canonical| canonical == text)
        .and_then(|canonical| canonical.parse().ok());
    id.ok_or_else(|| {
        let detail =
            "is a UUID in lower case with hyphens, such as 0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
        let issue = Issue::new(Part::Path, "uuid", detail).with_value(text);
        Refusal::issues(
            ProblemType::InvalidId,
            format!("the id of a transaction {detail}"),
            vec![issue],
        )
    })
}

/// Identifies what was asked, whatever white space it was written with.
pub(crate) fn digest(document: &serde_json::Value) -> [u8; 16] {
    let hash = Sha256::digest(document.to_string());
    let mut digest = [0; 16];
    digest
        .iter_mut()
        .zip(hash)
        .for_each(|(to, from)| *to = from);
    digest
}
