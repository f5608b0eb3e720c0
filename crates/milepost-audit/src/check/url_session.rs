//! UR-1: identities in URLs. Two cold clients are given different links for one page; what one of
//! them does under its links shows under its links only.

use crate::{
    corpus::links,
    engine::{Carrier, Draft, Mask, Proof, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Links of one page that are tried against one another.
const LINKS_MAX: usize = 8;
/// Pages that are looked at.
const PAGES_MAX: usize = 5;
/// Parameters that name a session.
const NAMES: &[&str] = &[
    "jsessionid",
    "sid",
    "session",
    "sessionid",
    "session_id",
    "phpsessid",
    "sessid",
    "ssid",
];

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let mut pages = 0;
    for operation in scene.readable() {
        let personal = personal_links(scene, operation)?;
        if personal.is_empty() || pages >= PAGES_MAX {
            scene.fine(operation);
            continue;
        }
        pages += 1;
        page(scene, operation, &personal)?;
    }
    Ok(())
}

/// Links (by their place in the answer, and name of the token) that two cold clients get
/// differently.
fn personal_links(scene: &Scene<'_>, operation: usize) -> Result<Vec<(usize, String)>, Stop> {
    let mut script = Script::default();
    for client in 1..=2 {
        script.send(Send::get(scene.target(operation), Voice::client(client)));
    }
    let played = scene.stage.play(&script)?;
    let (Some(one), Some(two)) = (played.response(0), played.response(1)) else {
        return Ok(Vec::new());
    };
    let pairs = links::all(one).into_iter().zip(links::all(two));
    let differing = pairs.enumerate().filter_map(|(at, (left, right))| {
        let name = token_name(&left, &right)?;
        Some((at, name))
    });
    Ok(differing.take(LINKS_MAX).collect())
}

/// The parameter in which two links differ; one that names a session before others.
fn token_name(left: &str, right: &str) -> Option<String> {
    let parts = |link: &str| -> Vec<(String, String)> {
        let parts = link.split(['?', '&', ';']).skip(1);
        let pairs = parts.filter_map(|part| part.split_once('='));
        pairs
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect()
    };
    let others = parts(right);
    let mut differing: Vec<String> = parts(left)
        .into_iter()
        .filter(|(name, value)| {
            let other = others.iter().find(|(other, _)| other == name);
            other.is_some_and(|(_, other)| other != value)
        })
        .map(|(name, _)| name)
        .collect();
    differing.sort_by_key(|name| !NAMES.contains(&name.as_str()));
    differing.into_iter().next()
}

fn page(scene: &Scene<'_>, operation: usize, personal: &[(usize, String)]) -> Result<(), Stop> {
    for (probe, name) in personal {
        for (before, _) in personal {
            let (script, steps) = script(scene, operation, *probe, *before);
            let [first, _, second, control] = steps;
            let mask = token_mask(scene, &script, first, control)?;
            let claims = vec![
                Claim::Status(first, 200, 299),
                Claim::Differ(first, second),
                Claim::Same(first, control),
            ];
            if let Some(proof) = scene.prove(script, claims, mask)? {
                let summary = format!(
                    "what was asked under {name}={{…}} is remembered under it ({})",
                    shown(&proof)
                );
                let draft = Draft::at(operation, summary)
                    .detail("The links of each client carry a key, and the server keeps a session under it.")
                    .proof(proof)
                    .remembered(2, second, Carrier::Url(name.clone()));
                scene.file(Level::Bad, draft);
                return Ok(());
            }
        }
    }
    differing(scene, operation, personal)
}

/// Links that differ and show no history: they name a session, are bound to whom they were given
/// to, or are neither.
fn differing(
    scene: &Scene<'_>,
    operation: usize,
    personal: &[(usize, String)],
) -> Result<(), Stop> {
    let named = personal
        .iter()
        .find(|(_, name)| NAMES.contains(&name.as_str()));
    if let Some((link, name)) = named
        && let Some(proof) = given(scene, operation, *link)?
    {
        let summary = format!(
            "two clients without history are given different links for one page: {name} names a session"
        );
        scene.file(Level::Warn, Draft::at(operation, summary).proof(proof));
        return Ok(());
    }
    for (link, name) in personal {
        if let Some((proof, own)) = bound(scene, operation, *link)? {
            let summary = format!(
                "a link with {name} answers the client that it was given to, and refuses another: the client is known again"
            );
            let draft = Draft::at(operation, summary).proof(proof);
            scene.file(Level::Warn, draft.remembered(0, own, Carrier::Several));
            return Ok(());
        }
    }
    let mut names: Vec<&str> = personal.iter().map(|(_, name)| name.as_str()).collect();
    names.dedup();
    let summary = format!(
        "two clients are given different links ({}), and none is bound to its client: signed links or cursors",
        names.join(", ")
    );
    scene.file(Level::Info, Draft::at(operation, summary));
    Ok(())
}

/// That two clients without history are given different links, each time.
fn given(scene: &Scene<'_>, operation: usize, link: usize) -> Result<Option<Proof>, Stop> {
    let mut script = Script::default();
    let [one, two] =
        [1, 2].map(|client| script.send(Send::get(scene.target(operation), Voice::client(client))));
    let claims = vec![
        Claim::Status(one, 200, 299),
        Claim::ValueDiffers(one, two, format!("href:{link}")),
    ];
    scene.prove(script, claims, Mask::default())
}

/// That a link refuses another client, and answers its own afterwards; and the step of that.
fn bound(scene: &Scene<'_>, operation: usize, link: usize) -> Result<Option<(Proof, usize)>, Stop> {
    let mut script = Script::default();
    script.send(Send::get(scene.target(operation), Voice::client(1)));
    let target = format!("${{0:href:{link}}}");
    let other = script.send(Send::get(&target, Voice::client(2)));
    let own = script.send(Send::get(&target, Voice::client(1)));
    let claims = vec![Claim::Status(other, 400, 499), Claim::Status(own, 200, 399)];
    let proof = scene.prove(script, claims, Mask::default())?;
    Ok(proof.map(|proof| (proof, own)))
}

fn script(
    scene: &Scene<'_>,
    operation: usize,
    probe: usize,
    before: usize,
) -> (Script, [usize; 4]) {
    let (one, two) = (Voice::client(1), Voice::client(2));
    let mut script = Script::default();
    script.send(Send::get(scene.target(operation), one));
    let first = script.send(Send::get(&format!("${{0:href:{probe}}}"), one));
    let between = script.send(Send::get(&format!("${{0:href:{before}}}"), one));
    let second = script.send(Send::get(&format!("${{0:href:{probe}}}"), one));
    let other = script.send(Send::get(scene.target(operation), two));
    let control = script.send(Send::get(&format!("${{{other}:href:{probe}}}"), two));
    (script, [first, between, second, control])
}

/// What two sessions without history differ in: the token itself.
fn token_mask(
    scene: &Scene<'_>,
    script: &Script,
    first: usize,
    control: usize,
) -> Result<Mask, Stop> {
    let mut mask = Mask::default();
    let played = scene.stage.play(script)?;
    if let (Some(own), Some(other)) = (played.response(first), played.response(control)) {
        mask.learn(own, other);
    }
    Ok(mask)
}
