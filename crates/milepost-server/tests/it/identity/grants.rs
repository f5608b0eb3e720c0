//! Grants: one method, one URL, for a while, for whom they were made; and revoked with the key, or the subject's epoch.

use milepost_seal::{SystemEntropy, Timestamp};
use milepost_server::{
    Keys,
    identity::{Grant, NAMELESS},
    log::{Log, LogLevel},
};
use serde_json::json;

use super::{
    granting::{URL, bank, below, beyond, grant, linked, nameless, refused, ring, signed},
    stage::{NOW_S, ada, define, get_as, identity, put_as, token},
};
use crate::{
    flows::{REGISTRATION, answers, shop},
    scene::{Reply, Scene, request},
};

#[tokio::test]
async fn a_grant_allows_one_method_on_one_url_for_a_while() {
    let scene = bank(&Keys::new(ring())).await;
    let get = signed(&grant("GET", URL));
    assert_eq!(get_as(&scene, &get, URL).await.status, 200);
    let bearer = format!("Bearer {get}");
    let fields = [("authorization", &*bearer)];
    assert_eq!(scene.ask("HEAD", URL, &fields, "").await.status, 200);
    for (method, url) in [
        ("PUT", URL),
        ("PATCH", URL),
        ("DELETE", URL),
        ("GET", "/v1/accounts/2"),
        ("GET", "/v1/accounts/1?select=owner"),
        ("GET", "/v1/accounts/%31"),
        ("GET", "/v1/accounts/1/"),
        ("GET", "/v1/accounts/2/../1"),
        ("GET", "/v1/accounts/1/versions"),
        ("GET", "/v1/accounts"),
        ("QUERY", "/v1/accounts"),
        ("POST", "/v1/accounts"),
        ("GET", "/v1/"),
    ] {
        beyond(
            &scene.ask(method, url, &fields, "").await,
            "GET /v1/accounts/1 alone",
        );
    }
    scene.clock.advance_s(599);
    assert_eq!(get_as(&scene, &get, URL).await.status, 200);
    scene.clock.advance_s(1);
    refused(&get_as(&scene, &get, URL).await, "expired");
}

#[tokio::test]
async fn a_grant_for_a_url_with_a_query_is_for_that_query() {
    let scene = bank(&Keys::new(ring())).await;
    let list = "/v1/accounts?pageSize=1";
    let one = signed(&grant("GET", list));
    assert_eq!(get_as(&scene, &one, list).await.status, 200);
    for url in [
        "/v1/accounts",
        "/v1/accounts?pageSize=2",
        "/v1/accounts?pageSize=1&after=1",
    ] {
        beyond(
            &get_as(&scene, &one, url).await,
            "GET /v1/accounts?pageSize=1 alone",
        );
    }
    let create = signed(&grant("POST", "/v1/accounts"));
    let bearer = format!("Bearer {create}");
    let fields = [
        ("authorization", &*bearer),
        ("content-type", "application/json"),
    ];
    assert_eq!(
        scene
            .ask("POST", "/v1/accounts", &fields, "{}")
            .await
            .status,
        201
    );
}

#[tokio::test]
async fn a_grant_below_a_url_is_good_for_all_that_lies_there_and_nothing_beside() {
    let scene = bank(&Keys::new(ring())).await;
    let whole = signed(&below("GET", "/v1/accounts"));
    for url in [
        "/v1/accounts",
        "/v1/accounts?pageSize=1",
        URL,
        "/v1/accounts/1/versions",
        "/v1/accounts/changes",
    ] {
        assert_eq!(get_as(&scene, &whole, url).await.status, 200, "{url}");
    }
    let feed = get_as(&scene, &whole, "/v1/accounts").await.json();
    let resume = feed["resume"].as_str().unwrap();
    assert_eq!(get_as(&scene, &whole, resume).await.status, 200);
    for url in ["/v1/accounts2/1", "/v1/", "/v1/-/changes", "/v1/secrets/1"] {
        beyond(&get_as(&scene, &whole, url).await, "all below it alone");
    }
    for url in [
        "/v1/accounts/../secrets/1",
        "/v1/accounts/%2e%2e/secrets/1",
        "/v1/accounts/..%2Fsecrets/1",
    ] {
        assert_eq!(get_as(&scene, &whole, url).await.status, 400, "{url}");
    }
}

