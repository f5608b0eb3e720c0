//! What a page of another site can do with a flow: nothing. No cookie says who somebody is, so a form that a browser
//! sends on behalf of another site comes from nobody; what it would need is a state, which only its holder has; and it
//! is refused where browsers say whose it is.

use serde_json::json;

use crate::{
    flows::{REGISTRATION, answers, as_subject, shop},
    scene::{Reply, Scene, request},
};

/// What HTML forms can send (HTML Standard, form submission), each with what it makes of these fields.
fn forms(state: &str) -> [(&'static str, String); 3] {
    let multipart = format!(
        "--b\r\nContent-Disposition: form-data; name=\"state\"\r\n\r\n{state}\r\n\
         --b\r\nContent-Disposition: form-data; name=\"go\"\r\n\r\nnext\r\n--b--\r\n"
    );
    [
        (
            "application/x-www-form-urlencoded",
            format!("state={state}&go=next"),
        ),
        ("multipart/form-data; boundary=b", multipart),
        (
            "text/plain",
            format!("{{\"state\":\"{state}\",\"input\":{{}},\"x\":\"=\"}}\r\n"),
        ),
    ]
}

async fn sent_from_elsewhere(
    scene: &Scene,
    kind: &str,
    body: &str,
    subject: Option<&str>,
) -> Reply {
    let fields = [
        ("content-type", kind),
        ("origin", "https://elsewhere.example"),
        ("referer", "https://elsewhere.example/trap"),
        ("sec-fetch-site", "cross-site"),
        ("cookie", "session=1"),
    ];
    let post = request("POST", REGISTRATION, &fields, body);
    let post = match subject {
        Some(subject) => as_subject(subject, post),
        None => post,
    };
    let reply = scene.send(post).await;
    assert_eq!(reply.field("set-cookie"), "", "no answer sets a cookie");
    reply
}

#[tokio::test]
async fn a_form_of_another_site_without_a_state_is_refused_and_writes_nothing() {
    let scene = shop().await;
    let head = scene.store().head();
    for (kind, body) in forms("") {
        let reply = sent_from_elsewhere(&scene, kind, &body, None).await;
        let refused = matches!(reply.status.as_u16(), 403 | 415);
        assert!(refused, "{kind}: {reply:?}");
    }
    assert_eq!(scene.store().head(), head);
}

#[tokio::test]
async fn a_form_of_another_site_with_somebody_elses_state_is_refused_and_writes_nothing() {
    let scene = shop().await;
    let first = as_subject("ada", request("GET", REGISTRATION, &[], ""));
    let mut step = scene.send(first).await.json();
    for (id, input) in answers() {
        if id == "review" {
            break;
        }
        let body = json!({ "state": step["state"], "input": input }).to_string();
        let fields = [("content-type", "application/json")];
        let post = as_subject("ada", request("POST", REGISTRATION, &fields, &body));
        step = scene.send(post).await.json();
    }
    assert_eq!(step["step"], "review");
    let stolen = step["state"].as_str().unwrap();
    let head = scene.store().head();
    for (kind, body) in forms(stolen) {
        for subject in [None, Some("mallory"), Some("ada")] {
            let reply = sent_from_elsewhere(&scene, kind, &body, subject).await;
            let refused = matches!(reply.status.as_u16(), 403 | 415);
            assert!(refused, "{kind} from {subject:?}: {reply:?}");
        }
    }
    assert_eq!(scene.store().head(), head);
}

#[tokio::test]
async fn a_state_that_was_taken_from_its_subject_is_nothing_in_other_hands_whatever_the_origin() {
    let scene = shop().await;
    let first = as_subject("ada", request("GET", REGISTRATION, &[], ""));
    let step = scene.send(first).await.json();
    let (kind, body) = &forms(step["state"].as_str().unwrap())[0];
    let own = [("content-type", *kind), ("sec-fetch-site", "same-origin")];
    for subject in [None, Some("mallory")] {
        let post = request("POST", REGISTRATION, &own, body);
        let post = match subject {
            Some(subject) => as_subject(subject, post),
            None => post,
        };
        let reply = scene.send(post).await;
        assert_eq!(reply.status, 400, "{subject:?}: {reply:?}");
        assert!(reply.text().contains("Start again"), "{reply:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_site_is_lent_no_credentials_and_frames_no_step() {
    let scene = shop().await;
    let elsewhere = [("origin", "https://elsewhere.example")];
    let reply = scene.get_with(REGISTRATION, &elsewhere).await;
    assert_eq!(
        reply.field("access-control-allow-credentials"),
        "",
        "what its script reads is what anybody would be told"
    );
    let page = scene
        .get_with(REGISTRATION, &[("accept", "text/html")])
        .await;
    let policy = page.field("content-security-policy");
    assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
    assert!(policy.contains("form-action 'self'"), "{policy}");
}

#[tokio::test]
async fn resources_take_no_form_at_all() {
    let scene = shop().await;
    let head = scene.store().head();
    for (kind, body) in forms("x") {
        for url in [
            "/v1/registrations",
            "/v1/-/collections",
            "/v1/-/transactions",
        ] {
            let fields = [
                ("content-type", kind),
                ("origin", "https://elsewhere.example"),
            ];
            let reply = scene.ask("POST", url, &fields, &body).await;
            assert!(reply.status.is_client_error(), "{url} {kind}: {reply:?}");
        }
    }
    assert_eq!(scene.store().head(), head);
}
