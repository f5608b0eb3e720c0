//! A client that follows: the whole algorithm, which knows nothing but how to GET a URL.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::scene::{Reply, Scene};

/// What is held: each resource's tag and value, by its URL.
pub(crate) type Held = BTreeMap<String, (String, Value)>;

/// A follower. All that it must keep is here.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) bookmark: String,
    pub(crate) held: Held,
    pub(crate) is_up_to_date: bool,
}

impl Follower {
    pub(crate) fn starting_at(url: &str) -> Self {
        Self {
            bookmark: url.to_owned(),
            held: Held::new(),
            is_up_to_date: false,
        }
    }

    /// Fetches one page and applies it.
    pub(crate) async fn step(&mut self, scene: &Scene) {
        let reply = scene.get(&self.bookmark).await;
        self.take(&reply);
    }

    pub(crate) fn take(&mut self, reply: &Reply) {
        match reply.status.as_u16() {
            200 => self.apply(&reply.json()),
            308 | 410 => reply.field("location").clone_into(&mut self.bookmark),
            _ => panic!("{}: {reply:?}", self.bookmark),
        }
    }

    pub(crate) fn apply(&mut self, page: &Value) {
        if page["replace"] == true {
            self.held.clear();
        }
        for item in page["items"].as_array().unwrap() {
            let href = item["href"].as_str().unwrap().to_owned();
            if item["deleted"] == true {
                self.held.remove(&href);
            } else {
                let etag = item["etag"].as_str().unwrap().to_owned();
                self.held.insert(href, (etag, item["value"].clone()));
            }
        }
        self.is_up_to_date = page["resume"].is_string();
        let way_on = page["next"].as_str().or(page["resume"].as_str());
        way_on.unwrap().clone_into(&mut self.bookmark);
    }

    /// Goes on until there is nothing more now.
    pub(crate) async fn catch_up(&mut self, scene: &Scene) {
        for _ in 0..10_000 {
            let before = self.bookmark.clone();
            self.step(scene).await;
            if self.is_up_to_date && before == self.bookmark {
                return;
            }
        }
        panic!("{} goes on for ever", self.bookmark);
    }
}

/// What stands in a listing now.
pub(crate) async fn listed(scene: &Scene, url: &str) -> Held {
    let mut lister = Follower::starting_at(url);
    while !lister.is_up_to_date {
        lister.step(scene).await;
    }
    lister.held
}
