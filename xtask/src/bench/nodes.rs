//! Durable writes of one, two and three nodes over one PostgreSQL, against a loop written by hand:
//! `UPDATE … WHERE version = $1`, with as many connections and the same setting of what is durable.
//!
//! The database has a core for itself; nodes and loads share the other one. The loop is PostgreSQL's own
//! `pgbench`: each connection replaces one document of its own over and over, prepared, one statement a
//! write, knowing the version that it wrote last, and keeps neither history nor index. Nothing kinder
//! could be written by hand.

use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Stdio,
};

use super::{
    load::{Writing, binary},
    options::Options,
    pinned::{Pinned, free_address, load, server},
    report::{Goal, Report},
    rounds::{Contestant, interleave},
};
use crate::{
    cargo::{program, read, run},
    cluster::{Account, programs},
    http, say,
};

/// Connections of each load, each with one write under way.
const CONNECTIONS: u32 = 64;
/// Documents that are written.
const KEYS: u32 = 6_400;
const DEFINITION: &str = r#"{ "title": "Documents", "indexes": { "kind": "/kind" } }"#;
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
    let nodes = (1..=3)
        .map(|number| node(&database, number))
        .collect::<Result<Vec<_>, _>>()?;
    let addresses: Vec<SocketAddr> = nodes.iter().map(|node| node.address).collect();
    fill(&addresses)?;
    let writing = Writing {
        dialect: "milepost",
        connections: CONNECTIONS,
        keys: KEYS,
        seconds: options.seconds,
    };
    let mut contestants = vec![Contestant::new("UPDATE by hand (pgbench)", || {
        database.by_hand(options.seconds)
    })];
    for count in 1..=3 {
        let these = addresses.get(..count).unwrap_or_default();
        let name = format!("Milepost, {count} nodes");
        contestants.push(Contestant::new(name, || writing.measure_all(these)));
    }
    let comparison = interleave(options.rounds, &mut contestants)?;
    let goals = [Goal {
        against: "UPDATE by hand",
        ratio: 2.0,
    }];
    report.add("Durable writes over one PostgreSQL", &comparison, &goals);
    Ok(())
}

/// A node; all share a ring of the bench's own: none of what is measured is sealed.
fn node(database: &Database, number: u32) -> Result<Pinned, String> {
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

/// Puts the documents.
fn fill(nodes: &[SocketAddr]) -> Result<(), String> {
    let Some(node) = nodes.first() else {
        return Ok(());
    };
    let json = [("Content-Type", "application/json")];
    let path = "/v1/-/collections/documents";
    let defined = http::send(*node, "PUT", path, &json, DEFINITION.as_bytes())?;
    if defined.status != 201 {
        return Err(format!("{path}: {}", defined.status));
    }
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
            "-k {} -h '' -p {} -c shared_buffers=256MB -c max_connections=200 -c max_wal_size=4GB",
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

    /// Writes a second by the loop.
    fn by_hand(&self, seconds: u32) -> Result<f64, String> {
        // What a connection wrote last it knows, as a client does that holds an entity tag.
        self.sql("byhand", "UPDATE documents SET version = 1")?;
        let script = self.folder.join("byhand.sql");
        let text = format!(
            "UPDATE documents SET body = repeat('y', {BODY_BYTES}), version = version + 1\n\
             WHERE id = :client_id AND version = :version RETURNING version \\gset\n"
        );
        fs::write(&script, text).map_err(|error| format!("{}: {error}", script.display()))?;
        let mut pgbench = load(self.programs.join("pgbench"));
        let (clients, time) = (CONNECTIONS.to_string(), seconds.to_string());
        pgbench.args([
            "-n", "-M", "prepared", "-c", &clients, "-j", "1", "-T", &time, "-f",
        ]);
        let said = read(pgbench.arg(&script).arg(self.address("byhand")))?;
        let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
        let rate = line.and_then(|line| line.split(' ').next());
        let rate = rate.and_then(|rate| rate.parse().ok());
        rate.ok_or_else(|| format!("pgbench said no rate:\n{said}"))
    }
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
