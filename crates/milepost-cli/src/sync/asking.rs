//! Asking somebody at a terminal what is to become of a conflict.

use std::io::{self, BufRead as _, IsTerminal as _};

use milepost_sync::{Conflict, Resolution};
use serde_json::Value;

use crate::{
    difference,
    terminal::{Style, Terminal, harmless},
};

/// Shows both sides and asks; where nobody is there, both versions are kept.
pub(super) fn ask(terminal: Terminal, conflict: &Conflict) -> Resolution {
    if !io::stdin().is_terminal() || !terminal.stderr_is_terminal {
        return Resolution::Leave;
    }
    let key = terminal.err(&conflict.key, Style::Bold);
    terminal.talk(format!("{key} was changed on both sides"));
    let theirs = conflict.theirs.as_ref().map(|theirs| theirs.value.as_str());
    side(
        terminal,
        "here",
        conflict.ancestor.as_deref(),
        conflict.ours.as_deref(),
    );
    side(terminal, "server", conflict.ancestor.as_deref(), theirs);
    loop {
        terminal.talk("[o]urs, [t]heirs, [m]erge, or [l]ater?");
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        if !matches!(read, Ok(bytes) if bytes > 0) {
            return Resolution::Leave;
        }
        if let Some(resolution) = understood(&line) {
            return resolution;
        }
    }
}

fn understood(line: &str) -> Option<Resolution> {
    match line.trim().to_lowercase().as_str() {
        "o" | "ours" => Some(Resolution::Ours),
        "t" | "theirs" => Some(Resolution::Theirs),
        "m" | "merge" => Some(Resolution::Merge),
        "l" | "later" => Some(Resolution::Leave),
        _ => None,
    }
}

fn side(terminal: Terminal, who: &str, before: Option<&str>, after: Option<&str>) {
    let parsed = |text: &str| serde_json::from_str::<Value>(text).unwrap_or_else(|_| text.into());
    let lines = match (before, after) {
        (_, None) => vec!["deleted".to_owned()],
        (None, Some(after)) => vec![format!("created: {after}")],
        (Some(before), Some(after)) => difference::lines(&parsed(before), &parsed(after)),
    };
    for line in lines {
        terminal.talk(format!("  {who}: {}", harmless(&line)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_understood_by_letter_or_word_and_nothing_else_is() {
        assert_eq!(understood("O\n"), Some(Resolution::Ours));
        assert_eq!(understood(" theirs "), Some(Resolution::Theirs));
        assert_eq!(understood("m"), Some(Resolution::Merge));
        assert_eq!(understood("later"), Some(Resolution::Leave));
        assert_eq!(understood("yes"), None);
        assert_eq!(understood(""), None);
    }
}
