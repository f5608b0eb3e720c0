//! Index values: what a declared index stands for in one resource, with a total and exact order.
//!
//! The order is absent < null < false < true < numbers < texts < everything else. Numbers are
//! ordered by value, exactly, at any size; texts by code point. [`IndexValue::encode`] writes a
//! value so that comparing bytes compares values, which is all a store has to know. Encoded values
//! are prefix-free, so a store may append a resource's id to one.
//!
//! What is too large to be compared exactly is refused with a reason, never rounded or cut: a
//! filter that silently misses a resource is worse than a write that is told why.

mod decode;
mod encode;
mod filter;

use std::fmt;

use serde_json::Value;

pub use decode::MalformedIndexKey;
pub use filter::{Comparison, Filter, FilterError, KeyRange, ValueType};

use crate::decimal::{Decimal, DecimalError};

/// The longest text that can be indexed, in bytes of UTF-8.
pub const TEXT_BYTES_MAX: usize = 512;

/// The most significant digits of a number that can be indexed.
pub const NUMBER_DIGITS_MAX: usize = 400;

/// The value of an index in one resource. Ordered as the module says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexValue(Kind);

/// What can be indexed; made only by the constructors, which know the limits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Kind {
    Absent,
    Null,
    Boolean(bool),
    Number(Decimal),
    Text(String),
    Other,
}

/// Values that have an order among each other; ordered comparisons stay within one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum IndexClass {
    /// The resource has nothing at the pointer.
    Absent,
    /// `null`.
    Null,
    /// `false` and `true`.
    Boolean,
    /// Numbers.
    Number,
    /// Strings.
    Text,
    /// Arrays and objects: only that they are there.
    Other,
}

/// A value that cannot be indexed: the write (or the filter) is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IndexValueTooLarge {
    /// A text over [`TEXT_BYTES_MAX`].
    #[error("a text of {bytes} bytes cannot be indexed, at most {TEXT_BYTES_MAX} can")]
    Text {
        /// Its bytes.
        bytes: usize,
    },
    /// A number with more than [`NUMBER_DIGITS_MAX`] significant digits.
    #[error("a number of {digits} digits cannot be indexed, at most {NUMBER_DIGITS_MAX} can")]
    Digits {
        /// Its significant digits.
        digits: usize,
    },
    /// A number with an exponent beyond 32 bits.
    #[error("a number with an exponent beyond 32 bits cannot be indexed")]
    Exponent,
}

impl IndexValue {
    /// The value of a member, `None` when it isn't there.
    ///
    /// # Errors
    /// [`IndexValueTooLarge`] when it cannot be compared exactly.
    pub fn from_json(value: Option<&Value>) -> Result<Self, IndexValueTooLarge> {
        match value {
            None => Ok(Self::ABSENT),
            Some(Value::Null) => Ok(Self::NULL),
            Some(Value::Bool(value)) => Ok(Self::boolean(*value)),
            Some(Value::Number(number)) => Self::number_text(number.as_str()),
            Some(Value::String(text)) => Self::text(text),
            Some(Value::Array(_) | Value::Object(_)) => Ok(Self::OTHER),
        }
    }

    /// Nothing is there.
    pub const ABSENT: Self = Self(Kind::Absent);

    /// `null`.
    pub const NULL: Self = Self(Kind::Null);

    /// An array or an object.
    pub const OTHER: Self = Self(Kind::Other);

    /// `false` or `true`.
    #[must_use]
    pub const fn boolean(value: bool) -> Self {
        Self(Kind::Boolean(value))
    }

    /// A number.
    ///
    /// # Errors
    /// [`IndexValueTooLarge`] when it has too many digits or too large an exponent.
    pub fn number(number: Decimal) -> Result<Self, IndexValueTooLarge> {
        if i32::try_from(number.exponent()).is_err() {
            return Err(IndexValueTooLarge::Exponent);
        }
        let digits = number.digits().len();
        if digits > NUMBER_DIGITS_MAX {
            return Err(IndexValueTooLarge::Digits { digits });
        }
        Ok(Self(Kind::Number(number)))
    }

    /// A text.
    ///
    /// # Errors
    /// [`IndexValueTooLarge::Text`] when it has more than [`TEXT_BYTES_MAX`] bytes.
    pub fn text(text: &str) -> Result<Self, IndexValueTooLarge> {
        if text.len() > TEXT_BYTES_MAX {
            return Err(IndexValueTooLarge::Text { bytes: text.len() });
        }
        Ok(Self(Kind::Text(text.to_owned())))
    }

    /// Which values it can be ordered with.
    #[must_use]
    pub const fn class(&self) -> IndexClass {
        match &self.0 {
            Kind::Absent => IndexClass::Absent,
            Kind::Null => IndexClass::Null,
            Kind::Boolean(_) => IndexClass::Boolean,
            Kind::Number(_) => IndexClass::Number,
            Kind::Text(_) => IndexClass::Text,
            Kind::Other => IndexClass::Other,
        }
    }

    /// The text, of a text.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match &self.0 {
            Kind::Text(text) => Some(text),
            Kind::Absent | Kind::Null | Kind::Boolean(_) | Kind::Number(_) | Kind::Other => None,
        }
    }

    /// The number, of a number.
    #[must_use]
    pub const fn as_number(&self) -> Option<&Decimal> {
        match &self.0 {
            Kind::Number(number) => Some(number),
            Kind::Absent | Kind::Null | Kind::Boolean(_) | Kind::Text(_) | Kind::Other => None,
        }
    }

    /// Bytes that compare as the values do (`memcmp`), at most 1,027 of them (a text of zeros). Prefix-free.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(16);
        self.encode_into(&mut bytes);
        bytes
    }

    /// Appends what [`IndexValue::encode`] gives.
    pub fn encode_into(&self, bytes: &mut Vec<u8>) {
        encode::value(&self.0, bytes);
    }

    /// The value of exactly these bytes.
    ///
    /// # Errors
    /// When they are not what [`IndexValue::encode`] writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, MalformedIndexKey> {
        match Self::split_first(bytes)? {
            (value, []) => Ok(value),
            _ => Err(MalformedIndexKey),
        }
    }

    /// The value at the start of the bytes, and what follows it.
    ///
    /// # Errors
    /// When they don't start with what [`IndexValue::encode`] writes.
    pub fn split_first(bytes: &[u8]) -> Result<(Self, &[u8]), MalformedIndexKey> {
        decode::split_first(bytes)
    }

    fn number_text(text: &str) -> Result<Self, IndexValueTooLarge> {
        match text.parse() {
            Ok(number) => Self::number(number),
            // The text of a JSON number can only fail by its exponent.
            Err(DecimalError::ExponentTooLarge | DecimalError::Malformed) => {
                Err(IndexValueTooLarge::Exponent)
            }
        }
    }
}

impl fmt::Display for IndexValue {
    /// Writes the value as JSON; `absent` and `{…}` for what has none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Kind::Absent => f.write_str("absent"),
            Kind::Null => f.write_str("null"),
            Kind::Boolean(value) => write!(f, "{value}"),
            Kind::Number(number) => write!(f, "{number}"),
            Kind::Text(text) => write!(f, "{}", Value::String(text.clone())),
            Kind::Other => f.write_str("{…}"),
        }
    }
}
