//! Names that say nothing: not used for modules or for what is declared in them.

use super::{Findings, tree::File};

/// Never part of a declared name.
const EMPTY: &[&str] = &[
    "manager", "handler", "helper", "helpers", "util", "utils", "misc",
];
/// Never the whole name of a module, beside the ones above.
const EMPTY_MODULES: &[&str] = &["common", "core", "info", "process", "do"];

const DECLARATIONS: &[&str] = &[
    "fn ", "struct ", "enum ", "trait ", "type ", "mod ", "const ",
];

pub(super) fn check(file: &File) -> Findings {
    let mut findings = module(file);
    for (number, line) in file.lines() {
        // Tests that speak HTTP name their requests by method.
        let is_test = file.path.contains("/tests/");
        let found = declaration(line).filter(|what| !(is_test && what.starts_with("get_")));
        findings.extend(found.map(|what| file.finding(number, &what)));
    }
    findings
}

fn module(file: &File) -> Findings {
    let parts = file.path.trim_end_matches(".rs").split('/');
    parts
        .filter(|part| EMPTY.contains(part) || EMPTY_MODULES.contains(part))
        // There it is the name of a part of the document.
        .filter(|_| !file.path.ends_with("/openapi/info.rs"))
        .map(|part| {
            file.finding(
                1,
                &format!("a module named {part} says nothing of its reason"),
            )
        })
        .collect()
}

fn declaration(line: &str) -> Option<String> {
    let name = declared(line)?;
    if name.starts_with("get_") {
        return Some(format!("{name}: a question needs no get_"));
    }
    let word = words(name)
        .into_iter()
        .find(|word| EMPTY.contains(&word.as_str()))?;
    Some(format!("{name}: {word} says nothing; name the idea"))
}

/// The name that a line declares, if it declares one.
fn declared(line: &str) -> Option<&str> {
    let code = line.trim_start();
    let code = code.strip_prefix("pub").map_or(code, |rest| {
        rest.split_once(')')
            .filter(|_| rest.starts_with('('))
            .map_or(rest, |(_, rest)| rest)
    });
    let code = code.trim_start();
    let code = code.strip_prefix("async ").unwrap_or(code);
    let code = code
        .strip_prefix("const ")
        .filter(|rest| rest.starts_with("fn "))
        .unwrap_or(code);
    let rest = DECLARATIONS
        .iter()
        .find_map(|keyword| code.strip_prefix(keyword))?;
    let end = rest.find(|letter: char| !letter.is_alphanumeric() && letter != '_');
    rest.get(..end.unwrap_or(rest.len()))
}

/// The words of a `snake_case`, `CamelCase` or `UPPER_CASE` name, in lower case.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut lower_before = false;
    for letter in name.chars() {
        if letter == '_' || (letter.is_uppercase() && lower_before) {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter != '_') {
            word.extend(letter.to_lowercase());
        }
        lower_before = letter.is_lowercase();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(path: &str, text: &str) -> usize {
        check(&File {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn an_empty_word_in_a_declared_name_is_found_in_any_case() {
        for line in [
            "pub(crate) struct StoreManager;",
            "fn write_helper() {}",
            "const UTIL: u8 = 1;",
        ] {
            assert_eq!(findings("crates/a/src/lib.rs", line), 1, "{line}");
        }
    }

    #[test]
    fn a_word_that_merely_contains_an_empty_one_is_fine() {
        for line in [
            "fn utilisation() {}",
            "struct Handled;",
            "pub fn entity_tag() {}",
        ] {
            assert_eq!(findings("crates/a/src/lib.rs", line), 0, "{line}");
        }
    }

    #[test]
    fn a_question_with_get_and_a_module_named_common_are_found() {
        assert_eq!(
            findings("crates/a/src/lib.rs", "    pub async fn get_page(&self) {}"),
            1
        );
        assert_eq!(findings("crates/a/src/common.rs", ""), 1);
        assert_eq!(findings("crates/a/src/common/page.rs", ""), 1);
    }
}
