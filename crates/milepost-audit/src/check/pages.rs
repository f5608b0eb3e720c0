//! PG-1, PG-2, PG-3: the way to the next page. It works for anybody who has the link, anywhere,
//! as often as it is followed.

use crate::{
    corpus::links,
    engine::{Carrier, Draft, Mask, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Lists that are walked.
const LISTS_MAX: usize = 6;
const NEXT: &str = "${0:link:next}";
const NO_PAGES: &str = "not applicable: no answer links to a next page";

/// Operations whose answers link to a next page.
fn lists(scene: &Scene<'_>) -> Vec<usize> {
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

/// PG-2.
pub(super) fn twice(scene: &Scene<'_>) -> Result<(), Stop> {
    let lists = lists(scene);
    if lists.is_empty() {
        scene.unshown(NO_PAGES);
    }
    for list in lists {
        let mut script = Script::default();
        let voice = Voice::client(1);
        script.send(Send::get(scene.target(list), voice));
        let page = script.send(Send::get(NEXT, voice));
        let again = script.send(Send::get(NEXT, voice));
        // Two pages that belong to different walks: what differs is the walk's own name.
        let mut mask = Mask::default();
        let mut learning = Script::default();
        for client in 1..=2 {
            let first = learning.send(Send::get(scene.target(list), Voice::client(client)));
            learning.send(Send::get(
                &format!("${{{first}:link:next}}"),
                Voice::client(client),
            ));
        }
        let learnt = scene.stage.play(&learning).unwrap_or_default();
        if let (Some(left), Some(right)) = (learnt.response(1), learnt.response(3)) {
            mask.learn(left, right);
        }
        let claims = vec![Claim::Status(page, 200, 299), Claim::Differ(page, again)];
        match scene.prove(script, claims, mask)? {
            None => scene.fine(list),
            Some(proof) => {
                let status = proof
                    .played
                    .response(again)
                    .map_or(0, |answer| answer.status);
                let summary = format!(
                    "the second page can't be read twice (then {status}): the cursor moved on the server"
                );
                let draft = Draft::at(list, summary).proof(proof).remembered(
                    page,
                    again,
                    Carrier::Url("the cursor".to_owned()),
                );
                scene.file(Level::Bad, draft);
            }
        }
    }
    Ok(())
}

/// PG-3.
pub(super) fn opaque(scene: &Scene<'_>) -> Result<(), Stop> {
    let lists = lists(scene);
    if lists.is_empty() {
        scene.unshown(NO_PAGES);
    }
    for list in lists {
        let mut script = Script::default();
        for client in 1..=2 {
            script.send(Send::get(scene.target(list), Voice::client(client)));
        }
        let played = scene.stage.play(&script)?;
        let next = |step: usize| links::named(played.response(step)?, "next");
        let (Some(one), Some(two)) = (next(0), next(1)) else {
            continue;
        };
        let is_short = token(&one, &two).is_some_and(|token| (6..40).contains(&token.len()));
        if is_short {
            let summary = format!(
                "each client is given another short cursor ({one}, {two}): too short to hold the position, so it is a key"
            );
            scene.file(
                Level::Warn,
                Draft::at(list, summary)
                    .detail("An encrypted token would be longer; PG-1 and PG-2 follow it."),
            );
        } else {
            scene.fine(list);
        }
    }
    Ok(())
}

/// The part in which two links differ.
fn token<'l>(one: &'l str, two: &str) -> Option<&'l str> {
    let parts = |link: &'l str| link.split(['/', '?', '&', '=']);
    let others: Vec<&str> = two.split(['/', '?', '&', '=']).collect();
    parts(one)
        .enumerate()
        .find(|(at, part)| others.get(*at) != Some(part))
        .map(|(_, part)| part)
}
