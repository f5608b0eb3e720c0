//! The last step with a file, sent again: by programs and in forms, with rules and without, at the same time, on other
//! nodes, by another token, and long after.

use std::sync::Arc;

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use milepost_server::{Service, Subject};
use milepost_store::Store;
use serde_json::{Map, Value, json};
use tower::ServiceExt as _;

use crate::{
    flows_files::{PDF, PNG},
    flows_handing::{
        asked_by, begun, desk, document, draft, filled, flow, next, operations, somebody, values,
    },
    meddled::{Meanwhile, MeddledStore},
    scene::{Reply, Scene},
};

/// Only drafts may be seen, and only by whoever sent them: once a file is lasting, its sender sees it no more.
fn drafts_alone() -> Value {
    let own = "resource.by == subject.id";
    json!({ "read": format!("resource.draft == true && {own}"),
        "create": own, "update": format!("previous.draft == true && {own}") })
}

/// Puts a draft there, and answers with it.
async fn linked(scene: &Scene, subject: Option<&Subject>) -> Value {
    let mut file = draft("image/png", PNG);
    if let Some(by) = subject.and_then(Subject::id) {
        file["by"] = json!(by);
    }
    let fields = [("content-type", "application/json")];
    let put = crate::scene::request("PUT", "/v1/files/a", &fields, &file.to_string());
    assert_eq!(scene.send(asked_by(subject, put)).await.status, 201);
    json!({ "scan": { "href": "/v1/files/a" }, "word": "yes" })
}

#[tokio::test]
async fn a_last_step_with_a_file_is_carried_out_once_however_often_a_program_sends_it() {
    for (rules, subject) in [(None, None), (Some(drafts_alone()), Some(somebody("ada")))] {
        let scene = desk(&flow(&operations(), false), rules).await;
        let subject = subject.as_ref();
        let input = linked(&scene, subject).await;
        let state = begun(&scene, subject).await;
        let send = || scene.send(asked_by(subject, document(&state, &input)));
        let first = send().await;
        assert_eq!(first.status, 201, "{first:?}");
        let head = scene.head().await;
        for _again in 0..4 {
            let again = send().await;
            assert_eq!(again.status, 200, "{again:?}");
            assert_eq!(again.text(), first.text());
            assert_eq!(again.field("location"), first.field("location"));
        }
        assert_eq!(scene.head().await, head, "nothing is written again");
        assert_eq!(values(&scene, "notes").await.len(), 1);
    }
}

#[tokio::test]
async fn a_last_step_with_a_file_is_carried_out_once_however_often_its_form_is_sent() {
    for (rules, subject) in [(None, None), (Some(drafts_alone()), Some(somebody("ada")))] {
        let scene = desk(&flow(&operations(), false), rules).await;
        let subject = subject.as_ref();
        let state = begun(&scene, subject).await;
        let send = || scene.send(asked_by(subject, filled(&state, Some(("a.png", PNG)))));
        let first = send().await;
        assert_eq!(first.status, 303, "{first:?}");
        assert!(first.field("location").contains("?done="), "{first:?}");
        let head = scene.head().await;
        for _again in 0..4 {
            let again = send().await;
            assert_eq!(again.status, 303, "{again:?}");
            assert_eq!(again.field("location"), first.field("location"));
        }
        assert_eq!(scene.head().await, head, "nothing is written again");
        assert_eq!(values(&scene, "notes").await.len(), 1);
    }
}

#[tokio::test]
async fn after_the_end_its_steps_can_be_answered_again_as_they_were_and_lead_to_the_same() {
    let ada = somebody("ada");
    let subject = Some(&ada);
    let scene = desk(&flow(&operations(), true), Some(drafts_alone())).await;
    let state = begun(&scene, subject).await;
    let mut ends = Vec::new();
    for _again in 0..2 {
        let chosen = filled(&state, Some(("a.png", PNG)));
        let reviewed = scene.send(asked_by(subject, chosen)).await;
        let place = reviewed.field("location").to_owned();
        assert_eq!(reviewed.status, 303, "{reviewed:?}");
        let page = scene
            .ask_as(&ada, ("GET", &place), &[("accept", "text/html")], "")
            .await;
        assert!(page.text().contains("<dd>a.png</dd>"), "{page:?}");
        let state = crate::flows_files::state(page.text());
        let done = scene.send(asked_by(subject, filled(&state, None))).await;
        assert_eq!(done.status, 303, "{done:?}");
        ends.push(done.field("location").to_owned());
    }
    assert_eq!(ends[0], ends[1]);
    assert!(ends[0].contains("?done="), "{ends:?}");
}

