//! Requests that are held until there is news.

use std::{sync::Arc, time::Duration};

use milepost_server::{
    Limits, Service,
    listen::{ListenOptions, Listener, Stopped, serve},
};
use milepost_store::{Store, memory::MemoryStore};
use serde_json::json;
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::oneshot,
    task::{JoinHandle, yield_now},
};
use tower::ServiceExt;

use crate::{
    edge_running::until_closed,
    scene::{Reply, Scene, Serving, request},
};

async fn scene_with(limits: Limits) -> Arc<Scene> {
    furnished(Scene::serving(limits, Serving::One)).await
}

/// Where whatever can go on has gone on after a moment, and no request takes longer than that.
async fn scene_in_memory(limits: Limits) -> Arc<Scene> {
    furnished(Scene::in_memory(limits, Serving::One)).await
}

async fn furnished(scene: Scene) -> Arc<Scene> {
    scene.define_accounts().await;
    scene.define("notes", &json!({})).await;
    scene.fill(3).await;
    Arc::new(scene)
}

async fn resume(scene: &Scene, url: &str) -> String {
    let page = scene.get(url).await.json();
    page["resume"].as_str().unwrap().to_owned()
}

/// Asks, and comes back once the request is held.
async fn held(scene: &Arc<Scene>, url: &str) -> JoinHandle<Reply> {
    let before = scene.figure("milepost_waits_open").await;
    let (asking, url) = (Arc::clone(scene), url.to_owned());
    let asked = tokio::spawn(async move { asking.get(&url).await });
    while scene.figure("milepost_waits_open").await == before {
        assert!(!asked.is_finished(), "{:?}", asked.await);
        yield_now().await;
    }
    settled().await;
    asked
}

/// Lets everybody who can go on do so.
async fn settled() {
    for _ in 0..100 {
        yield_now().await;
    }
}

