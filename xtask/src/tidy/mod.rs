//! The project's own rules, those that no general tool knows: which crate may name what, how
//! files begin and how long they are, which words are not used, and that the documents agree
//! with the workspace.
//!
//! Each rule looks at text or at `cargo metadata`; none of them builds anything.

mod agreement;
mod documents;
mod javascript;
mod layers;
mod lints;
mod names;
mod sources;
mod tree;
mod workspace;

use crate::say;
use tree::Tree;
use workspace::Workspace;

/// What is wrong, each as `path:line: what and why`.
type Findings = Vec<String>;

/// Checks all rules and prints what breaks them.
///
/// # Errors
/// How many findings there are, or why the rules could not be checked.
pub(crate) fn run() -> Result<(), String> {
    let tree = Tree::of_the_project()?;
    let workspace = Workspace::read()?;
    let mut findings = Findings::new();
    for file in tree.sources() {
        findings.extend(sources::check(file));
        findings.extend(names::check(file));
    }
    findings.extend(layers::check(&workspace));
    findings.extend(lints::check(&tree, &workspace));
    findings.extend(documents::check(&tree, &workspace));
    findings.extend(agreement::check(&tree));
    findings.extend(javascript::check(&tree));
    for finding in &findings {
        say::talk(finding);
    }
    match findings.len() {
        0 => Ok(()),
        count => Err(format!("{count} finding(s) against the project's rules")),
    }
}
