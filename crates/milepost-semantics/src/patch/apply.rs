//! Applying the operations of a JSON Patch to a document of one's own.
//!
//! The caller gives a copy and keeps the original, which is what makes a patch all or nothing. Each
//! operation pays for what it does out of one budget before it does it.

use serde_json::Value;

use super::error::{PatchError, PatchFault};
use super::weight::{Weight, string_bytes};
use super::{Operation, PatchLimits};
use crate::decimal::Decimal;
use crate::pointer::{JsonPointer, array_index};

/// A document, what it weighs, and what work is left.
struct Draft {
    document: Value,
    bytes: usize,
    work_left: usize,
    limits: PatchLimits,
}

/// A change of a container moves up to all its entries, but a move is cheaper than a copy.
const ENTRIES_MOVED_PER_WORK: usize = 16;

pub(super) fn patched(
    document: Value,
    operations: &[Operation],
    limits: PatchLimits,
) -> Result<Value, PatchError> {
    let weight = Weight::of(&document);
    let mut draft = Draft {
        document,
        bytes: weight.bytes,
        work_left: limits.work,
        limits,
    };
    for (index, operation) in operations.iter().enumerate() {
        draft
            .perform(operation)
            .map_err(|fault| fault.in_operation(index))?;
    }
    Ok(draft.document)
}

impl Draft {
    fn perform(&mut self, operation: &Operation) -> Result<(), PatchFault> {
        match operation {
            Operation::Add { path, value } => self.add(path, value.clone()),
            Operation::Remove { path } => self.remove(path).map(drop),
            Operation::Replace { path, value } => self.replace(path, value.clone()),
            Operation::Move { from, path } if from == path => self.resolve(from).map(drop),
            Operation::Move { from, path } => {
                let value = self.remove(from)?;
                self.add(path, value)
            }
            Operation::Copy { from, path } => {
                let weight = Weight::of(self.resolve(from)?);
                self.spend(weight.values)?;
                self.check_bytes(weight.bytes)?;
                let value = self.resolve(from)?.clone();
                self.add(path, value)
            }
            Operation::Test { path, value } => self.test(path, value),
        }
    }

