//! A JSON object being written member by member, without a tree and without allocation per member.

use std::fmt::{self, Write};

/// An object that isn't closed yet.
#[derive(Debug)]
pub(super) struct Object {
    text: String,
}

impl Object {
    pub(super) fn with_capacity(bytes: usize) -> Self {
        let mut text = String::with_capacity(bytes);
        text.push('{');
        Self { text }
    }

    /// A member whose value's text needs no escaping.
    pub(super) fn plain(&mut self, name: &str, value: impl fmt::Display) {
        self.name(name);
        let _ = write!(self.text, "\"{value}\"");
    }

    /// A member that is a number.
    pub(super) fn number(&mut self, name: &str, value: u64) {
        self.name(name);
        let _ = write!(self.text, "{value}");
    }

    /// A member that is a string of any bytes; those that aren't ASCII as if they were Latin-1.
    pub(super) fn text(&mut self, name: &str, value: &[u8]) {
        self.name(name);
        self.string(value);
    }

    /// A member that is an array of strings.
    pub(super) fn texts<'a>(&mut self, name: &str, values: impl Iterator<Item = &'a str>) {
        self.name(name);
        self.text.push('[');
        for (index, value) in values.enumerate() {
            if index > 0 {
                self.text.push(',');
            }
            self.string(value.as_bytes());
        }
        self.text.push(']');
    }

    /// The object, closed, and a line feed.
    pub(super) fn into_line(mut self) -> String {
        self.text.push_str("}\n");
        self.text
    }

    fn name(&mut self, name: &str) {
        if self.text.len() > 1 {
            self.text.push(',');
        }
        self.text.push('"');
        self.text.push_str(name);
        self.text.push_str("\":");
    }

    fn string(&mut self, value: &[u8]) {
        self.text.push('"');
        match std::str::from_utf8(value) {
            Ok(text) if text.bytes().all(is_literal) => self.text.push_str(text),
            _ => value.iter().for_each(|byte| self.escaped(*byte)),
        }
        self.text.push('"');
    }

    fn escaped(&mut self, byte: u8) {
        if is_literal(byte) {
            self.text.push(char::from(byte));
        } else if matches!(byte, b'"' | b'\\') {
            self.text.push('\\');
            self.text.push(char::from(byte));
        } else {
            let _ = write!(self.text, "\\u{byte:04x}");
        }
    }
}

fn is_literal(byte: u8) -> bool {
    matches!(byte, 0x20..=0x7e) && byte != b'"' && byte != b'\\'
}
