//! MT-1: after many safe requests, known resources are what they were.

use crate::{
    engine::{Carrier, Difference, Draft, Scene, Stop, cut, differences},
    finding::Level,
    script::{Script, Send, Voice},
};

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let readable = scene.readable();
    let before = answers(scene, &readable)?;
    let mut script = Script::default();
    for method in ["GET", "HEAD", "GET"] {
        for operation in scene.steady() {
            script.send(Send::with(
                method,
                scene.target(operation),
                Voice::default(),
            ));
        }
    }
    scene.stage.play(&script)?;
    let after = answers(scene, &readable)?;
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
            Some(difference) => file(scene, *operation, difference),
        }
    }
    for found in scene
        .dependences()?
        .iter()
        .filter(|found| found.carrier == Carrier::Anybody)
    {
        let summary = format!(
            "{} changes it for everybody, though GET is safe",
            scene.named(&found.history)
        );
        let draft = Draft::at(found.probe, summary).proof(found.proof.clone());
        scene.file(
            Level::Warn,
            draft.remembered(0, found.history.len(), Carrier::Anybody),
        );
    }
    Ok(())
}

/// A change that requests made. Numbers that move are counters of requests: worth knowing.
fn file(scene: &Scene<'_>, operation: usize, difference: Difference) {
    let without_digits = |text: &str| text.replace(|c: char| c.is_ascii_digit() || c == '.', "");
    let is_counter = without_digits(&difference.left) == without_digits(&difference.right);
    let is_metrics = difference.left.contains("# TYPE ");
    let level = if is_counter || is_metrics {
        Level::Info
    } else {
        Level::Warn
    };
    let (left, right) = (cut(&difference.left), cut(&difference.right));
    let summary = format!(
        "safe requests changed it: {} was {left}, now {right}",
        difference.spot
    );
    let draft = Draft::at(operation, summary);
    scene.file(
        level,
        Draft {
            spot: Some(difference.spot),
            ..draft
        },
    );
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
