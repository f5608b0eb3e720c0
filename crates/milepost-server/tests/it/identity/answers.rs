//! What identity says in answers: who may keep them, what they differ by, and where the metadata is.

use http::HeaderValue;
use milepost_server::Keys;
use serde_json::json;

use super::{
    granting,
    stage::{ISSUER, ada, bank, define, get_as, identity, put_as},
};
use crate::scene::{Reply, Scene};

fn vary(reply: &Reply) -> String {
    let values = reply.headers.get_all("vary").iter();
    let values: Vec<_> = values.map(|value| value.to_str().unwrap()).collect();
    values.join(", ")
}

/// RFC 9111 §3.5: what says `public` may be kept although credentials were shown.
#[tokio::test]
async fn no_shared_cache_may_keep_what_somebody_was_told() {
    let scene = bank().await;
    put_as(&scene, &ada(), "/v1/accounts/1", "{}").await;
    let page = scene.get("/v1/accounts").await.json();
    let resume = page["resume"].as_str().unwrap();
    let snapshot = format!(
        "/v1/accounts/snapshots/{}",
        page["position"].as_str().unwrap()
    );
    let operations = ["/v1/", "/v1/openapi.json", "/v1/-/problems", "/v1/health"];
    let resources = ["/v1/accounts", "/v1/accounts/1", resume, &snapshot];
    for url in resources.into_iter().chain(operations) {
        let reply = get_as(&scene, &ada(), url).await;
        assert_eq!(reply.status, 200, "{url}");
        let control = reply.field("cache-control");
        assert!(
            !control.contains("public") && !control.contains("s-maxage"),
            "{url}: {control}"
        );
        assert!(vary(&reply).contains("Authorization"), "{url}");
    }
    for url in resources {
        let reply = scene.get(url).await;
        assert!(reply.field("cache-control").contains("public"), "{url}");
        assert!(!vary(&reply).contains("Authorization"), "{url}");
    }
}

#[tokio::test]
async fn what_is_private_differs_by_who_asks_and_says_so() {
    let scene = bank().await;
    let private = json!({ "caching": { "visibility": "private" } });
    define(&scene, "letters", &private).await;
    let reply = scene.get("/v1/letters").await;
    assert!(reply.field("cache-control").contains("private"));
    assert!(vary(&reply).contains("Authorization"));
    let not_modified = [("if-none-match", reply.field("etag"))];
    let reply = scene.get_with("/v1/letters", &not_modified).await;
    assert_eq!(reply.status, 304);
    assert!(vary(&reply).contains("Authorization"));
}

#[tokio::test]
async fn the_metadata_name_the_issuers_and_stand_where_challenges_say() {
    let scene = bank().await;
    let challenge = scene.put("/v1/accounts/1", "{}").await;
    let challenge = challenge.field("www-authenticate").to_owned();
    let url = "https://example.org/.well-known/oauth-protected-resource/v1";
    assert_eq!(challenge, format!("Bearer resource_metadata=\"{url}\""));
    for path in [
        "/.well-known/oauth-protected-resource/v1",
        "/.well-known/oauth-protected-resource",
    ] {
        let reply = scene.get(path).await;
        assert_eq!(reply.status, 200, "{reply:?}");
        let metadata = reply.json();
        assert_eq!(metadata["resource"], "https://example.org/v1");
        assert_eq!(metadata["authorization_servers"], json!([ISSUER]));
        assert_eq!(metadata["bearer_methods_supported"], json!(["header"]));
        assert_eq!(reply.field("cache-control"), "no-store");
    }
    let configured = identity().resource("https://api.example/v1").unwrap();
    let scene = Scene::believing(configured);
    let metadata = scene.get("/.well-known/oauth-protected-resource/v1").await;
    assert_eq!(metadata.json()["resource"], "https://api.example/v1");
    assert!(metadata.field("cache-control").contains("max-age"));
    let challenge = scene.put("/v1/accounts/1", "{}").await;
    let challenge = challenge.field("www-authenticate");
    assert!(challenge.contains("https://api.example/.well-known/oauth-protected-resource/v1"));
}

#[tokio::test]
async fn a_service_that_believes_nobody_has_no_metadata_and_no_scheme() {
    let scene = Scene::new();
    let reply = scene.get("/.well-known/oauth-protected-resource/v1").await;
    reply.is_problem(404, "notFound");
    let openapi = scene.get("/v1/openapi.json").await.json();
    assert!(openapi["components"]["securitySchemes"].is_null());
}

#[tokio::test]
async fn the_openapi_document_says_how_to_say_who_asks() {
    let scene = bank().await;
    let openapi = scene.get("/v1/openapi.json").await.json();
    let scheme = &openapi["components"]["securitySchemes"]["bearer"];
    assert_eq!(scheme["type"], "http");
    assert_eq!(scheme["scheme"], "bearer");
    assert_eq!(openapi["security"], json!([{}, { "bearer": [] }]));
}

#[tokio::test]
async fn the_openapi_document_and_the_metadata_say_where_a_grant_may_stand() {
    let scene = granting::bank(&Keys::new(granting::ring())).await;
    let openapi = scene.get("/v1/openapi.json").await.json();
    let scheme = &openapi["components"]["securitySchemes"]["grant"];
    assert_eq!(scheme["in"], "query");
    assert_eq!(scheme["name"], "access_token");
    let accounts = &openapi["paths"]["/accounts"];
    let read = json!([{}, { "bearer": [] }, { "grant": [] }]);
    assert_eq!(accounts["get"]["security"], read);
    assert!(accounts["post"].is_object());
    assert!(accounts["post"]["security"].is_null());
    let metadata = scene.get("/.well-known/oauth-protected-resource/v1").await;
    let methods = &metadata.json()["bearer_methods_supported"];
    assert_eq!(*methods, json!(["header", "query"]));
}

/// A page of the feed differs by `Authorization` by itself; it is said once.
#[tokio::test]
async fn no_answer_names_a_field_it_differs_by_twice() {
    let scene = bank().await;
    let rules = json!({ "rules": { "read": "subject != null", "write": "true" } });
    define(&scene, "letters", &rules).await;
    put_as(&scene, &ada(), "/v1/letters/1", "{}").await;
    let page = get_as(&scene, &ada(), "/v1/letters").await;
    let resume = page.json()["resume"].as_str().unwrap().to_owned();
    for url in ["/v1/letters", "/v1/letters/1", &resume, "/v1/-/changes"] {
        let reply = get_as(&scene, &ada(), url).await;
        assert_eq!(reply.status, 200, "{url}");
        let vary = vary(&reply).to_ascii_lowercase();
        let mut names: Vec<_> = vary.split(',').map(str::trim).collect();
        names.sort_unstable();
        let count = names.len();
        names.dedup();
        assert_eq!(names.len(), count, "{url}: {vary}");
    }
}

#[tokio::test]
async fn pages_of_other_origins_may_read_the_challenge() {
    let scene = bank().await;
    let origin = [
        ("origin", "https://app.example"),
        ("content-type", "application/json"),
    ];
    let reply = scene.ask("PUT", "/v1/accounts/1", &origin, "{}").await;
    let exposed = reply.headers.get("access-control-expose-headers");
    let exposed = exposed.map(HeaderValue::to_str).unwrap().unwrap();
    assert!(exposed.split(", ").any(|name| name == "WWW-Authenticate"));
}
