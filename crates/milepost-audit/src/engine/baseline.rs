//! What an operation answers to somebody without history, and what of that is noise.

use super::{Mask, Stop};
use crate::{
    corpus::Operation,
    http::Response,
    script::{Script, Send, Stage, Voice},
};

/// Identical requests, each by a client of its own: three would do for random values; the fourth
/// catches values that alternate.
const SENDS: u32 = 4;

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

    /// Whether it is a success that can be compared.
    pub(crate) const fn is_readable(&self) -> bool {
        self.is_steady && self.response.is_success()
    }
}
