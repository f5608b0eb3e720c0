//! That every crate is under the workspace's lints, that the server's stricter `clippy.toml`
//! repeats the workspace's (clippy reads only the nearest), and that licences are allowed ones.

use super::{
    Findings,
    tree::{File, Tree},
    workspace::Workspace,
};

pub(super) fn check(tree: &Tree, workspace: &Workspace) -> Findings {
    let mut findings = Findings::new();
    for member in workspace.members() {
        let path = format!(
            "{}/Cargo.toml",
            member.folder.as_deref().unwrap_or_default()
        );
        let inherits = tree
            .find(&path)
            .is_some_and(|file| file.text.contains("[lints]\nworkspace = true"));
        if !inherits {
            findings.push(format!("{path}:1: without the workspace's lints"));
        }
    }
    findings.extend(repeated(tree));
    findings.extend(licences(tree, workspace));
    findings
}

fn repeated(tree: &Tree) -> Findings {
    let Some(outer) = tree.find("clippy.toml") else {
        return vec!["clippy.toml:1: missing".to_owned()];
    };
    let is_nested = |file: &&File| file.path.ends_with("/clippy.toml");
    let mut findings = Findings::new();
    for inner in tree.files().iter().filter(is_nested) {
        let settings = outer.text.lines().filter(|line| line.contains('='));
        let missing = settings.filter(|line| !inner.text.contains(line.trim()));
        findings
            .extend(missing.map(|line| inner.finding(1, &format!("must repeat: {}", line.trim()))));
    }
    findings
}

/// Every dependency offers at least one licence that `deny.toml` allows for each of its terms.
fn licences(tree: &Tree, workspace: &Workspace) -> Findings {
    let Some(deny) = tree.find("deny.toml") else {
        return vec!["deny.toml:1: missing".to_owned()];
    };
    let allowed: Vec<&str> = deny.text.split('"').skip(1).step_by(2).collect();
    let refused = |licence: &Option<String>| {
        !licence
            .as_deref()
            .is_some_and(|expression| is_allowed(expression, &allowed))
    };
    let packages = workspace
        .packages()
        .filter(|package| refused(&package.licence));
    let told = |licence: &Option<String>| licence.clone().unwrap_or_else(|| "none told".to_owned());
    packages
        .map(|package| {
            format!(
                "{}: licence {} is not in deny.toml",
                package.name,
                told(&package.licence)
            )
        })
        .collect()
}

/// Decides an SPDX expression of `AND`, `OR` and brackets by looking at its alternatives.
fn is_allowed(expression: &str, allowed: &[&str]) -> bool {
    let flat = expression.replace(['(', ')'], " ").replace('/', " OR ");
    let term = |term: &str| {
        let alternatives: Vec<&str> = term.split(" OR ").map(str::trim).collect();
        alternatives.iter().any(|name| allowed.contains(name))
    };
    if expression.contains(") OR") || expression.contains("OR (") {
        return flat.split(" OR ").any(|side| {
            side.split(" AND ")
                .all(|name| allowed.contains(&name.trim()))
        });
    }
    flat.split(" AND ").all(term)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_licence_expression_is_allowed_when_one_of_its_choices_is() {
        let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"];
        assert!(is_allowed("MIT OR Apache-2.0", &allowed));
        assert!(is_allowed("MIT/Unlicense", &allowed));
        assert!(is_allowed("(MIT OR Zlib) AND Unicode-3.0", &allowed));
        assert!(is_allowed("Zlib OR (MIT AND Unicode-3.0)", &allowed));
        assert!(!is_allowed("MIT AND GPL-3.0", &allowed));
        assert!(!is_allowed("AGPL-3.0", &allowed));
    }
}
