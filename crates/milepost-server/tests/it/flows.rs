//! Flows, as programs walk through them. Every request is answered by a service made for it alone: what somebody
//! is in the middle of is nowhere but in the state that is sent.

use http::Request;
use http_body_util::Full;
use milepost_server::Subject;
use serde_json::{Value, json};
use tower::ServiceExt as _;

use crate::scene::{Reply, Scene, request};

pub(crate) const REGISTRATION: &str = "/v1/-/flows/registration";
pub(crate) const CHECKOUT: &str = "/v1/-/flows/checkout";

macro_rules! demo {
    ($path:literal) => {
        include_str!(concat!("../../../milepost-cli/demo/", $path))
    };
}

/// With the flows and collections of the demo.
pub(crate) async fn shop() -> Scene {
    let scene = Scene::new();
    let definitions = [
        ("flows", demo!("definitions/flows.json")),
        ("documents", demo!("definitions/documents.json")),
        ("registrations", demo!("definitions/registrations.json")),
        ("editions", demo!("definitions/editions.json")),
        ("orders", demo!("definitions/orders.json")),
    ];
    for (name, text) in definitions {
        scene
            .define(name, &serde_json::from_str(text).unwrap())
            .await;
    }
    scene
        .made("/v1/flows/registration", demo!("flows/registration.json"))
        .await;
    scene
        .made("/v1/flows/checkout", demo!("flows/checkout.json"))
        .await;
    let edition = r#"{"title":"Solaris","priceCents":1000}"#;
    scene.made("/v1/editions/solaris-1961", edition).await;
    scene
}

/// What is answered at each step of the registration.
pub(crate) fn answers() -> [(&'static str, Value); 5] {
    [
        (
            "person",
            json!({ "name": "Ada Lovelace", "email": "ada@example.org" }),
        ),
        (
            "address",
            json!({ "street": "St James's Square 12", "city": "London", "country": "elsewhere" }),
        ),
        (
            "identity",
            json!({ "kind": "passport", "number": "P-1815" }),
        ),
        ("consents", json!({ "rules": true, "newsletter": false })),
        ("review", json!({})),
    ]
}

/// Sends a step.
pub(crate) async fn send(scene: &Scene, flow: &str, state: &Value, input: &Value) -> Reply {
    scene
        .post(flow, &json!({ "state": state, "input": input }).to_string())
        .await
}

/// The first step.
pub(crate) async fn begin(scene: &Scene, flow: &str) -> Value {
    let reply = scene.get(flow).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.field("cache-control"), "no-store");
    assert_eq!(reply.field("referrer-policy"), "no-referrer");
    reply.json()
}

/// The registration up to the last step, which is not sent.
pub(crate) async fn registration_to_review(scene: &Scene) -> Value {
    let mut step = begin(scene, REGISTRATION).await;
    for (place, (id, input)) in answers().into_iter().enumerate() {
        assert_eq!(step["step"], id);
        assert_eq!(step["progress"], json!({ "at": place + 1, "of": 5 }));
        if id == "review" {
            break;
        }
        step = send(scene, REGISTRATION, &step["state"], &input)
            .await
            .json();
    }
    step
}

async fn registrations(scene: &Scene) -> usize {
    scene.get("/v1/registrations").await.ids().len()
}

