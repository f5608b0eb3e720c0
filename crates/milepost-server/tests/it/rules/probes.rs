//! Everything that a reader can ask, and the answers without what differs each time.

use milepost_server::Subject;
use serde_json::{Value, json};

use super::world::{COLLECTIONS, IDS, Who, may_create};
use crate::scene::{Reply, Scene};

const JSON: (&str, &str) = ("content-type", "application/json");
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");
const WANTS: (&str, &str) = ("prefer", "return=representation");

/// A whole conversation: what was asked, and what was told.
pub(super) type Transcript = Vec<(String, String)>;

/// Somebody who asks, and writes down the answers.
pub(super) struct Prober<'s> {
    scene: &'s Scene,
    who: Who,
    subject: Subject,
    /// Positions from the beginning to the end.
    positions: Vec<String>,
    pub(super) told: Transcript,
}

impl<'s> Prober<'s> {
    pub(super) fn new(scene: &'s Scene, who: Who, positions: &[String]) -> Self {
        Self {
            scene,
            who,
            subject: who.subject(),
            positions: some(positions),
            told: Vec::new(),
        }
    }

    async fn ask(&mut self, method: &str, url: &str, fields: &[(&str, &str)], body: &str) -> Reply {
        let reply = self
            .scene
            .ask_as(&self.subject, (method, url), fields, body)
            .await;
        let asked = format!("{method} {url} {fields:?} {body}");
        self.told.push((asked, plain(&reply)));
        reply
    }

    async fn get(&mut self, url: &str) -> Reply {
        self.ask("GET", url, &[], "").await
    }

    /// A page, and all that follow by `next`.
    async fn walk(&mut self, url: &str) -> Reply {
        let mut reply = self.get(url).await;
        for _ in 0..40 {
            let next = match reply.status.as_u16() {
                200 => reply.json()["next"].as_str().map(str::to_owned),
                308 => Some(reply.field("location").to_owned()),
                _ => None,
            };
            let Some(next) = next else { return reply };
            reply = self.get(&next).await;
        }
        panic!("{url} never ends");
    }

    /// Everything that can be read.
    pub(super) async fn read_everything(&mut self) {
        for collection in COLLECTIONS {
            let url = url_of(collection);
            self.read_lists(&url).await;
            self.read_feeds(&url).await;
            for id in IDS.iter().chain(&["nothing"]) {
                self.read_resource(&format!("{url}/{id}")).await;
            }
        }
        for id in IDS.iter().chain(&["nothing"]) {
            self.walk(&format!("/v1/notes/{id}/remarks")).await;
        }
        self.walk("/v1/open/-/remarks").await;
        self.read_feeds("/v1/-").await;
    }

    async fn read_lists(&mut self, url: &str) {
        let questions = [
            "",
            "?pageSize=1",
            "?pageSize=2",
            "?total=true",
            "?owner=ada",
            "?owner=bob&pageSize=1",
            "?owner=prefix:&pageSize=1",
            "?sort=-n",
            "?sort=n,owner&pageSize=1",
            "?q=word",
            "?select=owner",
            "?n=gte:1&select=n",
        ];
        for question in questions {
            let reply = self.walk(&format!("{url}{question}")).await;
            if reply.status == 200 {
                let held = reply.etag();
                let fields = [("if-none-match", held.as_str())];
                self.ask("GET", &format!("{url}{question}"), &fields, "")
                    .await;
            }
        }
        self.ask("HEAD", url, &[], "").await;
        self.ask("OPTIONS", url, &[], "").await;
        let body = json!({ "owner": ["ada", "bob"] }).to_string();
        self.ask("QUERY", url, &[("content-type", "application/json")], &body)
            .await;
    }

    async fn read_feeds(&mut self, url: &str) {
        let remembered = self.get(&format!("{url}/changes")).await;
        let resume = match remembered.status.as_u16() {
            200 => remembered.json()["resume"].as_str().unwrap().to_owned(),
            _ => String::new(),
        };
        let view = resume
            .split_once('?')
            .map_or(String::new(), |(_, view)| format!("&{view}"));
        let of_one = [
            "",
            "&versions=all",
            "&owner=ada",
            "&owner=prefix:&versions=all",
        ];
        let (of_everything, _) = of_one.split_at(2);
        let keys = if url == "/v1/-" {
            of_everything
        } else {
            &of_one
        };
        for position in self.positions.clone() {
            for keys in keys {
                let query = format!("{keys}{view}");
                let query = query.trim_start_matches('&');
                self.walk(&canonical(&format!("{url}/changes/{position}"), query))
                    .await;
            }
            self.get(&format!("{url}/changes/{position}")).await;
            self.get(&format!("{url}/changes/{position}?seenBy=others"))
                .await;
            let snapshot = format!("{url}/snapshots/{position}");
            self.walk(&snapshot).await;
            self.walk(&canonical(&snapshot, &format!("pageSize=1{view}")))
                .await;
        }
    }

