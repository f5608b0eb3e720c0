//! Preconditions: RFC 9110 §13, by whole exchanges.

use crate::scene::Scene;

const URL: &str = "/v1/accounts/17";

#[tokio::test]
async fn an_unconditional_change_of_an_existing_resource_is_428() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{\"a\":1}").await;
    scene
        .put(URL, "{\"a\":2}")
        .await
        .is_problem(428, "preconditionRequired");
    scene
        .ask("DELETE", URL, &[], "")
        .await
        .is_problem(428, "preconditionRequired");
    let patch = [("content-type", "application/merge-patch+json")];
    scene
        .ask("PATCH", URL, &patch, "{\"a\":2}")
        .await
        .is_problem(428, "preconditionRequired");
    assert_eq!(scene.get(URL).await.text(), "{\"a\":1}");
}

#[tokio::test]
async fn a_collection_may_do_without_preconditions() {
    let scene = Scene::new();
    scene
        .define("notes", &serde_json::json!({ "preconditions": "optional" }))
        .await;
    scene.made("/v1/notes/1", "{\"a\":1}").await;
    assert_eq!(scene.put("/v1/notes/1", "{\"a\":2}").await.status, 204);
    assert_eq!(
        scene.ask("DELETE", "/v1/notes/1", &[], "").await.status,
        204
    );
}

#[tokio::test]
async fn a_lost_update_is_412_with_the_current_tag_and_state() {
    let scene = Scene::with_accounts().await;
    let old = scene.made(URL, "{\"a\":1}").await;
    let current = scene
        .put_with(URL, &[("if-match", &old)], "{\"a\":2}")
        .await
        .etag();
    let lost = scene
        .put_with(URL, &[("if-match", &old)], "{\"a\":3}")
        .await;
    let problem = lost.is_problem(412, "preconditionFailed");
    assert_eq!(
        (lost.etag(), problem["etag"].as_str().unwrap()),
        (current.clone(), current.as_str())
    );
    assert!(problem.get("current").is_none());
    let shown = scene
        .put_with(
            URL,
            &[("if-match", &old), ("prefer", "return=representation")],
            "{\"a\":3}",
        )
        .await;
    assert_eq!(
        shown.is_problem(412, "preconditionFailed")["current"],
        serde_json::json!({ "a": 2 })
    );
    assert_eq!(shown.field("preference-applied"), "return=representation");
}

#[tokio::test]
async fn repeating_a_write_that_was_carried_out_is_no_failure() {
    let scene = Scene::with_accounts().await;
    let old = scene.made(URL, "{\"a\":1}").await;
    let first = scene
        .put_with(URL, &[("if-match", &old)], "{\"a\":2}")
        .await;
    let again = scene
        .put_with(URL, &[("if-match", &old)], "{\"a\":2}")
        .await;
    assert_eq!((again.status.as_u16(), again.etag()), (204, first.etag()));
}

#[tokio::test]
async fn if_none_match_star_refuses_to_overwrite() {
    let scene = Scene::with_accounts().await;
    let fields = [("if-none-match", "*")];
    assert_eq!(scene.put_with(URL, &fields, "{\"a\":1}").await.status, 201);
    scene
        .put_with(URL, &fields, "{\"a\":2}")
        .await
        .is_problem(412, "preconditionFailed");
    assert_eq!(scene.get(URL).await.text(), "{\"a\":1}");
}

#[tokio::test]
async fn if_match_on_what_does_not_exist_is_412() {
    let scene = Scene::with_accounts().await;
    let reply = scene.put_with(URL, &[("if-match", "*")], "{}").await;
    reply.is_problem(412, "preconditionFailed");
    assert!(!reply.headers.contains_key("etag"));
}

