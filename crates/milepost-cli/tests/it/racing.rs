//! Many writers, one entity tag: one wins. Without the tag, updates are lost.

use std::{
    sync::{
        Barrier, RwLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};
use ureq::Agent;

use crate::stage::{agent, define, server_and_user};

const WRITERS: usize = 16;
const ROUNDS: usize = 1_000;
const CONTROL_ROUNDS: usize = 50;

/// Status and new tag of a PUT; status 0 where there was no answer. Never panics: a racer that is
/// gone would leave the others waiting at the barrier.
fn put(agent: &Agent, url: &str, tag: Option<&str>, value: &Value) -> (u16, Option<String>) {
    let mut request = agent.put(url).header("Content-Type", "application/json");
    if let Some(tag) = tag {
        request = request.header("If-Match", tag);
    }
    let Ok(response) = request.send(value.to_string()) else {
        return (0, None);
    };
    let etag = response
        .headers()
        .get("etag")
        .and_then(|tag| tag.to_str().ok());
    (response.status().as_u16(), etag.map(str::to_owned))
}

/// What the racing writers share.
struct Race {
    url: String,
    tag: RwLock<String>,
    winners: Vec<AtomicUsize>,
    losers: AtomicUsize,
    barrier: Barrier,
}

impl Race {
    fn run(&self, writer: usize) {
        let agent = agent();
        for (round, winners) in self.winners.iter().enumerate() {
            let seen = self.tag.read().unwrap().clone();
            self.barrier.wait();
            // Each writes something else, or a loser's write would be the winner's repeated.
            let value = json!({ "round": round, "writer": writer });
            match put(&agent, &self.url, Some(&seen), &value) {
                (200 | 204, Some(new)) => {
                    winners.fetch_add(1, Ordering::SeqCst);
                    *self.tag.write().unwrap() = new;
                }
                (412, _) => {
                    self.losers.fetch_add(1, Ordering::SeqCst);
                }
                _ => {}
            }
            self.barrier.wait();
        }
    }
}

#[test]
fn of_sixteen_writers_with_one_entity_tag_exactly_one_wins_each_of_a_thousand_rounds() {
    let (_data, server, _user) = server_and_user();
    define(&server, "races", "{}");
    let url = format!("{}/races/it", server.url);
    let (status, first) = put(&agent(), &url, None, &json!({}));
    assert_eq!(status, 201);
    let race = Race {
        url,
        tag: RwLock::new(first.unwrap()),
        winners: (0..ROUNDS).map(|_| AtomicUsize::new(0)).collect(),
        losers: AtomicUsize::new(0),
        barrier: Barrier::new(WRITERS),
    };
    thread::scope(|scope| {
        for writer in 0..WRITERS {
            let race = &race;
            scope.spawn(move || race.run(writer));
        }
    });
    let winners: Vec<usize> = race
        .winners
        .iter()
        .map(|n| n.load(Ordering::SeqCst))
        .collect();
    assert_eq!(winners, vec![1; ROUNDS], "winners of each round");
    assert_eq!(race.losers.load(Ordering::SeqCst), ROUNDS * (WRITERS - 1));
}

#[test]
fn the_control_without_if_match_loses_updates() {
    let (_data, server, _user) = server_and_user();
    define(&server, "races", r#"{"preconditions":"optional"}"#);
    let url = format!("{}/races/it", server.url);
    put(&agent(), &url, None, &json!({ "count": 0 }));
    let barrier = Barrier::new(WRITERS);
    let increment = || {
        let agent = agent();
        for _ in 0..CONTROL_ROUNDS {
            let seen = count(&agent, &url).unwrap_or_default();
            barrier.wait();
            put(&agent, &url, None, &json!({ "count": seen + 1 }));
            barrier.wait();
        }
    };
    thread::scope(|scope| {
        for _ in 0..WRITERS {
            scope.spawn(increment);
        }
    });
    let stands = count(&agent(), &url).unwrap();
    let asked = u64::try_from(WRITERS * CONTROL_ROUNDS).unwrap();
    assert!(
        stands < asked,
        "{stands} of {asked} increments are there: nothing was lost"
    );
    assert!(stands > 0, "at least the last one is there");
}

fn count(agent: &Agent, url: &str) -> Option<u64> {
    let text = agent
        .get(url)
        .call()
        .ok()?
        .body_mut()
        .read_to_string()
        .ok()?;
    serde_json::from_str::<Value>(&text).ok()?["count"].as_u64()
}
