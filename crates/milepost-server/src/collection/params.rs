//! The keys and values of a URL's query: read, and written in canonical order.
//!
//! Canonical means: pairs ordered by key, then value; everything percent-encoded but unreserved
//! characters and a few that are safe everywhere. One question then has one URL, and caches one entry.

use std::fmt::Write;

use milepost_semantics::{Issue, problem::Part};
use percent_encoding::percent_decode_str;

/// Pairs of key and value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Params(Vec<(String, String)>);

impl Params {
    /// Reads a URL's query, in which a `+` is a space, as forms write it.
    ///
    /// # Errors
    /// Every part that is not percent-encoded UTF-8.
    pub(crate) fn of_query(query: Option<&str>) -> Result<Self, Vec<Issue>> {
        let mut params = Self::default();
        let mut issues = Vec::new();
        for pair in query
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
        {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            match (decode(key), decode(value)) {
                (Some(key), Some(value)) => params.push(key, value),
                _ => issues.push(
                    Issue::new(Part::Query, key, "is not percent-encoded UTF-8").with_value(pair),
                ),
            }
        }
        if issues.is_empty() {
            Ok(params)
        } else {
            Err(issues)
        }
    }

    /// Adds a pair.
    pub(crate) fn push(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.push((key.into(), value.into()));
    }

    /// All pairs but those of these keys.
    pub(crate) fn without(mut self, keys: &[&str]) -> Self {
        self.0.retain(|(name, _)| !keys.contains(&name.as_str()));
        self
    }

    /// Drops all pairs but those of these keys.
    pub(crate) fn keep(&mut self, keys: &[&str]) {
        self.0.retain(|(name, _)| keys.contains(&name.as_str()));
    }

    /// The pairs, in the order they were added.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// All the pairs of both.
    pub(crate) fn extend(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// The canonical query, without a question mark; empty where there are no pairs.
    pub(crate) fn to_query(&self) -> String {
        let mut pairs: Vec<_> = self.iter().collect();
        pairs.sort_unstable();
        pairs.dedup();
        let mut query = String::new();
        for (key, value) in pairs {
            if !query.is_empty() {
                query.push('&');
            }
            encode(key, &mut query);
            query.push('=');
            encode(value, &mut query);
        }
        query
    }

    /// The URL of a path with these pairs.
    pub(crate) fn url(&self, path: &str) -> String {
        match self.to_query() {
            query if query.is_empty() => path.to_owned(),
            query => format!("{path}?{query}"),
        }
    }
}

fn decode(text: &str) -> Option<String> {
    let mut escapes = text.split('%').skip(1);
    let is_hex = |escape: &str| {
        escape.len() >= 2 && escape.bytes().take(2).all(|byte| byte.is_ascii_hexdigit())
    };
    if !escapes.all(is_hex) {
        return None;
    }
    let spaced = text.replace('+', " ");
    let decoded = percent_decode_str(&spaced).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

fn encode(text: &str, to: &mut String) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~:,/@*!".contains(&byte) {
            to.push(char::from(byte));
        } else {
            // Writing to a string doesn't fail.
            let _ = write!(to, "%{byte:02X}");
        }
    }
}
