//! PG-1: the link to the next page. It works for anybody who has it, anywhere.

use crate::{
    corpus::links,
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Lists that are walked.
const LISTS_MAX: usize = 6;
pub(super) const NEXT: &str = "${0:link:next}";
pub(super) const NO_PAGES: &str = "not applicable: no answer links to a next page";

/// Operations whose answers link to a next page.
pub(super) fn lists(scene: &Scene<'_>) -> Vec<usize> {
    let has_next = |operation: &usize| {
        scene
            .baseline(*operation)
            .is_some_and(|known| links::named(&known.response, "next").is_some())
    };
    scene
        .corpus
        .safe()
        .filter(has_next)
        .take(LISTS_MAX)
        .collect()
}

/// Who follows the link that another one was given.
struct Follower {
    voice: Voice,
    restarted: bool,
    who: &'static str,
}

/// PG-1.
pub(super) fn cold(scene: &Scene<'_>) -> Result<(), Stop> {
    let lists = lists(scene);
    if lists.is_empty() {
        scene.unshown(NO_PAGES);
    }
    let mut followers = vec![Follower {
        voice: Voice::stranger(2),
        restarted: false,
        who: "another client",
    }];
    for replica in 1..scene.stage.replicas.len() {
        let voice = Voice::client(1).at(replica);
        followers.push(Follower {
            voice,
            restarted: false,
            who: "the same client at another replica",
        });
    }
    if scene.stage.restart.is_some() {
        followers.push(Follower {
            voice: Voice::client(1),
            restarted: true,
            who: "the same client after a restart",
        });
    }
    for list in lists {
        let mut fine = true;
        for follower in &followers {
            fine &= !refused(scene, list, follower)?;
        }
        if fine {
            scene.fine(list);
        }
    }
    Ok(())
}

/// One copy of the link is followed by who got it, another one by the follower.
fn refused(scene: &Scene<'_>, list: usize, follower: &Follower) -> Result<bool, Stop> {
    let mut script = Script::default();
    let own = Voice::client(1);
    script.send(Send::get(scene.target(list), own));
    let page = script.send(Send::get(NEXT, own));
    let issued = script.send(Send::get(scene.target(list), own));
    if follower.restarted {
        script.restart();
    }
    let followed = script.send(Send::get(
        &format!("${{{issued}:link:next}}"),
        follower.voice,
    ));
    let claims = vec![
        Claim::Status(page, 200, 299),
        Claim::NotStatus(followed, 200, 399),
    ];
    let Some(proof) = scene.prove(script, claims, Mask::default())? else {
        return Ok(false);
    };
    let status = proof
        .played
        .response(followed)
        .map_or(0, |answer| answer.status);
    let summary = format!(
        "the link to the next page is worth nothing to {} ({status})",
        follower.who
    );
    let carrier = if follower.voice.replica > 0 || follower.restarted {
        Carrier::Process
    } else {
        Carrier::Several
    };
    let draft = Draft::at(list, summary)
        .detail("The cursor stands for something that the server keeps. Put position and filter into the link itself.")
        .proof(proof)
        .remembered(issued, followed, carrier);
    scene.file(Level::Bad, draft);
    Ok(true)
}
