//! The reference server of Durable Streams, from npm, with as many documents in one stream as are
//! caught up with.

use std::{
    fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
};

use serde_json::Value;

use super::empty_folder;
use crate::{
    bench::{
        documents, install,
        load::binary,
        pinned::{Pinned, free_address, load, server},
    },
    cargo::read,
    http, say, tools,
};

const PACKAGE: &str = "@durable-streams/server@0.3.7";
const STREAM: &str = "/v1/stream/documents";
/// Documents appended by one request.
const BATCH: usize = 5_000;
/// Starts it: in memory, which is its fastest way, and without compression, as nobody asks for any.
const START: &str = r"
import { DurableStreamTestServer } from '@durable-streams/server'
const port = Number(process.argv[2])
await new DurableStreamTestServer({ port, host: '127.0.0.1', compression: false }).start()
";

/// A running peer with its stream filled.
#[derive(Debug)]
pub(in crate::bench) struct DurableStreams {
    process: Pinned,
}

impl DurableStreams {
    /// Reads the whole stream; the seconds that took.
    ///
    /// # Errors
    /// When an answer is none.
    pub(in crate::bench) fn catch_up(&self) -> Result<f64, String> {
        let mut command = load(binary("feed_catch_up"));
        command.args(["--server", &self.process.address.to_string()]);
        command.args(["--from", &format!("{STREAM}?offset=-1")]);
        command.args(["--save", "-", "--kind", "durable-streams"]);
        let said = read(&mut command)?;
        let figures: Value = serde_json::from_str(&said).map_err(|error| error.to_string())?;
        let seconds = figures.get("seconds").and_then(Value::as_f64);
        seconds.ok_or_else(|| format!("no seconds in {said}"))
    }
}

/// Installs, starts and fills it.
///
/// # Errors
/// When it cannot be had.
pub(in crate::bench) fn start(count: u32) -> Result<DurableStreams, String> {
    install(&[], &[PACKAGE])?;
    let folder = empty_folder("durable-streams")?;
    // Beside the installed packages, so that the import finds them.
    let script = tools::node_folder().join("durable-streams.mjs");
    fs::write(&script, START).map_err(|error| format!("{}: {error}", script.display()))?;
    let address = free_address()?;
    let mut command = server("node");
    command.arg("--max-old-space-size=8192").arg(&script);
    command.arg(address.port().to_string());
    let process = Pinned::start(command, address, &folder.join("log"))?;
    say::talk(&format!("appending {count} documents to a durable stream"));
    fill(address, count)?;
    Ok(DurableStreams { process })
}

fn fill(address: SocketAddr, count: u32) -> Result<(), String> {
    let json = [("Content-Type", "application/json")];
    let expect = |method, body: &[u8]| {
        let answer = http::send(address, method, STREAM, &json, body)?;
        match answer.status {
            200..=204 => Ok(()),
            status => Err(format!("{method} {STREAM}: {status}")),
        }
    };
    expect("PUT", b"")?;
    let file = documents(count, "small.ndjson")?;
    let file = fs::File::open(&file).map_err(|error| error.to_string())?;
    let mut batch = Vec::with_capacity(BATCH);
    for line in BufReader::new(file).lines() {
        batch.push(line.map_err(|error| error.to_string())?);
        if batch.len() == BATCH {
            expect("POST", format!("[{}]", batch.join(",")).as_bytes())?;
            batch.clear();
        }
    }
    match batch.is_empty() {
        true => Ok(()),
        false => expect("POST", format!("[{}]", batch.join(",")).as_bytes()),
    }
}
