//! Files in flows, as programs answer with them, rules bound them and definitions ask for them.

use milepost_server::{Limits, Subject};
use serde_json::{Value, json};

use crate::{
    flows::{REGISTRATION, answers, send, shop},
    flows_files::{BOUNDARY, PDF, PNG, chosen, documents, identity_page, identity_step, multipart},
    flows_handing::{
        asked_by, begun, desk, document, draft as handed, filled, flow, next, operations, somebody,
        values,
    },
    scene::Scene,
};

/// What a program puts there.
fn draft(content: &[u8]) -> Value {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    json!({ "name": "scan.png", "mediaType": "image/png", "size": content.len(),
        "content": STANDARD.encode(content), "draft": true })
}

#[tokio::test]
async fn a_program_answers_with_the_link_of_a_draft_that_it_has_put_there_and_with_nothing_else() {
    let scene = shop().await;
    let step = identity_step(&scene).await;
    scene
        .made("/v1/documents/good", &draft(PNG).to_string())
        .await;
    scene
        .made("/v1/documents/lies", &draft(PDF).to_string())
        .await;
    scene
        .made("/v1/documents/odd", &draft(b"<html>").to_string())
        .await;
    let mut lasting = draft(PNG);
    lasting.as_object_mut().unwrap().shift_remove("draft");
    scene
        .made("/v1/documents/lasting", &lasting.to_string())
        .await;
    let answered = |link: &str| {
        let input = json!({ "kind": "passport", "number": "P-1815", "scan": { "href": link } });
        let state = step["state"].clone();
        let scene = &scene;
        async move { send(scene, REGISTRATION, &state, &input).await }
    };
    for (link, says) in [
        (
            "/v1/documents/lies",
            "must say what it is: mediaType application/pdf",
        ),
        (
            "/v1/documents/odd",
            "must be a file of these kinds: JPEG, PNG, PDF",
        ),
        ("/v1/documents/lasting", "must be a draft"),
        ("/v1/documents/none", "is not there"),
        ("/v1/editions/solaris-1961", "must have the href of a draft"),
        ("https://example.org/", "must have the href of a draft"),
    ] {
        let problem = answered(link).await.is_problem(400, "invalidInput");
        let issue = &problem["issues"][0];
        assert_eq!(issue["name"], "/input/scan", "{problem}");
        assert!(
            issue["detail"].as_str().unwrap().contains(says),
            "{problem}"
        );
    }
    let next = answered("/v1/documents/good").await;
    assert_eq!(next.status, 200, "{next:?}");
    let answer = &next.json()["answers"]["identity"]["scan"];
    assert_eq!(answer["name"], "scan.png");
    let etag = scene.get("/v1/documents/good").await.etag();
    assert_eq!(
        answer["etag"], etag,
        "what was looked at is what becomes lasting"
    );
}

#[tokio::test]
async fn a_draft_that_was_changed_after_it_was_looked_at_is_not_made_lasting() {
    let scene = shop().await;
    let mut step = identity_step(&scene).await;
    scene.made("/v1/documents/a", &draft(PNG).to_string()).await;
    let scan =
        json!({ "kind": "passport", "number": "P-1815", "scan": { "href": "/v1/documents/a" } });
    for input in [scan, answers()[3].1.clone()] {
        step = send(&scene, REGISTRATION, &step["state"], &input)
            .await
            .json();
    }
    scene
        .write("/v1/documents/a", &draft(PDF).to_string())
        .await;
    let told = send(&scene, REGISTRATION, &step["state"], &json!({})).await;
    let problem = told.is_problem(400, "invalidInput");
    assert_eq!(problem["next"]["step"], "identity", "{problem}");
    assert_eq!(problem["issues"][0]["name"], "/input/scan");
    assert_eq!(problem["next"]["answers"]["identity"]["number"], "P-1815");
    assert!(scene.get("/v1/registrations").await.ids().is_empty());
    assert_eq!(documents(&scene).await[0]["draft"], true);
}

/// Gives the documents rules.
async fn rule(scene: &Scene, rules: Value) {
    let url = "/v1/-/collections/documents";
    let definition = scene.get(url).await;
    let fields = [("if-match", definition.field("etag"))];
    let mut ruled = definition.json();
    ruled["rules"] = rules;
    let reply = scene.put_with(url, &fields, &ruled.to_string()).await;
    assert!(reply.status.is_success(), "{reply:?}");
}

