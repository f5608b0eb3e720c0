//! CA-3: `If-Match` compares strongly: a weak tag never matches (RFC 9110 §13.1.1, §8.8.3.2).

use super::opening::Opening;
use crate::{
    engine::{Draft, Mask, Scene, Stop},
    finding::Level,
    script::Claim,
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(opening) = Opening::of(scene) else {
        return Ok(());
    };
    let subject = format!("PUT {}", opening.subject());
    let mut script = opening.script.clone();
    let put = |version: u32, tag: &str| opening.put(version).field("if-match", tag);
    let weak = script.send(put(1, &format!("W/{}", opening.tag())));
    let wrong = script.send(put(2, "\"milepost-audit-no-such-tag\""));
    // Where any tag will do, CA-2 says so; here it is about the comparison.
    let claims = vec![
        Claim::Status(weak, 200, 299),
        Claim::NotStatus(wrong, 200, 299),
    ];
    match scene.prove(script, claims, Mask::default())? {
        None => scene.cover(&subject, Level::Good),
        Some(proof) => {
            let summary = "If-Match takes a weak tag for the strong one";
            scene.file(Level::Warn, Draft::about(subject, summary).proof(proof));
        }
    }
    Ok(())
}
