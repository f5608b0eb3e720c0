//! What rules promise, one by one.

use milepost_server::{Limits, Subject};
use serde_json::{Value, json};

use super::somebody;
use crate::scene::{Reply, Scene, Serving};

const JSON: (&str, &str) = ("content-type", "application/json");
const NOTES: &str = "/v1/-/collections/notes";

fn ada() -> Subject {
    somebody("ada", json!({ "role": "clerk" }))
}

fn bob() -> Subject {
    somebody("bob", json!({}))
}

async fn with_rules(rules: Value) -> Scene {
    let scene = Scene::serving(Limits::default(), Serving::One);
    let definition = json!({ "preconditions": "optional", "rules": rules });
    scene.define("notes", &definition).await;
    scene
}

/// Everybody has notes of their own.
async fn with_notes() -> Scene {
    with_rules(json!({ "default": "resource.owner == subject.id" })).await
}

impl Scene {
    async fn as_(&self, who: &Subject, method: &str, url: &str, body: &str) -> Reply {
        self.ask_as(who, (method, url), &[JSON], body).await
    }
}

#[tokio::test]
async fn rules_that_do_not_compile_loop_or_cost_too_much_are_refused_when_they_are_defined() {
    let scene = Scene::new();
    let long = format!("true || {}", "x".repeat(2000));
    let wrong = [
        "",
        "1 +",
        "))",
        "nothing == 1",
        "subject",
        "subject.claims == null",
        "subject.name == 'ada'",
        "request.time > 1",
        "subject.claims[resource.claim] == 1",
        "has(subject.id)",
        "resource.all(x, x.all(y, y))",
        "resource.text.matches(resource.pattern)",
        "resource.text.matches('(')",
        "timestamp(resource.at) > 1",
        "{'a': 1}.a == 1",
        "b'x' == b'x'",
        "previous.owner == 'ada'",
        &long,
        &"(".repeat(50),
        &"!".repeat(200),
        &format!("{}true", "true && ".repeat(60)),
        "resource.text.matches('(a{1000}){1000}')",
    ];
    for text in wrong {
        let definition = json!({ "rules": { "read": text, "write": "true" } });
        let reply = scene.put(NOTES, &definition.to_string()).await;
        let problem = reply.is_problem(400, "invalidDefinition");
        assert_eq!(
            problem["issues"][0]["name"], "/rules/read",
            "{text}: {problem}"
        );
    }
    for (rules, at) in [
        (json!([]), "/rules"),
        (json!({ "reed": "true" }), "/rules/reed"),
        (json!({ "read": 1 }), "/rules/read"),
    ] {
        let reply = scene
            .put(NOTES, &json!({ "rules": rules }).to_string())
            .await;
        assert_eq!(
            reply.is_problem(400, "invalidDefinition")["issues"][0]["name"],
            at
        );
    }
    let operation =
        json!({ "method": "PUT", "href": NOTES, "value": { "rules": { "read": "nothing" } } });
    let transaction = json!({ "operations": [operation] }).to_string();
    let url = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    assert!(scene.put(url, &transaction).await.status.is_client_error());
    assert_eq!(scene.get("/v1/notes").await.status, 404);
}

#[tokio::test]
async fn what_no_rule_allows_is_refused_and_a_definition_says_so() {
    let scene = with_rules(json!({ "write": "true" })).await;
    let definition = scene.get(NOTES).await.json();
    let rules = json!({ "read": "false", "create": "true", "update": "true", "delete": "true" });
    assert_eq!(definition["rules"], rules);
    assert_eq!(definition["caching"]["visibility"], "private");
    assert_eq!(
        scene.as_(&ada(), "PUT", "/v1/notes/n1", "{}").await.status,
        201
    );
    for url in [
        "/v1/notes",
        "/v1/notes/n1",
        "/v1/notes/n2",
        "/v1/notes/changes",
        "/v1/notes/n1/versions",
    ] {
        scene
            .as_(&ada(), "GET", url, "")
            .await
            .is_problem(403, "notPermitted");
        let reply = scene.get(url).await;
        reply.is_problem(401, "unauthenticated");
        assert!(
            reply.field("www-authenticate").starts_with("Bearer"),
            "{reply:?}"
        );
    }
}

#[tokio::test]
async fn nobody_makes_a_resource_theirs_by_saying_so() {
    let scene =
        with_rules(json!({ "read": "true", "write": "resource.owner == subject.id" })).await;
    let url = "/v1/notes/n1";
    scene
        .as_(&bob(), "PUT", url, "{\"owner\":\"ada\"}")
        .await
        .is_problem(403, "notPermitted");
    assert_eq!(
        scene
            .as_(&ada(), "PUT", url, "{\"owner\":\"ada\"}")
            .await
            .status,
        201
    );
    scene
        .as_(&bob(), "PUT", url, "{\"owner\":\"bob\"}")
        .await
        .is_problem(403, "notPermitted");
    scene
        .as_(&bob(), "DELETE", url, "")
        .await
        .is_problem(403, "notPermitted");
    scene
        .put(url, "{\"owner\":\"bob\"}")
        .await
        .is_problem(401, "unauthenticated");
    assert_eq!(
        scene
            .as_(&ada(), "PUT", url, "{\"owner\":\"ada\",\"n\":1}")
            .await
            .status,
        204
    );
    assert_eq!(scene.as_(&ada(), "DELETE", url, "").await.status, 204);
}

