//! Index values: bytes compare as values do, and a filter's ranges hold what it matches.

use std::cmp::Ordering;

use milepost_semantics::Decimal;
use milepost_semantics::index::{
    Comparison, Filter, FilterError, IndexClass, IndexValue, IndexValueTooLarge, KeyRange,
    ValueType,
};
use milepost_semantics::json::{Limits, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::values::{any_number, any_number_text, any_scalar};

fn value(text: &str) -> IndexValue {
    let json = parse(text.as_bytes(), Limits::default()).unwrap();
    IndexValue::from_json(Some(&json)).unwrap()
}

/// An order of JSON numbers that shares nothing with the code: both written out plainly, to the
/// same width, and compared as texts.
fn plain_order(left: &str, right: &str) -> Ordering {
    match (plain(left), plain(right)) {
        ((true, left), (true, right)) => right.cmp(&left),
        ((false, left), (false, right)) => left.cmp(&right),
        ((true, _), (false, _)) => Ordering::Less,
        ((false, _), (true, _)) => Ordering::Greater,
    }
}

/// Whether the number is negative, and its magnitude with 120 places on both sides of the point.
fn plain(text: &str) -> (bool, String) {
    let lower = text.to_lowercase();
    let (mantissa, exponent) = lower.split_once('e').unwrap_or((&lower, "0"));
    let shift: usize = (120 + exponent.parse::<i32>().unwrap()).try_into().unwrap();
    let magnitude = mantissa.trim_start_matches('-');
    let (whole, fraction) = magnitude.split_once('.').unwrap_or((magnitude, ""));
    // The digits of 10^120 times the number, after as many zeros as it takes.
    let mut digits = format!("{whole}{fraction}{}", "0".repeat(300));
    digits.truncate(whole.len() + shift);
    let padded = format!("{digits:0>300}");
    let is_zero = padded.bytes().all(|byte| byte == b'0');
    (mantissa.starts_with('-') && !is_zero, padded)
}

#[test]
fn the_order_is_that_of_the_table() {
    let ascending = [
        "null",
        "false",
        "true",
        "-1e2147483646",
        "-10",
        "-9.5",
        "-9.05",
        "-9",
        "-1e-5",
        "-1e-2147483647",
        "0",
        "1e-2147483647",
        "0.00001",
        "0.1",
        "0.10000000000000000001",
        "0.11",
        "1",
        "1.01",
        "2",
        "9007199254740992",
        "9007199254740993",
        "1e400",
        "1e2147483646",
        "\"\"",
        "\"\\u0000\"",
        "\"\\u0000\\u0000\"",
        "\"\\u0000a\"",
        "\"\\u0001\"",
        "\"A\"",
        "\"a\"",
        "\"a\\u0000\"",
        "\"a\\u0001\"",
        "\"aa\"",
        "\"b\"",
        "\"é\"",
        "\"\u{ffff}\"",
        "\"😀\"",
        "[]",
    ];
    let mut values = vec![IndexValue::ABSENT];
    values.extend(ascending.iter().map(|text| value(text)));
    for pair in values.windows(2) {
        assert!(pair[0] < pair[1], "{} {}", pair[0], pair[1]);
        assert!(
            pair[0].encode() < pair[1].encode(),
            "{} {}",
            pair[0],
            pair[1]
        );
    }
}

#[test]
fn equal_numbers_are_one_value_and_containers_too() {
    for (left, right) in [
        ("1", "1.0"),
        ("1", "1e0"),
        ("-0", "0"),
        ("0e99999999999", "0.0"),
    ] {
        assert_eq!(value(left), value(right));
        assert_eq!(value(left).encode(), value(right).encode());
    }
    assert_eq!(value("[1]"), value("{\"a\":2}"));
    assert_eq!(IndexValue::from_json(None).unwrap(), IndexValue::ABSENT);
}

#[test]
fn what_cannot_be_compared_exactly_is_refused() {
    let refused = |text: &str| {
        let json = parse(text.as_bytes(), Limits::default()).unwrap();
        IndexValue::from_json(Some(&json)).unwrap_err()
    };
    assert_eq!(refused("1e2147483647"), IndexValueTooLarge::Exponent);
    assert_eq!(
        refused("1e99999999999999999999"),
        IndexValueTooLarge::Exponent
    );
    assert_eq!(
        refused("-1e-99999999999999999999"),
        IndexValueTooLarge::Exponent
    );
    assert_eq!(
        refused(&"1".repeat(401)),
        IndexValueTooLarge::Digits { digits: 401 }
    );
    let text = format!("\"{}\"", "é".repeat(257));
    assert_eq!(refused(&text), IndexValueTooLarge::Text { bytes: 514 });
    assert_eq!(value(&format!("1{}", "0".repeat(4000))), value("1e4000"));
    assert_eq!(value(&"1".repeat(400)).class(), IndexClass::Number);
    assert_eq!(
        value(&format!("\"{}\"", "x".repeat(512))).class(),
        IndexClass::Text
    );
}

#[test]
fn bytes_that_no_value_encodes_to_are_refused() {
    let bad: [&[u8]; 12] = [
        b"",
        b"\x00",
        b"\x20\x20",
        b"\x40",
        b"\x40\x03",
        b"\x40\x02\x80\x00\x00\x01\x0b",
        b"\x40\x02\x80\x00\x00\x01\x00",
        b"\x40\x02\x80\x00\x00\x01\x0b\x01\x00",
        b"\x40\x02\x80\x00\x00\x01\x05\x00",
        b"\x50a",
        b"\x50a\x00\x02",
        b"\x50\xff\x00\x01",
    ];
    for bytes in bad {
        assert!(IndexValue::decode(bytes).is_err(), "{bytes:?}");
    }
}

#[test]
fn a_decimal_is_written_as_a_short_json_number() {
    let table = [
        ("100", "100"),
        ("1e2", "100"),
        ("-1.50", "-1.5"),
        ("0.001", "0.001"),
        ("1e-6", "0.000001"),
        ("1e-7", "1e-7"),
        ("1e20", "100000000000000000000"),
        ("1e21", "1e21"),
        ("-0.0", "0"),
        ("12.5e-9", "1.25e-8"),
        ("123456789012345678901234", "1.23456789012345678901234e23"),
    ];
    for (text, written) in table {
        assert_eq!(text.parse::<Decimal>().unwrap().to_string(), written);
    }
    for bad in [
        "", "-", "01", "1.", ".1", "+1", "1e", "1e+", "1e1.5", "0x1", "1 ", "NaN", "--1",
    ] {
        assert!(bad.parse::<Decimal>().is_err(), "{bad}");
    }
}

fn any_index_value() -> impl Strategy<Value = IndexValue> {
    prop_oneof![
        8 => any_scalar().prop_filter_map("small enough", |json| {
            IndexValue::from_json(Some(&json)).ok()
        }),
        1 => Just(IndexValue::ABSENT),
        1 => Just(IndexValue::OTHER),
    ]
}

fn any_filter() -> impl Strategy<Value = Filter> {
    (
        prop::sample::select(Comparison::ALL.to_vec()),
        any_index_value(),
    )
        .prop_filter_map("makes sense", |(comparison, operand)| {
            Filter::new(comparison, operand).ok()
        })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn numbers_are_ordered_as_written_out_plainly(left in any_number_text(), right in any_number_text()) {
        let expected = plain_order(&left, &right);
        let decimals = (left.parse::<Decimal>().unwrap(), right.parse::<Decimal>().unwrap());
        prop_assert_eq!(decimals.0.cmp(&decimals.1), expected);
        let encoded = value(&left).encode().cmp(&value(&right).encode());
        prop_assert_eq!(encoded, expected);
    }

    #[test]
    fn near_numbers_are_ordered_as_integers(left in -2000i64..2000, right in -2000i64..2000, scale in 0u32..3) {
        let text = |number: i64| format!("{number}e-{scale}");
        prop_assert_eq!(value(&text(left)).encode().cmp(&value(&text(right)).encode()), left.cmp(&right));
    }

    #[test]
    fn bytes_compare_as_values_also_with_an_id_behind(
        left in any_index_value(),
        right in any_index_value(),
        ids in ("[!-~]{1,3}", "[!-~]{1,3}"),
    ) {
        prop_assert_eq!(left.encode().cmp(&right.encode()), left.cmp(&right));
        let keys = (
            [left.encode(), ids.0.clone().into_bytes()].concat(),
            [right.encode(), ids.1.clone().into_bytes()].concat(),
        );
        prop_assert_eq!(keys.0.cmp(&keys.1), (left, ids.0).cmp(&(right, ids.1)));
    }

    #[test]
    fn texts_are_ordered_by_code_point(left: String, right: String) {
        let encode = |text: &str| IndexValue::text(text).unwrap().encode();
        prop_assert_eq!(encode(&left).cmp(&encode(&right)), left.chars().cmp(right.chars()));
    }

    #[test]
    fn a_value_survives_encoding(value in any_index_value(), behind in prop::collection::vec(any::<u8>(), 0..4)) {
        let mut bytes = value.encode();
        prop_assert_eq!(IndexValue::decode(&bytes), Ok(value.clone()));
        bytes.extend_from_slice(&behind);
        prop_assert_eq!(IndexValue::split_first(&bytes), Ok((value, behind.as_slice())));
    }

    #[test]
    fn bytes_that_decode_are_the_values_only_encoding(
        value in any_index_value(),
        at: prop::sample::Index,
        byte: u8,
    ) {
        let mut bytes = value.encode();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok((value, rest)) = IndexValue::split_first(&bytes) {
            prop_assert_eq!([value.encode().as_slice(), rest].concat(), bytes);
        }
    }

    #[test]
    fn a_decimal_survives_writing(number in any_number_text()) {
        let decimal: Decimal = number.parse().unwrap();
        prop_assert_eq!(decimal.to_string().parse::<Decimal>(), Ok(decimal));
    }

    #[test]
    fn the_key_ranges_of_a_filter_hold_exactly_what_it_matches(
        filter in any_filter(),
        value in any_index_value(),
        id in "[!-~]{0,3}",
    ) {
        let key = [value.encode(), id.into_bytes()].concat();
        let ranges = filter.key_ranges();
        let holds = |range: &KeyRange| range.start <= key && key < range.end;
        let holding = ranges.iter().filter(|range| holds(range)).count();
        prop_assert_eq!(holding, usize::from(filter.matches(&value)), "{:?} {:?}", filter, value);
        for pair in ranges.windows(2) {
            prop_assert!(pair[0].end <= pair[1].start);
        }
    }

    #[test]
    fn ordered_comparisons_divide_the_class(operand in any_number(), value in any_index_value()) {
        let filter = |comparison| {
            let operand = IndexValue::from_json(Some(&operand)).unwrap();
            Filter::new(comparison, operand).unwrap().matches(&value)
        };
        let is_number = value.class() == IndexClass::Number;
        prop_assert_eq!(filter(Comparison::Lt) || filter(Comparison::Ge), is_number);
        prop_assert_eq!(filter(Comparison::Le) || filter(Comparison::Gt), is_number);
        prop_assert_eq!(filter(Comparison::Le) && filter(Comparison::Ge), filter(Comparison::Eq));
        prop_assert_ne!(filter(Comparison::Eq), filter(Comparison::Ne));
    }
}

#[test]
fn filters_are_read_as_the_protocol_writes_them() {
    use Comparison as C;
    let table = [
        ("ada", ValueType::Any, C::Eq, json!("ada")),
        ("100", ValueType::Any, C::Eq, json!(100)),
        ("gte:100", ValueType::Number, C::Ge, json!(100)),
        ("gt:-1.5e3", ValueType::Any, C::Gt, json!(-1500)),
        ("lt:b", ValueType::String, C::Lt, json!("b")),
        ("lte:5", ValueType::String, C::Le, json!("5")),
        ("ne:true", ValueType::Boolean, C::Ne, json!(true)),
        ("eq:gte:100", ValueType::Any, C::Eq, json!("gte:100")),
        ("eq:eq:", ValueType::String, C::Eq, json!("eq:")),
        ("\"5\"", ValueType::Any, C::Eq, json!("5")),
        ("\"true\"", ValueType::Any, C::Eq, json!("true")),
        ("\"a", ValueType::Any, C::Eq, json!("\"a")),
        ("\"5\"", ValueType::String, C::Eq, json!("\"5\"")),
        ("null", ValueType::Any, C::Eq, Value::Null),
        ("ne:null", ValueType::Number, C::Ne, Value::Null),
        ("null", ValueType::String, C::Eq, json!("null")),
        ("007", ValueType::Any, C::Eq, json!("007")),
        ("urn:isbn:1", ValueType::Any, C::Eq, json!("urn:isbn:1")),
        ("GT:1", ValueType::Any, C::Eq, json!("GT:1")),
        ("", ValueType::String, C::Eq, json!("")),
        ("prefix:5", ValueType::Any, C::Prefix, json!("5")),
        ("prefix:", ValueType::String, C::Prefix, json!("")),
        ("exists:true", ValueType::Number, C::Exists, json!(true)),
        ("exists:false", ValueType::String, C::Exists, json!(false)),
    ];
    for (text, value_type, comparison, operand) in table {
        let filter = Filter::parse(text, value_type).unwrap();
        assert_eq!(filter.comparison(), comparison, "{text}");
        let operand = IndexValue::from_json(Some(&operand)).unwrap();
        assert_eq!(*filter.operand(), operand, "{text}");
    }
}

#[test]
fn filters_that_make_no_sense_are_refused_with_what_was_expected() {
    let error = |text: &str, value_type| Filter::parse(text, value_type).unwrap_err();
    assert_eq!(
        error("ada", ValueType::Number).to_string(),
        "\"ada\" is not a number"
    );
    assert_eq!(
        error("gte:true", ValueType::Number).to_string(),
        "\"true\" is not a number"
    );
    assert_eq!(
        error("1", ValueType::Boolean).to_string(),
        "\"1\" is not true or false"
    );
    assert_eq!(
        error("exists:maybe", ValueType::Any).to_string(),
        "\"maybe\" is not true or false"
    );
    assert_eq!(
        error("prefix:1", ValueType::Number),
        FilterError::PrefixOfNoText
    );
    assert_eq!(
        error("gt:null", ValueType::Any),
        FilterError::NoOrder { comparison: "gt" }
    );
    assert_eq!(
        error(&"x".repeat(513), ValueType::String),
        FilterError::TooLarge(IndexValueTooLarge::Text { bytes: 513 })
    );
}

#[test]
fn exists_counts_null_as_a_value() {
    let exists = Filter::parse("exists:true", ValueType::Any).unwrap();
    let missing = Filter::parse("exists:false", ValueType::Any).unwrap();
    assert!(exists.matches(&IndexValue::NULL) && !missing.matches(&IndexValue::NULL));
    assert!(!exists.matches(&IndexValue::ABSENT) && missing.matches(&IndexValue::ABSENT));
}
