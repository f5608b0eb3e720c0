//! The feed as server-sent events.

use std::sync::Arc;

use http::Response;
use http_body_util::BodyExt;
use milepost_server::{Body, Limits};
use serde_json::Value;

use crate::{
    follower::{Follower, listed},
    scene::{Scene, Serving},
};

const EVENTS: (&str, &str) = ("accept", "text/event-stream");

/// A reader of an event stream: blocks between empty lines.
struct Events {
    body: Body,
    text: String,
}

impl Events {
    fn of(response: Response<Body>) -> Self {
        assert_eq!(response.status(), 200, "{response:?}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert_eq!(response.headers()["cache-control"], "no-store");
        Self {
            body: response.into_body(),
            text: String::new(),
        }
    }

    /// The next block's lines; `None` at the end of the stream.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let frame = self.body.frame().await?.unwrap();
            let data = frame.into_data().unwrap();
            self.text.push_str(std::str::from_utf8(&data).unwrap());
        }
    }

    /// The next event's id and page.
    async fn event(&mut self) -> Option<(String, Value)> {
        loop {
            let block = self.block().await?;
            let id = block.lines().find_map(|line| line.strip_prefix("id: "));
            let data = block.lines().filter_map(|line| line.strip_prefix("data: "));
            let data = data.collect::<Vec<_>>();
            if let Some(id) = id {
                return Some((
                    id.to_owned(),
                    serde_json::from_str(&data.join("\n")).unwrap(),
                ));
            }
        }
    }
}

async fn scene_with(limits: Limits) -> Scene {
    let scene = Scene::serving(limits, Serving::One);
    scene.define_accounts().await;
    scene.fill(3).await;
    scene
}

async fn resume(scene: &Scene, url: &str) -> String {
    let page = scene.get(url).await.json();
    page["resume"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn an_event_is_a_page_and_its_id_the_page_s_position() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    let mut events = Events::of(scene.open(&url, &[EVENTS]).await);
    let (id, page) = events.event().await.unwrap();
    assert_eq!(
        (id.as_str(), page["items"].as_array().unwrap().len()),
        (page["position"].as_str().unwrap(), 0)
    );
    scene.write("/v1/accounts/a00", "{\n  \"n\": 1\n}").await;
    let (id, told) = events.event().await.unwrap();
    assert_eq!(told["position"], id);
    assert_eq!(
        told,
        scene.get(&url).await.json(),
        "the same page that GET answers"
    );
    scene.delete("/v1/accounts/a01").await;
    let (_, told) = events.event().await.unwrap();
    assert_eq!(told["items"][0]["deleted"], true);
}

#[tokio::test]
async fn a_follower_of_events_goes_on_at_any_node_from_the_last_one() {
    let start = "/v1/accounts?owner=ada";
    let scene = Scene::serving(Limits::default(), Serving::FreshEachTime);
    scene.define_accounts().await;
    scene.fill(3).await;
    let url = resume(&scene, start).await;
    let mut follower = Follower::starting_at(start);
    follower.catch_up(&scene).await;
    let mut last = String::new();
    for round in 0..5 {
        // Each time a node to which nobody has told anything.
        let seen = [EVENTS, ("last-event-id", last.as_str())];
        let mut events = Events::of(scene.open(&url, &seen).await);
        let (mut id, missed) = events.event().await.unwrap();
        follower.apply(&missed);
        for number in 0..3 {
            let body = format!(r#"{{"owner":"ada","round":{round}}}"#);
            scene.write(&format!("/v1/accounts/n{number}"), &body).await;
            let (told, page) = events.event().await.unwrap();
            follower.apply(&page);
            id = told;
        }
        assert_eq!(follower.held, listed(&scene, start).await);
        last = id;
        drop(events);
        scene
            .write("/v1/accounts/n1", &format!(r#"{{"missed":{round}}}"#))
            .await;
    }
    assert_eq!(follower.held.len(), 4);
}

#[tokio::test]
async fn a_stream_is_bounded_in_number() {
    let mut limits = Limits::default();
    limits.streams_max = 1;
    let scene = scene_with(limits).await;
    let url = resume(&scene, "/v1/accounts").await;
    let first = scene.open(&url, &[EVENTS]).await;
    let second = scene.get_with(&url, &[EVENTS]).await;
    second.is_problem(503, "overloaded");
    assert!(second.headers.contains_key("retry-after"));
    assert_eq!(scene.figure("milepost_streams_open").await, 1);
    assert_eq!(
        scene.figure("milepost_requests_in_flight").await,
        1,
        "only this one"
    );
    drop(first);
    assert_eq!(scene.open(&url, &[EVENTS]).await.status(), 200);
    assert_eq!(scene.figure("milepost_streams_open").await, 0);
}

#[tokio::test]
async fn a_quiet_stream_shows_that_it_is_alive_moves_past_what_it_hides_and_ends() {
    let mut limits = Limits::default();
    limits.heartbeat_seconds_max = 1;
    limits.stream_seconds_max = 3;
    let scene = scene_with(limits).await;
    let url = resume(&scene, "/v1/accounts?owner=ada").await;
    let mut events = Events::of(scene.open(&url, &[EVENTS]).await);
    assert_eq!(events.block().await.unwrap(), "retry: 1000");
    let (start, _) = events.event().await.unwrap();
    scene.write("/v1/accounts/a01", r#"{"owner":"eve"}"#).await;
    let (moved, page) = events.event().await.unwrap();
    assert_ne!(moved, start);
    assert_eq!(page["items"], serde_json::json!([]));
    let mut beats = 0;
    while let Some(block) = events.block().await {
        assert_eq!(block, ":");
        beats += 1;
    }
    assert!((1..=2).contains(&beats), "{beats}");
}

#[tokio::test]
async fn a_stream_that_always_has_news_ends_all_the_same() {
    let mut limits = Limits::default();
    limits.stream_seconds_max = 1;
    let scene = Arc::new(scene_with(limits).await);
    let url = resume(&scene, "/v1/accounts").await;
    let mut events = Events::of(scene.open(&url, &[EVENTS]).await);
    let writer = Arc::clone(&scene);
    let writing = tokio::spawn(async move {
        for number in 0_u64.. {
            writer
                .write("/v1/accounts/busy", &number.to_string().replace('0', "7"))
                .await;
            tokio::task::yield_now().await;
        }
    });
    while events.block().await.is_some() {}
    writing.abort();
}

#[tokio::test]
async fn a_last_event_id_that_is_none_is_400_and_one_that_expired_is_410() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    let malformed = [EVENTS, ("last-event-id", "seven")];
    scene
        .get_with(&url, &malformed)
        .await
        .is_problem(400, "malformedField");
    let foreign = [EVENTS, ("last-event-id", "zzzz.1-0000")];
    scene
        .get_with(&url, &foreign)
        .await
        .is_problem(410, "positionExpired");
}

#[tokio::test]
async fn json_is_answered_unless_events_are_wanted_more() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    for accept in [
        "*/*",
        "application/json",
        "text/event-stream;q=0.5, application/json",
    ] {
        let reply = scene.get_with(&url, &[("accept", accept)]).await;
        assert_eq!(reply.field("content-type"), "application/json", "{accept}");
        assert!(reply.field("vary").contains("Accept,"));
    }
    let head = scene.ask("HEAD", &url, &[EVENTS], "").await;
    assert_eq!(head.field("content-type"), "text/event-stream");
    assert_eq!(scene.figure("milepost_streams_open").await, 0);
}
