//! Writing index values so that bytes compare as values do.
//!
//! | class | bytes |
//! |---|---|
//! | absent, null, false, true, other | one tag byte |
//! | number | tag, sign; unless zero: exponent (4 bytes, biased, big-endian), digits by pairs plus one, a zero byte; all after the sign complemented for negative numbers |
//! | text | tag, UTF-8 with each zero byte as `00 FF`, then `00 01` |
//!
//! The layout is stored: changing it needs a new format version of the store.

use super::Kind;
use crate::decimal::Decimal;

pub(super) const ABSENT: u8 = 0x10;
pub(super) const NULL: u8 = 0x20;
pub(super) const FALSE: u8 = 0x30;
pub(super) const TRUE: u8 = 0x31;
pub(super) const NUMBER: u8 = 0x40;
pub(super) const TEXT: u8 = 0x50;
pub(super) const OTHER: u8 = 0x60;

/// Where booleans stand: start inclusive, end exclusive.
pub(super) const BOOLEAN_RANGE: (u8, u8) = (FALSE, TRUE + 1);

pub(super) const NEGATIVE: u8 = 0;
pub(super) const ZERO: u8 = 1;
pub(super) const POSITIVE: u8 = 2;

/// Flips the sign bit, so that two's complement numbers order as unsigned ones.
pub(super) const EXPONENT_BIAS: u32 = 0x8000_0000;

pub(super) const TEXT_ZERO: [u8; 2] = [0x00, 0xFF];
pub(super) const TEXT_END: [u8; 2] = [0x00, 0x01];

pub(super) fn value(kind: &Kind, bytes: &mut Vec<u8>) {
    match kind {
        Kind::Absent => bytes.push(ABSENT),
        Kind::Null => bytes.push(NULL),
        Kind::Boolean(false) => bytes.push(FALSE),
        Kind::Boolean(true) => bytes.push(TRUE),
        Kind::Number(value) => number(value, bytes),
        Kind::Text(value) => {
            text_start(value, bytes);
            bytes.extend_from_slice(&TEXT_END);
        }
        Kind::Other => bytes.push(OTHER),
    }
}

/// A text without its end: what all texts that start with it start with.
pub(super) fn text_start(text: &str, bytes: &mut Vec<u8>) {
    bytes.push(TEXT);
    for byte in text.bytes() {
        match byte {
            0 => bytes.extend_from_slice(&TEXT_ZERO),
            _ => bytes.push(byte),
        }
    }
}

fn number(number: &Decimal, bytes: &mut Vec<u8>) {
    bytes.push(NUMBER);
    if number.is_zero() {
        bytes.push(ZERO);
        return;
    }
    bytes.push(if number.is_negative() {
        NEGATIVE
    } else {
        POSITIVE
    });
    let start = bytes.len();
    // The constructors let no other exponent in.
    let exponent = i32::try_from(number.exponent()).unwrap_or(i32::MAX);
    bytes.extend_from_slice(&(exponent.cast_unsigned() ^ EXPONENT_BIAS).to_be_bytes());
    let pair = |digits: &[u8]| match digits {
        [high, low] => high * 10 + low + 1,
        [high] => high * 10 + 1,
        _ => 1,
    };
    bytes.extend(number.digits().chunks(2).map(pair));
    bytes.push(0);
    if number.is_negative() {
        bytes.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
    }
}
