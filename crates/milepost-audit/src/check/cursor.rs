//! PG-3: cursors that are keys. A short one that differs for each client, and one that a client has
//! to DELETE when it has read enough: either stands for something that the server keeps.

use super::pages::lists;
use crate::{
    corpus::{Description, links},
    engine::{Draft, Mask, Proof, Scene, Stop},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Relations and path segments that name a cursor.
const NAMES: &[&str] = &["cursor", "cursors", "scroll", "_scroll", "scrolls"];
/// Members in which lists give a cursor away.
const MEMBERS: &[&str] = &[
    "scroll_id",
    "_scroll_id",
    "scrollId",
    "cursor_id",
    "cursorId",
    "cursor",
];
/// Answers with a cursor that are looked at.
const CURSORS_MAX: usize = 6;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let lists = lists(scene);
    let cursors = cursors(scene);
    if lists.is_empty() && cursors.is_empty() {
        scene.unshown("not applicable: no answer links to a next page or holds a cursor");
    }
    for list in lists {
        if !short(scene, list)? {
            scene.fine(list);
        }
    }
    for (operation, value) in cursors {
        if !deleted(scene, operation, &value)? {
            scene.fine(operation);
        }
    }
    Ok(())
}

/// Two clients ask one list.
fn asked(scene: &Scene<'_>, list: usize) -> Script {
    let mut script = Script::default();
    for client in 1..=2 {
        script.send(Send::get(scene.target(list), Voice::client(client)));
    }
    script
}

/// That both are answered, and a value differs.
fn differs(value: &str) -> Vec<Claim> {
    vec![
        Claim::Status(0, 200, 299),
        Claim::Status(1, 200, 299),
        Claim::ValueDiffers(0, 1, value.to_owned()),
    ]
}

fn short(scene: &Scene<'_>, list: usize) -> Result<bool, Stop> {
    let proof = scene.prove(asked(scene, list), differs("link:next"), Mask::default())?;
    let Some(proof) = proof else {
        return Ok(false);
    };
    let next = |step: usize| links::named(proof.played.response(step)?, "next");
    let (Some(one), Some(two)) = (next(0), next(1)) else {
        return Ok(false);
    };
    let is_short = token(&one, &two).is_some_and(|token| (6..40).contains(&token.len()));
    if is_short {
        let summary = format!(
            "each client is given another short cursor ({one}, {two}): too short to hold the position, so it is a key"
        );
        let draft = Draft::at(list, summary)
            .detail("An encrypted token would be longer; PG-1 and PG-2 follow it.");
        scene.file(Level::Warn, draft.proof(proof));
    }
    Ok(is_short)
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

/// Operations whose answers hold a cursor, and where: a link or a member.
fn cursors(scene: &Scene<'_>) -> Vec<(usize, String)> {
    let value = |operation: usize| {
        let known = scene.baseline(operation)?;
        let response = &known.response;
        if !response.is_success() {
            return None;
        }
        let link = NAMES.iter().find(|name| links::linked(response, name));
        let link = link.map(|name| format!("link:{name}"));
        link.or_else(|| {
            let document = response.json()?;
            let member = MEMBERS.iter().find(|name| {
                let value = document.get(**name);
                value.is_some_and(|value| value.is_string() || value.is_u64())
            })?;
            Some(format!("json:/{member}"))
        })
    };
    let found = scene.corpus.safe();
    found
        .filter_map(|operation| Some((operation, value(operation)?)))
        .take(CURSORS_MAX)
        .collect()
}

/// Whether a cursor is another one each time, and something to be deleted.
fn deleted(scene: &Scene<'_>, operation: usize, value: &str) -> Result<bool, Stop> {
    let described = scene.corpus.description.as_ref().and_then(deletion);
    let allowed = match (&described, value.starts_with("link:")) {
        (Some(_), _) => None,
        (None, true) => Some(value),
        // Nothing says what could be deleted.
        (None, false) => return Ok(false),
    };
    let Some(proof) = kept(scene, operation, value, allowed)? else {
        return Ok(false);
    };
    let by = described.unwrap_or_else(|| "DELETE, which the cursor itself allows".to_owned());
    let summary = format!(
        "each time it is asked it gives another cursor, to be given back by {by}: needed only where the server keeps it"
    );
    let draft = Draft::at(operation, summary)
        .detail("A link that holds position and filter needs no end, and nobody can forget it.");
    scene.file(Level::Warn, draft.proof(proof));
    Ok(true)
}

/// That each answer holds another cursor; and where nothing describes it, that it allows DELETE.
fn kept(
    scene: &Scene<'_>,
    operation: usize,
    value: &str,
    allowed: Option<&str>,
) -> Result<Option<Proof>, Stop> {
    let mut script = asked(scene, operation);
    let mut claims = differs(value);
    if let Some(link) = allowed {
        let target = format!("${{1:{link}}}");
        let step = script.send(Send::with("OPTIONS", &target, Voice::client(2)));
        claims.push(Claim::Lists(step, "allow".to_owned(), "DELETE".to_owned()));
    }
    scene.prove(script, claims, Mask::default())
}

/// The described operation that deletes a cursor.
fn deletion(description: &Description) -> Option<String> {
    let operations = description.operations();
    let found = operations.iter().find(|operation| {
        let path = operation.path.to_ascii_lowercase();
        let named = path.split('/').any(|segment| NAMES.contains(&segment));
        named && operation.method == "DELETE"
    })?;
    Some(found.label())
}
