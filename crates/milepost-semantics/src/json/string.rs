//! Strings (RFC 8259 §7): plain runs are copied whole, escapes one by one.

use super::error::{Fault, JsonErrorKind};
use super::scan::plain_run_end;

/// The string whose opening quote stands just before `start`, and the offset behind its closing
/// quote.
pub(super) fn string(text: &str, start: usize) -> Result<(String, usize), Fault> {
    let bytes = text.as_bytes();
    let end = plain_run_end(bytes, start);
    let run = text.get(start..end).unwrap_or_default();
    if bytes.get(end) == Some(&b'"') {
        return Ok((run.to_owned(), end + 1));
    }
    let mut value = run.to_owned();
    let mut at = end;
    loop {
        match bytes.get(at) {
            Some(b'"') => return Ok((value, at + 1)),
            Some(b'\\') => {
                let (character, after) = escape(bytes, at)?;
                value.push(character);
                at = after;
            }
            Some(control) => {
                let found = format!("U+{control:04X}");
                return Err(Fault::at(JsonErrorKind::ControlCharacter, at).found(found));
            }
            None => return Err(Fault::at(JsonErrorKind::UnexpectedEnd, at)),
        }
        let run_end = plain_run_end(bytes, at);
        value.push_str(text.get(at..run_end).unwrap_or_default());
        at = run_end;
    }
}

/// The character of the escape whose backslash stands at `at`, and the offset behind it.
fn escape(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let plain = match bytes.get(at + 1) {
        Some(b'"') => '"',
        Some(b'\\') => '\\',
        Some(b'/') => '/',
        Some(b'b') => '\u{8}',
        Some(b'f') => '\u{C}',
        Some(b'n') => '\n',
        Some(b'r') => '\r',
        Some(b't') => '\t',
        Some(b'u') => return unicode_escape(bytes, at),
        Some(_) => return Err(Fault::at(JsonErrorKind::InvalidEscape, at)),
        None => return Err(Fault::at(JsonErrorKind::UnexpectedEnd, at + 1)),
    };
    Ok((plain, at + 2))
}

fn unicode_escape(bytes: &[u8], at: usize) -> Result<(char, usize), Fault> {
    let unit = hex_unit(bytes, at)?;
    let is_pair = (0xD800..=0xDBFF).contains(&unit) && bytes.get(at + 6) == Some(&b'\\');
    if is_pair && bytes.get(at + 7) == Some(&b'u') {
        let low = hex_unit(bytes, at + 6)?;
        if (0xDC00..=0xDFFF).contains(&low) {
            let scalar = 0x1_0000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
            return char::from_u32(scalar)
                .map(|character| (character, at + 12))
                .ok_or_else(|| Fault::at(JsonErrorKind::LoneSurrogate, at));
        }
    }
    // A surrogate alone is no `char`.
    char::from_u32(unit)
        .map(|character| (character, at + 6))
        .ok_or_else(|| Fault::at(JsonErrorKind::LoneSurrogate, at).found(format!("\\u{unit:04X}")))
}

/// The four hexadecimal digits of `\uXXXX` at `at`.
fn hex_unit(bytes: &[u8], at: usize) -> Result<u32, Fault> {
    let mut unit = 0;
    for offset in at + 2..at + 6 {
        let byte = bytes.get(offset);
        let byte = byte.ok_or_else(|| Fault::at(JsonErrorKind::UnexpectedEnd, bytes.len()))?;
        let digit = char::from(*byte).to_digit(16);
        unit = unit * 16 + digit.ok_or_else(|| Fault::at(JsonErrorKind::InvalidEscape, at))?;
    }
    Ok(unit)
}