#[tokio::test]
async fn another_file_after_the_end_is_other_answers_and_is_not_stored() {
    let scene = desk(&flow(&operations(), false), None).await;
    let state = begun(&scene, None).await;
    let first = scene.send(filled(&state, Some(("a.png", PNG)))).await;
    assert_eq!(first.status, 303, "{first:?}");
    let head = scene.head().await;
    let other = scene.send(filled(&state, Some(("b.pdf", PDF)))).await;
    assert_eq!(other.status, 422, "{other:?}");
    assert!(other.text().contains("with other answers"), "{other:?}");
    assert_eq!(scene.head().await, head);
}

#[tokio::test]
async fn a_last_step_that_is_sent_again_by_another_token_of_the_same_subject_is_the_same() {
    let scene = desk(&flow(&operations(), false), None).await;
    let token = |id: &str| {
        let claims = Map::from_iter([("jti".to_owned(), json!(id))]);
        Subject::of_application("ada", claims).unwrap()
    };
    let (early, late) = (token("1"), token("2"));
    let state = begun(&scene, Some(&early)).await;
    let send = |by| {
        scene.send(asked_by(
            Some(by),
            document(&state, &json!({ "word": "yes" })),
        ))
    };
    let first = send(&early).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(&late).await;
    assert_eq!(again.status, 200, "{again:?}");
}

/// Sends a request to a service.
async fn sent(service: Service, request: Request<Full<Bytes>>) -> Reply {
    Reply::of(service.oneshot(request).await.unwrap()).await
}

/// Sends the same to two nodes, of which one does all that it does before the other asks its store for the nth time; whether
/// it was asked so often.
async fn raced(is_form: bool, is_ruled: bool, nth: usize) -> bool {
    let somebody = is_ruled.then(|| somebody("ada"));
    let subject = somebody.as_ref();
    let scene = desk(&flow(&operations(), false), is_ruled.then(drafts_alone)).await;
    let input = linked(&scene, subject).await;
    let state = begun(&scene, subject).await;
    let make = || {
        let request = if is_form {
            filled(&state, Some(("a.png", PNG)))
        } else {
            document(&state, &input)
        };
        asked_by(subject, request)
    };
    let (tell, told) = tokio::sync::oneshot::channel();
    let (fast, request) = (scene.service().clone(), make());
    let happens = async move {
        let _told = tell.send(sent(fast, request).await);
    };
    let slow = MeddledStore::over(Arc::clone(scene.store()));
    *slow.meanwhile.lock().unwrap() = Some((nth, Meanwhile(Box::pin(happens))));
    let slow: Arc<dyn Store> = Arc::new(slow);
    let late = sent(scene.service_over(&slow), make()).await;
    drop(slow);
    let fast = told.await.ok();
    for reply in [Some(&late), fast.as_ref()].into_iter().flatten() {
        let is_end = reply.status.is_success() || reply.field("location").contains("?done=");
        assert!(is_end, "{nth}, {is_form}, {is_ruled}: {reply:?}");
    }
    let notes = values(&scene, "notes").await;
    assert_eq!(notes.len(), 1, "{nth}, {is_form}, {is_ruled}");
    fast.is_some()
}

