//! That the documents are true of the tree: links lead somewhere, ARCHITECTURE.md names exactly
//! the crates there are, CHANGELOG.md has a place for what is not released yet, and no file
//! mentions a path of one particular machine.

use super::{
    Findings,
    tree::{File, Tree},
    workspace::Workspace,
};

/// Folders that stand on one machine only.
const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

pub(super) fn check(tree: &Tree, workspace: &Workspace) -> Findings {
    let mut findings = Findings::new();
    for document in tree.documents() {
        findings.extend(links(document, tree));
    }
    for file in tree.files() {
        findings.extend(machine_paths(file));
    }
    findings.extend(architecture(tree, workspace));
    if !tree
        .find("CHANGELOG.md")
        .is_some_and(|file| file.text.contains("## [Unreleased]"))
    {
        findings.push("CHANGELOG.md:1: has no section [Unreleased]".to_owned());
    }
    findings
}

fn machine_paths(file: &File) -> Findings {
    let holds = |line: &str| MACHINE_PATHS.iter().any(|path| line.contains(path));
    file.lines()
        .filter(|(_, line)| holds(line))
        .map(|(number, _)| file.finding(number, "a path of one machine"))
        .collect()
}

fn architecture(tree: &Tree, workspace: &Workspace) -> Findings {
    let Some(document) = tree.find("ARCHITECTURE.md") else {
        return vec!["ARCHITECTURE.md:1: missing".to_owned()];
    };
    let mut findings = Findings::new();
    for member in workspace.members() {
        if !document.text.contains(&format!("`{}`", member.name)) {
            findings.push(document.finding(1, &format!("does not name `{}`", member.name)));
        }
    }
    for (number, line) in document.lines() {
        let named = line
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| is_crate_name(word));
        let unknown = named.filter(|word| !workspace.members().any(|member| member.name == *word));
        findings
            .extend(unknown.map(|word| document.finding(number, &format!("no crate `{word}`"))));
    }
    findings
}

fn is_crate_name(word: &str) -> bool {
    let letters = |word: &str| {
        word.chars()
            .all(|letter| letter.is_ascii_lowercase() || letter == '-')
    };
    word.strip_prefix("milepost-").is_some_and(letters)
}

fn links(document: &File, tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    let mut fenced = false;
    for (number, line) in document.lines() {
        fenced ^= line.trim_start().starts_with("```");
        let targets = if fenced { Vec::new() } else { targets(line) };
        for target in targets.into_iter().filter(|target| !target.contains("://")) {
            if !resolves(document, target, tree) {
                findings.push(document.finding(number, &format!("link leads nowhere: {target}")));
            }
        }
    }
    findings
}

/// What the inline links of a line point at.
fn targets(line: &str) -> Vec<&str> {
    let starts = line
        .match_indices("](")
        .filter_map(|(at, _)| line.get(at + 2..));
    starts
        .filter_map(|rest| rest.split_once(')'))
        .map(|(target, _)| target)
        .collect()
}

fn resolves(document: &File, target: &str, tree: &Tree) -> bool {
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = if path.is_empty() {
        document.path.clone()
    } else {
        join(&document.path, path)
    };
    let is_folder = tree
        .files()
        .iter()
        .any(|file| file.path.starts_with(&format!("{path}/")));
    match tree.find(&path) {
        Some(file) => anchor.is_empty() || file.lines().any(|(_, line)| heading(line) == anchor),
        None => is_folder && anchor.is_empty(),
    }
}

/// A heading's anchor, as forges make it; empty for other lines.
fn heading(line: &str) -> String {
    let Some(title) = line.strip_prefix('#') else {
        return String::new();
    };
    let title = title.trim_start_matches('#').trim().to_lowercase();
    let kept = title
        .chars()
        .filter(|letter| letter.is_alphanumeric() || " -_".contains(*letter));
    kept.map(|letter| if letter == ' ' { '-' } else { letter })
        .collect()
}

/// A relative path, as seen from a document, from the root.
fn join(document: &str, path: &str) -> String {
    let mut parts: Vec<&str> = document.split('/').collect();
    parts.pop();
    for part in path.trim_end_matches('/').split('/') {
        match part {
            "." => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_and_anchors_are_read_as_forges_read_them() {
        assert_eq!(
            targets("see [a](docs/a.md#b) and [c](d.md)"),
            ["docs/a.md#b", "d.md"]
        );
        assert_eq!(heading("## What it costs, here"), "what-it-costs-here");
        assert_eq!(join("docs/protocol.md", "../README.md"), "README.md");
        assert_eq!(join("README.md", "docs/"), "docs");
    }

    #[test]
    fn only_names_of_crates_are_taken_for_crates() {
        assert!(is_crate_name("milepost-store"));
        assert!(!is_crate_name("milepost-data/"));
        assert!(!is_crate_name("milepost serve"));
    }
}
