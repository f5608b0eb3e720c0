//! Followers of all kinds while a history of real or made-up edits is written at full speed: readers
//! in memory, filtered ones, processes that are killed again and again, processes whose copy is replaced
//! by an older one. At the end every one of them must hold exactly what was written.
//!
//! It needs a running server and the `milepost` binary, and starts neither the one nor looks for the
//! other: `cargo xtask bench` and a test do.

mod apart;
mod history;
mod thread;

use std::{
    collections::BTreeMap,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use http::{Method, header::CONTENT_TYPE};
use milepost_semantics::Position;
use milepost_sync::{HttpTransport, Request, Transport as _, Url, transport::HttpOptions};
use serde_json::Value;

pub use self::history::{History, Operation, Revision};
use self::{apart::Apart, thread::Thread};
use crate::clock::Stopwatch;

/// Id to representation, as JSON text.
pub type State = BTreeMap<String, String>;

/// The collection that all of it is about.
pub const COLLECTION: &str = "countries";
/// What filtered followers filter by: the index and its value.
const FILTER: (&str, &str) = ("region", "Europe");
const DEFINITION: &str = r#"{"indexes":{"region":"/region"},"preconditions":"optional"}"#;

/// Where it happens, and who follows.
#[derive(Clone, Debug)]
pub struct Fleet {
    /// The service's base URL, such as `http://127.0.0.1:7070/v1`; it has no such collection yet.
    pub server: String,
    /// The binary whose `sync` is killed.
    pub milepost: PathBuf,
    /// Where copies lie, and copies of copies.
    pub folder: PathBuf,
    /// How many of each kind.
    pub crew: Crew,
}

/// How many followers of each kind.
#[derive(Clone, Copy, Debug)]
pub struct Crew {
    /// In memory, of the whole collection.
    pub plain: usize,
    /// In memory, of what passes a filter.
    pub filtered: usize,
    /// Processes that are killed and started again.
    pub killed: usize,
    /// Processes whose copy is replaced by an older one of itself.
    pub restored: usize,
}

/// What happened, if everybody ended exact.
#[derive(Clone, Copy, Debug, Default)]
pub struct Outcome {
    /// Operations written.
    pub operations: usize,
    /// Transactions that they were written in.
    pub revisions: usize,
    /// Resources at the end.
    pub resources: usize,
    /// How many followers there were.
    pub followers: usize,
    /// How often a process was killed.
    pub kills: usize,
    /// How often an older copy was put in a copy's place.
    pub restores: usize,
    /// How long writing took, in seconds.
    pub writing_s: f64,
    /// How long it took until the last follower was through, in seconds.
    pub whole_s: f64,
}

/// Writes the history while everybody follows, and compares.
///
/// # Errors
/// When the server refuses anything, or a follower ends with anything else than what was written.
pub fn run(fleet: &Fleet, history: &History) -> Result<Outcome, String> {
    let mut writer = Writer::start(fleet)?;
    // Nobody knows it yet.
    let end = Arc::new(AtomicU64::new(u64::MAX));
    let mut threads = Vec::new();
    for number in 0..fleet.crew.plain + fleet.crew.filtered {
        let filter = (number >= fleet.crew.plain).then_some(FILTER);
        let until = Arc::clone(&end);
        threads.push(Thread::start(&fleet.server, filter, number, until)?);
    }
    let mut apart = Vec::new();
    for number in 0..fleet.crew.killed + fleet.crew.restored {
        let is_restored = number >= fleet.crew.killed;
        apart.push(Apart::start(fleet, number, is_restored)?);
    }
    let watch = Stopwatch::start();
    let all = history.revisions.len();
    for (at, revision) in history.revisions.iter().enumerate() {
        writer.write(at, revision)?;
        for follower in &mut apart {
            follower.note(at, all)?;
        }
    }
    let writing_s = watch.elapsed().as_secs_f64();
    let head = writer.head()?;
    let position: Position = head
        .parse()
        .map_err(|_wrong| format!("{head} is no position"))?;
    end.store(position.sequence(), Ordering::Relaxed);
    let mut outcome = Outcome {
        operations: writer.operations,
        revisions: all,
        resources: writer.state.len(),
        followers: threads.len() + apart.len(),
        writing_s,
        ..Outcome::default()
    };
    let filtered = passing(&writer.state)?;
    for thread in threads {
        thread.end(&writer.state, &filtered)?;
    }
    for follower in apart {
        let (kills, restores) = follower.end(&head, &writer.state)?;
        outcome.kills += kills;
        outcome.restores += restores;
    }
    outcome.whole_s = watch.elapsed().as_secs_f64();
    Ok(outcome)
}

/// What passes the filter.
fn passing(state: &State) -> Result<State, String> {
    let mut passing = State::new();
    for (id, text) in state {
        let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if value.get(FILTER.0).and_then(Value::as_str) == Some(FILTER.1) {
            passing.insert(id.clone(), text.clone());
        }
    }
    Ok(passing)
}

/// Where two states differ, for people.
fn difference(who: &str, held: &State, written: &State) -> Result<(), String> {
    let ids = held.keys().chain(written.keys());
    let wrong: Vec<&String> = ids
        .filter(|id| held.get(*id) != written.get(*id))
        .take(3)
        .collect();
    if wrong.is_empty() {
        return Ok(());
    }
    Err(format!("{who} holds something else of {wrong:?}"))
}

/// The URL of a follower's feed.
fn home(server: &str, filter: Option<(&str, &str)>) -> Result<Url, String> {
    let query = filter.map_or_else(String::new, |(index, value)| format!("?{index}={value}"));
    let url = format!("{server}/{COLLECTION}{query}");
    Url::parse(&url).map_err(|error| error.to_string())
}

fn transport() -> HttpTransport {
    HttpTransport::new(HttpOptions {
        is_direct: true,
        ..HttpOptions::default()
    })
}

/// Who writes, one transaction a revision.
struct Writer<'f> {
    fleet: &'f Fleet,
    transport: HttpTransport,
    state: State,
    operations: usize,
}

