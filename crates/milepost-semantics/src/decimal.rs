//! Exact decimal numbers: the value of a JSON number's text, of any size and precision.
//!
//! Made to be compared, ordered and indexed, never computed with: there is no arithmetic, so there
//! is nothing to round.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// An exact decimal number in normal form, so that equal numbers are equal values: `1`, `1.0` and
/// `1e0` are one, and `-0` is `0`.
///
/// The value is 0.d₁d₂d₃… × 10^exponent with d₁ ≠ 0 and the last digit ≠ 0; zero has no digits and
/// exponent 0.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Decimal {
    negative: bool,
    exponent: i64,
    /// Each 0–9.
    digits: Vec<u8>,
}

/// The text is no number that can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecimalError {
    /// It doesn't follow the grammar of JSON numbers (RFC 8259 §6).
    #[error("this is no JSON number")]
    Malformed,
    /// Its exponent is beyond 64 bits.
    #[error("the number's exponent is beyond what can be compared exactly")]
    ExponentTooLarge,
}

impl Decimal {
    /// Zero.
    #[must_use]
    pub const fn zero() -> Self {
        Self {
            negative: false,
            exponent: 0,
            digits: Vec::new(),
        }
    }

    /// From normal-form parts; leading and trailing zeros are taken off the digits (each 0–9).
    /// `None` when that moves the exponent out of range.
    pub(crate) fn from_parts(negative: bool, exponent: i64, digits: &[u8]) -> Option<Self> {
        let Some(first) = digits.iter().position(|digit| *digit != 0) else {
            return Some(Self::zero());
        };
        let end = digits.iter().rposition(|digit| *digit != 0)? + 1;
        let exponent = exponent.checked_sub(i64::try_from(first).ok()?)?;
        Some(Self {
            negative,
            exponent,
            digits: digits.get(first..end)?.to_vec(),
        })
    }

    /// Whether the number is below zero.
    #[must_use]
    pub const fn is_negative(&self) -> bool {
        self.negative
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.digits.is_empty()
    }

    /// The power of ten of the normal form: 1 for numbers from 1 to below 10.
    #[must_use]
    pub const fn exponent(&self) -> i64 {
        self.exponent
    }

    /// The significant digits, each 0–9, the first and the last not 0; none for zero.
    #[must_use]
    pub fn digits(&self) -> &[u8] {
        &self.digits
    }

    fn magnitude_cmp(&self, other: &Self) -> Ordering {
        self.exponent
            .cmp(&other.exponent)
            .then_with(|| self.digits.cmp(&other.digits))
    }

    fn signum(&self) -> i8 {
        match (self.is_zero(), self.negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        }
    }
}

impl FromStr for Decimal {
    type Err = DecimalError;

    /// Reads exactly the grammar of JSON numbers.
    fn from_str(text: &str) -> Result<Self, DecimalError> {
        let (negative, magnitude) = match text.strip_prefix('-') {
            Some(magnitude) => (true, magnitude),
            None => (false, text),
        };
        let (mantissa, exponent) = match magnitude.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (magnitude, None),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let is_whole = is_digits(whole) && (whole == "0" || !whole.starts_with('0'));
        if !is_whole || !fraction.is_none_or(is_digits) {
            return Err(DecimalError::Malformed);
        }
        let power = exponent.map_or(Ok(Some(0)), parse_exponent)?;
        let texts = [whole, fraction.unwrap_or_default()];
        let digits: Vec<u8> = texts
            .iter()
            .flat_map(|part| part.bytes())
            .map(|b| b - b'0')
            .collect();
        if digits.iter().all(|digit| *digit == 0) {
            return Ok(Self::zero());
        }
        let whole_digits = i64::try_from(whole.len()).ok();
        let exponent = power
            .zip(whole_digits)
            .and_then(|(power, whole)| power.checked_add(whole));
        exponent
            .and_then(|exponent| Self::from_parts(negative, exponent, &digits))
            .ok_or(DecimalError::ExponentTooLarge)
    }
}

/// The exponent of a number; `Ok(None)` when it is well-formed but beyond 64 bits.
fn parse_exponent(text: &str) -> Result<Option<i64>, DecimalError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if is_digits(digits) {
        Ok(text.parse().ok())
    } else {
        Err(DecimalError::Malformed)
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        self.signum().cmp(&other.signum()).then_with(|| {
            if self.negative {
                other.magnitude_cmp(self)
            } else {
                self.magnitude_cmp(other)
            }
        })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Decimal {
    /// Writes a JSON number of this value: plain up to 21 places, with an exponent beyond.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_zero() {
            return f.write_str("0");
        }
        if self.negative {
            f.write_str("-")?;
        }
        let digits: String = self
            .digits
            .iter()
            .map(|digit| char::from(b'0' + digit))
            .collect();
        match usize::try_from(self.exponent) {
            Ok(places @ 1..=21) => write_plain(f, &digits, places),
            _ if (-5..=0).contains(&self.exponent) => {
                let zeros = usize::try_from(-self.exponent).unwrap_or_default();
                write!(f, "0.{}{digits}", "0".repeat(zeros))
            }
            _ => write_scientific(f, &digits, i128::from(self.exponent) - 1),
        }
    }
}

fn write_plain(f: &mut fmt::Formatter<'_>, digits: &str, places: usize) -> fmt::Result {
    match digits.split_at_checked(places) {
        Some((whole, "")) => f.write_str(whole),
        Some((whole, fraction)) => write!(f, "{whole}.{fraction}"),
        None => write!(f, "{digits:0<places$}"),
    }
}

fn write_scientific(f: &mut fmt::Formatter<'_>, digits: &str, power: i128) -> fmt::Result {
    match digits.split_at_checked(1) {
        Some((first, rest)) if !rest.is_empty() => write!(f, "{first}.{rest}e{power}"),
        _ => write!(f, "{digits}e{power}"),
    }
}
