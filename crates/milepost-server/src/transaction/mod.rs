//! Transactions: many writes as one, under an id that the client chose (protocol §8).
//!
//! The id makes repetition safe: the outcome is stored in the same commit as the writes, so a client
//! that heard nothing asks again and is told what became of the first time.

mod operations;
mod outcome;

pub(crate) use self::outcome::rejected;

use http::{HeaderValue, Response, StatusCode, header::LOCATION, request::Parts};
use milepost_semantics::{Issue, ProblemType, ResourceId, problem::Part};
use milepost_store::{CollectionPath, Outcome, Record, ResourceKey, Transaction, Version};
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::{
    aside,
    body::Body,
    conditional::held,
    failure,
    intake::{self, RequestBody},
    media,
    refusal::{Answer, Refusal},
    representation::Freshness,
    resource::parse,
    service::Shared,
};

/// How many levels of a transaction's document lie around each value: a representation may be as
/// deep here as by itself.
const VALUE_DEPTH: usize = 3;

/// Answers GET and HEAD: the recorded outcome.
pub(crate) async fn read(shared: &Shared, request: &Parts, id: &str) -> Answer {
    let key = ResourceKey::top(CollectionPath::transactions(), transaction_id(id)?);
    media::require_json_accepted(&request.headers)?;
    let version = shared
        .store
        .read(&key, None)
        .await
        .map_err(|error| failure::of_read(shared, error))?;
    let Some((version, body)) = version
        .and_then(|mut version| Some((version.body.take()?, version)))
        .map(|(body, version)| (version, body))
    else {
        let detail = "no transaction of this id was committed, or its outcome is no longer kept";
        return Err(Refusal::new(ProblemType::TransactionNotFound, detail));
    };
    if let Some(etag) = held(&request.headers, version.position, Some(version.modified))? {
        return Ok(shared.outline.not_modified(etag, Freshness::Revalidate));
    }
    Ok(shared
        .outline
        .represent(&version, body, Freshness::Revalidate, None))
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
    let asked = operations::read(shared, document, &bytes)?;
    let render = outcome::renderer(shared, &asked);
    let operations = asked.operations;
    let keys: Vec<_> = operations
        .iter()
        .map(|operation| operation.key.clone())
        .collect();
    let record = Record { id, digest, render };
    let transaction = Transaction {
        operations,
        record: Some(record),
    };
    match shared
        .store
        .write(transaction)
        .await
        .map_err(failure::of_write)?
    {
        Outcome::Committed(committed) => Ok(created(
            request,
            outcome::bytes(shared, &asked.methods, &committed),
        )),
        Outcome::Recorded(version) => recorded(shared, version),
        Outcome::RecordMismatch => {
            let detail =
                "a transaction of this id and other content was committed before: use a new id";
            Err(Refusal::new(ProblemType::TransactionMismatch, detail))
        }
        Outcome::Rejected(rejected) => Err(outcome::rejected(shared, &keys, rejected)),
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
fn digest(document: &serde_json::Value) -> [u8; 16] {
    let hash = Sha256::digest(document.to_string());
    let mut digest = [0; 16];
    digest
        .iter_mut()
        .zip(hash)
        .for_each(|(to, from)| *to = from);
    digest
}
