//! Which operations of a flow's transaction are left out: those about a file that wasn't answered, and no others.

use serde_json::{Value, json};

use crate::{
    flows_handing::{begun, desk, document, flow, operations, values},
    scene::Scene,
};

async fn ended(scene: &Scene, input: &Value) -> crate::scene::Reply {
    let state = begun(scene, None).await;
    scene.send(document(&state, input)).await
}

/// The usual operations, and one more.
fn and(operation: Value) -> Value {
    let mut all = operations();
    all.as_array_mut().unwrap().push(operation);
    all
}

#[tokio::test]
async fn an_operation_about_a_file_that_was_not_answered_is_left_out() {
    let by_cel = json!({ "method": "PATCH", "href": { "$cel": "answers.one.scan.href" }, "value": { "draft": null } });
    let mut spoken = operations();
    spoken[1] = by_cel;
    for operations in [operations(), spoken] {
        let scene = desk(&flow(&operations, false), None).await;
        let done = ended(&scene, &json!({ "word": "yes" })).await;
        assert_eq!(done.status, 201, "{done:?}");
        assert_eq!(done.json()["results"].as_array().unwrap().len(), 1);
        assert_eq!(values(&scene, "notes").await[0]["word"], "yes");
    }
}

#[tokio::test]
async fn no_other_operation_is_left_out_though_it_has_no_place_to_write_to() {
    let placeless = [
        json!({ "$answer": "/one/word" }),
        json!({ "$cel": "null" }),
        json!({ "$cel": "answers.one.word" }),
        json!({ "$cel": "has(answers.one.word) ? base + '/notes/' + answers.one.word : null" }),
        json!({ "$cel": "has(answers.one.scan) ? base + '/notes/a' : base + '/notes/' + answers.one.word" }),
    ];
    for href in placeless {
        let more = json!({ "method": "PUT", "href": href, "value": {} });
        let scene = desk(&flow(&and(more), false), None).await;
        let head = scene.head().await;
        let refused = ended(&scene, &json!({})).await;
        let problem = refused.is_problem(409, "flowUnusable");
        assert!(
            problem["detail"].as_str().unwrap().contains("operation 2"),
            "{href}: {problem}"
        );
        assert_eq!(scene.head().await, head, "{href}: nothing is written");
    }
}

#[tokio::test]
async fn an_operation_that_speaks_of_a_file_and_has_a_place_without_it_is_carried_out() {
    let href = "has(answers.one.scan) ? base + '/notes/with' : base + '/notes/without'";
    let more = json!({ "method": "PUT", "href": { "$cel": href }, "value": { "word": "more" } });
    let scene = desk(&flow(&and(more), false), None).await;
    let done = ended(&scene, &json!({ "word": "yes" })).await;
    assert_eq!(done.status, 201, "{done:?}");
    assert_eq!(scene.get("/v1/notes/without").await.status, 200);
}

#[tokio::test]
async fn a_transaction_of_which_nothing_is_left_says_so() {
    let alone = json!([operations()[1]]);
    let scene = desk(&flow(&alone, false), None).await;
    let refused = ended(&scene, &json!({ "word": "yes" })).await;
    let problem = refused.is_problem(409, "flowUnusable");
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("none was answered"), "{detail}");
}
