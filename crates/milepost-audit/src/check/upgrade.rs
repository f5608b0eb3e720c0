//! SB-2: connections that stop being HTTP. Outside of REST, so a note and no more.

use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
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
    let tried: Vec<usize> = all
        .filter(|operation| *operation == 0 || named(operation))
        .take(TRIED_MAX)
        .collect();
    for operation in tried {
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
                let summary = "becomes a WebSocket: what is said there is outside of REST, and was not audited";
                scene.file(Level::Info, Draft::at(operation, summary).proof(proof));
            }
        }
    }
    Ok(())
}
