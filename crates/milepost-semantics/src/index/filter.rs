//! Filters: a comparison of an index with a value, as a query writes it (protocol §4).
//!
//! `100` and `eq:100` are equality, `gte:100` is a comparison. A filter can judge a value
//! ([`Filter::matches`]) and say where in the encoded order all its values stand
//! ([`Filter::key_ranges`]); the two always agree. Which indexes there are is the definition's.

use serde_json::Value;

use super::encode::{ABSENT, BOOLEAN_RANGE, NUMBER, OTHER, TEXT, text_start};
use super::{IndexClass, IndexValue, IndexValueTooLarge};
use crate::decimal::{Decimal, DecimalError};
use crate::json;

/// How an index is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Comparison {
    /// Equal; also what a bare value means.
    Eq,
    /// Not equal: everything [`Comparison::Eq`] doesn't match, absent values too.
    Ne,
    /// Greater, within one class of values.
    Gt,
    /// Greater or equal.
    Ge,
    /// Less.
    Lt,
    /// Less or equal.
    Le,
    /// A text that starts with this one.
    Prefix,
    /// Whether there is a value (`null` is one).
    Exists,
}

impl Comparison {
    /// As it is written before the colon.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "gte",
            Self::Lt => "lt",
            Self::Le => "lte",
            Self::Prefix => "prefix",
            Self::Exists => "exists",
        }
    }

    /// Every comparison.
    pub const ALL: [Self; 8] = [
        Self::Eq,
        Self::Ne,
        Self::Gt,
        Self::Ge,
        Self::Lt,
        Self::Le,
        Self::Prefix,
        Self::Exists,
    ];

    const fn is_ordered(self) -> bool {
        matches!(self, Self::Gt | Self::Ge | Self::Lt | Self::Le)
    }
}

/// How the values of an index are written in a query, by the schema of what it stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Numbers; `null` is null.
    Number,
    /// Texts, taken literally.
    String,
    /// `true` and `false`; `null` is null.
    Boolean,
    /// By shape: a JSON number, `true`, `false` or `null` is that, anything else a text; in
    /// double quotes it is a text whatever stands inside.
    Any,
}

/// A condition on one index.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Filter {
    comparison: Comparison,
    /// What is compared with; for [`Comparison::Exists`] a boolean.
    operand: IndexValue,
}

/// A run of encoded index values, and of keys that start with one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRange {
    /// The first key, inclusive.
    pub start: Vec<u8>,
    /// The end, exclusive.
    pub end: Vec<u8>,
}

/// A filter that makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FilterError {
    /// The index holds another type of values.
    #[error("{value:?} is not {expected}")]
    Type {
        /// The type that was expected, e.g. "a number".
        expected: &'static str,
        /// What was given.
        value: String,
    },
    /// `prefix:` of something else than texts.
    #[error("'prefix:' compares texts, and this index holds none")]
    PrefixOfNoText,
    /// An ordered comparison with `null`.
    #[error("'{comparison}:' needs a value that has an order, not null")]
    NoOrder {
        /// The comparison as written.
        comparison: &'static str,
    },
    /// The value is larger than any that is indexed.
    #[error(transparent)]
    TooLarge(#[from] IndexValueTooLarge),
}

impl Filter {
    /// A filter with these parts; the operand of [`Comparison::Exists`] is a boolean, that of
    /// [`Comparison::Prefix`] a text.
    ///
    /// # Errors
    /// When the comparison cannot be made with that operand.
    pub fn new(comparison: Comparison, operand: IndexValue) -> Result<Self, FilterError> {
        let class = operand.class();
        match comparison {
            Comparison::Prefix if class != IndexClass::Text => Err(FilterError::PrefixOfNoText),
            Comparison::Exists if class != IndexClass::Boolean => Err(FilterError::Type {
                expected: "true or false",
                value: operand.to_string(),
            }),
            _ if comparison.is_ordered() && !is_ordered(class) => Err(FilterError::NoOrder {
                comparison: comparison.name(),
            }),
            _ => Ok(Self {
                comparison,
                operand,
            }),
        }
    }

    /// Reads a filter as a query writes it, percent-decoded: `ada`, `gte:100`, `eq:gte:100`.
    ///
    /// # Errors
    /// [`FilterError`], telling what was expected.
    pub fn parse(text: &str, value_type: ValueType) -> Result<Self, FilterError> {
        let (comparison, operand) = split_comparison(text);
        let operand = match comparison {
            Comparison::Exists => boolean(operand)?,
            Comparison::Prefix => match value_type {
                ValueType::String => IndexValue::text(operand)?,
                ValueType::Any => IndexValue::text(&unquoted(operand))?,
                ValueType::Number | ValueType::Boolean => return Err(FilterError::PrefixOfNoText),
            },
            _ => typed(operand, value_type)?,
        };
        Self::new(comparison, operand)
    }

    /// How it compares.
    #[must_use]
    pub const fn comparison(&self) -> Comparison {
        self.comparison
    }

    /// What it compares with.
    #[must_use]
    pub const fn operand(&self) -> &IndexValue {
        &self.operand
    }