#[tokio::test]
async fn by_rules_a_file_is_read_and_made_lasting_by_whoever_sent_it_alone() {
    let scene = shop().await;
    let own = "resource.by == subject.id";
    let create = format!("resource.draft == true && {own}");
    let update = format!("previous.draft == true && {own}");
    rule(
        &scene,
        json!({ "read": own, "create": create, "update": update }),
    )
    .await;
    let form = format!("multipart/form-data; boundary={BOUNDARY}");
    let ada = Subject::of_application("ada", serde_json::Map::new()).unwrap();
    let mut step = scene
        .ask_as(&ada, ("GET", REGISTRATION), &[], "")
        .await
        .json();
    for (id, input) in answers() {
        let state = step["state"].as_str().unwrap();
        let reply = if id == "identity" {
            let body = multipart(&[
                ("state", None, state.as_bytes()),
                ("input.kind", None, b"passport"),
                ("input.number", None, b"P-1815"),
                ("input.scan", Some("scan.pdf"), PDF),
                ("go", None, b"next"),
            ]);
            let text = String::from_utf8(body).unwrap();
            let fields = [("content-type", &*form)];
            let sent = scene
                .ask_as(&ada, ("POST", REGISTRATION), &fields, &text)
                .await;
            assert_eq!(sent.status, 303, "{sent:?}");
            let place = sent.field("location");
            scene.ask_as(&ada, ("GET", place), &[], "").await
        } else {
            let body = json!({ "state": state, "input": input }).to_string();
            let fields = [("content-type", "application/json")];
            scene
                .ask_as(&ada, ("POST", REGISTRATION), &fields, &body)
                .await
        };
        assert!(reply.status.is_success(), "{id}: {reply:?}");
        step = reply.json();
    }
    let listed = scene.ask_as(&ada, ("GET", "/v1/documents"), &[], "").await;
    let file = &listed.json()["items"][0]["value"];
    assert_eq!((&file["by"], file.get("draft")), (&json!("ada"), None));
    let bob = Subject::of_application("bob", serde_json::Map::new()).unwrap();
    let listed = scene.ask_as(&bob, ("GET", "/v1/documents"), &[], "").await;
    assert_eq!(listed.json()["items"], json!([]));
}

#[tokio::test]
async fn whoever_may_not_write_drafts_uploads_none_and_is_told() {
    let scene = shop().await;
    let rules = json!({ "read": "true", "create": "subject != null", "update": "subject != null" });
    rule(&scene, rules).await;
    let here = identity_page(&scene).await;
    let told = chosen(&scene, here.text(), ("input.scan", Some("scan.png"), PNG)).await;
    assert!(told.status == 401 || told.status == 403, "{told:?}");
    assert!(documents(&scene).await.is_empty());
}

#[tokio::test]
async fn a_definition_whose_files_would_be_lost_or_do_not_fit_is_refused_at_their_place() {
    let scene = Scene::with_limits(Limits::default());
    scene.define("flows", &json!({})).await;
    let flow = |schema: Value, href: Value| {
        json!({ "version": 1, "title": "A", "steps": [
            { "id": "one", "title": "One", "schema": { "properties": { "scan": schema } } } ],
            "transaction": { "operations": [ { "method": "PATCH", "href": href, "value": { "draft": null } } ] } })
    };
    let file =
        |most: u64| json!({ "collection": "files", "accept": ["image/png"], "maxBytes": most });
    let link = json!({ "$answer": "/one/scan/href" });
    let many: Vec<(String, Value)> = (0..12)
        .map(|at| {
            let scan = json!({ "type": "object", "file": file(780_000) });
            (format!("scan{at}"), scan)
        })
        .collect();
    let mut many_of = flow(json!({}), link.clone());
    many_of["steps"][0]["schema"]["properties"] = Value::Object(many.into_iter().collect());
    let told = scene.put("/v1/flows/bad", &many_of.to_string()).await;
    let problem = told.is_problem(400, "invalidDocument");
    let issues = problem["issues"].as_array().unwrap();
    let together = |issue: &Value| issue["name"] == "/steps/0/schema/properties";
    assert!(issues.iter().any(together), "{problem}");
    let by_cel = json!({ "$cel": "answers.one.scan.href" });
    for href in [&link, &by_cel] {
        let good = flow(
            json!({ "type": "object", "file": file(1000) }),
            href.clone(),
        );
        let url = format!("/v1/flows/f{}", href.to_string().len());
        scene.made(&url, &good.to_string()).await;
    }
    let text = json!({ "type": "string", "file": file(1000) });
    let large = json!({ "type": "object", "file": file(10_000_000) });
    let odd = json!({ "type": "object", "file": { "collection": "files", "accept": ["text/html"], "maxBytes": 1 } });
    let lost = json!({ "type": "object", "file": file(1000) });
    for (schema, href, at) in [
        (text, &link, ""),
        (large, &link, "/file/maxBytes"),
        (odd, &link, "/file/accept/0"),
        (lost, &json!("/v1/files/a"), "/file"),
    ] {
        let told = scene
            .put("/v1/flows/bad", &flow(schema, href.clone()).to_string())
            .await;
        let problem = told.is_problem(400, "invalidDocument");
        let at = format!("/steps/0/schema/properties/scan{at}");
        let issues = problem["issues"].as_array().unwrap();
        assert!(
            issues.iter().any(|issue| issue["name"] == at),
            "{at}: {problem}"
        );
    }
}