impl<'f> Writer<'f> {
    fn start(fleet: &'f Fleet) -> Result<Self, String> {
        let mut writer = Self {
            fleet,
            transport: transport(),
            state: State::new(),
            operations: 0,
        };
        writer.put(&format!("-/collections/{COLLECTION}"), DEFINITION)?;
        Ok(writer)
    }

    fn write(&mut self, at: usize, revision: &Revision) -> Result<(), String> {
        let mut operations = Vec::new();
        for operation in &revision.operations {
            let href = format!("/v1/{COLLECTION}/{}", operation.id);
            if let Some(value) = &operation.value {
                operations.push(format!(
                    "{{\"method\":\"PUT\",\"href\":\"{href}\",\"value\":{value}}}"
                ));
                self.state.insert(operation.id.clone(), value.clone());
            } else if self.state.remove(&operation.id).is_some() {
                operations.push(format!("{{\"method\":\"DELETE\",\"href\":\"{href}\"}}"));
            }
        }
        if operations.is_empty() {
            return Ok(());
        }
        self.operations += operations.len();
        let id = format!("00000000-0000-7000-8000-{at:012x}");
        let document = format!("{{\"operations\":[{}]}}", operations.join(","));
        self.put(&format!("-/transactions/{id}"), &document)
    }

    fn put(&mut self, path: &str, document: &str) -> Result<(), String> {
        let url = self.url(path)?;
        let request = Request {
            method: Method::PUT,
            body: Some(document.into()),
            ..Request::get(url)
        };
        let request = request.field(CONTENT_TYPE, "application/json");
        let answer = self.transport.send(&request).map_err(|e| e.to_string())?;
        match answer.status {
            200..=204 => Ok(()),
            status => {
                let said = String::from_utf8_lossy(&answer.body).into_owned();
                Err(format!("PUT {path}: {status} {said}"))
            }
        }
    }

    /// The position at which the collection stands.
    fn head(&mut self) -> Result<String, String> {
        let url = self.url(&format!("{COLLECTION}/changes"))?;
        let answer = self.transport.send(&Request::get(url));
        let answer = answer.map_err(|error| error.to_string())?;
        let document: Value =
            serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
        let head = document.get("head").and_then(Value::as_str);
        head.map(str::to_owned).ok_or("no head".to_owned())
    }

    fn url(&self, path: &str) -> Result<Url, String> {
        Url::parse(&format!("{}/{path}", self.fleet.server)).map_err(|error| error.to_string())
    }
}
