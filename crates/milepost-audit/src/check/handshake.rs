//! HS-1: a request that is refused cold, and succeeds with a value from an earlier answer's field.

use crate::{
    engine::{Carrier, Draft, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Words in the names of fields that carry such values.
const WORDS: &[&str] = &[
    "token",
    "session",
    "nonce",
    "key",
    "challenge",
    "ticket",
    "handshake",
];
/// Never echoed: what everybody sends, or what says how an answer was made.
const PLAIN: &[&str] = &[
    "x-powered-by",
    "x-content-type-options",
    "x-frame-options",
    "x-xss-protection",
    "x-request-id",
];
/// Challenges of HTTP's own: a handshake that the protocol defines.
const CHALLENGES: &[&str] = &["digest", "negotiate", "ntlm"];

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let givers = givers(scene);
    for operation in scene.steady() {
        let Some(baseline) = scene.baseline(operation) else {
            continue;
        };
        let refused = matches!(
            baseline.response.status,
            400 | 401 | 403 | 409 | 412 | 422 | 428
        );
        let challenge = baseline
            .response
            .fields
            .first("www-authenticate")
            .unwrap_or_default();
        let is_challenge = CHALLENGES
            .iter()
            .any(|known| challenge.to_ascii_lowercase().starts_with(known));
        if !refused || is_challenge || !tried(scene, operation, &givers)? {
            scene.fine(operation);
        }
    }
    Ok(())
}

/// Fields that look like tokens, and an operation whose answer has them.
fn givers(scene: &Scene<'_>) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for operation in scene.steady() {
        let Some(baseline) = scene.baseline(operation) else {
            continue;
        };
        for (name, _) in baseline.response.fields.iter() {
            let looks = name.starts_with("x-") || WORDS.iter().any(|word| name.contains(word));
            let is_new = found.iter().all(|(_, known)| known != name);
            if looks && is_new && !PLAIN.contains(&name) {
                found.push((operation, name.to_owned()));
            }
        }
    }
    found
}

fn tried(scene: &Scene<'_>, operation: usize, givers: &[(usize, String)]) -> Result<bool, Stop> {
    let target = scene.target(operation);
    for (giver, name) in givers {
        let mut script = Script::default();
        script.send(Send::get(scene.target(*giver), Voice::client(1)));
        let value = format!("${{0:field:{name}}}");
        let with = script.send(Send::get(target, Voice::client(2)).field(name, &value));
        let without = script.send(Send::get(target, Voice::client(3)));
        let claims = vec![
            Claim::Status(with, 200, 299),
            Claim::Status(without, 400, 499),
        ];
        if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
            let summary = format!(
                "refused, until {name} of an earlier answer ({}) comes with it",
                scene.label(*giver)
            );
            let draft = Draft::at(operation, summary)
                .detail("A request has to be preceded by another one. Let the request itself carry what is needed, or let the value be a credential with a lifetime of its own.")
                .proof(proof)
                .remembered(0, with, Carrier::Field(name.clone()));
            scene.file(Level::Bad, draft);
            return Ok(true);
        }
    }
    Ok(false)
}
