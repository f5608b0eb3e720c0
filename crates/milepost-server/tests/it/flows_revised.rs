//! Flows whose definition changes while somebody is in the middle of them, or can't be carried out.

use serde_json::{Value, json};

use crate::{
    flows::{REGISTRATION, answers, begin, registration_to_review, send, shop},
    scene::Scene,
};

async fn revise(scene: &Scene, change: impl FnOnce(&mut Value)) {
    let mut flow: Value = serde_json::from_str(include_str!(
        "../../../milepost-cli/demo/flows/registration.json"
    ))
    .unwrap();
    flow["version"] = json!(2);
    change(&mut flow);
    let url = "/v1/flows/registration";
    let any = [("if-match", "*")];
    let reply = scene.put_with(url, &any, &flow.to_string()).await;
    assert!(reply.status.is_success(), "{reply:?}");
}

#[tokio::test]
async fn a_flow_that_was_changed_offers_to_start_again_with_what_can_be_kept() {
    let scene = shop().await;
    let review = registration_to_review(&scene).await;
    revise(&scene, |flow| {
        flow["steps"][0]["schema"]["required"] = json!(["name", "email", "born"]);
    })
    .await;
    let reply = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
    let problem = reply.is_problem(409, "flowRevised");
    assert_eq!(problem["start"], REGISTRATION);
    assert_eq!(problem["kept"], json!(["address", "identity", "consents"]));
    let kept = scene.get(problem["keep"].as_str().unwrap()).await.json();
    assert_eq!(
        kept["step"], "person",
        "what no longer holds is asked again"
    );
    assert_eq!(kept["answers"]["address"]["city"], "London");
}

