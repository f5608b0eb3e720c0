//! Listings: filters, order, pages, and what they refuse.

use serde_json::json;

use crate::scene::Scene;

#[tokio::test]
async fn a_page_has_exactly_the_documented_form() {
    let scene = Scene::with_accounts().await;
    let etag = scene
        .made("/v1/accounts/17", "{ \"owner\": \"ada\" }")
        .await;
    let page = scene.get("/v1/accounts").await;
    assert_eq!(page.status, 200);
    let position = etag.trim_matches('"');
    let expected = format!(
        "{{\"self\":\"/v1/accounts\",\"kind\":\"snapshot\",\"replace\":true,\"items\":[\
         {{\"href\":\"/v1/accounts/17\",\"id\":\"17\",\"etag\":\"\\\"{position}\\\"\",\"value\":{{ \"owner\": \"ada\" }}}}],\
         \"resume\":\"/v1/accounts/changes/{position}\",\"position\":\"{position}\"}}"
    );
    assert_eq!(page.text(), expected);
    assert_eq!(page.etag(), etag);
    assert_eq!(
        page.field("cache-control"),
        "public, max-age=1, stale-while-revalidate=5"
    );
    assert_eq!(
        page.field("link"),
        format!("</v1/accounts/changes/{position}>; rel=\"urn:milepost:resume\"")
    );
}

#[tokio::test]
async fn an_empty_collection_is_a_page_without_items() {
    let scene = Scene::with_accounts().await;
    let page = scene.get("/v1/accounts").await;
    assert_eq!((page.status.as_u16(), page.ids().len()), (200, 0));
    assert!(page.json()["resume"].is_string());
    scene
        .get("/v1/none")
        .await
        .is_problem(404, "collectionNotDefined");
}

