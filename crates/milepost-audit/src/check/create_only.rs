//! CA-4: `If-None-Match: *` on what exists, `If-Match: *` on what doesn't, and a write without any
//! condition.

use super::opening::Opening;
use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Send},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(opening) = Opening::of(scene) else {
        return Ok(());
    };
    let (sandbox, read) = (opening.sandbox, opening.read);
    let subject = format!("PUT {}", opening.subject());
    let mut script = opening.script.clone();
    let again = script.send(opening.put(1).field("if-none-match", "*"));
    let nowhere = format!(
        "{}/audit-nowhere-{}",
        sandbox.path,
        scene.stage.wire.next_play()
    );
    let elsewhere = Send::with("PUT", &nowhere, opening.voice)
        .body(&sandbox.media_type, &sandbox.body(2))
        .field("if-match", "*");
    let missing = script.send(elsewhere);
    let blind = script.send(opening.put(3));
    let exists = Claim::Status(read, 200, 299);
    let overwrites = vec![exists.clone(), Claim::Status(again, 200, 299)];
    if let Some(proof) = scene.prove(script.clone(), overwrites, Mask::default())? {
        let summary = "If-None-Match: * overwrites what exists";
        scene.file(Level::Warn, Draft::about(&subject, summary).proof(proof));
    }
    let creates = vec![Claim::Status(missing, 200, 299)];
    if let Some(proof) = scene.prove(script.clone(), creates, Mask::default())? {
        let summary = "If-Match: * creates what does not exist";
        scene.file(Level::Warn, Draft::about(&subject, summary).proof(proof));
    }
    let played = scene.stage.play(&script)?;
    let (level, note) = match played.response(blind).map(|answer| answer.status) {
        Some(428) => (
            Level::Good,
            "a write without a condition is refused with 428",
        ),
        Some(200..=299) => (
            Level::Info,
            "a write without a condition is taken: last writer wins",
        ),
        _ => (
            Level::Info,
            "a write without a condition is refused, but not with 428",
        ),
    };
    scene.file(level, Draft::about(subject, note));
    Ok(())
}
