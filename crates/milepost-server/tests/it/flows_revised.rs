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
    scene
        .write("/v1/flows/registration", &flow.to_string())
        .await;
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

#[tokio::test]
async fn a_definition_that_cannot_be_carried_out_is_told_with_what_is_wrong() {
    let scene = shop().await;
    let flow = |steps: Value| {
        json!({ "version": 1, "title": "Bad", "steps": steps,
            "transaction": { "operations": [{ "method": "PUT", "href": { "$cel": "flow" } }] } })
    };
    let bad = [
        (
            flow(json!([{ "id": "a", "title": "A", "when": "1 +" }])),
            "1 +",
        ),
        (
            flow(json!([{ "id": "a", "title": "A" }, { "id": "a", "title": "A" }])),
            "an id of its own",
        ),
        (
            flow(json!([{ "id": "a", "title": "A", "when": "false" }])),
            "no step of it is there",
        ),
    ];
    for (definition, says) in bad {
        scene.write("/v1/flows/bad", &definition.to_string()).await;
        let problem = scene
            .get("/v1/-/flows/bad")
            .await
            .is_problem(409, "flowUnusable");
        assert!(
            problem["detail"].as_str().unwrap().contains(says),
            "{problem}"
        );
    }
    scene
        .get("/v1/-/flows/nothing")
        .await
        .is_problem(404, "notFound");
    scene.get("/v1/-/flows/").await.is_problem(404, "notFound");
    let reply = scene.put("/v1/-/flows/bad", "{}").await;
    reply.is_problem(405, "methodNotAllowed");
    assert_eq!(reply.field("allow"), "GET, HEAD, POST, OPTIONS");
}