#[tokio::test]
async fn a_registration_is_made_once_however_often_its_last_step_is_sent_and_nothing_before() {
    let scene = shop().await;
    let head = scene.head().await;
    let review = registration_to_review(&scene).await;
    assert_eq!(
        scene.head().await,
        head,
        "nothing is stored before the last step"
    );

    let first = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
    assert_eq!(first.status, 201, "{first:?}");
    let again = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
    assert_eq!(again.status, 200);
    assert_eq!(
        again.text(),
        first.text(),
        "who sends it again is told what became of the first time"
    );
    assert_eq!(registrations(&scene).await, 1);
    let outcome = scene.get(first.field("location")).await;
    assert_eq!(outcome.text(), first.text());
    let made = outcome.json()["results"][0]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    let registration = scene.get(&made).await.json();
    assert_eq!(registration["name"], "Ada Lovelace");
    assert_eq!(registration["address"]["city"], "London");
    assert_eq!(
        registration.get("born"),
        None,
        "what wasn't answered is left out"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sent_twenty_times_at_once_the_last_step_makes_one_registration() {
    let scene = shop().await;
    let review = registration_to_review(&scene).await;
    let body = json!({ "state": review["state"], "input": {} }).to_string();
    let mut all = tokio::task::JoinSet::new();
    for _again in 0..20 {
        let post = request(
            "POST",
            REGISTRATION,
            &[("content-type", "application/json")],
            &body,
        );
        all.spawn(scene.service().clone().oneshot(post));
    }
    let replies = all.join_all().await;
    let statuses = replies.into_iter().map(|reply| reply.unwrap().status());
    let made = statuses.filter(|status| *status == 201).count();
    assert_eq!((made, registrations(&scene).await), (1, 1));
}

#[tokio::test]
async fn two_tabs_that_end_with_other_answers_make_one_registration_and_the_second_is_told() {
    let scene = shop().await;
    let review = registration_to_review(&scene).await;
    let back = review["back"].as_str().unwrap();
    let consents = scene.get(back).await.json();
    assert_eq!(consents["step"], "consents", "one can go back");
    let other = json!({ "rules": true, "newsletter": true });
    let other = send(&scene, REGISTRATION, &consents["state"], &other)
        .await
        .json();
    assert_eq!(other["answers"]["consents"]["newsletter"], true);

    assert_eq!(
        send(&scene, REGISTRATION, &review["state"], &json!({}))
            .await
            .status,
        201
    );
    let second = send(&scene, REGISTRATION, &other["state"], &json!({})).await;
    let problem = second.is_problem(422, "transactionMismatch");
    assert!(
        problem["outcome"]
            .as_str()
            .unwrap()
            .starts_with("/v1/-/transactions/")
    );
    assert_eq!(registrations(&scene).await, 1);
}

#[tokio::test]
async fn answers_that_are_wrong_are_told_each_at_its_place_and_nothing_is_lost() {
    let scene = shop().await;
    let step = begin(&scene, REGISTRATION).await;
    let wrong = json!({ "email": "nobody", "extra": 1 });
    let reply = send(&scene, REGISTRATION, &step["state"], &wrong).await;
    let problem = reply.is_problem(400, "invalidInput");
    assert_eq!(problem["state"], step["state"]);
    let issues = problem["issues"].as_array().unwrap();
    let names: Vec<&str> = issues
        .iter()
        .map(|issue| issue["name"].as_str().unwrap())
        .collect();
    assert!(
        names.contains(&"/input/name") && names.contains(&"/input/email"),
        "{names:?}"
    );
    let right = answers()[0].1.clone();
    let next = send(&scene, REGISTRATION, &problem["state"], &right)
        .await
        .json();
    assert_eq!(next["step"], "address");
}

#[tokio::test]
async fn a_place_that_was_saved_goes_on_later_and_elsewhere() {
    let scene = shop().await;
    let mut step = begin(&scene, REGISTRATION).await;
    step = send(&scene, REGISTRATION, &step["state"], &answers()[0].1)
        .await
        .json();
    scene.clock.advance_s(6 * 86_400);
    let there = scene.get(step["save"].as_str().unwrap()).await.json();
    assert_eq!(there["step"], "address");
    assert_eq!(there["answers"]["person"]["name"], "Ada Lovelace");
    scene.clock.advance_s(2 * 86_400);
    let late = scene.get(step["save"].as_str().unwrap()).await;
    let problem = late.is_problem(400, "stateInvalid");
    assert_eq!(problem["start"], REGISTRATION);
}

#[tokio::test]
async fn state_that_is_not_ours_or_not_for_this_is_one_problem_whatever_is_wrong() {
    let scene = shop().await;
    let step = begin(&scene, REGISTRATION).await;
    let state = step["state"].as_str().unwrap();
    let place = step["save"]
        .as_str()
        .unwrap()
        .split("place=")
        .nth(1)
        .unwrap();
    let mut flipped = state.to_owned().into_bytes();
    let last = flipped.len() - 2;
    flipped[last] = if flipped[last] == b'A' { b'B' } else { b'A' };
    let flipped = String::from_utf8(flipped).unwrap();
    let mut seen = Vec::new();
    for (flow, bad) in [
        (REGISTRATION, flipped.as_str()),
        (REGISTRATION, ""),
        (REGISTRATION, place),
        (CHECKOUT, state),
        (REGISTRATION, state.get(..100).unwrap()),
    ] {
        let reply = send(&scene, flow, &json!(bad), &json!({})).await;
        let mut problem = reply.is_problem(400, "stateInvalid");
        problem["instance"] = json!(null);
        problem["start"] = json!(null);
        seen.push(problem);
    }
    scene.clock.advance_s(8 * 86_400);
    let mut late = send(&scene, REGISTRATION, &step["state"], &json!({}))
        .await
        .is_problem(400, "stateInvalid");
    (late["instance"], late["start"]) = (json!(null), json!(null));
    seen.push(late);
    assert!(seen.windows(2).all(|pair| pair[0] == pair[1]), "{seen:#?}");
}

pub(crate) fn as_subject(
    name: &str,
    mut request: Request<Full<bytes::Bytes>>,
) -> Request<Full<bytes::Bytes>> {
    let subject = Subject::of_application(name, serde_json::Map::new());
    request.extensions_mut().insert(subject.unwrap());
    request
}

#[tokio::test]
async fn a_state_is_its_subjects_alone() {
    let scene = shop().await;
    let ask = as_subject("ada", request("GET", REGISTRATION, &[], ""));
    let step = scene.send(ask).await.json();
    let body = json!({ "state": step["state"], "input": answers()[0].1 }).to_string();
    let post = || {
        request(
            "POST",
            REGISTRATION,
            &[("content-type", "application/json")],
            &body,
        )
    };
    scene
        .send(as_subject("bob", post()))
        .await
        .is_problem(400, "stateInvalid");
    scene.send(post()).await.is_problem(400, "stateInvalid");
    assert_eq!(scene.send(as_subject("ada", post())).await.status, 200);
}

async fn checkout_to_confirm(scene: &Scene) -> Value {
    let step = begin(scene, CHECKOUT).await;
    assert_eq!(step["progress"]["of"], 2, "wrapping is for gifts only");
    let item = json!({ "edition": "solaris-1961", "quantity": 3 });
    send(scene, CHECKOUT, &step["state"], &item).await.json()
}

#[tokio::test]
async fn a_price_that_changed_meanwhile_is_shown_and_has_to_be_accepted() {
    let scene = shop().await;
    let confirm = checkout_to_confirm(&scene).await;
    assert_eq!(confirm["shown"]["edition"]["value"]["priceCents"], 1000);
    scene
        .write(
            "/v1/editions/solaris-1961",
            r#"{"title":"Solaris","priceCents":1200}"#,
        )
        .await;

    let reply = send(&scene, CHECKOUT, &confirm["state"], &json!({})).await;
    let problem = reply.is_problem(412, "shownChanged");
    let changed = &problem["changed"][0];
    assert_eq!(changed["before"]["priceCents"], 1000);
    assert_eq!(changed["after"]["priceCents"], 1200);
    assert!(
        scene.get("/v1/orders").await.ids().is_empty(),
        "nothing was done"
    );

    let next = &problem["next"];
    assert_eq!(next["step"], "confirm");
    let reply = send(&scene, CHECKOUT, &next["state"], &json!({})).await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let href = reply.json()["results"][0]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(scene.get(&href).await.json()["totalCents"], 3600);
}

#[tokio::test]
async fn a_step_is_there_only_while_its_condition_holds() {
    let scene = shop().await;
    let step = begin(&scene, CHECKOUT).await;
    let gift = json!({ "edition": "solaris-1961", "quantity": 1, "gift": true });
    let wrapping = send(&scene, CHECKOUT, &step["state"], &gift).await.json();
    assert_eq!(
        (&wrapping["step"], &wrapping["progress"]["of"]),
        (&json!("wrapping"), &json!(3))
    );
    let note = json!({ "note": "Happy birthday" });
    let confirm = send(&scene, CHECKOUT, &wrapping["state"], &note)
        .await
        .json();

    let item = scene.get(wrapping["back"].as_str().unwrap()).await.json();
    assert_eq!(item["step"], "item");
    let item = scene.get(confirm["back"].as_str().unwrap()).await.json();
    assert_eq!(item["step"], "wrapping");
    // No gift after all: neither the step nor its answer is there any more.
    let first = scene.get(item["back"].as_str().unwrap()).await.json();
    let plain = json!({ "edition": "solaris-1961", "quantity": 1, "gift": false });
    let confirm = send(&scene, CHECKOUT, &first["state"], &plain).await.json();
    assert_eq!(confirm["step"], "confirm");
    assert_eq!(confirm["answers"].get("wrapping"), None);
    let reply = send(&scene, CHECKOUT, &confirm["state"], &json!({})).await;
    let href = reply.json()["results"][0]["href"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(scene.get(&href).await.json().get("note"), None);
}
