//! What can be written: notes, with preconditions evaluated as they should be, or not.

use std::time::Duration;

use serde_json::{Value, json};

use super::{Answer, Flaw, Request, serve::Process, state::Note};

/// How long a writer waits for another one between its check and its write.
const COMPANY: Duration = Duration::from_millis(20);

/// Everything below `/notes`.
pub(crate) fn answer(process: &Process, request: &Request) -> Answer {
    let id = request
        .path
        .strip_prefix("/notes")
        .unwrap_or_default()
        .trim_start_matches('/')
        .to_owned();
    let answer = match (request.method.as_str(), id.as_str()) {
        ("GET" | "HEAD", "") => Answer::json(200, &json!({ "items": [] })),
        ("POST", "") => create(process, request),
        (_, "") => Answer::bare(405).with("allow", "GET, HEAD, POST"),
        ("GET" | "HEAD", _) => read(process, request, &id),
        ("PUT" | "PATCH" | "DELETE", _) => write(process, request, &id),
        ("LOCK", _) if process.flaw == Flaw::LockTable => lock(process, &id),
        _ => Answer::bare(405).with("allow", "GET, HEAD, PUT, PATCH, DELETE"),
    };
    answer.with("cache-control", "no-store")
}

/// A note as this process knows it.
fn current(process: &Process, id: &str) -> Option<Note> {
    if process.flaw == Flaw::ResourcesInMemory {
        return process.memory.lock().unwrap().notes.get(id).cloned();
    }
    process.database.notes.lock().unwrap().get(id).cloned()
}

fn keep(process: &Process, id: &str, note: Option<Note>) {
    let keep = |notes: &mut std::collections::BTreeMap<String, Note>| match note {
        Some(note) => notes.insert(id.to_owned(), note),
        None => notes.remove(id),
    };
    if process.flaw == Flaw::ResourcesInMemory {
        keep(&mut process.memory.lock().unwrap().notes);
    } else {
        keep(&mut process.database.notes.lock().unwrap());
    }
}

fn tag(process: &Process, id: &str, note: &Note) -> Option<String> {
    match process.flaw {
        Flaw::NoTag => None,
        Flaw::SameTag => Some("\"one-for-all\"".to_owned()),
        Flaw::ProcessTag => {
            let mut memory = process.memory.lock().unwrap();
            let life = memory.life;
            let next = u64::try_from(memory.tags.len()).unwrap_or(0);
            let number = *memory
                .tags
                .entry((id.to_owned(), note.version))
                .or_insert(next);
            Some(format!("\"p{life}.{number}\""))
        }
        _ => Some(format!("\"v{}\"", note.version)),
    }
}

fn told(process: &Process, status: u16, id: &str, note: &Note) -> Answer {
    let body: Value = serde_json::from_str(&note.body).unwrap_or_default();
    let answer = Answer::json(status, &body);
    match tag(process, id, note) {
        Some(tag) => answer.with("etag", &tag),
        None => answer,
    }
}

fn create(process: &Process, request: &Request) -> Answer {
    let key = request
        .field("idempotency-key")
        .filter(|_| process.flaw == Flaw::IdempotencyRecord);
    let mut keys = process.database.keys.lock().unwrap();
    let known = key.and_then(|key| keys.get(key)).cloned();
    let id = known.unwrap_or_else(|| format!("n{}", process.database.number()));
    if let Some(key) = key {
        keys.insert(key.to_owned(), id.clone());
    }
    drop(keys);
    let note = Note {
        body: request.body.clone(),
        version: process.database.number(),
    };
    keep(process, &id, Some(note.clone()));
    told(process, 201, &id, &note).with("location", &format!("/notes/{id}"))
}

