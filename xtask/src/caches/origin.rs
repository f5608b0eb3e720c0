//! The server behind the cache, and what its log says it was asked.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    thread,
    time::Duration,
};

use serde_json::Value;

use super::{COLLECTION, Options, binary};
use crate::{
    bench::{Pinned, free_address},
    cargo::program,
    http::{self, Response},
};

const DEFINITION: &str = r#"{ "title": "Documents", "preconditions": "optional" }"#;
const PAUSE: Duration = Duration::from_millis(20);
/// A log that does not tell of a request after so many looks won't.
const LOOKS_MAX: u32 = 1_500;

/// One request that reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) status: u64,
}

/// A running server with a log.
#[derive(Debug)]
pub(super) struct Origin {
    process: Pinned,
    log: PathBuf,
    marks: u32,
}

impl Origin {
    /// Starts on a folder, empty or not.
    ///
    /// # Errors
    /// When it does not come up.
    pub(super) fn open(options: &Options, data: &Path) -> Result<Self, String> {
        let address = free_address()?;
        let log = data.with_extension("log");
        let mut command = program(binary(options, "milepost"));
        command.args([
            "serve",
            "--listen",
            &address.to_string(),
            "--log",
            "all",
            "--data",
        ]);
        command.arg(data);
        let process = Pinned::start(command, address, &log)?;
        Ok(Self {
            process,
            log,
            marks: 0,
        })
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.process.address
    }

    /// Defines the collection, and writes so many documents so often; the position of each write.
    ///
    /// # Errors
    /// When a write is refused.
    pub(super) fn fill(&self, documents: usize, rounds: usize) -> Result<Vec<String>, String> {
        self.put("/v1/-/collections/documents", DEFINITION)?;
        let mut positions = Vec::new();
        for round in 0..rounds {
            for number in 0..documents {
                let body = format!("{{\"round\":{round},\"number\":{number}}}");
                let answer = self.put(&format!("{COLLECTION}/d{number}"), &body)?;
                let tag = answer.field("etag").unwrap_or_default();
                positions.push(tag.trim_matches('"').to_owned());
            }
        }
        Ok(positions)
    }

    fn put(&self, target: &str, body: &str) -> Result<Response, String> {
        let json = [("Content-Type", "application/json")];
        let answer = http::send(self.address(), "PUT", target, &json, body.as_bytes())?;
        match answer.status {
            200..=299 => Ok(answer),
            status => Err(format!("PUT {target}: {status}")),
        }
    }

    /// Everything that it was asked until now.
    ///
    /// # Errors
    /// When the log does not tell of a request that was answered.
    pub(super) fn asked(&mut self) -> Result<Vec<Asked>, String> {
        self.marks += 1;
        let mark = format!("{COLLECTION}/mark-{}", self.marks);
        http::send(self.address(), "GET", &mark, &[], b"")?;
        for _ in 0..LOOKS_MAX {
            let text = fs::read_to_string(&self.log)
                .map_err(|error| format!("{}: {error}", self.log.display()))?;
            let asked: Vec<Asked> = text.lines().filter_map(asked).collect();
            if asked.iter().any(|asked| asked.target == mark) {
                let is_mark = |asked: &Asked| asked.target.contains("/mark-");
                return Ok(asked.into_iter().filter(|asked| !is_mark(asked)).collect());
            }
            thread::sleep(PAUSE);
        }
        Err(format!("{} does not tell of {mark}", self.log.display()))
    }
}

/// A line of the log; `None` for others.
fn asked(line: &str) -> Option<Asked> {
    let line: Value = serde_json::from_str(line).ok()?;
    let text = |name: &str| Some(line.get(name)?.as_str()?.to_owned());
    Some(Asked {
        method: text("method")?,
        target: text("target")?,
        status: line.get("status")?.as_u64()?,
    })
}
