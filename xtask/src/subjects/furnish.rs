//! What some subjects need before they start, and what must be in them before they are audited.

use std::{fs, net::SocketAddr, path::Path, process::Stdio};

use serde_json::{Value, json};

use super::subject::home;
use crate::{
    cargo::{program, root, run},
    http,
};

const JSON: (&str, &str) = ("Content-Type", "application/json");
const USER: &str = "audit@example.org";
const PASSWORD: &str = "only-for-the-audit";

/// A file of the project, copied into a subject's folder.
pub(super) fn copied(name: &str, folder: &Path) -> Result<(), String> {
    let from = root().join("xtask/subjects").join(name);
    let copied = fs::copy(&from, folder.join(name));
    copied
        .map(drop)
        .map_err(|error| format!("{}: {error}", from.display()))
}

/// A folder to share, with one to write in.
pub(super) fn shared(folder: &Path) -> Result<(), String> {
    let share = folder.join("share");
    let text = share.join("readme.txt");
    fs::create_dir_all(share.join("scratch"))
        .and_then(|()| fs::write(text, "Shared.\n"))
        .map_err(|error| format!("{}: {error}", share.display()))
}

/// Sends one request that must succeed.
fn must(
    address: SocketAddr,
    method: &str,
    path: &str,
    fields: &[(&str, &str)],
    body: &str,
) -> Result<Vec<u8>, String> {
    let answer = http::send(address, method, path, fields, body.as_bytes())?;
    if (200..300).contains(&answer.status) {
        return Ok(answer.body);
    }
    Err(format!("{method} {path}: {}", answer.status))
}

/// Kinto with everything in memory.
pub(super) fn kinto_settings(folder: &Path, port: u16) -> Result<(), String> {
    let text = format!(
        "[app:main]\nuse = egg:kinto\n\
         kinto.storage_backend = kinto.core.storage.memory\n\
         kinto.permission_backend = kinto.core.permission.memory\n\
         kinto.cache_backend = kinto.core.cache.memory\n\
         kinto.bucket_create_principals = system.Everyone\n\
         kinto.bucket_write_principals = system.Everyone\n\
         kinto.bucket_read_principals = system.Everyone\n\n\
         [server:main]\nuse = egg:waitress#main\nhost = 127.0.0.1\nport = {port}\nthreads = 8\n\n\
         [loggers]\nkeys = root\n[handlers]\nkeys = console\n[formatters]\nkeys = plain\n\
         [logger_root]\nlevel = ERROR\nhandlers = console\n\
         [handler_console]\nclass = StreamHandler\nargs = (sys.stderr,)\nlevel = NOTSET\n\
         formatter = plain\n[formatter_plain]\nformat = %(message)s\n"
    );
    fs::write(folder.join("kinto.ini"), text).map_err(|error| error.to_string())
}

/// A bucket, a collection and three records.
pub(super) fn kinto(address: SocketAddr) -> Result<(), String> {
    let notes = "/v1/buckets/audit/collections/notes";
    for path in ["/v1/buckets/audit", notes] {
        must(address, "PUT", path, &[], "")?;
    }
    for name in ["one", "two", "three"] {
        let body = json!({ "data": { "name": name } }).to_string();
        let path = format!("{notes}/records/{name}");
        must(address, "PUT", &path, &[JSON], &body)?;
    }
    Ok(())
}

/// A calendar with an appointment.
pub(super) fn radicale(address: SocketAddr) -> Result<(), String> {
    let text = fs::read_to_string(root().join("xtask/subjects/appointment.ics"))
        .map_err(|error| error.to_string())?;
    let kind = [("Content-Type", "text/calendar")];
    must(address, "MKCOL", "/ada/", &[], "")?;
    must(address, "MKCALENDAR", "/ada/calendar/", &[], "")?;
    must(
        address,
        "PUT",
        "/ada/calendar/appointment.ics",
        &kind,
        &text,
    )
    .map(drop)
}

/// PocketBase's first user, made before it runs.
pub(super) fn superuser(folder: &Path) -> Result<(), String> {
    let mut user = program(home().python("pocketbase"));
    user.args(["superuser", "upsert", USER, PASSWORD, "--dir"])
        .arg(folder.join("data"))
        .arg("--migrationsDir")
        .arg(folder.join("migrations"));
    run(user.stdout(Stdio::null()))
}

/// A collection that everybody may use, with two records.
pub(super) fn pocketbase(address: SocketAddr) -> Result<(), String> {
    let asked = json!({ "identity": USER, "password": PASSWORD }).to_string();
    let path = "/api/collections/_superusers/auth-with-password";
    let answer = must(address, "POST", path, &[JSON], &asked)?;
    let answer: Value = serde_json::from_slice(&answer).map_err(|error| error.to_string())?;
    let token = answer.get("token").and_then(Value::as_str);
    let fields = [JSON, ("Authorization", token.ok_or("no token")?)];
    let text = |name: &str| json!({ "name": name, "type": "text" });
    let collection = json!({ "name": "notes", "type": "base",
        "listRule": "", "viewRule": "", "createRule": "", "updateRule": "", "deleteRule": "",
        "fields": [text("title"), text("name")] });
    let body = collection.to_string();
    must(address, "POST", "/api/collections", &fields, &body)?;
    for title in ["one", "two"] {
        let body = json!({ "title": title, "name": title }).to_string();
        must(
            address,
            "POST",
            "/api/collections/notes/records",
            &[JSON],
            &body,
        )?;
    }
    Ok(())
}