    async fn read_resource(&mut self, url: &str) {
        let reply = self.get(url).await;
        self.ask("HEAD", url, &[], "").await;
        self.ask("OPTIONS", url, &[], "").await;
        self.ask("GET", url, &[("if-none-match", "*")], "").await;
        self.ask("GET", url, &[("if-match", "*")], "").await;
        if reply.status == 200 {
            let held = reply.etag();
            self.ask("GET", url, &[("if-none-match", &held)], "").await;
        }
        self.get(&format!("{url}/versions")).await;
        self.get(&format!("{url}/versions?pageSize=1")).await;
        for position in self.positions.clone() {
            self.get(&format!("{url}/versions/{position}")).await;
            let tag = format!("\"{position}\"");
            self.ask("GET", url, &[("if-none-match", &tag)], "").await;
        }
    }

    /// Everything that can be tried, but for creating under a name of one's own choice what one may create: that names
    /// are taken is all that rules can't hide.
    pub(super) async fn try_everything(&mut self) {
        for collection in COLLECTIONS {
            for id in IDS.iter().chain(&["nothing"]) {
                self.try_resource(collection, id).await;
            }
        }
    }

    async fn try_resource(&mut self, collection: &str, id: &str) {
        let url = format!("{}/{id}", url_of(collection));
        let foreign = json!({ "owner": "zoe", "shared": true, "team": "red", "step": 0 });
        let foreign = foreign.to_string();
        let may_create = may_create(collection, self.who);
        let tags: Vec<String> = self
            .positions
            .iter()
            .map(|it| format!("\"{it}\""))
            .collect();
        for tag in tags.iter().map(String::as_str).chain(["*"]) {
            self.try_with(collection, &url, tag).await;
            if !may_create {
                let fields = [JSON, ("if-match", tag), WANTS];
                self.ask("PUT", &url, &fields, &foreign).await;
            }
        }
        self.ask("PATCH", &url, &[MERGE], "{\"owner\":\"zoe\"}")
            .await;
        let patch = json!([{ "op": "test", "path": "/n", "value": 1 }, { "op": "add", "path": "/m", "value": 2 }]);
        let fields = [("content-type", "application/json-patch+json")];
        self.ask("PATCH", &url, &fields, &patch.to_string()).await;
        if !may_create {
            let fields = [JSON, ("if-none-match", "*")];
            self.ask("PUT", &url, &fields, &foreign).await;
            self.ask("PUT", &url, &[JSON], &foreign).await;
        }
        let last = ("if-match", tags[tags.len() - 1].as_str());
        self.ask("DELETE", &url, &[last], "").await;
        self.ask("DELETE", &url, &[], "").await;
    }

    async fn try_with(&mut self, collection: &str, url: &str, tag: &str) {
        let fields = [MERGE, ("if-match", tag), WANTS];
        self.ask("PATCH", url, &fields, "{\"title\":\"x\"}").await;
        let other = format!("{}/other", url_of(collection));
        let check = json!({ "operations": [
            { "method": "CHECK", "href": url, "ifMatch": tag },
            { "method": "PATCH", "href": other, "value": {} } ] });
        let transaction = "/v1/-/transactions/0190a5b8-3c1e-7d2f-9a4b-5c6d7e8f9a0b";
        self.ask("PUT", transaction, &[JSON], &check.to_string())
            .await;
    }
}

/// The first, the last, and one between them.
fn some(positions: &[String]) -> Vec<String> {
    let last = positions.len() - 1;
    let chosen = [0, last / 2, last];
    let mut chosen: Vec<String> = chosen.iter().map(|at| positions[*at].clone()).collect();
    chosen.dedup();
    chosen
}

/// The canonical URL of a path with a query.
fn canonical(path: &str, query: &str) -> String {
    let mut pairs: Vec<&str> = query.split('&').filter(|pair| !pair.is_empty()).collect();
    pairs.sort_unstable();
    match pairs.join("&") {
        query if query.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

fn url_of(collection: &str) -> String {
    match collection.split_once('.') {
        Some((parent, child)) => format!("/v1/{parent}/p/{child}"),
        None => format!("/v1/{collection}"),
    }
}

/// An answer without what differs each time: how long it took, and the id of a problem.
fn plain(reply: &Reply) -> String {
    let mut fields: Vec<String> = reply
        .headers
        .iter()
        .filter(|(name, _)| *name != "server-timing")
        .map(|(name, value)| format!("{name}: {}", value.to_str().unwrap()))
        .collect();
    fields.sort_unstable();
    let body = match serde_json::from_slice::<Value>(&reply.body) {
        Ok(mut document) => {
            if let Some(problem) = document.as_object_mut() {
                problem.remove("instance");
            }
            document.to_string()
        }
        Err(_) => reply.text().to_owned(),
    };
    let length = reply.body.len();
    format!("{} {length} {fields:?} {body}", reply.status)
}
