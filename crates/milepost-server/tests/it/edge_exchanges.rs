//! What stands on every answer, and what every request is held to.

use std::sync::Arc;

use http::{HeaderMap, header};
use milepost_server::{Hosts, Service};
use milepost_store::memory::MemoryStore;
use serde_json::json;
use tower::ServiceExt;

use crate::scene::{Scene, request};

/// One answer of each kind: success, revalidation, refusals, preflight.
async fn one_of_each(scene: &Scene) -> Vec<(&'static str, HeaderMap)> {
    scene.put("/v1/accounts/a", "{}").await;
    let tag = scene.get("/v1/accounts/a").await.etag();
    let preflight = [
        ("origin", "https://a.example"),
        ("access-control-request-method", "PUT"),
    ];
    vec![
        ("200", scene.get("/v1/accounts/a").await.headers),
        (
            "304",
            scene
                .get_with("/v1/accounts/a", &[("if-none-match", &tag)])
                .await
                .headers,
        ),
        ("page", scene.get("/v1/accounts").await.headers),
        ("document", scene.get("/v1/").await.headers),
        ("metrics", scene.get("/v1/-/metrics").await.headers),
        (
            "201",
            scene
                .ask(
                    "POST",
                    "/v1/accounts",
                    &[("content-type", "application/json")],
                    "{}",
                )
                .await
                .headers,
        ),
        ("400", scene.get("/v1/accounts?nonsense=1").await.headers),
        ("404", scene.get("/v1/nothing").await.headers),
        (
            "405",
            scene.ask("DELETE", "/v1/accounts", &[], "").await.headers,
        ),
        (
            "428",
            scene.put("/v1/accounts/a", "{\"a\":1}").await.headers,
        ),
        (
            "options",
            scene.ask("OPTIONS", "/v1/accounts", &[], "").await.headers,
        ),
        (
            "preflight",
            scene
                .ask("OPTIONS", "/v1/accounts", &preflight, "")
                .await
                .headers,
        ),
    ]
}

