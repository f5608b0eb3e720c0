//! Records that are written together, all or none.

use std::{collections::HashSet, mem};

use serde_json::Value;

/// The most operations of one chunk: what a server takes in one transaction by default.
pub(crate) const CHUNK_OPERATIONS_MAX: usize = 10_000;
/// How large a chunk may grow, half of what a server takes by default.
const CHUNK_BYTES_MAX: usize = 16 * 1024 * 1024;

/// A resource to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Operation {
    /// The line of the record it came from.
    pub(crate) line: u64,
    /// Its path below the base: `books/solaris`.
    pub(crate) path: String,
    /// Its representation.
    pub(crate) value: Vec<u8>,
}

/// Operations gathered for one transaction.
#[derive(Debug)]
pub(crate) struct Chunk {
    operations: Vec<Operation>,
    paths: HashSet<String>,
    bytes: usize,
    operations_max: usize,
}

impl Chunk {
    /// An empty chunk of at most this many operations.
    pub(crate) fn new(operations_max: usize) -> Self {
        let operations_max = operations_max.clamp(1, CHUNK_OPERATIONS_MAX);
        Self {
            operations: Vec::new(),
            paths: HashSet::new(),
            bytes: 0,
            operations_max,
        }
    }

    /// Whether this operation has to wait for the next chunk: this one is full, or holds the same
    /// resource already, which one transaction can write only once.
    pub(crate) fn has_no_room_for(&self, operation: &Operation) -> bool {
        let is_full = self.operations.len() >= self.operations_max
            || self.bytes + operation.value.len() > CHUNK_BYTES_MAX;
        !self.operations.is_empty() && (is_full || self.paths.contains(&operation.path))
    }

    /// Adds an operation.
    pub(crate) fn push(&mut self, operation: Operation) {
        self.bytes += operation.value.len();
        self.paths.insert(operation.path.clone());
        self.operations.push(operation);
    }

    /// What was gathered; the chunk is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<Operation> {
        self.paths.clear();
        self.bytes = 0;
        mem::take(&mut self.operations)
    }
}

/// The condition an operation is written under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Guard {
    /// There must be nothing yet.
    Absent,
    /// This version must be the current one.
    IfMatch(String),
}

/// An operation as it is sent.
#[derive(Clone, Debug)]
pub(super) struct Guarded {
    pub(super) operation: Operation,
    pub(super) guard: Guard,
}

/// The transaction document; representations are put in as text, so that they stay what they are.
pub(super) fn document(base: &str, operations: &[Guarded]) -> Vec<u8> {
    let mut body = b"{\"operations\":[".to_vec();
    for (index, Guarded { operation, guard }) in operations.iter().enumerate() {
        if index > 0 {
            body.push(b',');
        }
        let href = Value::from(format!("{base}/{}", operation.path));
        let guard = match guard {
            Guard::Absent => "\"ifNoneMatch\":\"*\"".to_owned(),
            Guard::IfMatch(tag) => format!("\"ifMatch\":{}", Value::from(tag.as_str())),
        };
        body.extend(format!("{{\"method\":\"PUT\",\"href\":{href},{guard},\"value\":").bytes());
        body.extend_from_slice(&operation.value);
        body.push(b'}');
    }
    body.extend_from_slice(b"]}");
    body
}

#[cfg(test)]
mod tests {
    use super::*;

    fn operation(path: &str, bytes: usize) -> Operation {
        Operation {
            line: 1,
            path: path.to_owned(),
            value: vec![b'1'; bytes],
        }
    }

    #[test]
    fn a_chunk_is_full_by_count_and_by_bytes_but_takes_at_least_one() {
        let mut chunk = Chunk::new(2);
        assert!(!chunk.has_no_room_for(&operation("a/1", CHUNK_BYTES_MAX + 1)));
        chunk.push(operation("a/1", 1));
        assert!(chunk.has_no_room_for(&operation("a/2", CHUNK_BYTES_MAX)));
        chunk.push(operation("a/2", 1));
        assert!(chunk.has_no_room_for(&operation("a/3", 1)));
        assert_eq!(chunk.take().len(), 2);
        assert!(!chunk.has_no_room_for(&operation("a/3", 1)));
    }

    #[test]
    fn a_resource_that_comes_twice_goes_into_two_chunks() {
        let mut chunk = Chunk::new(10);
        chunk.push(operation("a/1", 1));
        assert!(chunk.has_no_room_for(&operation("a/1", 1)));
        assert!(!chunk.has_no_room_for(&operation("a/2", 1)));
    }

    #[test]
    fn the_document_holds_the_representations_as_they_are() {
        let guarded = |value: &str, guard| Guarded {
            operation: Operation {
                line: 1,
                path: "a/1".into(),
                value: value.into(),
            },
            guard,
        };
        let operations = [
            guarded("{ \"n\": 1.0 }", Guard::Absent),
            guarded("2", Guard::IfMatch("\"k\"".into())),
        ];
        assert_eq!(
            String::from_utf8(document("/v1", &operations)).unwrap(),
            concat!(
                r#"{"operations":[{"method":"PUT","href":"/v1/a/1","ifNoneMatch":"*","value":{ "n": 1.0 }},"#,
                r#"{"method":"PUT","href":"/v1/a/1","ifMatch":"\"k\"","value":2}]}"#
            )
        );
    }
}
