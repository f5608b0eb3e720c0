//! `milepost keys`, and the ring that a server keeps.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path};

use serde_json::Value;

use crate::stage::{Server, User};

fn somebody() -> User {
    User::at("http://127.0.0.1:9")
}

fn states(user: &User, place: &[&str]) -> Vec<String> {
    let mut arguments = vec!["keys", "list", "--json"];
    arguments.extend(place);
    let keys = user.run(&arguments).ok().json_lines();
    let state = |key: &Value| key["state"].as_str().unwrap().to_owned();
    keys.iter().map(state).collect()
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn keys_live_from_created_over_active_and_expired_to_revoked() {
    let user = somebody();
    let shared = ["--keys", "shared.json"];
    user.run(&["keys", "create", shared[0], shared[1]])
        .ok()
        .says("made, with key");
    assert_eq!(mode(&user.path("shared.json")), 0o600);
    user.run(&["keys", "create", shared[0], shared[1]])
        .ok()
        .says("seals nothing before milepost keys rotate");
    assert_eq!(states(&user, &shared), ["active", "created"]);
    user.run(&["keys", "rotate", shared[0], shared[1]])
        .ok()
        .says("still opens")
        .says("SIGHUP");
    assert_eq!(states(&user, &shared), ["expired", "active"]);

    let keys = user
        .run(&["keys", "list", "--json", shared[0], shared[1]])
        .json_lines();
    let id = |place: usize| keys[place]["id"].as_str().unwrap().to_owned();
    user.run(&["keys", "revoke", &id(1), shared[0], shared[1]])
        .code(1)
        .says("is the one that seals")
        .says("milepost keys rotate first");
    user.run(&["keys", "revoke", &id(0), shared[0], shared[1]])
        .ok();
    assert_eq!(states(&user, &shared), ["revoked", "active"]);
    user.run(&["keys", "revoke", "aaaaaaaa", shared[0], shared[1]])
        .code(5)
        .says("has no key aaaaaaaa");
    user.run(&["keys", "revoke", "--all", shared[0], shared[1]])
        .ok();
    assert_eq!(states(&user, &shared), ["revoked", "revoked", "active"]);

    let listed = user
        .run(&["keys", "list", shared[0], shared[1]])
        .ok()
        .stdout;
    assert!(listed.contains("seals and opens"), "{listed}");
    let file = fs::read_to_string(user.path("shared.json")).unwrap();
    let secret = file
        .split("\"secret\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    assert!(!listed.contains(secret), "no command prints a secret");
}

#[test]
fn a_server_makes_a_ring_beside_its_data_and_keeps_it() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("keys.json");
    let server = Server::over(data.path());
    let made = fs::read(&file).unwrap();
    assert_eq!(mode(&file), 0o600);
    server.kill();
    let _server = Server::over(data.path());
    assert_eq!(fs::read(&file).unwrap(), made);
    let place = ["--data", data.path().to_str().unwrap()];
    assert_eq!(states(&somebody(), &place), ["active"]);
}

#[test]
fn a_server_does_not_start_with_keys_that_it_should_not_trust() {
    let user = somebody();
    let serve = |extra: &[&str]| {
        let mut arguments = vec!["serve", "--listen", "127.0.0.1:0", "--data", "store"];
        arguments.extend(extra);
        user.run(&arguments)
    };
    serve(&["--keys", "nowhere.json"])
        .code(5)
        .says("there is no file of keys at nowhere.json")
        .says("milepost keys create --keys nowhere.json");

    user.run(&["keys", "create", "--data", "store"]).ok();
    let file = user.path("store/keys.json");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    serve(&[])
        .code(1)
        .says("can be used by others than its owner: its mode is 0644")
        .says("milepost keys revoke --all");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(&file, "{").unwrap();
    serve(&[])
        .code(1)
        .says("is no whole file of keys: it ends in the middle")
        .says("restore it");
}
