//! JSON Merge Patch (RFC 7396 §2).
//!
//! The result is never larger than document and patch together and never deeper than the deeper of
//! the two, so it needs no limits of its own.

use serde_json::{Map, Value};

/// The target with the patch merged into it: objects member by member, `null` removes a member,
/// anything else replaces what was there. Members keep their order; new ones come last.
///
/// Recurses once per level of nested objects in the patch, which [`crate::json::DEPTH_MAX`] bounds.
#[must_use]
pub fn merge_patch(target: Value, patch: Value) -> Value {
    let Value::Object(changes) = patch else {
        return patch;
    };
    let members = match target {
        Value::Object(members) => members,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            Map::new()
        }
    };
    Value::Object(merge_members(members, changes))
}

fn merge_members(
    mut members: Map<String, Value>,
    changes: Map<String, Value>,
) -> Map<String, Value> {
    // All at once: taking them out one by one would move the rest each time.
    if changes.values().any(Value::is_null) {
        members.retain(|name, _| !changes.get(name).is_some_and(Value::is_null));
    }
    for (name, change) in changes {
        if change.is_null() {
            continue;
        }
        let member = members.entry(name).or_insert(Value::Null);
        *member = merge_patch(member.take(), change);
    }
    members
}
