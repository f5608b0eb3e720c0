//! Grants of every make, and what is answered to who has a wrong one.

use milepost_seal::{KeyRing, Secret, Timestamp};
use milepost_server::{
    Keys,
    identity::{Grant, GrantKey, GrantSubject},
};
use serde_json::{Map, json};

use super::stage::{ISSUER, NOW_S, ada, define, identity, put_as};
use crate::scene::{Reply, Scene};

pub(super) const URL: &str = "/v1/accounts/1";

pub(super) fn ring() -> KeyRing {
    KeyRing::of_secret(Secret::from_bytes([3; 32]), Timestamp::from_unix_seconds(0))
}

/// A service that takes grants, with two accounts.
pub(super) async fn bank(keys: &Keys) -> Scene {
    let scene = Scene::believing(identity().grants(keys.clone()));
    define(&scene, "accounts", &json!({})).await;
    put_as(&scene, &ada(), URL, "{}").await;
    put_as(&scene, &ada(), "/v1/accounts/2", "{}").await;
    scene
}

/// For ada, for ten minutes.
pub(super) fn grant(method: &str, url: &str) -> Grant {
    Grant {
        method: method.to_owned(),
        url: url.to_owned(),
        below: false,
        expires_s: NOW_S + 600,
        subject: Some(GrantSubject {
            issuer: ISSUER.to_owned(),
            id: "ada".to_owned(),
        }),
        claims: Map::new(),
    }
}

pub(super) fn below(method: &str, url: &str) -> Grant {
    Grant {
        below: true,
        ..grant(method, url)
    }
}

pub(super) fn nameless(grant: Grant) -> Grant {
    Grant {
        subject: None,
        ..grant
    }
}

pub(super) fn signed(grant: &Grant) -> String {
    grant.sign(&GrantKey::active(&ring()).unwrap()).unwrap()
}

/// The URL of a grant, which carries it.
pub(super) fn linked(grant: &Grant) -> String {
    let separator = if grant.url.contains('?') { '&' } else { '?' };
    format!("{}{separator}access_token={}", grant.url, signed(grant))
}

#[track_caller]
pub(super) fn refused(reply: &Reply, detail: &str) {
    told(reply, (401, "tokenInvalid", "invalid_token"), detail);
}

#[track_caller]
pub(super) fn beyond(reply: &Reply, detail: &str) {
    told(reply, (403, "notPermitted", "insufficient_scope"), detail);
}

#[track_caller]
fn told(reply: &Reply, (status, problem, error): (u16, &str, &str), detail: &str) {
    let challenge = reply.field("www-authenticate");
    assert!(challenge.contains(error), "{challenge} is not {error}");
    if reply.text().is_empty() {
        assert_eq!(reply.status, status);
        return;
    }
    let problem = reply.is_problem(status, problem);
    let told = problem["detail"].as_str().unwrap();
    assert!(told.contains(detail), "{told} is not {detail}");
}
