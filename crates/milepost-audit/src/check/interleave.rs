//! OR-2: another client's requests between two of one client's. What changes for the one client,
//! and for no stranger, is a mix-up; what changes for everybody is a resource.

use crate::{
    engine::{Carrier, Draft, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Credential, Script, Send, Voice},
};

/// Operations that are asked in between.
const BETWEEN_MAX: usize = 12;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    for operation in scene.steady() {
        let (script, claims) = interleaved(scene, operation);
        match scene.prove(script, claims, scene.mask(operation))? {
            None => scene.fine(operation),
            Some(proof) => {
                let summary = format!(
                    "another client's requests change this client's answer, and no stranger's ({})",
                    shown(&proof)
                );
                let at = proof
                    .claims
                    .iter()
                    .find_map(Claim::contrast)
                    .map_or(0, |(_, at)| at);
                let draft = Draft::at(operation, summary).proof(proof);
                scene.file(
                    Level::Bad,
                    draft.remembered(at.saturating_sub(1), at, Carrier::Several),
                );
            }
        }
    }
    Ok(())
}

/// The other client's requests in one order, the other way round, and in the first again; after
/// each the client and a stranger ask.
fn interleaved(scene: &Scene<'_>, operation: usize) -> (Script, Vec<Claim>) {
    let second = if scene.has_credential(Credential::Second) {
        Credential::Second
    } else {
        Credential::Nobody
    };
    let target = scene.target(operation);
    let between: Vec<usize> = scene.steady().into_iter().take(BETWEEN_MAX).collect();
    let backwards: Vec<usize> = between.iter().rev().copied().collect();
    let mut script = Script::default();
    let mut own = Vec::new();
    let mut strange = Vec::new();
    for (order, number) in [&between, &backwards, &between].into_iter().zip(10..) {
        for other in order {
            let voice = Voice::client(2).as_user(second);
            script.send(Send::get(scene.target(*other), voice));
        }
        own.push(script.send(Send::get(target, Voice::client(1))));
        strange.push(script.send(Send::get(target, Voice::stranger(number))));
    }
    let claims = match (own.as_slice(), strange.as_slice()) {
        ([a, b, c], [x, y, z]) => vec![
            Claim::Differ(*a, *b),
            Claim::Same(*a, *c),
            Claim::Same(*x, *y),
            Claim::Same(*y, *z),
        ],
        _ => Vec::new(),
    };
    (script, claims)
}