#[tokio::test]
async fn a_rule_may_compare_what_stood_with_what_would_stand() {
    let rules = json!({ "default": "true", "update": "previous.state != 'closed' && resource.n > previous.n" });
    let scene = with_rules(rules).await;
    let url = "/v1/notes/n1";
    let put = async |body: &str| scene.as_(&ada(), "PUT", url, body).await.status.as_u16();
    assert_eq!(put("{\"n\":1,\"state\":\"open\"}").await, 201);
    assert_eq!(put("{\"n\":1,\"state\":\"closed\"}").await, 403);
    assert_eq!(put("{\"n\":2,\"state\":\"closed\"}").await, 204);
    assert_eq!(put("{\"n\":3,\"state\":\"open\"}").await, 403);
}

#[tokio::test]
async fn a_rule_that_costs_too_much_allows_nothing() {
    let scene = with_rules(
        json!({ "read": "resource.list.exists(x, x == 'no') || true", "write": "true" }),
    )
    .await;
    let short = json!({ "list": vec!["word"; 10] }).to_string();
    let long = json!({ "list": vec!["word"; 50_000] }).to_string();
    scene.as_(&ada(), "PUT", "/v1/notes/short", &short).await;
    scene.as_(&ada(), "PUT", "/v1/notes/long", &long).await;
    assert_eq!(scene.get("/v1/notes/short").await.status, 200);
    assert_eq!(scene.get("/v1/notes/long").await.status, 404);
    assert_eq!(scene.get("/v1/notes").await.ids(), ["short"]);
}

#[tokio::test]
async fn what_depends_on_who_asks_is_never_for_shared_caches() {
    let scene = Scene::new();
    let public = |read: &str| {
        json!({ "rules": { "read": read }, "caching": { "visibility": "public" } }).to_string()
    };
    let reply = scene.put(NOTES, &public("subject != null")).await;
    let problem = reply.is_problem(400, "invalidDefinition");
    assert_eq!(problem["issues"][0]["name"], "/caching/visibility");
    assert_eq!(
        scene.put(NOTES, &public("resource.published")).await.status,
        201
    );
    assert!(
        scene
            .get("/v1/notes")
            .await
            .field("cache-control")
            .starts_with("public")
    );

    let scene = with_notes().await;
    scene
        .as_(&ada(), "PUT", "/v1/notes/n1", "{\"owner\":\"ada\"}")
        .await;
    let list = scene.as_(&ada(), "GET", "/v1/notes", "").await;
    let resume = list.json()["resume"].as_str().unwrap().to_owned();
    let remembered = scene.as_(&ada(), "GET", "/v1/notes/changes", "").await;
    let everything = scene.as_(&ada(), "GET", "/v1/-/changes", "").await;
    let note = scene.as_(&ada(), "GET", "/v1/notes/n1", "").await;
    let versions = scene.as_(&ada(), "GET", "/v1/notes/n1/versions", "").await;
    let feed = scene.as_(&ada(), "GET", &resume, "").await;
    for reply in [list, remembered, everything, note, versions, feed] {
        assert!(
            reply.field("cache-control").starts_with("private"),
            "{reply:?}"
        );
        assert!(reply.field("vary").contains("Authorization"), "{reply:?}");
    }
}

#[tokio::test]
async fn pages_that_are_kept_are_not_anothers() {
    let scene = with_notes().await;
    scene
        .as_(&ada(), "PUT", "/v1/notes/n1", "{\"owner\":\"ada\"}")
        .await;
    let list = scene.as_(&bob(), "GET", "/v1/notes", "").await;
    assert!(list.ids().is_empty());
    let bobs = list.json()["resume"].as_str().unwrap().to_owned();
    let list = scene.as_(&ada(), "GET", "/v1/notes", "").await;
    let adas = list.json()["resume"].as_str().unwrap().to_owned();
    scene
        .as_(&ada(), "PUT", "/v1/notes/n2", "{\"owner\":\"ada\"}")
        .await;
    for _ in 0..2 {
        assert_eq!(scene.as_(&ada(), "GET", &adas, "").await.ids(), ["n2"]);
        assert!(scene.as_(&bob(), "GET", &bobs, "").await.ids().is_empty());
        let expired = scene.as_(&bob(), "GET", &adas, "").await;
        let problem = expired.is_problem(410, "positionExpired");
        let again = scene
            .as_(&bob(), "GET", problem["resync"].as_str().unwrap(), "")
            .await;
        assert!(again.ids().is_empty());
        scene.get(&adas).await.is_problem(410, "positionExpired");
    }
}

