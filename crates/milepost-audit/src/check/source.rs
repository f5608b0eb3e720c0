//! IP-1: the same request from another source address.

use crate::{
    engine::{Carrier, Draft, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Cookies, Script, Send, Voice},
};

/// Operations that are followed up.
const FOLLOWED_MAX: usize = 10;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if !scene.stage.wire.has_sources() {
        scene.unshown("this machine has no loopback address beside 127.0.0.1");
        return Ok(());
    }
    differing(scene, &Carrier::Source, |number| {
        Voice::default().from(number)
    })
}

/// Warns of every operation that answers another voice differently. Everything was asked under the
/// first voice just before, so that what is kept under it shows.
pub(super) fn differing(
    scene: &Scene<'_>,
    carrier: &Carrier,
    voice: fn(u32) -> Voice,
) -> Result<(), Stop> {
    let glimpsed = glimpsed(scene, voice)?;
    for operation in scene.steady() {
        if !glimpsed.contains(&operation) {
            scene.fine(operation);
        }
    }
    for operation in glimpsed.into_iter().take(FOLLOWED_MAX) {
        let (script, steps) = sandwiches(scene, &[operation], voice);
        let claims = steps.into_iter().flat_map(claims).collect();
        if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
            let summary = format!("the answer depends on {carrier} ({})", shown(&proof));
            let at = proof.script.0.len().saturating_sub(3);
            let draft = Draft::at(operation, summary)
                .detail("An allow-list does this on purpose: waive it then. State that is kept under it does it too.")
                .proof(proof)
                .remembered(0, at, carrier.clone());
            scene.file(Level::Warn, draft);
        }
    }
    Ok(())
}

/// Operations that differed once.
fn glimpsed(scene: &Scene<'_>, voice: fn(u32) -> Voice) -> Result<Vec<usize>, Stop> {
    let steady = scene.steady();
    let (script, steps) = sandwiches(scene, &steady, voice);
    let played = scene.stage.play(&script)?;
    let pairs = steady.into_iter().zip(steps);
    let differs = pairs.filter(|(operation, steps)| {
        let mask = scene.mask(*operation);
        claims(*steps)
            .iter()
            .all(|claim| claim.holds(&played, &mask))
    });
    Ok(differs.map(|(operation, _)| operation).collect())
}

fn claims([one, other, again]: [usize; 3]) -> [Claim; 2] {
    [Claim::Same(one, again), Claim::Differ(one, other)]
}

/// Everything by one voice, then each operation by it, by another, and by it again.
fn sandwiches(
    scene: &Scene<'_>,
    operations: &[usize],
    voice: fn(u32) -> Voice,
) -> (Script, Vec<[usize; 3]>) {
    let by = |operation: usize, number: u32| {
        Send::get(scene.target(operation), voice(number)).cookies(Cookies::None)
    };
    let mut script = Script::default();
    for operation in scene.steady() {
        script.send(by(operation, 1));
    }
    let ask = |(number, operation): (u32, &usize)| {
        [1, number, 1].map(|number| script.send(by(*operation, number)))
    };
    let steps = (2..).zip(operations).map(ask).collect();
    (script, steps)
}