/// The grant of whom the rules let do nothing does nothing, and rules see what they decide by.
#[tokio::test]
async fn a_grant_never_gives_more_than_the_rules_give_its_subject() {
    let scene = bank(&Keys::new(ring())).await;
    let rules = json!({ "rules": {
        "read": "subject != null && (subject.id == resource.owner || subject.credential == 'grant' && subject.claims.role == 'guest')",
        "write": "subject != null && subject.id == 'ada' && subject.issuer == 'https://login.example'",
    } });
    define(&scene, "letters", &rules).await;
    let url = "/v1/letters/1";
    let eve = |grant: Grant| {
        let mut grant = grant;
        grant.subject.as_mut().unwrap().id = "eve".to_owned();
        signed(&grant)
    };
    let body = r#"{"owner":"ada"}"#;
    let refused = put_as(&scene, &eve(grant("PUT", url)), url, body).await;
    assert!([403, 404].contains(&refused.status.as_u16()), "{refused:?}");
    let nobodys = put_as(&scene, &signed(&nameless(grant("PUT", url))), url, body).await;
    assert!([403, 404].contains(&nobodys.status.as_u16()), "{nobodys:?}");
    assert_eq!(
        put_as(&scene, &signed(&grant("PUT", url)), url, body)
            .await
            .status,
        201
    );
    assert_eq!(
        get_as(&scene, &signed(&grant("GET", url)), url)
            .await
            .status,
        200
    );
    assert_eq!(
        get_as(&scene, &eve(grant("GET", url)), url).await.status,
        404
    );
    let mut guest = nameless(grant("GET", url));
    assert_eq!(get_as(&scene, &signed(&guest), url).await.status, 404);
    guest.claims = json!({ "role": "guest" }).as_object().unwrap().clone();
    assert_eq!(get_as(&scene, &signed(&guest), url).await.status, 200);
}

#[tokio::test]
async fn a_bearer_without_a_name_is_nobody_whom_a_token_could_name() {
    let scene = bank(&Keys::new(ring())).await;
    let rule = format!(
        "subject != null && subject.id == '{NAMELESS}' && subject.issuer == '{NAMELESS}' && subject.credential == 'grant' && !subject.admin"
    );
    define(
        &scene,
        "notes",
        &json!({ "rules": { "read": rule, "write": rule } }),
    )
    .await;
    let url = "/v1/notes/1";
    let put = put_as(&scene, &signed(&nameless(grant("PUT", url))), url, "{}").await;
    assert_eq!(put.status, 201, "{put:?}");
    let told = token(&[], &[("sub", json!(NAMELESS))]);
    assert_eq!(get_as(&scene, &told, url).await.status, 403);
}

#[tokio::test]
async fn revoking_the_key_revokes_its_grants_and_rotating_does_not() {
    let keys = Keys::new(ring());
    let scene = bank(&keys).await;
    let grant = signed(&grant("GET", URL));
    let mut ring = ring();
    let later = Timestamp::from_unix_seconds(1);
    let first = ring.active();
    ring.rotate(later, &mut SystemEntropy).unwrap();
    keys.replace(ring.clone());
    assert_eq!(get_as(&scene, &grant, URL).await.status, 200);
    ring.revoke(first, later).unwrap();
    keys.replace(ring);
    refused(&get_as(&scene, &grant, URL).await, "key");
}

#[tokio::test]
async fn whatever_a_grant_claims_it_defines_nothing_and_writes_no_transaction() {
    let scene = bank(&Keys::new(ring())).await;
    let mut all = below("PUT", "/v1");
    all.claims.insert("role".to_owned(), json!("admin"));
    let all = signed(&all);
    for url in ["/v1/-/collections/notes", "/v1/flows/registration"] {
        put_as(&scene, &all, url, "{}")
            .await
            .is_problem(403, "notPermitted");
    }
    let url = "/v1/-/transactions/0198c0de-0000-7000-8000-000000000001";
    let body = json!({ "operations": [
        { "method": "PUT", "href": "/v1/accounts/9", "ifNoneMatch": "*", "value": {} }
    ] });
    let body = body.to_string();
    beyond(
        &put_as(&scene, &all, url, &body).await,
        "a transaction writes others",
    );
    let read = get_as(&scene, &ada(), "/v1/accounts/9").await;
    assert_eq!(read.status, 404);
    assert_eq!(put_as(&scene, &ada(), url, &body).await.status, 201);
    let read = signed(&grant("GET", url));
    assert_eq!(get_as(&scene, &read, url).await.status, 200);
}

