//! RP-1 and RP-3: the same request to each replica; what one of them was told, asked of another;
//! and what ties a client to one of them.

use std::{thread, time::Duration};

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Dependence, Draft, Scene, Stop, differences, shown},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

use super::cookie::{Class, classify, setters};

/// The pause between two of these questions.
const POLL: Duration = Duration::from_millis(25);

/// How often a replica is asked whether it has caught up.
fn polls_max(scene: &Scene<'_>) -> u128 {
    scene.options.limits.replica_lag.as_millis() / POLL.as_millis() + 1
}

/// RP-1.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let replicas = scene.stage.replicas.len();
    if replicas < 2 {
        scene.unshown("needs --replica URL: another process of the same service");
        return Ok(());
    }
    for replica in 1..replicas {
        for operation in scene.steady() {
            same_answer(scene, operation, replica)?;
        }
        for found in scene.dependences()? {
            remembered_elsewhere(scene, found, replica)?;
        }
        written_elsewhere(scene, replica)?;
    }
    Ok(())
}

fn same_answer(scene: &Scene<'_>, operation: usize, replica: usize) -> Result<(), Stop> {
    let target = scene.target(operation);
    let mut script = Script::default();
    let one = script.send(Send::get(target, Voice::client(1)));
    let other = script.send(Send::get(target, Voice::client(2).at(replica)));
    let again = script.send(Send::get(target, Voice::client(3)));
    let claims = vec![Claim::Same(one, again), Claim::Differ(one, other)];
    let mask = scene.mask(operation);
    let mut polls = 0;
    while let Some(proof) = scene.prove(script.clone(), claims.clone(), mask.clone())? {
        polls += 1;
        if polls > polls_max(scene) {
            let summary = format!(
                "replica {replica} answers differently, and stays so ({})",
                shown(&proof)
            );
            let draft = Draft::at(operation, summary)
                .detail("What one process issued (a tag, a token, a cursor) or holds, another doesn't know: a per-process secret or memory.")
                .proof(proof)
                .remembered(one, other, Carrier::Process);
            scene.file(Level::Bad, draft);
            return Ok(());
        }
        thread::sleep(POLL);
    }
    if polls > 0 {
        let summary = format!("replica {replica} lagged behind, and caught up");
        scene.file(Level::Info, Draft::at(operation, summary));
    }
    scene.fine(operation);
    Ok(())
}

/// A history told to one replica, and the probe asked of another, by the same client.
fn remembered_elsewhere(scene: &Scene<'_>, found: &Dependence, replica: usize) -> Result<(), Stop> {
    let target = scene.target(found.probe);
    let voice = Voice::client(1);
    let mut script = Script::default();
    for operation in &found.history {
        script.send(Send::get(scene.target(*operation), voice));
    }
    let own = script.send(Send::get(target, voice));
    let other = script.send(Send::get(target, voice.at(replica)));
    let again = script.send(Send::get(target, voice));
    let claims = vec![Claim::Same(own, again), Claim::Differ(own, other)];
    if let Some(proof) = scene.prove(script, claims, scene.mask(found.probe))? {
        let summary = format!(
            "replica {replica} doesn't know what the first one remembers ({})",
            shown(&proof)
        );
        let draft =
            Draft::at(found.probe, summary)
                .proof(proof)
                .remembered(0, own, Carrier::Process);
        scene.file(Level::Bad, draft);
    }
    Ok(())
}

/// A resource that was made at one replica is found at the other.
fn written_elsewhere(scene: &Scene<'_>, replica: usize) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(format!(
            "whether a write to one replica is seen at another: {NO_SANDBOX}"
        ));
        return Ok(());
    };
    let mut script = Script::default();
    let voice = Voice::client(1);
    let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
    let own = script.send(Send::get(&made.target, voice));
    let other = script.send(Send::get(&made.target, voice.at(replica)));
    let mut played = scene.stage.play(&script)?;
    let subject = format!("{} at replica {replica}", sandbox.path);
    for poll in 0..polls_max(scene) {
        let (Some(left), Some(right)) = (played.response(own), played.response(other)) else {
            break;
        };
        if differences(left, right).is_empty() {
            if poll > 0 {
                scene.file(
                    Level::Info,
                    Draft::about(&subject, "lagged behind, and caught up"),
                );
            }
            scene.cover(&subject, Level::Good);
            return Ok(());
        }
        thread::sleep(POLL);
        let target = played
            .at(own)
            .map(|exchange| exchange.request.target.clone())
            .unwrap_or_default();
        let mut again = Script::default();
        again.send(Send::get(&target, voice));
        again.send(Send::get(&target, voice.at(replica)));
        let repeated = scene.stage.play(&again)?;
        for (step, from) in [(own, 0), (other, 1)] {
            if let Some(slot) = played.exchanges.get_mut(step) {
                *slot = repeated.at(from).cloned();
            }
        }
    }
    let claims = vec![Claim::Status(own, 200, 299), Claim::Differ(own, other)];
    if let Some(proof) = scene.prove(script, claims, crate::engine::Mask::default())? {
        let summary = format!(
            "what was written at one replica is not the same at another ({})",
            shown(&proof)
        );
        scene.file(Level::Bad, Draft::about(subject, summary).proof(proof));
    }
    Ok(())
}

/// RP-3.
pub(super) fn affinity(scene: &Scene<'_>) -> Result<(), Stop> {
    for (operation, cookies) in setters(scene) {
        let tying = cookies
            .iter()
            .find(|cookie| classify(cookie) == Class::Affinity);
        let Some(cookie) = tying else {
            scene.fine(operation);
            continue;
        };
        let summary = format!(
            "cookie {} ties a client to a process: is there something only that process knows?",
            cookie.name
        );
        scene.file(Level::Warn, Draft::at(operation, summary));
        return Ok(());
    }
    for operation in scene.steady() {
        scene.fine(operation);
    }
    Ok(())
}
