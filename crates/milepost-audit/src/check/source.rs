//! IP-1: the same request from another source address.
//!
//! Three things make a difference: an answer that repeats what was sent (information), one that
//! depends on it (a warning), and one that shows what was asked under it before (a warning with the
//! history that it needs, shrunk).

use crate::{
    engine::{
        Carrier, Difference, Draft, Mask, Proof, Scene, Spot, Stop, differences, shown, shrink,
    },
    finding::Level,
    script::{Claim, Cookies, Exchange, Script, Send, Voice},
};

/// Operations that are followed up.
const FOLLOWED_MAX: usize = 10;

/// See the module.
pub(super) fn run(scene: &Scene<'_>) -> Result<(), Stop> {
    if !scene.stage.wire.has_sources() {
        scene.unshown(
            "the service is not on loopback, or this machine has no address there beside 127.0.0.1",
        );
        return Ok(());
    }
    let told = |exchange: &Exchange| exchange.source.map(|address| address.to_string());
    let trait_of = Trait {
        carrier: Carrier::Source,
        voice: |number| Voice::default().from(number),
        told,
    };
    trait_of.differing(scene)
}

/// One trait of a client that is varied.
pub(super) struct Trait {
    pub(super) carrier: Carrier,
    /// The voice that has it in a variant; everything else is as usual.
    pub(super) voice: fn(u32) -> Voice,
    /// What the request told of it.
    pub(super) told: fn(&Exchange) -> Option<String>,
}

impl Trait {
    /// Warns of every operation that answers another voice differently.
    pub(super) fn differing(&self, scene: &Scene<'_>) -> Result<(), Stop> {
        let glimpsed = self.glimpsed(scene)?;
        for operation in scene.steady() {
            if !glimpsed.contains(&operation) {
                scene.fine(operation);
            }
        }
        for operation in glimpsed.into_iter().take(FOLLOWED_MAX) {
            match self.sandwich(scene, &[], operation)? {
                Some(proof) => self.file_plain(scene, operation, proof),
                None => self.after_history(scene, operation)?,
            }
        }
        Ok(())
    }

    /// The answer differs without any history: by the trait alone.
    fn file_plain(&self, scene: &Scene<'_>, operation: usize, proof: Proof) {
        let carrier = &self.carrier;
        let shown = shown(&proof);
        let (level, summary) = if self.repeats(&proof) {
            let summary = format!("the answer repeats {carrier}, as it was sent ({shown})");
            (Level::Info, summary)
        } else {
            let summary = format!("the answer depends on {carrier} ({shown})");
            (Level::Warn, summary)
        };
        let draft = Draft::at(operation, summary).detail(
            "An allow-list does this on purpose: waive it then. What is kept under it does it too.",
        );
        scene.file(level, draft.proof(proof));
    }

    /// The answer differs by what was asked under the trait before.
    fn after_history(&self, scene: &Scene<'_>, operation: usize) -> Result<(), Stop> {
        let all = scene.steady();
        if self.sandwich(scene, &all, operation)?.is_none() {
            return Ok(());
        }
        let history = shrink(&all, |fewer| {
            let (script, claims) = self.script(scene, fewer, operation);
            let played = scene.stage.play(&script)?;
            let mask = scene.mask(operation);
            Ok(claims.iter().all(|claim| claim.holds(&played, &mask)))
        })?;
        if let Some(proof) = self.sandwich(scene, &history, operation)? {
            let summary = format!(
                "the answer depends on {}, under which {} was asked before ({})",
                self.carrier,
                scene.named(&history),
                shown(&proof)
            );
            let at = history.len();
            let draft = Draft::at(operation, summary)
                .detail("State that is kept under it shows only to who shares it.")
                .proof(proof)
                .remembered(at.saturating_sub(1), at, self.carrier.clone());
            scene.file(Level::Warn, draft);
        }
        Ok(())
    }

    fn sandwich(
        &self,
        scene: &Scene<'_>,
        history: &[usize],
        operation: usize,
    ) -> Result<Option<Proof>, Stop> {
        let (script, claims) = self.script(scene, history, operation);
        scene.prove(script, claims, scene.mask(operation))
    }

    fn by(&self, scene: &Scene<'_>, operation: usize, number: u32) -> Send {
        Send::get(scene.target(operation), (self.voice)(number)).cookies(Cookies::None)
    }

    /// A history by one voice; then the operation by it, by another, and by it again.
    fn script(
        &self,
        scene: &Scene<'_>,
        history: &[usize],
        operation: usize,
    ) -> (Script, Vec<Claim>) {
        let mut script = Script::default();
        for before in history {
            script.send(self.by(scene, *before, 1));
        }
        let [one, other, again] =
            [1, 2, 1].map(|number| script.send(self.by(scene, operation, number)));
        (script, claims([one, other, again]))
    }

    /// Operations that differed once, after everything was asked under the first voice.
    fn glimpsed(&self, scene: &Scene<'_>) -> Result<Vec<usize>, Stop> {
        let steady = scene.steady();
        let mut script = Script::default();
        for operation in &steady {
            script.send(self.by(scene, *operation, 1));
        }
        let ask = |(number, operation): (u32, &usize)| {
            [1, number, 1].map(|number| script.send(self.by(scene, *operation, number)))
        };
        let steps: Vec<[usize; 3]> = (2..).zip(&steady).map(ask).collect();
        let played = scene.stage.play(&script)?;
        let pairs = steady.into_iter().zip(steps);
        let differs = pairs.filter(|(operation, steps)| {
            let mask = scene.mask(*operation);
            let claims = claims(*steps);
            claims.iter().all(|claim| claim.holds(&played, &mask))
        });
        Ok(differs.map(|(operation, _)| operation).collect())
    }

    /// Whether all that differs is what the requests told of themselves.
    fn repeats(&self, proof: &Proof) -> bool {
        let pair = proof.claims.iter().find_map(Claim::contrast);
        let exchanges =
            pair.and_then(|(left, right)| Some((proof.played.at(left)?, proof.played.at(right)?)));
        let Some((left, right)) = exchanges else {
            return false;
        };
        let (Some(own), Some(other)) = ((self.told)(left), (self.told)(right)) else {
            return false;
        };
        let found = visible(left, right, &proof.mask);
        let is_echo = |found: &Difference| found.left.replace(&own, &other) == found.right;
        // A tag over a body that repeats something repeats it too.
        let is_tag = |found: &Difference| found.spot == Spot::Field("etag".to_owned());
        found.iter().any(is_echo) && found.iter().all(|found| is_echo(found) || is_tag(found))
    }
}

fn visible(left: &Exchange, right: &Exchange, mask: &Mask) -> Vec<Difference> {
    let mut found = differences(&left.response, &right.response);
    found.retain(|difference| !mask.covers(&difference.spot));
    found
}

fn claims([one, other, again]: [usize; 3]) -> Vec<Claim> {
    vec![Claim::Same(one, again), Claim::Differ(one, other)]
}
