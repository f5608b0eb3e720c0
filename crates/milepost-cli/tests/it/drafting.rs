//! Drafts on a server that runs: nobody has to ask for them to go.

use serde_json::{Value, json};

use crate::stage::{Server, agent, define};

#[test]
fn a_draft_goes_by_itself_and_a_follower_is_told() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::over(data.path());
    let definition =
        json!({ "indexes": { "draft": "/draft" }, "drafts": { "index": "draft", "age": "PT1S" } });
    define(&server, "files", &definition.to_string());
    // A server that runs looks for new definitions now and then, one that starts does at once.
    assert_eq!(server.stop(), Some(0));
    let server = Server::over(data.path());
    for (id, is_draft) in [("kept", false), ("gone", true)] {
        let put = agent().put(format!("{}/files/{id}", server.url));
        let body = json!({ "draft": is_draft }).to_string();
        let put = put.header("Content-Type", "application/json").send(body);
        assert_eq!(put.unwrap().status(), 201);
    }
    let page = |url: &str| -> Value {
        let mut response = agent().get(url).call().unwrap();
        assert_eq!(response.status(), 200, "{url}");
        serde_json::from_str(&response.body_mut().read_to_string().unwrap()).unwrap()
    };
    let root = server.url.trim_end_matches("/v1");
    let mut url = format!("{}/files", server.url);
    let told = loop {
        let told = page(&url);
        let deleted = told["items"].as_array().unwrap().iter();
        let mut deleted = deleted.filter(|item| item["deleted"] == true);
        if let Some(item) = deleted.next() {
            break item["id"].clone();
        }
        let on = told["next"].as_str().or(told["resume"].as_str()).unwrap();
        let mark = if on.contains('?') { '&' } else { '?' };
        url = format!("{root}{on}{mark}wait=20");
    };
    assert_eq!(told, "gone");
    let left = page(&format!("{}/files", server.url));
    assert_eq!(left["items"].as_array().unwrap().len(), 1);
}
