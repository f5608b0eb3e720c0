//! `backup`, `restore` and `check`.

use crate::stage::{Server, User, library};

#[test]
fn a_backup_of_a_running_server_restores_to_what_it_was_then_with_a_new_history() {
    let (data, server, user) = library();
    let before = user.run(&["export", "books"]).ok().stdout;
    let data = data.path().to_str().unwrap();
    user.run(&["backup", data, "monday.milepost"]).ok();
    let old_tag = changed(&user);
    user.run(&["backup", data, "monday.milepost"])
        .code(1)
        .says("already exists");
    server.kill();

    user.run(&["restore", "monday.milepost", "elsewhere"])
        .ok()
        .says("with a new history");
    user.run(&["restore", "monday.milepost", "elsewhere"])
        .code(1)
        .says("elsewhere is not empty");
    let restored = Server::over(&user.path("elsewhere"));
    let user = User::of(&restored);
    assert_eq!(user.run(&["export", "books"]).ok().stdout, before);
    // The same number of writes was made in either history: the tags must not be taken for another.
    let new_tag = changed(&user);
    assert_ne!(history(&new_tag), history(&old_tag));
    user.run(&[
        "patch",
        "books/solaris",
        "copies:=5",
        "--if-match",
        &old_tag,
    ])
    .code(4);
}

/// Changes a book; its new entity tag.
fn changed(user: &User) -> String {
    user.run(&["get", "books/solaris"]).ok();
    let patched = user
        .run(&["patch", "books/solaris", "copies:=99", "--json"])
        .ok()
        .json();
    patched["etag"].as_str().unwrap().to_owned()
}

/// The history id in an entity tag.
fn history(tag: &str) -> &str {
    tag.trim_matches('"').split('.').next().unwrap()
}

#[test]
fn a_check_tells_what_it_saw_also_while_a_server_runs() {
    let (data, server, user) = library();
    let directory = data.path().to_str().unwrap();
    let report = user
        .run(&["check", directory, "--json"])
        .ok()
        .says("whole: ")
        .json();
    assert_eq!(report["faults"], serde_json::json!([]));
    assert!(report["resources"].as_u64().unwrap() >= 50);
    server.kill();
    user.run(&["check", directory]).ok();
    user.run(&["check", "nowhere"])
        .code(5)
        .says("nowhere is not a Milepost store");
}

#[test]
fn a_damaged_store_is_not_said_to_be_whole() {
    let (data, server, user) = library();
    assert_eq!(server.stop(), Some(0));
    let (kept, copy) = (data.path().join("kept"), data.path().join("copy"));
    let (kept, place) = (kept.to_str().unwrap(), copy.to_str().unwrap());
    user.run(&["backup", data.path().to_str().unwrap(), kept])
        .ok();
    user.run(&["restore", kept, place]).ok();
    user.run(&["check", place]).ok();
    // What was restored lies in its file, and nothing in a log beside it.
    let file = copy.join("store.sqlite");
    let mut bytes = std::fs::read(&file).unwrap();
    let middle = bytes.len() / 2;
    for byte in bytes.iter_mut().skip(middle) {
        *byte ^= 0x5a;
    }
    std::fs::write(&file, bytes).unwrap();
    user.run(&["check", place]).code(1);
}
