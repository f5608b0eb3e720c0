//! That the documents name everything that the code offers: each problem type, each limit, each
//! command. What they say of it is for people to read; that they say something is checked here.

use super::{Findings, tree::Tree};

/// A source with a pattern to read names from, and the document that must name each.
struct Agreement {
    source: &'static str,
    names: fn(&str) -> Option<String>,
    document: &'static str,
    what: &'static str,
}

const AGREEMENTS: &[Agreement] = &[
    Agreement {
        source: "crates/milepost-semantics/src/problem/types.rs",
        names: problem_type,
        document: "docs/protocol.md",
        what: "problem type",
    },
    Agreement {
        source: "crates/milepost-cli/src/serving/limits.rs",
        names: limit,
        document: "docs/operations.md",
        what: "limit",
    },
    Agreement {
        source: "crates/milepost-cli/src/command/mod.rs",
        names: command,
        document: "docs/cli.md",
        what: "command",
    },
];

pub(super) fn check(tree: &Tree) -> Findings {
    let mut findings = Findings::new();
    for agreement in AGREEMENTS {
        let (Some(source), Some(document)) =
            (tree.find(agreement.source), tree.find(agreement.document))
        else {
            findings.push(format!(
                "{}:1: missing, or {}",
                agreement.source, agreement.document
            ));
            continue;
        };
        let names: Vec<String> = source.text.lines().filter_map(agreement.names).collect();
        if names.is_empty() {
            findings.push(source.finding(1, &format!("no {} can be read here", agreement.what)));
        }
        let untold = names
            .iter()
            .filter(|name| !document.text.contains(&format!("`{name}`")));
        let told = |name: &String| {
            document.finding(1, &format!("does not tell of {} `{name}`", agreement.what))
        };
        findings.extend(untold.map(told));
    }
    findings
}

/// `    NotFound, "notFound", 404, …`
fn problem_type(line: &str) -> Option<String> {
    let (variant, rest) = line.trim().split_once(", \"")?;
    let is_variant = variant.chars().all(char::is_alphanumeric);
    let (name, rest) = rest.split_once("\", ")?;
    let has_status = rest
        .split(',')
        .next()
        .is_some_and(|status| status.parse::<u16>().is_ok());
    (is_variant && has_status).then(|| name.to_owned())
}

/// `    ("depthMax", |s, n| …`
fn limit(line: &str) -> Option<String> {
    let (name, rest) = line.trim().strip_prefix("(\"")?.split_once('"')?;
    rest.starts_with(", |").then(|| name.to_owned())
}

/// `pub(crate) mod serve;`
fn command(line: &str) -> Option<String> {
    let name = line.strip_prefix("pub(crate) mod ")?.strip_suffix(';')?;
    Some(format!("milepost {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_from_the_lines_that_offer_something_and_from_no_others() {
        let line = r#"    NotFound, "notFound", 404, "There is no such resource","#;
        assert_eq!(problem_type(line).as_deref(), Some("notFound"));
        assert_eq!(
            problem_type(r#"        "Nothing stands at this URL, 404.";"#),
            None
        );
        assert_eq!(
            limit(r#"    ("depthMax", |s, n| s.x = n),"#).as_deref(),
            Some("depthMax")
        );
        assert_eq!(
            command("pub(crate) mod serve;").as_deref(),
            Some("milepost serve")
        );
    }
}
