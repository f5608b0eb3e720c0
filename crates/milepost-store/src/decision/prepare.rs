//! The part of a decision that depends on nothing but the document and its collection's definition,
//! done before the sequencer so that the one writer needn't: reading indexed values, validating.

use std::sync::Arc;

use bytes::Bytes;
use milepost_semantics::{index::IndexValue, json};
use serde_json::Value;

use super::Governed;
use crate::{
    Change, CollectionPath, Definition, Definitions, Failure, Guard, Operation, Violation,
};

/// A representation ready to be stored.
#[derive(Clone, Debug)]
pub struct Contents {
    /// The representation.
    pub bytes: Bytes,
    /// The encoded value of each declared index, in the definition's order.
    pub index_values: Vec<Vec<u8>>,
    /// The strings that text search looks at, joined by line feeds; `None` where none are declared.
    pub text: Option<String>,
    /// The definition that this representation makes, in the collection of definitions.
    pub defines: Option<Arc<Definition>>,
}

/// An operation with what could be found out before its turn came.
#[derive(Debug)]
pub struct Prepared {
    /// What is asked.
    pub operation: Operation,
    /// Who judges it; `None` where whoever asks is trusted.
    pub(super) guard: Option<Arc<dyn Guard>>,
    readied: Option<Readied>,
}

/// What a document came to under one version of its collection's definition.
#[derive(Debug)]
struct Readied {
    governed: Governed,
    contents: Result<Contents, Failure>,
}

/// Finds out what can be known of an operation under the definitions of now. `guard` is the transaction's.
#[must_use]
pub fn prepare(
    mut operation: Operation,
    guard: Option<&Arc<dyn Guard>>,
    definitions: &Definitions,
) -> Prepared {
    operation.preconditions = operation.preconditions.without_variants();
    let readied = match &operation.change {
        Change::Put(document) => governed(definitions, &operation.key.collection).map(|governed| {
            let contents = ready(&governed, &document.bytes, &document.value);
            Readied { governed, contents }
        }),
        Change::MergePatch(_) | Change::JsonPatch(_) | Change::Delete | Change::Check => None,
    };
    Prepared {
        operation,
        guard: guard.cloned(),
        readied,
    }
}

impl Prepared {
    /// The document's contents under `governed`, which is what rules now.
    pub(super) fn contents(
        &self,
        governed: &Governed,
        bytes: &Bytes,
        value: &Value,
    ) -> Result<Contents, Failure> {
        match &self.readied {
            Some(readied) if readied.governed.is_same(governed) => readied.contents.clone(),
            _ => ready(governed, bytes, value),
        }
    }
}

impl Governed {
    fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::By(one), Self::By(other)) => Arc::ptr_eq(one, other),
            (Self::AsDefinitions, Self::AsDefinitions) => true,
            _ => false,
        }
    }
}

fn governed(definitions: &Definitions, collection: &CollectionPath) -> Option<Governed> {
    if *collection == CollectionPath::collections() {
        return Some(Governed::AsDefinitions);
    }
    definitions
        .of(collection)
        .map(|defined| Governed::By(Arc::clone(&defined.definition)))
}

/// Validates a document and reads from it what is indexed.
pub(super) fn ready(
    governed: &Governed,
    bytes: &Bytes,
    value: &Value,
) -> Result<Contents, Failure> {
    match governed {
        Governed::By(definition) => ready_resource(definition, bytes, value),
        Governed::AsDefinitions => ready_definition(value),
    }
}

fn ready_definition(value: &Value) -> Result<Contents, Failure> {
    let definition = Definition::parse(value).map_err(Failure::InvalidDefinition)?;
    Ok(Contents {
        bytes: definition.representation.clone(),
        index_values: Vec::new(),
        text: None,
        defines: Some(Arc::new(definition)),
    })
}

fn ready_resource(
    definition: &Definition,
    bytes: &Bytes,
    value: &Value,
) -> Result<Contents, Failure> {
    let mut violations = definition
        .schema
        .as_ref()
        .map_or_else(Vec::new, |schema| schema.violations(value));
    let index_values = index_values(definition, value, &mut violations);
    if violations.is_empty() {
        let text = (!definition.text.is_empty()).then(|| text_of(definition, value));
        Ok(Contents {
            bytes: bytes.clone(),
            index_values,
            text,
            defines: None,
        })
    } else {
        Err(Failure::InvalidDocument(violations))
    }
}

fn index_values(
    definition: &Definition,
    value: &Value,
    violations: &mut Vec<Violation>,
) -> Vec<Vec<u8>> {
    let mut values = Vec::with_capacity(definition.indexes.len());
    for index in &definition.indexes {
        match index_value(index, value) {
            Ok(encoded) => values.push(encoded),
            Err(violation) => violations.push(violation),
        }
    }
    values
}

/// The encoded value of one index in a document.
///
/// # Errors
/// What is wrong with a value that can't be ordered.
pub fn index_value(index: &crate::definition::Index, value: &Value) -> Result<Vec<u8>, Violation> {
    IndexValue::from_json(index.pointer.resolve(value))
        .map(|value| value.encode())
        .map_err(|error| Violation {
            pointer: index.pointer.to_string(),
            detail: format!("can't be indexed as {:?}: {error}", index.name),
        })
}

/// The value of an index in a document that was stored before the index was declared: what can't be
/// ordered counts as there, no more.
#[must_use]
pub fn index_value_or_other(index: &crate::definition::Index, value: &Value) -> Vec<u8> {
    index_value(index, value).unwrap_or_else(|_| IndexValue::OTHER.encode())
}

/// A stored body as JSON: it was strict when it was written.
#[must_use]
pub fn parse_stored(body: &[u8]) -> Value {
    json::parse(body, json::Limits::with_depth(json::DEPTH_MAX)).unwrap_or(Value::Null)
}

/// The strings at the declared pointers; all strings of an array.
#[must_use]
pub fn text_of(definition: &Definition, value: &Value) -> String {
    let mut lines = Vec::new();
    for pointer in &definition.text {
        match pointer.resolve(value) {
            Some(Value::String(text)) => lines.push(text.as_str()),
            Some(Value::Array(values)) => lines.extend(values.iter().filter_map(Value::as_str)),
            _ => {}
        }
    }
    lines.join("\n")
}
