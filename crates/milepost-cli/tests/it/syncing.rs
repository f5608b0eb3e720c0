//! `sync` against a real server: copies end equal, whatever is killed or restored on the way.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, ChildStdout, Stdio},
};

use serde_json::{Value, json};

use crate::stage::{Server, User, agent, define, library, server_and_user};

/// What the server has: id to representation.
fn there(user: &User, collection: &str) -> BTreeMap<String, Value> {
    let lines = user.run(&["list", collection, "--all"]).ok().json_lines();
    let pair = |mut item: Value| {
        (
            item["id"].as_str().unwrap().to_owned(),
            item["value"].take(),
        )
    };
    lines.into_iter().map(pair).collect()
}

/// What a folder has.
fn here(folder: &Path) -> BTreeMap<String, Value> {
    let mut found = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if let Some(id) = name.strip_suffix(".json") {
            let text = std::fs::read(&path).unwrap();
            found.insert(id.to_owned(), serde_json::from_slice(&text).unwrap());
        }
    }
    found
}

fn put(server: &Server, path: &str, value: &Value) {
    let url = format!("{}/{path}", server.url);
    let response = agent()
        .put(url)
        .header("Content-Type", "application/json")
        .header("If-Match", "*")
        .send(value.to_string())
        .unwrap();
    if response.status() == 412 {
        let url = format!("{}/{path}", server.url);
        let request = agent().put(url).header("Content-Type", "application/json");
        assert_eq!(request.send(value.to_string()).unwrap().status(), 201);
    }
}

fn delete(server: &Server, path: &str) {
    let url = format!("{}/{path}", server.url);
    let response = agent().delete(url).header("If-Match", "*").call().unwrap();
    assert_eq!(response.status(), 204);
}

/// A follower in a process of its own; killed when dropped.
struct Following {
    child: Child,
    lines: BufReader<ChildStdout>,
}

impl Following {
    fn start(user: &User, arguments: &[&str]) -> Self {
        let mut command = user.command(arguments);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Self { child, lines }
    }

