//! The auditor over three nodes, any of which may answer, while they are killed and started again: with writes,
//! with restarts between requests; then, left alone, whether their memory grows with their clients.

use std::{net::SocketAddr, path::Path};

use serde_json::Value;

use super::site::Site;
use crate::{
    cargo::{program, read},
    cluster::{
        load::{Answer, Ask, ask},
        node::Node,
        place::Place,
    },
    say,
};

/// Where the auditor may write.
const SANDBOX: &str = "/v1/shelves";
const DEFINITION: &str = r#"{ "title": "Shelves", "indexes": { "room": "/room" } }"#;
const SHELVES: u32 = 7;
/// More tell nothing that these don't.
const OPERATIONS_MAX: &str = "40";
/// What applies to a service that sets no cookie and isn't on loopback: all of it has to look at something.
const RESTARTED: &[&str] = &[
    "SC-1", "OR-1", "UR-1", "HS-1", "CN-2", "UA-1", "OR-2", "OR-3", "MT-1", "RP-1", "RP-2", "RP-3",
    "CC-1", "CC-2", "CC-3", "SB-1", "SB-2", "PG-1", "PG-2", "PG-3", "OA-1", "OA-6", "CA-1", "CA-2",
    "CA-3", "CA-4", "CA-5", "LK-1", "IK-1",
];
const MEASURED: &[&str] = &["MM-1", "SB-1"];

/// Audits the nodes, and starts those again that the auditor has restarted.
///
/// # Errors
/// What the auditor found, or a check that looked at nothing.
pub(super) fn check(site: &mut Site, milepost: &Path) -> Result<(), String> {
    fill(site.addresses()?.first().copied().ok_or("no nodes")?)?;
    let place = &site.assembly.place;
    let restarts: Result<Vec<String>, String> = site
        .nodes
        .iter()
        .map(|node| node.restarting(place))
        .collect();
    let mut words = base(site)?;
    words.extend(["--write", "--sandbox", SANDBOX].map(str::to_owned));
    words.extend(["--restart-cmd".to_owned(), restarts?.join("; ")]);
    words.extend(["--har".to_owned(), pages(site)?]);
    let said = audit(milepost, place, words, RESTARTED);
    // Whom the auditor's command has started nobody waits for.
    for node in &mut site.nodes {
        node.kill_all(place);
        node.start(place)?;
    }
    site.nodes
        .iter_mut()
        .try_for_each(|node: &mut Node| node.wait_until_ready(place))?;
    said?;
    measure(site, milepost)
}

/// Asks the first node, whose memory is looked at.
fn measure(site: &Site, milepost: &Path) -> Result<(), String> {
    let node = site.nodes.first().ok_or("no nodes")?;
    let process = node.process().ok_or("the first node doesn't run")?;
    let mut words = base(site)?;
    words.extend(["--pid".to_owned(), process.to_string()]);
    for check in MEASURED {
        words.extend(["--check".to_owned(), (*check).to_owned()]);
    }
    audit(milepost, &site.assembly.place, words, MEASURED)
}

/// The nodes, the first one as the service and the others as its replicas.
fn base(site: &Site) -> Result<Vec<String>, String> {
    let mut words = vec!["audit".to_owned()];
    for (number, address) in site.addresses()?.iter().enumerate() {
        if number > 0 {
            words.push("--replica".to_owned());
        }
        words.push(format!("http://{address}/v1/"));
    }
    let rest = ["--i-operate-this-host", "--operations", OPERATIONS_MAX];
    words.extend(rest.map(str::to_owned));
    Ok(words)
}

/// Runs it, and looks whether every check of these has looked at something.
fn audit(
    milepost: &Path,
    place: &Place,
    mut words: Vec<String>,
    checks: &[&str],
) -> Result<(), String> {
    let report = place.path("audited");
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
fn fill(node: SocketAddr) -> Result<(), String> {
    put(node, "/v1/-/collections/shelves", DEFINITION.to_owned())?;
    for number in 1..=SHELVES {
        let shelf = format!(r#"{{ "room": "{number}", "books": {} }}"#, number * 40);
        put(node, &format!("{SANDBOX}/s{number}"), shelf)?;
    }
    Ok(())
}

fn put(node: SocketAddr, target: &str, body: String) -> Result<(), String> {
    let answer = ask(node, &Ask::put(target, body));
    match &answer {
        Answer::Told(response) if matches!(response.status, 200 | 201 | 204) => Ok(()),
        _ => Err(format!("PUT {target}: {answer:?}")),
    }
}
