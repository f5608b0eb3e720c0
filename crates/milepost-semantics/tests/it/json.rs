//! What strict JSON is, and how its errors are told.

use milepost_semantics::json::{DEPTH_MAX, JsonError, JsonErrorKind, Limits, parse};
use proptest::prelude::*;
use serde_json::Value;

use crate::values::any_json;

fn error(bytes: &[u8]) -> JsonError {
    parse(bytes, Limits::default()).unwrap_err()
}

#[test]
fn a_hundred_thousand_brackets_are_refused_without_overflowing() {
    for bracket in ["[", "{\"a\":", "[{\"\":"] {
        let error = error(bracket.repeat(100_000).as_bytes());
        assert_eq!(error.kind, JsonErrorKind::TooDeep);
        assert_eq!(error.pointer.tokens().len(), 128);
    }
}

#[test]
fn the_limit_on_depth_is_exact_and_bounded() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    assert!(parse(nested(128).as_bytes(), Limits::default()).is_ok());
    assert!(parse(nested(129).as_bytes(), Limits::default()).is_err());
    assert!(parse(b"1", Limits::with_depth(0)).is_ok());
    assert!(parse(b"[]", Limits::with_depth(0)).is_err());
    assert_eq!(Limits::with_depth(usize::MAX).depth, DEPTH_MAX);
}

#[test]
fn a_valid_document_is_kept_member_by_member_and_digit_by_digit() {
    let text = r#" {"b" : [1.0,-0,1e400, {"x":null}],"a":"\u00e9\ud83d\ude00\n\/","":{},"t":[true,false]} "#;
    let value = parse(text.as_bytes(), Limits::default()).unwrap();
    let written = r#"{"b":[1.0,-0,1e400,{"x":null}],"a":"é😀\n/","":{},"t":[true,false]}"#;
    assert_eq!(value.to_string(), written);
    for number in [
        "0",
        "-0.0",
        "1E+05",
        "123456789012345678901234567890.10",
        "1e-999999999999",
    ] {
        let value = parse(number.as_bytes(), Limits::default()).unwrap();
        assert_eq!(value.to_string(), number);
    }
}

#[test]
fn every_broken_scalar_is_refused_with_its_kind() {
    use JsonErrorKind as Kind;
    check_kinds(&[
        (b"", Kind::Empty),
        (b" \n\t\r", Kind::Empty),
        (b"\xEF\xBB\xBF{}", Kind::ByteOrderMark),
        (b"\"\xC3\"", Kind::InvalidUtf8),
        (b"\"\xED\xA0\x80\"", Kind::InvalidUtf8),
        (b"\xFF", Kind::InvalidUtf8),
        (b"\xFE\xFF\x00{\x00}", Kind::InvalidUtf8),
        (b"nul", Kind::UnexpectedEnd),
        (b"nulL", Kind::UnexpectedCharacter),
        (b"True", Kind::UnexpectedCharacter),
        (b"NaN", Kind::UnexpectedCharacter),
        (b"-Infinity", Kind::InvalidNumber),
        (b"01", Kind::InvalidNumber),
        (b"-01", Kind::InvalidNumber),
        (b"1.", Kind::UnexpectedEnd),
        (b"[1.]", Kind::InvalidNumber),
        (b".5", Kind::UnexpectedCharacter),
        (b"+1", Kind::UnexpectedCharacter),
        (b"1e", Kind::UnexpectedEnd),
        (b"[1e+]", Kind::InvalidNumber),
        (b"-", Kind::UnexpectedEnd),
        (b"0x1F", Kind::InvalidNumber),
        (b"1_000", Kind::InvalidNumber),
        (b"1.2.3", Kind::InvalidNumber),
        (b"'a'", Kind::UnexpectedCharacter),
        (b"\"a", Kind::UnexpectedEnd),
        (b"\"a\\", Kind::UnexpectedEnd),
        (b"\"\\u12", Kind::UnexpectedEnd),
        (b"\"\\u12G4\"", Kind::InvalidEscape),
        (b"\"\\u+123\"", Kind::InvalidEscape),
        (b"\"\\x41\"", Kind::InvalidEscape),
        (b"\"\\U0041\"", Kind::InvalidEscape),
        (b"\"\\ud800\"", Kind::LoneSurrogate),
        (b"\"\\udc00\\ud800\"", Kind::LoneSurrogate),
        (b"\"\\ud800\\u0041\"", Kind::LoneSurrogate),
        (b"\"\\ud800\\n\"", Kind::LoneSurrogate),
        (b"\"a\nb\"", Kind::ControlCharacter),
        (
            b"\"a long enough run before \x00 it\"",
            Kind::ControlCharacter,
        ),
    ]);
}

#[test]
fn every_broken_structure_is_refused_with_its_kind() {
    use JsonErrorKind as Kind;
    check_kinds(&[
        (b"{\"a\":1,\"a\":1}", Kind::DuplicateKey),
        (b"{\"a\":1,\"\\u0061\":2}", Kind::DuplicateKey),
        (
            b"{\"$serde_json::private::Number\":\"1\"}",
            Kind::ReservedKey,
        ),
        (
            b"{\"\\u0024serde_json::private::RawValue\":\"1\"}",
            Kind::ReservedKey,
        ),
        (b"{} {}", Kind::TrailingData),
        (b"1 2", Kind::TrailingData),
        (b"[]]", Kind::TrailingData),
        (b"[1,]", Kind::UnexpectedCharacter),
        (b"{\"a\":1,}", Kind::UnexpectedCharacter),
        (b"[1 2]", Kind::UnexpectedCharacter),
        (b"{a:1}", Kind::UnexpectedCharacter),
        (b"[1}", Kind::UnexpectedCharacter),
        (b"/*c*/1", Kind::UnexpectedCharacter),
    ]);
}

