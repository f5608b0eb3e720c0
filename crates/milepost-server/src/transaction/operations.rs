//! From a transaction's document to operations for the store, with every mistake told at once.
//!
//! The document is read twice: strictly, for what it means, and once more for the exact bytes of each
//! value, which are stored as they were sent.

use bytes::Bytes;
use milepost_semantics::{
    Issue, ProblemType,
    patch::JsonPatch,
    problem::Part,
    wire::{OperationKind, PatchFormat, TransactionDocument, TransactionOperation},
};
use milepost_store::{Change, Document, Operation, ResourceKey};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::{
    failure,
    refusal::Refusal,
    route::{self, Route, Stray},
    service::Shared,
};

/// What is asked, ready for the store.
#[derive(Debug)]
pub(super) struct Asked {
    /// What to do.
    pub(super) operations: Vec<Operation>,
    /// The method of each.
    pub(super) methods: Vec<&'static str>,
}

/// Reads a transaction that was parsed from `bytes`.
pub(super) fn read(shared: &Shared, document: Value, bytes: &[u8]) -> Result<Asked, Refusal> {
    refuse_too_many(shared, &document)?;
    let invalid = |issues: Vec<Issue>| {
        let detail = format!("{} parts of the transaction are wrong", issues.len());
        Refusal::issues(ProblemType::InvalidTransaction, detail, issues)
    };
    let document = TransactionDocument::parse(document).map_err(invalid)?;
    let texts: Texts<'_> = serde_json::from_slice(bytes)
        .map_err(|error| failure::internal_text(&error.to_string()))?;
    let mut asked = Asked {
        operations: Vec::new(),
        methods: Vec::new(),
    };
    let mut issues = Vec::new();
    let texts = texts
        .operations
        .into_iter()
        .map(|operation| operation.value);
    for (index, (operation, text)) in document.operations.into_iter().zip(texts).enumerate() {
        let method = operation.kind.method();
        match one(shared, index, operation, text) {
            Ok(operation) => {
                asked.operations.push(operation);
                asked.methods.push(method);
            }
            Err(issue) => issues.push(*issue),
        }
    }
    if issues.is_empty() {
        Ok(asked)
    } else {
        Err(invalid(issues))
    }
}

/// The values' texts, as they were sent.
#[derive(Deserialize)]
struct Texts<'b> {
    #[serde(borrow)]
    operations: Vec<Text<'b>>,
}

#[derive(Deserialize)]
struct Text<'b> {
    #[serde(borrow, default)]
    value: Option<&'b RawValue>,
}

fn refuse_too_many(shared: &Shared, document: &Value) -> Result<(), Refusal> {
    let operations_max = shared.limits.transaction_operations_max;
    let count = document
        .get("operations")
        .and_then(Value::as_array)
        .map_or(0, Vec::len);
    if count <= operations_max {
        return Ok(());
    }
    let detail = format!("there are {count} operations, {operations_max} are allowed");
    Err(Refusal::new(ProblemType::TransactionTooLarge, detail))
}

fn one(
    shared: &Shared,
    index: usize,
    operation: TransactionOperation,
    text: Option<&RawValue>,
) -> Result<Operation, Box<Issue>> {
    let issue = |member: &str, detail: String| {
        Issue::new(Part::Body, format!("/operations/{index}/{member}"), detail)
    };
    let key = key(shared, &operation.href)
        .map_err(|detail| issue("href", detail).with_value(operation.href.as_str()))?;
    let change = match operation.kind {
        OperationKind::Put { value } => {
            let text = text.map(RawValue::get).unwrap_or_default();
            refuse_too_large(shared, text).map_err(|detail| issue("value", detail))?;
            Change::Put(Document {
                bytes: Bytes::copy_from_slice(text.as_bytes()),
                value,
            })
        }
        OperationKind::Patch {
            format: PatchFormat::MergePatch,
            value,
        } => Change::MergePatch(value),
        OperationKind::Patch {
            format: PatchFormat::JsonPatch,
            value,
        } => Change::JsonPatch(
            JsonPatch::parse(&value).map_err(|error| issue("value", error.to_string()))?,
        ),
        OperationKind::Delete => Change::Delete,
        OperationKind::Check => Change::Check,
    };
    Ok(Operation {
        key,
        preconditions: operation.preconditions,
        change,
    })
}

fn refuse_too_large(shared: &Shared, text: &str) -> Result<(), String> {
    let bytes_max = shared.limits.resource_bytes_max;
    if text.len() > bytes_max {
        return Err(format!(
            "has {} bytes, a representation may have {bytes_max}",
            text.len()
        ));
    }
    Ok(())
}

/// The resource that an operation names.
fn key(shared: &Shared, href: &str) -> Result<ResourceKey, String> {
    match route::parse(&shared.base, href) {
        Ok(Route::Resource(key)) => Ok(key),
        Ok(_) => Err("is the URL of something else than a resource".to_owned()),
        Err(Stray::Nowhere(detail)) => Err(format!("is no resource's URL: {detail}")),
        Err(Stray::Malformed { segment, detail }) => {
            Err(format!("is no resource's URL: {segment:?}: {detail}"))
        }
        Err(Stray::Elsewhere(canonical)) => Err(format!(
            "is written {canonical:?} without needless percent-encoding"
        )),
    }
}
