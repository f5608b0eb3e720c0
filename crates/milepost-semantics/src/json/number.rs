//! The number grammar (RFC 8259 §6): where a number ends, or that it is none.
//!
//! The value is not looked at: a number stays its text.

/// The end of the number that starts at `start`; `Err` with the offset of what cannot be part of a
/// number.
pub(super) fn number_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let mut at = start;
    if bytes.get(at) == Some(&b'-') {
        at += 1;
    }
    at = match bytes.get(at) {
        Some(b'0') => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        at += 1;
        if matches!(bytes.get(at), Some(b'+' | b'-')) {
            at += 1;
        }
        at = digits_end(bytes, at)?;
    }
    // `01`, `1.2.3`, `0x1f`, `1_000`: one bad number, not a number and something.
    match bytes.get(at) {
        Some(byte) if byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'+' | b'-') => {
            Err(at)
        }
        _ => Ok(at),
    }
}

/// The end of one or more digits.
fn digits_end(bytes: &[u8], start: usize) -> Result<usize, usize> {
    let rest = bytes.get(start..).unwrap_or_default();
    let count = rest
        .iter()
        .position(|byte| !byte.is_ascii_digit())
        .unwrap_or(rest.len());
    if count == 0 {
        Err(start)
    } else {
        Ok(start + count)
    }
}
