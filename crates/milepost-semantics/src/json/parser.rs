//! The parser: one pass over the text, with a stack of open containers of its own.
//!
//! Unfinished members stand in their object as `null`, under their key: so a duplicate is found
//! before its value is read, and the stack itself tells where in the document the parser is.

use serde_json::{Map, Number, Value, map::Entry};

use super::error::{Fault, JsonErrorKind};
use super::number::number_end;
use super::string::string;
use super::{DEPTH_MAX, Limits};
use crate::pointer::JsonPointer;

/// How many members a document has room for at first: most have no more, and none grows in many steps.
const DOCUMENT_MEMBERS: usize = 16;
const RESERVED_PREFIX: &str = "$serde_json::private::";

enum Open {
    Array(Vec<Value>),
    Object(Map<String, Value>),
}

/// What the parser does next.
enum Step {
    /// Read a value.
    Value,
    /// Put a complete value into the container around it.
    Place(Value),
}

struct Parser<'t> {
    text: &'t str,
    bytes: &'t [u8],
    at: usize,
    depth_max: usize,
    open: Vec<Open>,
}

pub(super) fn parse(text: &str, limits: Limits) -> Result<Value, Fault> {
    if text.starts_with('\u{FEFF}') {
        return Err(Fault::at(JsonErrorKind::ByteOrderMark, 0));
    }
    let depth_max = limits.depth.min(DEPTH_MAX);
    let mut parser = Parser {
        text,
        bytes: text.as_bytes(),
        at: 0,
        depth_max,
        open: Vec::new(),
    };
    parser.document().map_err(|mut fault| {
        fault.pointer = parser.pointer();
        if let Some(key) = fault.key.take() {
            fault.pointer.push(key);
        }
        fault
    })
}

