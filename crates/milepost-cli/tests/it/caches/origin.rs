//! The server behind a cache: the built binary, and its log of what it was asked.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader},
    path::PathBuf,
    process::{Child, ChildStdout, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::stage::{MILEPOST, agent};

const PAUSE: Duration = Duration::from_millis(10);
const TRIES_MAX: u32 = 6_000;

/// A resource's tag and value, by id.
pub(crate) type Held = BTreeMap<String, (String, Value)>;

/// One request that reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) status: u64,
}

/// The server; killed when dropped.
pub(crate) struct Origin {
    child: Child,
    authority: String,
    folder: TempDir,
    data: PathBuf,
    asked: Arc<Mutex<Vec<Asked>>>,
    markers: u32,
}

impl Origin {
    /// A server with an empty collection of notes.
    pub(crate) fn with_notes() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (child, authority) = started(&data, "127.0.0.1:0", &asked);
        let origin = Self {
            child,
            authority,
            folder,
            data,
            asked,
            markers: 0,
        };
        origin.define(
            "notes",
            r#"{"indexes":{"owner":"/owner"},"preconditions":"optional"}"#,
        );
        origin
    }

    /// Host and port.
    pub(crate) fn authority(&self) -> String {
        self.authority.clone()
    }

    /// The service's base URL, past all caches.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/v1", self.authority)
    }

    pub(crate) fn define(&self, name: &str, definition: &str) {
        let status = write(
            "PUT",
            &format!("{}/-/collections/{name}", self.url()),
            definition,
        );
        assert_eq!(status, 201, "{name}");
    }

    /// Replaces a definition, whatever it was.
    pub(crate) fn redefine(&self, name: &str, definition: &str) {
        let url = format!("{}/-/collections/{name}", self.url());
        let request = agent().put(url).header("Content-Type", "application/json");
        let written = request.header("If-Match", "*").send(definition).unwrap();
        assert!(written.status().is_success(), "{}", written.status());
    }

    /// Writes notes that differ from those of another round, and deletes one.
    pub(crate) fn write_round(&self, base: &str, round: usize) {
        for number in 0..4 {
            let owner = ["ada", "bob"][(round + number) % 2];
            let body = format!(r#"{{"owner":"{owner}","round":{round}}}"#);
            let status = write(
                "PUT",
                &format!("{base}/notes/n{}", (round * 3 + number) % 17),
                &body,
            );
            assert!((200..300).contains(&status), "{status}");
        }
        let status = write("DELETE", &format!("{base}/notes/n{}", (round * 5) % 17), "");
        assert!([204, 404].contains(&status), "{status}");
    }

    /// Writes one note.
    pub(crate) fn put(&self, id: &str, body: &str) {
        let status = write("PUT", &format!("{}/notes/{id}", self.url()), body);
        assert!((200..300).contains(&status), "{status}");
    }

    /// What a listing shows.
    pub(crate) fn listed(&self, query: &str) -> Held {
        let page = json(&format!("{}/notes?pageSize=1000{query}", self.url()));
        assert!(page["resume"].is_string(), "{page}");
        let items = page["items"].as_array().unwrap().iter();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        items
            .map(|item| {
                (
                    text(&item["id"]),
                    (text(&item["etag"]), item["value"].clone()),
                )
            })
            .collect()
    }

    /// The path of the changes since now.
    pub(crate) fn resume(&self) -> String {
        let remembered = json(&format!("{}/notes/changes", self.url()));
        remembered["resume"].as_str().unwrap().to_owned()
    }

    /// Everything it was asked until now, what is asked past caches included.
    pub(crate) fn asked(&mut self) -> Vec<Asked> {
        self.markers += 1;
        let mark = format!("/v1/notes/marker-{}", self.markers);
        let _absent = agent()
            .get(format!("http://{}{mark}", self.authority))
            .call()
            .unwrap();
        await_that("the log tells of the marker", || {
            let asked = self.asked.lock().unwrap();
            asked.iter().any(|asked| asked.target == mark)
        });
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|asked| !asked.target.contains("/marker-"))
            .cloned()
            .collect()
    }

    /// How often a URL was asked for.
    pub(crate) fn count(&mut self, target: &str) -> usize {
        let asked = self.asked();
        asked.iter().filter(|asked| asked.target == target).count()
    }

    /// How many questions for changes it has answered.
    pub(crate) fn told(&self) -> usize {
        let asked = self.asked.lock().unwrap();
        let feed = asked
            .iter()
            .filter(|asked| asked.target.contains("/changes/"));
        feed.count()
    }

    /// Waits until it has answered more of them than that.
    pub(crate) fn await_more_told_than(&self, before: usize) {
        await_that("a follower asks", || self.told() > before);
    }

    /// Waits until so many requests are held until there is news.
    pub(crate) fn await_waits(&self, number: u64) {
        let url = format!("{}/-/metrics", self.url());
        await_that("requests are held", || {
            let metrics = agent()
                .get(&url)
                .call()
                .unwrap()
                .body_mut()
                .read_to_string()
                .unwrap();
            metrics.contains(&format!("\nmilepost_waits_open {number}\n"))
        });
    }

    /// Ends it as `kill -9` does, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.kill();
        let started = started(&self.data, &self.authority, &self.asked);
        (self.child, self.authority) = started;
    }

    /// A backup of now.
    pub(crate) fn backup(&self) -> PathBuf {
        let file = self.folder.path().join("backup.milepost");
        let mut command = Command::new(MILEPOST);
        command.arg("backup").arg(&self.data).arg(&file);
        assert!(command.output().unwrap().status.success());
        file
    }

    /// Replaces it by one over what a backup holds.
    pub(crate) fn restore(&mut self, backup: &PathBuf) {
        self.kill();
        self.data = self.folder.path().join("restored");
        let mut command = Command::new(MILEPOST);
        command.arg("restore").arg(backup).arg(&self.data);
        assert!(command.output().unwrap().status.success());
        let started = started(&self.data, &self.authority, &self.asked);
        (self.child, self.authority) = started;
    }

    /// Stops it in the middle of whatever it does.
    pub(crate) fn freeze(&self) {
        self.signal("-STOP");
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        // A test that failed may have left it in any state.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits for what is bound to happen.
#[track_caller]
pub(crate) fn await_that(what: &str, mut has_happened: impl FnMut() -> bool) {
    for _ in 0..TRIES_MAX {
        if has_happened() {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("it never happened that {what}");
}

fn write(method: &str, url: &str, body: &str) -> u16 {
    let agent = agent();
    let response = match method {
        "DELETE" => agent.delete(url).call(),
        _ => agent
            .put(url)
            .header("Content-Type", "application/json")
            .send(body),
    };
    response.unwrap().status().as_u16()
}

fn json(url: &str) -> Value {
    let text = agent()
        .get(url)
        .call()
        .unwrap()
        .body_mut()
        .read_to_string()
        .unwrap();
    serde_json::from_str(&text).unwrap()
}

fn started(data: &PathBuf, address: &str, asked: &Arc<Mutex<Vec<Asked>>>) -> (Child, String) {
    let mut command = Command::new(MILEPOST);
    command.arg("serve").arg("--data").arg(data);
    command.args(["--listen", address, "--log", "all", "--json"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap());
    let mut greeting = String::new();
    lines.read_line(&mut greeting).unwrap();
    let greeting: Value = serde_json::from_str(&greeting).expect("it says where it listens");
    let url = greeting["urls"][0].as_str().unwrap();
    let authority = url.split('/').nth(2).unwrap().to_owned();
    let asked = Arc::clone(asked);
    thread::spawn(move || note(lines, &asked));
    (child, authority)
}

/// Reads the log until the process ends.
fn note(lines: BufReader<ChildStdout>, asked: &Mutex<Vec<Asked>>) {
    for line in lines.lines() {
        // A process that is killed may leave half a line.
        let Ok(Ok(line)) = line.map(|line| serde_json::from_str::<Value>(&line)) else {
            continue;
        };
        let text = |name: &str| line[name].as_str().map(str::to_owned);
        if let (Some(method), Some(target)) = (text("method"), text("target")) {
            let status = line["status"].as_u64().unwrap_or_default();
            asked.lock().unwrap().push(Asked {
                method,
                target,
                status,
            });
        }
    }
}
