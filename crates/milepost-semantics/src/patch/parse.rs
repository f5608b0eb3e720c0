//! Reading a JSON Patch document into operations (RFC 6902 §4).

use serde_json::{Map, Value};

use super::Operation;
use super::error::{PatchError, PatchFault};
use crate::pointer::JsonPointer;

pub(super) fn operations(document: &Value) -> Result<Vec<Operation>, PatchError> {
    let Value::Array(operations) = document else {
        let fault = malformed("a JSON Patch is an array of operations");
        return Err(PatchError {
            operation: None,
            fault,
        });
    };
    let numbered = operations.iter().enumerate();
    numbered
        .map(|(index, value)| operation(value).map_err(|fault| fault.in_operation(index)))
        .collect()
}

fn operation(value: &Value) -> Result<Operation, PatchFault> {
    let Value::Object(members) = value else {
        return Err(malformed("an operation is an object"));
    };
    let path = pointer(members, "path")?;
    let name = text(members, "op")?;
    match name {
        "add" => Ok(Operation::Add {
            path,
            value: content(members)?,
        }),
        "remove" if path.is_root() => Err(PatchFault::RootRemoved),
        "remove" => Ok(Operation::Remove { path }),
        "replace" => Ok(Operation::Replace {
            path,
            value: content(members)?,
        }),
        "move" => moving(pointer(members, "from")?, path),
        "copy" => Ok(Operation::Copy {
            from: pointer(members, "from")?,
            path,
        }),
        "test" => Ok(Operation::Test {
            path,
            value: content(members)?,
        }),
        _ => Err(malformed(&format!(
            "'op' is one of add, remove, replace, move, copy and test, not {name:?}"
        ))),
    }
}

/// §4.4: "The "from" location MUST NOT be a proper prefix of the "path" location".
fn moving(from: JsonPointer, path: JsonPointer) -> Result<Operation, PatchFault> {
    if from.is_prefix_of(&path) && from != path {
        return Err(PatchFault::MoveIntoItself {
            from: from.to_string(),
            path: path.to_string(),
        });
    }
    Ok(Operation::Move { from, path })
}

fn text<'v>(members: &'v Map<String, Value>, name: &str) -> Result<&'v str, PatchFault> {
    match members.get(name) {
        Some(Value::String(text)) => Ok(text),
        Some(_) => Err(malformed(&format!("{name:?} is a string"))),
        None => Err(malformed(&format!("{name:?} is missing"))),
    }
}

fn pointer(members: &Map<String, Value>, name: &str) -> Result<JsonPointer, PatchFault> {
    let text = text(members, name)?;
    JsonPointer::parse(text).map_err(|error| malformed(&format!("{name:?}: {error}")))
}

fn content(members: &Map<String, Value>) -> Result<Value, PatchFault> {
    members
        .get("value")
        .cloned()
        .ok_or_else(|| malformed("\"value\" is missing"))
}

fn malformed(detail: &str) -> PatchFault {
    PatchFault::Malformed {
        detail: detail.to_owned(),
    }
}
