//! Walking through a flow: pure functions of the definition and what somebody has answered so far.

use serde_json::{Map, Value};

use super::{
    definition::{Flow, Step},
    expression::{self, Sight},
    state::Progress,
    template,
};
use crate::{identity::Subject, refusal::Refusal};

/// A flow, and where somebody is in it.
pub(super) struct Walk<'a, 'p> {
    flow: &'a Flow,
    progress: &'p Progress,
    subject: &'a Subject,
    /// The path that everything lies below.
    base: &'a str,
    /// Those that are there.
    steps: Vec<&'a Step>,
}

impl<'a, 'p> Walk<'a, 'p> {
    /// Finds out which steps are there, once: each condition costs.
    pub(super) fn new(
        flow: &'a Flow,
        progress: &'p Progress,
        subject: &'a Subject,
        base: &'a str,
    ) -> Self {
        let mut walk = Self {
            flow,
            progress,
            subject,
            base,
            steps: Vec::new(),
        };
        walk.steps = walk.there();
        walk
    }

    /// The steps that are there, given the answers.
    pub(super) fn steps(&self) -> &[&'a Step] {
        &self.steps
    }

    /// A condition sees the answers of the steps before that are there themselves; one that can't be decided
    /// is not met.
    fn there(&self) -> Vec<&'a Step> {
        let mut answers = Map::new();
        let mut there = Vec::new();
        for step in &self.flow.steps {
            let condition = step.when.as_deref();
            let is_there = condition.is_none_or(|text| {
                expression::evaluate(text, &self.sight(&answers)) == Ok(Value::Bool(true))
            });
            if is_there {
                there.push(step);
                let given = self.progress.answers.get(&step.id).cloned();
                answers.extend(given.map(|given| (step.id.clone(), given)));
            }
        }
        there
    }

    /// The answers of the steps that are there.
    pub(super) fn answers(&self) -> Map<String, Value> {
        let given = |step: &&Step| {
            Some((
                step.id.clone(),
                self.progress.answers.get(&step.id)?.clone(),
            ))
        };
        self.steps.iter().filter_map(given).collect()
    }

    /// The step that is to be answered; the first where that is gone.
    pub(super) fn current(&self) -> Option<&'a Step> {
        let at = self.steps.iter();
        let at = at.copied().find(|step| step.id == self.progress.at);
        at.or_else(|| self.steps.first().copied())
    }

    /// The current step's place among the steps, from 1, and how many there are.
    pub(super) fn place(&self) -> (usize, usize) {
        let at = &self.progress.at;
        let place = self.steps.iter().position(|step| step.id == *at);
        (place.unwrap_or(0) + 1, self.steps.len())
    }

    /// The step before this one.
    pub(super) fn before(&self) -> Option<&'a Step> {
        let (place, _) = self.place();
        self.steps.get(place.checked_sub(2)?).copied()
    }

    /// The step after this one.
    pub(super) fn after(&self) -> Option<&'a Step> {
        let (place, _) = self.place();
        self.steps.get(place).copied()
    }

    /// The first step whose answers aren't good, if any.
    pub(super) fn unanswered(&self) -> Result<Option<&'a Step>, Refusal> {
        let nothing = Map::new();
        for step in self.steps.iter().copied() {
            let given = self.progress.answers.get(&step.id);
            let given = given.and_then(Value::as_object).unwrap_or(&nothing);
            if !step.wrong(given)?.is_empty() {
                return Ok(Some(step));
            }
        }
        Ok(None)
    }

    /// What expressions see.
    pub(super) fn sight<'b>(&'b self, answers: &'b Map<String, Value>) -> Sight<'b> {
        Sight {
            answers,
            flow: &self.progress.flow,
            subject: self.subject,
            base: self.base,
            shown: self.progress.shown(),
        }
    }
}

/// What becomes of a state of another version of the definition: migrated where the definition says how.
pub(super) fn migrated(walk: &Walk<'_, '_>, from: u64) -> Option<Progress> {
    let migration = walk
        .flow
        .migrations
        .iter()
        .find(|migration| migration.from == from)?;
    let sight = walk.sight(&walk.progress.answers);
    let answers = template::fill(&migration.answers, &sight).ok()??;
    let mut progress = walk.progress.clone();
    progress.answers = answers.as_object()?.clone();
    Some(arrived(walk, progress))
}

/// What can be kept of a state of another version that nothing is said about: the answers that still hold.
pub(super) fn kept(walk: &Walk<'_, '_>) -> Progress {
    let mut progress = walk.progress.clone();
    progress.answers.retain(|id, given| {
        let wrong = walk.flow.step(id).zip(given.as_object());
        wrong.is_some_and(|(step, given)| step.wrong(given).is_ok_and(|wrong| wrong.is_empty()))
    });
    arrived(walk, progress)
}

/// At the first step that has to be answered, or the last; what was shown has to be shown again.
fn arrived(walk: &Walk<'_, '_>, mut progress: Progress) -> Progress {
    progress.shown.clear();
    let there = Walk::new(walk.flow, &progress, walk.subject, walk.base);
    let open = there.unanswered().ok().flatten();
    let at = open.or_else(|| there.steps.last().copied());
    let at = at.map(|step| step.id.clone()).unwrap_or_default();
    progress.at = at;
    progress
}
