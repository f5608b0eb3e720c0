//! Which crate may depend on which: the arrows of ARCHITECTURE.md, held by `cargo metadata`.

use super::{Findings, workspace::Workspace};

/// Dependencies that only the named members may have, directly.
const TERRITORIES: &[(&[&str], &[&str])] = &[
    (
        &["hyper", "hyper-util", "axum", "tower"],
        &["milepost-server", "milepost-bench", "bank"],
    ),
    (
        &["rusqlite", "libsqlite3-sys"],
        &["milepost-store", "milepost-sync", "milepost-bench"],
    ),
    (
        &["tokio-postgres", "deadpool", "deadpool-postgres"],
        &["milepost-postgres"],
    ),
    (
        &["aes-gcm-siv", "chacha20poly1305", "hkdf"],
        &["milepost-seal"],
    ),
    (&["clap", "indicatif"], &["milepost-cli"]),
    (&["ureq"], &["milepost-cli", "milepost-sync"]),
];

/// What the pure crate may not be built on, however indirectly.
const IMPURE: &[&str] = &[
    "tokio",
    "hyper",
    "axum",
    "rusqlite",
    "libsqlite3-sys",
    "mio",
    "ureq",
];

/// Which members a member may depend on; one that is not listed may depend on any.
const ARROWS: &[(&str, &[&str])] = &[
    ("milepost-semantics", &[]),
    ("milepost-store", &["milepost-semantics"]),
    (
        "milepost-postgres",
        &["milepost-semantics", "milepost-store"],
    ),
    ("milepost-seal", &[]),
    (
        "milepost-server",
        &["milepost-semantics", "milepost-store", "milepost-seal"],
    ),
    ("milepost-sync", &["milepost-semantics"]),
    ("milepost-audit", &["milepost-semantics"]),
];

/// Names that would gather whatever fits nowhere else.
const DUMPS: &[&str] = &["common", "core", "utils", "util", "types", "shared"];

pub(super) fn check(workspace: &Workspace) -> Findings {
    let mut findings = Findings::new();
    let own: Vec<&str> = workspace
        .members()
        .map(|member| member.name.as_str())
        .collect();
    for member in workspace.members() {
        let name = member.name.as_str();
        if name.split('-').any(|word| DUMPS.contains(&word)) {
            findings.push(format!(
                "{name}: a crate stands for a direction, not for a drawer"
            ));
        }
        for dependency in workspace.direct(member) {
            if let Some(what) = forbidden(name, dependency, &own) {
                findings.push(format!("{name} depends on {dependency}: {what}"));
            }
        }
        if name == "milepost-semantics" {
            let built_on = workspace.transitive(member);
            let impure = IMPURE.iter().filter(|word| built_on.contains(**word));
            findings.extend(impure.map(|word| format!("{name} is built on {word}: it is pure")));
        }
    }
    findings
}

fn forbidden(member: &str, dependency: &str, own: &[&str]) -> Option<String> {
    let foreign = TERRITORIES
        .iter()
        .find(|(words, allowed)| words.contains(&dependency) && !allowed.contains(&member));
    if let Some((_, allowed)) = foreign {
        return Some(format!("only {} may", allowed.join(", ")));
    }
    let (_, allowed) = ARROWS.iter().find(|(name, _)| *name == member)?;
    let against = own.contains(&dependency) && !allowed.contains(&dependency);
    against.then(|| "against the arrows of ARCHITECTURE.md".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &[&str] = &[
        "milepost-semantics",
        "milepost-store",
        "milepost-server",
        "milepost-sync",
    ];

    #[test]
    fn an_arrow_that_points_back_is_found() {
        assert!(forbidden("milepost-store", "milepost-server", OWN).is_some());
        assert!(forbidden("milepost-audit", "milepost-server", OWN).is_some());
        assert!(forbidden("milepost-audit", "milepost-semantics", OWN).is_none());
        assert!(forbidden("milepost-server", "milepost-store", OWN).is_none());
        assert!(forbidden("milepost-sync", "milepost-store", OWN).is_some());
        assert!(forbidden("milepost-seal", "milepost-semantics", OWN).is_some());
        assert!(forbidden("milepost-sync", "milepost-server", OWN).is_some());
        assert!(forbidden("milepost-sync", "milepost-semantics", OWN).is_none());
    }

    #[test]
    fn a_foreign_crate_outside_its_territory_is_found() {
        assert!(forbidden("milepost-server", "rusqlite", OWN).is_some());
        assert!(forbidden("milepost-store", "rusqlite", OWN).is_none());
        assert!(forbidden("milepost-cli", "hyper", OWN).is_some());
        assert!(forbidden("milepost-server", "chacha20poly1305", OWN).is_some());
        assert!(forbidden("milepost-seal", "chacha20poly1305", OWN).is_none());
    }
}
