//! A disk that loses what was not synced, and one whose sync fails.
//!
//! `kill -9` leaves the operating system with everything that was written; a machine that loses its
//! power does not. Here the server runs with `fault.c` preloaded, which keeps aside what each sync
//! made durable and kills the process in the middle of the n-th: what is kept aside is all that such
//! a machine would find again. Counted in syncs, so that each test is the same every time.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use ureq::Agent;

use crate::stage::{MILEPOST, Server, User, agent, define};

/// The collection that is written to, and how often before the disk is cut off.
const WRITES_MAX: u64 = 400;

/// The library to preload, compiled once: the C compiler is there, SQLite is built with it.
fn library() -> &'static Path {
    static BUILT: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_kept, library) = BUILT.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let library = directory.path().join("fault.so");
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/it/disk/fault.c");
        let compiled = Command::new(std::env::var("CC").unwrap_or_else(|_| "cc".to_owned()))
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .arg(&library)
            .args([source, "-ldl", "-lpthread"])
            .status()
            .unwrap();
        assert!(compiled.success());
        (directory, library)
    });
    library
}

/// A server whose disk goes at the `at`-th sync.
fn server(data: &Path, at: Option<u64>, durable: Option<&Path>) -> Server {
    let mut command = Command::new(MILEPOST);
    command.arg("serve").arg("--data").arg(data);
    command.env("LD_PRELOAD", library());
    command.env("FAULT_COUNT", data.with_extension("syncs"));
    if let Some(at) = at {
        command.env("FAULT_AT", at.to_string());
    }
    if let Some(durable) = durable {
        command.env("FAULT_DURABLE", durable);
    }
    Server::spawned(command)
}

/// How many syncs there were until now.
fn syncs(data: &Path) -> u64 {
    let text = fs::read_to_string(data.with_extension("syncs")).unwrap();
    text.trim().parse().unwrap()
}

/// Replaces one of ten resources; the status, or `None` where nobody answers.
fn put(agent: &Agent, url: &str, number: u64) -> Option<u16> {
    let body = json!({ "number": number, "filler": "x".repeat(700) });
    let response = agent
        .put(format!("{url}/numbers/n{}", number % 10))
        .header("Content-Type", "application/json")
        .send(body.to_string())
        .ok()?;
    Some(response.status().as_u16())
}

fn numbers(server: &Server) -> Vec<u64> {
    let items = User::of(server)
        .run(&["list", "numbers", "--all"])
        .ok()
        .json_lines();
    let number = |item: Value| item["value"]["number"].as_u64().unwrap();
    items.into_iter().map(number).collect()
}

/// A store with its collection, and how many syncs it takes to open it again.
fn store() -> (TempDir, PathBuf, u64) {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let first = server(&data, None, None);
    define(
        &first,
        "numbers",
        r#"{ "preconditions": "optional", "indexes": { "number": "/number" } }"#,
    );
    first.stop();
    let again = server(&data, None, None);
    let opening = syncs(&data);
    again.stop();
    (directory, data, opening)
}

#[test]
fn a_disk_that_loses_all_that_was_not_synced_loses_nothing_that_was_acknowledged() {
    for after in [1, 2, 3, 7, 20, 61, 150] {
        let (directory, data, opening) = store();
        let durable = directory.path().join("durable");
        copy(&data, &durable);
        let cut_off = server(&data, Some(opening + after), Some(&durable));
        let agent = agent();
        let acknowledged = (0..WRITES_MAX)
            .take_while(|number| put(&agent, &cut_off.url, *number).is_some())
            .last();
        assert!(acknowledged < Some(WRITES_MAX - 1), "the disk never went");
        drop(cut_off);
        let checked = User::at("http://127.0.0.1:1").run(&["check", durable.to_str().unwrap()]);
        checked.ok();
        let found = numbers(&Server::over(&durable));
        let newest = found.iter().copied().max();
        assert!(
            newest >= acknowledged && newest <= acknowledged.map_or(Some(0), |last| Some(last + 1)),
            "cut off {after} syncs after opening: {newest:?} is there, {acknowledged:?} was acknowledged"
        );
        let expected = newest.map_or(0, |newest| (newest + 1).min(10));
        assert_eq!(found.len() as u64, expected, "each write is there whole");
    }
}

#[test]
fn after_a_failed_sync_reads_go_on_and_no_write_is_taken_until_a_restart() {
    let (_directory, data, opening) = store();
    let failing = server(&data, Some(opening + 5), None);
    let agent = agent();
    let statuses: Vec<u16> = (0..8)
        .map_while(|number| put(&agent, &failing.url, number))
        .collect();
    let acknowledged = statuses.iter().filter(|status| **status == 201).count();
    assert!(acknowledged < 8 && statuses[acknowledged..].iter().all(|status| *status == 503));
    assert_eq!(
        numbers(&failing).len(),
        acknowledged,
        "what was acknowledged is read"
    );
    let health = agent.get(format!("{}/health", failing.url)).call().unwrap();
    let health: Value =
        serde_json::from_str(&health.into_body().read_to_string().unwrap()).unwrap();
    assert_eq!(health["status"], "DEGRADED");
    failing.kill();
    let restarted = Server::over(&data);
    let found = numbers(&restarted).len();
    assert!(
        found == acknowledged || found == acknowledged + 1,
        "{found} of {acknowledged}"
    );
    assert_eq!(
        put(&agent, &restarted.url, 9),
        Some(201),
        "it takes writes again"
    );
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
}
