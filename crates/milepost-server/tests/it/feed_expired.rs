//! Positions that can't be answered: 410, and a way on that many can share.

use std::collections::BTreeSet;

use milepost_semantics::Position;
use milepost_server::Limits;
use milepost_store::CollectionPath;

use crate::scene::{Reply, Scene, Serving};

fn way_on(reply: &Reply) -> String {
    let problem = reply.is_problem(410, "positionExpired");
    let resync = problem["resync"].as_str().unwrap().to_owned();
    assert_eq!(reply.field("location"), resync);
    assert_eq!(reply.field("cache-control"), "public, max-age=60");
    assert!(problem["oldest"].is_string());
    resync
}

/// One with positions that are too old, of a fork, of another history, and of the future.
async fn scene_and_strange_positions() -> (Scene, Vec<(&'static str, String)>) {
    let scene = Scene::in_memory(Limits::default(), Serving::TwoInTurns);
    scene.define_accounts().await;
    scene.fill(3).await;
    let old = scene.position("/v1/accounts").await;
    let copy = scene.moved_to(scene.memory().restarted());
    copy.write("/v1/accounts/a00", "{\"n\":1}").await;
    copy.write("/v1/accounts/a00", "{\"n\":2}").await;
    let forked = copy.position("/v1/accounts").await;
    scene.delete("/v1/accounts/a01").await;
    scene.delete("/v1/accounts/a02").await;
    let head = scene.position("/v1/accounts").await;
    let accounts = CollectionPath::parse("accounts").unwrap();
    scene
        .memory()
        .prune_history(&accounts, head.parse().unwrap());
    scene
        .memory()
        .prune_tombstones(&accounts, head.parse().unwrap());
    let position: Position = head.parse().unwrap();
    let future = Position::new(
        position.history(),
        position.sequence() + 9,
        position.check(),
    );
    let foreign = head.replace(position.history().as_str(), "zzzz");
    let strange = vec![
        ("old", old),
        ("forked", forked),
        ("future", future.to_string()),
        ("foreign", foreign),
    ];
    (scene, strange)
}

#[tokio::test]
async fn a_position_that_can_not_be_answered_is_410_and_the_way_on_is_complete() {
    let (scene, strange) = scene_and_strange_positions().await;
    for (what, position) in strange {
        let url = format!("/v1/accounts/changes/{position}?owner=ada&pageSize=5&select=owner");
        let resync = way_on(&scene.get(&url).await);
        let kept = "?owner=ada&pageSize=5&select=owner";
        assert!(
            resync.starts_with("/v1/accounts/snapshots/"),
            "{what}: {resync}"
        );
        assert!(resync.ends_with(kept), "{what}: {resync}");
        let page = scene.get(&resync).await;
        assert_eq!(page.status, 200, "{what}: {page:?}");
        assert_eq!(page.json()["replace"], true);
        let resume = page.json()["resume"].as_str().unwrap().to_owned();
        assert_eq!(scene.get(&resume).await.status, 200, "{what}");
        let waiting = format!("/v1/accounts/changes/{position}?wait=20");
        way_on(&scene.get(&waiting).await);
        let events = [("accept", "text/event-stream")];
        let stream = format!("/v1/accounts/changes/{position}");
        way_on(&scene.get_with(&stream, &events).await);
        let everything = way_on(&scene.get(&format!("/v1/-/changes/{position}")).await);
        let page = scene.get(&everything).await;
        assert_eq!(page.json()["replace"], true, "{what}: {page:?}");
        let resume = page.json()["resume"].as_str().unwrap().to_owned();
        assert_eq!(scene.get(&resume).await.status, 200, "{what}");
    }
}

#[tokio::test]
async fn all_who_come_back_together_are_sent_to_the_same_snapshot_while_writes_go_on() {
    let (scene, strange) = scene_and_strange_positions().await;
    // From here on the way on stays for 32 commits.
    for number in 0..256 {
        scene.made(&format!("/v1/accounts/m{number}"), "{}").await;
    }
    let mut ways = BTreeSet::new();
    for (number, (_, position)) in strange.iter().cycle().take(12).enumerate() {
        for url in ["/v1/accounts", "/v1/-"] {
            let url = format!("{url}/changes/{position}");
            ways.insert(way_on(&scene.get(&url).await));
        }
        let url = format!("/v1/accounts/n{number}");
        scene.made(&url, "{}").await;
    }
    // Of each kind, and the commits may lie on both sides of a round one.
    assert!(ways.len() <= 4, "{ways:?}");
}

#[tokio::test]
async fn one_service_after_the_other_knows_the_same_way_on() {
    let (scene, strange) = scene_and_strange_positions().await;
    for number in 0..40 {
        scene.made(&format!("/v1/accounts/m{number}"), "{}").await;
        let url = format!("/v1/accounts/changes/{}", strange[0].1);
        let [one, other] = [scene.get(&url).await, scene.get(&url).await];
        assert_eq!(way_on(&one), way_on(&other));
    }
}

#[tokio::test]
async fn a_way_on_that_was_forgotten_meanwhile_is_not_told() {
    let (scene, strange) = scene_and_strange_positions().await;
    let expired = format!("/v1/accounts/changes/{}", strange[0].1);
    way_on(&scene.get(&expired).await);
    scene.made("/v1/accounts/x", "{}").await;
    scene.delete("/v1/accounts/x").await;
    let accounts = CollectionPath::parse("accounts").unwrap();
    let head = scene.position("/v1/accounts").await.parse().unwrap();
    scene.memory().prune_history(&accounts, head);
    scene.memory().prune_tombstones(&accounts, head);
    for url in [expired, format!("/v1/-/changes/{}", strange[0].1)] {
        let page = scene.get(&way_on(&scene.get(&url).await)).await;
        assert_eq!(page.status, 200, "{page:?}");
        let resume = page.json()["resume"].as_str().unwrap().to_owned();
        assert_eq!(scene.get(&resume).await.status, 200);
    }
}

#[tokio::test]
async fn a_filter_by_an_index_that_is_younger_than_the_way_on_leads_nobody_in_circles() {
    let (scene, strange) = scene_and_strange_positions().await;
    let expired = format!("/v1/accounts/changes/{}", strange[0].1);
    way_on(&scene.get(&expired).await);
    let definition = scene.get("/v1/-/collections/accounts").await;
    let fields = [("if-match", definition.field("etag"))];
    let body = r#"{"indexes":{"rank":"/rank"}}"#;
    let changed = scene
        .put_with("/v1/-/collections/accounts", &fields, body)
        .await;
    assert!(changed.status.is_success());
    let way = way_on(&scene.get(&format!("{expired}?rank=1")).await);
    let page = scene.get(&way).await.json();
    let resume = scene.get(page["resume"].as_str().unwrap()).await;
    assert_eq!(resume.status, 200, "{resume:?}");
}

#[tokio::test]
async fn a_closed_page_is_not_sent_again_once_its_position_is_forgotten() {
    let scene = Scene::in_memory(Limits::default(), Serving::One);
    scene.define_accounts().await;
    let beginning = scene.position("/v1/accounts").await;
    scene.fill(40).await;
    let url = format!("/v1/accounts/changes/{beginning}?pageSize=5");
    for _ in 0..2 {
        let page = scene.get(&url).await;
        assert!(
            page.field("cache-control").contains("immutable"),
            "{page:?}"
        );
    }
    scene.delete("/v1/accounts/a01").await;
    let head = scene.position("/v1/accounts").await.parse().unwrap();
    let accounts = CollectionPath::parse("accounts").unwrap();
    scene.memory().prune_history(&accounts, head);
    scene.memory().prune_tombstones(&accounts, head);
    // Nothing was written since: as every other node, this one says so.
    way_on(&scene.get(&url).await);
    way_on(&scene.get(&format!("{url}&wait=1")).await);
}