#[tokio::test]
async fn whoever_has_come_to_the_end_of_a_flow_is_not_led_through_it_again_where_it_was_changed_since()
 {
    for migrations in [json!([]), json!([{ "from": 1, "answers": {} }])] {
        let scene = shop().await;
        let review = registration_to_review(&scene).await;
        let done = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
        assert_eq!(done.status, 201, "{done:?}");
        revise(&scene, |flow| flow["migrations"] = migrations).await;
        let again = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
        let problem = again.is_problem(409, "flowRevised");
        assert_eq!(problem.get("keep"), None, "{problem}");
        assert_eq!(problem["outcome"], done.field("location"));
        let place = review["save"].as_str().unwrap();
        let told = scene.get_with(place, &[("accept", "text/html")]).await;
        assert_eq!(told.status, 409, "{told:?}");
        assert!(!told.text().contains("place="), "{told:?}");
        let listed = scene.get("/v1/registrations").await.json();
        assert_eq!(listed["items"].as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_is_kept_of_a_walk_is_the_same_walk_and_ends_once() {
    let scene = shop().await;
    let review = registration_to_review(&scene).await;
    revise(&scene, |_| {}).await;
    let told = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
    let problem = told.is_problem(409, "flowRevised");
    let kept = scene.get(problem["keep"].as_str().unwrap()).await.json();
    let done = send(&scene, REGISTRATION, &kept["state"], &json!({})).await;
    assert_eq!(done.status, 201, "{done:?}");
    let again = send(&scene, REGISTRATION, &review["state"], &json!({})).await;
    let problem = again.is_problem(409, "flowRevised");
    assert_eq!(problem["outcome"], done.field("location"));
    assert_eq!(problem.get("keep"), None, "{problem}");
}

#[tokio::test]
async fn people_are_led_on_by_links_where_a_flow_was_changed() {
    let scene = shop().await;
    let people = [("accept", "text/html"), ("accept-language", "pl")];
    let review = registration_to_review(&scene).await;
    let place = review["save"].as_str().unwrap();
    revise(&scene, |flow| {
        flow["steps"][0]["schema"]["required"] = json!(["name", "email", "born"]);
    })
    .await;
    let told = scene.get_with(place, &people).await;
    assert_eq!(told.status, 409);
    let text = told.text();
    assert!(text.contains("Zacznij od nowa"), "{text}");
    let link = text.split("<a href=\"").nth(1).unwrap();
    let keep = link.split('"').next().unwrap();
    let kept = scene.get_with(keep, &people).await;
    assert_eq!(kept.status, 200);
    assert!(kept.text().contains("<h1>O Tobie</h1>"), "{kept:?}");
    let states = kept.text().matches("name=\"state\"").count();
    assert_eq!(states, 1, "one goes on from there");
}

#[tokio::test]
async fn a_flow_that_says_how_takes_along_who_is_in_the_middle_of_it() {
    let scene = shop().await;
    let step = begin(&scene, REGISTRATION).await;
    let address = send(&scene, REGISTRATION, &step["state"], &answers()[0].1)
        .await
        .json();
    revise(&scene, |flow| {
        flow["steps"][0]["schema"]["properties"]["fullName"] = json!({ "type": "string" });
        flow["steps"][0]["schema"]["properties"].as_object_mut().unwrap().remove("name");
        flow["steps"][0]["schema"]["required"] = json!(["fullName", "email"]);
        let made = &mut flow["transaction"]["operations"][0]["value"];
        made["name"] = json!({ "$answer": "/person/fullName" });
        flow["migrations"] = json!([{ "from": 1, "answers": { "person": {
            "fullName": { "$answer": "/person/name" }, "email": { "$answer": "/person/email" } } } }]);
    })
    .await;
    let next = send(&scene, REGISTRATION, &address["state"], &answers()[1].1)
        .await
        .json();
    assert_eq!(next["step"], "identity");
    assert_eq!(next["answers"]["person"]["fullName"], "Ada Lovelace");
}

fn flow(steps: &Value) -> Value {
    let operation = json!({ "method": "DELETE", "href": { "$cel": "base + '/a/' + flow" } });
    json!({ "version": 1, "title": "Bad", "steps": steps, "transaction": { "operations": [operation] } })
}

/// Where each mistake is told to be, and what is said of all.
fn told(problem: &Value) -> (Vec<&str>, String) {
    let issues = problem["issues"].as_array().unwrap();
    let text = |issue: &'_ Value| issue["detail"].as_str().unwrap().to_owned();
    let names = issues.iter().map(|issue| issue["name"].as_str().unwrap());
    (names.collect(), issues.iter().map(text).collect::<String>())
}

/// A definition, where a mistake is told to be, and what is said of it.
type Mistake = (Value, &'static str, &'static str);

fn mistakes_in_conditions() -> Vec<Mistake> {
    let open = |when: &str| json!([{ "id": "a", "title": "A", "when": when }]);
    vec![
        (flow(&open("1 +")), "/steps/0/when", "1 +"),
        (
            flow(&open("answers.b.x == 1")),
            "/steps/0/when",
            "no step \"b\" before this one",
        ),
        (
            flow(&open("answer.b.x == 1")),
            "/steps/0/when",
            "answer isn't there",
        ),
        (
            flow(&open("now() > 1")),
            "/steps/0/when",
            "now() isn't there",
        ),
        (
            flow(&open("shown.price.value > 1")),
            "/steps/0/when",
            "no step shows \"price\"",
        ),
        (
            flow(&json!([{ "id": "a", "title": "A" }, { "id": "a", "title": "A" }])),
            "/steps/1/id",
            "already",
        ),
        (flow(&json!([])), "/steps", "less than 1 item"),
    ]
}

fn mistakes_elsewhere() -> Vec<Mistake> {
    let closed =
        json!({ "type": "object", "additionalProperties": false, "properties": { "x": {} } });
    let changed = |change: fn(&mut Value)| {
        let mut flow = flow(&json!([{ "id": "a", "title": "A", "schema": closed }]));
        change(&mut flow);
        flow
    };
    let operation = "/transaction/operations/0";
    vec![
        (
            changed(|flow| flow["steps"][0]["schema"] = json!({ "type": "objekt" })),
            "/steps/0/schema/type",
            "objekt",
        ),
        (
            changed(|flow| flow["steps"][0]["schema"] = json!({ "type": "array" })),
            "/steps/0/schema/type",
            "an object",
        ),
        (
            changed(|flow| {
                flow["transaction"]["operations"][0]["ifMatch"] = json!({ "$answer": "/a/y" })
            }),
            "/transaction/operations/0/ifMatch/$answer",
            "step a has no answer \"y\"",
        ),
        (
            changed(|flow| {
                flow["transaction"]["operations"][0]["href"] = json!({ "$cel": "answers['b'].x" })
            }),
            "/transaction/operations/0/href/$cel",
            "no step \"b\"",
        ),
        (
            changed(|flow| flow["transaction"]["operations"][0]["href"] = json!("/elsewhere")),
            "/transaction/operations/0/href",
            "no resource's URL",
        ),
        (
            changed(|flow| flow["transaction"]["operations"][0]["method"] = json!("PUT")),
            operation,
            "value",
        ),
        (
            changed(|flow| flow["transaction"]["operations"][0]["ifMatch"] = json!({ "$cel": 1 })),
            "/transaction/operations/0/ifMatch/$cel",
            "is a text",
        ),
        (
            changed(|flow| flow["migrations"] = json!([{ "from": 1, "answers": {} }])),
            "/migrations/0/from",
            "raise it",
        ),
        (
            changed(|flow| flow["migrations"] = json!([{ "from": 0, "answers": { "b": {} } }])),
            "/migrations/0/answers/b",
            "no step \"b\"",
        ),
    ]
}

#[tokio::test]
async fn a_definition_that_cannot_be_carried_out_is_refused_where_it_is_written_with_each_mistake_at_its_place()
 {
    let scene = shop().await;
    let mistakes = mistakes_in_conditions()
        .into_iter()
        .chain(mistakes_elsewhere());
    for (definition, place, says) in mistakes {
        let reply = scene.put("/v1/flows/bad", &definition.to_string()).await;
        let problem = reply.is_problem(400, "invalidDocument");
        let (places, words) = told(&problem);
        assert!(places.contains(&place), "{place}: {problem}");
        assert!(words.contains(says), "{says}: {problem}");
    }
    scene.get("/v1/flows/bad").await.is_problem(404, "notFound");
}

#[tokio::test]
async fn patches_posts_and_transactions_are_looked_at_alike() {
    let scene = shop().await;
    let bad = flow(&json!([{ "id": "a", "title": "A", "when": "1 +" }]));
    let reply = scene.post("/v1/flows", &bad.to_string()).await;
    reply.is_problem(400, "invalidDocument");
    let operation = json!({ "method": "PUT", "href": "/v1/flows/bad", "value": bad });
    let transaction = json!({ "operations": [operation] }).to_string();
    let url = "/v1/-/transactions/0190a5b8-3c1e-4d2f-9a4b-5c6d7e8f9a0b";
    let problem = scene
        .put(url, &transaction)
        .await
        .is_problem(422, "transactionFailed");
    assert_eq!(told(&problem).0, ["/operations/0/value/steps/0/when"]);

    for (kind, patch) in [
        (
            "application/merge-patch+json",
            json!({ "steps": [{ "id": "a", "title": "A", "when": "1 +" }] }),
        ),
        (
            "application/json-patch+json",
            json!([{ "op": "add", "path": "/steps/1/when", "value": "1 +" }]),
        ),
    ] {
        let fields = [("content-type", kind), ("if-match", "*")];
        let url = "/v1/flows/registration";
        let reply = scene.ask("PATCH", url, &fields, &patch.to_string()).await;
        reply.is_problem(400, "invalidDocument");
    }
    assert_eq!(scene.get(REGISTRATION).await.status, 200);
    let fields = [
        ("content-type", "application/merge-patch+json"),
        ("if-match", "*"),
    ];
    let patch = r#"{"version":2,"title":"Register"}"#;
    let reply = scene
        .ask("PATCH", "/v1/flows/registration", &fields, patch)
        .await;
    assert!(reply.status.is_success(), "{reply:?}");
}

#[tokio::test]
async fn a_flow_none_of_whose_steps_is_there_is_told_to_whoever_asks_for_it() {
    let scene = shop().await;
    let bad = flow(&json!([{ "id": "a", "title": "A", "when": "false" }]));
    scene.made("/v1/flows/bad", &bad.to_string()).await;
    let problem = scene
        .get("/v1/-/flows/bad")
        .await
        .is_problem(409, "flowUnusable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("no step of it is there"), "{problem}");
}

#[tokio::test]
async fn what_is_no_flow_is_not_found_and_takes_nothing_else() {
    let scene = shop().await;
    scene
        .get("/v1/-/flows/nothing")
        .await
        .is_problem(404, "notFound");
    scene.get("/v1/-/flows/").await.is_problem(404, "notFound");
    let reply = scene.put("/v1/-/flows/bad", "{}").await;
    reply.is_problem(405, "methodNotAllowed");
    assert_eq!(reply.field("allow"), "GET, HEAD, POST, OPTIONS");
}
