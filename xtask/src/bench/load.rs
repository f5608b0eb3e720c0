//! The loads: wrk for reading, the bench's own closed loop for writing, and the disk alone.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use serde_json::Value;

use super::pinned::load;
use crate::cargo::{program, read, root, target};

/// Connections of the reading load.
pub(super) const READERS: u32 = 64;

/// One request of the reading load.
#[derive(Clone, Debug)]
pub(super) struct Ask {
    /// The method.
    pub(super) method: &'static str,
    /// The request target.
    pub(super) path: String,
    /// The content, empty for none.
    pub(super) body: String,
    /// Fields as `name: value`.
    pub(super) fields: Vec<String>,
}

impl Ask {
    /// A GET without fields.
    pub(super) fn get(path: impl Into<String>) -> Self {
        Self {
            method: "GET",
            path: path.into(),
            body: String::new(),
            fields: Vec::new(),
        }
    }

    /// The same by whoever the token speaks for.
    pub(super) fn by(&self, token: &str) -> Self {
        let mut ask = self.clone();
        ask.fields.push(format!("Authorization: Bearer {token}"));
        ask
    }
}

/// A reading load: requests in a file, sent in random order.
#[derive(Debug)]
pub(super) struct Reading {
    file: PathBuf,
    seconds: u32,
    connections: u32,
}

impl Reading {
    /// Writes the requests to a file of that name under the bench's folder.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(super) fn new(name: &str, asks: &[Ask], seconds: u32) -> Result<Self, String> {
        let file = super::folder()?.join(format!("{name}.requests"));
        let mut text = String::new();
        for ask in asks {
            let columns = [ask.method, &ask.path, &ask.body];
            let fields = ask.fields.iter().map(String::as_str);
            text.push_str(
                &columns
                    .into_iter()
                    .chain(fields)
                    .collect::<Vec<_>>()
                    .join("\t"),
            );
            text.push('\n');
        }
        fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))?;
        Ok(Self {
            file,
            seconds,
            connections: READERS,
        })
    }

    /// The same over so many connections.
    pub(super) fn over(self, connections: u32) -> Self {
        Self {
            connections,
            ..self
        }
    }

    /// Loads a server; answers per second.
    ///
    /// # Errors
    /// When wrk fails or an answer was an error.
    pub(super) fn measure(&self, server: SocketAddr) -> Result<f64, String> {
        let mut wrk = load("wrk");
        wrk.args([
            "-t1",
            "--timeout",
            "20s",
            &format!("-c{}", self.connections),
            &format!("-d{}s", self.seconds),
            "-s",
        ]);
        wrk.arg(root().join("bench/requests.lua"))
            .arg(format!("http://{server}"));
        let said = read(wrk.env("MILEPOST_BENCH_REQUESTS", &self.file))?;
        let line = said.lines().find_map(|line| line.strip_prefix("measured "));
        let figures: Vec<&str> = line.unwrap_or_default().split(' ').collect();
        match figures.as_slice() {
            [rate, "0", "0", ..] => rate.parse().map_err(|error| format!("{error}:\n{said}")),
            _ => Err(format!("wrk saw errors:\n{said}")),
        }
    }
}

/// A writing load, as `put_load` makes it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writing {
    /// Which server's way of replacing.
    pub(super) dialect: &'static str,
    /// Connections, each with one request under way.
    pub(super) connections: u32,
    /// Keys over all connections.
    pub(super) keys: u32,
    /// Length in seconds.
    pub(super) seconds: u32,
}

impl Writing {
    /// Loads a server; acknowledged replacements per second.
    ///
    /// # Errors
    /// When the load fails, or Milepost refused a replacement.
    pub(super) fn measure(self, server: SocketAddr) -> Result<f64, String> {
        self.measure_all(&[server])
    }

    /// The same of several nodes of one service, over as many connections in all.
    ///
    /// # Errors
    /// As [`Writing::measure`].
    pub(super) fn measure_all(self, servers: &[SocketAddr]) -> Result<f64, String> {
        static RUNS: AtomicU32 = AtomicU32::new(0);
        let salt = RUNS
            .fetch_add(1, Ordering::Relaxed)
            .wrapping_mul(10_000_019);
        let mut put_load = load(binary("put_load"));
        let servers: Vec<String> = servers.iter().map(SocketAddr::to_string).collect();
        put_load.args(["--server", &servers.join(","), "--dialect", self.dialect]);
        for (name, number) in [
            ("--connections", self.connections),
            ("--keys", self.keys),
            ("--seconds", self.seconds),
            ("--salt", salt),
        ] {
            put_load.args([name, &number.to_string()]);
        }
        let said = read(&mut put_load)?;
        let figures: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let refused = figures.get("refused").and_then(Value::as_u64);
        let rate = figures.get("perSecond").and_then(Value::as_f64);
        // What a peer refuses under load is not among what it acknowledged.
        let is_fair = self.dialect != "milepost" || refused == Some(0);
        rate.filter(|_| is_fair)
            .ok_or_else(|| format!("refused: {said}"))
    }
}

/// The disk's own syncs per second, each after appending so many bytes.
///
/// # Errors
/// When the folder cannot be written.
pub(super) fn sync_rate(folder: &Path, bytes: u32, seconds: u32) -> Result<f64, String> {
    let mut sync_rate = program(binary("sync_rate"));
    sync_rate
        .arg("--folder")
        .arg(folder)
        .args(["--bytes", &bytes.to_string()]);
    let said = read(sync_rate.args(["--seconds", &seconds.to_string()]))?;
    said.trim()
        .parse()
        .map_err(|error| format!("sync_rate: {error}"))
}

/// A program of the release build.
pub(super) fn binary(name: &str) -> PathBuf {
    target().join("release").join(name)
}