#[tokio::test]
async fn what_is_hidden_moves_no_tag_of_a_list() {
    let scene = with_notes().await;
    scene
        .as_(&ada(), "PUT", "/v1/notes/n1", "{\"owner\":\"ada\"}")
        .await;
    let list = scene.as_(&ada(), "GET", "/v1/notes", "").await;
    scene
        .as_(&bob(), "PUT", "/v1/notes/n2", "{\"owner\":\"bob\"}")
        .await;
    let held = [("if-none-match", &*list.etag())];
    let again = scene.ask_as(&ada(), ("GET", "/v1/notes"), &held, "").await;
    assert_eq!(again.status, 304);
    scene
        .as_(&ada(), "PUT", "/v1/notes/n3", "{\"owner\":\"ada\"}")
        .await;
    let again = scene.ask_as(&ada(), ("GET", "/v1/notes"), &held, "").await;
    assert_eq!(again.ids(), ["n1", "n3"]);
}

#[tokio::test]
async fn what_may_be_put_in_but_not_looked_at_is_a_drop_box() {
    let rules = json!({ "read": "subject != null && subject.id == 'ada'", "create": "true" });
    let scene = with_rules(rules).await;
    let made = scene.post("/v1/notes", "{\"text\":\"help\"}").await;
    assert_eq!(made.status, 201);
    let url = made.field("location").to_owned();
    scene.get(&url).await.is_problem(401, "unauthenticated");
    assert_eq!(
        scene.as_(&ada(), "GET", &url, "").await.text(),
        "{\"text\":\"help\"}"
    );
    assert_eq!(
        scene
            .as_(&ada(), "GET", "/v1/notes?total=true", "")
            .await
            .json()["total"],
        1
    );
}

#[tokio::test]
async fn outcomes_of_transactions_are_told_to_whoever_made_them() {
    let scene = with_notes().await;
    let operation = json!({ "method": "PUT", "href": "/v1/notes/n1", "value": { "owner": "ada" } });
    let transaction = json!({ "operations": [operation] }).to_string();
    let url = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
    let refused = scene.as_(&bob(), "PUT", url, &transaction).await;
    let problem = refused.is_problem(403, "transactionFailed");
    assert_eq!(problem["failed"][0]["status"], 403);
    assert_eq!(
        scene.as_(&ada(), "PUT", url, &transaction).await.status,
        201
    );
    assert_eq!(
        scene.as_(&ada(), "PUT", url, &transaction).await.status,
        200
    );
    assert_eq!(scene.as_(&ada(), "GET", url, "").await.status, 200);
    scene
        .as_(&bob(), "GET", url, "")
        .await
        .is_problem(404, "transactionNotFound");
    scene.get(url).await.is_problem(404, "transactionNotFound");
    scene
        .as_(&bob(), "PUT", url, &transaction)
        .await
        .is_problem(422, "transactionMismatch");
}

#[tokio::test]
async fn what_a_flow_does_is_decided_by_the_rules_for_whoever_finishes_it() {
    let scene = with_notes().await;
    scene.define("flows", &json!({})).await;
    let flow = json!({
        "version": 1, "title": "Note", "steps": [{ "id": "only", "title": "Text" }],
        "transaction": { "operations": [{ "method": "PUT", "href": "/v1/notes/n1", "value": { "owner": "ada" } }] }
    });
    scene.made("/v1/flows/note", &flow.to_string()).await;
    let finish = async |who: &Subject| {
        let begun = scene.as_(who, "GET", "/v1/-/flows/note", "").await.json();
        let sent = json!({ "state": begun["state"], "input": {} }).to_string();
        scene.as_(who, "POST", "/v1/-/flows/note", &sent).await
    };
    assert_eq!(finish(&bob()).await.status, 403);
    assert_eq!(finish(&ada()).await.status, 201);
}

#[tokio::test]
async fn absent_and_hidden_resources_are_answered_by_the_same_path() {
    let scene = with_notes().await;
    scene
        .as_(&ada(), "PUT", "/v1/notes/n1", "{\"owner\":\"ada\"}")
        .await;
    let hidden = scene.as_(&bob(), "GET", "/v1/notes/n1", "").await;
    let absent = scene.as_(&bob(), "GET", "/v1/notes/n2", "").await;
    let plain = |reply: &Reply| {
        let mut problem = reply.is_problem(404, "notFound");
        problem.as_object_mut().unwrap().remove("instance");
        let fields: Vec<_> = reply
            .headers
            .iter()
            .filter(|(name, _)| *name != "server-timing")
            .collect();
        format!("{problem} {fields:?}")
    };
    assert_eq!(plain(&hidden), plain(&absent));
}
