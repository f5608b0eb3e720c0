//! `Prefer` and `Preference-Applied` (RFC 7240): what a client would like, without insisting.
//!
//! Preferences are hints, so a malformed or unknown one never fails a request by itself; under
//! `handling=strict` a server may refuse what stands in [`Preferences::unrecognized`].

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::field::grammar::Cursor;

/// The request field.
pub const PREFER: HeaderName = HeaderName::from_static("prefer");

/// The response field that tells which preferences were honoured.
pub const PREFERENCE_APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// What a write is to answer with (§4.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Return {
    /// As little as possible.
    Minimal,
    /// The representation as it is now.
    Representation,
}

/// How mistakes are to be treated (§4.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Handling {
    /// Refused.
    Strict,
    /// Passed over where that is safe.
    Lenient,
}

/// The preferences of a request. The default has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Preferences {
    /// `return`.
    pub returns: Option<Return>,
    /// `handling`.
    pub handling: Option<Handling>,
    /// `wait`, in seconds (§4.3).
    pub wait_seconds: Option<u32>,
    /// Elements that are malformed, unknown, or have an unknown value: as written.
    pub unrecognized: Vec<String>,
}

impl Preferences {
    /// Reads the field, over any number of lines. Of a repeated preference the first counts (§2).
    #[must_use]
    pub fn from_headers(headers: &HeaderMap) -> Self {
        let mut preferences = Self::default();
        for line in headers.get_all(PREFER) {
            match line.to_str() {
                Ok(text) => preferences.read(text),
                Err(_) => preferences
                    .unrecognized
                    .push(String::from_utf8_lossy(line.as_bytes()).into_owned()),
            }
        }
        preferences
    }

    /// The preferences as a request field value; `None` when there are none. What is unrecognized is
    /// left out.
    #[must_use]
    pub fn to_header_value(&self) -> Option<HeaderValue> {
        let elements = [
            self.returns.map(|returns| match returns {
                Return::Minimal => "return=minimal".to_owned(),
                Return::Representation => "return=representation".to_owned(),
            }),
            self.handling.map(|handling| match handling {
                Handling::Strict => "handling=strict".to_owned(),
                Handling::Lenient => "handling=lenient".to_owned(),
            }),
            self.wait_seconds.map(|seconds| format!("wait={seconds}")),
        ];
        let elements: Vec<_> = elements.into_iter().flatten().collect();
        if elements.is_empty() {
            None
        } else {
            HeaderValue::try_from(elements.join(", ")).ok()
        }
    }

    /// The value of `Preference-Applied` (§3) when exactly these preferences were honoured; `None`
    /// when none were.
    #[must_use]
    pub fn to_applied_value(&self) -> Option<HeaderValue> {
        self.to_header_value()
    }

    fn read(&mut self, line: &str) {
        let mut cursor = Cursor::new(line);
        cursor.skip_commas();
        while !cursor.is_at_end() {
            let start = cursor.rest();
            if !self.read_element(&mut cursor) {
                cursor.skip_element();
                let length = start.len() - cursor.rest().len();
                let element = start.get(..length).unwrap_or_default();
                self.unrecognized.push(element.trim().to_owned());
            }
            cursor.skip_commas();
        }
    }

    /// `token [ BWS "=" BWS word ] *( OWS ";" … )`; whether it was understood.
    fn read_element(&mut self, cursor: &mut Cursor<'_>) -> bool {
        let Some(name) = cursor.token() else {
            return false;
        };
        let value = if cursor.take_spaced('=') {
            let Some(value) = cursor.word() else {
                return false;
            };
            value
        } else {
            String::new()
        };
        if cursor.parameters().is_none() || !cursor.is_at_element_end() {
            return false;
        }
        self.note(&name.to_ascii_lowercase(), &value)
    }

    fn note(&mut self, name: &str, value: &str) -> bool {
        match (name, value) {
            ("return", "minimal") => first(&mut self.returns, Return::Minimal),
            ("return", "representation") => first(&mut self.returns, Return::Representation),
            ("handling", "strict") => first(&mut self.handling, Handling::Strict),
            ("handling", "lenient") => first(&mut self.handling, Handling::Lenient),
            ("wait", seconds) if is_digits(seconds) => {
                first(&mut self.wait_seconds, seconds.parse().unwrap_or(u32::MAX))
            }
            _ => false,
        }
    }
}

/// Keeps the first value; a repetition is understood all the same.
fn first<T>(slot: &mut Option<T>, value: T) -> bool {
    slot.get_or_insert(value);
    true
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