#[tokio::test]
async fn a_held_request_is_answered_by_the_news_that_its_feed_shows_and_by_no_other() {
    let scene = scene_in_memory(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts?owner=ada").await;
    let asked = held(&scene, &format!("{url}&wait=60")).await;
    let reads = scene.figure("milepost_feed_reads_total").await;
    scene.made("/v1/notes/1", "{}").await;
    settled().await;
    assert_eq!(
        scene.figure("milepost_feed_reads_total").await,
        reads,
        "nothing happened here"
    );
    scene.write("/v1/accounts/a01", r#"{"owner":"bob"}"#).await;
    settled().await;
    assert!(!asked.is_finished(), "the filter hides it");
    assert_eq!(scene.figure("milepost_feed_reads_total").await, reads + 1);
    scene.write("/v1/accounts/a02", r#"{"owner":"ada"}"#).await;
    let reply = asked.await.unwrap();
    assert_eq!(reply.ids(), ["a02"]);
    let page = reply.json();
    assert!(
        page["resume"]
            .as_str()
            .unwrap()
            .ends_with("?owner=ada&wait=60"),
        "{page}"
    );
    assert!(!page["self"].as_str().unwrap().contains("wait"));
    assert_eq!(scene.figure("milepost_waits_open").await, 0);
}

#[tokio::test]
async fn who_is_behind_does_not_wait() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    scene.write("/v1/accounts/a00", "{}").await;
    let reply = scene.get(&format!("{url}?wait=60")).await;
    assert_eq!(reply.ids(), ["a00"]);
    let closed = format!(
        "{}?pageSize=1&wait=60",
        resume(&scene, "/v1/accounts").await
    );
    for id in ["x", "y", "z"] {
        scene.made(&format!("/v1/accounts/{id}"), "{}").await;
    }
    let page = scene.get(&closed).await.json();
    assert!(
        page["next"].as_str().unwrap().ends_with("?pageSize=1"),
        "all who are behind share pages: {page}"
    );
}

#[tokio::test]
async fn who_waits_in_vain_gets_another_url_to_come_back_with() {
    let scene = scene_with(Limits::default()).await;
    let position = scene.position("/v1/accounts").await;
    let base = format!("/v1/accounts/changes/{position}");
    scene.service().end_waits();
    let mut url = format!("{base}?wait=60");
    for tick in 1..4 {
        let reply = scene.get(&url).await;
        assert_eq!(reply.status, 200);
        let page = reply.json();
        assert_eq!((&page["items"], &page["self"]), (&json!([]), &json!(base)));
        assert_eq!(page["resume"], format!("{base}?tick={tick}&wait=60"));
        assert_eq!(page["position"], position);
        assert!(page["digest"].is_string() && page["oldest"].is_string());
        assert_eq!(reply.field("cache-control"), "public, max-age=1");
        assert!(
            reply
                .field("link")
                .contains(&format!("tick={tick}&wait=60>"))
        );
        url = page["resume"].as_str().unwrap().to_owned();
    }
    scene.write("/v1/accounts/a00", "{}").await;
    let page = scene.get(&url).await.json();
    assert!(
        page["resume"].as_str().unwrap().ends_with("?wait=60"),
        "{page}"
    );
}

#[tokio::test]
async fn waiting_ends_when_its_time_is_up_or_the_service_s_is() {
    let mut limits = Limits::default();
    limits.wait_seconds_max = 1;
    let scene = scene_with(limits).await;
    let url = resume(&scene, "/v1/accounts").await;
    let waiting = format!("{url}?wait=86400");
    let asked = scene.get(&waiting);
    let reply = tokio::time::timeout(Duration::from_secs(10), asked)
        .await
        .unwrap();
    assert_eq!(reply.json()["resume"], format!("{url}?tick=1&wait=86400"));
}

#[tokio::test]
async fn a_preference_to_wait_is_honoured_and_said_so() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    scene.service().end_waits();
    let plain = scene.get(&url).await;
    let reply = scene.get_with(&url, &[("prefer", "wait=60")]).await;
    assert_ne!(reply.etag(), plain.etag(), "other bytes");
    assert_eq!(reply.field("preference-applied"), "wait=60");
    assert!(reply.field("vary").contains("Prefer"));
    assert_eq!(reply.json()["resume"], format!("{url}?tick=1"));
}

#[tokio::test]
async fn waking_many_costs_one_read() {
    const WAITING: u64 = 500;
    let mut limits = Limits::default();
    // They are held, not in flight.
    limits.requests_in_flight_max = 4;
    let scene = scene_in_memory(limits).await;
    let url = format!("{}?wait=60", resume(&scene, "/v1/accounts").await);
    let asked: Vec<_> = (0..WAITING)
        .map(|_| {
            let (asking, url) = (Arc::clone(&scene), url.clone());
            tokio::spawn(async move { asking.get(&url).await })
        })
        .collect();
    while scene.figure("milepost_waits_open").await < WAITING {
        yield_now().await;
    }
    settled().await;
    let reads = scene.figure("milepost_feed_reads_total").await;
    scene.made("/v1/notes/1", "{}").await;
    settled().await;
    assert_eq!(scene.figure("milepost_feed_reads_total").await, reads);
    scene.write("/v1/accounts/a00", "{\"n\":1}").await;
    for reply in asked {
        assert_eq!(reply.await.unwrap().ids(), ["a00"]);
    }
    assert_eq!(scene.figure("milepost_feed_reads_total").await, reads + 1);
    assert_eq!(scene.figure("milepost_waits_open").await, 0);
}

#[tokio::test]
async fn more_than_may_wait_are_refused_and_may_ask_without_waiting() {
    let mut limits = Limits::default();
    limits.waits_max = 1;
    let scene = scene_with(limits).await;
    let url = resume(&scene, "/v1/accounts").await;
    let waiting = format!("{url}?wait=60");
    let first = held(&scene, &waiting).await;
    let second = scene.get(&waiting).await;
    second.is_problem(503, "overloaded");
    assert_eq!(second.field("retry-after"), "5");
    assert_eq!(scene.get(&url).await.status, 200);
    assert_eq!(scene.figure("milepost_waits_refused_total").await, 1);
    scene.service().end_waits();
    assert_eq!(first.await.unwrap().status, 200);
}

#[tokio::test]
async fn a_collection_that_goes_ends_the_waiting() {
    let scene = scene_with(Limits::default()).await;
    let asked = held(
        &scene,
        &format!("{}?wait=60", resume(&scene, "/v1/notes").await),
    )
    .await;
    scene.delete("/v1/-/collections/notes").await;
    asked.await.unwrap().is_problem(404, "collectionNotDefined");
}

#[tokio::test]
async fn who_goes_away_waits_no_more() {
    let scene = scene_with(Limits::default()).await;
    let url = format!("{}?wait=60", resume(&scene, "/v1/accounts").await);
    let asked = held(&scene, &url).await;
    asked.abort();
    let _ = asked.await;
    assert_eq!(scene.figure("milepost_waits_open").await, 0);
}

#[tokio::test]
async fn a_service_that_stops_answers_those_who_wait_at_once() {
    let scene = scene_with(Limits::default()).await;
    let url = format!("{}?wait=60", resume(&scene, "/v1/accounts").await);
    let listener = Listener::bind(&["127.0.0.1:0".parse().unwrap()])
        .await
        .unwrap();
    let address = listener.addresses()[0];
    let (stop, stopping) = oneshot::channel::<()>();
    let (service, ending) = (scene.service().clone(), scene.service().clone());
    let shutdown = async move {
        let _ = stopping.await;
        ending.end_waits();
    };
    let serving = tokio::spawn(serve(listener, service, ListenOptions::default(), shutdown));
    let mut streams = Vec::new();
    for accept in ["application/json", "text/event-stream"] {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n");
        stream.write_all(request.as_bytes()).await.unwrap();
        streams.push(stream);
    }
    while scene.figure("milepost_waits_open").await + scene.figure("milepost_streams_open").await
        < 2
    {
        yield_now().await;
    }
    stop.send(()).unwrap();
    let answer = until_closed(&mut streams[0]).await;
    assert!(
        answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains("tick=1"),
        "{answer}"
    );
    let answer = until_closed(&mut streams[1]).await;
    assert!(
        answer.ends_with("\r\n0\r\n\r\n"),
        "the stream ends whole: {answer}"
    );
    let stopped = Stopped {
        dropped_connections: 0,
    };
    assert_eq!(serving.await.unwrap(), stopped);
}

#[tokio::test]
async fn a_service_that_was_waited_at_lets_go_of_its_store() {
    let store = Arc::new(MemoryStore::new());
    let service = Service::builder(store.clone()).build();
    let position = store.head();
    let url = format!("/v1/-/changes/{position}?wait=60");
    let asking = service.clone();
    let asked = tokio::spawn(async move { asking.oneshot(request("GET", &url, &[], "")).await });
    settled().await;
    assert!(!asked.is_finished());
    service.end_waits();
    assert_eq!(asked.await.unwrap().unwrap().status(), 200);
    drop(service);
    assert_eq!(Arc::strong_count(&store), 1);
}

/// The scene's service behind a listener; dropped with the runtime.
async fn listening(scene: &Scene) -> std::net::SocketAddr {
    let listener = Listener::bind(&["127.0.0.1:0".parse().unwrap()])
        .await
        .unwrap();
    let address = listener.addresses()[0];
    let service = scene.service().clone();
    let mut options = ListenOptions::default();
    // Connections are looked at four times as often.
    options.head_time_max = Duration::from_secs(1);
    tokio::spawn(serve(listener, service, options, std::future::pending()));
    address
}

async fn sent(address: std::net::SocketAddr, url: &str, accept: &str) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!("GET {url} HTTP/1.1\r\nHost: x\r\nAccept: {accept}\r\n\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn until_figure(scene: &Scene, name: &str, wanted: u64) {
    while scene.figure(name).await != wanted {
        yield_now().await;
    }
}

#[tokio::test]
async fn clients_that_go_away_leave_their_places_to_others() {
    const PLACES: u64 = 8;
    let mut limits = Limits::default();
    limits.waits_max = 8;
    let scene = scene_with(limits).await;
    let url = format!("{}?wait=60", resume(&scene, "/v1/accounts").await);
    let address = listening(&scene).await;
    let mut gone = Vec::new();
    for _ in 0..PLACES {
        gone.push(sent(address, &url, "application/json").await);
    }
    until_figure(&scene, "milepost_waits_open", PLACES).await;
    scene.get(&url).await.is_problem(503, "overloaded");
    // Half of them say goodbye, the others break off.
    for (number, stream) in gone.into_iter().enumerate() {
        if number % 2 == 0 {
            stream.set_zero_linger().unwrap();
        }
        drop(stream);
    }
    until_figure(&scene, "milepost_waits_open", 0).await;
    let asked = held(&scene, &url).await;
    scene.write("/v1/accounts/a00", "{\"n\":1}").await;
    assert_eq!(asked.await.unwrap().ids(), ["a00"]);
}

#[tokio::test]
async fn who_only_closes_its_sending_side_while_it_waits_is_answered_at_once() {
    let scene = scene_with(Limits::default()).await;
    let url = format!("{}?wait=60", resume(&scene, "/v1/accounts").await);
    let mut stream = sent(listening(&scene).await, &url, "application/json").await;
    until_figure(&scene, "milepost_waits_open", 1).await;
    stream.shutdown().await.unwrap();
    let answer = until_closed(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(answer.contains("tick=1&wait=60"), "{answer}");
}

#[tokio::test]
async fn a_stream_whose_reader_goes_away_ends_and_one_whose_reader_only_sends_no_more_goes_on() {
    let scene = scene_with(Limits::default()).await;
    let url = resume(&scene, "/v1/accounts").await;
    let address = listening(&scene).await;
    let gone = sent(address, &url, "text/event-stream").await;
    let mut silent = sent(address, &url, "text/event-stream").await;
    until_figure(&scene, "milepost_streams_open", 2).await;
    silent.shutdown().await.unwrap();
    drop(gone);
    until_figure(&scene, "milepost_streams_open", 1).await;
    scene.write("/v1/accounts/a00", "{\"n\":1}").await;
    crate::edge_running::until(&mut silent, "\"id\":\"a00\"").await;
}
