//! OR-1: the safe operations in random orders. An answer that depends on the order depends on
//! history, and something carries that history.

use crate::{
    check::rewind,
    engine::{Carrier, Dependence, Draft, Scene, Stop, differences, shown},
    finding::Level,
    random::Random,
    script::{Script, Send, Voice},
};

/// Orders that are tried, beside the cold baseline.
const ORDERS: u32 = 4;
/// Answers whose dependence is followed up; what shows in more shows the same.
const FOLLOWED_MAX: usize = 8;

/// Finds the answers that depend on what was asked before.
pub(crate) fn survey(scene: &Scene<'_>) -> Result<Vec<Dependence>, Stop> {
    let mut found: Vec<Dependence> = Vec::new();
    let candidates = candidates(scene)?;
    for (probe, seen) in candidates.iter().take(FOLLOWED_MAX) {
        if let Some(mut dependence) = Dependence::search(scene, *probe, seen)? {
            if matches!(dependence.carrier, Carrier::Cookie(_)) {
                dependence.rewound = rewind::prove(scene, &dependence)?;
            }
            found.push(dependence);
        }
    }
    Ok(found)
}

/// Operations whose answer differed in some order, with what was asked before it there.
fn candidates(scene: &Scene<'_>) -> Result<Vec<(usize, Vec<usize>)>, Stop> {
    let steady = scene.steady();
    let mut random = Random::seeded(scene.options.seed ^ 0x9e37_79b9_7f4a_7c15);
    let mut found: Vec<(usize, Vec<usize>)> = Vec::new();
    let mut answers: Vec<Option<crate::http::Response>> = vec![None; scene.corpus.operations.len()];
    for _ in 0..ORDERS {
        let mut order = random.shuffled(&steady);
        order.extend(random.shuffled(&steady));
        let mut script = Script::default();
        for operation in &order {
            script.send(Send::get(scene.target(*operation), Voice::client(1)));
        }
        let played = scene.stage.play(&script)?;
        for (step, operation) in order.iter().enumerate() {
            let (Some(answer), Some(baseline)) =
                (played.response(step), scene.baseline(*operation))
            else {
                continue;
            };
            let known = answers.get(*operation).and_then(Option::as_ref);
            let others = [Some(&baseline.response), known];
            let is_other = others.into_iter().flatten().any(|other| {
                let differs = differences(other, answer);
                differs
                    .iter()
                    .any(|difference| !baseline.mask.covers(&difference.spot))
            });
            let is_new = found.iter().all(|(known, _)| known != operation);
            if is_other && is_new {
                found.push((*operation, order.get(..step).unwrap_or_default().to_vec()));
            }
            if let Some(slot) = answers.get_mut(*operation) {
                *slot = Some(answer.clone());
            }
        }
    }
    Ok(found)
}

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let dependences = scene.dependences()?;
    for operation in scene.steady() {
        if dependences.iter().all(|found| found.probe != operation) {
            scene.fine(operation);
        }
    }
    for found in dependences {
        file(scene, found);
    }
    Ok(())
}

fn file(scene: &Scene<'_>, found: &Dependence) {
    let before = scene.named(&found.history);
    let shown = shown(&found.proof);
    let level = match &found.carrier {
        // Resource state: whoever asks sees it. MT-1 looks after safe methods that change it.
        Carrier::Anybody => Level::Info,
        Carrier::Cookie(_) if found.rewound.is_none() => Level::Info,
        Carrier::Credential if scene.options.bearer2.is_none() => Level::Warn,
        _ => Level::Bad,
    };
    let summary = match &found.carrier {
        Carrier::Anybody => {
            format!("after {before} everybody sees another answer: resource state ({shown})")
        }
        carrier => {
            format!("the answer shows that {before} was asked before, through {carrier} ({shown})")
        }
    };
    let at = found.history.len();
    let draft = Draft::at(found.probe, summary)
        .detail(detail(found))
        .proof(found.proof.clone())
        .remembered(0, at, found.carrier.clone());
    scene.file(level, draft);
}

fn detail(found: &Dependence) -> &'static str {
    match &found.carrier {
        Carrier::Cookie(_) if found.rewound.is_none() => {
            "The cookie holds the state itself: an older cookie brings the older answer back."
        }
        Carrier::Credential => {
            "Requests of one user change what this user is answered. Without a second user's credentials this can't be told from a resource of the user's own."
        }
        _ => {
            "Two histories alternate, each by a client that never spoke before; the answer follows the history."
        }
    }
}
