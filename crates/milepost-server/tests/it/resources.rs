//! Reading and writing one resource.

use crate::scene::Scene;

const URL: &str = "/v1/accounts/17";

#[tokio::test]
async fn a_representation_comes_back_byte_for_byte() {
    let scene = Scene::with_accounts().await;
    let body = "{ \"balance\" : 1.00,\n\t\"big\": 123456789012345678901234567890.10, \"ü\":\"\\u00fc\" }\n";
    let created = scene.put(URL, body).await;
    assert_eq!(created.status, 201);
    assert_eq!(created.body, "");
    let read = scene.get(URL).await;
    assert_eq!(read.status, 200);
    assert_eq!(read.text(), body);
    assert_eq!(read.field("content-type"), "application/json");
    assert_eq!(read.etag(), created.etag());
}

#[tokio::test]
async fn a_read_tells_validators_caching_variants_and_history() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{}").await;
    let read = scene.get(URL).await;
    assert_eq!(read.field("last-modified"), "Tue, 14 Nov 2023 22:13:20 GMT");
    assert_eq!(
        read.field("cache-control"),
        "public, max-age=1, stale-while-revalidate=5"
    );
    assert_eq!(read.field("vary"), "Accept-Encoding");
    assert_eq!(
        read.field("link"),
        "</v1/accounts/17/versions>; rel=\"version-history\""
    );
    assert!(read.etag().starts_with('"') && !read.etag().starts_with("W/"));
    assert!(!read.headers.contains_key("set-cookie"));
}

#[tokio::test]
async fn caching_is_as_the_definition_says() {
    let scene = Scene::new();
    scene
        .define("notes", &serde_json::json!({ "caching": { "visibility": "private", "maxAge": 60, "staleWhileRevalidate": 0 } }))
        .await;
    scene.made("/v1/notes/1", "{}").await;
    assert_eq!(
        scene.get("/v1/notes/1").await.field("cache-control"),
        "private, max-age=60"
    );
}

#[tokio::test]
async fn head_is_get_without_a_body() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{\"a\":1}").await;
    let (get, head) = (scene.get(URL).await, scene.ask("HEAD", URL, &[], "").await);
    assert_eq!(head.status, 200);
    assert!(head.body.is_empty());
    assert_eq!(head.field("content-length"), "7");
    let lasting = |(name, _): &(&http::HeaderName, _)| *name != "server-timing";
    for (name, value) in get.headers.iter().filter(lasting) {
        assert_eq!(head.headers.get(name), Some(value), "{name}");
    }
    let missing = scene.ask("HEAD", "/v1/accounts/18", &[], "").await;
    assert_eq!((missing.status.as_u16(), missing.body.len()), (404, 0));
}

#[tokio::test]
async fn replacing_answers_204_or_the_representation_where_it_is_preferred() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let replaced = scene
        .put_with(URL, &[("if-match", &etag)], "{\"a\":2}")
        .await;
    assert_eq!((replaced.status.as_u16(), replaced.text()), (204, ""));
    let etag = replaced.etag();
    let replaced = scene
        .put_with(
            URL,
            &[("if-match", &etag), ("prefer", "return=representation")],
            "{\"a\":3}",
        )
        .await;
    assert_eq!(
        (replaced.status.as_u16(), replaced.text()),
        (200, "{\"a\":3}")
    );
    assert_eq!(
        replaced.field("preference-applied"),
        "return=representation"
    );
    assert_eq!(replaced.field("content-location"), URL);
    assert_eq!(replaced.field("content-type"), "application/json");
    let minimal = scene
        .put_with(
            URL,
            &[("if-match", &replaced.etag()), ("prefer", "return=minimal")],
            "{\"a\":4}",
        )
        .await;
    assert_eq!(
        (minimal.status.as_u16(), minimal.field("preference-applied")),
        (204, "return=minimal")
    );
}

#[tokio::test]
async fn a_write_that_changes_no_byte_changes_nothing() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let again = scene
        .put_with(URL, &[("if-match", &etag)], "{\"a\":1}")
        .await;
    assert_eq!((again.status.as_u16(), again.etag()), (204, etag.clone()));
    assert_eq!(scene.get(URL).await.etag(), etag);
}

#[tokio::test]
async fn post_chooses_an_ordered_uuid_and_tells_where() {
    let scene = Scene::with_accounts().await;
    let first = scene.post("/v1/accounts", "{\"a\":1}").await;
    scene.clock.advance_s(1);
    let second = scene.post("/v1/accounts", "{\"a\":1}").await;
    assert_eq!((first.status.as_u16(), first.text()), (201, ""));
    let url = first.field("location").to_owned();
    assert!(url.starts_with("/v1/accounts/") && url.as_str() < second.field("location"));
    assert_eq!(
        url.as_bytes()["/v1/accounts/".len() + 14],
        b'7',
        "{url} is of version 7"
    );
    let read = scene.get(&url).await;
    assert_eq!((read.text(), read.etag()), ("{\"a\":1}", first.etag()));
}

#[tokio::test]
async fn deleting_ends_a_resource_and_its_tag_is_never_used_again() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{}").await;
    let deleted = scene.ask("DELETE", URL, &[("if-match", &etag)], "").await;
    assert_eq!((deleted.status.as_u16(), deleted.body.len()), (204, 0));
    assert!(!deleted.headers.contains_key("etag"));
    scene.get(URL).await.is_problem(404, "notFound");
    assert_ne!(scene.made(URL, "{}").await, etag);
}

