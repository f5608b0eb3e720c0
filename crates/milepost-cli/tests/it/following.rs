//! The shell's follower in `docs/`: thirty lines of `curl` and `jq` hold what the collection holds.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use serde_json::Value;

use crate::stage::{Server, User, agent, define};

/// A resource's tag and value, by id.
type Held = BTreeMap<String, (Value, Value)>;

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/follow.sh")
}

fn follow(url: &str, folder: &Path, wait: &str) -> Command {
    for tool in ["curl", "jq"] {
        let there = Command::new(tool).arg("--version").output().is_ok();
        assert!(there, "{tool} is needed: apt-get install {tool}");
    }
    let mut command = Command::new("sh");
    command.arg(script()).args([url]).arg(folder).arg(wait);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    command
}

/// Lets the follower come up to date.
fn catch_up(url: &str, folder: &Path) {
    let followed = follow(url, folder, "0").output().unwrap();
    assert!(followed.status.success(), "{followed:?}");
}

/// What stands in a collection, by its listing.
fn listed(url: &str) -> Held {
    let text = agent()
        .get(url.replace("pageSize=3", "pageSize=1000"))
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    let page: Value = serde_json::from_str(&text).unwrap();
    assert!(page["resume"].is_string(), "{page}");
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let id = item["id"].as_str().unwrap().to_owned();
            (id, (item["etag"].clone(), item["value"].clone()))
        })
        .collect()
}

/// What the follower holds.
fn held(folder: &Path) -> Held {
    let entries = std::fs::read_dir(folder.join("items")).unwrap();
    entries
        .map(|entry| {
            let path = entry.unwrap().path();
            let id = path.file_stem().unwrap().to_str().unwrap().to_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            let item: Value = serde_json::from_str(&text).unwrap();
            (id, (item["etag"].clone(), item["value"].clone()))
        })
        .collect()
}

fn put(server: &Server, id: &str, body: &str) {
    let request = agent().put(format!("{}/notes/{id}", server.url));
    let request = request.header("Content-Type", "application/json");
    let status = request.send(body).unwrap().status();
    assert!(status.is_success(), "{status}");
}

fn delete(server: &Server, id: &str) {
    let url = format!("{}/notes/{id}", server.url);
    assert_eq!(agent().delete(url).call().unwrap().status(), 204);
}

fn ended(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn the_shell_s_follower_holds_what_the_collection_holds_whatever_happens() {
    let (data, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let server = Server::over(data.path());
    define(
        &server,
        "notes",
        r#"{"indexes":{"owner":"/owner"},"preconditions":"optional"}"#,
    );
    for number in 0..5 {
        put(&server, &format!("n{number}"), r#"{"owner":"ada"}"#);
    }
    let of = |server: &Server| format!("{}/notes?owner=ada&pageSize=3", server.url);
    catch_up(&of(&server), folder.path());
    assert_eq!(held(folder.path()), listed(&of(&server)));
    assert_eq!(held(folder.path()).len(), 5);
    // Changed, left the filter, deleted, made: while nobody followed.
    put(
        &server,
        "n0",
        r#"{"owner":"ada","text":"two  spaces \"quoted\" \\ é\n"}"#,
    );
    put(&server, "n1", r#"{"owner":"bob"}"#);
    delete(&server, "n2");
    put(&server, "new", r#"{"owner":"ada"}"#);
    // A follower that waits, killed at some moment, with the server after it.
    let waiting = follow(&of(&server), folder.path(), "20").spawn().unwrap();
    for number in 0..5 {
        put(&server, &format!("w{number}"), r#"{"owner":"ada"}"#);
    }
    ended(waiting);
    server.kill();
    let server = Server::over(data.path());
    delete(&server, "w2");
    catch_up(&of(&server), folder.path());
    assert_eq!(held(folder.path()), listed(&of(&server)));
    // A backup is restored: what the follower saw since then never happened.
    let user = User::of(&server);
    let backup = user.path("backup.milepost");
    let (backup, restored) = (backup.to_str().unwrap(), user.path("restored"));
    let data = data.path().to_str().unwrap();
    user.run(&["backup", data, backup]).ok();
    put(&server, "lost", r#"{"owner":"ada"}"#);
    delete(&server, "n0");
    catch_up(&of(&server), folder.path());
    assert!(held(folder.path()).contains_key("lost"));
    server.kill();
    user.run(&["restore", backup, restored.to_str().unwrap()])
        .ok();
    let server = Server::over(&restored);
    put(&server, "n4", r#"{"owner":"eve"}"#);
    catch_up(&of(&server), folder.path());
    assert_eq!(held(folder.path()), listed(&of(&server)));
    assert!(held(folder.path()).contains_key("n0"));
}
