//! RP-2: a restart between a step and the next. A lost resource is a matter of durability; a lost
//! token, cursor, tag or session is one of state.

use crate::{
    engine::{Carrier, Dependence, Draft, Mask, Scene, Stop, shown},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Operations that are followed up one by one, with a restart for each play.
const FOLLOWED_MAX: usize = 6;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if scene.stage.restart.is_none() {
        scene.unshown("needs --restart-cmd CMD: how the service is restarted");
        return Ok(());
    }
    let mut followed = 0;
    for operation in changed(scene)? {
        followed += 1;
        if followed > FOLLOWED_MAX {
            scene.unshown("more operations changed than were followed up");
            break;
        }
        across(scene, operation)?;
    }
    for found in scene.dependences()?.iter().take(FOLLOWED_MAX) {
        forgotten(scene, found)?;
    }
    Ok(())
}

/// Operations whose answer is another one after a restart.
fn changed(scene: &Scene<'_>) -> Result<Vec<usize>, Stop> {
    let readable = scene.readable();
    let mut script = Script::default();
    let ask = |script: &mut Script| {
        for operation in &readable {
            script.send(Send::get(scene.target(*operation), Voice::default()));
        }
    };
    ask(&mut script);
    script.restart();
    let offset = script.0.len();
    ask(&mut script);
    let played = scene.stage.play(&script)?;
    let mut changed = Vec::new();
    for (step, operation) in readable.iter().enumerate() {
        let differs = Claim::Differ(step, offset + step).holds(&played, &scene.mask(*operation));
        // An earlier check may have restarted the service: then it is refused already.
        let is_lost = Claim::NotStatus(step, 200, 299).holds(&played, &scene.mask(*operation));
        if differs || is_lost {
            changed.push(*operation);
        } else {
            scene.fine(*operation);
        }
    }
    Ok(changed)
}

/// One operation across a restart. Where its URL was issued by another answer, the URL is taken
/// from there anew in each play.
fn across(scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
    let mask = scene.mask(operation);
    let target = issued(scene, operation);
    let mut script = Script::default();
    let voice = Voice::default();
    let target = match &target {
        Some((parent, place)) => {
            script.send(Send::get(scene.target(*parent), voice));
            format!("${{0:href:{place}}}")
        }
        None => scene.target(operation).to_owned(),
    };
    let before = script.send(Send::get(&target, voice));
    script.restart();
    let after = script.send(Send::get(&target, voice));
    let claims = vec![
        Claim::Status(before, 200, 299),
        Claim::Differ(before, after),
    ];
    let Some(proof) = scene.prove(script, claims, mask.clone())? else {
        return durability(scene, operation);
    };
    let refused = proof
        .played
        .response(after)
        .is_some_and(|answer| !answer.is_success());
    let is_token = looks_issued(scene.target(operation));
    let only_tag = !Claim::BodyDiffers(before, after).holds(&proof.played, &mask);
    let (level, what) = match (refused, is_token, only_tag) {
        (true, true, _) => (
            Level::Bad,
            "a restart makes a URL that the service issued worthless",
        ),
        (false, _, true) => (
            Level::Bad,
            "the same representation has other fields after a restart",
        ),
        _ => (
            Level::Info,
            "a restart loses or changes a resource: a matter of durability",
        ),
    };
    let summary = format!("{what} ({})", shown(&proof));
    let draft = Draft::at(operation, summary)
        .proof(proof)
        .remembered(0, before, Carrier::Process);
    scene.file(level, draft);
    Ok(())
}

fn durability(scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
    let summary = "its answer was another one after a restart, once: it was lost, or moved";
    scene.file(Level::Info, Draft::at(operation, summary));
    Ok(())
}

/// The answer in which a URL was found, and its place among the links there.
fn issued(scene: &Scene<'_>, operation: usize) -> Option<(usize, usize)> {
    let parent = scene.corpus.operations.get(operation)?.found_in?;
    let target = scene.target(operation);
    let name = |target: &str| {
        target
            .split(['?', ';'])
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    let origin = &scene.stage.replicas.first()?.origin;
    let baseline = scene.baseline(parent)?;
    let links = crate::corpus::links::all(&baseline.response);
    let place = links.iter().position(|link| {
        let resolved = crate::http::resolve(origin, scene.target(parent), link);
        resolved.is_some_and(|resolved| name(&resolved) == name(target))
    })?;
    Some((parent, place))
}

/// Whether a URL carries something that only its issuer could make.
fn looks_issued(target: &str) -> bool {
    let parts = target.split(['/', '?', '&', ';', '=']);
    parts.into_iter().any(|part| {
        let digits = part.chars().filter(char::is_ascii_digit).count();
        part.len() >= 12 && digits >= 2
    })
}

/// What was remembered before a restart, and is not after it.
fn forgotten(scene: &Scene<'_>, found: &Dependence) -> Result<(), Stop> {
    if found.carrier == Carrier::Anybody {
        return Ok(());
    }
    let voice = Voice::stranger(1);
    let mut script = Script::default();
    for operation in &found.history {
        script.send(Send::get(scene.target(*operation), voice));
    }
    let target = scene.target(found.probe);
    let before = script.send(Send::get(target, voice));
    script.restart();
    let after = script.send(Send::get(target, voice));
    let mask: Mask = scene.mask(found.probe);
    if let Some(proof) = scene.prove(script, vec![Claim::Differ(before, after)], mask)? {
        let summary = format!(
            "a restart forgets what {} carried ({})",
            found.carrier,
            shown(&proof)
        );
        let draft = Draft::at(found.probe, summary).proof(proof).remembered(
            0,
            before,
            found.carrier.clone(),
        );
        scene.file(Level::Bad, draft);
    }
    Ok(())
}