#[tokio::test]
async fn an_unchanged_page_is_304() {
    let scene = Scene::with_accounts().await;
    scene.fill(2).await;
    let page = scene.get("/v1/accounts?owner=ada").await;
    let again = scene
        .get_with("/v1/accounts?owner=ada", &[("if-none-match", &page.etag())])
        .await;
    assert_eq!(
        (again.status.as_u16(), again.body.len(), again.etag()),
        (304, 0, page.etag())
    );
    scene.made("/v1/accounts/new", "{}").await;
    assert_eq!(
        scene
            .get_with("/v1/accounts?owner=ada", &[("if-none-match", &page.etag())])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_key_filters_by_its_index() {
    let scene = Scene::with_accounts().await;
    scene.fill(6).await;
    for (query, ids) in [
        ("owner=ada", vec!["a00", "a03"]),
        ("owner=ada&owner=bob", vec!["a00", "a01", "a03", "a04"]),
        ("balance=gte:40", vec!["a04", "a05"]),
        ("balance=gt:0&balance=0&owner=ada", vec!["a00", "a03"]),
        ("balance=lt:20", vec!["a00", "a01"]),
        ("city=c1&owner=bob", vec!["a01"]),
        ("owner=ne:ada&balance=lte:20", vec!["a01", "a02"]),
        ("owner=prefix:a", vec!["a00", "a03"]),
        ("city=exists:false", vec![]),
        ("owner=eq:gte:1", vec![]),
    ] {
        let mut found = scene.get(&format!("/v1/accounts?{query}")).await.ids();
        found.sort_unstable();
        assert_eq!(found, ids, "{query}");
    }
}

#[tokio::test]
async fn sorting_orders_by_value_and_ends_with_no_way_on() {
    let scene = Scene::with_accounts().await;
    scene.fill(5).await;
    let mut url = "/v1/accounts?pageSize=2&sort=-balance".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = scene.get(&url).await;
        assert_eq!(page.status, 200, "{page:?}");
        let document = page.json();
        assert_eq!(document["self"], url.as_str());
        assert!(document.get("resume").is_none());
        seen.extend(page.ids());
        let Some(next) = document["next"].as_str() else {
            break;
        };
        assert!(next.starts_with("/v1/accounts?after="), "{next}");
        assert_eq!(page.field("link"), format!("<{next}>; rel=\"next\""));
        url = next.to_owned();
    }
    assert_eq!(seen, ["a04", "a03", "a02", "a01", "a00"]);
}

#[tokio::test]
async fn select_keeps_the_place_and_the_bytes_of_what_it_names() {
    let scene = Scene::with_accounts().await;
    let body = r#"{"owner": "ada", "balance": 1.50, "address": {"street": "s", "city": "c"}, "note": [1, 2]}"#;
    scene.made("/v1/accounts/1", body).await;
    let page = scene.get("/v1/accounts?select=city,balance,missing").await;
    assert!(
        page.text()
            .contains(r#""value":{"balance":1.50,"address":{"city":"c"}}"#),
        "{}",
        page.text()
    );
    assert_eq!(
        page.json()["self"],
        "/v1/accounts?select=balance,city,missing"
    );
    let page = scene.get("/v1/accounts?select=address,city,note").await;
    assert!(
        page.text()
            .contains(r#""value":{"address":{"street": "s", "city": "c"},"note":[1, 2]}"#),
        "{}",
        page.text()
    );
}

#[tokio::test]
async fn the_total_is_told_when_it_is_asked_for() {
    let scene = Scene::with_accounts().await;
    scene.fill(3).await;
    assert!(
        scene
            .get("/v1/accounts")
            .await
            .json()
            .get("total")
            .is_none()
    );
    let page = scene.get("/v1/accounts?pageSize=1&total=true").await.json();
    assert_eq!(page["total"], 3);
    assert!(!page["next"].as_str().unwrap().contains("total"));
}

#[tokio::test]
async fn text_is_searched_where_it_is_declared() {
    let scene = Scene::with_accounts().await;
    scene
        .made("/v1/accounts/1", "{\"title\":\"a red house\"}")
        .await;
    scene
        .made("/v1/accounts/2", "{\"title\":\"a blue house\"}")
        .await;
    let page = scene.get("/v1/accounts?q=house").await;
    assert_eq!(page.ids(), ["2", "1"], "the newest comes first");
    assert!(page.json().get("resume").is_none());
    assert_eq!(scene.get("/v1/accounts?q=red+house").await.ids(), ["1"]);
}

#[tokio::test]
async fn everything_wrong_with_a_query_is_told_at_once() {
    let scene = Scene::with_accounts().await;
    let url =
        "/v1/accounts?colour=red&pageSize=0&sort=size,-owner&total=maybe&balance=gte:much&after=";
    let problem = scene.get(url).await.is_problem(400, "invalidQuery");
    let issues = problem["issues"].as_array().unwrap().iter();
    let mut names: Vec<_> = issues
        .map(|issue| issue["name"].as_str().unwrap())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        ["after", "balance", "colour", "pageSize", "sort", "total"]
    );
    assert_eq!(problem["definition"], "/v1/-/collections/accounts");
}

#[tokio::test]
async fn an_undeclared_key_is_400_and_names_the_definition_to_change() {
    let scene = Scene::with_accounts().await;
    for url in [
        "/v1/accounts?colour=red",
        "/v1/accounts?sort=colour",
        "/v1/accounts?page=2",
    ] {
        let problem = scene.get(url).await.is_problem(400, "undeclaredIndex");
        assert_eq!(problem["definition"], "/v1/-/collections/accounts");
        assert_eq!(problem["issues"][0]["in"], "query");
    }
    scene.define("plain", &json!({})).await;
    scene
        .get("/v1/plain?q=x")
        .await
        .is_problem(400, "undeclaredIndex");
}

#[tokio::test]
async fn bad_values_in_a_query_are_400() {
    let scene = Scene::with_accounts().await;
    for query in [
        "pageSize=2049",
        "pageSize=-1",
        "pageSize=1&pageSize=2",
        "pageSize=ten",
        "after=a&after=b",
        "q=a&q=b",
        "q=a&sort=owner",
        "sort=owner,owner",
        "select=,",
        "owner=%zz",
        "owner=%ff",
        "balance=gte:null",
        "balance=abc",
        "sort=owner&after=not*base64",
        "sort=owner&after=AAAA",
    ] {
        scene
            .get(&format!("/v1/accounts?{query}"))
            .await
            .is_problem(400, "invalidQuery");
    }
    let long = format!("/v1/accounts?q={}", "x".repeat(2000));
    scene.get(&long).await.is_problem(400, "invalidQuery");
}

#[tokio::test]
async fn a_query_is_read_as_forms_and_urls_write_it() {
    let scene = Scene::with_accounts().await;
    scene
        .made("/v1/accounts/1", "{\"owner\":\"ada l+ü\"}")
        .await;
    for query in [
        "owner=ada+l%2B%C3%BC",
        "owner=ada%20l%2b%c3%bc",
        "&&owner=ada%20l%2B%C3%BC&",
    ] {
        let page = scene.get(&format!("/v1/accounts?{query}")).await;
        assert_eq!(page.ids(), ["1"], "{query}");
        assert_eq!(page.json()["self"], "/v1/accounts?owner=ada%20l%2B%C3%BC");
    }
}