#[tokio::test]
async fn what_is_not_there_is_404_and_not_cached() {
    let scene = Scene::with_accounts().await;
    let missing = scene.get("/v1/accounts/none").await;
    missing.is_problem(404, "notFound");
    assert_eq!(missing.field("cache-control"), "no-store");
    scene
        .ask("DELETE", "/v1/accounts/none", &[], "")
        .await
        .is_problem(404, "notFound");
    let problem = scene
        .get("/v1/nothing/1")
        .await
        .is_problem(404, "collectionNotDefined");
    assert_eq!(problem["definition"], "/v1/-/collections/nothing");
    scene
        .put("/v1/nothing/1", "{}")
        .await
        .is_problem(404, "collectionNotDefined");
}

#[tokio::test]
async fn options_tells_truly_what_a_url_takes() {
    let scene = Scene::with_accounts().await;
    let resource = scene.ask("OPTIONS", URL, &[], "").await;
    assert_eq!(resource.status, 204);
    assert_eq!(
        resource.field("allow"),
        "GET, HEAD, PUT, PATCH, DELETE, OPTIONS"
    );
    assert_eq!(
        resource.field("accept-patch"),
        "application/merge-patch+json, application/json-patch+json"
    );
    let collection = scene.ask("OPTIONS", "/v1/accounts", &[], "").await;
    assert_eq!(collection.field("allow"), "GET, HEAD, POST, QUERY, OPTIONS");
    assert_eq!(collection.field("accept-post"), "application/json");
    assert_eq!(collection.field("accept-query"), "\"application/json\"");
}

#[tokio::test]
async fn a_method_that_is_not_allowed_is_405_with_those_that_are() {
    let scene = Scene::with_accounts().await;
    for (method, url) in [
        ("POST", URL),
        ("DELETE", "/v1/accounts"),
        ("PUT", "/v1/accounts"),
        ("PATCH", "/v1/accounts/changes"),
        ("POST", "/v1/-/collections"),
        ("DELETE", "/v1/accounts/17/versions"),
        (
            "DELETE",
            "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b",
        ),
    ] {
        let reply = scene.ask(method, url, &[], "").await;
        reply.is_problem(405, "methodNotAllowed");
        let options = scene.ask("OPTIONS", url, &[], "").await;
        assert_eq!(reply.field("allow"), options.field("allow"));
        assert!(!reply.field("allow").contains(method), "{method} {url}");
    }
    scene
        .ask("BREW", URL, &[], "")
        .await
        .is_problem(501, "notImplemented");
}

#[tokio::test]
async fn json_is_all_there_is_to_accept() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{}").await;
    for accept in [
        "application/json",
        "*/*",
        "application/*;q=0.1",
        "text/html, application/json;q=0.5",
        "application/json;charset=utf-8",
    ] {
        assert_eq!(
            scene.get_with(URL, &[("accept", accept)]).await.status,
            200,
            "{accept}"
        );
    }
    for accept in ["text/html", "application/json;q=0, */*", "application/xml"] {
        scene
            .get_with(URL, &[("accept", accept)])
            .await
            .is_problem(406, "notAcceptable");
        scene
            .get_with("/v1/accounts", &[("accept", accept)])
            .await
            .is_problem(406, "notAcceptable");
    }
    scene
        .get_with(URL, &[("accept", "???")])
        .await
        .is_problem(400, "malformedField");
}

#[tokio::test]
async fn a_digest_is_sent_where_it_is_wanted() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{\"hello\": \"world\"}").await;
    assert!(!scene.get(URL).await.headers.contains_key("repr-digest"));
    let read = scene
        .get_with(URL, &[("want-repr-digest", "sha-256=1")])
        .await;
    // RFC 9530 appendix D: the digest of exactly these bytes.
    assert_eq!(
        read.field("repr-digest"),
        "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
    );
    let head = scene
        .ask("HEAD", URL, &[("want-repr-digest", "sha-256=1")], "")
        .await;
    assert_eq!(head.field("repr-digest"), read.field("repr-digest"));
}

#[tokio::test]
async fn a_patched_account_obeys_the_schema_too() {
    let scene = Scene::with_accounts().await;
    let problem = scene
        .put(URL, "{\"balance\":\"much\",\"owner\":7}")
        .await
        .is_problem(400, "invalidDocument");
    let issues = problem["issues"].as_array().unwrap();
    let mut names: Vec<_> = issues
        .iter()
        .map(|issue| issue["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["/balance", "/owner"],
        "all violations are told at once"
    );
    assert!(issues.iter().all(|issue| issue["in"] == "body"));
}

#[tokio::test]
async fn query_keys_of_a_resource_are_passed_over_unless_the_client_is_strict() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{}").await;
    assert_eq!(scene.get("/v1/accounts/17?fresh=1").await.status, 200);
    let strict = [("prefer", "handling=strict")];
    assert_eq!(scene.get_with(URL, &strict).await.status, 200);
    let problem = scene
        .get_with("/v1/accounts/17?fresh=1", &strict)
        .await
        .is_problem(400, "invalidQuery");
    assert_eq!(problem["issues"][0]["name"], "fresh");
}

#[tokio::test]
async fn the_service_as_a_whole_can_be_asked_for_its_methods() {
    let reply = Scene::new().ask("OPTIONS", "*", &[], "").await;
    assert_eq!(reply.status, 204);
    assert!(reply.field("allow").contains("QUERY"));
}
