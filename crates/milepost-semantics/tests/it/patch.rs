//! Patches, by the appendices of RFC 6902 and RFC 7396 and by what must never happen.

use milepost_semantics::json::{Limits, parse};
use milepost_semantics::patch::{JsonPatch, PatchError, PatchFault, PatchLimits, merge_patch};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::values::any_json;

fn document(text: &str) -> Value {
    parse(text.as_bytes(), Limits::default()).unwrap()
}

fn patched(target: &str, patch: &str) -> Result<Value, PatchError> {
    let mut target = document(target);
    JsonPatch::parse(&document(patch))?.apply(&mut target)?;
    Ok(target)
}

fn fault(target: &str, patch: &str) -> PatchFault {
    patched(target, patch).unwrap_err().fault
}

/// RFC 7396, appendix A.
#[test]
fn the_examples_of_rfc_7396_merge_as_it_says() {
    let table = [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, r"{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        ),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, r"null", r"null"),
        (r#"{"a":"foo"}"#, r#""bar""#, r#""bar""#),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"e":null,"a":1}"#),
        (r"[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        (r"{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ];
    for (target, patch, expected) in table {
        let merged = merge_patch(document(target), document(patch));
        assert_eq!(merged.to_string(), expected, "{target} with {patch}");
    }
}

#[test]
fn a_merge_keeps_the_order_of_members_and_the_text_of_numbers() {
    let merged = merge_patch(
        document(r#"{"z":1.0,"y":2,"x":{"c":1e400,"b":0}}"#),
        document(r#"{"y":null,"w":1E2,"x":{"b":null,"a":-0},"z":1.00}"#),
    );
    assert_eq!(
        merged.to_string(),
        r#"{"z":1.00,"x":{"c":1e400,"a":-0},"w":1E2}"#
    );
}

/// RFC 6902, appendix A, where the patch applies.
#[test]
fn the_examples_of_rfc_6902_apply_as_it_says() {
    let table = [
        // A.1 to A.7
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux"}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        (
            r#"{"foo":["bar","baz"]}"#,
            r#"[{"op":"add","path":"/foo/1","value":"qux"}]"#,
            r#"{"foo":["bar","qux","baz"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"remove","path":"/baz"}]"#,
            r#"{"foo":"bar"}"#,
        ),
        (
            r#"{"foo":["bar","qux","baz"]}"#,
            r#"[{"op":"remove","path":"/foo/1"}]"#,
            r#"{"foo":["bar","baz"]}"#,
        ),
        (
            r#"{"baz":"qux","foo":"bar"}"#,
            r#"[{"op":"replace","path":"/baz","value":"boo"}]"#,
            r#"{"baz":"boo","foo":"bar"}"#,
        ),
        (
            r#"{"foo":{"bar":"baz","waldo":"fred"},"qux":{"corge":"grault"}}"#,
            r#"[{"op":"move","from":"/foo/waldo","path":"/qux/thud"}]"#,
            r#"{"foo":{"bar":"baz"},"qux":{"corge":"grault","thud":"fred"}}"#,
        ),
        (
            r#"{"foo":["all","grass","cows","eat"]}"#,
            r#"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#,
            r#"{"foo":["all","cows","eat","grass"]}"#,
        ),
        // A.8
        (
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
            r#"[{"op":"test","path":"/baz","value":"qux"},{"op":"test","path":"/foo/1","value":2}]"#,
            r#"{"baz":"qux","foo":["a",2,"c"]}"#,
        ),
        // A.10, A.11
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/child","value":{"grandchild":{}}}]"#,
            r#"{"foo":"bar","child":{"grandchild":{}}}"#,
        ),
        (
            r#"{"foo":"bar"}"#,
            r#"[{"op":"add","path":"/baz","value":"qux","xyz":123}]"#,
            r#"{"foo":"bar","baz":"qux"}"#,
        ),
        // A.14, A.16
        (
            r#"{"/":9,"~1":10}"#,
            r#"[{"op":"test","path":"/~01","value":10}]"#,
            r#"{"/":9,"~1":10}"#,
        ),
        (
            r#"{"foo":["bar"]}"#,
            r#"[{"op":"add","path":"/foo/-","value":["abc","def"]}]"#,
            r#"{"foo":["bar",["abc","def"]]}"#,
        ),
    ];
    for (target, patch, expected) in table {
        assert_eq!(
            patched(target, patch).unwrap().to_string(),
            expected,
            "{target} with {patch}"
        );
    }
}

/// RFC 6902, appendix A.9, A.12, A.13 and A.15, and the other ways an operation fails.
#[test]
fn an_operation_that_cannot_be_applied_says_why() {
    for row in FAILING.lines().map(str::trim).filter(|row| !row.is_empty()) {
        let cells: Vec<_> = row.split(" | ").collect();
        let error = patched(cells[0], &format!("[{{{}}}]", cells[1])).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("operation 0: {}", cells[2]),
            "{row}"
        );
    }
}

/// Target, operation, and what is told.
const FAILING: &str = r#"
    {"baz":"qux"} | "op":"test","path":"/baz","value":"bar" | the value at "/baz" is not the one tested for
    {"foo":"bar"} | "op":"add","path":"/baz/bat","value":"qux" | there is nothing at "/baz"
    {"/":9,"~1":10} | "op":"test","path":"/~01","value":"10" | the value at "/~01" is not the one tested for
    {} | "op":"remove","path":"/a" | there is nothing at "/a"
    [1] | "op":"remove","path":"/-" | there is nothing at "/-"
    {} | "op":"replace","path":"/a","value":1 | there is nothing at "/a"
    {} | "op":"copy","from":"/a","path":"/b" | there is nothing at "/a"
    {} | "op":"move","from":"/a","path":"/a" | there is nothing at "/a"
    1 | "op":"add","path":"/a","value":1 | there is nothing at "/a"
    [1] | "op":"add","path":"/2","value":1 | "/2" is no place in an array of 1
    [1] | "op":"add","path":"/01","value":1 | "/01" is no place in an array of 1
    [1] | "op":"add","path":"/x","value":1 | "/x" is no place in an array of 1
    {} | "op":"remove","path":"" | the whole document cannot be removed
    {"a":{}} | "op":"move","from":"/a","path":"/a/b" | "/a" cannot be moved into itself, to "/a/b"
"#;

#[test]
fn a_patch_that_is_none_is_refused_with_its_operation() {
    let table = [
        (json!({}), None),
        (json!([1]), Some(0)),
        (
            json!([{ "op": "test", "path": "", "value": 1 }, { "op": "add", "path": "/a" }]),
            Some(1),
        ),
        (json!([{ "op": "spam", "path": "/a" }]), Some(0)),
        (json!([{ "path": "/a" }]), Some(0)),
        (json!([{ "op": "remove" }]), Some(0)),
        (json!([{ "op": "remove", "path": 1 }]), Some(0)),
        (json!([{ "op": "remove", "path": "a" }]), Some(0)),
        (json!([{ "op": "copy", "path": "/a" }]), Some(0)),
        (
            json!([{ "op": "move", "path": "/a", "from": "~" }]),
            Some(0),
        ),
    ];
    for (patch, operation) in table {
        let error = JsonPatch::parse(&patch).unwrap_err();
        assert_eq!(error.operation, operation, "{patch}");
        assert!(error.fault.is_malformed(), "{error}");
    }
}

#[test]
fn numbers_are_tested_by_value_and_exactly() {
    let equal = [
        ("1", "1.0"),
        ("1e0", "1"),
        ("-0", "0"),
        ("100", "1E2"),
        ("0.10", "1e-1"),
    ];
    for (left, right) in equal {
        let patch = format!("[{{\"op\":\"test\",\"path\":\"/0/a\",\"value\":{right}}}]");
        assert!(
            patched(&format!("[{{\"a\":{left}}}]"), &patch).is_ok(),
            "{left} {right}"
        );
    }
    let different = [
        ("9007199254740992", "9007199254740993"),
        ("0.1", "0.1000000000000000055511151231257827"),
        ("1e400", "1e401"),
        ("1", "\"1\""),
        ("1e99999999999999999999", "1e99999999999999999998"),
    ];
    for (left, right) in different {
        let patch = format!("[{{\"op\":\"test\",\"path\":\"\",\"value\":{right}}}]");
        assert!(patched(left, &patch).is_err(), "{left} {right}");
    }
    let patch = r#"[{"op":"test","path":"","value":{"b":[1.0],"a":null}}]"#;
    assert!(patched(r#"{"a":null,"b":[1]}"#, patch).is_ok());
}

#[test]
fn a_patch_of_the_whole_document_is_one_too() {
    let patch = r#"[{"op":"add","path":"","value":{"a":1}},{"op":"copy","from":"","path":"/b"}]"#;
    assert_eq!(
        patched("7", patch).unwrap().to_string(),
        r#"{"a":1,"b":{"a":1}}"#
    );
    let patch = r#"[{"op":"move","from":"/a","path":""}]"#;
    assert_eq!(patched(r#"{"a":[1]}"#, patch).unwrap().to_string(), "[1]");
}

#[test]
fn doubling_copies_end_at_the_limit_on_bytes() {
    let too_large = PatchFault::TooLarge {
        bytes_max: 1024 * 1024,
    };
    let doubling = r#"{"op":"copy","from":"/a","path":"/a/-"},"#.repeat(100);
    let patch = format!("[{}]", doubling.trim_end_matches(','));
    assert_eq!(fault(r#"{"a":["x"]}"#, &patch), too_large);
    let wide = r#"[{"op":"copy","from":"/0","path":"/-"}]"#;
    let target = format!("[\"{}\"]", "x".repeat(600_000));
    assert_eq!(fault(&target, wide), too_large);
    let flat = r#"{"op":"copy","from":"/a","path":"/b/-"},{"op":"copy","from":"/b","path":"/a"},"#;
    let patch = format!("[{}]", flat.repeat(60).trim_end_matches(','));
    assert!(fault(r#"{"a":"x","b":[]}"#, &patch).is_limit());
}

#[test]
fn wrapping_moves_end_at_the_limit_on_depth() {
    let wrap = r#"{"op":"move","from":"/a","path":"/b"},{"op":"add","path":"/a","value":{}},{"op":"move","from":"/b","path":"/a/b"},"#;
    let patch = format!("[{}]", wrap.repeat(200).trim_end_matches(','));
    assert_eq!(
        fault(r#"{"a":{}}"#, &patch),
        PatchFault::TooDeep { depth_max: 128 }
    );
}

#[test]
fn a_patch_that_walks_the_document_too_often_ends_at_the_limit_on_work() {
    let mut target = document(&format!("[{}]", vec!["0"; 20_000].join(",")));
    let shuffle = r#"{"op":"move","from":"/0","path":"/-"},"#.repeat(1_000);
    let patch = document(&format!("[{}]", shuffle.trim_end_matches(',')));
    let mut limits = PatchLimits::default();
    limits.work = 100_000;
    let error = JsonPatch::parse(&patch)
        .unwrap()
        .apply_within(&mut target, limits)
        .unwrap_err();
    assert_eq!(error.fault, PatchFault::TooMuchWork);
    assert!(error.operation.unwrap() < 100);
}

#[test]
fn what_a_patch_takes_away_makes_room_again() {
    let mut target = json!(["x".repeat(40)]);
    let swap = json!([
        { "op": "replace", "path": "/0", "value": "y".repeat(40) },
        { "op": "remove", "path": "/0" },
        { "op": "add", "path": "/0", "value": "z".repeat(40) },
        { "op": "replace", "path": "", "value": ["w".repeat(40)] },
    ]);
    let patch = JsonPatch::parse(&swap).unwrap();
    assert_eq!(patch.len(), 4);
    patch
        .apply_within(&mut target, PatchLimits::new(46, 4))
        .unwrap();
    assert_eq!(target, json!(["w".repeat(40)]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn merging_a_document_without_nulls_into_nothing_gives_it(value in any_json()) {
        fn without_nulls(value: Value) -> Value {
            match value {
                Value::Object(members) => members
                    .into_iter()
                    .filter(|(_, value)| !value.is_null())
                    .map(|(name, value)| (name, without_nulls(value)))
                    .collect(),
                other => other,
            }
        }
        prop_assert_eq!(merge_patch(Value::Null, value.clone()), without_nulls(value));
    }

    #[test]
    fn merging_twice_is_merging_once(target in any_json(), patch in any_json()) {
        let once = merge_patch(target, patch.clone());
        prop_assert_eq!(merge_patch(once.clone(), patch), once);
    }

    #[test]
    fn a_patch_that_fails_leaves_the_target_as_it_was(
        target in any_json(),
        value in any_json(),
        paths in prop::collection::vec("(/[a-d0-2-]){0,2}", 6),
    ) {
        let patch = json!([
            { "op": "add", "path": paths[0], "value": value },
            { "op": "copy", "from": paths[1], "path": paths[2] },
            { "op": "replace", "path": paths[3], "value": 1 },
            { "op": "test", "path": "/no/such/place", "value": paths[4] },
        ]);
        let mut changed = target.clone();
        prop_assert!(JsonPatch::parse(&patch).unwrap().apply(&mut changed).is_err());
        prop_assert_eq!(changed, target);
    }

    #[test]
    fn adding_and_removing_a_new_member_changes_nothing(target in any_json(), value in any_json()) {
        if target.is_object() {
            let patch = json!([
                { "op": "add", "path": "/fresh", "value": value },
                { "op": "test", "path": "/fresh", "value": value },
                { "op": "move", "from": "/fresh", "path": "/moved" },
                { "op": "remove", "path": "/moved" },
            ]);
            let mut changed = target.clone();
            JsonPatch::parse(&patch).unwrap().apply(&mut changed).unwrap();
            prop_assert_eq!(changed.to_string(), target.to_string());
        }
    }
}
