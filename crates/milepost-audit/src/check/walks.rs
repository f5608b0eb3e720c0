//! PG-2: a page is read again after the one that follows it, and two walks through one list go side
//! by side. A cursor that moves on the server can do neither.

use super::pages::{NEXT, NO_PAGES, lists};
use crate::{
    corpus::links,
    engine::{Carrier, Draft, Mask, Proof, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// What two walks by clients without history differ in: their own names.
struct Walk {
    mask: Mask,
    has_third: bool,
}

impl Walk {
    fn learn(scene: &Scene<'_>, list: usize) -> Self {
        let mut script = Script::default();
        for client in 1..=2 {
            let voice = Voice::client(client);
            let first = script.send(Send::get(scene.target(list), voice));
            script.send(Send::get(&format!("${{{first}:link:next}}"), voice));
        }
        let learnt = scene.stage.play(&script).unwrap_or_default();
        let mut mask = Mask::default();
        if let (Some(left), Some(right)) = (learnt.response(1), learnt.response(3)) {
            mask.learn(left, right);
        }
        let second = learnt.response(1);
        let has_third = second.is_some_and(|page| links::named(page, "next").is_some());
        Self { mask, has_third }
    }
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let lists = lists(scene);
    if lists.is_empty() {
        scene.unshown(NO_PAGES);
    }
    for list in lists {
        let walk = Walk::learn(scene, list);
        if !twice(scene, list, &walk)? && !side_by_side(scene, list, &walk)? {
            scene.fine(list);
        }
    }
    Ok(())
}

/// The second page, the third where there is one, and the second again.
fn twice(scene: &Scene<'_>, list: usize, walk: &Walk) -> Result<bool, Stop> {
    let voice = Voice::client(1);
    let mut script = Script::default();
    script.send(Send::get(scene.target(list), voice));
    let page = script.send(Send::get(NEXT, voice));
    if walk.has_third {
        script.send(Send::get(&format!("${{{page}:link:next}}"), voice));
    }
    let again = script.send(Send::get(NEXT, voice));
    let claims = vec![Claim::Status(page, 200, 299), Claim::Differ(page, again)];
    let Some(proof) = scene.prove(script, claims, walk.mask.clone())? else {
        return Ok(false);
    };
    let status = status(&proof, again);
    let summary = format!(
        "the second page can't be read twice (then {status}): the cursor moved on the server"
    );
    let carrier = Carrier::Url("the cursor".to_owned());
    let draft = Draft::at(list, summary).proof(proof);
    scene.file(Level::Bad, draft.remembered(page, again, carrier));
    Ok(true)
}

/// Two clients of one user walk in turns; a third, alone, is the control.
fn side_by_side(scene: &Scene<'_>, list: usize, walk: &Walk) -> Result<bool, Stop> {
    let mut script = Script::default();
    let next = |step: usize| format!("${{{step}:link:next}}");
    let [one, two] =
        [1, 2].map(|client| script.send(Send::get(scene.target(list), Voice::client(client))));
    let own = script.send(Send::get(&next(one), Voice::client(1)));
    let other = script.send(Send::get(&next(two), Voice::client(2)));
    let third = script.send(Send::get(scene.target(list), Voice::client(3)));
    let alone = script.send(Send::get(&next(third), Voice::client(3)));
    let claims = vec![
        Claim::Status(own, 200, 299),
        Claim::Same(own, alone),
        Claim::Differ(own, other),
    ];
    let Some(proof) = scene.prove(script, claims, walk.mask.clone())? else {
        return Ok(false);
    };
    let status = status(&proof, other);
    let summary = format!(
        "two walks side by side disturb each other (the second page of the other one: {status}): the cursor is the server's"
    );
    let draft = Draft::at(list, summary).proof(proof);
    scene.file(
        Level::Bad,
        draft.remembered(own, other, Carrier::Credential),
    );
    Ok(true)
}

fn status(proof: &Proof, step: usize) -> u16 {
    let answer = proof.played.response(step);
    answer.map_or(0, |answer| answer.status)
}
