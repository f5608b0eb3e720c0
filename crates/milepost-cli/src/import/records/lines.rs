//! NDJSON: one JSON document a line (also called JSON Lines). Blank lines are passed over.

use std::io::{BufRead, Read as _};

use super::{BYTE_ORDER_MARK, Fault, RECORD_BYTES_MAX, Record, Records};

/// Records that stand one on each line.
#[derive(Debug)]
pub(crate) struct Lines<R> {
    input: R,
    line: u64,
    is_over: bool,
}

impl<R: BufRead> Lines<R> {
    /// The records of this input.
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            line: 0,
            is_over: false,
        }
    }

    fn read_line(&mut self) -> std::io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(RECORD_BYTES_MAX).unwrap_or(u64::MAX);
        self.input
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut bytes)?;
        self.line += 1;
        Ok(bytes)
    }

    /// Passes over the rest of a line that is too long to keep.
    fn too_long(&mut self) -> Fault {
        let line = self.line;
        match self.input.skip_until(b'\n') {
            Ok(_) => Fault::Malformed {
                line,
                detail: format!("the line is longer than {RECORD_BYTES_MAX} bytes"),
            },
            Err(error) => self.unreadable(error),
        }
    }

    fn unreadable(&mut self, error: std::io::Error) -> Fault {
        self.is_over = true;
        Fault::Unreadable(error)
    }
}

impl<R: BufRead> Records for Lines<R> {
    fn advance(&mut self) -> Option<Result<Record, Fault>> {
        while !self.is_over {
            let bytes = match self.read_line() {
                Ok(bytes) => bytes,
                Err(error) => return Some(Err(self.unreadable(error))),
            };
            if bytes.is_empty() {
                self.is_over = true;
            }
            if bytes.len() == RECORD_BYTES_MAX && !bytes.ends_with(b"\n") {
                return Some(Err(self.too_long()));
            }
            let text = match bytes.strip_prefix(BYTE_ORDER_MARK) {
                Some(rest) if self.line == 1 => rest,
                _ => &bytes,
            };
            let text = text.trim_ascii();
            if !text.is_empty() {
                return Some(Ok(Record {
                    line: self.line,
                    bytes: text.to_vec(),
                }));
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::transcript, *};

    #[test]
    fn blank_lines_carriage_returns_and_a_byte_order_mark_are_no_records() {
        let text = "\u{feff}{\"a\":1}\r\n\r\n  \n{\"b\":2}";
        assert_eq!(
            transcript(Lines::new(text.as_bytes())),
            ["1: {\"a\":1}", "4: {\"b\":2}"]
        );
    }

    #[test]
    fn an_empty_input_has_no_records() {
        assert!(transcript(Lines::new(&b""[..])).is_empty());
    }

    #[test]
    fn a_line_without_end_is_refused_and_the_next_one_is_read() {
        let mut text = vec![b'x'; RECORD_BYTES_MAX + 10];
        text.extend_from_slice(b"\n{}\n");
        let found = transcript(Lines::new(&text[..]));
        assert_eq!(found.len(), 2);
        assert!(
            found[0].starts_with("1! the line is longer"),
            "{}",
            found[0]
        );
        assert_eq!(found[1], "2: {}");
    }
}
