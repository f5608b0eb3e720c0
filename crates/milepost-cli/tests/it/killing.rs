//! `kill -9` at any time loses nothing that was acknowledged, and leaves nothing half-written.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicUsize, Ordering},
    thread,
};

use serde_json::{Value, json};
use ureq::Agent;

use crate::stage::{Server, User, agent, define};

const KILLS: usize = 10;
const WRITERS: usize = 64;
/// How many acknowledgements to let pass before the kill: another moment each time.
const WRITES_BEFORE_KILL: usize = 150;

/// What one writer was told, and what it had asked for last.
#[derive(Debug, Default)]
struct Diary {
    /// Names of pairs whose transaction was acknowledged.
    acknowledged: Vec<String>,
    /// The counter's last acknowledged value.
    counted: u64,
}

#[test]
fn ten_kills_under_sixty_four_writers_lose_no_acknowledged_write_and_halve_none() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::over(data.path());
    for name in ["left", "right", "counters"] {
        define(&server, name, "{}");
    }
    let mut server = Some(server);
    let mut acknowledged = BTreeSet::new();
    let mut counted: BTreeMap<String, u64> = BTreeMap::new();
    for round in 0..KILLS {
        let running = server.take().unwrap_or_else(|| Server::over(data.path()));
        for (writer, diary) in write_until_killed(running, round).into_iter().enumerate() {
            acknowledged.extend(diary.acknowledged);
            counted.insert(format!("{round}-{writer}"), diary.counted);
        }
        let restarted = Server::over(data.path());
        verify(&restarted, &acknowledged, &counted);
        server = Some(restarted);
    }
    assert!(
        acknowledged.len() >= KILLS * WRITES_BEFORE_KILL / 2,
        "{}",
        acknowledged.len()
    );
    let user = User::at("http://127.0.0.1:1");
    user.run(&["check", data.path().to_str().unwrap()]).ok();
}

fn write_until_killed(server: Server, round: usize) -> Vec<Diary> {
    let acknowledged = AtomicUsize::new(0);
    let url = server.url.clone();
    thread::scope(|scope| {
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let (url, acknowledged) = (&url, &acknowledged);
                scope.spawn(move || write(url, &format!("{round}-{writer}"), acknowledged))
            })
            .collect();
        while acknowledged.load(Ordering::Relaxed) < WRITES_BEFORE_KILL + 37 * round {
            thread::yield_now();
        }
        server.kill();
        writers
            .into_iter()
            .map(|writer| writer.join().unwrap())
            .collect()
    })
}

/// Writes pairs by transaction, and a counter by conditional PUT, until nobody answers.
fn write(url: &str, writer: &str, acknowledged: &AtomicUsize) -> Diary {
    let agent = agent();
    let mut diary = Diary::default();
    let mut tag = None;
    for n in 0_u64.. {
        let name = format!("{writer}-{n}");
        let Some(201) = put_pair(&agent, url, &name) else {
            break;
        };
        diary.acknowledged.push(name);
        let Some(new) = put_counter(&agent, url, writer, n + 1, tag.as_deref()) else {
            break;
        };
        tag = Some(new);
        diary.counted = n + 1;
        acknowledged.fetch_add(2, Ordering::Relaxed);
    }
    diary
}

fn put_pair(agent: &Agent, url: &str, name: &str) -> Option<u16> {
    let operation = |side: &str| {
        json!({
            "method": "PUT",
            "href": format!("/v1/{side}/{name}"),
            "ifNoneMatch": "*",
            "value": { "name": name },
        })
    };
    let body = json!({ "operations": [operation("left"), operation("right")] });
    let uuid = uuid::Uuid::new_v4();
    let request = agent.put(format!("{url}/-/transactions/{uuid}"));
    let response = request
        .header("Content-Type", "application/json")
        .send(body.to_string())
        .ok()?;
    Some(response.status().as_u16())
}

/// Sets the counter; its new tag, or `None` where the server is gone.
fn put_counter(
    agent: &Agent,
    url: &str,
    writer: &str,
    value: u64,
    tag: Option<&str>,
) -> Option<String> {
    let request = agent.put(format!("{url}/counters/{writer}"));
    let request = match tag {
        Some(tag) => request.header("If-Match", tag),
        None => request.header("If-None-Match", "*"),
    };
    let body = json!({ "value": value }).to_string();
    let response = request
        .header("Content-Type", "application/json")
        .send(body)
        .ok()?;
    assert!(
        response.status().is_success(),
        "nobody else writes this counter"
    );
    Some(response.headers().get("etag")?.to_str().ok()?.to_owned())
}

fn verify(server: &Server, acknowledged: &BTreeSet<String>, counted: &BTreeMap<String, u64>) {
    let left = all(server, "left");
    let right = all(server, "right");
    assert_eq!(left, right, "a transaction is there whole or not at all");
    let lost: Vec<_> = acknowledged
        .iter()
        .filter(|name| !left.contains_key(*name))
        .collect();
    assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    let counters = all(server, "counters");
    for (writer, acknowledged) in counted {
        let stands = counters
            .get(writer)
            .map_or(0, |value| value["value"].as_u64().unwrap());
        // One more may have been written whose answer was cut off.
        assert!(
            stands == *acknowledged || stands == acknowledged + 1,
            "counter {writer} stands at {stands}, {acknowledged} was acknowledged"
        );
    }
}

fn all(server: &Server, collection: &str) -> BTreeMap<String, Value> {
    let user = User::of(server);
    let items = user
        .run(&["list", collection, "--all", "--page-size", "1000"])
        .ok()
        .json_lines();
    items
        .into_iter()
        .map(|mut item| {
            (
                item["id"].as_str().unwrap().to_owned(),
                item["value"].take(),
            )
        })
        .collect()
}
