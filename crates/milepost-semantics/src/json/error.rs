//! What can be wrong with a JSON text, and where.
//!
//! Finding it is the parser's; this only says it well.

use crate::pointer::JsonPointer;

/// What is wrong with a JSON text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JsonErrorKind {
    /// There is nothing, or white space only.
    Empty,
    /// The bytes are no UTF-8.
    InvalidUtf8,
    /// A byte order mark stands at the start (RFC 8259 §8.1).
    ByteOrderMark,
    /// A character that may not stand here.
    UnexpectedCharacter,
    /// The text ends in the middle.
    UnexpectedEnd,
    /// A control character stands unescaped in a string.
    ControlCharacter,
    /// A backslash is followed by something that is no escape.
    InvalidEscape,
    /// `\uD800`–`\uDFFF` without its other half: no character.
    LoneSurrogate,
    /// Something like a number that is none: `01`, `1.`, `+1`.
    InvalidNumber,
    /// An object has the same key twice.
    DuplicateKey,
    /// A key that begins with `$serde_json::private::` has a meaning inside the service.
    ReservedKey,
    /// More arrays and objects are open at once than allowed.
    TooDeep,
    /// Something follows the document.
    TrailingData,
}

impl JsonErrorKind {
    const fn sentence(self) -> &'static str {
        match self {
            Self::Empty => "there is no JSON document",
            Self::InvalidUtf8 => "the text is not valid UTF-8",
            Self::ByteOrderMark => "a byte order mark may not stand before JSON",
            Self::UnexpectedCharacter => "this character may not stand here",
            Self::UnexpectedEnd => "the text ends before the document is complete",
            Self::ControlCharacter => "a control character in a string must be escaped",
            Self::InvalidEscape => "a backslash starts no valid escape",
            Self::LoneSurrogate => "half a surrogate pair is no character",
            Self::InvalidNumber => "this is no JSON number",
            Self::DuplicateKey => "an object has the same key twice",
            Self::ReservedKey => "keys starting with \"$serde_json::private::\" are reserved",
            Self::TooDeep => "arrays and objects are nested too deeply",
            Self::TrailingData => "something follows the end of the document",
        }
    }
}

/// Why a text is no acceptable JSON document, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {detail}{}", at(pointer))]
pub struct JsonError {
    /// What is wrong.
    pub kind: JsonErrorKind,
    /// The value that was being read.
    pub pointer: JsonPointer,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// A sentence for people, lower case and without full stop.
    pub detail: String,
}

fn at(pointer: &JsonPointer) -> String {
    if pointer.is_root() {
        String::new()
    } else {
        format!(" (at {pointer})")
    }
}

/// An error as the parser knows it: by byte offset. Kept small and boxed where it is stored, since
/// the good way is the hot one.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) kind: JsonErrorKind,
    pub(super) offset: usize,
    pub(super) pointer: JsonPointer,
    pub(super) found: Option<String>,
    /// The key at fault, to end the pointer with.
    pub(super) key: Option<String>,
}

impl Fault {
    pub(super) fn at(kind: JsonErrorKind, offset: usize) -> Self {
        Self {
            kind,
            offset,
            pointer: JsonPointer::root(),
            found: None,
            key: None,
        }
    }

    pub(super) fn with_key(mut self, key: String) -> Self {
        self.key = Some(key);
        self
    }

    pub(super) fn found(mut self, found: String) -> Self {
        self.found = Some(found);
        self
    }

    /// The error for people, in a text whose first bytes are (at least) those before the fault.
    pub(super) fn located_in(self, text: &str) -> JsonError {
        let before = text.get(..self.offset).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let in_line = before.get(line_start..).unwrap_or_default();
        let sentence = self.kind.sentence();
        JsonError {
            kind: self.kind,
            pointer: self.pointer,
            line: before.matches('\n').count() + 1,
            column: in_line.chars().count() + 1,
            detail: match self.found {
                Some(found) => format!("{sentence}: {found}"),
                None => sentence.to_owned(),
            },
        }
    }
}
