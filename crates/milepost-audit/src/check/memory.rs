//! MM-1: does memory grow with the number of clients? Many clients with one request each, against
//! one client with as many requests, at four doublings. How that is weighed: see `growth`.

use super::growth::{Arms, Growth, SMALL_BYTES, Weight, told, weigh};
use crate::{
    engine::{Draft, Scene, Stop},
    finding::{Level, Measured},
    script::{Script, Send, Voice},
};

/// Requests of one play.
const BATCH: u32 = 200;
/// Said by every check that measures, where it can't.
pub(super) const NO_MEMORY: &str =
    "needs --pid N or --metrics URL#gauge: where the service's memory can be read";

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(growth) = Growth::of(scene) else {
        scene.unshown(NO_MEMORY);
        return Ok(());
    };
    let Some(operation) = scene.readable().first().copied() else {
        scene.unshown("no operation can be asked again and again");
        return Ok(());
    };
    let arms = Arms {
        each: "client",
        arm: &|count| many(scene, operation, count),
        against: "one client",
        control: &|count| one(scene, operation, count),
    };
    let measured = growth.measure(scene.options.limits.memory_clients, &arms)?;
    file(scene, operation, &measured);
    Ok(())
}

fn file(scene: &Scene<'_>, operation: usize, measured: &Measured) {
    let text = told(measured);
    let carries = !super::cookie::setters(scene).is_empty();
    let draft = |summary: String| Draft {
        measured: Some(measured.clone()),
        ..Draft::at(operation, summary)
    };
    match weigh(measured) {
        Weight::Grows => {
            let level = if carries { Level::Bad } else { Level::Warn };
            let summary = format!("memory grows with the number of clients: {text}");
            scene.file(level, draft(summary));
        }
        Weight::Hidden => scene.unshown(format!(
            "no power: {text}, so a session of {SMALL_BYTES} bytes could hide in it"
        )),
        Weight::Flat => {
            let summary = format!("memory does not grow with the number of clients: {text}");
            scene.file(Level::Good, draft(summary));
        }
    }
}

/// One client, who opens as many connections as many clients do.
pub(super) fn one(scene: &Scene<'_>, operation: usize, count: u32) -> Result<(), Stop> {
    let voice = Voice::client(1).over(0);
    let mut walk = scene.stage.walk();
    for _ in 0..count {
        walk.ask(&Send::get(scene.target(operation), voice))?;
    }
    Ok(())
}

/// Clients with one request each, and an identity of their own in everything but the credentials.
fn many(scene: &Scene<'_>, operation: usize, count: u32) -> Result<(), Stop> {
    let mut left = count;
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        let mut script = Script::default();
        for client in 1..=batch {
            let voice = Voice::stranger(client).over(0);
            script.send(Send::get(scene.target(operation), voice));
        }
        scene.stage.play(&script)?;
    }
    Ok(())
}