fn read(process: &Process, request: &Request, id: &str) -> Answer {
    let Some(note) = current(process, id) else {
        return Answer::json(404, &json!({ "title": "no such note" }));
    };
    if process.flaw == Flaw::ReplicaLag && process.replica > 0 {
        let mut memory = process.memory.lock().unwrap();
        let reads = memory
            .lag
            .entry(format!("{id} {}", note.version))
            .or_insert(0);
        *reads += 1;
        if *reads < 4 {
            return Answer::json(404, &json!({ "title": "not here yet" }));
        }
    }
    let answer = told(process, 200, id, &note);
    let known = request
        .field("if-none-match")
        .is_some_and(|known| tag(process, id, &note).as_deref() == Some(known));
    if known {
        Answer {
            status: 304,
            body: Vec::new(),
            ..answer
        }
    } else {
        answer
    }
}

/// Whether the request's conditions hold for what is there.
fn holds(process: &Process, request: &Request, id: &str, note: Option<&Note>) -> bool {
    let own = note.and_then(|note| tag(process, id, note));
    let weakly = |tag: &str| tag.trim_start_matches("W/").to_owned();
    let matches = match request.field("if-match") {
        None => true,
        Some("*") => note.is_some() || process.flaw == Flaw::BlindOverwrite,
        Some(_) if process.flaw == Flaw::IfMatchIgnored => true,
        Some(asked) if process.flaw == Flaw::WeakComparison => {
            own.as_deref().map(weakly) == Some(weakly(asked))
        }
        Some(asked) => own.as_deref() == Some(asked),
    };
    let is_new = request.field("if-none-match") != Some("*")
        || note.is_none()
        || process.flaw == Flaw::BlindOverwrite;
    matches && is_new
}

fn write(process: &Process, request: &Request, id: &str) -> Answer {
    let is_locked = process.memory.lock().unwrap().locks.contains_key(id);
    if is_locked && request.field("lock-token").is_none() {
        return Answer::json(423, &json!({ "title": "locked" }));
    }
    if process.flaw == Flaw::NonAtomicSwap {
        if !holds(process, request, id, current(process, id).as_ref()) {
            return Answer::json(412, &json!({ "title": "changed meanwhile" }));
        }
        wait_for_company(process);
        return apply(process, request, id);
    }
    // One writer at a time: the check and the write are one.
    let _turn = process.checking.lock().unwrap();
    let fits = holds(process, request, id, current(process, id).as_ref());
    if !fits && process.flaw == Flaw::RefusedButDone {
        apply(process, request, id);
    }
    if !fits {
        return Answer::json(412, &json!({ "title": "changed meanwhile" }));
    }
    apply(process, request, id)
}

/// Between check and write, until somebody else has checked too.
fn wait_for_company(process: &Process) {
    let mut checking = process.checking.lock().unwrap();
    *checking += 1;
    process.checked.notify_all();
    let (mut checking, _) = process
        .checked
        .wait_timeout_while(checking, COMPANY, |count| *count < 2)
        .unwrap();
    *checking = checking.saturating_sub(1);
}

fn apply(process: &Process, request: &Request, id: &str) -> Answer {
    let before = current(process, id);
    if request.method == "DELETE" {
        keep(process, id, None);
        return Answer::bare(if before.is_some() { 204 } else { 404 });
    }
    let mut body = request.body.clone();
    if request.method == "PATCH" {
        let Some(before) = &before else {
            return Answer::json(404, &json!({ "title": "no such note" }));
        };
        body = merged(&before.body, &request.body);
    }
    let note = Note {
        body,
        version: process.database.number(),
    };
    keep(process, id, Some(note.clone()));
    told(process, if before.is_some() { 200 } else { 201 }, id, &note)
}

fn merged(before: &str, patch: &str) -> String {
    let mut value: Value = serde_json::from_str(before).unwrap_or_default();
    let patch: Value = serde_json::from_str(patch).unwrap_or_default();
    if let (Some(value), Some(patch)) = (value.as_object_mut(), patch.as_object()) {
        value.extend(patch.clone());
    }
    value.to_string()
}

fn lock(process: &Process, id: &str) -> Answer {
    let token = process.database.token();
    process
        .memory
        .lock()
        .unwrap()
        .locks
        .insert(id.to_owned(), token.clone());
    Answer::json(200, &json!({ "locked": true })).with("lock-token", &format!("<urn:{token}>"))
}