    /// The next line that it prints.
    fn line(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line:?}"))
    }

    /// Waits until it says that it has so many resources.
    fn until(&mut self, resources: u64) -> Value {
        loop {
            let line = self.line();
            if line["resources"] == resources {
                return line;
            }
        }
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        // As `kill -9` does; it may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_copy_is_the_collection_byte_for_byte_and_a_second_run_fetches_what_changed() {
    let (_data, server, user) = library();
    let ran = user.run(&["sync", "books", "books"]).ok();
    ran.says("equal to the server's by its digest");
    assert_eq!(here(&user.path("books")), there(&user, "books"));
    let first = user
        .run(&["sync", "books", "books.sqlite", "--json"])
        .ok()
        .json();
    assert_eq!(first["verified"], true);
    assert_eq!(first["resources"], first["puts"]);

    put(
        &server,
        "books/solaris",
        &json!({"title": "Solaris, again", "author": "lem", "year": 1961, "copies": 1}),
    );
    delete(&server, "books/emma");
    let second = user
        .run(&["sync", "books", "books.sqlite", "--json"])
        .ok()
        .json();
    assert_eq!(
        (&second["puts"], &second["removals"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(
        (&second["pages"], &second["resyncs"]),
        (&json!(1), &json!(0))
    );
    assert_eq!(second["verified"], true);
    user.run(&["sync", "books", "books"]).ok();
    assert_eq!(here(&user.path("books")), there(&user, "books"));
    let idle = user
        .run(&["sync", "books", "books.sqlite", "--json"])
        .ok()
        .json();
    assert_eq!(idle["bytes"], 0);
    assert_eq!(idle["verified"], true);
}

#[test]
fn children_of_all_parents_are_a_copy_too_proven_by_their_digest() {
    let (_data, _server, user) = library();
    let line = user
        .run(&["sync", "books.reviews", "reviews", "--json"])
        .ok()
        .json();
    assert_eq!(line["verified"], true, "{line}");
    assert_eq!(line["resources"].as_u64(), Some(there_count(&user)));
}

fn there_count(user: &User) -> u64 {
    user.run(&["list", "books.reviews", "--all"])
        .ok()
        .json_lines()
        .len() as u64
}

#[test]
fn a_follower_sees_what_is_written_and_comes_back_from_a_kill_of_its_own_and_of_the_server() {
    let (data, server, user) = server_and_user();
    define(&server, "notes", "{}");
    let url = server.url.clone();
    let sync = ["sync", "notes", "notes.sqlite", "--follow", "--json"];
    let mut following = Following::start(&user, &sync);
    for n in 0..40_u64 {
        put(&server, &format!("notes/n{n}"), &json!({ "n": n }));
        if n == 20 {
            following.until(21);
            // Killed without a word; the next one goes on.
            following = Following::start(&user, &sync);
        }
    }
    assert_eq!(following.until(40)["verified"], true);
    server.kill();
    let server = Server::again(data.path(), &url);
    put(&server, "notes/after", &json!({}));
    delete(&server, "notes/n0");
    put(&server, "notes/last", &json!({}));
    assert_eq!(following.until(41)["verified"], true);
    drop(following);
    user.run(&["sync", "notes", "notes"]).ok();
    assert_eq!(here(&user.path("notes")), there(&user, "notes"));
}

#[test]
fn a_copy_that_is_ahead_of_a_restored_server_becomes_what_was_restored() {
    let (data, server, user) = library();
    let before = there(&user, "books");
    let store = data.path().to_str().unwrap();
    user.run(&["backup", store, "monday.milepost"]).ok();
    for n in 0..5 {
        put(
            &server,
            &format!("books/new{n}"),
            &json!({"title": "New", "author": "lem", "year": 2000, "copies": 1}),
        );
    }
    delete(&server, "books/emma");
    user.run(&["sync", "books", "books"]).ok();
    server.kill();
    user.run(&["restore", "monday.milepost", "elsewhere"]).ok();
    let restored = Server::over(&user.path("elsewhere"));
    let ran = user
        .run(&["sync", "books", "books", "--server", &restored.url])
        .ok();
    ran.says("fetching everything again");
    assert_eq!(here(&user.path("books")), before);
}

#[test]
fn a_copy_that_was_away_for_longer_than_anything_is_remembered_begins_anew() {
    let (_data, server, user) = server_and_user();
    let forgetful = r#"{"retention":{"history":{"count":1},"tombstones":{"count":1}}}"#;
    define(&server, "notes", forgetful);
    for n in 0..6 {
        put(&server, &format!("notes/n{n}"), &json!({ "n": n }));
    }
    let first = user.run(&["sync", "notes", "notes", "--json"]).ok().json();
    for n in 0..4 {
        delete(&server, &format!("notes/n{n}"));
        put(&server, "notes/other", &json!({ "n": n }));
    }
    let changes = format!(
        "{}/notes/changes/{}",
        server.url,
        first["position"].as_str().unwrap()
    );
    // Forgetting goes on beside, step by step.
    while agent().get(&changes).call().unwrap().status() != 410 {
        put(&server, "notes/other", &json!({ "again": changes.len() }));
        delete(&server, "notes/other");
    }
    let ran = user.run(&["sync", "notes", "notes", "--json"]).ok();
    assert_eq!(ran.json()["resyncs"], 1);
    assert_eq!(ran.json()["verified"], true);
    assert_eq!(here(&user.path("notes")), there(&user, "notes"));
}

#[test]
fn a_filtered_copy_lets_go_of_what_no_longer_matches() {
    let (_data, server, user) = library();
    let sync = ["sync", "books", "lem", "--filter", "author=lem"];
    user.run(&sync).ok().says("no digest");
    let all = there(&user, "books");
    let lem: BTreeMap<_, _> = all
        .iter()
        .filter(|(_, book)| book["author"] == "lem")
        .collect();
    let copy = here(&user.path("lem"));
    assert!(!lem.is_empty() && copy.iter().eq(lem.iter().map(|(id, book)| (*id, *book))));
    let (id, book) = copy.first_key_value().unwrap();
    let mut book = book.clone();
    book["author"] = json!("le-guin");
    put(&server, &format!("books/{id}"), &book);
    user.run(&sync).ok();
    assert!(!here(&user.path("lem")).contains_key(id));
    user.run(&["sync", "books", "lem"])
        .code(1)
        .says("not of /v1/books");
}

#[test]
fn edits_are_sent_conflicts_are_merged_or_kept_in_both_versions_and_settled_by_hand() {
    let (_data, server, user) = server_and_user();
    define(&server, "notes", r#"{"schema":{"type":"object"}}"#);
    for id in ["a", "b", "c", "d"] {
        put(&server, &format!("notes/{id}"), &json!({"x": 1, "y": 1}));
    }
    user.run(&["sync", "notes", "notes"]).ok();
    user.file("notes/a.json", r#"{"x":2,"y":1}"#);
    user.run(&["sync", "notes", "notes"])
        .ok()
        .says("1 local edit is not sent");
    user.file("notes/b.json", r#"{"x":2,"y":1}"#);
    user.file("notes/new.json", r#"{"made":"here"}"#);
    std::fs::remove_file(user.path("notes/d.json")).unwrap();
    put(&server, "notes/b", &json!({"x": 1, "y": 5}));
    user.run(&["sync", "notes", "notes", "--push"])
        .ok()
        .says("b: changed on both sides, merged");
    let now = there(&user, "notes");
    assert_eq!(now["a"], json!({"x": 2, "y": 1}));
    assert_eq!(now["b"], json!({"x": 2, "y": 5}));
    assert_eq!(now["new"], json!({"made": "here"}));
    assert!(!now.contains_key("d"));
    assert_eq!(here(&user.path("notes")), now);

    user.file("notes/c.json", r#"{"x":3,"y":1}"#);
    put(&server, "notes/c", &json!({"x": 4, "y": 1}));
    let ran = user.run(&["sync", "notes", "notes", "--push"]).code(4);
    ran.says("both sides changed /x");
    let conflict = std::fs::read(user.path("notes/c.conflict.json")).unwrap();
    let conflict: Value = serde_json::from_slice(&conflict).unwrap();
    assert_eq!(
        (&conflict["here"]["x"], &conflict["server"]["x"]),
        (&json!(3), &json!(4))
    );
    user.file("notes/c.json", r#"{"x":34,"y":1}"#);
    std::fs::remove_file(user.path("notes/c.conflict.json")).unwrap();
    user.run(&["sync", "notes", "notes", "--push"]).ok();
    assert_eq!(there(&user, "notes")["c"]["x"], 34);

    user.file("notes/a.json", "[]");
    let ran = user.run(&["sync", "notes", "notes", "--push"]).code(8);
    ran.says("a is not accepted");
}

#[test]
fn what_can_not_be_copied_is_said_with_what_to_do() {
    let (_data, _server, user) = library();
    user.run(&["sync", "nothing", "nothing"])
        .code(5)
        .says("hint:");
    user.run(&["sync", "books", "x", "--filter", "colour=red"])
        .code(6);
    user.run(&["sync", "books?sort=-year", "y"])
        .code(6)
        .says("can't be followed");
    user.file("mine/1.json", "{}");
    user.run(&["sync", "books", "mine"])
        .code(1)
        .says("choose another target");
    user.run(&["sync", "books", "z", "--on-conflict", "ours"])
        .code(2);
}

#[test]
fn everything_is_one_copy_and_edits_in_any_collection_go_back() {
    let (_data, server, user) = library();
    let first = user
        .run(&["sync", "-/changes", "all", "--json"])
        .ok()
        .json();
    assert_eq!(first["collection"], "everything");
    assert_eq!(here(&user.path("all/books")), there(&user, "books"));
    assert!(user.path("all/-/collections/books.json").is_file());
    define(&server, "notes", "{}");
    put(&server, "notes/n1", &json!({"n": 1}));
    delete(&server, "books/emma");
    user.run(&["sync", "-/changes", "all"]).ok();
    assert_eq!(here(&user.path("all/notes")), there(&user, "notes"));
    assert_eq!(here(&user.path("all/books")), there(&user, "books"));

    user.file("all/notes/n1.json", r#"{"n":2}"#);
    user.file("all/notes/n2.json", "{}");
    std::fs::remove_file(user.path("all/books/solaris.json")).unwrap();
    user.run(&["sync", "-/changes", "all", "--push"]).ok();
    let notes = there(&user, "notes");
    assert_eq!((&notes["n1"], &notes["n2"]), (&json!({"n": 2}), &json!({})));
    assert!(!there(&user, "books").contains_key("solaris"));

    let copied = user
        .run(&["sync", "-/changes", "all.sqlite", "--json"])
        .ok();
    assert!(copied.json()["resources"].as_u64().unwrap() > there_count(&user));
    user.run(&["sync", "books", "all.sqlite"])
        .code(1)
        .says("as a part of everything already");
}

#[test]
fn a_first_sync_that_fails_leaves_nothing_behind_and_a_later_one_everything() {
    let (_data, _server, user) = library();
    for target in ["nothing", "nothing.sqlite"] {
        user.run(&["sync", "nothing", target]).code(5);
        assert!(!user.path(target).exists(), "{target}");
        user.run(&["sync", "books", target]).ok();
        user.run(&["sync", "nothing", target])
            .code(if target == "nothing" { 1 } else { 5 });
        user.run(&["sync", "books", target]).ok().says("+0 −0");
    }
}
