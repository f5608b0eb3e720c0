//! MM-1: does memory grow with the number of clients? Many clients with one request each, against
//! one client with as many requests, at four doublings.
//!
//! Problem: allocators, caches and warm-up grow too. Choice: what both arms do in the same way
//! cancels out (difference in differences), and the slope over the doublings is given with a 95 %
//! interval. Power: where the interval is so wide that a small session (256 bytes) would hide in
//! it, the check says "no power" and never "pass".

use std::fs;

use crate::{
    engine::{Draft, Scene, Stop},
    finding::{Level, Measured},
    http::Place,
    options::Memory,
    script::{Script, Send, Voice},
};

/// Doublings.
const STEPS: u32 = 4;
/// Bytes of the smallest session that must not be overlooked.
const SESSION_BYTES: f64 = 256.0;
/// Quantile 0.975 of Student's t with three degrees of freedom.
const T_OF_THREE: f64 = 3.182;
/// Requests of one play.
const BATCH: u32 = 200;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    let Some(memory) = &scene.options.memory else {
        scene.unshown(
            "needs --pid N or --metrics URL#gauge: where the service's memory can be read",
        );
        return Ok(());
    };
    let Some(operation) = scene.readable().first().copied() else {
        scene.unshown("no operation can be asked again and again");
        return Ok(());
    };
    let first = scene.options.limits.memory_clients;
    // Both arms warm up, so that neither pays for what is made once.
    arm(scene, operation, first / 2 + 1, true)?;
    arm(scene, operation, first / 2 + 1, false)?;
    let mut points = Vec::new();
    for step in 0..STEPS {
        let count = first << step;
        let start = bytes(scene, memory)?;
        arm(scene, operation, count, false)?;
        let middle = bytes(scene, memory)?;
        arm(scene, operation, count, true)?;
        let end = bytes(scene, memory)?;
        points.push((f64::from(count), end - middle, middle - start));
    }
    file(scene, operation, &slope(points));
    Ok(())
}

fn file(scene: &Scene<'_>, operation: usize, measured: &Measured) {
    let (slope, low, high) = (measured.slope, measured.low, measured.high);
    let text = format!("{slope:.0} bytes a client (95 %: {low:.0} to {high:.0})");
    let half = (high - low) / 2.0;
    let carries = !super::cookie::setters(scene).is_empty();
    let draft = |summary: String| Draft {
        measured: Some(measured.clone()),
        ..Draft::at(operation, summary)
    };
    if low > 0.0 && slope >= 16.0 {
        let level = if carries { Level::Bad } else { Level::Warn };
        scene.file(
            level,
            draft(format!("memory grows with the number of clients: {text}")),
        );
    } else if half > SESSION_BYTES {
        scene.unshown(format!(
            "no power: {text}, so a session of {SESSION_BYTES} bytes could hide in it"
        ));
    } else {
        scene.file(
            Level::Good,
            draft(format!(
                "memory does not grow with the number of clients: {text}"
            )),
        );
    }
}

/// Sends as many requests, by as many clients or by one.
fn arm(scene: &Scene<'_>, operation: usize, count: u32, many: bool) -> Result<(), Stop> {
    let target = scene.target(operation);
    // One client, who opens as many connections as many clients do.
    let one = Voice::client(1).over(0);
    let mut left = count;
    let mut walk = scene.stage.walk();
    while left > 0 {
        let batch = left.min(BATCH);
        left -= batch;
        if many {
            let mut script = Script::default();
            for client in 1..=batch {
                // An identity of its own in everything but the credentials.
                let voice = Voice {
                    connection: 0,
                    ..Voice::stranger(client)
                };
                script.send(Send::get(target, voice));
            }
            scene.stage.play(&script)?;
        } else {
            for _ in 0..batch {
                walk.ask(&Send::get(target, one))?;
            }
        }
    }
    Ok(())
}

/// The service's memory, in bytes.
fn bytes(scene: &Scene<'_>, memory: &Memory) -> Result<f64, Stop> {
    match memory {
        Memory::Process(pid) => proportional(*pid).ok_or(Stop::Missing(
            "the process's memory can't be read (/proc/PID/smaps_rollup)",
        )),
        Memory::Gauge { url, name } => gauge(scene, url, name),
    }
}

/// The proportional set size.
fn proportional(pid: u32) -> Option<f64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: f64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn gauge(scene: &Scene<'_>, url: &str, name: &str) -> Result<f64, Stop> {
    let malformed = Stop::Missing("--metrics is no URL#gauge");
    let place = Place::parse(url).map_err(|_wrong| malformed)?;
    let request = crate::http::Request {
        method: "GET".to_owned(),
        target: place.target,
        fields: crate::http::Fields::default(),
        body: None,
    };
    let (exchange, _connection) =
        scene
            .stage
            .wire
            .send(None, &place.origin, &crate::http::Way::default(), &request)?;
    let text = exchange.response.text();
    let value = text.lines().find_map(|line| {
        line.strip_prefix(name)?
            .strip_prefix(' ')?
            .trim()
            .parse()
            .ok()
    });
    value.ok_or(Stop::Missing("the metrics have no such gauge"))
}

/// The slope through the origin of the differences over the counts, and its interval.
fn slope(points: Vec<(f64, f64, f64)>) -> Measured {
    let squares: f64 = points.iter().map(|(count, _, _)| count * count).sum();
    let products: f64 = points
        .iter()
        .map(|(count, many, one)| count * (many - one))
        .sum();
    let slope = products / squares;
    let rest: f64 = points
        .iter()
        .map(|(count, many, one)| (many - one - slope * count).powi(2))
        .sum();
    let error = (rest / f64::from(STEPS - 1) / squares).sqrt();
    let half = T_OF_THREE * error;
    Measured {
        points,
        slope,
        low: slope - half,
        high: slope + half,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_found_beside_growth_that_both_arms_have() {
        let points = [1_000.0, 2_000.0, 4_000.0, 8_000.0]
            .map(|count| (count, count * 300.0 + 5_000.0, 5_100.0));
        let measured = slope(points.to_vec());
        assert!(
            measured.low > 250.0 && measured.high < 350.0,
            "{measured:?}"
        );
        let flat = slope(
            [1_000.0, 2_000.0, 4_000.0, 8_000.0]
                .map(|count| (count, 4_096.0, 4_000.0))
                .to_vec(),
        );
        assert!(flat.low <= 0.0 || flat.slope < 16.0, "{flat:?}");
    }
}