    /// §4.1: inserts into an array, sets a member, or replaces the document.
    fn add(&mut self, path: &JsonPointer, value: Value) -> Result<(), PatchFault> {
        let Some((parent, token)) = path.split_last() else {
            return self.replace(path, value);
        };
        let weight = self.admit(path, &value)?;
        let work = self.shift_work(&parent)?;
        self.spend(work)?;
        let mut bytes = weight.bytes + 1;
        match self.resolve_mut(&parent)? {
            Value::Array(elements) => insert(elements, path, token, value)?,
            Value::Object(members) => {
                bytes += string_bytes(token) + 1;
                if let Some(replaced) = members.insert(token.to_owned(), value) {
                    bytes -= string_bytes(token) + 2;
                    self.bytes = self.bytes.saturating_sub(Weight::of(&replaced).bytes);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(not_found(path));
            }
        }
        self.bytes += bytes;
        self.check_bytes(0)
    }

    /// §4.2: takes out what must be there.
    fn remove(&mut self, path: &JsonPointer) -> Result<Value, PatchFault> {
        let (parent, token) = path.split_last().ok_or(PatchFault::RootRemoved)?;
        let work = self.shift_work(&parent)?;
        self.spend(work)?;
        let (removed, name_bytes) = match self.resolve_mut(&parent)? {
            Value::Array(elements) => {
                let index = array_index(token).filter(|index| *index < elements.len());
                (elements.remove(index.ok_or_else(|| not_found(path))?), 1)
            }
            Value::Object(members) => {
                let removed = members.shift_remove(token);
                (
                    removed.ok_or_else(|| not_found(path))?,
                    string_bytes(token) + 2,
                )
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                return Err(not_found(path));
            }
        };
        let weight = Weight::of(&removed);
        self.spend(weight.values)?;
        self.bytes = self.bytes.saturating_sub(weight.bytes + name_bytes);
        Ok(removed)
    }

    /// §4.3: the place must exist already.
    fn replace(&mut self, path: &JsonPointer, value: Value) -> Result<(), PatchFault> {
        let weight = self.admit(path, &value)?;
        let place = self.resolve_mut(path)?;
        let replaced = Weight::of(&std::mem::replace(place, value));
        self.spend(replaced.values)?;
        self.bytes = (self.bytes + weight.bytes).saturating_sub(replaced.bytes);
        self.check_bytes(0)
    }

    /// §4.6.
    fn test(&mut self, path: &JsonPointer, expected: &Value) -> Result<(), PatchFault> {
        self.spend(Weight::of(expected).values)?;
        if is_same(self.resolve(path)?, expected) {
            Ok(())
        } else {
            Err(PatchFault::TestFailed {
                pointer: path.to_string(),
            })
        }
    }

    /// Weighs a value that is to stand at `path`, if it may stand there.
    fn admit(&mut self, path: &JsonPointer, value: &Value) -> Result<Weight, PatchFault> {
        let weight = Weight::of(value);
        self.spend(weight.values)?;
        if path.tokens().len() + weight.depth > self.limits.depth {
            return Err(PatchFault::TooDeep {
                depth_max: self.limits.depth,
            });
        }
        Ok(weight)
    }

    fn shift_work(&self, parent: &JsonPointer) -> Result<usize, PatchFault> {
        let entries = match self.resolve(parent)? {
            Value::Array(elements) => elements.len(),
            Value::Object(members) => members.len(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
        };
        Ok(1 + entries / ENTRIES_MOVED_PER_WORK)
    }

    fn spend(&mut self, work: usize) -> Result<(), PatchFault> {
        self.work_left = self
            .work_left
            .checked_sub(work)
            .ok_or(PatchFault::TooMuchWork)?;
        Ok(())
    }

    fn check_bytes(&self, more: usize) -> Result<(), PatchFault> {
        if self.bytes + more > self.limits.bytes {
            return Err(PatchFault::TooLarge {
                bytes_max: self.limits.bytes,
            });
        }
        Ok(())
    }

    fn resolve(&self, path: &JsonPointer) -> Result<&Value, PatchFault> {
        path.resolve(&self.document).ok_or_else(|| not_found(path))
    }

    fn resolve_mut(&mut self, path: &JsonPointer) -> Result<&mut Value, PatchFault> {
        path.resolve_mut(&mut self.document)
            .ok_or_else(|| not_found(path))
    }
}

fn insert(
    elements: &mut Vec<Value>,
    path: &JsonPointer,
    token: &str,
    value: Value,
) -> Result<(), PatchFault> {
    let length = elements.len();
    let index = if token == "-" {
        Some(length)
    } else {
        array_index(token)
    };
    let index =
        index
            .filter(|index| *index <= length)
            .ok_or_else(|| PatchFault::IndexOutOfRange {
                pointer: path.to_string(),
                length,
            })?;
    elements.insert(index, value);
    Ok(())
}

fn not_found(path: &JsonPointer) -> PatchFault {
    PatchFault::PathNotFound {
        pointer: path.to_string(),
    }
}

/// §4.6: equal JSON values; numbers by value, objects whatever the order of their members.
fn is_same(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(left), Value::Number(right)) => {
            left == right || is_same_number(left.as_str(), right.as_str())
        }
        (Value::Array(left), Value::Array(right)) => {
            left.len() == right.len() && left.iter().zip(right).all(|(l, r)| is_same(l, r))
        }
        (Value::Object(left), Value::Object(right)) => {
            let is_in_right =
                |(name, l): (&String, &Value)| right.get(name).is_some_and(|r| is_same(l, r));
            left.len() == right.len() && left.iter().all(is_in_right)
        }
        _ => left == right,
    }
}

fn is_same_number(left: &str, right: &str) -> bool {
    match (left.parse::<Decimal>(), right.parse::<Decimal>()) {
        (Ok(left), Ok(right)) => left == right,
        // Beyond what is compared exactly, only the same text is surely the same number.
        _ => false,
    }
}
