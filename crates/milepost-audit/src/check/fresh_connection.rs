//! CN-2: the same requests over one connection kept alive, and over a fresh one each.

use crate::{
    engine::{Carrier, Draft, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Cookies, Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let steady = scene.steady();
    let mut script = Script::default();
    for operation in steady.iter().chain(&steady) {
        script.send(kept(scene, *operation));
    }
    let played = scene.stage.play(&script)?;
    for (step, operation) in steady.iter().chain(&steady).enumerate() {
        let (Some(answer), Some(baseline)) = (played.response(step), scene.baseline(*operation))
        else {
            continue;
        };
        let found = crate::engine::differences(&baseline.response, answer);
        if found
            .iter()
            .all(|difference| baseline.mask.covers(&difference.spot))
        {
            scene.fine(*operation);
            continue;
        }
        let before = step
            .checked_sub(1)
            .and_then(|at| steady.get(at % steady.len()))
            .copied();
        confirm(scene, before.unwrap_or(*operation), *operation)?;
    }
    Ok(())
}

fn kept(scene: &Scene<'_>, operation: usize) -> Send {
    Send::get(scene.target(operation), Voice::default().over(1)).cookies(Cookies::None)
}

/// Kept alive, fresh, kept alive, fresh: the connection makes the difference.
fn confirm(scene: &Scene<'_>, before: usize, operation: usize) -> Result<(), Stop> {
    let mut script = Script::default();
    let mut probes = Vec::new();
    for connection in [1, 2] {
        let over = |send: Send| Send {
            voice: send.voice.over(connection),
            ..send
        };
        script.send(over(kept(scene, before)));
        probes.push(script.send(over(kept(scene, operation))));
        let fresh = Send {
            voice: Voice::default(),
            ..kept(scene, operation)
        };
        script.send(Send {
            voice: Voice::default(),
            ..kept(scene, before)
        });
        probes.push(script.send(fresh));
    }
    let claims = match probes.as_slice() {
        [a, b, c, d] => vec![
            Claim::Same(*a, *c),
            Claim::Same(*b, *d),
            Claim::Differ(*a, *b),
        ],
        _ => Vec::new(),
    };
    if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
        let summary = format!(
            "on a connection kept alive the answer shows that {} was asked on it ({})",
            scene.label(before),
            shown(&proof)
        );
        let draft =
            Draft::at(operation, summary)
                .proof(proof)
                .remembered(0, 1, Carrier::Connection);
        scene.file(Level::Bad, draft);
    }
    Ok(())
}
