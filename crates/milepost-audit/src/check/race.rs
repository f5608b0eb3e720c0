//! CA-5: writers with one entity tag, released together by their last bytes. At most one may win.
//!
//! The control: the same race without a tag that could be stale must lose updates. Where it
//! doesn't, the writers were never there at the same time, and the check says "no power".

use crate::{
    check::NO_SANDBOX,
    engine::{Draft, Mask, Proof, Scene, Stop},
    finding::Level,
    sandbox::Sandbox,
    script::{Claim, Played, Script, Send, Voice},
};

/// How often the race is run: one lost update is enough.
const ROUNDS: u32 = 12;
const GROUP: u32 = 1;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(sandbox) = &scene.sandbox else {
        scene.unshown(NO_SANDBOX);
        return Ok(());
    };
    let subject = format!("PUT {}/…", sandbox.path);
    let Some(power) = control(scene, sandbox)? else {
        scene.unshown(
            "no power: without a tag the racing writers lost no update, or were all refused",
        );
        return Ok(());
    };
    let (script, after) = race(scene, sandbox, |read| Some(format!("${{{read}:etag}}")));
    let mut usurped = 0;
    let claims = vec![Claim::MoreSucceed(GROUP, 1)];
    let mut lost = 0;
    let mut last = None;
    let mut winners = 0;
    for _ in 0..ROUNDS {
        let played = match scene.stage.play(&script) {
            Err(Stop::Missing(_)) => {
                scene.unshown("no entity tag is offered, so there is none to race for");
                return Ok(());
            }
            played => played?,
        };
        winners += played.successes(GROUP);
        usurped += u32::from(is_usurped(sandbox, &played, after));
        if claims
            .iter()
            .all(|claim| claim.holds(&played, &Mask::default()))
        {
            lost += 1;
            last = Some(played);
        }
    }
    let racers = scene.options.limits.racers;
    if usurped > 0 {
        let summary = format!(
            "one writer was told that it won, and another one's version stands ({usurped} of {ROUNDS} rounds)"
        );
        scene.file(Level::Warn, Draft::about(&subject, summary));
    }
    match last {
        Some(played) => {
            let summary = format!(
                "of {racers} writers with one entity tag several succeed ({lost} of {ROUNDS} rounds): updates are lost"
            );
            let proof = Proof {
                script,
                claims,
                mask: Mask::default(),
                held: lost,
                of: ROUNDS,
                played,
                is_decisive: true,
            };
            let detail = "The tag is compared before the write and not with it. Two successes with one parent can't both have been the next version.";
            scene.file(
                Level::Bad,
                Draft::about(subject, summary).detail(detail).proof(proof),
            );
        }
        None => {
            let summary = format!(
                "of {racers} writers with one entity tag at most one wins ({winners} winners in {ROUNDS} rounds; the control without tag had {power} in one)"
            );
            scene.file(Level::Good, Draft::about(subject, summary));
        }
    }
    Ok(())
}

/// Whether the version that stands at the end is another one's than the only winner's.
fn is_usurped(sandbox: &Sandbox, played: &Played, after: usize) -> bool {
    let racing = played.exchanges.iter().flatten();
    let racing: Vec<bool> = racing
        .filter(|exchange| exchange.together == Some(GROUP))
        .map(|exchange| exchange.response.is_success())
        .collect();
    let (Some(standing), 1) = (played.response(after), played.successes(GROUP)) else {
        return false;
    };
    // A racer whose answer was lost may have won: then nothing can be told.
    let is_whole = played.exchanges.iter().all(Option::is_some);
    let shown = |version: u32| sandbox.shows(standing, version);
    let mut versions = (1..).zip(&racing);
    let winner = versions.find(|(_, won)| **won).map(|(version, _)| version);
    let others = (1..).zip(&racing).filter(|(_, won)| !**won);
    let stands = others
        .map(|(version, _)| version)
        .any(|version| shown(version) == Some(true));
    is_whole && stands && winner.and_then(shown) == Some(false)
}

/// How many win without a tag that could be stale; `None` where the control detects nothing.
fn control(scene: &Scene<'_>, sandbox: &Sandbox) -> Result<Option<usize>, Stop> {
    for condition in [None, Some("*".to_owned())] {
        let (script, _) = race(scene, sandbox, |_| condition.clone());
        let winners = scene.stage.play(&script)?.successes(GROUP);
        if winners > 1 {
            return Ok(Some(winners));
        }
    }
    Ok(None)
}

fn race(
    scene: &Scene<'_>,
    sandbox: &Sandbox,
    condition: impl Fn(usize) -> Option<String>,
) -> (Script, usize) {
    let mut script = Script::default();
    let voice = Voice::client(1);
    let made = sandbox.create(&mut script, voice, scene.stage.wire, 0);
    let read = script.send(Send::get(&made.target, voice));
    for racer in 1..=scene.options.limits.racers.clamp(2, 16) {
        let mut send = Send::with("PUT", &made.target, Voice::client(racer + 1))
            .body(&sandbox.media_type, &sandbox.body(racer))
            .together(GROUP);
        if let Some(condition) = condition(read) {
            send = send.field("if-match", &condition);
        }
        script.send(send);
    }
    let after = script.send(Send::get(&made.target, voice));
    (script, after)
}
