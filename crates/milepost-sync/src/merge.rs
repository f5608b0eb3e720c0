//! Three-way merge of JSON documents: what both sides did to the version they started from.
//!
//! Objects are merged member by member; everything else (arrays too, since their elements have no
//! names) is a value that one side may have changed. Where both changed the same value to different
//! ones the merge says where, and decides nothing.
//!
//! Numbers are compared as they are written: `1.0` is not `1`, since turning one into the other is a
//! change somebody made. Members keep the order of *theirs*; new ones of *ours* follow.

use serde_json::{Map, Value};

/// The most places that are told.
const OVERLAPS_MAX: usize = 100;

/// What a merge comes to.
#[derive(Clone, Debug, PartialEq)]
pub enum Merged {
    /// Both sides' changes.
    Whole(Value),
    /// The places, as JSON pointers (RFC 6901), that both changed to different values; at most 100.
    Overlapping(Vec<String>),
}

/// Merges what `ours` and `theirs` made of `base`.
///
/// Without a base (both created the document) members that only one side has are kept, and members that
/// both have must be equal.
#[must_use]
pub fn merge(base: Option<&Value>, ours: &Value, theirs: &Value) -> Merged {
    let mut overlaps = Vec::new();
    let merged = merged(base, Some(ours), Some(theirs), "", &mut overlaps);
    match merged {
        Some(value) if overlaps.is_empty() => Merged::Whole(value),
        _ => Merged::Overlapping(overlaps),
    }
}

/// One place; `None` is "not there".
fn merged(
    base: Option<&Value>,
    ours: Option<&Value>,
    theirs: Option<&Value>,
    at: &str,
    overlaps: &mut Vec<String>,
) -> Option<Value> {
    if ours == theirs || ours == base {
        return theirs.cloned();
    }
    if theirs == base {
        return ours.cloned();
    }
    if let (Some(Value::Object(ours)), Some(Value::Object(theirs))) = (ours, theirs) {
        // Where the base was something else, both made an object of it.
        let base = base.and_then(Value::as_object);
        return Some(Value::Object(members(base, ours, theirs, at, overlaps)));
    }
    if overlaps.len() < OVERLAPS_MAX {
        overlaps.push(at.to_owned());
    }
    theirs.cloned()
}

fn members(
    base: Option<&Map<String, Value>>,
    ours: &Map<String, Value>,
    theirs: &Map<String, Value>,
    at: &str,
    overlaps: &mut Vec<String>,
) -> Map<String, Value> {
    let of_base = |name: &str| base.and_then(|base| base.get(name));
    let mut result = Map::new();
    let new_names = ours.keys().filter(|name| !theirs.contains_key(*name));
    for name in theirs.keys().chain(new_names) {
        let place = format!("{at}/{}", name.replace('~', "~0").replace('/', "~1"));
        let sides = (ours.get(name), theirs.get(name));
        if let Some(value) = merged(of_base(name), sides.0, sides.1, &place, overlaps) {
            result.insert(name.clone(), value);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn changes_of_different_members_are_both_kept() {
        let base = json!({"name": "ada", "address": {"city": "London", "zip": "1"}, "old": true});
        let ours = json!({"name": "Ada", "address": {"city": "London", "zip": "2"}, "old": true, "new": 1});
        let theirs = json!({"name": "ada", "address": {"city": "Paris", "zip": "1"}});
        assert_eq!(
            merge(Some(&base), &ours, &theirs),
            Merged::Whole(
                json!({"name": "Ada", "address": {"city": "Paris", "zip": "2"}, "new": 1})
            )
        );
    }

    #[test]
    fn places_that_both_changed_are_named() {
        let base = json!({"a/b": {"x": 1}, "list": [1]});
        let ours = json!({"a/b": {"x": 2}, "list": [1, 2]});
        let theirs = json!({"a/b": {"x": 3}, "list": [1, 3]});
        assert_eq!(
            merge(Some(&base), &ours, &theirs),
            Merged::Overlapping(vec!["/a~1b/x".to_owned(), "/list".to_owned()])
        );
    }

    #[test]
    fn a_member_that_one_removed_and_the_other_changed_is_an_overlap() {
        let base = json!({"a": 1, "b": 1});
        assert_eq!(
            merge(Some(&base), &json!({"b": 1}), &json!({"a": 2, "b": 1})),
            Merged::Overlapping(vec!["/a".to_owned()])
        );
        assert_eq!(
            merge(Some(&base), &json!({"b": 1}), &json!({"a": 1, "b": 2})),
            Merged::Whole(json!({"b": 2}))
        );
    }

    #[test]
    fn documents_that_both_created_are_merged_where_they_agree() {
        assert_eq!(
            merge(None, &json!({"a": 1, "b": 1}), &json!({"a": 1, "c": 1})),
            Merged::Whole(json!({"a": 1, "c": 1, "b": 1}))
        );
        assert_eq!(
            merge(None, &json!({"a": 1}), &json!({"a": 2})),
            Merged::Overlapping(vec!["/a".to_owned()])
        );
    }
}
