//! Money: whole cents of a currency. No fractions, no conversion, no rounding.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Hundredths of a currency's unit, below zero where something is owed.
pub type Cents = i64;

/// The most that one transfer moves: a slip of the finger is not to move more.
pub const AMOUNT_CENTS_MAX: Cents = 100_000_000_000;

/// The furthest that a balance may be from zero: what every JSON parser reads exactly (RFC 7493 §2.2).
pub const BALANCE_CENTS_MAX: Cents = (1 << 53) - 1;

/// A currency's code: three capital letters (ISO 4217).
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency(String);

/// The text is no currency's code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a currency's code of three capital letters, such as \"EUR\"")]
pub struct NoCurrency;

impl FromStr for Currency {
    type Err = NoCurrency;

    fn from_str(text: &str) -> Result<Self, NoCurrency> {
        let is_code = text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_uppercase());
        is_code.then(|| Self(text.to_owned())).ok_or(NoCurrency)
    }
}

impl TryFrom<String> for Currency {
    type Error = NoCurrency;

    fn try_from(text: String) -> Result<Self, NoCurrency> {
        text.parse()
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.0
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An amount as people read it: `-12.05 EUR`.
#[derive(Clone, Copy, Debug)]
pub struct Money<'c>(pub Cents, pub &'c Currency);

impl fmt::Display for Money<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(cents, currency) = self;
        let sign = if *cents < 0 { "-" } else { "" };
        let cents = cents.unsigned_abs();
        write!(f, "{sign}{}.{:02} {currency}", cents / 100, cents % 100)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_amount_is_shown_to_the_cent() {
        let eur: Currency = "EUR".parse().unwrap();
        for (cents, shown) in [
            (0, "0.00 EUR"),
            (5, "0.05 EUR"),
            (-5, "-0.05 EUR"),
            (-1_205, "-12.05 EUR"),
            (Cents::MIN, "-92233720368547758.08 EUR"),
        ] {
            assert_eq!(Money(cents, &eur).to_string(), shown);
        }
    }

    #[test]
    fn what_is_no_code_is_no_currency() {
        for text in ["", "EU", "EURO", "eur", "€UR", "E R"] {
            assert!(text.parse::<Currency>().is_err(), "{text:?}");
        }
    }
}
