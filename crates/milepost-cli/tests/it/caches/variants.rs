//! A URL's answers are told apart by what the server tells them apart by, and by no more than that.

use std::io::{BufRead as _, BufReader};

use super::{
    cache::{Cache, Kind},
    origin::Origin,
    with_each_cache,
};
use crate::stage::agent;

with_each_cache! {
    ways_to_say_the_same_preference_share_one_answer
    who_prefers_something_else_gets_something_else
    events_come_as_they_happen
}

fn ways_to_say_the_same_preference_share_one_answer(kind: Kind) {
    let (mut origin, cache, path) = with_a_long_page(kind);
    for coding in ["gzip", "gzip, deflate, br, zstd", "br;q=0.5, gzip;q=1.0"] {
        for accept in ["application/json", "*/*", "application/*;q=0.9, text/plain"] {
            let coded = [("Accept-Encoding", coding), ("Accept", accept)];
            assert_eq!(asked(&cache, &path, &coded), (200, Some("gzip".to_owned())));
        }
    }
    assert_eq!(origin.count(&path), 1);
    for coding in ["identity", "br", "gzip;q=0", "deflate, gzip; q=0.0"] {
        assert_eq!(
            asked(&cache, &path, &[("Accept-Encoding", coding)]),
            (200, None),
            "{coding}"
        );
    }
    assert_eq!(origin.count(&path), 2);
}

fn who_prefers_something_else_gets_something_else(kind: Kind) {
    let (mut origin, cache, path) = with_a_long_page(kind);
    assert_eq!(asked(&cache, &path, &[]).0, 200);
    for unacceptable in ["application/xml", "application/json;q=0"] {
        assert_eq!(asked(&cache, &path, &[("Accept", unacceptable)]).0, 406);
    }
    assert_eq!(origin.count(&path), 3);
    // Whoever would wait is not told what was kept for those who won't.
    let resume = origin.resume();
    assert_eq!(asked(&cache, &resume, &[]).0, 200);
    let waited = agent().get(format!("http://{}{resume}", cache.address()));
    let waited = waited.header("Prefer", "wait=1").call().unwrap();
    assert_eq!(waited.headers()["preference-applied"], "wait=1");
    // Preferences that a cache doesn't know are the server's to judge.
    let strict = [("Prefer", "handling=strict")];
    assert_eq!(asked(&cache, "/v1/notes/long?unknown=1", &[]).0, 200);
    assert_eq!(asked(&cache, "/v1/notes/long?unknown=1", &strict).0, 400);
}

fn events_come_as_they_happen(kind: Kind) {
    let origin = Origin::with_notes();
    let cache = Cache::before(&origin, kind);
    let url = format!("http://{}{}", cache.address(), origin.resume());
    let response = agent()
        .get(url)
        .header("Accept", "text/event-stream")
        .call()
        .unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let lines = BufReader::new(response.into_body().into_reader()).lines();
    let mut events = lines
        .map(Result::unwrap)
        .filter(|line| line.starts_with("data: "));
    assert!(events.next().unwrap().contains("\"items\":[]"));
    for id in ["first", "second"] {
        origin.put(id, "{}");
        assert!(events.next().unwrap().contains(&format!("\"id\":\"{id}\"")));
    }
}

/// A page of changes that is worth compressing, and stays as it is for a minute.
fn with_a_long_page(kind: Kind) -> (Origin, Cache, String) {
    let origin = Origin::with_notes();
    let definition = r#"{"preconditions":"optional","caching":{"maxAge":60}}"#;
    origin.redefine("notes", definition);
    let path = origin.resume();
    origin.put(
        "long",
        &format!(r#"{{"text":"{}"}}"#, "mile after mile ".repeat(200)),
    );
    let cache = Cache::before(&origin, kind);
    (origin, cache, path)
}

/// The status, and the coding of the content.
fn asked(cache: &Cache, path: &str, fields: &[(&str, &str)]) -> (u16, Option<String>) {
    let mut request = agent().get(format!("http://{}{path}", cache.address()));
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    let response = request.call().unwrap();
    let coding = response.headers().get("content-encoding");
    let coding = coding.map(|value| value.to_str().unwrap().to_owned());
    (response.status().as_u16(), coding)
}
