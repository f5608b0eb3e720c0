//! Reproduction: a claim is proved when it held three times of three.

use super::{Mask, Stop};
use crate::script::{Claim, Played, Script, Stage};

/// How often a script is played.
const PLAYS: u32 = 3;

/// A script whose claims held, how often, and the last play in which they did.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    pub(crate) script: Script,
    pub(crate) claims: Vec<Claim>,
    pub(crate) mask: Mask,
    pub(crate) held: u32,
    pub(crate) of: u32,
    pub(crate) played: Played,
    /// Whether once is enough: what happened can't have happened by chance.
    pub(crate) is_decisive: bool,
}

impl Proof {
    /// Plays a script three times; `None` where its claims did not hold at first, or less than twice.
    pub(crate) fn seek(
        stage: &Stage<'_>,
        script: Script,
        claims: Vec<Claim>,
        mask: Mask,
    ) -> Result<Option<Self>, Stop> {
        let mut held = 0;
        let mut last = None;
        for round in 0..PLAYS {
            let played = match stage.play(&script) {
                Ok(played) => played,
                Err(Stop::Missing(_)) => return Ok(None),
                Err(stop) => return Err(stop),
            };
            if claims.iter().all(|claim| claim.holds(&played, &mask)) {
                held += 1;
                last = Some(played);
            }
            // Most claims don't hold, and most of those show it at once.
            if held == 0 || round + 1 - held >= 2 {
                return Ok(None);
            }
        }
        let of = PLAYS;
        Ok(last.map(|played| Self {
            script,
            claims,
            mask,
            held,
            of,
            played,
            is_decisive: false,
        }))
    }

    /// Plays a script once; what it shows can't have happened by chance.
    pub(crate) fn once(
        stage: &Stage<'_>,
        script: Script,
        claims: Vec<Claim>,
        mask: Mask,
    ) -> Result<Option<Self>, Stop> {
        let played = match stage.play(&script) {
            Ok(played) => played,
            Err(Stop::Missing(_)) => return Ok(None),
            Err(stop) => return Err(stop),
        };
        let held = claims.iter().all(|claim| claim.holds(&played, &mask));
        Ok(held.then_some(Self {
            script,
            claims,
            mask,
            held: 1,
            of: 1,
            played,
            is_decisive: true,
        }))
    }

    /// Whether it held every time.
    pub(crate) const fn is_whole(&self) -> bool {
        self.is_decisive || self.held == self.of
    }
}
