//! Who is asking: credentials, and the many ways in which a mutant knows somebody again.

use serde_json::json;

use super::{Answer, Flaw, Request, serve::Process};

/// Bytes that a session takes.
const SESSION: usize = 512;

fn user(request: &Request) -> Option<&'static str> {
    match request.field("authorization")? {
        "Bearer token-a" => Some("ada"),
        "Bearer token-b" => Some("bob"),
        _ => None,
    }
}

/// `/me`, and the end of a login.
pub(crate) fn me(process: &Process, request: &Request) -> Answer {
    let token = request
        .field("authorization")
        .unwrap_or_default()
        .to_owned();
    if request.path == "/logout" {
        if request.method != "POST" {
            return Answer::bare(405).with("allow", "POST");
        }
        if matches!(process.flaw, Flaw::LogoutList | Flaw::LinkedLogout) {
            process.database.revoked.lock().unwrap().insert(token);
        }
        return Answer::bare(204);
    }
    let mut name = user(request).map(str::to_owned);
    if process.database.revoked.lock().unwrap().contains(&token) {
        name = None;
    }
    if process.flaw == Flaw::SessionAuth
        && let Some(session) = request.session.clone()
    {
        let mut memory = process.memory.lock().unwrap();
        match &name {
            Some(name) => drop(memory.vouched.insert(session, name.clone())),
            None => name = memory.vouched.get(&session).cloned(),
        }
    }
    let vouches = match process.flaw {
        Flaw::ConnectionAuth => !request.is_multiplexed,
        Flaw::MultiplexedAuth => request.is_multiplexed,
        _ => false,
    };
    if vouches {
        let mut memory = process.memory.lock().unwrap();
        match &name {
            Some(name) => {
                memory
                    .authenticated
                    .insert(request.connection, name.clone());
            }
            None => name = memory.authenticated.get(&request.connection).cloned(),
        }
    }
    let caching = if process.flaw == Flaw::PrivateMarkedPublic {
        "public, max-age=60"
    } else {
        "private, no-store"
    };
    match name {
        None => {
            Answer::json(401, &json!({ "title": "who is it?" })).with("www-authenticate", "Bearer")
        }
        Some(name) => Answer::json(200, &json!({ "name": name })).with("cache-control", caching),
    }
}

/// By what the last page that somebody read is remembered.
pub(crate) fn key(process: &Process, request: &Request) -> Option<String> {
    match process.flaw {
        Flaw::CookieMap | Flaw::RenewedCookie => request.cookie("sid").map(str::to_owned),
        Flaw::UrlSession => request.query("sid").map(str::to_owned),
        Flaw::ConnectionMemory => Some(request.connection.to_string()),
        Flaw::SourceKey => Some(request.source.clone()),
        Flaw::AgentKey => request.field("user-agent").map(str::to_owned),
        Flaw::LastSearch => user(request).map(str::to_owned),
        _ => None,
    }
}

/// Cookies, and what is kept for each client.
pub(crate) fn known_again(process: &Process, request: &Request, answer: Answer) -> Answer {
    let kept = answer.fields.len();
    let answer = marked(process, request, answer);
    let is_private = answer
        .fields
        .iter()
        .skip(kept)
        .any(|(name, _)| name == "set-cookie");
    if is_private && process.flaw != Flaw::CookieForAll {
        private(answer)
    } else {
        answer
    }
}

/// What comes with a cookie is for one client only.
fn private(mut answer: Answer) -> Answer {
    answer.fields.retain(|(name, _)| name != "cache-control");
    answer.with("cache-control", "private, no-cache")
}

fn marked(process: &Process, request: &Request, answer: Answer) -> Answer {
    let database = &process.database;
    let cold = |name: &str| request.cookie(name).is_none();
    match process.flaw {
        Flaw::CookieMap | Flaw::RenewedCookie if cold("sid") => {
            let sid = database.token();
            let mut memory = process.memory.lock().unwrap();
            memory.clients.insert(sid.clone(), vec![0; SESSION]);
            if request.path.starts_with("/books/") {
                memory.recent.insert(sid.clone(), request.path.clone());
            }
            answer.with("set-cookie", &format!("sid={sid}; Path=/"))
        }
        Flaw::RenewedCookie if request.path.starts_with("/books/") => {
            // The key changes, and both lead to the same session from then on.
            let sid = database.token();
            let mut memory = process.memory.lock().unwrap();
            let old = request.cookie("sid").unwrap_or_default().to_owned();
            memory.recent.insert(old, request.path.clone());
            memory.recent.insert(sid.clone(), request.path.clone());
            answer.with("set-cookie", &format!("sid={sid}; Path=/"))
        }
        Flaw::IdleCookie if cold("visitor") => {
            answer.with("set-cookie", &format!("visitor={}", database.token()))
        }
        Flaw::Affinity if cold("AWSALB") => answer.with("set-cookie", "AWSALB=replica-0"),
        Flaw::CsrfCookie if cold("csrftoken") => {
            answer.with("set-cookie", &format!("csrftoken={}", database.token()))
        }
        Flaw::CookieForAll if request.path == "/books" => answer.with("set-cookie", "seen=1"),
        Flaw::AbCookie if cold("ab") => {
            let variant = if database.number().is_multiple_of(2) {
                "A"
            } else {
                "B"
            };
            answer.with("set-cookie", &format!("ab={variant}"))
        }
        Flaw::ClientHeldSession if request.path.starts_with("/books/") => {
            let last = request.path.rsplit('/').next().unwrap_or_default();
            answer.with("set-cookie", &format!("last={last}"))
        }
        Flaw::ClientMap => {
            let client = format!(
                "{} {}",
                request.source,
                request.field("user-agent").unwrap_or_default()
            );
            process
                .memory
                .lock()
                .unwrap()
                .clients
                .insert(client, vec![0; SESSION]);
            answer
        }
        _ => answer,
    }
}
