//! What a stream leaves when its client is gone, for SB-1: streams that are opened and dropped, against
//! as many plain requests, at four doublings (see `growth`).
//!
//! Many servers notice late that nobody listens any more, when they next write. So what grew is waited
//! for; then as many streams are dropped once more. What a late server freed it takes again, and what an
//! allocator kept it uses again; only what is never given back grows a second time.
//!
//! Control of the control: streams that are held open must show in the memory that is read. Where they
//! don't, what is left of one would not either, and the check says "no power".

use super::{
    growth::{Arms, Growth, SMALL_BYTES, Weight, told, weigh},
    memory::{NO_MEMORY, one},
    stream::asked,
};
use crate::{
    engine::{Draft, Scene, Stop},
    finding::{Level, Measured},
    script::Voice,
};

/// The share of the memory check's clients that are streams here: a stream weighs more.
const SHARE: u32 = 4;
/// The streams of the last doubling, of the first one's.
const LAST: u32 = 8;
/// Streams that are held open at once, and the fewest that show something.
const HELD_MAX: u32 = 64;
const HELD_MIN: u32 = 4;

/// Measures what the streams of an operation leave; `are_named` where the server calls each by a name.
pub(super) fn run(scene: &Scene<'_>, operation: usize, are_named: bool) -> Result<(), Stop> {
    let Some(growth) = Growth::of(scene) else {
        scene.unshown(format!("what is left of a dropped stream: {NO_MEMORY}"));
        return Ok(());
    };
    let Some(plain) = scene.readable().first().copied() else {
        scene.unshown("what is left of a dropped stream: no operation can be the control");
        return Ok(());
    };
    let first = (scene.options.limits.memory_clients / SHARE).max(1);
    let arms = Arms {
        each: "dropped stream",
        arm: &|count| dropped(scene, operation, count),
        against: "plain requests",
        control: &|count| one(scene, plain, count),
    };
    let start = growth.settled()?;
    let measured = growth.measure(first, &arms)?;
    match weigh(&measured) {
        Weight::Grows => {
            let count = first * LAST;
            let stays = stays(scene, growth, &measured, start, || (arms.arm)(count))?;
            file(scene, operation, &measured, stays, are_named);
        }
        Weight::Hidden => scene.unshown(format!(
            "what is left of a dropped stream: no power: {}, so {SMALL_BYTES} bytes could hide in it",
            told(&measured)
        )),
        Weight::Flat => nothing(scene, growth, operation, measured)?,
    }
    Ok(())
}

/// Opens as many streams one after another, and leaves each as soon as it has begun.
fn dropped(scene: &Scene<'_>, operation: usize, count: u32) -> Result<(), Stop> {
    for _ in 0..count {
        drop(
            scene
                .stage
                .open(&asked(scene, operation, Voice::default()))?,
        );
    }
    Ok(())
}

/// Whether what grew stays: it does not fall in time, and grows once more with the largest step.
fn stays(
    scene: &Scene<'_>,
    growth: Growth<'_, '_>,
    measured: &Measured,
    start: f64,
    again: impl FnOnce() -> Result<(), Stop>,
) -> Result<bool, Stop> {
    let within = scene.options.limits.reaping;
    let half = |count: f64| measured.slope * count / 2.0;
    let all: f64 = measured.points.iter().map(|(count, _, _)| count).sum();
    let (left, _) = growth.falls_to(start + half(all), within)?;
    again()?;
    let last = measured.points.last().map_or(0.0, |(count, _, _)| *count);
    let (_, has_fallen) = growth.falls_to(left + half(last), within)?;
    Ok(!has_fallen)
}

fn file(scene: &Scene<'_>, operation: usize, measured: &Measured, stays: bool, are_named: bool) {
    let text = told(measured);
    let (level, summary) = match (stays, are_named) {
        (true, true) => (
            Level::Bad,
            format!("what a named stream holds stays when its client is gone: {text}"),
        ),
        (true, false) => (
            Level::Warn,
            format!("something stays of each stream whose client is gone: {text}"),
        ),
        (false, _) => (
            Level::Info,
            format!("a stream is forgotten some time after its client is gone: {text}, given back"),
        ),
    };
    let draft = Draft::at(operation, summary);
    scene.file(
        level,
        Draft {
            measured: Some(measured.clone()),
            ..draft
        },
    );
}

/// Files that nothing is left, if streams could be seen at all.
fn nothing(
    scene: &Scene<'_>,
    growth: Growth<'_, '_>,
    operation: usize,
    measured: Measured,
) -> Result<(), Stop> {
    let before = growth.settled()?;
    let mut held = Vec::new();
    let mut count = 0;
    while count < HELD_MAX {
        match scene.stage.open(&asked(scene, operation, Voice::default())) {
            Ok(opened) => held.push(opened),
            Err(stop) if stop.is_final() => return Err(stop),
            Err(_) => break,
        }
        count += 1;
    }
    let during = growth.settled()?;
    drop(held);
    if count < HELD_MIN || during - before < SMALL_BYTES * f64::from(count) {
        scene.unshown(format!(
            "what is left of a dropped stream: no power: {count} open streams don't show in the memory that is read"
        ));
        return Ok(());
    }
    let summary = format!(
        "nothing stays of a stream whose client is gone: {}",
        told(&measured)
    );
    let draft = Draft::at(operation, summary);
    scene.file(
        Level::Good,
        Draft {
            measured: Some(measured),
            ..draft
        },
    );
    Ok(())
}