fn check_kinds(table: &[(&[u8], JsonErrorKind)]) {
    for (bytes, kind) in table {
        assert_eq!(
            error(bytes).kind,
            *kind,
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn an_error_tells_where_it_is_by_line_column_and_pointer() {
    let table = [
        ("{\n  \"é\": [1, {\"a/b\": tru}]}", "/é/1/a~1b", 2, 20),
        ("[[],\n\n 01]", "/1", 3, 3),
        ("{\"a\":{\"x\":1,\"x\":2}}", "/a/x", 1, 13),
        ("{\"a\" 1}", "/a", 1, 6),
        ("[1,2", "/2", 1, 5),
        ("", "", 1, 1),
    ];
    for (text, pointer, line, column) in table {
        let error = error(text.as_bytes());
        assert_eq!(error.pointer.to_string(), pointer, "{text}: {error}");
        assert_eq!(
            (error.line, error.column),
            (line, column),
            "{text}: {error}"
        );
    }
    let told = error(b"{\"a\":[1,\"b\xFF\"]}");
    assert_eq!(
        told.to_string(),
        "line 1, column 11: the text is not valid UTF-8 (at /a/1)"
    );
}

#[test]
fn keys_are_compared_however_many_there_are() {
    for count in [2, 15, 16, 17, 1000] {
        let members: Vec<_> = (0..count).map(|n| format!("\"k{n}\":{n}")).collect();
        let text = format!("{{{}}}", members.join(","));
        let value = parse(text.as_bytes(), Limits::default()).unwrap();
        assert_eq!(value.to_string(), text);
        let doubled = format!("{{{},\"k0\":0}}", members.join(","));
        assert_eq!(error(doubled.as_bytes()).kind, JsonErrorKind::DuplicateKey);
    }
}

/// The value as `serde_json` reads it back: it writes exponents its own way.
fn reread(value: &Value) -> Value {
    serde_json::from_slice(&serde_json::to_vec(value).unwrap()).unwrap()
}

/// A refusal that only a stricter parser makes.
fn is_stricter(kind: JsonErrorKind) -> bool {
    matches!(
        kind,
        JsonErrorKind::DuplicateKey | JsonErrorKind::ReservedKey | JsonErrorKind::TooDeep
    )
}

fn check_agreement(bytes: &[u8]) -> Result<(), TestCaseError> {
    let theirs = serde_json::from_slice::<Value>(bytes);
    match (parse(bytes, Limits::default()), theirs) {
        (Ok(ours), Ok(theirs)) => prop_assert_eq!(reread(&ours), theirs),
        (Ok(ours), Err(theirs)) => prop_assert!(false, "only we take {ours}: {theirs}"),
        (Err(ours), Ok(_)) => prop_assert!(is_stricter(ours.kind), "only we refuse: {ours}"),
        (Err(_), Err(_)) => {}
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn valid_documents_are_read_as_serde_json_reads_them(value in any_json(), is_pretty: bool) {
        let bytes = if is_pretty {
            serde_json::to_vec_pretty(&value).unwrap()
        } else {
            serde_json::to_vec(&value).unwrap()
        };
        let parsed = parse(&bytes, Limits::default()).unwrap();
        prop_assert_eq!(reread(&parsed), reread(&value));
    }

    #[test]
    fn damaged_documents_are_refused_exactly_when_serde_json_refuses_them(
        value in any_json(),
        damage in prop::collection::vec((any::<prop::sample::Index>(), damage()), 1..4),
    ) {
        let mut bytes = serde_json::to_vec(&value).unwrap();
        for (at, damage) in damage {
            let at = at.index(bytes.len());
            match damage {
                Damage::Replace(byte) => bytes[at] = byte,
                Damage::Insert(byte) => bytes.insert(at, byte),
                Damage::Cut => bytes.truncate(at + 1),
            }
        }
        check_agreement(&bytes)?;
    }

    #[test]
    fn strings_of_any_length_and_escapes_are_read_alike(
        parts in prop::collection::vec(string_part(), 0..12),
    ) {
        check_agreement(format!("\"{}\"", parts.concat()).as_bytes())?;
    }

    #[test]
    fn noise_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        check_agreement(&bytes)?;
    }
}

#[derive(Clone, Copy, Debug)]
enum Damage {
    Replace(u8),
    Insert(u8),
    Cut,
}

fn damage() -> impl Strategy<Value = Damage> {
    let telling =
        prop::sample::select(b"{}[]\",:\\u0123456789aeE+-. \n\x00\x1f\x7f\xc3\xff".to_vec());
    prop_oneof![
        telling.clone().prop_map(Damage::Replace),
        telling.prop_map(Damage::Insert),
        Just(Damage::Cut),
    ]
}

fn string_part() -> impl Strategy<Value = String> {
    prop_oneof![
        "[ -!#-\\[\\]-~é😀]{0,20}",
        "\\\\u[0-9a-fA-F]{4}",
        "\\\\u[dD][89a-fA-F][0-9a-f]{2}",
        "\\\\[\"\\\\/bfnrtxu]",
        "[\\x00-\\x22\\x5c]",
    ]
}
