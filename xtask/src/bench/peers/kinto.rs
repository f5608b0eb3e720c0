//! Kinto, from PyPI, on Debian's PostgreSQL with its default durability.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
    time::Duration,
};

use super::{Ask, Companion, Peer, identifier};
use crate::{
    bench::{
        documents, install,
        pinned::{Pinned, free_address, server},
    },
    cargo::{program, read, run},
    clock::Stopwatch,
    cluster::programs,
    http, tools,
};

const PACKAGE: &str = "kinto[postgresql]==26.5.0";
/// So many that each of the load's connections has some of its own.
const WRITTEN_MAX: u32 = 2_000;
const STARTING_MAX: Duration = Duration::from_secs(30);

pub(super) fn start(folder: &Path, count: u32) -> Result<Peer, String> {
    install(&[PACKAGE], &[])?;
    if programs().is_err() {
        tools::command("pg_ctlcluster", &["postgresql"])?;
    }
    let (database, companion) = database(folder)?;
    let address = free_address()?;
    let settings = folder.join("kinto.ini");
    fs::write(&settings, configuration(address, database)).map_err(|error| error.to_string())?;
    let kinto = tools::python("kinto");
    let mut migrate = program(&kinto);
    migrate.arg("migrate").arg("--ini").arg(&settings);
    run(migrate.stdout(Stdio::null()).stderr(Stdio::null()))?;
    let mut command = server(&kinto);
    command.arg("start").arg("--ini").arg(&settings);
    let process = Pinned::start(command, address, &folder.join("log"))?;
    for path in [
        "/v1/buckets/bench",
        "/v1/buckets/bench/collections/documents",
    ] {
        let answer = http::send(address, "PUT", path, &[], b"")?;
        if answer.status != 201 {
            return Err(format!("{path}: {}", answer.status));
        }
    }
    fill(database, count)?;
    Ok(Peer {
        name: "Kinto",
        dialect: "kinto",
        written: count.min(WRITTEN_MAX),
        remark: "26.5.0 as `kinto start` runs it (waitress), PostgreSQL 15 on the same core.",
        process,
        read: |key| Ask::get(format!("{RECORDS}/{}", identifier(key))),
        list: Some(|| Ask::get(format!("{RECORDS}?_limit=100"))),
        _companion: Some(companion),
    })
}

const RECORDS: &str = "/v1/buckets/bench/collections/documents/records";

/// PostgreSQL refuses to run as root: then it runs as the user that its package made.
fn as_postgres(program_path: &Path) -> Command {
    let is_root = read(program("id").arg("-u")).is_ok_and(|id| id.trim() == "0");
    if !is_root {
        return server(program_path);
    }
    let mut command = server("setpriv");
    command
        .args(["--reuid=postgres", "--regid=postgres", "--clear-groups"])
        .arg(program_path);
    command
}

/// PostgreSQL's folder must be reachable for its own user, which the target folder may not be.
fn database(folder: &Path) -> Result<(SocketAddr, Companion), String> {
    let programs = programs()?;
    let data = PathBuf::from(
        read(program("mktemp").args(["-d", "/var/tmp/milepost-bench.XXXXXX"]))?.trim(),
    );
    run(program("chmod").arg("777").arg(&data))?;
    let mut initialize = as_postgres(&programs.join("initdb"));
    initialize
        .args(["--auth=trust", "--username=kinto", "-D"])
        .arg(data.join("data"));
    run(initialize
        .current_dir(&data)
        .stdout(Stdio::null())
        .stderr(Stdio::null()))?;
    let address = free_address()?;
    let log = File::create(folder.join("postgres.log")).map_err(|error| error.to_string())?;
    let mut postgres = as_postgres(&programs.join("postgres"));
    postgres
        .arg("-D")
        .arg(data.join("data"))
        .arg("-k")
        .arg(&data);
    postgres.args(["-h", "127.0.0.1", "-p", &address.port().to_string()]);
    postgres
        .current_dir(&data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log);
    let child = postgres.spawn().map_err(|error| error.to_string())?;
    let companion = Companion {
        child,
        data: data.clone(),
    };
    let watch = Stopwatch::start();
    while TcpStream::connect(address).is_err() {
        if watch.elapsed() > STARTING_MAX {
            return Err("PostgreSQL did not come up".to_owned());
        }
        thread::sleep(Duration::from_millis(50));
    }
    sql(address, "postgres", "CREATE DATABASE kinto")?;
    Ok((address, companion))
}

fn sql(database: SocketAddr, name: &str, statement: &str) -> Result<(), String> {
    let port = database.port().to_string();
    let words = [
        "-q",
        "-h",
        "127.0.0.1",
        "-U",
        "kinto",
        "-p",
        &port,
        "-d",
        name,
        "-c",
        statement,
    ];
    run(program("psql").args(words))
}

/// Straight into its table; the trigger that would give each row a new time is off meanwhile.
fn fill(database: SocketAddr, count: u32) -> Result<(), String> {
    let rows = documents(count, "copy")?;
    sql(
        database,
        "kinto",
        "ALTER TABLE objects DISABLE TRIGGER tgr_objects_last_modified",
    )?;
    let columns = "id, parent_id, resource_name, last_modified, data, deleted";
    sql(
        database,
        "kinto",
        &format!("\\copy objects ({columns}) from '{}'", rows.display()),
    )?;
    sql(
        database,
        "kinto",
        "ALTER TABLE objects ENABLE TRIGGER tgr_objects_last_modified",
    )?;
    sql(database, "kinto", "ANALYZE")
}

fn configuration(address: SocketAddr, database: SocketAddr) -> String {
    let (host, port) = (address.ip(), address.port());
    format!(
        "[app:main]\nuse = egg:kinto\n\
         kinto.storage_backend = kinto.core.storage.postgresql\n\
         kinto.storage_url = postgresql://kinto@{database}/kinto\n\
         kinto.permission_backend = kinto.core.permission.postgresql\n\
         kinto.permission_url = postgresql://kinto@{database}/kinto\n\
         kinto.cache_backend = kinto.core.cache.memory\n\
         kinto.bucket_create_principals = system.Everyone\n\
         kinto.bucket_write_principals = system.Everyone\n\
         kinto.bucket_read_principals = system.Everyone\n\n\
         [server:main]\nuse = egg:waitress#main\nhost = {host}\nport = {port}\nthreads = 8\n\n\
         [loggers]\nkeys = root\n[handlers]\nkeys = console\n[formatters]\nkeys = plain\n\
         [logger_root]\nlevel = ERROR\nhandlers = console\n\
         [handler_console]\nclass = StreamHandler\nargs = (sys.stderr,)\nlevel = NOTSET\n\
         formatter = plain\n[formatter_plain]\nformat = %(message)s\n"
    )
}
