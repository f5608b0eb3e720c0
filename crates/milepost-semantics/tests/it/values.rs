//! Strategies for JSON values and numbers that the other modules draw from.

use proptest::prelude::*;
use serde_json::{Map, Number, Value};

/// The text of a JSON number, often close to others, sometimes beyond what floats can tell apart.
pub(crate) fn any_number_text() -> impl Strategy<Value = String> {
    let mantissa = prop_oneof!["(0|[1-9][0-9]{0,3})", "[1-9][0-9]{15,25}"];
    let fraction = prop_oneof![
        Just(String::new()),
        "\\.[0-9]{1,4}",
        "\\.0{1,3}",
        "\\.[0-9]{16,24}"
    ];
    let exponent = prop_oneof![Just(String::new()), "[eE][+-]?[0-9]", "[eE][+-]?[0-5][0-9]"];
    ("-?", mantissa, fraction, exponent)
        .prop_map(|(sign, whole, fraction, exponent)| format!("{sign}{whole}{fraction}{exponent}"))
}

pub(crate) fn any_number() -> impl Strategy<Value = Value> {
    any_number_text().prop_map(|text| Value::Number(Number::from_string_unchecked(text)))
}

pub(crate) fn any_scalar() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any_number(),
        "[a-c\\x00-\\x02é😀\"\\\\/~]{0,6}".prop_map(Value::String),
        any::<String>().prop_map(Value::String),
    ]
}

/// A document with few different keys, so that patches of it meet.
pub(crate) fn any_json() -> impl Strategy<Value = Value> {
    any_scalar().prop_recursive(4, 48, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::Array),
            prop::collection::vec(("[a-d~/]{0,2}", inner), 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}
