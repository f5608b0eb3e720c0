//! Followers end with exactly what stands, whatever happens meanwhile.

use milepost_server::Limits;
use milepost_store::CollectionPath;

use crate::{
    follower::{Follower, listed},
    scene::{Scene, Serving},
};

/// Numbers that look like chance and are the same each time.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % end
    }
}

const STARTS: [&str; 5] = [
    "/v1/accounts",
    "/v1/accounts?pageSize=2",
    "/v1/accounts?owner=ada&owner=bob&pageSize=3",
    "/v1/accounts?balance=gte:50&select=balance",
    "/v1/accounts?pageSize=1",
];

fn followers() -> Vec<(&'static str, Follower)> {
    STARTS
        .map(|start| (start, Follower::starting_at(start)))
        .into()
}

async fn something_happens(scene: &Scene, chance: &mut Chance) {
    let url = format!("/v1/accounts/a{}", chance.below(12));
    let owner = ["ada", "bob", "eve"][usize::try_from(chance.below(3)).unwrap()];
    let body = format!(r#"{{"owner":"{owner}","balance":{}}}"#, chance.below(100));
    if chance.below(4) == 0 {
        scene.ask("DELETE", &url, &[("if-match", "*")], "").await;
    } else {
        scene.write(&url, &body).await;
    }
}

async fn all_hold_what_stands(scene: &Scene, followers: &mut [(&'static str, Follower)]) {
    for (start, follower) in followers {
        follower.catch_up(scene).await;
        assert_eq!(follower.held, listed(scene, start).await, "{start}");
    }
}

/// A restart, or retention that forgets.
async fn something_is_forgotten(scene: Scene, chance: &mut Chance) -> Scene {
    let accounts = CollectionPath::parse("accounts").unwrap();
    let head = scene.position("/v1/accounts").await.parse().unwrap();
    match chance.below(40) {
        0 => return scene.moved_to(scene.memory().restarted()),
        1 => scene.memory().prune_history(&accounts, head),
        2 => {
            scene.memory().prune_history(&accounts, head);
            scene.memory().prune_tombstones(&accounts, head);
        }
        _ => {}
    }
    scene
}

async fn one_goes_on(scene: &Scene, followers: &mut [(&str, Follower)], which: u64) {
    let which = usize::try_from(which).unwrap();
    if let Some((_, follower)) = followers.get_mut(which) {
        follower.step(scene).await;
    }
}

#[tokio::test]
async fn followers_converge_while_writes_retention_and_restarts_go_on() {
    for seed in 0..8 {
        let mut chance = Chance(seed);
        let mut scene = Scene::in_memory(Limits::default(), Serving::TwoInTurns);
        scene.define_accounts().await;
        let mut followers = followers();
        for _ in 0..150 {
            something_happens(&scene, &mut chance).await;
            one_goes_on(&scene, &mut followers, chance.below(10)).await;
            scene = something_is_forgotten(scene, &mut chance).await;
        }
        all_hold_what_stands(&scene, &mut followers).await;
    }
}

#[tokio::test]
async fn followers_of_what_was_lost_converge_on_the_restored_state() {
    let mut chance = Chance(7);
    let scene = Scene::in_memory(Limits::default(), Serving::TwoInTurns);
    scene.define_accounts().await;
    for _ in 0..30 {
        something_happens(&scene, &mut chance).await;
    }
    let backup = scene.position("/v1/accounts").await.parse().unwrap();
    let mut followers = followers();
    for _ in 0..30 {
        something_happens(&scene, &mut chance).await;
    }
    for (_, follower) in &mut followers {
        follower.catch_up(&scene).await;
    }
    let restored = scene.moved_to(scene.memory().restored_at(backup).unwrap());
    for (start, follower) in &followers {
        assert_ne!(
            follower.held,
            listed(&restored, start).await,
            "nothing was lost"
        );
    }
    all_hold_what_stands(&restored, &mut followers).await;
    for _ in 0..30 {
        something_happens(&restored, &mut chance).await;
    }
    all_hold_what_stands(&restored, &mut followers).await;
}

/// The control: who doesn't do as the pages say must be found out.
#[tokio::test]
async fn who_ignores_tombstones_does_not_hold_what_stands() {
    let scene = Scene::with_accounts().await;
    scene.fill(4).await;
    let mut careless = Follower::starting_at("/v1/accounts");
    careless.catch_up(&scene).await;
    let before = careless.held.clone();
    scene.delete("/v1/accounts/a00").await;
    careless.catch_up(&scene).await;
    assert_eq!(careless.held, listed(&scene, "/v1/accounts").await);
    assert_ne!(before, careless.held);
}

#[tokio::test]
async fn a_bookmark_of_last_week_fetches_exactly_what_is_missing() {
    let scene = Scene::with_accounts().await;
    scene.fill(10).await;
    let mut follower = Follower::starting_at("/v1/accounts");
    follower.catch_up(&scene).await;
    let backup = follower.clone();
    scene.delete("/v1/accounts/a03").await;
    scene.write("/v1/accounts/a04", "{}").await;
    follower.catch_up(&scene).await;
    let page = scene.get(&backup.bookmark).await;
    assert_eq!(page.ids(), ["a03", "a04"]);
    let mut restored = backup;
    restored.catch_up(&scene).await;
    assert_eq!(restored.held, follower.held);
}

#[tokio::test]
async fn a_follower_that_waits_converges_with_one_request_for_each_piece_of_news() {
    let scene = std::sync::Arc::new(Scene::serving(Limits::default(), Serving::One));
    scene.define_accounts().await;
    let writer = std::sync::Arc::clone(&scene);
    let writing = tokio::spawn(async move {
        let mut chance = Chance(3);
        for _ in 0..60 {
            something_happens(&writer, &mut chance).await;
            tokio::task::yield_now().await;
        }
        writer.made("/v1/accounts/last", r#"{"owner":"ada"}"#).await;
    });
    let mut follower = Follower::starting_at("/v1/accounts?owner=ada");
    let mut requests = 0;
    while !follower.held.contains_key("/v1/accounts/last") {
        if follower.bookmark.contains("/changes/") && !follower.bookmark.contains("wait=") {
            follower.bookmark.push_str("&wait=20");
        }
        follower.step(&scene).await;
        requests += 1;
    }
    writing.await.unwrap();
    assert_eq!(
        follower.held,
        listed(&scene, "/v1/accounts?owner=ada").await
    );
    assert!(requests <= 64, "{requests}");
}
