//! That what is hidden takes the way of what is absent: the time that an answer takes tells as little as the answer.

use std::sync::Arc;

use http_body_util::BodyExt as _;
use milepost_server::{Service, Subject};
use milepost_store::memory::MemoryStore;
use serde_json::json;
use tower::ServiceExt as _;

use super::somebody;
use crate::{meddled::MeddledStore, scene::request};

const RULES: &str =
    r#"{ "preconditions": "optional", "rules": { "default": "resource.owner == subject.id" } }"#;
const JSON: (&str, &str) = ("content-type", "application/json");
/// Ada's, which Bob doesn't see; and one that is as long, and nobody's.
const HIDDEN: &str = "/v1/notes/adas1";
const ABSENT: &str = "/v1/notes/none1";

/// Method, URL, fields and body.
type Asked = (
    &'static str,
    String,
    Vec<(&'static str, &'static str)>,
    String,
);

/// What can be asked of a resource by its URL.
fn asks(url: &str) -> Vec<Asked> {
    let mine = json!({ "owner": "bob" }).to_string();
    let operation = |method: &str, more: serde_json::Value| {
        let mut operation = json!({ "method": method, "href": url });
        let members = operation.as_object_mut().unwrap();
        members.extend(more.as_object().unwrap().clone());
        json!({ "operations": [operation] }).to_string()
    };
    let merge = ("content-type", "application/merge-patch+json");
    let tag = ("if-match", "\"k3f7.7-0000\"");
    let transaction = || format!("/v1/-/transactions/{}", uuid::Uuid::new_v4());
    vec![
        ("GET", url.to_owned(), vec![], String::new()),
        ("HEAD", url.to_owned(), vec![], String::new()),
        (
            "GET",
            url.to_owned(),
            vec![("if-none-match", "*")],
            String::new(),
        ),
        ("GET", format!("{url}/versions"), vec![], String::new()),
        ("PATCH", url.to_owned(), vec![merge], "{}".to_owned()),
        ("PUT", url.to_owned(), vec![JSON, tag], mine.clone()),
        ("DELETE", url.to_owned(), vec![], String::new()),
        ("DELETE", url.to_owned(), vec![tag], String::new()),
        (
            "PUT",
            transaction(),
            vec![JSON],
            operation("DELETE", json!({})),
        ),
        (
            "PUT",
            transaction(),
            vec![JSON],
            operation("CHECK", json!({ "ifMatch": tag.1 })),
        ),
        (
            "PUT",
            transaction(),
            vec![JSON],
            operation(
                "PUT",
                json!({ "value": { "owner": "bob" }, "ifMatch": tag.1 }),
            ),
        ),
    ]
}

struct Told {
    status: u16,
    body: String,
    asked: Vec<&'static str>,
}

async fn told(
    (service, store): (&Service, &MeddledStore),
    who: &Subject,
    (method, url, fields, body): &Asked,
) -> Told {
    let mut asked = request(method, url, fields, body);
    asked.extensions_mut().insert(who.clone());
    store.asked();
    let response = service.clone().oneshot(asked).await.unwrap();
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Told {
        status,
        body,
        asked: store.asked(),
    }
}

#[tokio::test]
async fn what_is_hidden_takes_the_way_of_what_is_absent() {
    let store = Arc::new(MeddledStore::over(Arc::new(MemoryStore::new())));
    let service = Service::builder(Arc::clone(&store) as Arc<_>).build();
    let (ada, bob) = (somebody("ada", json!({})), somebody("bob", json!({})));
    let adas = json!({ "owner": "ada" }).to_string();
    for (who, url, body) in [
        (&bob, "/v1/-/collections/notes", RULES),
        (&ada, HIDDEN, &adas),
    ] {
        let put = ("PUT", url.to_owned(), vec![JSON], body.to_owned());
        assert_eq!(
            told((&service, &store), who, &put).await.status,
            201,
            "{url}"
        );
    }
    let there = told((&service, &store), &ada, &asks(HIDDEN)[0]).await;
    assert_eq!(
        (there.status, there.asked.len()),
        (200, 1),
        "what is shown is read once"
    );
    for (hidden, absent) in asks(HIDDEN).iter().zip(&asks(ABSENT)) {
        let what = format!("{} {} {:?}", hidden.0, hidden.1, hidden.2);
        let hidden = told((&service, &store), &bob, hidden).await;
        let absent = told((&service, &store), &bob, absent).await;
        assert!(hidden.status >= 400, "{what}: {}", hidden.body);
        assert_eq!(
            hidden.status, absent.status,
            "{what}: {} {}",
            hidden.body, absent.body
        );
        assert_eq!(hidden.asked, absent.asked, "{what}");
        assert!(!hidden.asked.is_empty(), "{what}: {}", hidden.body);
    }
}
