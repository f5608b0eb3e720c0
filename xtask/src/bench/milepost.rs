//! Milepost under measurement: the release build with its documents.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    load::{Ask, binary},
    pinned::{Pinned, free_address, load, server},
};
use crate::{
    cargo::run,
    http::{self, Response},
    say,
};

const DEFINITION: &str = r#"{ "title": "Documents", "description": "What the bench reads and writes.",
  "indexes": { "kind": "/kind", "rank": "/rank" } }"#;

/// A running Milepost.
#[derive(Debug)]
pub(super) struct Milepost {
    /// The process.
    pub(super) process: Pinned,
    data: PathBuf,
}

impl Milepost {
    /// Starts on an empty folder of that name, and imports documents.
    ///
    /// # Errors
    /// When it does not come up or refuses the documents.
    pub(super) fn with_documents(name: &str, count: u32) -> Result<Self, String> {
        Self::with(name, count, "ndjson")
    }

    /// Starts on an empty folder of that name.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn empty(name: &str) -> Result<Self, String> {
        let data = super::folder()?.join(name);
        if data.exists() {
            fs::remove_dir_all(&data).map_err(|error| format!("{}: {error}", data.display()))?;
        }
        Self::open(&data)
    }

    /// The same with documents of another shape.
    ///
    /// # Errors
    /// When it does not come up or refuses the documents.
    pub(super) fn with(name: &str, count: u32, shape: &str) -> Result<Self, String> {
        let milepost = Self::empty(name)?;
        let json = [("Content-Type", "application/json")];
        let path = "/v1/-/collections/documents";
        let defined = milepost.send("PUT", path, &json, DEFINITION.as_bytes())?;
        if defined.status != 201 {
            return Err(format!(
                "{path}: {}",
                String::from_utf8_lossy(&defined.body)
            ));
        }
        let file = super::documents(count, shape)?;
        say::talk(&format!("importing {count} documents"));
        let url = format!("http://{}", milepost.process.address);
        let words = [
            "import",
            "--collection",
            "documents",
            "--quiet",
            "--server",
            &url,
        ];
        run(load(binary("milepost")).args(words).arg(&file))?;
        Ok(milepost)
    }

    /// Starts on a folder that is there.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn open(data: &Path) -> Result<Self, String> {
        Self::open_with(data, &[])
    }

    fn open_with(data: &Path, arguments: &[&str]) -> Result<Self, String> {
        let address = free_address()?;
        let mut command = server(binary("milepost"));
        command
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(data)
            .args(arguments);
        command.env("MILEPOST_LOG", "off");
        let process = Pinned::start(command, address, &data.with_extension("log"))?;
        Ok(Self {
            process,
            data: data.to_path_buf(),
        })
    }

    /// Stops it, and starts it again on the same folder.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn reopened(self) -> Result<Self, String> {
        let data = self.data.clone();
        drop(self);
        Self::open(&data)
    }

    /// The same, with further arguments.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn reopened_with(self, arguments: &[&str]) -> Result<Self, String> {
        let data = self.data.clone();
        drop(self);
        Self::open_with(&data, arguments)
    }

    /// Sends it one request.
    ///
    /// # Errors
    /// When it answers no HTTP.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, String> {
        http::send(self.process.address, method, path, fields, body)
    }

    /// Gives the collection of the documents rules.
    ///
    /// # Errors
    /// When it refuses them.
    pub(super) fn rule(&self, rules: &str) -> Result<(), String> {
        let path = "/v1/-/collections/documents";
        let stands = self.send("GET", path, &[], b"")?;
        let tag = stands.field("etag").unwrap_or_default();
        let fields = [
            ("Content-Type", "application/merge-patch+json"),
            ("If-Match", tag),
        ];
        let answer = self.send("PATCH", path, &fields, rules.as_bytes())?;
        match answer.status {
            200 | 204 => Ok(()),
            _ => Err(String::from_utf8_lossy(&answer.body).into_owned()),
        }
    }

    /// The folder of its store.
    pub(super) fn data(&self) -> &Path {
        &self.data
    }

    /// For each document a GET that its entity tag makes a 304.
    ///
    /// # Errors
    /// When the lists that tell the tags cannot be read.
    pub(super) fn revalidations(&self) -> Result<Vec<Ask>, String> {
        let mut asks = Vec::new();
        let mut next = Some("/v1/documents?pageSize=1000&select=rank".to_owned());
        while let Some(path) = next {
            let answer = self.send("GET", &path, &[], b"")?;
            let page: serde_json::Value =
                serde_json::from_slice(&answer.body).map_err(|error| format!("{path}: {error}"))?;
            let text = |value: &serde_json::Value, name: &str| {
                value
                    .get(name)
                    .and_then(|value| value.as_str().map(str::to_owned))
            };
            let items = page.get("items").and_then(|items| items.as_array());
            for item in items.into_iter().flatten() {
                let href = text(item, "href").ok_or("an item without href")?;
                let tag = text(item, "etag").ok_or("an item without etag")?;
                asks.push(Ask {
                    fields: vec![format!("If-None-Match: {tag}")],
                    ..Ask::get(href)
                });
            }
            next = text(&page, "next");
        }
        Ok(asks)
    }
}
