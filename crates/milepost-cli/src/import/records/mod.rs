//! Records of an input, one after the other, each with the line it starts on.
//!
//! However large the input, one record is in memory at a time. What a record means is not decided
//! here; that it is one strict JSON document is.

mod lines;
mod newlines;
mod rows;
mod values;

use std::io;

pub(crate) use self::{
    lines::Lines,
    rows::{RowOptions, Rows},
    values::Values,
};

/// The longest record: above what a server takes by default, and what keeps memory bounded.
pub(crate) const RECORD_BYTES_MAX: usize = 32 * 1024 * 1024;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    /// The line it starts on, from 1.
    pub(crate) line: u64,
    /// A JSON text; not yet known to be well-formed.
    pub(crate) bytes: Vec<u8>,
}

/// Why there is no record where one should be.
#[derive(Debug)]
pub(crate) enum Fault {
    /// This record is not acceptable; the next ones may be.
    Malformed {
        /// The line, from 1.
        line: u64,
        /// What is wrong, in words.
        detail: String,
    },
    /// From here on nothing can be told apart.
    Broken {
        /// The line, from 1.
        line: u64,
        /// What is wrong, in words.
        detail: String,
    },
    /// The input can't be read.
    Unreadable(io::Error),
}

/// What yields records.
pub(crate) trait Records {
    /// The next record; `None` at the end, and after a fault that is not [`Fault::Malformed`].
    fn advance(&mut self) -> Option<Result<Record, Fault>>;
}

/// The mark that some programs put before UTF-8.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Each record as `line: text`, each fault as `line! detail`.
    pub(crate) fn transcript(mut records: impl Records) -> Vec<String> {
        let mut lines = Vec::new();
        while let Some(next) = records.advance() {
            lines.push(match next {
                Ok(record) => format!(
                    "{}: {}",
                    record.line,
                    String::from_utf8_lossy(&record.bytes)
                ),
                Err(Fault::Malformed { line, detail }) => format!("{line}! {detail}"),
                Err(Fault::Broken { line, detail }) => format!("{line}!! {detail}"),
                Err(Fault::Unreadable(error)) => format!("unreadable: {error}"),
            });
        }
        lines
    }
}
