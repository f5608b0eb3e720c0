//! Keys from a URL: that hangs, is gone, sends nonsense or megabytes, and is asked a bounded number of times.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use milepost_server::{
    Identity,
    identity::{
        Algorithm, FetchError, FetchKeys, FetchPace, FetchedKeys, Fetching, KeySource, SigningKey,
    },
};
use serde_json::{Value, json};

use super::stage::{claims, get_as, issuer};
use crate::scene::Scene;

const URL: &str = "/v1/-/problems";

/// What a URL answers, in order; the last for ever.
#[derive(Clone, Debug)]
enum Told {
    Keys(Value),
    Text(Vec<u8>),
    Fails,
    Hangs,
}

#[derive(Debug)]
struct Publisher {
    answers: Vec<Told>,
    asked: AtomicUsize,
}

impl Publisher {
    fn telling(answers: impl IntoIterator<Item = Told>) -> Arc<Self> {
        Arc::new(Self {
            answers: answers.into_iter().collect(),
            asked: AtomicUsize::new(0),
        })
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

impl FetchKeys for Publisher {
    fn fetch(&self, _url: &str) -> Fetching {
        let before = self.asked.fetch_add(1, Ordering::SeqCst);
        let told = self.answers[before.min(self.answers.len() - 1)].clone();
        Box::pin(async move {
            let body = match told {
                Told::Keys(keys) => keys.to_string().into_bytes(),
                Told::Text(text) => text,
                Told::Fails => {
                    let detail = "404 Not Found".to_owned();
                    return Err(FetchError { detail });
                }
                Told::Hangs => std::future::pending().await,
            };
            Ok(FetchedKeys {
                body,
                cache_control: None,
            })
        })
    }
}

/// Rests for so long that no test sees the end of it, unless it asks for less.
fn pace(rest: Duration) -> FetchPace {
    let mut pace = FetchPace::default();
    pace.fetch_max = Duration::from_millis(200);
    pace.rest = rest;
    pace.rest_max = Duration::from_secs(3600);
    pace
}

const LONG: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(5);

fn source(publisher: &Arc<Publisher>, rest: Duration) -> KeySource {
    KeySource::fetched("https://login.example/keys", publisher.clone(), pace(rest))
}

fn scene(keys: KeySource) -> Scene {
    Scene::believing(Identity::of_issuers(vec![issuer(keys)]).unwrap())
}

fn pair() -> SigningKey {
    SigningKey::generate(Algorithm::EdDsa).unwrap()
}

fn published(keys: &[&SigningKey]) -> Told {
    let keys = keys
        .iter()
        .map(|key| key.public_set().unwrap()["keys"][0].clone());
    Told::Keys(json!({ "keys": keys.collect::<Vec<_>>() }))
}

#[tokio::test]
async fn keys_are_fetched_once_however_many_requests_come() {
    let pair = pair();
    let publisher = Publisher::telling([published(&[&pair])]);
    let scene = Arc::new(scene(source(&publisher, LONG)));
    let token = pair.mint(&claims(&[]));
    let asking = (0..30).map(|_| {
        let (scene, token) = (scene.clone(), token.clone());
        tokio::spawn(async move { get_as(&scene, &token, URL).await.status })
    });
    for asked in asking.collect::<Vec<_>>() {
        assert_eq!(asked.await.unwrap(), 200);
    }
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_costs_a_bounded_number_of_fetches() {
    let (known, unknown) = (pair(), pair());
    let publisher = Publisher::telling([published(&[&known])]);
    let keys = source(&publisher, LONG);
    keys.tried().await;
    let scene = scene(keys);
    let (known, unknown) = (known.mint(&claims(&[])), unknown.mint(&claims(&[])));
    for _ in 0..2000 {
        let reply = get_as(&scene, &unknown, URL).await;
        reply.is_problem(401, "tokenInvalid");
    }
    assert_eq!(get_as(&scene, &known, URL).await.status, 200);
    assert_eq!(publisher.asked(), 1);
}

#[tokio::test]
async fn a_key_that_is_new_at_the_issuer_is_fetched_when_its_first_token_comes() {
    let (old, new) = (pair(), pair());
    let publisher = Publisher::telling([published(&[&old]), published(&[&old, &new])]);
    let scene = scene(source(&publisher, SHORT));
    let (old, new) = (old.mint(&claims(&[])), new.mint(&claims(&[])));
    assert_eq!(get_as(&scene, &old, URL).await.status, 200);
    // Refused while the source rests, and good at the first fetch after that.
    while get_as(&scene, &new, URL).await.status != 200 {
        tokio::task::yield_now().await;
    }
    assert_eq!(get_as(&scene, &old, URL).await.status, 200);
    assert_eq!(publisher.asked(), 2);
}

#[tokio::test]
async fn old_keys_go_on_while_the_url_is_down_and_unknown_ones_are_told_to_come_again() {
    for trouble in [Told::Fails, Told::Hangs, Told::Text(b"<html>".to_vec())] {
        let (old, new) = (pair(), pair());
        let publisher = Publisher::telling([published(&[&old]), trouble]);
        let keys = source(&publisher, SHORT);
        let scene = scene(keys.clone());
        let (old, new) = (old.mint(&claims(&[])), new.mint(&claims(&[])));
        assert_eq!(get_as(&scene, &old, URL).await.status, 200);
        let mut reply = get_as(&scene, &new, URL).await;
        while reply.status == 401 {
            tokio::task::yield_now().await;
            reply = get_as(&scene, &new, URL).await;
        }
        reply.is_problem(503, "issuerUnavailable");
        assert!(!reply.field("retry-after").is_empty());
        assert!(keys.failure().is_some());
        assert_eq!(get_as(&scene, &old, URL).await.status, 200);
    }
}

#[tokio::test]
async fn a_url_that_hangs_holds_nobody_whose_key_is_known_and_few_whose_key_is_not() {
    let (old, new) = (pair(), pair());
    let publisher = Publisher::telling([published(&[&old]), Told::Hangs]);
    let keys = source(&publisher, SHORT);
    keys.tried().await;
    let scene = Arc::new(scene(keys));
    let (old, new) = (old.mint(&claims(&[])), new.mint(&claims(&[])));
    let asking: Vec<_> = (0..200)
        .map(|_| {
            let (scene, new) = (scene.clone(), new.clone());
            tokio::spawn(async move { get_as(&scene, &new, URL).await.status.as_u16() })
        })
        .collect();
    for _ in 0..50 {
        assert_eq!(get_as(&scene, &old, URL).await.status, 200);
        tokio::task::yield_now().await;
    }
    for asked in asking {
        assert!(matches!(asked.await.unwrap(), 401 | 503));
    }
    assert!(publisher.asked() <= 3, "{}", publisher.asked());
}

#[tokio::test]
async fn what_is_no_set_of_public_keys_gives_none() {
    let secret = SigningKey::generate(Algorithm::Hs256).unwrap();
    let bad = [
        Told::Text(Vec::new()),
        Told::Text(b"{\"keys\":".to_vec()),
        Told::Text(vec![b' '; 10 * 1024 * 1024]),
        Told::Keys(json!({ "keys": [] })),
        Told::Keys(json!({ "keys": vec![json!({ "kty": "oct" }); 101] })),
        Told::Keys(json!({ "keys": [secret.to_jwk()] })),
    ];
    for told in bad {
        let keys = source(&Publisher::telling([told.clone()]), LONG);
        keys.tried().await;
        assert!(keys.failure().is_some());
        let scene = scene(keys);
        let reply = get_as(&scene, &secret.mint(&claims(&[])), URL).await;
        reply.is_problem(503, "issuerUnavailable");
    }
}
