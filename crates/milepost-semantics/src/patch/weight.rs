//! What a value weighs: the bytes of its JSON text, its depth, and how many values it is made of.
//!
//! An upper bound near the truth is enough: strings count as if nothing but controls were escaped.

use serde_json::Value;

/// A value's size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Weight {
    /// Bytes of the JSON text without white space.
    pub(super) bytes: usize,
    /// Nested arrays and objects; a scalar has none.
    pub(super) depth: usize,
    /// Values, itself included.
    pub(super) values: usize,
}

impl Weight {
    /// Recurses once per level, like dropping the value does.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null | Value::Bool(true) => Self::scalar(4),
            Value::Bool(false) => Self::scalar(5),
            Value::Number(number) => Self::scalar(number.as_str().len()),
            Value::String(text) => Self::scalar(string_bytes(text)),
            Value::Array(elements) => Self::container(elements.iter().map(Self::of)),
            Value::Object(members) => Self::container(members.iter().map(|(name, value)| {
                let weight = Self::of(value);
                Self {
                    bytes: weight.bytes + string_bytes(name) + 1,
                    ..weight
                }
            })),
        }
    }

    const fn scalar(bytes: usize) -> Self {
        Self {
            bytes,
            depth: 0,
            values: 1,
        }
    }

    /// Brackets, and a comma after all but the last.
    fn container(children: impl Iterator<Item = Self>) -> Self {
        let empty = Self {
            bytes: 1,
            depth: 0,
            values: 1,
        };
        let filled = children.fold(empty, |sum, child| Self {
            bytes: sum.bytes + child.bytes + 1,
            depth: sum.depth.max(child.depth),
            values: sum.values + child.values,
        });
        Self {
            bytes: filled.bytes.max(2),
            depth: filled.depth + 1,
            values: filled.values,
        }
    }
}

/// The bytes of a string in JSON, quotes included.
pub(super) fn string_bytes(text: &str) -> usize {
    let escaped = |byte: u8| match byte {
        b'"' | b'\\' | b'\n' | b'\r' | b'\t' | 0x08 | 0x0C => 1,
        0..=0x1F => 5,
        _ => 0,
    };
    text.len() + text.bytes().map(escaped).sum::<usize>() + 2
}
