//! What strict JSON is, and how its errors are told.

use milepost_semantics::json::{JsonErrorKind, Limits, parse};

fn kind(text: &str) -> JsonErrorKind {
    parse(text.as_bytes(), Limits::default()).unwrap_err().kind
}

#[test]
fn a_hundred_thousand_brackets_are_refused_without_overflowing() {
    assert_eq!(kind(&"[".repeat(100_000)), JsonErrorKind::TooDeep);
    assert_eq!(kind(&"{\"a\":".repeat(100_000)), JsonErrorKind::TooDeep);
}

#[test]
fn a_valid_document_is_kept_member_by_member_and_digit_by_digit() {
    let text =
        r#"{"b":[1.0,-0,1e400,{"x":null}],"a":"\u00e9\ud83d\ude00\n","":{},"t":[true,false]}"#;
    let value = parse(text.as_bytes(), Limits::default()).unwrap();
    let written = value.to_string();
    assert_eq!(
        written,
        "{\"b\":[1.0,-0,1e400,{\"x\":null}],\"a\":\"é😀\\n\",\"\":{},\"t\":[true,false]}"
    );
}