impl Parser<'_> {
    fn document(&mut self) -> Result<Value, Fault> {
        self.skip_white_space();
        if self.at == self.bytes.len() {
            return Err(Fault::at(JsonErrorKind::Empty, self.at));
        }
        let mut step = Step::Value;
        loop {
            step = match step {
                Step::Value => self.value()?,
                Step::Place(value) => match self.open.pop() {
                    Some(Open::Array(elements)) => self.after_element(elements, value)?,
                    Some(Open::Object(members)) => self.after_member(members, value)?,
                    None => return self.end(value),
                },
            }
        }
    }

    fn end(&mut self, value: Value) -> Result<Value, Fault> {
        self.skip_white_space();
        if self.at < self.bytes.len() {
            return Err(Fault::at(JsonErrorKind::TrailingData, self.at));
        }
        Ok(value)
    }

    /// Reads a scalar, or opens a container up to its first value.
    fn value(&mut self) -> Result<Step, Fault> {
        self.skip_white_space();
        let value = match self.bytes.get(self.at) {
            Some(b'"') => Value::String(self.string()?),
            Some(b'{') => return self.open_object(),
            Some(b'[') => return self.open_array(),
            Some(b'-' | b'0'..=b'9') => self.number()?,
            Some(b't') => self.word("true", Value::Bool(true))?,
            Some(b'f') => self.word("false", Value::Bool(false))?,
            Some(b'n') => self.word("null", Value::Null)?,
            _ => return Err(self.unexpected("a value")),
        };
        Ok(Step::Place(value))
    }

    fn open_array(&mut self) -> Result<Step, Fault> {
        self.enter()?;
        if self.bytes.get(self.at) == Some(&b']') {
            self.at += 1;
            return Ok(Step::Place(Value::Array(Vec::new())));
        }
        self.open.push(Open::Array(Vec::new()));
        Ok(Step::Value)
    }

    fn open_object(&mut self) -> Result<Step, Fault> {
        self.enter()?;
        if self.bytes.get(self.at) == Some(&b'}') {
            self.at += 1;
            return Ok(Step::Place(Value::Object(Map::new())));
        }
        let members = if self.open.is_empty() {
            Map::with_capacity(DOCUMENT_MEMBERS)
        } else {
            Map::new()
        };
        self.member_key(members)
    }

    /// Passes an opening bracket, if one more level is allowed.
    fn enter(&mut self) -> Result<(), Fault> {
        if self.open.len() >= self.depth_max {
            let found = format!("at most {} levels are allowed", self.depth_max);
            return Err(Fault::at(JsonErrorKind::TooDeep, self.at).found(found));
        }
        self.at += 1;
        self.skip_white_space();
        Ok(())
    }

    fn after_element(&mut self, mut elements: Vec<Value>, value: Value) -> Result<Step, Fault> {
        elements.push(value);
        self.skip_white_space();
        match self.bytes.get(self.at) {
            Some(b',') => {
                self.at += 1;
                self.open.push(Open::Array(elements));
                Ok(Step::Value)
            }
            Some(b']') => {
                self.at += 1;
                Ok(Step::Place(Value::Array(elements)))
            }
            _ => {
                self.open.push(Open::Array(elements));
                Err(self.unexpected("',' or ']'"))
            }
        }
    }

    fn after_member(
        &mut self,
        mut members: Map<String, Value>,
        value: Value,
    ) -> Result<Step, Fault> {
        if let Some(last) = members.values_mut().next_back() {
            *last = value;
        }
        self.skip_white_space();
        match self.bytes.get(self.at) {
            Some(b',') => {
                self.at += 1;
                self.skip_white_space();
                self.member_key(members)
            }
            Some(b'}') => {
                self.at += 1;
                Ok(Step::Place(Value::Object(members)))
            }
            _ => {
                self.open.push(Open::Object(members));
                Err(self.unexpected("',' or '}'"))
            }
        }
    }

    /// Reads a key and its colon; the object is open, and its last member waits for its value.
    fn member_key(&mut self, mut members: Map<String, Value>) -> Result<Step, Fault> {
        let key_at = self.at;
        if self.bytes.get(self.at) != Some(&b'"') {
            return Err(self.unexpected("a key in double quotes"));
        }
        let key = self.string()?;
        if key.starts_with(RESERVED_PREFIX) {
            return Err(Fault::at(JsonErrorKind::ReservedKey, key_at));
        }
        match members.entry(key) {
            Entry::Vacant(vacant) => vacant.insert(Value::Null),
            Entry::Occupied(occupied) => {
                let key = occupied.key().clone();
                let fault = Fault::at(JsonErrorKind::DuplicateKey, key_at);
                return Err(fault.found(format!("{key:?}")).with_key(key));
            }
        };
        self.open.push(Open::Object(members));
        self.skip_white_space();
        if self.bytes.get(self.at) != Some(&b':') {
            return Err(self.unexpected("':'"));
        }
        self.at += 1;
        Ok(Step::Value)
    }

    fn string(&mut self) -> Result<String, Fault> {
        let (value, end) = string(self.text, self.at + 1)?;
        self.at = end;
        Ok(value)
    }

    fn number(&mut self) -> Result<Value, Fault> {
        let end = number_end(self.bytes, self.at).map_err(|at| {
            let is_end = at == self.bytes.len();
            let kind = if is_end {
                JsonErrorKind::UnexpectedEnd
            } else {
                JsonErrorKind::InvalidNumber
            };
            Fault::at(kind, at)
        })?;
        let number = self.text.get(self.at..end).unwrap_or_default();
        self.at = end;
        Ok(Value::Number(Number::from_string_unchecked(
            number.to_owned(),
        )))
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, Fault> {
        let end = self.at + word.len();
        if self.bytes.get(self.at..end) == Some(word.as_bytes()) {
            self.at = end;
            return Ok(value);
        }
        let rest = self.text.get(self.at..).unwrap_or_default();
        if word.starts_with(rest) {
            return Err(Fault::at(JsonErrorKind::UnexpectedEnd, self.bytes.len()));
        }
        Err(self.unexpected("true, false or null"))
    }

    fn skip_white_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.bytes.get(self.at) {
            self.at += 1;
        }
    }

    fn unexpected(&self, expected: &str) -> Fault {
        match self
            .text
            .get(self.at..)
            .and_then(|rest| rest.chars().next())
        {
            Some(found) => Fault::at(JsonErrorKind::UnexpectedCharacter, self.at)
                .found(format!("found {found:?}, expected {expected}")),
            None => Fault::at(JsonErrorKind::UnexpectedEnd, self.at),
        }
    }

    /// Where the parser is, by the containers that are open.
    fn pointer(&self) -> JsonPointer {
        let token = |open: &Open| match open {
            Open::Array(elements) => Some(elements.len().to_string()),
            Open::Object(members) => members.keys().next_back().cloned(),
        };
        self.open.iter().filter_map(token).collect()
    }
}
