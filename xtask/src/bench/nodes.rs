//! Durable writes of one, two and three nodes over one PostgreSQL, against a loop written by hand:
//! `UPDATE … WHERE version = $1`, with as many connections and the same setting of what is durable.
//!
//! The database has a core for itself; nodes and loads share the other one. The loop is PostgreSQL's own
//! `pgbench`: each connection replaces documents of its own, prepared, one statement a write, sends the new
//! document, knows the version that it wrote last, and keeps neither history nor index nor speaks HTTP.
//! Nothing kinder could be written by hand.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
    thread,
    time::Duration,
};

use super::{
    load::{Writing, binary},
    options::Options,
    pinned::{Pinned, free_address, load, server},
    report::Report,
    rounds::{Comparison, Contestant, interleave},
};
use crate::{
    cargo::{program, read, run},
    cluster::{Account, programs},
    http, say,
};

/// Connections of each load, each with one write under way.
const CONNECTIONS: [u32; 4] = [32, 64, 128, 256];
/// How many nodes there are, in turn.
const NAMES: [&str; 3] = ["one node", "two nodes", "three nodes"];
/// How many times the loop each number of nodes should write.
const GOAL: f64 = 2.0;
/// Documents that each connection writes.
const KEYS_EACH: u32 = 4;
/// Documents that there are.
const KEYS: u32 = 6_400;
/// What was replaced is kept for as long as this takes.
const KEEPING: &str =
    r#"{ "indexes": { "kind": "/kind" }, "retention": { "history": { "age": "P1D" } } }"#;
/// Little is kept of what was replaced, so that one version is forgotten for each that is written.
const FORGETTING: &str =
    r#"{ "indexes": { "kind": "/kind" }, "retention": { "history": { "count": 1000 } } }"#;
/// How many versions that is.
const FORGETTING_COUNT: u32 = 1000;
/// How long a node may take to forget what is over its bounds, in seconds.
const FORGETTING_MAX_S: u32 = 600;
/// A document of the bench is about so long.
const BODY_BYTES: usize = 1_000;

/// Measures.
///
/// # Errors
/// When PostgreSQL isn't installed, or a measurement fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let database = Database::start()?;
    database.sql("postgres", "CREATE DATABASE store")?;
    database.sql("postgres", "CREATE DATABASE byhand")?;
    let table = format!(
        "CREATE TABLE documents (id integer PRIMARY KEY, version bigint NOT NULL, body text NOT NULL) WITH (fillfactor = 50);
         INSERT INTO documents SELECT id, 1, repeat('x', {BODY_BYTES}) FROM generate_series(0, {KEYS}) AS id"
    );
    database.sql("byhand", &table)?;
    let nodes = (1..=NAMES.len())
        .map(|number| node(&database, number))
        .collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
    fill(&addresses)?;
    let title = "Durable writes over one PostgreSQL";
    for connections in CONNECTIONS {
        let comparison = compare(options, &database, &addresses, connections)?;
        let title = format!("{title}, {connections} connections");
        report.add_against_control(&title, &comparison, GOAL);
    }
    let most = CONNECTIONS.into_iter().max().unwrap_or_default();
    define(&addresses, FORGETTING, Some(("If-Match", "*")))?;
    database.forget()?;
    let comparison = compare(options, &database, &addresses, most)?;
    let title = format!("{title}, {most} connections, one version forgotten for each written");
    report.add_against_control(&title, &comparison, GOAL);
    Ok(())
}

fn compare(
    options: &Options,
    database: &Database,
    addresses: &[SocketAddr],
    connections: u32,
) -> Result<Comparison, String> {
    say::talk(&format!("{connections} connections"));
    let seconds = options.seconds;
    let writing = Writing {
        dialect: "milepost",
        connections,
        keys: connections * KEYS_EACH,
        seconds,
    };
    let mut contestants = vec![Contestant::new("UPDATE by hand (pgbench)", || {
        let rate = || database.by_hand(connections, seconds);
        database.costs(seconds, rate)
    })];
    for (index, name) in NAMES.iter().enumerate() {
        let these = addresses.get(..=index).unwrap_or_default();
        let name = format!("Milepost, {name}");
        contestants.push(Contestant::new(name, move || {
            database.costs(seconds, || writing.measure_all(these))
        }));
    }
    interleave(options.rounds, &mut contestants)
}

