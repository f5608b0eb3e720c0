//! SC-3: an old cookie is sent after something happened. If the answer shows what happened, the
//! server holds it, and the cookie is only the key; if the answer is the old one, the client does.

use crate::{
    engine::{Carrier, Dependence, Draft, Mask, Proof, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Cookies, Script, Send, Voice},
};

use super::cookie::setters;

/// The proof that the server holds what a cookie stands for.
pub(super) fn prove(scene: &Scene<'_>, found: &Dependence) -> Result<Option<Proof>, Stop> {
    let mask = scene.mask(found.probe);
    for contact in contacts(scene, found) {
        if let Some(proof) = with_contact(scene, found, contact, &mask)? {
            return Ok(Some(proof));
        }
    }
    renewed(scene, found, &mask)
}

/// Operations that may give the first cookie.
fn contacts(scene: &Scene<'_>, found: &Dependence) -> Vec<usize> {
    let mut contacts = vec![found.probe];
    contacts.extend(setters(scene).into_iter().map(|(operation, _)| operation));
    contacts.extend(found.other.first());
    contacts.dedup();
    contacts.truncate(4);
    contacts
}

/// The cookie of the first contact, sent before and after the history; a second client, who has
/// no such history, is the control.
fn with_contact(
    scene: &Scene<'_>,
    found: &Dependence,
    contact: usize,
    mask: &Mask,
) -> Result<Option<Proof>, Stop> {
    let (one, two) = (Voice::stranger(1), Voice::stranger(2));
    let target = scene.target(found.probe);
    let mut script = Script::default();
    let first = script.send(Send::get(scene.target(contact), one));
    let old = || Send::get(target, one).cookies(Cookies::AsOf(first));
    let before = script.send(old());
    for operation in &found.history {
        script.send(Send::get(scene.target(*operation), one));
    }
    let after = script.send(old());
    let other = script.send(Send::get(scene.target(contact), two));
    let control = script.send(Send::get(target, two).cookies(Cookies::AsOf(other)));
    let claims = vec![Claim::Differ(before, after), Claim::Same(before, control)];
    scene.prove(script, claims, mask.clone())
}

/// Where the key changes with each step: the cookie after the first history, sent again after the
/// second.
fn renewed(scene: &Scene<'_>, found: &Dependence, mask: &Mask) -> Result<Option<Proof>, Stop> {
    let voice = Voice::stranger(1);
    let target = scene.target(found.probe);
    let mut script = Script::default();
    let mut last = 0;
    for operation in &found.history {
        last = script.send(Send::get(scene.target(*operation), voice));
    }
    let old = || Send::get(target, voice).cookies(Cookies::AsOf(last));
    let before = script.send(old());
    let then = if found.other.is_empty() {
        &found.history
    } else {
        &found.other
    };
    for operation in then {
        script.send(Send::get(scene.target(*operation), voice));
    }
    let after = script.send(old());
    scene.prove(script, vec![Claim::Differ(before, after)], mask.clone())
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let by_cookie = |found: &&Dependence| matches!(found.carrier, Carrier::Cookie(_));
    let dependences = scene.dependences()?;
    if setters(scene).is_empty() {
        scene.unshown("not applicable: no cookie is set");
        return Ok(());
    }
    for operation in scene.steady() {
        scene.fine(operation);
    }
    for found in dependences.iter().filter(by_cookie) {
        let before = scene.named(&found.history);
        match &found.rewound {
            Some(proof) => {
                let summary = format!(
                    "a cookie from before {before} shows it all the same: the server holds it ({})",
                    shown(proof)
                );
                let history = found.history.len();
                let draft = Draft::at(found.probe, summary)
                    .detail("The cookie is the key of a session on the server. Keep the state in the cookie (sealed), in the URL, or make it a resource with a URL of its own.")
                    .proof(proof.clone())
                    .remembered(2, 2 + history, found.carrier.clone());
                scene.file(Level::Bad, draft);
            }
            None => {
                let summary = format!(
                    "a cookie from before {before} brings the answer from before back: the client holds the state"
                );
                scene.file(
                    Level::Good,
                    Draft::at(found.probe, summary).proof(found.proof.clone()),
                );
            }
        }
    }
    Ok(())
}
