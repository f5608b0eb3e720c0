//! What can be read: the entrance, books in pages, what was read last, and the flaws in it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::{Value, json};

use super::{Answer, Flaw, Request, described, people, serve::Process, streams};

const BOOKS: [&str; 5] = ["b1", "b2", "b3", "b4", "b5"];
const PAGE: usize = 2;
const FRESH: &str = "public, max-age=1";

/// Everything that is not written.
pub(crate) fn answer(process: &Process, request: &Request) -> Answer {
    let flaw = process.flaw;
    if flaw == Flaw::LinkedCursor && request.path.starts_with("/cursors/") {
        return Answer::bare(405).with("allow", "DELETE, OPTIONS");
    }
    if !matches!(request.method.as_str(), "GET" | "HEAD") {
        return Answer::bare(405).with("allow", "GET, HEAD");
    }
    let answer = match request.path.as_str() {
        "/" if flaw == Flaw::Upgrade && request.field("upgrade").is_some() => {
            return Answer::bare(101)
                .with("connection", "Upgrade")
                .with("upgrade", "websocket");
        }
        "/" => entrance(process, request),
        "/books" => books(process, request),
        "/recent" => recent(process, request),
        "/status" => status(process, request),
        "/metrics" => metrics(process),
        "/openapi.json" => fine(&described::document(flaw)),
        "/described" => fine(&json!({ "title": "nothing links here" })),
        "/wizard/1" | "/wizard/2" if flaw == Flaw::WizardOrder => wizard(process, request),
        "/secure" if flaw == Flaw::HeaderHandshake => secure(process, request),
        "/download" if flaw == Flaw::ProcessSecret => download(process, request),
        "/ticket" if matches!(flaw, Flaw::BoundLink | Flaw::SignedLink) => ticket(process, request),
        "/touch" if flaw == Flaw::UnsafeGet => {
            process.database.touched.fetch_add(1, Ordering::SeqCst);
            fine(&json!({ "touched": true }))
        }
        "/stream" if flaw.is_of_streams() => streams::answer(process, request),
        path => match path.strip_prefix("/books/").filter(|id| BOOKS.contains(id)) {
            Some(id) => book(process, request, id),
            None => Answer::json(404, &json!({ "title": "nothing here" })),
        },
    };
    finished(process, request, answer)
}

fn fine(body: &Value) -> Answer {
    Answer::json(200, body).with("cache-control", FRESH)
}

fn entrance(process: &Process, request: &Request) -> Answer {
    let mut links = vec![
        "/books",
        "/books/b1",
        "/books/b2",
        "/recent",
        "/status",
        "/me",
        "/openapi.json",
    ];
    match process.flaw {
        Flaw::WizardOrder => links.push("/wizard/1"),
        Flaw::HeaderHandshake => links.push("/secure"),
        Flaw::UnsafeGet => links.push("/touch"),
        flaw if flaw.is_of_streams() => links.push("/stream"),
        Flaw::LinkedLogout => links.push("/logout"),
        _ => {}
    }
    let mut links: Vec<String> = links.into_iter().map(str::to_owned).collect();
    let memory = &process.memory;
    match process.flaw {
        Flaw::UrlSession => {
            let sid = process.database.token();
            links.extend(["/books/b1", "/recent"].map(|path| format!("{path}?sid={sid}")));
        }
        Flaw::BoundLink | Flaw::SignedLink => {
            let ticket = process.database.token();
            links.push(format!("/ticket?for={ticket}"));
            let bound = &mut memory.lock().unwrap().bound;
            bound.insert(ticket, request.connection);
        }
        Flaw::ProcessSecret => {
            let secret = memory.lock().unwrap().life;
            links.push(format!("/download?key=b1&sig={}", signature(secret)));
        }
        _ => {}
    }
    let answer = fine(&json!({ "title": "mutant", "links": links }));
    if process.flaw == Flaw::HeaderHandshake {
        let token = process.database.token();
        memory.lock().unwrap().tokens.insert(token.clone());
        return answer.with("x-session-token", &token);
    }
    answer
}

