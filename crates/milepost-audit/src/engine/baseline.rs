//! What an operation answers to somebody without history, and what of that is noise.
//!
//! Identical requests in a row show values that are random or count. Clocks that count seconds show
//! only later, and so does what other requests changed meanwhile: what differs later is looked at
//! once more with nothing but time between, and only what differs then is noise.

use std::time::Duration;

use super::{Mask, Stop, differences};
use crate::{
    corpus::Operation,
    http::Response,
    script::{Script, Send, Stage, Voice},
};

/// Identical requests, each by a client of its own: three would do for random values; the fourth
/// catches values that alternate.
const SENDS: u32 = 4;
/// So many operations that moved are looked at each alone; more of them together, to save time.
const ALONE_MAX: usize = 3;

/// What an operation answers cold.
#[derive(Clone, Debug)]
pub(crate) struct Baseline {
    pub(crate) response: Response,
    pub(crate) mask: Mask,
    /// Whether enough of it is no noise.
    pub(crate) is_steady: bool,
}

impl Baseline {
    /// Asks, cold.
    pub(crate) fn take(stage: &Stage<'_>, operation: &Operation) -> Result<Self, Stop> {
        let mut script = Script::default();
        for client in 1..=SENDS {
            script.send(Send::get(&operation.target, Voice::client(client)));
        }
        let played = stage.play(&script)?;
        let answers: Vec<&Response> = (0..script.0.len())
            .filter_map(|step| played.response(step))
            .collect();
        let (first, others) = answers
            .split_first()
            .ok_or(Stop::Missing("nothing was answered"))?;
        let mut mask = Mask::default();
        for other in others {
            mask.learn(first, other);
        }
        let is_steady = first.is_whole && !mask.blinds(first);
        Ok(Self {
            response: (*first).clone(),
            mask,
            is_steady,
        })
    }

    /// Whether an answer differs outside the mask.
    fn is_left_by(&self, later: &Response) -> bool {
        let found = differences(&self.response, later);
        found
            .iter()
            .any(|difference| !self.mask.covers(&difference.spot))
    }

    /// What differs between two later looks, between which nothing was asked but time went by, is
    /// noise.
    fn learn(&mut self, before: &Response, after: &Response) {
        self.mask.learn(before, after);
        self.is_steady &= !self.mask.blinds(&self.response);
    }

    /// Whether it is a success that can be compared.
    pub(crate) const fn is_readable(&self) -> bool {
        self.is_steady && self.response.is_success()
    }
}

/// Baselines of many operations, in order; `None` where one gives no answer.
pub(crate) fn of_all(
    stage: &Stage<'_>,
    operations: &[&Operation],
    clock: Duration,
) -> Vec<Option<Baseline>> {
    let take = |operation: &&Operation| Baseline::take(stage, operation).ok();
    let mut taken: Vec<Option<Baseline>> = operations.iter().map(take).collect();
    // The last one was looked at just now: however long the others took, its clock has not moved.
    stage.wire.rest(clock);
    let mut moved = Vec::new();
    for (at, (operation, known)) in operations.iter().zip(&mut taken).enumerate() {
        let Some(known) = known else { continue };
        match look(stage, operation) {
            Some(later) if known.is_left_by(&later) => moved.push(at),
            Some(_) => {}
            // Who answers no more can't be compared.
            None => known.is_steady = false,
        }
    }
    let each = if moved.len() <= ALONE_MAX {
        1
    } else {
        moved.len()
    };
    for group in moved.chunks(each.max(1)) {
        idle(stage, operations, &mut taken, group, clock);
    }
    taken
}

/// Looks at some operations, and again after a while in which nobody asked.
fn idle(
    stage: &Stage<'_>,
    operations: &[&Operation],
    taken: &mut [Option<Baseline>],
    group: &[usize],
    clock: Duration,
) {
    let looks = || -> Vec<Option<Response>> {
        let asked = group.iter().filter_map(|at| operations.get(*at));
        asked.map(|operation| look(stage, operation)).collect()
    };
    let before = looks();
    stage.wire.rest(clock);
    let after = looks();
    for (at, (before, after)) in group.iter().zip(before.iter().zip(&after)) {
        let known = taken.get_mut(*at).and_then(Option::as_mut);
        if let (Some(known), Some(before), Some(after)) = (known, before, after) {
            known.learn(before, after);
        }
    }
}

/// One answer to somebody without history.
fn look(stage: &Stage<'_>, operation: &Operation) -> Option<Response> {
    let mut script = Script::default();
    let step = script.send(Send::get(&operation.target, Voice::client(1)));
    stage.play(&script).ok()?.response(step).cloned()
}
