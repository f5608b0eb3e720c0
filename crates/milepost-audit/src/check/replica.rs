//! RP-1 and RP-3: the same request to each replica; what one of them was told, asked of another;
//! and what ties a client to one of them.

use std::{thread, time::Duration};

use crate::{
    check::NO_SANDBOX,
    engine::{Carrier, Dependence, Draft, Mask, Proof, Scene, Stop, differences, shown},
    finding::Level,
    script::{Claim, Cookies, Script, Send, Voice},
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
        workflow(scene, replica)?;
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
                .remembered(one, other, Carrier::Process);
            let level = weight(&proof, one, other);
            scene.file(level, draft.proof(proof));
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

/// How much it matters that two replicas answer differently. One that refuses what the other takes,
/// or tags the same representation otherwise, can't stand in for it; bodies alone may tell no more
/// than which process answered.
fn weight(proof: &Proof, one: usize, other: usize) -> Level {
    let refuses = Claim::Status(one, 200, 299).holds(&proof.played, &proof.mask)
        != Claim::Status(other, 200, 299).holds(&proof.played, &proof.mask);
    if refuses || Claim::BodySame(one, other).holds(&proof.played, &proof.mask) {
        Level::Bad
    } else {
        Level::Warn
    }
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
    // A replica that knows no such session gives another key: the one from before is what counts.
    let old = |voice: Voice| Send::get(target, voice).cookies(Cookies::AsOf(own));
    let other = script.send(old(voice.at(replica)));
    let again = script.send(old(voice));
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
    if let Some(proof) = scene.prove(script, claims, Mask::default())? {
        let summary = format!(
            "what was written at one replica is not the same at another ({})",
            shown(&proof)
        );
        scene.file(Level::Bad, Draft::about(subject, summary).proof(proof));
    }
    Ok(())
}

/// A resource is made at one replica, read at the other and changed at the first with the tag of that
/// reading: what works at one works over both.
fn workflow(scene: &Scene<'_>, replica: usize) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        return Ok(());
    };
    let one = Voice::client(1);
    let steps = |over: Voice| {
        let mut script = Script::default();
        let made = sandbox.create(&mut script, one, scene.stage.wire, 0);
        script.send(Send::get(&made.target, one));
        let read = script.send(Send::get(&made.target, over));
        let put = Send::with("PUT", &made.target, one)
            .body(&sandbox.media_type, &sandbox.body(1))
            .field("if-match", &format!("${{{read}:etag}}"));
        let written = script.send(put);
        (script, read, written)
    };
    let fine = |written: usize| Claim::Status(written, 200, 299);
    let (alone, _, written) = steps(one);
    let works = match scene.stage.play(&alone) {
        Ok(played) => fine(written).holds(&played, &Mask::default()),
        Err(Stop::Missing(_)) => false,
        Err(stop) => return Err(stop),
    };
    if !works {
        return Ok(());
    }
    let (script, read, written) = steps(one.at(replica));
    let claims = vec![fine(read), Claim::NotStatus(written, 200, 299)];
    let mut polls = 0;
    while let Some(proof) = scene.prove(script.clone(), claims.clone(), Mask::default())? {
        polls += 1;
        if polls > polls_max(scene) {
            let subject = format!("{} over replica {replica}", sandbox.path);
            let summary = "what works at one replica does not over two: the tag that one gives is refused by the other";
            let draft = Draft::about(subject, summary).proof(proof);
            scene.file(
                Level::Bad,
                draft.remembered(read, written, Carrier::Process),
            );
            return Ok(());
        }
        thread::sleep(POLL);
    }
    Ok(())
}

/// Fields in which balancers name the process that answered.
const NAMING: &[&str] = &[
    "x-served-by",
    "x-backend",
    "x-backend-server",
    "x-server-id",
    "x-instance-id",
    "x-upstream",
    "fly-machine-id",
];

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
        let mut script = Script::default();
        let step = script.send(Send::get(scene.target(operation), Voice::client(1)));
        let claims = vec![Claim::Field(step, "set-cookie".to_owned())];
        if let Some(proof) = scene.prove(script, claims, scene.mask(operation))? {
            scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
        }
        return Ok(());
    }
    for operation in scene.steady() {
        let named = scene.baseline(operation).and_then(|known| {
            let naming = NAMING.iter().find(|name| known.response.fields.has(name));
            naming.copied()
        });
        match named {
            None => scene.fine(operation),
            Some(name) => {
                let summary = format!("field {name} names the process that answered");
                scene.file(Level::Info, Draft::at(operation, summary));
            }
        }
    }
    Ok(())
}