/// A node; all share a ring of the bench's own: none of what is measured is sealed.
fn node(database: &Database, number: usize) -> Result<Pinned, String> {
    let address = free_address()?;
    let keys = database.folder.join("keys.json");
    if !keys.exists() {
        let words = ["keys", "create", "--keys"];
        run(program(binary("milepost")).args(words).arg(&keys))?;
    }
    let mut command = load(binary("milepost"));
    let store = database.address("store");
    let listen = address.to_string();
    command.args([
        "serve", "--listen", &listen, "--log", "off", "--store", &store,
    ]);
    command.arg("--keys").arg(&keys);
    let log = database.folder.join(format!("node-{number}.log"));
    Pinned::start(command, address, &log)
}

/// Declares the collection, on a condition where it is there already.
fn define(
    nodes: &[SocketAddr],
    definition: &str,
    condition: Option<(&str, &str)>,
) -> Result<(), String> {
    let Some(node) = nodes.first() else {
        return Ok(());
    };
    let json = ("Content-Type", "application/json");
    let fields: Vec<_> = [json].into_iter().chain(condition).collect();
    let path = "/v1/-/collections/documents";
    let defined = http::send(*node, "PUT", path, &fields, definition.as_bytes())?;
    match defined.status {
        200 | 201 => Ok(()),
        status => Err(format!("{path}: {status}")),
    }
}

/// Puts the documents.
fn fill(nodes: &[SocketAddr]) -> Result<(), String> {
    let Some(node) = nodes.first() else {
        return Ok(());
    };
    define(nodes, KEEPING, None)?;
    say::talk(&format!("importing {KEYS} documents"));
    let file = super::documents(KEYS, "ndjson")?;
    let url = format!("http://{node}");
    let words = [
        "import",
        "--collection",
        "documents",
        "--quiet",
        "--server",
        &url,
    ];
    run(load(binary("milepost")).args(words).arg(file))
}

/// A PostgreSQL on the disk that the target folder is on, as it is installed but for its memory; stopped
/// when dropped.
struct Database {
    folder: PathBuf,
    programs: PathBuf,
    account: Account,
    port: u16,
}

impl Database {
    fn start() -> Result<Self, String> {
        let folder = super::folder()?.join("postgresql");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        let database = Self {
            folder,
            programs: programs()?,
            account: Account::find()?,
            port: free_address()?.port(),
        };
        database.account.folder(&database.folder)?;
        let data = database.folder.join("data");
        let mut initialize = database.command("initdb", Path::new("initdb"));
        initialize.args(["--auth=trust", "--username=milepost", "-D"]);
        read(initialize.arg(&data))?;
        let settings = format!(
            "-k {} -h '' -p {} -c shared_buffers=256MB -c max_connections=400 -c max_wal_size=4GB",
            database.folder.display(),
            database.port
        );
        let mut start = database.command("taskset", Path::new("pg_ctl"));
        start
            .args(["start", "-w", "-s", "-l", "log", "-D"])
            .arg(&data);
        // It keeps what it inherits.
        start.arg("-o").arg(settings).stdin(Stdio::null());
        start.stdout(Stdio::null()).stderr(Stdio::null());
        run(&mut start)?;
        Ok(database)
    }

    /// One of PostgreSQL's programs as who may run it, on the servers' core where `taskset` is named.
    fn command(&self, on: &str, name: &Path) -> std::process::Command {
        let mut words = self.account.words();
        words.push(self.programs.join(name).display().to_string());
        let first = words.remove(0);
        let mut command = if on == "taskset" {
            server(first)
        } else {
            program(first)
        };
        command.args(words).current_dir(&self.folder);
        command
    }

    fn address(&self, name: &str) -> String {
        let (folder, port) = (self.folder.display(), self.port);
        format!("host={folder} port={port} user=milepost dbname={name}")
    }

    fn sql(&self, name: &str, sql: &str) -> Result<(), String> {
        let mut psql = program(self.programs.join("psql"));
        read(psql.args(["-q", "-c", sql, &self.address(name)])).map(|_| ())
    }