/// Writes something else where a form's draft stands.
async fn overwritten(scene: &Scene, document: &Value) {
    let ids = scene.get("/v1/files").await.ids();
    let [id] = ids.as_slice() else {
        panic!("one draft: {ids:?}")
    };
    scene
        .write(&format!("/v1/files/{id}"), &document.to_string())
        .await;
}

fn content(file: &Value) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::STANDARD};
    STANDARD.decode(file["content"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn what_was_put_behind_a_form_with_other_content_is_written_over_and_never_becomes_lasting() {
    let scene = desk(&flow(&operations(), true), None).await;
    let state = begun(&scene, None).await;
    let chosen = || scene.send(filled(&state, Some(("a.png", PNG))));
    assert_eq!(chosen().await.status, 303);
    let other = handed("application/pdf", PDF);
    overwritten(&scene, &other).await;
    let again = chosen().await;
    let review = next(&scene, &again).await;
    let done = scene.send(filled(&review, None)).await;
    assert!(done.field("location").contains("?done="), "{done:?}");
    let files = values(&scene, "files").await;
    assert_eq!((files.len(), content(&files[0])), (1, PNG.to_vec()));
    assert_eq!(files[0].get("draft"), None);
}

#[tokio::test]
async fn a_draft_that_changes_behind_a_review_is_not_made_lasting_though_the_definition_asks_for_no_version()
 {
    let scene = desk(&flow(&operations(), true), None).await;
    let state = begun(&scene, None).await;
    let chosen = scene.send(filled(&state, Some(("a.png", PNG)))).await;
    let review = next(&scene, &chosen).await;
    overwritten(&scene, &handed("application/pdf", PDF)).await;
    let told = scene.send(document(&review, &json!({}))).await;
    let problem = told.is_problem(400, "invalidInput");
    assert_eq!(problem["next"]["step"], "one", "{problem}");
    assert_eq!(problem["issues"][0]["name"], "/input/scan");
    assert!(values(&scene, "notes").await.is_empty());
    assert_eq!(values(&scene, "files").await[0]["draft"], true);
    // One that somebody made lasting by then is not this form's either.
    let mut lasting = handed("application/pdf", PDF);
    lasting.as_object_mut().unwrap().shift_remove("draft");
    overwritten(&scene, &lasting).await;
    let told = scene.send(document(&review, &json!({}))).await;
    told.is_problem(412, "transactionFailed");
    assert!(values(&scene, "notes").await.is_empty());
}

#[tokio::test]
async fn a_flow_that_would_leave_a_file_a_draft_ends_with_nothing_done_and_says_so() {
    let elsewhere = "answers.one.scan.href == '' ? '' : base + '/notes/' + flow + '-b'";
    let file = json!({ "$answer": "/one/scan/href" });
    for losing in [
        json!({ "method": "PUT", "href": { "$cel": elsewhere }, "value": {} }),
        json!({ "method": "PATCH", "href": file, "value": {} }),
        json!({ "method": "PATCH", "href": file, "value": { "status": "received" } }),
        json!({ "method": "PATCH", "href": file, "value": { "draft": true } }),
    ] {
        let mut operations = operations();
        operations[1] = losing;
        let scene = desk(&flow(&operations, false), None).await;
        let state = begun(&scene, None).await;
        let told = scene.send(filled(&state, Some(("a.png", PNG)))).await;
        assert_eq!(told.status, 409, "{told:?}");
        assert!(told.text().contains("would stay a draft"), "{told:?}");
        assert!(values(&scene, "notes").await.is_empty());
        // Without a file there is none to lose.
        let done = scene
            .send(document(&state, &json!({ "word": "yes" })))
            .await;
        assert_eq!(done.status, 201, "{done:?}");
    }
}

#[tokio::test]
async fn of_files_that_are_gone_at_two_steps_each_is_told_at_its_own() {
    let mut two = flow(&operations(), true);
    let mut second = two["steps"][0].clone();
    second["id"] = json!("two");
    two["steps"].as_array_mut().unwrap().insert(1, second);
    let stays = json!({ "method": "PATCH", "href": { "$answer": "/two/scan/href" }, "value": { "draft": null } });
    two["transaction"]["operations"]
        .as_array_mut()
        .unwrap()
        .push(stays);
    let scene = desk(&two, None).await;
    let file = handed("image/png", PNG).to_string();
    let link = |name: &str| json!({ "scan": { "href": format!("/v1/files/{name}") } });
    for name in ["a", "b", "c"] {
        scene.made(&format!("/v1/files/{name}"), &file).await;
    }
    let state = begun(&scene, None).await;
    let answer = async |state: &Value, input: &Value| {
        let reply = scene.send(document(state.as_str().unwrap(), input)).await;
        reply.json()
    };
    let at_two = answer(&json!(state), &link("a")).await;
    let review = answer(&at_two["state"], &link("b")).await;
    assert_eq!(review["step"], "review", "{review}");
    let any = [("if-match", "*")];
    for name in ["a", "b"] {
        let gone = crate::scene::request("DELETE", &format!("/v1/files/{name}"), &any, "");
        assert!(scene.send(gone).await.status.is_success());
    }
    let told = answer(&review["state"], &json!({})).await;
    assert_eq!(told["next"]["step"], "one", "{told}");
    let told = answer(&told["next"]["state"], &link("c")).await;
    assert_eq!(told["step"], "two", "{told}");
    assert_eq!(told["issues"][0]["name"], "/input/scan", "{told}");
}

#[tokio::test]
async fn a_definition_that_deletes_the_files_that_it_asks_for_is_refused() {
    let mut operations = operations();
    operations[1] = json!({ "method": "DELETE", "href": { "$answer": "/one/scan/href" } });
    let scene = Scene::with_limits(Limits::default());
    scene.define("flows", &json!({})).await;
    let told = scene
        .put("/v1/flows/bad", &flow(&operations, false).to_string())
        .await;
    let problem = told.is_problem(400, "invalidDocument");
    assert!(problem.to_string().contains("goes by itself"), "{problem}");
}

#[tokio::test]
async fn a_draft_that_says_that_it_is_somebody_elses_is_no_answer() {
    let scene = desk(&flow(&operations(), false), None).await;
    let (ada, bob) = (somebody("ada"), somebody("bob"));
    let mut file = handed("image/png", PNG);
    file["by"] = json!("ada");
    scene.made("/v1/files/a", &file.to_string()).await;
    let input = json!({ "scan": { "href": "/v1/files/a" } });
    for other in [Some(&bob), None] {
        let state = begun(&scene, other).await;
        let told = scene.send(asked_by(other, document(&state, &input))).await;
        let problem = told.is_problem(400, "invalidInput");
        let detail = problem["issues"][0]["detail"].as_str().unwrap();
        assert!(detail.contains("whoever answers with it"), "{detail}");
    }
    let state = begun(&scene, Some(&ada)).await;
    let done = scene
        .send(asked_by(Some(&ada), document(&state, &input)))
        .await;
    assert_eq!(done.status, 201, "{done:?}");
}

#[tokio::test]
async fn whoever_may_send_files_and_not_read_them_is_told_so_at_once_and_nothing_is_stored() {
    let read = ["subject.claims.role == 'clerk'", "resource.by == 'clerk'"];
    for read in read {
        let rules = json!({ "read": read, "create": "true", "update": "true" });
        let scene = desk(&flow(&operations(), false), Some(rules)).await;
        let ada = somebody("ada");
        let state = begun(&scene, Some(&ada)).await;
        let head = scene.head().await;
        let chosen = filled(&state, Some(("a.png", PNG)));
        let told = scene.send(asked_by(Some(&ada), chosen)).await;
        assert_eq!(told.status, 409, "{told:?}");
        assert!(
            told.text().contains("the rules of files don&#39;t let")
                || told.text().contains("the rules of files don't let"),
            "{told:?}"
        );
        assert_eq!(scene.head().await, head);
        let input = json!({ "scan": { "href": "/v1/files/a" } });
        let told = scene
            .send(asked_by(Some(&ada), document(&state, &input)))
            .await;
        assert!(told.status == 409 || told.status == 400, "{told:?}");
        assert!(told.text().contains("rules"), "{told:?}");
    }
}