#[tokio::test]
async fn a_grant_in_a_url_is_short_for_reading_only_and_kept_nameless() {
    let scene = bank(&Keys::new(ring())).await;
    let link = linked(&grant("GET", URL));
    let reply = scene.get(&link).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    assert_eq!(reply.field("cache-control"), "private, no-store");
    assert_eq!(reply.field("referrer-policy"), "no-referrer");
    let etag = reply.field("etag").to_owned();
    let head = scene.ask("HEAD", &link, &[], "").await;
    assert_eq!(head.status, 200);
    assert_eq!(head.field("cache-control"), "private, no-store");
    let unchanged = scene.get_with(&link, &[("if-none-match", &etag)]).await;
    assert_eq!(unchanged.status, 304);
    assert_eq!(unchanged.field("cache-control"), "private, no-store");
    let list = grant("GET", "/v1/accounts?pageSize=1");
    let page = scene.get(&linked(&list)).await;
    assert_eq!(page.status, 200, "{page:?}");
    assert!(!page.text().contains("access_token"), "{page:?}");
    assert!(!page.field("link").contains("access_token"), "{page:?}");
    let gone = scene.get(&linked(&grant("GET", "/v1/accounts/none"))).await;
    gone.is_problem(404, "notFound");
    assert_eq!(gone.field("cache-control"), "private, no-store");
    scene.clock.advance_s(600);
    let late = scene.get(&link).await;
    refused(&late, "expired");
    assert_eq!(late.field("cache-control"), "private, no-store");
}

#[tokio::test]
async fn a_url_carries_one_grant_for_reading_for_an_hour_at_most_and_no_token() {
    let scene = bank(&Keys::new(ring())).await;
    let malformed = |reply: Reply, why: &str| {
        let problem = reply.is_problem(400, "credentialsMalformed");
        assert!(
            problem["detail"].as_str().unwrap().contains(why),
            "{problem}"
        );
        assert!(reply.field("www-authenticate").contains("invalid_request"));
    };
    let hour = |more: u64| Grant {
        expires_s: NOW_S + 3600 + more,
        ..grant("GET", URL)
    };
    assert_eq!(scene.get(&linked(&hour(0))).await.status, 200);
    let slack = 60;
    assert_eq!(scene.get(&linked(&hour(slack))).await.status, 200);
    malformed(
        scene.get(&linked(&hour(slack + 1))).await,
        "3600 seconds at most",
    );
    assert_eq!(
        get_as(&scene, &signed(&hour(slack + 1)), URL).await.status,
        200
    );
    for method in ["PUT", "PATCH", "DELETE"] {
        let link = linked(&grant(method, URL));
        malformed(
            scene.ask(method, &link, &[("if-match", "*")], "{}").await,
            "GET or HEAD",
        );
    }
    let post = linked(&grant("POST", "/v1/accounts"));
    malformed(scene.ask("POST", &post, &[], "{}").await, "GET or HEAD");
    let query = linked(&grant("QUERY", "/v1/accounts"));
    malformed(scene.ask("QUERY", &query, &[], "{}").await, "GET or HEAD");
    malformed(
        scene.get(&format!("{URL}?access_token={}", ada())).await,
        "nothing else",
    );
    let bearer = format!("Bearer {}", signed(&grant("GET", URL)));
    let both = [("authorization", &*bearer)];
    malformed(
        scene.get_with(&linked(&grant("GET", URL)), &both).await,
        "which one",
    );
    let twice = format!("{}&access_token=x", linked(&grant("GET", URL)));
    malformed(scene.get(&twice).await, "which one");
    let without = Scene::believing(identity());
    malformed(
        without.get(&linked(&grant("GET", URL))).await,
        "takes grants",
    );
}