    /// Whether a resource with this value is meant.
    #[must_use]
    pub fn matches(&self, value: &IndexValue) -> bool {
        let is_same_class = value.class() == self.operand.class();
        match self.comparison {
            Comparison::Eq => *value == self.operand,
            Comparison::Ne => *value != self.operand,
            Comparison::Gt => is_same_class && *value > self.operand,
            Comparison::Ge => is_same_class && *value >= self.operand,
            Comparison::Lt => is_same_class && *value < self.operand,
            Comparison::Le => is_same_class && *value <= self.operand,
            Comparison::Prefix => {
                let texts = value.as_text().zip(self.operand.as_text());
                texts.is_some_and(|(value, prefix)| value.starts_with(prefix))
            }
            Comparison::Exists => (*value != IndexValue::ABSENT) == self.is_existing(),
        }
    }

    /// Where the matching values stand in the encoded order: one range, or two for
    /// [`Comparison::Ne`]; disjoint and ascending. A key is an encoded value, whatever follows it.
    #[must_use]
    pub fn key_ranges(&self) -> Vec<KeyRange> {
        let at = self.operand.encode();
        let after = successor(&at);
        let (class_start, class_end) = class_range(self.operand.class());
        let range = |start: Vec<u8>, end: Vec<u8>| KeyRange { start, end };
        match self.comparison {
            Comparison::Eq => vec![range(at, after)],
            Comparison::Ne => vec![range(vec![ABSENT], at), range(after, vec![OTHER + 1])],
            Comparison::Gt => vec![range(after, class_end)],
            Comparison::Ge => vec![range(at, class_end)],
            Comparison::Lt => vec![range(class_start, at)],
            Comparison::Le => vec![range(class_start, after)],
            Comparison::Prefix => {
                let mut start = Vec::new();
                text_start(self.operand.as_text().unwrap_or_default(), &mut start);
                let end = successor(&start);
                vec![range(start, end)]
            }
            Comparison::Exists if self.is_existing() => {
                vec![range(vec![ABSENT + 1], vec![OTHER + 1])]
            }
            Comparison::Exists => vec![range(vec![ABSENT], vec![ABSENT + 1])],
        }
    }

    fn is_existing(&self) -> bool {
        self.operand == IndexValue::boolean(true)
    }
}

const fn is_ordered(class: IndexClass) -> bool {
    matches!(
        class,
        IndexClass::Boolean | IndexClass::Number | IndexClass::Text
    )
}

fn class_range(class: IndexClass) -> (Vec<u8>, Vec<u8>) {
    let (start, end) = match class {
        IndexClass::Boolean => BOOLEAN_RANGE,
        IndexClass::Number => (NUMBER, NUMBER + 1),
        IndexClass::Text => (TEXT, TEXT + 1),
        // No ordered comparison is made with these.
        IndexClass::Absent | IndexClass::Null | IndexClass::Other => (OTHER + 1, OTHER + 1),
    };
    (vec![start], vec![end])
}

/// The least key that doesn't start with these bytes and is greater. The first byte is a tag,
/// so there always is one.
fn successor(bytes: &[u8]) -> Vec<u8> {
    let mut next = bytes.to_vec();
    while next.last() == Some(&0xFF) {
        next.pop();
    }
    if let Some(last) = next.last_mut() {
        *last += 1;
    }
    next
}

/// The comparison in front, if there is one.
fn split_comparison(text: &str) -> (Comparison, &str) {
    let named = text.split_once(':').and_then(|(name, operand)| {
        let comparison = Comparison::ALL
            .into_iter()
            .find(|known| known.name() == name)?;
        Some((comparison, operand))
    });
    named.unwrap_or((Comparison::Eq, text))
}

fn typed(text: &str, value_type: ValueType) -> Result<IndexValue, FilterError> {
    match value_type {
        ValueType::String => Ok(IndexValue::text(text)?),
        ValueType::Number | ValueType::Boolean if text == "null" => Ok(IndexValue::NULL),
        ValueType::Boolean => boolean(text),
        ValueType::Number => match by_shape(text)? {
            number if number.class() == IndexClass::Number => Ok(number),
            _ => Err(FilterError::Type {
                expected: "a number",
                value: text.to_owned(),
            }),
        },
        ValueType::Any => by_shape(text),
    }
}

fn boolean(text: &str) -> Result<IndexValue, FilterError> {
    match text {
        "true" => Ok(IndexValue::boolean(true)),
        "false" => Ok(IndexValue::boolean(false)),
        _ => Err(FilterError::Type {
            expected: "true or false",
            value: text.to_owned(),
        }),
    }
}

fn by_shape(text: &str) -> Result<IndexValue, FilterError> {
    match text {
        "null" => return Ok(IndexValue::NULL),
        "true" | "false" => return boolean(text),
        _ => {}
    }
    match text.parse::<Decimal>() {
        Ok(number) => Ok(IndexValue::number(number)?),
        Err(DecimalError::ExponentTooLarge) => Err(IndexValueTooLarge::Exponent.into()),
        Err(DecimalError::Malformed) => Ok(IndexValue::text(&unquoted(text))?),
    }
}

/// What a JSON string says; any other text as it is.
fn unquoted(text: &str) -> String {
    match json::parse(text.as_bytes(), json::Limits::with_depth(0)) {
        Ok(Value::String(inside)) => inside,
        _ => text.to_owned(),
    }
}
