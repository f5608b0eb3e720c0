//! The auditor over three nodes, any of which may answer, while they are killed and started again: with writes,
//! with restarts between requests; then, left alone, whether their memory grows with their clients.

use std::{net::SocketAddr, path::Path};

use serde_json::Value;

use super::site::Site;
use crate::{
    cargo::{program, read},
    cluster::{load::put, node::Node, place::Place},
    protocol::LIMITS,
    say,
};

/// Where the auditor may write.
const SANDBOX: &str = "/v1/shelves";
const DEFINITION: &str = r#"{ "title": "Shelves", "indexes": { "room": "/room" } }"#;
const SHELVES: u32 = 7;
/// What tells users apart, beside it.
const DIARIES: &str = r#"{ "title": "Diaries",
  "rules": { "read": "subject != null && resource.owner == subject.id", "write": "true" } }"#;
const USERS: [&str; 2] = ["ada", "bob"];
/// The nodes are ours; more operations tell nothing that these don't.
const MODEST: [&str; 3] = ["--i-operate-this-host", "--operations", "40"];
/// What applies to a service that sets no cookie and isn't on loopback: all of it has to look at something.
const RESTARTED: &[&str] = &[
    "SC-1", "OR-1", "UR-1", "HS-1", "CN-1", "CN-2", "UA-1", "OR-2", "OR-3", "MT-1", "RP-1", "RP-2",
    "RP-3", "CC-1", "CC-2", "CC-3", "SB-1", "SB-2", "PG-1", "PG-2", "PG-3", "OA-1", "OA-6", "CA-1",
    "CA-2", "CA-3", "CA-4", "CA-5", "LK-1", "IK-1",
];
const MEASURED: &[&str] = &["MM-1", "SB-1"];

/// Audits the nodes, and starts those again that the auditor has restarted.
///
/// # Errors
/// What the auditor found, or a check that looked at nothing.
pub(super) fn check(site: &mut Site, milepost: &Path) -> Result<(), String> {
    fill(site.addresses()?.first().copied().ok_or("no nodes")?)?;
    let key = site.assembly.place.path("tokens.jwk").display().to_string();
    let [ada, bob] = USERS.map(|user| token(milepost, &key, user));
    let bearers = [ada?, bob?];
    site.tell(&["--limit", LIMITS, "--issuer", &key]);
    site.restart()?;
    let said = restarted(site, milepost, bearers);
    site.limit(LIMITS);
    // Whom the auditor's command has started nobody waits for.
    let restarted = site.restart();
    said.and(restarted)?;
    let node = site.nodes.first().ok_or("no nodes")?;
    measure(node, &site.assembly.place, milepost)?;
    // Rules hide what is of no concern to what is looked at next.
    site.begin_anew()
}

/// With writes by two users, and with restarts between requests.
fn restarted(site: &Site, milepost: &Path, bearers: [String; 2]) -> Result<(), String> {
    let place = &site.assembly.place;
    let restarts = site.nodes.iter().map(|node| node.restarting(place));
    let restarts = restarts.collect::<Result<Vec<String>, String>>()?;
    let mut words = vec!["audit".to_owned()];
    for (number, address) in site.addresses()?.into_iter().enumerate() {
        if number > 0 {
            words.push("--replica".to_owned());
        }
        words.push(base(address));
    }
    words.extend(MODEST.map(str::to_owned));
    let [bearer, bearer2] = bearers;
    for (name, value) in [
        ("--sandbox", SANDBOX.to_owned()),
        ("--restart-cmd", restarts.join("; ")),
        ("--har", pages(site)?),
        ("--bearer", bearer),
        ("--bearer2", bearer2),
    ] {
        words.extend([name.to_owned(), value]);
    }
    words.push("--write".to_owned());
    audit("restarted", milepost, place, words, RESTARTED)
}

/// A token for somebody, by an issuer whose key lies here.
fn token(milepost: &Path, key: &str, subject: &str) -> Result<String, String> {
    let words = ["token", "--key", key, "--subject", subject];
    let token = read(program(milepost).args(words))?;
    Ok(token.trim().to_owned())
}

/// Whether a node's memory grows with its clients.
///
/// # Errors
/// As [`check`].
pub(super) fn measure(node: &Node, place: &Place, milepost: &Path) -> Result<(), String> {
    let process = node.process().ok_or("the node doesn't run")?;
    let mut words = vec!["audit".to_owned(), base(node.address()?)];
    words.extend(MODEST.map(str::to_owned));
    words.extend(["--pid".to_owned(), process.to_string()]);
    for check in MEASURED {
        words.extend(["--check".to_owned(), (*check).to_owned()]);
    }
    // Where memory is too unsteady to say anything the report says so; growth is a finding either way.
    audit("measured", milepost, place, words, &["SB-1"])
}

fn base(node: SocketAddr) -> String {
    format!("http://{node}/v1/")
}

/// Runs it, and looks whether every check of these has looked at something.
fn audit(
    name: &str,
    milepost: &Path,
    place: &Place,
    mut words: Vec<String>,
    checks: &[&str],
) -> Result<(), String> {
    let report = place.path(&format!("audited-{name}"));
    let forms = "--fail-on warn --format json --format terminal --output";
    words.extend(forms.split(' ').map(str::to_owned));
    words.push(report.display().to_string());
    let ran = read(program(milepost).args(words).current_dir(place.path("")));
    let told = |ending| std::fs::read_to_string(report.with_extension(ending)).unwrap_or_default();
    say::talk(&told("txt"));
    ran?;
    let report: Value = serde_json::from_str(&told("json")).unwrap_or_default();
    let matrix = report.pointer("/coverage/matrix").and_then(Value::as_array);
    let looked_at = |check: &&str| {
        matrix
            .into_iter()
            .flatten()
            .any(|cell| cell.get("check").and_then(Value::as_str) == Some(check))
    };
    let idle: Vec<&str> = checks.iter().copied().filter(|it| !looked_at(it)).collect();
    if idle.is_empty() {
        return Ok(());
    }
    Err(format!("{} looked at nothing", idle.join(", ")))
}

/// A listing in pages, which no link from the root leads to.
fn pages(site: &Site) -> Result<String, String> {
    let address = site.addresses()?.first().copied().ok_or("no nodes")?;
    let page = format!("http://{address}{SANDBOX}?pageSize=2");
    let text =
        format!(r#"{{"log":{{"entries":[{{"request":{{"method":"GET","url":"{page}"}}}}]}}}}"#);
    let file = site.assembly.place.file("pages.har", &text)?;
    Ok(file.display().to_string())
}

/// What there is to look at.
///
/// # Errors
/// When it isn't taken.
pub(super) fn fill(node: SocketAddr) -> Result<(), String> {
    put(node, "/v1/-/collections/shelves", DEFINITION.to_owned())?;
    for number in 1..=SHELVES {
        let shelf = format!(r#"{{ "room": "{number}", "books": {} }}"#, number * 40);
        put(node, &format!("{SANDBOX}/s{number}"), shelf)?;
    }
    put(node, "/v1/-/collections/diaries", DIARIES.to_owned())?;
    for user in USERS {
        let diary = format!(r#"{{ "owner": "{user}" }}"#);
        put(node, &format!("/v1/diaries/{user}"), diary)?;
    }
    Ok(())
}
