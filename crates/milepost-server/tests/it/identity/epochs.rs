//! Revocation without sessions: one write ends all tokens of a subject, at every node at once.

use milepost_server::{Identity, Keys};
use milepost_store::CollectionPath;
use serde_json::json;

use super::{
    granting::{self, grant, nameless, refused, signed},
    stage::{admin, claims, get_as, issuer, put_as, secret_keys, token},
};
use crate::scene::{Reply, Scene};

/// Two services in turns over one store, as two nodes are.
async fn nodes() -> Scene {
    let users = CollectionPath::parse("users").unwrap();
    let issuer = issuer(secret_keys()).epochs(users);
    let identity = Identity::of_issuers(vec![issuer]).unwrap();
    let scene = Scene::believing(identity.grants(Keys::new(granting::ring())));
    let store = scene.store();
    for (url, body) in [
        ("collections/users", "{}"),
        ("users/root", "{}"),
        ("users/ada", "{}"),
    ] {
        seed(store, url, body).await;
    }
    scene
}

/// Writes past the service, as the operator does before anybody can have a token.
async fn seed(store: &std::sync::Arc<dyn milepost_store::Store>, path: &str, body: &str) {
    let open = milepost_server::Service::builder(store.clone()).build();
    let url = match path.strip_prefix("collections/") {
        Some(name) => format!("/v1/-/collections/{name}"),
        None => format!("/v1/{path}"),
    };
    let fields = [("content-type", "application/json")];
    let request = crate::scene::request("PUT", &url, &fields, body);
    assert_eq!(open.respond(request).await.status(), 201, "{url}");
}

/// Changes or deletes the subject's own resource, as an admin may.
async fn change_ada(scene: &Scene, method: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {}", admin());
    let fields = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
        ("if-match", "*"),
    ];
    scene.ask(method, "/v1/users/ada", &fields, body).await
}

fn of_epoch(epoch: u64) -> String {
    token(&[], &[("epoch", json!(epoch))])
}

#[tokio::test]
async fn one_write_ends_all_tokens_of_a_subject_at_every_node_at_once() {
    let scene = nodes().await;
    let (old, new) = (of_epoch(3), of_epoch(4));
    for token in [&old, &new] {
        for _node in 0..2 {
            assert_eq!(get_as(&scene, token, "/v1/users").await.status, 200);
        }
    }
    let written = change_ada(&scene, "PUT", r#"{"epoch":4}"#).await;
    assert_eq!(written.status, 204, "{written:?}");
    for _node in 0..4 {
        let reply = get_as(&scene, &old, "/v1/users").await;
        let problem = reply.is_problem(401, "tokenInvalid");
        assert_eq!(problem["detail"], "the token was revoked");
        assert_eq!(get_as(&scene, &new, "/v1/users").await.status, 200);
    }
}

#[tokio::test]
async fn who_has_no_resource_any_more_has_no_token_that_is_good() {
    let scene = nodes().await;
    let ada = of_epoch(0);
    assert_eq!(get_as(&scene, &ada, "/v1/users").await.status, 200);
    let deleted = change_ada(&scene, "DELETE", "").await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    for id in ["ada", "never-was", "no id/at all"] {
        let token = token(&[], &[("sub", json!(id)), ("epoch", json!(9))]);
        let reply = get_as(&scene, &token, "/v1/users").await;
        reply.is_problem(401, "tokenInvalid");
    }
}

#[tokio::test]
async fn a_token_without_an_epoch_is_of_the_first() {
    let scene = nodes().await;
    let plain = token(&[], &[]);
    assert_eq!(get_as(&scene, &plain, "/v1/users").await.status, 200);
    change_ada(&scene, "PUT", r#"{"epoch":1}"#).await;
    let reply = get_as(&scene, &plain, "/v1/users").await;
    reply.is_problem(401, "tokenInvalid");
    let odd = token(&[], &[("epoch", json!("1"))]);
    let reply = get_as(&scene, &odd, "/v1/users").await;
    reply.is_problem(401, "tokenInvalid");
    assert!(!claims(&[]).contains_key("epoch"));
    let reply = put_as(&scene, &plain, "/v1/users/ada", "{}").await;
    reply.is_problem(401, "tokenInvalid");
}

#[tokio::test]
async fn a_grant_ends_with_the_epoch_of_its_subject_and_with_its_issuer() {
    let scene = nodes().await;
    let of_epoch = |epoch: u64| {
        let mut get = grant("GET", "/v1/users");
        get.claims.insert("epoch".to_owned(), json!(epoch));
        signed(&get)
    };
    let (old, new) = (of_epoch(3), of_epoch(4));
    assert_eq!(get_as(&scene, &old, "/v1/users").await.status, 200);
    let written = change_ada(&scene, "PUT", r#"{"epoch":4}"#).await;
    assert_eq!(written.status, 204, "{written:?}");
    for _node in 0..2 {
        refused(&get_as(&scene, &old, "/v1/users").await, "revoked");
        assert_eq!(get_as(&scene, &new, "/v1/users").await.status, 200);
    }
    let deleted = change_ada(&scene, "DELETE", "").await;
    assert_eq!(deleted.status, 204, "{deleted:?}");
    refused(&get_as(&scene, &new, "/v1/users").await, "revoked");
    let nobodys = signed(&nameless(grant("GET", "/v1/users")));
    assert_eq!(get_as(&scene, &nobodys, "/v1/users").await.status, 200);
    let mut stranger = grant("GET", "/v1/users");
    stranger.subject.as_mut().unwrap().issuer = "https://other.example".to_owned();
    refused(
        &get_as(&scene, &signed(&stranger), "/v1/users").await,
        "issuer",
    );
}
