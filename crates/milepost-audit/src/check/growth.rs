//! Memory that grows with a count of something: an arm that makes so many, against a control of as many
//! requests that leave nothing behind, at four doublings.
//!
//! Problem: allocators, caches and warm-up grow too. Choice: what both arms do in the same way cancels
//! out (difference in differences), and the slope over the doublings is given with a 95 % interval.
//! Power: where the interval is so wide that something small (256 bytes) would hide in it, nothing is
//! said.

use std::{fs, time::Duration};

use crate::{
    engine::{Scene, Stop},
    finding::Measured,
    http::{Fields, Place, Request, Way},
    options::Memory,
};

/// Doublings.
const STEPS: u32 = 4;
/// Bytes of the smallest thing that must not be overlooked.
pub(super) const SMALL_BYTES: f64 = 256.0;
/// Bytes for each that are no accident of how an allocator rounds.
const LEAST_BYTES: f64 = 16.0;
/// Quantile 0.975 of Student's t with three degrees of freedom.
const T_OF_THREE: f64 = 3.182;
/// The pause between two readings.
const PAUSE: Duration = Duration::from_millis(25);
/// So many readings in a row that fall no further are a rest.
const RESTING: u32 = 3;
/// Readings after which is waited no longer.
const READINGS_MAX: u32 = 40;

/// Sends as many requests as it is told.
type Arm<'g> = &'g dyn Fn(u32) -> Result<(), Stop>;

/// What is counted, and what it is compared with.
pub(super) struct Arms<'g> {
    /// One of what is counted.
    pub(super) each: &'static str,
    pub(super) arm: Arm<'g>,
    /// Where the control's requests come from.
    pub(super) against: &'static str,
    pub(super) control: Arm<'g>,
}

/// What a measurement says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    /// Memory grows with the count.
    Grows,
    /// It may, and nobody could see it.
    Hidden,
    /// It does not.
    Flat,
}

/// The service's memory, as it can be read.
#[derive(Clone, Copy)]
pub(super) struct Growth<'g, 's> {
    scene: &'g Scene<'s>,
    memory: &'g Memory,
}

impl<'g, 's> Growth<'g, 's> {
    /// Where memory can be read.
    pub(super) fn of(scene: &'g Scene<'s>) -> Option<Self> {
        let memory = scene.options.memory.as_ref()?;
        Some(Self { scene, memory })
    }

    /// Runs the arms in turns, from `first` on.
    pub(super) fn measure(self, first: u32, arms: &Arms<'_>) -> Result<Measured, Stop> {
        // Both arms warm up, so that neither pays for what is made once.
        (arms.arm)(first / 2 + 1)?;
        (arms.control)(first / 2 + 1)?;
        let mut points = Vec::new();
        for step in 0..STEPS {
            let count = first << step;
            let start = self.settled()?;
            (arms.control)(count)?;
            let middle = self.settled()?;
            (arms.arm)(count)?;
            let end = self.settled()?;
            points.push((f64::from(count), end - middle, middle - start));
        }
        Ok(Measured {
            each: arms.each,
            control: arms.against,
            ..slope(points)
        })
    }

    /// The memory in bytes, when it falls no further.
    pub(super) fn settled(self) -> Result<f64, Stop> {
        let mut least = self.bytes()?;
        let mut resting = 0;
        for _ in 0..READINGS_MAX {
            self.scene.stage.wire.rest(PAUSE);
            let now = self.bytes()?;
            resting = if now < least { 0 } else { resting + 1 };
            least = least.min(now);
            if resting == RESTING {
                break;
            }
        }
        Ok(least)
    }

    /// Waits until memory is no more than so many bytes, as long as `within`; what it is then, and
    /// whether it was waited for with success.
    pub(super) fn falls_to(self, bytes: f64, within: Duration) -> Result<(f64, bool), Stop> {
        let mut waited = Duration::ZERO;
        loop {
            let now = self.settled()?;
            if now <= bytes || waited >= within {
                return Ok((now, now <= bytes));
            }
            self.scene.stage.wire.rest(PAUSE);
            waited += PAUSE * (RESTING + 1);
        }
    }

    fn bytes(self) -> Result<f64, Stop> {
        match self.memory {
            Memory::Process(pid) => proportional(*pid).ok_or(Stop::Missing(
                "the process's memory can't be read (/proc/PID/smaps_rollup)",
            )),
            Memory::Gauge { url, name } => gauge(self.scene, url, name),
        }
    }
}

/// What a measurement says.
pub(super) fn weigh(measured: &Measured) -> Weight {
    if measured.low > 0.0 && measured.slope >= LEAST_BYTES {
        Weight::Grows
    } else if (measured.high - measured.low) / 2.0 > SMALL_BYTES {
        Weight::Hidden
    } else {
        Weight::Flat
    }
}

/// A measurement in words.
pub(super) fn told(measured: &Measured) -> String {
    let (slope, low, high) = (measured.slope, measured.low, measured.high);
    let each = measured.each;
    format!("{slope:.0} bytes a {each} (95 %: {low:.0} to {high:.0})")
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
    let request = Request {
        method: "GET".to_owned(),
        target: place.target,
        fields: Fields::default(),
        body: None,
    };
    let wire = scene.stage.wire;
    let (exchange, _connection) = wire.send(None, &place.origin, &Way::default(), &request)?;
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
        .map(|(count, arm, control)| count * (arm - control))
        .sum();
    let slope = products / squares;
    let rest: f64 = points
        .iter()
        .map(|(count, arm, control)| (arm - control - slope * count).powi(2))
        .sum();
    let error = (rest / f64::from(STEPS - 1) / squares).sqrt();
    let half = T_OF_THREE * error;
    Measured {
        points,
        slope,
        low: slope - half,
        high: slope + half,
        ..Measured::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_found_beside_growth_that_both_arms_have() {
        let counts = [1_000.0, 2_000.0, 4_000.0, 8_000.0];
        let grown = slope(
            counts
                .map(|count| (count, count * 300.0 + 5_000.0, 5_100.0))
                .to_vec(),
        );
        assert!(grown.low > 250.0 && grown.high < 350.0, "{grown:?}");
        assert_eq!(weigh(&grown), Weight::Grows);
        let flat = slope(counts.map(|count| (count, 4_096.0, 4_000.0)).to_vec());
        assert_eq!(weigh(&flat), Weight::Flat, "{flat:?}");
    }

    #[test]
    fn where_a_small_session_could_hide_nothing_is_said() {
        let wild = vec![
            (1_000.0, 9e6, 0.0),
            (2_000.0, -9e6, 0.0),
            (4_000.0, 9e6, 0.0),
            (8_000.0, -9e6, 0.0),
        ];
        assert_eq!(weigh(&slope(wild)), Weight::Hidden);
    }
}