/// A reader by a grant is told what a reader by a token is told whom the rules let read the same.
#[tokio::test]
async fn positions_and_entity_tags_that_a_grant_was_told_hold_for_it() {
    let scene = bank(&Keys::new(ring())).await;
    let rules = json!({ "rules": { "read": "resource.owner == subject.id", "write": "true" } });
    define(&scene, "letters", &rules).await;
    for (id, owner) in [("1", "ada"), ("2", "eve"), ("3", "ada")] {
        let body = json!({ "owner": owner }).to_string();
        put_as(&scene, &ada(), &format!("/v1/letters/{id}"), &body).await;
    }
    let whole = signed(&below("GET", "/v1/letters"));
    let list = get_as(&scene, &whole, "/v1/letters").await;
    let page = list.json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2, "{page}");
    assert_eq!(page, get_as(&scene, &ada(), "/v1/letters").await.json());
    let bearer = format!("Bearer {whole}");
    let again = [
        ("authorization", &*bearer),
        ("if-none-match", list.field("etag")),
    ];
    let unchanged = scene.get_with("/v1/letters", &again).await;
    assert_eq!(unchanged.status, 304, "{unchanged:?}");
    let resume = page["resume"].as_str().unwrap();
    put_as(&scene, &ada(), "/v1/letters/4", r#"{"owner":"ada"}"#).await;
    let changes = get_as(&scene, &whole, resume).await;
    assert_eq!(
        changes.json()["items"].as_array().unwrap().len(),
        1,
        "{changes:?}"
    );
    let link = scene
        .get(&format!(
            "{resume}{}access_token={whole}",
            if resume.contains('?') { '&' } else { '?' }
        ))
        .await;
    assert_eq!(link.json(), changes.json());
    let changed = scene.get_with("/v1/letters", &again).await;
    assert_eq!(changed.status, 200, "{changed:?}");
}

/// One grant for the beginning, one for the steps: a state is its subject's, whatever grant it comes with.
#[tokio::test]
async fn a_flow_is_walked_by_a_grant_for_reading_and_one_for_sending() {
    let keys = Keys::new(ring());
    let scene = shop().await.and_believing(identity().grants(keys));
    let mut step = get_as(&scene, &signed(&grant("GET", REGISTRATION)), REGISTRATION).await;
    let mut post = grant("POST", REGISTRATION);
    let send = async |post: &Grant, step: &Reply, input: &serde_json::Value| {
        let bearer = format!("Bearer {}", signed(post));
        let fields = [
            ("authorization", &*bearer),
            ("content-type", "application/json"),
        ];
        let body = json!({ "state": step.json()["state"], "input": input });
        scene
            .ask("POST", REGISTRATION, &fields, &body.to_string())
            .await
    };
    for (_, input) in answers() {
        step = send(&post, &step, &input).await;
    }
    assert_eq!(step.status, 201, "{step:?}");
    let begun = get_as(&scene, &signed(&grant("GET", REGISTRATION)), REGISTRATION).await;
    post.subject.as_mut().unwrap().id = "eve".to_owned();
    let other = send(&post, &begun, &answers()[0].1).await;
    other.is_problem(400, "stateInvalid");
}

/// Whether it is believed or not, and where the request is refused before anybody looks at credentials.
#[tokio::test]
async fn a_grant_in_a_url_reaches_no_log() {
    let (written, lines) = tempfile::NamedTempFile::new().unwrap().into_parts();
    let metrics = std::sync::Arc::default();
    let (log, flush) = Log::start(LogLevel::All, written, std::sync::Arc::clone(&metrics)).unwrap();
    let scene = bank(&Keys::new(ring())).await;
    let service = milepost_server::Service::builder(scene.store().clone())
        .clock(scene.clock.clone())
        .identity(identity().grants(Keys::new(ring())))
        .metrics(metrics)
        .log(log.clone())
        .build();
    let open = milepost_server::Service::builder(scene.store().clone())
        .log(log)
        .build();
    let link = linked(&grant("GET", URL));
    let grant = link.split('=').nth(1).unwrap().to_owned();
    let encoded = link.replace("access_token", "access%5Ftoken");
    let fields = [("authorization", "Bearer x"), ("expect", "wonders")];
    for (service, url, fields, status) in [
        (&service, &link, &fields[..0], 200),
        (&service, &encoded, &fields[..0], 200),
        (&service, &link, &fields[..1], 400),
        (&service, &link, &fields[1..], 417),
        (&open, &link, &fields[..0], 200),
        (&open, &encoded, &fields[..0], 200),
    ] {
        let request = request("GET", url, fields, "");
        assert_eq!(service.respond(request).await.status(), status, "{url}");
    }
    let metrics = service
        .respond(request("GET", "/v1/-/metrics", &[], ""))
        .await;
    let metrics = http_body_util::BodyExt::collect(metrics.into_body())
        .await
        .unwrap();
    let metrics = String::from_utf8(metrics.to_bytes().to_vec()).unwrap();
    drop(flush);
    let log = std::fs::read_to_string(lines).unwrap();
    assert_eq!(log.lines().count(), 7, "{log}");
    for told in [log, metrics] {
        assert!(
            !told.contains(&grant) && !told.contains(&grant[..40]),
            "{told}"
        );
    }
}
