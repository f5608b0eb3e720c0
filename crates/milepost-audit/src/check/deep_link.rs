//! OR-3: every URL that was learnt on the way, asked cold, with nothing but the credentials.

use crate::{
    engine::{Carrier, Draft, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    for (number, operation) in scene.corpus.operations.iter().enumerate() {
        let Some(baseline) = scene.baseline(number).filter(|known| known.is_steady) else {
            continue;
        };
        let was_fine = (200..300).contains(&operation.status);
        let is_refused = (400..500).contains(&baseline.response.status);
        if !was_fine || !is_refused || !confirm(scene, number)? {
            scene.fine(number);
        }
    }
    Ok(())
}

/// Reached by its links it answers; asked cold it doesn't.
fn confirm(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let (warm, cold) = (Voice::stranger(1), Voice::stranger(2));
    let paths = [scene.corpus.path_to(operation), (0..operation).collect()];
    for path in paths {
        let mut script = Script::default();
        for before in &path {
            script.send(Send::get(scene.target(*before), warm));
        }
        let reached = script.send(Send::get(scene.target(operation), warm));
        let direct = script.send(Send::get(scene.target(operation), cold));
        let claims = vec![
            Claim::Status(reached, 200, 299),
            Claim::Status(direct, 400, 499),
        ];
        if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
            let summary = format!("answers only who asked {} before", scene.named(&path));
            let from = reached.saturating_sub(1);
            let draft = Draft::at(operation, summary)
                .detail("A URL that can't be bookmarked, shared or retried. One-time links do this on purpose: waive it then.")
                .proof(proof)
                .remembered(from, reached, Carrier::Several);
            scene.file(Level::Bad, draft);
            return Ok(true);
        }
    }
    Ok(false)
}
