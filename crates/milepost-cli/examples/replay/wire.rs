//! A server in this process, and what is said to it over HTTP.

use std::{sync::Arc, time::Duration};

use milepost_server::listen::{self, ListenOptions, Listener};
use milepost_store::embedded::{Embedded, Options};
use serde_json::{Map, Value, json};
use tempfile::TempDir;
use tokio::runtime::Runtime;
use ureq::Agent;
use uuid::Uuid;

use crate::{
    Failed,
    model::{Key, Model},
    revisions::Edit,
};

/// The server, stopped when dropped.
#[derive(Debug)]
pub(crate) struct Service {
    url: String,
    agent: Agent,
    _runtime: Runtime,
    _directory: TempDir,
}

impl Service {
    /// Starts a server over a new store on a port of its own.
    pub(crate) fn start() -> Result<Self, Failed> {
        let directory = tempfile::tempdir()?;
        let store = Arc::new(Embedded::open(directory.path(), Options::default())?);
        let service = milepost_server::Service::builder(store).build();
        let runtime = Runtime::new()?;
        let listener = runtime.block_on(Listener::bind(&["127.0.0.1:0".parse()?]))?;
        let address = listener
            .addresses()
            .first()
            .copied()
            .ok_or("nothing is listened on")?;
        let forever = std::future::pending();
        runtime.spawn(listen::serve(
            listener,
            service,
            ListenOptions::default(),
            forever,
        ));
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .timeout_global(Some(Duration::from_secs(120)))
            .proxy(None);
        let agent = config.build().into();
        let url = format!("http://{address}");
        Ok(Self {
            url,
            agent,
            _runtime: runtime,
            _directory: directory,
        })
    }

    /// Defines the collections of a revision that aren't defined yet.
    pub(crate) fn define_missing(
        &self,
        model: &mut Model,
        revision: &[Edit],
    ) -> Result<(), Failed> {
        for edit in revision {
            if model.collections.insert(edit.collection.clone()) {
                let path = format!("/v1/-/collections/{}", edit.collection);
                self.put(&path, &json!({ "title": edit.collection }))?;
            }
        }
        Ok(())
    }

    /// Writes a revision as one transaction, each edit on the condition that the resource is still
    /// what the revision before left; its position.
    pub(crate) fn write(&self, model: &mut Model, revision: &[Edit]) -> Result<String, Failed> {
        let operations: Vec<Value> = revision.iter().map(|edit| operation(model, edit)).collect();
        let path = format!("/v1/-/transactions/{}", Uuid::new_v4());
        let outcome = self.put(&path, &json!({ "operations": operations }))?;
        for (index, edit) in revision.iter().enumerate() {
            let key = (edit.collection.clone(), edit.id.clone());
            model.apply(&key, edit.value.as_ref());
            match outcome
                .pointer(&format!("/results/{index}/etag"))
                .and_then(Value::as_str)
            {
                Some(tag) => model.tags.insert(key, tag.to_owned()),
                None => model.tags.remove(&key),
            };
        }
        text(&outcome, "position")
    }

    /// All resources on the pages from this one on, by collection and id.
    pub(crate) fn pages(
        &self,
        collection: &str,
        first: String,
    ) -> Result<Vec<(Key, Value)>, Failed> {
        let mut found = Vec::new();
        let mut next = Some(first);
        while let Some(path) = next {
            let page = self.get(&path)?;
            for item in items(&page) {
                let value = item.get("value").cloned().unwrap_or_default();
                found.push(((collection.to_owned(), text(item, "id")?), value));
            }
            next = page.get("next").and_then(Value::as_str).map(str::to_owned);
        }
        Ok(found)
    }

    /// A document.
    pub(crate) fn get(&self, path: &str) -> Result<Value, Failed> {
        let mut response = self.agent.get(format!("{}{path}", self.url)).call()?;
        let body = response
            .body_mut()
            .with_config()
            .limit(64 << 20)
            .read_to_vec()?;
        if !response.status().is_success() {
            return Err(format!("GET {path}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body)?)
    }

    fn put(&self, path: &str, document: &Value) -> Result<Value, Failed> {
        let request = self.agent.put(format!("{}{path}", self.url));
        let request = request.header("Content-Type", "application/json");
        let mut response = request.send(document.to_string())?;
        let body = response.body_mut().read_to_vec()?;
        if response.status() != 201 {
            return Err(format!("PUT {path}: {}", String::from_utf8_lossy(&body)).into());
        }
        Ok(serde_json::from_slice(&body).unwrap_or_default())
    }
}

fn operation(model: &Model, edit: &Edit) -> Value {
    let key = (edit.collection.clone(), edit.id.clone());
    let mut members = Map::new();
    let method = if edit.value.is_some() {
        "PUT"
    } else {
        "DELETE"
    };
    members.insert("method".to_owned(), method.into());
    let href = format!("/v1/{}/{}", edit.collection, edit.id);
    members.insert("href".to_owned(), href.into());
    match model.tags.get(&key) {
        Some(tag) => members.insert("ifMatch".to_owned(), tag.as_str().into()),
        None => members.insert("ifNoneMatch".to_owned(), "*".into()),
    };
    if let Some(value) = &edit.value {
        members.insert("value".to_owned(), value.clone());
    }
    members.into()
}

/// The members of `items`.
pub(crate) fn items(page: &Value) -> &[Value] {
    page.get("items")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// A member that is a text.
pub(crate) fn text(document: &Value, name: &str) -> Result<String, Failed> {
    let text = document.get(name).and_then(Value::as_str);
    Ok(text
        .ok_or_else(|| format!("there is no {name} in {document}"))?
        .to_owned())
}