#[tokio::test]
async fn a_known_tag_gets_304_without_a_body() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let read = scene.get(URL).await;
    for held in [
        etag.clone(),
        format!("W/{etag}"),
        format!("\"x\", {etag}"),
        "*".to_owned(),
    ] {
        let reply = scene.get_with(URL, &[("if-none-match", &held)]).await;
        assert_eq!(
            (reply.status.as_u16(), reply.body.len()),
            (304, 0),
            "{held}"
        );
        for name in ["etag", "cache-control", "vary"] {
            assert_eq!(reply.field(name), read.field(name));
        }
        assert!(!reply.headers.contains_key("content-type"));
    }
    assert_eq!(
        scene
            .get_with(URL, &[("if-none-match", "\"other\"")])
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn a_variant_is_held_only_by_who_could_be_sent_it() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let gzip = format!("{}+gzip\"", etag.trim_end_matches('"'));
    let held = scene
        .get_with(
            URL,
            &[("if-none-match", &gzip), ("accept-encoding", "gzip")],
        )
        .await;
    assert_eq!((held.status.as_u16(), held.etag()), (304, gzip.clone()));
    for fields in [
        &[("if-none-match", gzip.as_str())][..],
        &[
            ("if-none-match", &gzip),
            ("accept-encoding", "br, gzip;q=0"),
        ],
    ] {
        assert_eq!(scene.get_with(URL, fields).await.status, 200);
    }
}

#[tokio::test]
async fn a_client_that_read_a_compressed_variant_can_write() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let gzip = format!("{}+gzip\"", etag.trim_end_matches('"'));
    assert_eq!(
        scene
            .put_with(URL, &[("if-match", &gzip)], "{\"a\":2}")
            .await
            .status,
        204
    );
}

#[tokio::test]
async fn dates_guard_where_there_are_no_tags() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{\"a\":1}").await;
    let modified = scene.get(URL).await.field("last-modified").to_owned();
    assert_eq!(
        scene
            .get_with(URL, &[("if-modified-since", &modified)])
            .await
            .status,
        304
    );
    let both = [
        ("if-modified-since", modified.as_str()),
        ("if-none-match", "\"other\""),
    ];
    assert_eq!(
        scene.get_with(URL, &both).await.status,
        200,
        "a tag outranks a date"
    );
    scene.clock.advance_s(10);
    let fields = [("if-unmodified-since", modified.as_str())];
    assert_eq!(scene.put_with(URL, &fields, "{\"a\":2}").await.status, 204);
    scene
        .put_with(URL, &fields, "{\"a\":3}")
        .await
        .is_problem(412, "preconditionFailed");
}

#[tokio::test]
async fn a_malformed_condition_is_400_and_never_ignored() {
    let scene = Scene::with_accounts().await;
    scene.made(URL, "{\"a\":1}").await;
    for field in [
        ("if-match", "k3.7"),
        ("if-none-match", "*, \"a\""),
        ("if-match", "\"a\" \"b\""),
    ] {
        let problem = scene
            .put_with(URL, &[field], "{\"a\":2}")
            .await
            .is_problem(400, "malformedField");
        assert_eq!(problem["issues"][0]["name"], field.0);
        scene
            .get_with(URL, &[field])
            .await
            .is_problem(400, "malformedField");
    }
    assert_eq!(scene.get(URL).await.text(), "{\"a\":1}");
}

#[tokio::test]
async fn a_read_can_be_conditional_on_the_version_it_is_about() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    assert_eq!(
        scene.get_with(URL, &[("if-match", &etag)]).await.status,
        200
    );
    let reply = scene.get_with(URL, &[("if-match", "\"other\"")]).await;
    reply.is_problem(412, "preconditionFailed");
    assert_eq!(reply.etag(), etag);
}

#[tokio::test]
async fn a_deletion_can_be_repeated_safely() {
    let scene = Scene::with_accounts().await;
    let etag = scene.made(URL, "{\"a\":1}").await;
    let fields = [("if-match", etag.as_str())];
    assert_eq!(scene.ask("DELETE", URL, &fields, "").await.status, 204);
    assert_eq!(scene.ask("DELETE", URL, &fields, "").await.status, 204);
}
