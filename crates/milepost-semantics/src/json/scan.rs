//! Finding the end of a plain run in a string, eight bytes at a time.
//!
//! Knows bytes only; what the byte found means is the string parser's.

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH: u64 = 0x8080_8080_8080_8080;

/// The first offset at or after `start` of a double quote, a backslash or a control character;
/// the length when there is none.
pub(super) fn plain_run_end(bytes: &[u8], start: usize) -> usize {
    let mut offset = start;
    let tail = bytes.get(start..).unwrap_or_default();
    let (words, _) = tail.as_chunks::<8>();
    for word in words {
        let marks = special_bytes(u64::from_le_bytes(*word));
        if marks != 0 {
            return offset + usize::try_from(marks.trailing_zeros() / 8).unwrap_or_default();
        }
        offset += 8;
    }
    let rest = bytes.get(offset..).unwrap_or_default();
    let end = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1F));
    offset + end.unwrap_or(rest.len())
}

/// A word whose lowest set bit is the high bit of the first special byte; zero when there is none.
/// (Bytes above the first special one may be marked wrongly by a borrow; nobody looks at them.)
fn special_bytes(word: u64) -> u64 {
    let quote = word ^ (ONES * 0x22);
    let backslash = word ^ (ONES * 0x5C);
    let below_space = word.wrapping_sub(ONES * 0x20) & !word;
    let is_quote = quote.wrapping_sub(ONES) & !quote;
    let is_backslash = backslash.wrapping_sub(ONES) & !backslash;
    (below_space | is_quote | is_backslash) & HIGH
}

#[cfg(test)]
mod tests {
    use super::plain_run_end;

    fn check(filler: u8, byte: u8, at: usize) {
        let mut run = vec![filler; 20];
        run[at] = byte;
        let is_special = byte == b'"' || byte == b'\\' || byte < 0x20;
        let expected = if is_special { at } else { 20 };
        assert_eq!(plain_run_end(&run, 0), expected, "{byte:#x} at {at}");
        assert_eq!(
            plain_run_end(&run, 3.min(at)),
            expected,
            "{byte:#x} at {at}"
        );
    }

    #[test]
    fn every_special_byte_is_found_at_every_offset_and_no_other_byte_is() {
        for filler in [b'a', 0x20, 0x7F, 0x80, 0xA2, 0xDC, 0xFF] {
            for byte in 0..=u8::MAX {
                (0..20).for_each(|at| check(filler, byte, at));
            }
        }
    }
}
