//! What differs between two JSON values, as a few readable lines.
//!
//! For people who lost a race and want to see to whom. It is no patch format: long values are cut.

use serde_json::Value;

/// The most lines that are told; after that, how many more there are.
const LINES_MAX: usize = 30;
/// The longest text of one value.
const VALUE_CHARS_MAX: usize = 60;

/// One member that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Difference {
    /// Only the later value has it.
    Added {
        /// Where: a JSON pointer.
        pointer: String,
        /// What is there now.
        after: String,
    },
    /// Only the earlier value has it.
    Removed {
        /// Where: a JSON pointer.
        pointer: String,
        /// What was there.
        before: String,
    },
    /// Both have it, with different values.
    Changed {
        /// Where: a JSON pointer.
        pointer: String,
        /// What was there.
        before: String,
        /// What is there now.
        after: String,
    },
}

impl Difference {
    fn line(&self) -> String {
        match self {
            Self::Added { pointer, after } => format!("+ {pointer}: {after}"),
            Self::Removed { pointer, before } => format!("- {pointer}: {before}"),
            Self::Changed {
                pointer,
                before,
                after,
            } => format!("~ {pointer}: {before} → {after}"),
        }
    }
}

/// What differs, member by member.
pub(crate) fn differences(before: &Value, after: &Value) -> Vec<Difference> {
    let mut found = Vec::new();
    compare("", before, after, &mut found);
    found
}

/// The differences as lines, bounded.
pub(crate) fn lines(before: &Value, after: &Value) -> Vec<String> {
    let found = differences(before, after);
    let mut lines: Vec<String> = found.iter().take(LINES_MAX).map(Difference::line).collect();
    if let Some(more) = found.len().checked_sub(LINES_MAX).filter(|more| *more > 0) {
        lines.push(format!("… and {more} more"));
    }
    lines
}

fn compare(pointer: &str, before: &Value, after: &Value, found: &mut Vec<Difference>) {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => {
            for (name, value) in before {
                pair(&below(pointer, name), Some(value), after.get(name), found);
            }
            for (name, value) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
                pair(&below(pointer, name), None, Some(value), found);
            }
        }
        (Value::Array(before), Value::Array(after)) => {
            for index in 0..before.len().max(after.len()) {
                let at = below(pointer, &index.to_string());
                pair(&at, before.get(index), after.get(index), found);
            }
        }
        _ if before == after => {}
        _ => found.push(Difference::Changed {
            pointer: pointer.to_owned(),
            before: short(before),
            after: short(after),
        }),
    }
}

fn pair(at: &str, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Difference>) {
    let pointer = at.to_owned();
    match (before, after) {
        (Some(before), Some(after)) => compare(at, before, after, found),
        (None, Some(after)) => found.push(Difference::Added {
            pointer,
            after: short(after),
        }),
        (Some(before), None) => found.push(Difference::Removed {
            pointer,
            before: short(before),
        }),
        (None, None) => {}
    }
}

fn below(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(VALUE_CHARS_MAX) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn each_member_that_differs_is_told_once_with_its_pointer() {
        let before = json!({"title": "A", "tags": ["x"], "gone": 1, "same": {"a": 1}, "b/c": 1});
        let after = json!({"title": "B", "tags": ["x", "y"], "same": {"a": 1}, "b/c": 2});
        assert_eq!(
            lines(&before, &after),
            [
                r#"~ /title: "A" → "B""#,
                r#"+ /tags/1: "y""#,
                "- /gone: 1",
                "~ /b~1c: 1 → 2",
            ]
        );
    }

    #[test]
    fn equal_values_have_no_differences() {
        assert!(differences(&json!({"a": [1, {}]}), &json!({"a": [1, {}]})).is_empty());
    }

    #[test]
    fn many_differences_are_counted_instead_of_told() {
        let after: Value = (0..40).map(|n| (n.to_string(), json!(n))).collect();
        let lines = lines(&json!({}), &after);
        assert_eq!(lines.len(), LINES_MAX + 1);
        assert_eq!(lines.last().unwrap(), "… and 10 more");
    }
}
