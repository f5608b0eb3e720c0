//! What changed since a position: pages, their ends, and what caches are told of them.

use milepost_server::Limits;
use serde_json::{Value, json};

use crate::scene::{Scene, Serving};

fn items(page: &Value) -> Vec<(String, bool)> {
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| {
            let id = item["id"].as_str().unwrap().to_owned();
            (id, item["deleted"] == true)
        })
        .collect()
}

#[tokio::test]
async fn what_changed_since_a_position_is_told_once_each_as_it_is_now() {
    let scene = Scene::with_accounts().await;
    scene.fill(3).await;
    let start = scene.position("/v1/accounts").await;
    scene.write("/v1/accounts/a00", "{\"n\":1}").await;
    scene.write("/v1/accounts/a00", "{ \"n\": 2 }").await;
    scene.delete("/v1/accounts/a01").await;
    let etag = scene.get("/v1/accounts/a00").await.etag();
    let head = scene.position("/v1/accounts").await;
    let url = format!("/v1/accounts/changes/{start}");
    let reply = scene.get(&url).await;
    assert_eq!(reply.status, 200, "{reply:?}");
    let page = reply.json();
    let oldest = page["oldest"].clone();
    let digest = page["digest"].clone();
    assert!(oldest.is_string());
    assert_eq!(digest.as_str().unwrap().len(), 64);
    let resume = format!("/v1/accounts/changes/{head}");
    let expected = json!({
        "self": url, "kind": "changes", "replace": false,
        "items": [
            { "href": "/v1/accounts/a00", "id": "a00", "etag": etag, "value": { "n": 2 } },
            { "href": "/v1/accounts/a01", "id": "a01", "deleted": true, "position": head },
        ],
        "resume": resume, "position": head, "oldest": oldest, "digest": digest,
    });
    assert_eq!(page, expected);
    assert!(
        reply.text().contains(r#""value":{ "n": 2 }}"#),
        "byte for byte"
    );
    assert_eq!(
        reply.field("link"),
        format!("<{resume}>; rel=\"urn:milepost:resume\"")
    );
    assert_eq!(
        reply.field("cache-control"),
        "public, max-age=1, stale-while-revalidate=5"
    );
    assert_eq!(reply.field("vary"), "Accept, Accept-Encoding, Prefer");
}

#[tokio::test]
async fn a_page_at_the_head_tells_nothing_and_the_same_url() {
    let scene = Scene::with_accounts().await;
    scene.fill(1).await;
    let resume = scene.get("/v1/accounts").await.json()["resume"].clone();
    let page = scene.get(resume.as_str().unwrap()).await.json();
    assert_eq!((&page["resume"], &page["self"]), (&resume, &resume));
    assert_eq!(page["items"], json!([]));
}

#[tokio::test]
async fn a_page_that_ends_before_the_head_never_changes() {
    let scene = Scene::with_accounts().await;
    let start = scene.position("/v1/accounts").await;
    scene.fill(9).await;
    let mut url = format!("/v1/accounts/changes/{start}?pageSize=2");
    let (mut seen, mut closed) = (Vec::new(), Vec::new());
    let resume = loop {
        let reply = scene.get(&url).await;
        let page = reply.json();
        seen.extend(items(&page));
        assert_ne!(page["next"].is_string(), page["resume"].is_string());
        let Some(next) = page["next"].as_str() else {
            break page["resume"].as_str().unwrap().to_owned();
        };
        assert_eq!(
            reply.field("cache-control"),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(reply.field("link"), format!("<{next}>; rel=\"next\""));
        let next = next.to_owned();
        closed.push((std::mem::replace(&mut url, next), reply));
    };
    assert_eq!(seen.len(), 9);
    assert!(
        closed.len() >= 4 && resume.ends_with("?pageSize=2"),
        "{resume}"
    );
    scene.write("/v1/accounts/a00", "{}").await;
    scene.delete("/v1/accounts/a08").await;
    for (url, before) in closed {
        let again = scene.get(&url).await;
        assert_eq!(again.body, before.body, "{url}");
        assert_eq!(again.etag(), before.etag());
    }
}

#[tokio::test]
async fn clients_at_different_positions_soon_ask_for_the_same_pages() {
    let scene = Scene::with_accounts().await;
    let mut starts = vec![scene.position("/v1/accounts").await];
    for number in 0..40 {
        scene.made(&format!("/v1/accounts/b{number}"), "{}").await;
        starts.push(scene.position("/v1/accounts").await);
    }
    let mut trails = Vec::new();
    for start in &starts[..8] {
        let mut url = format!("/v1/accounts/changes/{start}?pageSize=8");
        let mut trail = Vec::new();
        while let Some(next) = scene.get(&url).await.json()["next"].as_str() {
            url = next.to_owned();
            trail.push(url.clone());
        }
        trails.push(trail);
    }
    for trail in &trails {
        let common = trail.iter().filter(|url| trails[0].contains(url)).count();
        assert!(common + 1 >= trail.len(), "{trails:#?}");
    }
}

#[tokio::test]
async fn a_filtered_feed_tells_who_left_and_moves_past_what_it_hides() {
    let scene = Scene::with_accounts().await;
    scene.fill(3).await;
    let resume = scene.get("/v1/accounts?owner=ada").await.json()["resume"].clone();
    let resume = resume.as_str().unwrap();
    scene
        .write("/v1/accounts/a01", r#"{"owner":"bob","n":1}"#)
        .await;
    let hidden = scene.get(resume).await.json();
    assert_eq!(items(&hidden), []);
    assert_ne!(hidden["resume"], resume);
    assert!(hidden["resume"].as_str().unwrap().ends_with("?owner=ada"));
    scene.write("/v1/accounts/a00", r#"{"owner":"eve"}"#).await;
    scene.write("/v1/accounts/a02", r#"{"owner":"ada"}"#).await;
    let page = scene.get(hidden["resume"].as_str().unwrap()).await.json();
    let told = [("a00".to_owned(), true), ("a02".to_owned(), false)];
    assert_eq!(items(&page), told);
    assert!(page.get("digest").is_none());
}

#[tokio::test]
async fn every_version_is_told_where_all_are_asked_for() {
    let scene = Scene::with_accounts().await;
    let start = scene.position("/v1/accounts").await;
    for body in ["{\"n\":1}", "{\"n\":2}", "{\"n\":3}"] {
        scene.write("/v1/accounts/a", body).await;
    }
    let page = scene
        .get(&format!("/v1/accounts/changes/{start}?versions=all"))
        .await
        .json();
    let values: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["value"]["n"])
        .collect();
    assert_eq!(values, [1, 2, 3]);
    assert!(page["resume"].as_str().unwrap().ends_with("?versions=all"));
}

#[tokio::test]
async fn children_are_followed_below_one_parent_and_across_all_also_when_the_parent_is_gone() {
    let scene = Scene::new();
    scene.define("notes", &json!({})).await;
    scene
        .define("notes.lines", &json!({ "onParentDelete": "cascade" }))
        .await;
    for note in ["1", "2"] {
        scene.made(&format!("/v1/notes/{note}"), "{}").await;
        scene.made(&format!("/v1/notes/{note}/lines/x"), "{}").await;
    }
    let resume = async |url: &str| {
        scene.get(url).await.json()["resume"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (one, all) = (
        resume("/v1/notes/1/lines").await,
        resume("/v1/notes/-/lines").await,
    );
    scene.write("/v1/notes/2/lines/y", "{}").await;
    scene.delete("/v1/notes/1").await;
    let page = scene.get(&one).await.json();
    assert_eq!(items(&page), [("x".to_owned(), true)]);
    let page = scene.get(&all).await.json();
    let hrefs: Vec<_> = page["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| item["href"].as_str().unwrap())
        .collect();
    assert_eq!(hrefs, ["/v1/notes/2/lines/y", "/v1/notes/1/lines/x"]);
}

#[tokio::test]
async fn definitions_are_followed_as_any_collection_is() {
    let scene = Scene::with_accounts().await;
    let resume = scene.get("/v1/-/collections").await.json()["resume"].clone();
    scene.define("notes", &json!({})).await;
    let reply = scene.get(resume.as_str().unwrap()).await;
    assert_eq!(items(&reply.json()), [("notes".to_owned(), false)]);
    assert_eq!(reply.json()["items"][0]["href"], "/v1/-/collections/notes");
    assert_eq!(reply.field("cache-control"), "no-cache");
}

#[tokio::test]
async fn selected_parts_are_told_in_changes_too() {
    let scene = Scene::with_accounts().await;
    let resume = scene.get("/v1/accounts?select=owner,city").await.json()["resume"].clone();
    scene.fill(1).await;
    let page = scene.get(resume.as_str().unwrap()).await.json();
    assert_eq!(
        page["items"][0]["value"],
        json!({ "owner": "ada", "address": { "city": "c0" } })
    );
}

#[tokio::test]
async fn a_page_of_changes_has_one_canonical_url() {
    let scene = Scene::with_accounts().await;
    let base = format!(
        "/v1/accounts/changes/{}",
        scene.position("/v1/accounts").await
    );
    for (query, canonical) in [
        ("wait=0", ""),
        ("", ""),
        ("owner=bob&owner=ada", "?owner=ada&owner=bob"),
        ("pageSize=02", "?pageSize=2"),
        (
            "wait=5&owner=ada&versions=all",
            "?owner=ada&versions=all&wait=5",
        ),
        ("wait=5&wait=5&tick=07", "?tick=7&wait=5"),
        ("select=b,a", "?select=a,b"),
    ] {
        let reply = scene.get(&format!("{base}?{query}")).await;
        assert_eq!(reply.status, 308, "{query}");
        assert_eq!(reply.field("location"), format!("{base}{canonical}"));
    }
}

#[tokio::test]
async fn everything_wrong_with_a_question_is_told_at_once() {
    let scene = Scene::with_accounts().await;
    let base = format!(
        "/v1/accounts/changes/{}",
        scene.position("/v1/accounts").await
    );
    let url = format!(
        "{base}?sort=owner&q=x&after=a&total=true&versions=some&wait=x&tick=-1&pageSize=0&nope=1"
    );
    let problem = scene.get(&url).await.is_problem(400, "invalidQuery");
    let names: Vec<_> = problem["issues"]
        .as_array()
        .unwrap()
        .iter()
        .map(|issue| issue["name"].as_str().unwrap())
        .collect();
    let all = [
        "sort", "q", "after", "total", "versions", "wait", "tick", "pageSize", "nope",
    ];
    assert_eq!(names, all);
    scene
        .get(&format!("{base}?nope=1"))
        .await
        .is_problem(400, "undeclaredIndex");
    for position in ["x", "k3", "k3.1", "K3.1-0000", "k3.01-0000"] {
        scene
            .get(&format!("/v1/accounts/changes/{position}"))
            .await
            .is_problem(400, "invalidPosition");
    }
    scene
        .get("/v1/none/changes/k3.1-0000")
        .await
        .is_problem(404, "collectionNotDefined");
    scene
        .ask("DELETE", &base, &[], "")
        .await
        .is_problem(405, "methodNotAllowed");
    let accept = [("accept", "text/html")];
    scene
        .get_with(&base, &accept)
        .await
        .is_problem(406, "notAcceptable");
}

#[tokio::test]
async fn what_a_client_holds_is_304_until_something_happens() {
    let scene = Scene::with_accounts().await;
    scene.fill(2).await;
    let url = scene.get("/v1/accounts").await.json()["resume"]
        .as_str()
        .unwrap()
        .to_owned();
    let page = scene.get(&url).await;
    let etag = page.etag();
    let held = scene.get_with(&url, &[("if-none-match", &etag)]).await;
    assert_eq!((held.status.as_u16(), held.etag()), (304, etag.clone()));
    assert_eq!(held.field("vary"), page.field("vary"));
    assert_eq!(held.field("cache-control"), page.field("cache-control"));
    scene.write("/v1/accounts/a00", "{}").await;
    let news = scene.get_with(&url, &[("if-none-match", &etag)]).await;
    assert_eq!(news.ids(), ["a00"]);
    assert_ne!(news.etag(), etag);
    let head = scene.ask("HEAD", &url, &[], "").await;
    assert_eq!(head.field("content-length"), news.body.len().to_string());
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn a_private_collection_s_changes_stay_with_their_reader() {
    let scene = Scene::new();
    let caching = json!({ "caching": { "visibility": "private", "maxAge": 7 } });
    scene.define("notes", &caching).await;
    let start = scene.position("/v1/notes").await;
    for id in ["1", "2", "3"] {
        scene.made(&format!("/v1/notes/{id}"), "{}").await;
    }
    let field = async |url: &str| scene.get(url).await.field("cache-control").to_owned();
    let url = format!("/v1/notes/changes/{start}");
    assert!(field(&url).await.starts_with("private, max-age=7"));
    let closed = format!("{url}?pageSize=1");
    assert_eq!(field(&closed).await, "private, max-age=31536000, immutable");
    let everything = format!("/v1/-/changes/{start}");
    assert!(field(&everything).await.starts_with("private, "));
}

#[tokio::test]
async fn a_page_asked_again_costs_no_read_and_is_never_out_of_date() {
    let scene = Scene::serving(Limits::default(), Serving::One);
    scene.define_accounts().await;
    let start = scene.position("/v1/accounts").await;
    scene.fill(5).await;
    let closed = format!("/v1/accounts/changes/{start}?pageSize=2");
    let open = format!("/v1/accounts/changes/{start}");
    let reads = "milepost_feed_reads_total";
    for _ in 0..10 {
        assert_eq!(scene.get(&closed).await.status, 200);
        assert_eq!(scene.get(&open).await.ids().len(), 5);
    }
    assert_eq!(scene.figure(reads).await, 2);
    scene.made("/v1/accounts/new", "{}").await;
    assert_eq!(
        scene.get(&open).await.ids().len(),
        6,
        "a read sees the write before it"
    );
    scene.get(&closed).await;
    assert_eq!(scene.figure(reads).await, 3);
    // What is declared decides what may be asked, and who may keep the answer.
    let definition = scene.get("/v1/-/collections/accounts").await;
    let fields = [("if-match", definition.field("etag"))];
    let body = json!({ "caching": { "visibility": "private" } }).to_string();
    let changed = scene
        .put_with("/v1/-/collections/accounts", &fields, &body)
        .await;
    assert!(changed.status.is_success());
    assert!(
        scene
            .get(&closed)
            .await
            .field("cache-control")
            .starts_with("private")
    );
}

#[tokio::test]
async fn what_is_remembered_is_told_with_where_to_begin() {
    let scene = Scene::with_accounts().await;
    scene.fill(1).await;
    for base in ["/v1/accounts", "/v1/-"] {
        let document = scene.get(&format!("{base}/changes")).await.json();
        assert_eq!(document["self"], format!("{base}/changes"));
        for link in ["snapshot", "resume"] {
            let page = scene.get(document[link].as_str().unwrap()).await;
            assert_eq!(page.status, 200, "{base} {link}");
            assert_eq!(page.json()["position"], document["head"]);
        }
        assert!(document["oldest"].is_string());
    }
}

#[tokio::test]
async fn what_is_remembered_is_not_what_it_was_when_something_was_forgotten() {
    let scene = Scene::with_accounts_in_memory().await;
    scene.fill(2).await;
    scene.delete("/v1/accounts/a00").await;
    let etag = scene.get("/v1/accounts/changes").await.etag();
    let head = scene.position("/v1/accounts").await.parse().unwrap();
    let accounts = milepost_store::CollectionPath::parse("accounts").unwrap();
    scene.memory().prune_history(&accounts, head);
    let held = [("if-none-match", etag.as_str())];
    let reply = scene.get_with("/v1/accounts/changes", &held).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["oldestSnapshot"], reply.json()["head"]);
}

#[tokio::test]
async fn keys_where_there_are_none_to_have_are_refused_to_who_is_strict() {
    let scene = Scene::with_accounts().await;
    for url in ["/v1/accounts/changes?x=1", "/v1/health?x=1", "/v1/?x=1"] {
        assert_eq!(scene.get(url).await.status, 200, "{url}");
        let strict = scene.get_with(url, &[("prefer", "handling=strict")]).await;
        strict.is_problem(400, "invalidQuery");
    }
}
