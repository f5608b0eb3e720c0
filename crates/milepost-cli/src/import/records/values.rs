//! A JSON array, or documents one after the other: told apart without reading them whole.
//!
//! Only nesting and strings are looked at; whether a document is well-formed is found out when it
//! is parsed. So a bad one in the middle has its line number, and the next ones can still be read.

use std::io::{self, BufRead};

use super::{BYTE_ORDER_MARK, Fault, RECORD_BYTES_MAX, Record, Records};

/// Records that are elements of one array, or top-level documents.
#[derive(Debug)]
pub(crate) struct Values<R> {
    input: R,
    line: u64,
    place: Place,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    Start,
    /// Between `[` and the first element.
    ArrayStart,
    /// After an element.
    AfterElement,
    /// After the `]` of the array.
    AfterArray,
    /// Between documents that stand one after the other.
    Between,
    End,
}

impl<R: BufRead> Values<R> {
    /// The records of this input.
    pub(crate) fn new(input: R) -> Self {
        Self {
            input,
            line: 1,
            place: Place::Start,
        }
    }

    fn peek(&mut self) -> io::Result<Option<u8>> {
        Ok(self.input.fill_buf()?.first().copied())
    }

    fn take(&mut self, byte: u8) {
        self.input.consume(1);
        self.line += u64::from(byte == b'\n');
    }

    /// The next byte that is no white space, left in place.
    fn peek_text(&mut self) -> io::Result<Option<u8>> {
        while let Some(byte) = self.peek()? {
            if !byte.is_ascii_whitespace() {
                return Ok(Some(byte));
            }
            self.take(byte);
        }
        Ok(None)
    }

    fn skip_byte_order_mark(&mut self) -> io::Result<()> {
        if self.input.fill_buf()?.starts_with(BYTE_ORDER_MARK) {
            self.input.consume(BYTE_ORDER_MARK.len());
        }
        Ok(())
    }

    /// Goes to the start of the next record. `Ok(false)`: there is none.
    fn find_next(&mut self) -> Result<bool, Fault> {
        loop {
            if self.place == Place::Start {
                self.skip_byte_order_mark().map_err(Fault::Unreadable)?;
            }
            let next = self.peek_text().map_err(Fault::Unreadable)?;
            match (self.place, next) {
                (Place::End, _) | (Place::Start | Place::Between | Place::AfterArray, None) => {
                    return Ok(false);
                }
                (Place::AfterArray, Some(_)) => {
                    return Err(self.broken("something follows the array"));
                }
                (Place::Start, Some(b'[')) => {
                    self.take(b'[');
                    self.place = Place::ArrayStart;
                }
                (Place::Start | Place::Between, Some(_)) => {
                    self.place = Place::Between;
                    return Ok(true);
                }
                (Place::ArrayStart | Place::AfterElement, None) => {
                    return Err(self.broken("the array is not closed"));
                }
                (Place::ArrayStart | Place::AfterElement, Some(b']')) => {
                    self.take(b']');
                    self.place = Place::AfterArray;
                }
                (Place::ArrayStart, Some(_)) => return Ok(true),
                (Place::AfterElement, Some(b',')) => {
                    self.take(b',');
                    return self.expect_element();
                }
                (Place::AfterElement, Some(_)) => {
                    return Err(self.broken("elements of an array are separated by commas"));
                }
            }
        }
    }

    fn expect_element(&mut self) -> Result<bool, Fault> {
        match self.peek_text().map_err(Fault::Unreadable)? {
            None => Err(self.broken("the array is not closed")),
            Some(b']' | b',') => Err(self.broken("an element is missing")),
            Some(_) => Ok(true),
        }
    }

    fn broken(&self, detail: &str) -> Fault {
        Fault::Broken {
            line: self.line,
            detail: detail.to_owned(),
        }
    }

    /// Reads from a document's first byte to its last.
    fn read_document(&mut self) -> Result<Record, Fault> {
        let line = self.line;
        let mut scan = Scan::default();
        let mut bytes = Vec::new();
        while let Some(byte) = self.peek().map_err(Fault::Unreadable)? {
            if scan.ends_before(byte) {
                break;
            }
            self.take(byte);
            bytes.push(byte);
            if bytes.len() > RECORD_BYTES_MAX {
                let detail = format!("the record is longer than {RECORD_BYTES_MAX} bytes");
                return Err(Fault::Broken { line, detail });
            }
            if scan.is_complete_after(byte) {
                break;
            }
        }
        if self.place != Place::Between {
            self.place = Place::AfterElement;
        }
        Ok(Record { line, bytes })
    }
}

impl<R: BufRead> Records for Values<R> {
    fn advance(&mut self) -> Option<Result<Record, Fault>> {
        let found = match self.find_next() {
            Ok(false) => None,
            Ok(true) => Some(self.read_document()),
            Err(fault) => Some(Err(fault)),
        };
        if !matches!(found, Some(Ok(_))) {
            self.place = Place::End;
        }
        found
    }
}

/// Where in a document the reading is.
#[derive(Debug, Default)]
struct Scan {
    depth: usize,
    in_string: bool,
    escaped: bool,
    started: bool,
}

impl Scan {
    /// Whether this byte is the first after a number or a name such as `null`.
    fn ends_before(&self, byte: u8) -> bool {
        let is_end = byte.is_ascii_whitespace() || matches!(byte, b',' | b']' | b'}');
        self.started && self.depth == 0 && !self.in_string && is_end
    }

    /// Takes a byte; whether it is the last of an object, an array or a string.
    fn is_complete_after(&mut self, byte: u8) -> bool {
        self.started = true;
        if self.in_string {
            let ends = byte == b'"' && !self.escaped;
            self.escaped = byte == b'\\' && !self.escaped;
            self.in_string = !ends;
            return ends && self.depth == 0;
        }
        match byte {
            b'"' => self.in_string = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::transcript, *};

    fn of(text: &str) -> Vec<String> {
        transcript(Values::new(text.as_bytes()))
    }

    #[test]
    fn elements_of_an_array_are_told_apart_with_the_lines_they_start_on() {
        let text = "[\n {\"a\": \"]},\\\"\"},\n\n {\n\"b\": [1, [2]]}, 7, \"x\", null\n]\n";
        assert_eq!(
            of(text),
            [
                "2: {\"a\": \"]},\\\"\"}",
                "4: {\n\"b\": [1, [2]]}",
                "5: 7",
                "5: \"x\"",
                "5: null"
            ]
        );
    }

    #[test]
    fn documents_may_also_stand_one_after_the_other() {
        assert_eq!(
            of("{\"a\":1}\n{\"b\":2} 3"),
            ["1: {\"a\":1}", "2: {\"b\":2}", "2: 3"]
        );
    }

    #[test]
    fn nothing_and_an_empty_array_have_no_records() {
        assert!(of("").is_empty());
        assert!(of(" \n ").is_empty());
        assert!(of("\u{feff}[ ]\n").is_empty());
    }

    #[test]
    fn an_array_that_is_not_one_is_told_with_its_line() {
        assert_eq!(
            of("[1,\n2"),
            ["1: 1", "2: 2", "2!! the array is not closed"]
        );
        assert_eq!(
            of("[1\n2]"),
            ["1: 1", "2!! elements of an array are separated by commas"]
        );
        assert_eq!(of("[1,]"), ["1: 1", "1!! an element is missing"]);
        assert_eq!(of("[1]\n{}"), ["1: 1", "2!! something follows the array"]);
    }
}
