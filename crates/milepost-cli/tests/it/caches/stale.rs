//! What is kept may be told a little longer while a newer answer is fetched, where the server said so, and
//! not otherwise.

use std::{thread, time::Duration};

use super::{
    cache::{Cache, Kind},
    origin::{Origin, await_that},
    with_each_cache,
};
use crate::stage::agent;

/// Longer than `maxAge`: that it passes is what the tests wait for.
const UNTIL_STALE: Duration = Duration::from_millis(2_100);

with_each_cache! {
    a_stale_page_is_told_at_once_while_a_newer_one_is_fetched
    without_stale_while_revalidate_nothing_stale_is_told
}

fn a_stale_page_is_told_at_once_while_a_newer_one_is_fetched(kind: Kind) {
    let origin = Origin::with_notes();
    origin.define(
        "lists",
        r#"{"caching":{"maxAge":1,"staleWhileRevalidate":60}}"#,
    );
    let cache = Cache::before(&origin, kind);
    let url = format!("{}/lists", cache.url());
    let before = told(&url);
    write(&origin, "a");
    // A server that doesn't answer at all makes nobody wait.
    origin.freeze();
    thread::sleep(UNTIL_STALE);
    for _ in 0..5 {
        assert_eq!(told(&url), before);
    }
    origin.thaw();
    await_that("the newer page is told", || told(&url) != before);
}

fn without_stale_while_revalidate_nothing_stale_is_told(kind: Kind) {
    let origin = Origin::with_notes();
    origin.define(
        "lists",
        r#"{"caching":{"maxAge":1,"staleWhileRevalidate":0}}"#,
    );
    let cache = Cache::before(&origin, kind);
    let url = format!("{}/lists", cache.url());
    let before = told(&url);
    write(&origin, "a");
    thread::sleep(UNTIL_STALE);
    let after = told(&url);
    assert_ne!(after, before);
    assert!(after.contains("\"id\":\"a\""), "{after}");
}

fn told(url: &str) -> String {
    let mut response = agent().get(url).call().unwrap();
    assert_eq!(response.status(), 200);
    response.body_mut().read_to_string().unwrap()
}

fn write(origin: &Origin, id: &str) {
    let request = agent().put(format!("{}/lists/{id}", origin.url()));
    let request = request.header("Content-Type", "application/json");
    assert_eq!(request.send("{}").unwrap().status(), 201);
}
