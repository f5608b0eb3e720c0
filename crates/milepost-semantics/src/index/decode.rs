//! Reading encoded index values back, strictly: one value has one encoding.

use super::encode::{
    ABSENT, EXPONENT_BIAS, FALSE, NEGATIVE, NULL, NUMBER, OTHER, POSITIVE, TEXT, TEXT_END,
    TEXT_ZERO, TRUE, ZERO,
};
use super::{IndexValue, Kind};
use crate::decimal::Decimal;

/// The bytes are no encoded index value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("these bytes are no index value")]
pub struct MalformedIndexKey;

pub(super) fn split_first(bytes: &[u8]) -> Result<(IndexValue, &[u8]), MalformedIndexKey> {
    let (tag, rest) = bytes.split_first().ok_or(MalformedIndexKey)?;
    let value = match *tag {
        ABSENT => Kind::Absent,
        NULL => Kind::Null,
        FALSE => Kind::Boolean(false),
        TRUE => Kind::Boolean(true),
        OTHER => Kind::Other,
        NUMBER => return number(rest).ok_or(MalformedIndexKey),
        TEXT => return text(rest).ok_or(MalformedIndexKey),
        _ => return Err(MalformedIndexKey),
    };
    Ok((IndexValue(value), rest))
}

fn number(bytes: &[u8]) -> Option<(IndexValue, &[u8])> {
    let (sign, rest) = bytes.split_first()?;
    let (mask, negative) = match *sign {
        ZERO => return Some((IndexValue(Kind::Number(Decimal::zero())), rest)),
        NEGATIVE => (0xFF, true),
        POSITIVE => (0, false),
        _ => return None,
    };
    let (exponent, rest) = rest.split_first_chunk::<4>()?;
    let exponent = exponent.map(|byte| byte ^ mask);
    let exponent = (u32::from_be_bytes(exponent) ^ EXPONENT_BIAS).cast_signed();
    let end = rest.iter().position(|byte| byte ^ mask == 0)?;
    let (pairs, rest) = rest.split_at_checked(end)?;
    let mut digits = Vec::with_capacity(pairs.len() * 2);
    for byte in pairs {
        let pair = (byte ^ mask) - 1;
        if pair > 99 {
            return None;
        }
        digits.extend([pair / 10, pair % 10]);
    }
    let is_normal = digits.first()? != &0 && pairs.last()? ^ mask != 1;
    let number = Decimal::from_parts(negative, i64::from(exponent), &digits)?;
    let value = IndexValue::number(number).ok()?;
    is_normal.then_some((value, rest.get(1..)?))
}

fn text(bytes: &[u8]) -> Option<(IndexValue, &[u8])> {
    let mut text = Vec::new();
    let mut rest = bytes;
    loop {
        let (plain, from_zero) = rest.split_at_checked(rest.iter().position(|byte| *byte == 0)?)?;
        text.extend_from_slice(plain);
        let (mark, after) = from_zero.split_first_chunk::<2>()?;
        rest = after;
        match *mark {
            TEXT_ZERO => text.push(0),
            TEXT_END => break,
            _ => return None,
        }
    }
    let text = String::from_utf8(text).ok()?;
    Some((IndexValue::text(&text).ok()?, rest))
}
