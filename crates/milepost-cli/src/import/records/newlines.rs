//! Which line a byte stands on, for a parser that only tells bytes.
//!
//! The CSV parser counts lines itself, but with CRLF its count is one behind at a row's start.

use std::{
    collections::VecDeque,
    io::{self, Read},
};

/// An input whose line breaks are remembered until they are behind the place asked for.
#[derive(Debug)]
pub(super) struct Newlines<R> {
    input: R,
    bytes_read: u64,
    /// The offsets of line breaks that nobody has asked beyond yet: as many as fit a buffer.
    ahead: VecDeque<u64>,
    passed: u64,
}

impl<R: Read> Newlines<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            bytes_read: 0,
            ahead: VecDeque::new(),
            passed: 0,
        }
    }

    /// The line, from 1, of a row that begins at this byte or at the line break there. Places may
    /// only be asked for in their order.
    pub(super) fn line_at(&mut self, byte: u64) -> u64 {
        while self.ahead.front().is_some_and(|newline| *newline <= byte) {
            self.ahead.pop_front();
            self.passed += 1;
        }
        self.passed + 1
    }
}

impl<R: Read> Read for Newlines<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let bytes = self.input.read(buffer)?;
        for (offset, byte) in (self.bytes_read..).zip(buffer.iter().take(bytes)) {
            if *byte == b'\n' {
                self.ahead.push_back(offset);
            }
        }
        self.bytes_read += u64::try_from(bytes).unwrap_or_default();
        Ok(bytes)
    }
}