fn signature(secret: u64) -> String {
    format!("{:016x}", secret.wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

fn books(process: &Process, request: &Request) -> Answer {
    let start = match (request.query("after"), request.query("cursor")) {
        (Some(id), _) => BOOKS.iter().position(|book| *book == id).map(|at| at + 1),
        (_, Some(cursor)) => found(process, cursor),
        _ => Some(0),
    };
    let Some(start) = start else {
        return Answer::json(410, &json!({ "title": "no such cursor" }));
    };
    let page: Vec<&str> = BOOKS.iter().skip(start).take(PAGE).copied().collect();
    let mut body = json!({ "items": page });
    if start + PAGE < BOOKS.len() {
        body["next"] = json!(next(process, start + PAGE));
    }
    match process.flaw {
        Flaw::DeletedCursor | Flaw::SealedCursor => {
            body["cursor"] = json!(process.database.token());
            fine(&body)
        }
        Flaw::LinkedCursor => {
            let cursor = format!("</cursors/{}>; rel=\"cursor\"", process.database.token());
            fine(&body).with("link", &cursor)
        }
        _ => fine(&body),
    }
}

fn next(process: &Process, start: usize) -> String {
    let cursor = || {
        let token = process.database.token();
        token.chars().take(12).collect::<String>()
    };
    match process.flaw {
        Flaw::CursorInMemory => {
            let cursor = cursor();
            process
                .memory
                .lock()
                .unwrap()
                .cursors
                .insert(cursor.clone(), start);
            format!("/books?cursor={cursor}")
        }
        Flaw::OneTimeCursor => {
            let cursor = cursor();
            process
                .database
                .cursors
                .lock()
                .unwrap()
                .insert(cursor.clone(), start);
            format!("/books?cursor={cursor}")
        }
        _ => format!("/books?after={}", BOOKS[start - 1]),
    }
}

fn found(process: &Process, cursor: &str) -> Option<usize> {
    match process.flaw {
        Flaw::OneTimeCursor => process.database.cursors.lock().unwrap().remove(cursor),
        _ => process.memory.lock().unwrap().cursors.get(cursor).copied(),
    }
}

fn book(process: &Process, request: &Request, id: &str) -> Answer {
    if let Some(key) = people::key(process, request) {
        process
            .memory
            .lock()
            .unwrap()
            .recent
            .insert(key, request.path.clone());
    }
    if process.flaw == Flaw::SharedRecent {
        process
            .database
            .recent
            .lock()
            .unwrap()
            .clone_from(&request.path);
    }
    let answer = fine(
        &json!({ "id": id, "title": format!("Book {id}"), "pages": 100, "year": 1961, "language": "pl" }),
    );
    answer.with("etag", &format!("\"{id}-1\""))
}

fn recent(process: &Process, request: &Request) -> Answer {
    let last = match process.flaw {
        Flaw::ClientHeldSession => request.cookie("last").map(|id| format!("/books/{id}")),
        Flaw::SharedRecent => Some(process.database.recent.lock().unwrap().clone()),
        _ => people::key(process, request)
            .and_then(|key| process.memory.lock().unwrap().recent.get(&key).cloned()),
    };
    let variant =
        (process.flaw == Flaw::AbCookie).then(|| request.cookie("ab").unwrap_or("A").to_owned());
    let body = json!({ "last": last, "variant": variant, "a": 1, "b": 2, "c": 3 });
    Answer::json(200, &body).with("cache-control", "private, no-cache")
}

/// How often the slow clock moves: seldom enough that requests in a row see the same time.
pub(crate) const TICK: Duration = Duration::from_millis(200);

#[expect(
    clippy::disallowed_methods,
    reason = "a clock is what this noise is made of"
)]
fn ticks() -> u128 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    since.as_millis() / TICK.as_millis()
}

