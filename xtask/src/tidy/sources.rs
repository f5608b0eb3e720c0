//! Rules about a single Rust source: how it begins, how long it is, what it may not name.

use super::{Findings, tree::File};

/// Longer files have more than one reason to exist.
const FILE_LINES_MAX: usize = 450;

/// A word that only sources under the prefixes may name, and why.
struct Territory {
    word: &'static str,
    allowed: &'static [&'static str],
    reason: &'static str,
}

const WEB: &[&str] = &["crates/milepost-server/", "bench/", "examples/"];
const SQL: &[&str] = &[
    "crates/milepost-store/src/embedded",
    "crates/milepost-store/tests/it/embedded",
    "crates/milepost-sync/src/replica/sqlite/",
    "crates/milepost-sync/tests/it/",
    "bench/",
];
const PRINTING: &[&str] = &[
    "crates/milepost-cli/",
    "xtask/src/say.rs",
    "bench/",
    "examples/",
];
const FRAMEWORK: &str = "only milepost-server names the web framework";
const ENGINE: &str =
    "only milepost-store's embedded backend and the SQLite replica name the SQL engine";
const PRINTS: &str = "only milepost-cli prints";

const TERRITORIES: &[Territory] = &[
    Territory {
        word: "hyper::",
        allowed: WEB,
        reason: FRAMEWORK,
    },
    Territory {
        word: "hyper_util::",
        allowed: WEB,
        reason: FRAMEWORK,
    },
    Territory {
        word: "axum::",
        allowed: WEB,
        reason: FRAMEWORK,
    },
    Territory {
        word: "tower::",
        allowed: WEB,
        reason: FRAMEWORK,
    },
    Territory {
        word: "rusqlite::",
        allowed: SQL,
        reason: ENGINE,
    },
    Territory {
        word: "println!(",
        allowed: PRINTING,
        reason: PRINTS,
    },
    Territory {
        word: "print!(",
        allowed: PRINTING,
        reason: PRINTS,
    },
    Territory {
        word: "eprintln!(",
        allowed: PRINTING,
        reason: PRINTS,
    },
    Territory {
        word: "eprint!(",
        allowed: PRINTING,
        reason: PRINTS,
    },
];

/// What the pure crate may not name.
const IMPURE: &[&str] = &[
    "async fn",
    "tokio",
    "futures",
    "std::fs",
    "std::io::std",
    "std::net",
    "std::env",
    "std::process",
    "std::thread",
    "SystemTime::now",
    "Instant::",
    "println!",
    "eprintln!",
];

pub(super) fn check(file: &File) -> Findings {
    let mut findings = Findings::new();
    if !file.text.starts_with("//!") {
        findings.push(file.finding(1, "begins without //! (what it is for, and what it is not)"));
    }
    let length = file.text.lines().count();
    if length > FILE_LINES_MAX {
        let what = format!("{length} lines, more than {FILE_LINES_MAX}: split it by reason");
        findings.push(file.finding(FILE_LINES_MAX, &what));
    }
    if file.path == "xtask/src/tidy/sources.rs" {
        return findings;
    }
    for (number, line) in file.lines() {
        let code = code_of(line);
        findings.extend(trespass(&file.path, code).map(|what| file.finding(number, what)));
        findings.extend(impurity(&file.path, code).map(|what| file.finding(number, &what)));
    }
    findings
}

/// The line without its comment; good enough where a string holds no `//` before a forbidden word.
fn code_of(line: &str) -> &str {
    line.split_once("//").map_or(line, |(code, _)| code)
}

fn trespass(path: &str, code: &str) -> Option<&'static str> {
    let foreign = |territory: &&Territory| {
        names(code, territory.word)
            && !territory
                .allowed
                .iter()
                .any(|prefix| path.starts_with(prefix))
    };
    TERRITORIES
        .iter()
        .find(foreign)
        .map(|territory| territory.reason)
}

fn impurity(path: &str, code: &str) -> Option<String> {
    if !path.starts_with("crates/milepost-semantics/src/") {
        return None;
    }
    let word = IMPURE.iter().find(|word| names(code, word))?;
    Some(format!(
        "{word}: milepost-semantics has no async, I/O or clock"
    ))
}

/// Whether the word stands in the code on its own, not as the end of a longer name.
fn names(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|letter| letter.is_alphanumeric() || letter == '_')
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> Findings {
        check(&File {
            path: path.to_owned(),
            text: text.to_owned(),
        })
    }

    #[test]
    fn a_source_without_an_opening_or_of_too_many_lines_is_found() {
        assert_eq!(findings("crates/a/src/lib.rs", "//! For a.\n").len(), 0);
        assert_eq!(findings("crates/a/src/lib.rs", "fn a() {}\n").len(), 1);
        let long = "//! Long.\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(findings("crates/a/src/lib.rs", &long).len(), 1);
    }

    #[test]
    fn only_the_embedded_backend_may_name_the_sql_engine() {
        let text = "//! A.\nuse rusqlite::Connection;\n";
        assert_eq!(
            findings("crates/milepost-store/src/embedded/open.rs", text).len(),
            0
        );
        assert_eq!(findings("crates/milepost-server/src/lib.rs", text).len(), 1);
    }

    #[test]
    fn the_pure_crate_may_not_read_the_clock_but_may_talk_about_it() {
        let path = "crates/milepost-semantics/src/caching.rs";
        assert_eq!(
            findings(path, "//! A.\nlet now = SystemTime::now();\n").len(),
            1
        );
        assert_eq!(
            findings(path, "//! A.\n// SystemTime is an input.\n").len(),
            0
        );
    }

    #[test]
    fn a_word_inside_a_longer_name_is_not_that_word() {
        assert!(!names("my_println!(x)", "println!("));
        assert!(names("  println!(x)", "println!("));
    }
}
