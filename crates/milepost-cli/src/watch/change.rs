//! One change, as a line for people or as JSON for programs.

use milepost_sync::{Key, Version};
use serde_json::{Value, json};

use crate::{
    difference::{self, Difference},
    terminal::{Style, Terminal, harmless},
};

/// The longest line where nobody tells how wide it may be, in characters.
const LINE_CHARS_MAX: usize = 400;

/// What a resource was, and what it is.
#[derive(Clone, Debug)]
pub(super) struct Changed {
    key: String,
    before: Option<Version>,
    after: Option<Version>,
}

impl Changed {
    /// The change from one version to another; `None` where there is none.
    pub(super) fn between(
        key: &Key,
        before: Option<Version>,
        after: Option<Version>,
    ) -> Option<Self> {
        let is_change = before.as_ref().map(|v| &v.etag) != after.as_ref().map(|v| &v.etag);
        is_change.then(|| Self {
            key: key.to_string(),
            before,
            after,
        })
    }

    /// A line for people.
    pub(super) fn line(&self, terminal: Terminal) -> String {
        self.line_within(terminal, LINE_CHARS_MAX)
    }

    /// The same, cut to a width in characters.
    pub(super) fn line_within(&self, terminal: Terminal, width: usize) -> String {
        let (sign, style) = match (&self.before, &self.after) {
            (None, Some(_)) => ("+", Style::Green),
            (_, None) => ("-", Style::Red),
            (Some(_), Some(_)) => ("~", Style::Yellow),
        };
        let text = harmless(&format!("{} {}", self.key, self.said())).replace('\n', " ");
        let room = width.saturating_sub(3);
        let text = match text.char_indices().nth(room) {
            Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
            None => text,
        };
        format!("{} {text}", terminal.out(sign, style))
    }

    /// What changed, in words.
    fn said(&self) -> String {
        match (&self.before, &self.after) {
            (_, None) => String::new(),
            (None, Some(after)) => parsed(after).to_string(),
            (Some(before), Some(after)) => {
                let found = difference::differences(&parsed(before), &parsed(after));
                let said: Vec<String> = found.iter().map(one).collect();
                said.join(", ")
            }
        }
    }

    /// One JSON object for programs.
    pub(super) fn to_json(&self) -> Value {
        let change = match (&self.before, &self.after) {
            (None, Some(_)) => "created",
            (_, None) => "deleted",
            (Some(_), Some(_)) => "changed",
        };
        json!({
            "id": self.key,
            "change": change,
            "etag": self.after.as_ref().map(|after| &after.etag),
            "value": self.after.as_ref().map(parsed),
            "before": self.before.as_ref().map(parsed),
        })
    }
}

/// A difference without its sign: the line has one.
fn one(difference: &Difference) -> String {
    let name = |pointer: &str| pointer.trim_start_matches('/').to_owned();
    match difference {
        Difference::Added { pointer, after } => format!("{}: {after}", name(pointer)),
        Difference::Removed { pointer, .. } => format!("{} removed", name(pointer)),
        Difference::Changed {
            pointer,
            before,
            after,
        } => format!("{}: {before} → {after}", name(pointer)),
    }
}

fn parsed(version: &Version) -> Value {
    serde_json::from_str(&version.value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn version(etag: &str, value: &str) -> Version {
        Version {
            etag: etag.to_owned(),
            value: value.to_owned(),
        }
    }

    fn line(before: Option<Version>, after: Option<Version>) -> Option<String> {
        let key = Key::parse("17").unwrap();
        Changed::between(&key, before, after).map(|changed| changed.said())
    }

    #[test]
    fn a_change_is_told_by_what_it_changed() {
        let one = version("\"1\"", r#"{"owner":"ada","balance":100}"#);
        let two = version("\"2\"", r#"{"owner":"ada","balance":90,"note":"x"}"#);
        assert_eq!(
            line(Some(one.clone()), Some(two)).as_deref(),
            Some(r#"balance: 100 → 90, note: "x""#)
        );
        assert_eq!(
            line(None, Some(one.clone())).as_deref(),
            Some(r#"{"owner":"ada","balance":100}"#)
        );
        assert_eq!(line(Some(one.clone()), Some(one)), None);
    }
}
