//! Rules about the JavaScript client: how its sources begin and how long they are, that what is
//! published needs nothing but the platform, and that nothing which was built or installed is kept.

use super::{
    Findings,
    tree::{File, Tree},
};

const FOLDER: &str = "clients/js/";
const PUBLISHED: &str = "clients/js/src/";
const FILE_LINES_MAX: usize = 450;
/// Words that only a program of Node can use; what is published runs in browsers too.
const NODE: &[&str] = &["\"node:", "process.", "Buffer", "require("];

pub(super) fn check(tree: &Tree) -> Findings {
    let files = tree
        .files()
        .iter()
        .filter(|file| file.path.starts_with(FOLDER));
    files.flat_map(findings).collect()
}

fn findings(file: &File) -> Findings {
    let mut findings = Findings::new();
    let path = file.path.strip_prefix(FOLDER).unwrap_or_default();
    if path.starts_with("node_modules/") || path.starts_with("dist/") {
        findings.push(file.finding(1, "was installed or built: it belongs to no commit"));
    }
    match path {
        "package.json" => findings.extend(lines(file, "\"dependencies\"", "the client has none")),
        "package-lock.json" => {
            let why = "an address of a registry; .npmrc leaves them out";
            findings.extend(lines(file, "\"resolved\"", why));
        }
        _ if [".ts", ".js", ".mjs"].iter().any(|end| path.ends_with(end)) => {
            findings.extend(source(file));
        }
        _ => {}
    }
    findings
}

fn source(file: &File) -> Findings {
    let mut findings = Findings::new();
    if !file.text.starts_with("/**") {
        findings.push(file.finding(1, "does not open with what it is for"));
    }
    let count = file.lines().count();
    if count > FILE_LINES_MAX {
        findings.push(file.finding(1, &format!("{count} lines; at most {FILE_LINES_MAX}")));
    }
    if file.path.starts_with(PUBLISHED) {
        for word in NODE {
            findings.extend(lines(
                file,
                word,
                "is Node's; the client runs in browsers too",
            ));
        }
        findings.extend(lines(file, "console.", "a library does not print"));
    }
    findings
}

/// A finding for each line of code that has the word.
fn lines(file: &File, word: &str, why: &str) -> Findings {
    let is_code = |line: &str| !line.trim_start().starts_with(['*', '/']);
    file.lines()
        .filter(|(_, line)| line.contains(word) && is_code(line))
        .map(|(number, _)| file.finding(number, &format!("{word}: {why}")))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings_of(path: &str, text: &str) -> usize {
        findings(&File {
            path: path.to_owned(),
            text: text.to_owned(),
        })
        .len()
    }

    #[test]
    fn a_source_says_what_it_is_for_and_is_not_too_long() {
        assert_eq!(findings_of("clients/js/src/a.ts", "/** For a. */\n"), 0);
        assert_eq!(findings_of("clients/js/src/a.ts", "let a;\n"), 1);
        let long = "/** Long. */\n".repeat(FILE_LINES_MAX + 1);
        assert_eq!(findings_of("clients/js/src/a.ts", &long), 1);
    }

    #[test]
    fn what_is_published_names_nothing_of_node_and_does_not_print() {
        let text = "/** A. */\nimport fs from \"node:fs\";\nconsole.log(1);\n";
        assert_eq!(findings_of("clients/js/src/a.ts", text), 2);
        assert_eq!(findings_of("clients/js/test/a.ts", text), 0);
    }

    #[test]
    fn what_was_built_and_where_packages_came_from_is_not_kept() {
        assert_eq!(findings_of("clients/js/dist/src/a.js", "/** A. */"), 1);
        let lock = "{\n  \"resolved\": \"https://registry.example/a.tgz\"\n}";
        assert_eq!(findings_of("clients/js/package-lock.json", lock), 1);
        let manifest = "{\n  \"dependencies\": {}\n}";
        assert_eq!(findings_of("clients/js/package.json", manifest), 1);
    }
}
