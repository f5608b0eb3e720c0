//! MT-1: after many safe requests, known resources are what they were. A change is a warning where it
//! comes again whenever the requests do; one that came once may have been somebody else's.

use crate::{
    engine::{Carrier, Difference, Draft, Proof, Scene, Stop, cut, differences, shrink},
    finding::Level,
    script::{Claim, Script, Send, Voice},
};

/// Changes whose cause is searched for; each takes some hundred requests.
const SOUGHT_MAX: usize = 4;
const METHODS: [&str; 3] = ["GET", "HEAD", "GET"];

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let shown = dependent(scene)?;
    let readable = scene.readable();
    let before = answers(scene, &readable)?;
    scene.stage.play(&asked(scene, &scene.steady()))?;
    let after = answers(scene, &readable)?;
    let mut sought = 0;
    for (operation, (left, right)) in readable.iter().zip(before.into_iter().zip(after)) {
        let (Some(left), Some(right)) = (left, right) else {
            continue;
        };
        let mask = scene.mask(*operation);
        let found = differences(&left, &right);
        match found
            .into_iter()
            .find(|difference| !mask.covers(&difference.spot))
        {
            None => scene.fine(*operation),
            Some(_) if shown.contains(operation) => {}
            Some(difference) => file(scene, *operation, difference, &mut sought)?,
        }
    }
    Ok(())
}

/// Files what was proved already to change for everybody; whose answers these are.
fn dependent(scene: &Scene<'_>) -> Result<Vec<usize>, Stop> {
    let found = scene.dependences()?.iter();
    let mut shown = Vec::new();
    for found in found.filter(|found| found.carrier == Carrier::Anybody) {
        let summary = format!(
            "{} changes it for everybody, though GET is safe",
            scene.named(&found.history)
        );
        let draft = Draft::at(found.probe, summary).proof(found.proof.clone());
        scene.file(
            Level::Warn,
            draft.remembered(0, found.history.len(), Carrier::Anybody),
        );
        shown.push(found.probe);
    }
    Ok(shown)
}

/// Every safe method on some operations, by everybody.
fn asked(scene: &Scene<'_>, operations: &[usize]) -> Script {
    let mut script = Script::default();
    for method in METHODS {
        for operation in operations {
            let target = scene.target(*operation);
            script.send(Send::with(method, target, Voice::default()));
        }
    }
    script
}

/// A change that requests made. Numbers that move are counters of requests: worth knowing.
fn file(
    scene: &Scene<'_>,
    operation: usize,
    difference: Difference,
    sought: &mut usize,
) -> Result<(), Stop> {
    let without_digits = |text: &str| text.replace(|c: char| c.is_ascii_digit() || c == '.', "");
    let is_counter = without_digits(&difference.left) == without_digits(&difference.right);
    let is_metrics = difference.left.contains("# TYPE ");
    let (left, right) = (cut(&difference.left), cut(&difference.right));
    let summary = format!(
        "safe requests changed it: {} was {left}, now {right}",
        difference.spot
    );
    let mut draft = Draft::at(operation, summary);
    draft.spot = Some(difference.spot);
    if is_counter || is_metrics {
        scene.file(Level::Info, draft);
        return Ok(());
    }
    *sought += 1;
    let cause = if *sought <= SOUGHT_MAX {
        cause(scene, operation)?
    } else {
        None
    };
    match cause {
        Some((proof, last)) => {
            let draft = draft.proof(proof).remembered(1, last, Carrier::Anybody);
            scene.file(Level::Warn, draft);
        }
        None => scene.file(
            Level::Info,
            draft.detail("Seen once; the same requests sent again did not show it, so it may have been somebody else's doing."),
        ),
    }
    Ok(())
}

/// The fewest requests between two looks that change what is seen, each time; and the second look.
fn cause(scene: &Scene<'_>, operation: usize) -> Result<Option<(Proof, usize)>, Stop> {
    let mask = scene.mask(operation);
    let changes = |history: &[usize]| {
        let (script, claims, _) = changing(scene, operation, history);
        let played = scene.stage.play(&script)?;
        Ok(claims.iter().all(|claim| claim.holds(&played, &mask)))
    };
    let all = scene.steady();
    if !changes(&all)? {
        return Ok(None);
    }
    let (script, claims, last) = changing(scene, operation, &shrink(&all, changes)?);
    let proof = scene.prove(script, claims, mask.clone())?;
    Ok(proof.map(|proof| (proof, last)))
}

/// A look, safe requests, and another look.
fn changing(scene: &Scene<'_>, operation: usize, history: &[usize]) -> (Script, Vec<Claim>, usize) {
    let look = || Send::get(scene.target(operation), Voice::default());
    let mut script = Script::default();
    let first = script.send(look());
    script.0.extend(asked(scene, history).0);
    let last = script.send(look());
    let success = |step| Claim::Status(step, 200, 299);
    let claims = vec![success(first), success(last), Claim::Differ(first, last)];
    (script, claims, last)
}

fn answers(
    scene: &Scene<'_>,
    operations: &[usize],
) -> Result<Vec<Option<crate::http::Response>>, Stop> {
    let mut script = Script::default();
    for operation in operations {
        script.send(Send::get(scene.target(*operation), Voice::default()));
    }
    let played = scene.stage.play(&script)?;
    Ok((0..operations.len())
        .map(|step| played.response(step).cloned())
        .collect())
}
