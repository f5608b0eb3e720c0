//! Nodes are replaced one after the other under load, and no client sees a failed request.

use std::{
    process::Command,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    thread,
};

use serde_json::json;

use crate::{
    cluster::cluster,
    stage::{MILEPOST, Server, User, agent, define},
};

/// How many clients there are, each with a connection that it keeps.
const CLIENTS: u32 = 6;

fn command(database: &str, keys: &str) -> Command {
    let mut command = Command::new(MILEPOST);
    command.args(["serve", "--store", database, "--keys", keys]);
    command.args(["--limit", "leaveSeconds=1"]);
    command
}

/// What a client does: goes on with a node until that asks it to leave, then with one that is ready.
fn client(number: u32, urls: &[String; 2], is_over: &AtomicBool, sent: &AtomicU32) {
    let agent = agent();
    let is_ready = |url: &String| {
        let ready = agent.get(format!("{url}/-/ready")).call();
        ready.is_ok_and(|response| response.status() == 200)
    };
    let (mut round, mut at) = (0, number as usize % 2);
    while !is_over.load(Ordering::Relaxed) {
        round += 1;
        let url = format!("{}/things/{number}", urls[at]);
        let value = json!({ "round": round }).to_string();
        let put = agent.put(&url).header("Content-Type", "application/json");
        let response = put.send(value).unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        let mut leave = response
            .headers()
            .get("connection")
            .is_some_and(|it| it == "close");
        let read = agent.get(&url).call();
        match read {
            Ok(mut response) => {
                assert_eq!(response.status(), 200);
                leave |= response
                    .headers()
                    .get("connection")
                    .is_some_and(|it| it == "close");
                let read = response.body_mut().read_to_string().unwrap();
                assert_eq!(read, json!({ "round": round }).to_string());
            }
            Err(error) => panic!("{url}: {error}"),
        }
        sent.fetch_add(2, Ordering::Relaxed);
        if leave {
            at = 1 - at;
            while !is_ready(&urls[at]) {
                thread::yield_now();
            }
        }
    }
}

#[test]
fn nodes_are_replaced_one_after_the_other_without_a_failed_request() {
    let Some(cluster) = cluster() else { return };
    let database = cluster.address(&cluster.new_database());
    let user = User::at("http://127.0.0.1:9");
    user.run(&["keys", "create", "--keys", "shared.json"]).ok();
    let keys = user.path("shared.json");
    let keys = keys.to_str().unwrap();
    let started = [0, 1].map(|_| Server::spawned(command(&database, keys)));
    define(&started[0], "things", r#"{ "preconditions": "optional" }"#);
    let urls = [started[0].url.clone(), started[1].url.clone()];
    let mut nodes = started.map(Some);
    let (is_over, sent) = (AtomicBool::new(false), AtomicU32::new(0));
    thread::scope(|scope| {
        for number in 0..CLIENTS {
            let (urls, is_over, sent) = (&urls, &is_over, &sent);
            scope.spawn(move || client(number, urls, is_over, sent));
        }
        for at in [0, 1] {
            let before = sent.load(Ordering::Relaxed);
            while sent.load(Ordering::Relaxed) < before + 20 * CLIENTS {
                thread::yield_now();
            }
            let old = nodes[at].take().unwrap();
            assert_eq!(old.stop(), Some(0));
            // At the same address, as behind a balancer.
            nodes[at] = Some(Server::spawned_at(command(&database, keys), &urls[at]));
        }
        let before = sent.load(Ordering::Relaxed);
        while sent.load(Ordering::Relaxed) < before + 20 * CLIENTS {
            thread::yield_now();
        }
        is_over.store(true, Ordering::Relaxed);
    });
}