fn status(process: &Process, request: &Request) -> Answer {
    let database = &process.database;
    let mut body =
        json!({ "status": "UP", "region": "here", "build": "one", "plan": "free", "tier": 1 });
    match process.flaw {
        Flaw::RandomFields => body["nonce"] = json!(database.token()),
        Flaw::Clock => body["now"] = json!(format!("{:020}", database.number())),
        Flaw::SlowClock => body["now"] = json!(ticks().to_string()),
        Flaw::EchoedAgent => body["agent"] = json!(request.field("user-agent")),
        Flaw::SharedCounter => body["hits"] = json!(database.hits.fetch_add(1, Ordering::SeqCst)),
        Flaw::UnsafeGet => body["touched"] = json!("x".repeat(count(database))),
        _ => {}
    }
    fine(&body)
}

fn metrics(process: &Process) -> Answer {
    streams::read(process);
    let memory = process.memory.lock().unwrap();
    let held: usize = memory.clients.values().map(Vec::len).sum();
    let held = held + memory.streams.values().map(Vec::len).sum::<usize>();
    let text = format!("# TYPE heap_bytes gauge\nheap_bytes {}\n", 1_000_000 + held);
    Answer {
        body: text.into_bytes(),
        ..Answer::bare(200)
    }
    .with("content-type", "text/plain")
    .with("cache-control", "no-store")
}

fn wizard(process: &Process, request: &Request) -> Answer {
    if request.path == "/wizard/1" {
        let key = process.database.token();
        process.memory.lock().unwrap().wizards.insert(key.clone());
        return fine(&json!({ "step": 1, "next": "/wizard/2" }))
            .with("set-cookie", &format!("wizard={key}"))
            .with("cache-control", "no-store");
    }
    let has_begun = request
        .cookie("wizard")
        .is_some_and(|key| process.memory.lock().unwrap().wizards.contains(key));
    if has_begun {
        return Answer::json(200, &json!({ "step": 2 })).with("cache-control", "no-store");
    }
    Answer::json(409, &json!({ "title": "begin at step 1" }))
}

fn secure(process: &Process, request: &Request) -> Answer {
    let is_known = request
        .field("x-session-token")
        .is_some_and(|token| process.memory.lock().unwrap().tokens.contains(token));
    if is_known {
        fine(&json!({ "secret": 42 }))
    } else {
        Answer::json(403, &json!({ "title": "shake hands first" }))
    }
}

fn download(process: &Process, request: &Request) -> Answer {
    let secret = process.memory.lock().unwrap().life;
    if request.query("sig") == Some(&signature(secret)) {
        return fine(&json!({ "file": "b1" }));
    }
    Answer::json(403, &json!({ "title": "bad signature" }))
}

fn ticket(process: &Process, request: &Request) -> Answer {
    let given = request.query("for").unwrap_or_default();
    let is_signed = process.flaw == Flaw::SignedLink && given.len() == 32;
    let bound = process.memory.lock().unwrap().bound.get(given).copied();
    if is_signed || bound == Some(request.connection) {
        return fine(&json!({ "file": "b1" }));
    }
    Answer::json(403, &json!({ "title": "somebody else's ticket" }))
}

/// Caching, validators, and what is wrong with them.
fn finished(process: &Process, request: &Request, mut answer: Answer) -> Answer {
    if process.flaw == Flaw::NoCacheControl {
        answer.fields.retain(|(name, _)| name != "cache-control");
    }
    let tag = answer
        .fields
        .iter()
        .find(|(name, _)| name == "etag")
        .map(|(_, value)| value.clone());
    let is_known = tag.is_some() && request.field("if-none-match") == tag.as_deref();
    if is_known && process.flaw != Flaw::NoNotModified {
        answer.status = 304;
        answer.body.clear();
    }
    answer
}

/// How often the unsafe GET was sent.
fn count(database: &super::state::Database) -> usize {
    usize::try_from(database.touched.load(Ordering::SeqCst)).unwrap_or(0)
}
