//! `milepost copy`: a store moves into a database and back, and whoever follows it notices nothing; and
//! the command's own mistakes with databases.

use std::process::Command;

use serde_json::{Value, json};

use crate::{
    cluster::{PASSWORD, cluster},
    stage::{MILEPOST, Server, User, agent, define},
};

fn write(server: &Server, method: &str, path: &str, value: &Value) {
    let url = format!("{}/{path}", server.url);
    let response = match method {
        "PUT" => agent()
            .put(url)
            .header("Content-Type", "application/json")
            .send(value.to_string()),
        _ => agent().delete(url).call(),
    };
    let status = response.unwrap().status();
    assert!(status.is_success(), "{method} {path}: {status}");
}

/// Edits that make every kind of version: new ones, replaced ones, tombstones, a transaction's outcome.
fn edit(server: &Server, round: u32) {
    for number in 0..30 {
        let value = json!({ "number": number, "city": format!("city {}", (number + round) % 4) });
        write(server, "PUT", &format!("things/{number}"), &value);
    }
    write(
        server,
        "DELETE",
        &format!("things/{}", round % 30),
        &Value::Null,
    );
    let operations = json!({ "operations": [
        { "method": "PUT", "href": "/v1/things/both", "value": { "round": round } },
        { "method": "PUT", "href": "/v1/things/ways", "value": { "round": round } } ] });
    let id = format!("00000000-0000-4000-8000-{round:012}");
    write(server, "PUT", &format!("-/transactions/{id}"), &operations);
}

fn text(server: &Server, path: &str) -> String {
    let url = format!("{}/{path}", server.url);
    let mut response = agent().get(url).call().unwrap();
    let body = response.body_mut().read_to_string().unwrap();
    format!(
        "{} {:?} {body}",
        response.status(),
        response.headers().get("etag")
    )
}

/// Answers that must be the same whichever store they come from.
fn answers(server: &Server) -> Vec<String> {
    let listed: Value =
        serde_json::from_str(text(server, "things").split_once(") ").unwrap().1).unwrap();
    let position = listed["position"].as_str().unwrap();
    let of = [
        "things?pageSize=100".to_owned(),
        "things?city=city%201&sort=-number".to_owned(),
        "things?q=round".to_owned(),
        "things/both/versions".to_owned(),
        "things/0".to_owned(),
        "-/collections/things".to_owned(),
        "-/transactions/00000000-0000-4000-8000-000000000001".to_owned(),
        format!("things/snapshots/{position}?pageSize=7"),
        format!("things/changes/{position}"),
        "things/changes".to_owned(),
    ];
    of.iter().map(|path| text(server, path)).collect()
}

/// Follows on, and demands that it needs no new beginning.
#[track_caller]
fn follow(server: &Server, user: &User) {
    let mut command = user.command(&["sync", "things", "things.sqlite", "--json"]);
    let output = command.env("MILEPOST_URL", &server.url).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{output:?}");
    let last: Value = serde_json::from_str(said.lines().last().unwrap()).unwrap();
    assert_eq!(last["resyncs"], 0, "{said}");
    assert_eq!(last["verified"], true, "{said}");
}

fn served_from(database: &str, keys: &str, url: &str) -> Server {
    let mut command = Command::new(MILEPOST);
    command.args(["serve", "--store", database, "--keys", keys]);
    Server::spawned_at(command, url)
}

#[test]
fn a_store_moves_into_a_database_and_back_and_a_follower_goes_on_from_its_bookmark() {
    let Some(cluster) = cluster() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let server = Server::over(&first);
    let user = User::of(&server);
    let definition = r#"{ "indexes": { "city": "/city", "number": "/number" }, "text": ["/city"], "preconditions": "optional" }"#;
    define(&server, "things", definition);
    edit(&server, 1);
    user.run(&["sync", "things", "things.sqlite"]).ok();
    edit(&server, 2);
    let before = answers(&server);
    let url = server.url.clone();
    assert_eq!(server.stop(), Some(0));

    let database = cluster.address(&cluster.new_database());
    let (first, second) = (first.to_str().unwrap(), second.to_str().unwrap());
    let copied = user.run(&["copy", first, &database, "--json"]).ok().json();
    user.run(&["copy", first, &database])
        .code(1)
        .says("holds a store already");
    let keys = format!("{first}/keys.json");
    let server = served_from(&database, &keys, &url);
    assert_eq!(answers(&server), before);
    follow(&server, &user);
    user.run(&["copy", &database, second])
        .code(1)
        .says("nodes serve this store");
    edit(&server, 3);
    let before = answers(&server);
    assert_eq!(server.stop(), Some(0));

    let back = user.run(&["copy", &database, second, "--json"]).ok().json();
    assert_eq!(back["history"], copied["history"]);
    user.run(&["check", second]).ok();
    let server = Server::again(second.as_ref(), &url);
    assert_eq!(answers(&server), before);
    follow(&server, &user);
    edit(&server, 4);
    follow(&server, &user);
}

#[test]
fn a_password_is_taken_from_a_file_or_the_environment_and_refused_on_the_command_line() {
    let Some(cluster) = cluster() else { return };
    let user = User::at("http://127.0.0.1:9");
    let url = cluster.url(&cluster.new_database());
    let open = url.replace("milepost@", "milepost:hush@");
    user.run(&["serve", "--store", &open, "--listen", "127.0.0.1:0"])
        .code(2)
        .says("every user of this machine can see");
    user.run(&["serve", "--store", &url, "--listen", "127.0.0.1:0"])
        .code(7)
        .says("asks for a password")
        .says("--store-password-file");
    let file = user.file("password", format!("{PASSWORD}\n"));
    let file = file.to_str().unwrap();
    let mut command = Command::new(MILEPOST);
    command.args([
        "serve",
        "--store",
        &url,
        "--store-password-file",
        file,
        "--data",
    ]);
    let server = Server::spawned({
        command.arg(user.path("data"));
        command
    });
    assert!(text(&server, "-/ready").contains(r#""store":"postgresql","primary":"reachable""#));
    let ring = user.path("other.json");
    user.run(&["keys", "create", "--keys", ring.to_str().unwrap()])
        .ok();
    let environment = [
        ("MILEPOST_STORE", open),
        ("MILEPOST_STORE_PASSWORD", PASSWORD.to_owned()),
    ];
    let mut second = user.command(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--keys",
        ring.to_str().unwrap(),
    ]);
    let refused = second.envs(environment).output().unwrap();
    let said = String::from_utf8_lossy(&refused.stderr);
    assert_eq!(refused.status.code(), Some(7), "{said}");
    assert!(said.contains("serve this store with other keys"), "{said}");
    assert!(!said.contains("hush") && !said.contains(PASSWORD), "{said}");
}
