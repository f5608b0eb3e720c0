//! SB-2: connections that stop being HTTP: `101`, and over HTTP/2 extended CONNECT (RFC 8441). Outside
//! of REST, so a note and no more.

use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    http::{EXTENDED_CONNECT, Protocol},
    script::{Claim, Script, Send, Voice},
};

/// Names under which sockets stand.
const NAMES: &[&str] = &[
    "ws",
    "websocket",
    "socket",
    "realtime",
    "live",
    "events",
    "stream",
];
/// Operations that are tried.
const TRIED_MAX: usize = 6;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let named = |operation: &usize| {
        let path = scene.target(*operation).to_ascii_lowercase();
        path.split(['/', '?'])
            .any(|segment| NAMES.contains(&segment))
    };
    let all = 0..scene.corpus.operations.len();
    let tried = all.filter(|operation| *operation == 0 || named(operation));
    for operation in tried.take(TRIED_MAX) {
        switched(scene, operation)?;
    }
    extended(scene)
}

/// Asks for a WebSocket.
fn switched(scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
    let mut script = Script::default();
    let send = Send::get(scene.target(operation), Voice::default())
        .field("connection", "Upgrade")
        .field("upgrade", "websocket")
        .field("sec-websocket-version", "13")
        .field("sec-websocket-key", "bWlsZXBvc3QtYXVkaXQtMQ==");
    let step = script.send(send);
    match scene.prove(script, vec![Claim::Status(step, 101, 101)], Mask::default())? {
        None => scene.fine(operation),
        Some(proof) => {
            let summary =
                "becomes a WebSocket: what is said there is outside of REST, and was not audited";
            scene.file(Level::Info, Draft::at(operation, summary).proof(proof));
        }
    }
    Ok(())
}

/// Looks whether HTTP/2's settings allow extended CONNECT; nothing but a GET is sent for that.
fn extended(scene: &Scene<'_>) -> Result<(), Stop> {
    let mut script = Script::default();
    let voice = Voice::default().speaking(Protocol::Http2);
    let step = script.send(Send::get(scene.target(0), voice));
    let claims = vec![Claim::Field(step, EXTENDED_CONNECT.to_owned())];
    match scene.prove(script, claims, Mask::default()) {
        Ok(None) => {}
        Ok(Some(proof)) => {
            let summary = "HTTP/2 connections may be taken over by extended CONNECT: what is said there is outside of REST, and was not audited";
            let draft = Draft::about("HTTP/2 settings", summary);
            scene.file(Level::Info, draft.proof(proof));
        }
        Err(stop) if stop.is_final() => return Err(stop),
        Err(stop) => scene.unshown(format!("extended CONNECT: over HTTP/2 {stop}")),
    }
    Ok(())
}