#[tokio::test]
async fn every_answer_is_guarded_and_versioned_and_sets_no_cookie() {
    let scene = Scene::with_accounts().await;
    for (kind, fields) in one_of_each(&scene).await {
        assert_eq!(fields["api-version"], "1.0.0", "{kind}");
        assert_eq!(fields[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{kind}");
        assert_eq!(fields[header::X_FRAME_OPTIONS], "DENY", "{kind}");
        assert_eq!(fields[header::REFERRER_POLICY], "no-referrer", "{kind}");
        assert!(
            fields.contains_key(header::CONTENT_SECURITY_POLICY),
            "{kind}"
        );
        assert_eq!(fields[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*", "{kind}");
        assert!(
            fields["server-timing"]
                .to_str()
                .unwrap()
                .starts_with("total;dur="),
            "{kind}"
        );
        assert!(!fields.contains_key(header::SET_COOKIE), "{kind}");
    }
}

#[tokio::test]
async fn a_coded_page_has_its_own_tag_and_can_be_revalidated_and_written_with() {
    let scene = Scene::with_accounts().await;
    let long = json!({ "text": "abc ".repeat(1000) }).to_string();
    scene.put("/v1/accounts/a", &long).await;
    let plain = scene.get("/v1/accounts/a").await;
    let coded = scene
        .get_with("/v1/accounts/a", &[("accept-encoding", "gzip")])
        .await;
    assert_eq!(coded.headers[header::CONTENT_ENCODING], "gzip");
    assert_eq!(
        coded.etag(),
        format!("{}+gzip\"", plain.etag().trim_end_matches('"'))
    );
    let tag = coded.etag();
    let held = [("if-none-match", &*tag), ("accept-encoding", "gzip")];
    let again = scene.get_with("/v1/accounts/a", &held).await;
    assert_eq!((again.status.as_u16(), again.etag()), (304, tag.clone()));
    let undecodable = scene
        .get_with("/v1/accounts/a", &[("if-none-match", &tag)])
        .await;
    assert_eq!(
        undecodable.status, 200,
        "who can't decode gzip must not be told to use it"
    );
    let head = scene
        .ask("HEAD", "/v1/accounts/a", &[("accept-encoding", "gzip")], "")
        .await;
    assert_eq!(head.headers[header::ETAG], coded.headers[header::ETAG]);
    assert_eq!(
        head.headers[header::CONTENT_LENGTH],
        coded.body.len().to_string()
    );
    let written = scene
        .put_with("/v1/accounts/a", &[("if-match", &tag)], "{}")
        .await;
    assert_eq!(written.status, 204);
}

#[tokio::test]
async fn a_digest_is_of_the_bytes_that_are_sent() {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use sha2::{Digest, Sha256};
    let scene = Scene::with_accounts().await;
    scene
        .put(
            "/v1/accounts/a",
            &json!({ "text": "abc ".repeat(1000) }).to_string(),
        )
        .await;
    for coding in ["identity", "gzip", "br", "zstd"] {
        let fields = [
            ("want-repr-digest", "sha-256=1"),
            ("accept-encoding", coding),
        ];
        let answer = scene.get_with("/v1/accounts/a", &fields).await;
        let expected = format!(
            "sha-256=:{}:",
            STANDARD.encode(Sha256::digest(&answer.body))
        );
        assert_eq!(answer.headers["repr-digest"], expected, "{coding}");
    }
}

#[tokio::test]
async fn what_was_created_is_told_with_its_location() {
    let scene = Scene::with_accounts().await;
    let put = scene.put("/v1/accounts/a", "{}").await;
    assert_eq!(
        (put.status.as_u16(), put.field("location")),
        (201, "/v1/accounts/a")
    );
    let posted = scene.post("/v1/accounts", "{}").await;
    assert_eq!(scene.get(posted.field("location")).await.status, 200);
}

#[tokio::test]
async fn a_request_has_one_host_that_can_be_one() {
    let scene = Scene::with_accounts().await;
    let ask = |hosts: &[&str]| {
        let mut request = http::Request::builder().uri("/v1/");
        for host in hosts {
            request = request.header(header::HOST, *host);
        }
        request.body(http_body_util::Full::default()).unwrap()
    };
    assert_eq!(scene.send(ask(&["example.org:80"])).await.status, 200);
    for hosts in [&[][..], &["a", "b"], &["a/b"], &["a b"]] {
        let refused = scene.send(ask(hosts)).await;
        assert_eq!(refused.status, 400, "{hosts:?}");
        assert_eq!(
            refused.json()["type"],
            "urn:problem-type:milepost:hostInvalid"
        );
    }
}

#[tokio::test]
async fn more_fields_than_are_taken_and_strange_expectations_are_told_apart() {
    let scene = Scene::with_accounts().await;
    let long = "x".repeat(40_000);
    let refused = scene.get_with("/v1/accounts/a", &[("x-long", &long)]).await;
    assert_eq!(refused.status, 431);
    let refused = scene
        .get_with("/v1/accounts/a", &[("expect", "miracles")])
        .await;
    assert_eq!(refused.status, 417);
}

#[tokio::test]
async fn methods_that_are_for_nothing_here_are_405_and_those_nobody_knows_501() {
    let scene = Scene::with_accounts().await;
    for (method, status) in [("TRACE", 405), ("DELETE", 405), ("BREW", 501)] {
        let refused = scene.ask(method, "/v1/accounts", &[], "").await;
        assert_eq!(refused.status, status, "{method}");
        assert!(refused.headers.contains_key(header::ALLOW), "{method}");
    }
}

#[tokio::test]
async fn no_more_requests_are_answered_at_once_than_may_be() {
    let limits = {
        let mut limits = milepost_server::Limits::default();
        limits.requests_in_flight_max = 0;
        limits
    };
    let scene = Scene::with_limits(limits);
    let refused = scene.get("/v1/").await;
    assert_eq!(refused.status, 503);
    assert_eq!(
        refused.json()["type"],
        "urn:problem-type:milepost:overloaded"
    );
    assert_eq!(refused.headers[header::RETRY_AFTER], "1");
    assert_eq!(
        scene.get("/v1/health").await.status,
        200,
        "who watches must see that it lives"
    );
}

#[tokio::test]
async fn a_name_that_nobody_gave_the_service_is_421_whatever_is_asked() {
    let store = Arc::new(MemoryStore::new());
    let hosts = Hosts::local(
        &["127.0.0.1:80".parse().unwrap()],
        &["api.example".to_owned()],
    );
    let service = Service::builder(store).hosts(hosts).build();
    let ask = async |host: &str, method: &str| {
        let mut request = request(method, "/v1/", &[], "");
        request.headers_mut().insert("host", host.parse().unwrap());
        service.clone().oneshot(request).await.unwrap()
    };
    for method in ["GET", "PUT", "OPTIONS"] {
        let answer = ask("rebound.example:7070", method).await;
        assert_eq!(answer.status(), 421, "{method}");
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }
    for host in ["localhost:7070", "127.0.0.1", "[::1]:1", "API.example"] {
        assert_eq!(ask(host, "GET").await.status(), 200, "{host}");
    }
}
