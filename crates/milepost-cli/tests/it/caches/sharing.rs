//! What is shared is what may be shared, for as long as it may be.

use super::{
    cache::{Cache, Kind},
    origin::Origin,
    with_each_cache,
};
use crate::stage::agent;

with_each_cache! {
    a_page_is_fetched_once_and_a_client_that_doubts_it_gets_past_the_cache
    what_is_private_is_not_kept
    an_answer_to_credentials_is_not_shared
    an_error_is_not_kept_but_one_that_names_the_way_on
    the_tag_of_what_was_kept_is_good_for_writing
}

fn a_page_is_fetched_once_and_a_client_that_doubts_it_gets_past_the_cache(kind: Kind) {
    let mut origin = Origin::with_notes();
    origin.define("lists", r#"{"caching":{"maxAge":60}}"#);
    let cache = Cache::before(&origin, kind);
    let url = format!("{}/lists", cache.url());
    for _ in 0..3 {
        assert_eq!(status(&url, &[]), 200);
    }
    assert_eq!(origin.count("/v1/lists"), 1);
    assert_eq!(status(&url, &[("Cache-Control", "no-cache")]), 200);
    assert_eq!(origin.count("/v1/lists"), 2);
}

fn what_is_private_is_not_kept(kind: Kind) {
    let mut origin = Origin::with_notes();
    origin.define(
        "letters",
        r#"{"caching":{"visibility":"private","maxAge":60}}"#,
    );
    let cache = Cache::before(&origin, kind);
    for _ in 0..2 {
        assert_eq!(status(&format!("{}/letters", cache.url()), &[]), 200);
    }
    assert_eq!(origin.count("/v1/letters"), 2);
}

fn an_answer_to_credentials_is_not_shared(kind: Kind) {
    let mut origin = Origin::with_notes();
    origin.define("lists", r#"{"caching":{"maxAge":60}}"#);
    let cache = Cache::before(&origin, kind);
    let url = format!("{}/lists", cache.url());
    for _ in 0..2 {
        assert_eq!(status(&url, &[("Authorization", "Bearer a")]), 200);
    }
    assert_eq!(origin.count("/v1/lists"), 2);
    for _ in 0..2 {
        assert_eq!(status(&url, &[]), 200);
    }
    assert_eq!(origin.count("/v1/lists"), 3);
    // What is kept is not told to who has credentials, either: it may see more.
    assert_eq!(status(&url, &[("Authorization", "Bearer a")]), 200);
    assert_eq!(origin.count("/v1/lists"), 4);
}

fn an_error_is_not_kept_but_one_that_names_the_way_on(kind: Kind) {
    let mut origin = Origin::with_notes();
    let cache = Cache::before(&origin, kind);
    for (path, expected, times) in [
        ("/notes/nobody", 404, 3),
        ("/notes?nothing=1", 400, 3),
        ("/notes/changes/zzzz.7-0000", 410, 1),
    ] {
        for _ in 0..3 {
            assert_eq!(status(&format!("{}{path}", cache.url()), &[]), expected);
        }
        assert_eq!(origin.count(&format!("/v1{path}")), times, "{path}");
    }
}

fn the_tag_of_what_was_kept_is_good_for_writing(kind: Kind) {
    let origin = Origin::with_notes();
    let long = format!(
        r#"{{"text":"{}"}}"#,
        "a road remembers its mileposts ".repeat(60)
    );
    for (id, coding) in [("coded", "gzip"), ("plain", "identity")] {
        origin.put(id, &long);
        let cache = Cache::before(&origin, kind);
        let url = format!("{}/notes/{id}", cache.url());
        for _ in 0..2 {
            let read = agent()
                .get(&url)
                .header("Accept-Encoding", coding)
                .call()
                .unwrap();
            let tag = read.headers()["etag"].to_str().unwrap().to_owned();
            assert_eq!(
                read.headers().contains_key("content-encoding"),
                coding == "gzip"
            );
            assert!(!tag.starts_with("W/"), "{tag}");
            // The same again changes nothing, so that the tag stays.
            let written = agent().put(&url).header("If-Match", &tag);
            let written = written
                .header("Content-Type", "application/json")
                .send(&long);
            assert_eq!(written.unwrap().status(), 204, "{tag}");
        }
    }
}

fn status(url: &str, fields: &[(&str, &str)]) -> u16 {
    let mut request = agent().get(url);
    for (name, value) in fields {
        request = request.header(*name, *value);
    }
    request.call().unwrap().status().as_u16()
}
