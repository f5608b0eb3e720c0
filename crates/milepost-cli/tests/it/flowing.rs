//! Flows against the built server: by the shell from the docs, across kills, rotations and revocations.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use crate::stage::{MILEPOST, Server, User, agent};

fn demo(data: &Path) -> Server {
    let mut command = Command::new(MILEPOST);
    command.arg("demo").arg(data);
    Server::spawned(command)
}

fn ask(server: &Server, path: &str) -> Value {
    let mut response = agent().get(format!("{}{path}", server.url)).call().unwrap();
    serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
}

/// Sends a step; the status, and the answer.
fn send(server: &Server, state: &Value, input: &Value) -> (u16, Value) {
    let request = agent().post(format!("{}/-/flows/registration", server.url));
    let request = request.header("Content-Type", "application/json");
    let body = json!({ "state": state, "input": input }).to_string();
    let mut response = request.send(body).unwrap();
    let text = response.body_mut().read_to_string().unwrap();
    (
        response.status().as_u16(),
        serde_json::from_str(&text).unwrap(),
    )
}

fn inputs() -> [Value; 5] {
    [
        json!({ "name": "Ada Lovelace", "email": "ada@example.org" }),
        json!({ "street": "St James's Square 12", "city": "London", "country": "elsewhere" }),
        json!({ "kind": "passport", "number": "P-1815" }),
        json!({ "rules": true, "newsletter": false }),
        json!({}),
    ]
}

fn registrations(server: &Server) -> usize {
    ask(server, "/registrations")["items"]
        .as_array()
        .unwrap()
        .len()
}

#[test]
fn the_shell_of_the_docs_registers_once_and_is_told_so_twice() {
    let data = tempfile::tempdir().unwrap();
    let server = demo(data.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/register.sh");
    let mut command = Command::new("sh");
    command.arg(script).arg(&server.url).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 2, "{text}");
    assert_eq!(lines[0], lines[1]);
    assert!(lines[0].contains("\"status\":201"), "{text}");
    assert_eq!(registrations(&server), 1);
    let documents = ask(&server, "/documents")["items"].clone();
    let [scan] = documents.as_array().unwrap().as_slice() else {
        panic!("one document: {documents}");
    };
    assert_eq!(scan["value"]["name"], "passport.png");
    assert_eq!(scan["value"].get("draft"), None, "it became lasting");
}

#[test]
fn a_flow_goes_on_though_its_server_is_killed_and_replaced_between_every_two_steps() {
    let data = tempfile::tempdir().unwrap();
    let mut server = demo(data.path());
    let mut step = ask(&server, "/-/flows/registration");
    let mut status = 0;
    for input in inputs() {
        assert_eq!(
            registrations(&server),
            0,
            "nothing is stored before the last step"
        );
        server.kill();
        server = demo(data.path());
        let state = step["state"].clone();
        (status, step) = send(&server, &state, &input);
        if input == json!({}) {
            server.kill();
            server = demo(data.path());
            let (again, outcome) = send(&server, &state, &input);
            assert_eq!((again, &outcome), (200, &step), "sent twice, done once");
        }
    }
    assert_eq!((status, registrations(&server)), (201, 1));
}

/// Asks for a first step until the server seals with this key, which it was told of by a signal.
fn sealed_with(server: &Server, key: &str) -> Value {
    loop {
        let step = ask(server, "/-/flows/registration");
        if step["state"].as_str().unwrap().contains(key) {
            return step;
        }
    }
}

#[test]
fn after_rotation_old_states_still_open_and_after_revocation_none_does_while_the_server_runs() {
    let data = tempfile::tempdir().unwrap();
    let server = demo(data.path());
    let user = User::of(&server);
    let keys = |what: &[&str]| {
        let mut arguments = vec!["keys"];
        arguments.extend(what);
        arguments.extend(["--json", "--data", data.path().to_str().unwrap()]);
        let keys = user.run(&arguments).ok().json_lines();
        let active = keys
            .into_iter()
            .find(|key| key["state"] == "active")
            .unwrap();
        active["id"].as_str().unwrap().to_owned()
    };
    let old = ask(&server, "/-/flows/registration");
    let rotated = keys(&["rotate"]);
    server.hang_up();
    let new = sealed_with(&server, &rotated);
    let [person, ..] = inputs();
    assert_eq!(send(&server, &old["state"], &person).0, 200);
    assert_eq!(send(&server, &new["state"], &person).0, 200);

    let fresh = keys(&["revoke", "--all"]);
    server.hang_up();
    sealed_with(&server, &fresh);
    for state in [&old["state"], &new["state"]] {
        let (status, problem) = send(&server, state, &person);
        assert_eq!(status, 400);
        assert_eq!(problem["type"], "urn:problem-type:milepost:stateInvalid");
    }
}

#[test]
fn two_nodes_with_one_ring_open_each_others_states() {
    let homes = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let shared = homes[0].path().join("shared.json");
    let shared = shared.to_str().unwrap();
    User::at("http://127.0.0.1:9")
        .run(&["keys", "create", "--keys", shared])
        .ok();
    let node = |home: &Path| {
        let mut command = Command::new(MILEPOST);
        command
            .arg("demo")
            .arg(home.join("data"))
            .args(["--keys", shared]);
        Server::spawned(command)
    };
    let [one, two] = homes.each_ref().map(|home| node(home.path()));
    let mut step = ask(&one, "/-/flows/registration");
    for (input, server) in inputs().iter().zip([&two, &one, &two, &one]) {
        let (status, next) = send(server, &step["state"], input);
        assert_eq!(status, 200, "{next}");
        step = next;
    }
    assert_eq!(step["step"], "review");
}