#[tokio::test]
async fn of_two_last_steps_with_a_file_at_the_same_time_both_come_to_the_same_end_whoever_is_faster_when()
 {
    for (is_form, is_ruled) in [(false, false), (false, true), (true, false), (true, true)] {
        let mut nth = 0;
        while raced(is_form, is_ruled, nth).await {
            nth += 1;
        }
        assert!(nth >= 5, "the store was asked only {nth} times");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sent_twenty_times_at_once_a_last_step_with_a_file_makes_one_of_each() {
    let scene = desk(&flow(&operations(), false), None).await;
    let state = begun(&scene, None).await;
    let mut all = tokio::task::JoinSet::new();
    for _again in 0..20 {
        all.spawn(sent(
            scene.service().clone(),
            filled(&state, Some(("a.png", PNG))),
        ));
    }
    for reply in all.join_all().await {
        assert!(reply.field("location").contains("?done="), "{reply:?}");
    }
    let files = values(&scene, "files").await;
    assert_eq!((files.len(), values(&scene, "notes").await.len()), (1, 1));
    assert_eq!(files[0].get("draft"), None);
}

#[tokio::test]
async fn after_that_nobody_is_told_that_nothing_was_done_who_may_not_read_what_was_made_lasting() {
    let ada = somebody("ada");
    let subject = Some(&ada);
    let scene = desk(&flow(&operations(), false), Some(drafts_alone())).await;
    let input = linked(&scene, subject).await;
    let state = begun(&scene, subject).await;
    let first = scene
        .send(asked_by(subject, document(&state, &input)))
        .await;
    assert_eq!(first.status, 201, "{first:?}");
    let mut old = MeddledStore::over(Arc::clone(scene.store()));
    old.forgets_outcomes = true;
    let old: Arc<dyn Store> = Arc::new(old);
    let again = asked_by(subject, document(&state, &input));
    let again = sent(scene.service_over(&old), again).await;
    assert!(again.status.is_client_error(), "{again:?}");
    assert!(!again.text().contains("nothing was done"), "{again:?}");
    assert_eq!(values(&scene, "notes").await.len(), 1);
}

#[tokio::test]
async fn a_form_that_is_sent_again_finds_its_file_though_rules_let_nobody_write_over_it() {
    let own = "resource.by == subject.id";
    let once = "previous.draft == true && !has(resource.draft)";
    let rules = json!({ "read": own, "create": own, "update": format!("{once} && previous.by == subject.id") });
    let ada = somebody("ada");
    let subject = Some(&ada);
    let scene = desk(&flow(&operations(), true), Some(rules)).await;
    let state = begun(&scene, subject).await;
    let form = || asked_by(subject, filled(&state, Some(("a.png", PNG))));
    for _again in 0..2 {
        let chosen = scene.send(form()).await;
        assert_eq!(chosen.status, 303, "{chosen:?}");
    }
    // Somebody has made it lasting meanwhile: that is said, and nothing that sounds like a fault of whoever asks.
    let listed = scene
        .ask_as(&ada, ("GET", "/v1/files"), &[], "")
        .await
        .json();
    let href = listed["items"][0]["href"].as_str().unwrap().to_owned();
    let fields = [
        ("content-type", "application/merge-patch+json"),
        ("if-match", "*"),
    ];
    let lasting = scene
        .ask_as(&ada, ("PATCH", &href), &fields, r#"{ "draft": null }"#)
        .await;
    assert!(lasting.status.is_success(), "{lasting:?}");
    let chosen = scene.send(form()).await;
    assert_eq!(chosen.status, 400, "{chosen:?}");
    assert!(
        chosen
            .text()
            .contains("was handed in with this form before")
    );
}

#[tokio::test]
async fn after_what_became_of_it_is_forgotten_nobody_is_told_that_nothing_was_done() {
    let scene = desk(&flow(&operations(), true), None).await;
    let state = begun(&scene, None).await;
    let chosen = scene.send(filled(&state, Some(("a.png", PNG)))).await;
    let place = chosen.field("location").to_owned();
    let review = next(&scene, &chosen).await;
    assert_eq!(scene.send(filled(&review, None)).await.status, 303);
    let mut old = MeddledStore::over(Arc::clone(scene.store()));
    old.forgets_outcomes = true;
    let old: Arc<dyn Store> = Arc::new(old);
    let old = scene.service_over(&old);
    let people = [("accept", "text/html")];
    let shown = sent(
        old.clone(),
        crate::scene::request("GET", &place, &people, ""),
    )
    .await;
    assert!(shown.text().contains("<dd>a.png</dd>"), "{shown:?}");
    let again = sent(old.clone(), document(&review, &json!({}))).await;
    let problem = again.is_problem(412, "transactionFailed");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("was made lasting before"), "{detail}");
    assert!(!detail.contains("nothing was"), "{detail}");
    let first = sent(old, filled(&state, Some(("a.png", PNG)))).await;
    assert_eq!(first.status, 400, "{first:?}");
    assert!(
        first.text().contains("was handed in with this form before"),
        "{first:?}"
    );
    assert_eq!(values(&scene, "notes").await.len(), 1);
}