    /// Waits until nothing is over its bounds any more.
    fn forget(&self) -> Result<(), String> {
        say::talk("forgetting what was replaced");
        let sql = format!(
            "SELECT history_count <= {FORGETTING_COUNT} FROM milepost.collections WHERE name = 'documents'"
        );
        for _ in 0..FORGETTING_MAX_S {
            let mut psql = program(self.programs.join("psql"));
            let said = read(psql.args(["-q", "-A", "-t", "-c", &sql, &self.address("store")]))?;
            if said.trim() == "t" {
                return Ok(());
            }
            thread::sleep(Duration::from_secs(1));
        }
        Err(format!("history was not forgotten in {FORGETTING_MAX_S} s"))
    }

    /// Measures, and says what a write costs the database.
    fn costs(
        &self,
        seconds: u32,
        measure: impl FnOnce() -> Result<f64, String>,
    ) -> Result<f64, String> {
        let before = self.cpu_seconds()?;
        let rate = measure()?;
        let writes = rate * f64::from(seconds);
        let micros = (self.cpu_seconds()? - before) * 1e6 / writes.max(1.0);
        say::talk(&format!("    the database's CPU: {micros:.0} µs a write"));
        Ok(rate)
    }

    /// How long all of the database's processes have run so far, those that are gone included.
    fn cpu_seconds(&self) -> Result<f64, String> {
        let file = self.folder.join("data/postmaster.pid");
        let text =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
        let first = text.lines().next().unwrap_or_default();
        let children = read(program("ps").args(["-o", "pid=", "--ppid", first]))?;
        // Its own time, and that of children that are gone; then theirs that are there.
        let running: f64 = children.lines().map(|child| ticks(child.trim(), 2)).sum();
        Ok((ticks(first, 4) + running) / 100.0)
    }

    /// Writes a second by the loop.
    fn by_hand(&self, connections: u32, seconds: u32) -> Result<f64, String> {
        // What a connection wrote last it knows, as a client does that holds an entity tag.
        self.sql("byhand", "UPDATE documents SET version = 1")?;
        self.sql("byhand", "VACUUM documents")?;
        let script = self.folder.join("byhand.sql");
        let text = format!(
            "\\set n :n + 1\n\
             \\set id :client_id * {KEYS_EACH} + :n % {KEYS_EACH}\n\
             \\set version :n / {KEYS_EACH} + 1\n\
             UPDATE documents SET body = :n::text || :body || :n::text, version = version + 1\n\
             WHERE id = :id AND version = :version RETURNING version \\gset\n"
        );
        fs::write(&script, text).map_err(|error| format!("{}: {error}", script.display()))?;
        let mut pgbench = load(self.programs.join("pgbench"));
        let (clients, time) = (connections.to_string(), seconds.to_string());
        pgbench.args(["-n", "-M", "prepared", "-j", "1", "-D", "n=-1"]);
        pgbench.args(["-c", &clients, "-T", &time, "-D"]);
        // About as long as a document with the numbers around it.
        pgbench.arg(format!("body={}", "x".repeat(BODY_BYTES - 12)));
        let said = read(pgbench.arg("-f").arg(&script).arg(self.address("byhand")))?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = line.and_then(|line| line.split(' ').next());
        let rate = rate.and_then(|rate| rate.parse().ok());
        rate.ok_or_else(|| format!("pgbench said no rate:\n{said}"))
    }
}

/// The first so many of a process's times (its own in user mode, in the kernel; its children's), in ticks of
/// 10 ms; 0 of one that is gone.
fn ticks(process: &str, count: usize) -> f64 {
    let stat = fs::read_to_string(format!("/proc/{process}/stat")).unwrap_or_default();
    // What comes before may hold spaces.
    let after = stat.rsplit(')').next().unwrap_or_default();
    let times = after.split_whitespace().skip(11).take(count);
    times.filter_map(|time| time.parse::<f64>().ok()).sum()
}

impl Drop for Database {
    fn drop(&mut self) {
        let mut stop = self.command("pg_ctl", Path::new("pg_ctl"));
        stop.args(["stop", "-m", "fast", "-s", "-D"])
            .arg(self.folder.join("data"));
        // It may have ended by itself.
        let _ = run(&mut stop);
    }
}
