//! CN-1: a request without credentials on a connection that carried somebody's (RFC 9110 §3.3).

use crate::{
    engine::{Carrier, Draft, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Cookies, Credential, Script, Send, Voice},
};

/// Operations that are tried.
const TRIED_MAX: usize = 20;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if !scene.has_credential(Credential::First) {
        scene.unshown("needs --bearer: without credentials nobody can be taken for somebody");
        return Ok(());
    }
    let mut applicable = 0;
    for operation in scene.readable().into_iter().take(TRIED_MAX) {
        applicable += usize::from(anonymous(scene, operation)?);
        if scene.has_credential(Credential::Second) {
            applicable += usize::from(alternating(scene, operation)?);
        }
    }
    if applicable == 0 {
        scene.unshown("every operation answers anybody the same: none tells users apart");
    }
    scene.unshown("HTTP/2: connections are tried over HTTP/1.1 only");
    Ok(())
}

fn on(scene: &Scene<'_>, operation: usize, connection: u32, credential: Credential) -> Send {
    let voice = Voice::default().over(connection).as_user(credential);
    Send::get(scene.target(operation), voice).cookies(Cookies::None)
}

/// Whether the operation refuses strangers; files it where the connection vouches for them.
fn anonymous(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let mut script = Script::default();
    let first = script.send(on(scene, operation, 1, Credential::First));
    let second = script.send(on(scene, operation, 1, Credential::Nobody));
    let cold = script.send(on(scene, operation, 2, Credential::Nobody));
    let played = scene.stage.play(&script)?;
    if !played
        .response(cold)
        .is_some_and(|answer| matches!(answer.status, 401 | 403))
    {
        return Ok(false);
    }
    let claims = vec![
        Claim::Status(first, 200, 299),
        Claim::Status(second, 200, 299),
        Claim::Status(cold, 401, 403),
    ];
    match scene.prove(script, claims, scene.mask(operation))? {
        None => scene.fine(operation),
        Some(proof) => {
            let summary = "a request without credentials is answered, because the connection carried some before";
            let draft = Draft::at(operation, summary)
                .detail("Behind a proxy that shares connections, one user is taken for another.")
                .proof(proof)
                .remembered(first, second, Carrier::Connection);
            scene.file(Level::Bad, draft);
        }
    }
    Ok(true)
}

/// Whether the operation tells the two users apart; files it where the connection mixes them up.
fn alternating(scene: &Scene<'_>, operation: usize) -> Result<bool, Stop> {
    let mut script = Script::default();
    let one = script.send(on(scene, operation, 1, Credential::First));
    let two = script.send(on(scene, operation, 1, Credential::Second));
    let again = script.send(on(scene, operation, 1, Credential::First));
    let alone = script.send(on(scene, operation, 2, Credential::Second));
    let played = scene.stage.play(&script)?;
    let tells = Claim::Differ(one, alone).holds(&played, &scene.mask(operation));
    if !tells {
        return Ok(false);
    }
    let claims = vec![Claim::Differ(two, alone), Claim::Same(one, again)];
    match scene.prove(script, claims, scene.mask(operation))? {
        None => scene.fine(operation),
        Some(proof) => {
            let summary = format!(
                "the second user on a connection is answered as the first ({})",
                shown(&proof)
            );
            let draft = Draft::at(operation, summary).proof(proof).remembered(
                one,
                two,
                Carrier::Connection,
            );
            scene.file(Level::Bad, draft);
        }
    }
    Ok(true)
}
