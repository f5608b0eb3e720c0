//! What every check sees: the service, its operations, what they answer cold, and where findings go.

use std::{
    cell::{OnceCell, RefCell},
    collections::{BTreeMap, HashMap},
    rc::Rc,
};

use super::{Baseline, Carrier, Dependence, Difference, Mask, Proof, Spot, Stop, baseline};
use crate::{
    check::Check,
    corpus::Corpus,
    finding::{Confidence, Finding, Level, Measured, Remembered, Witness},
    http::Response,
    options::Options,
    sandbox::Sandbox,
    script::{Claim, Credential, Script, Send, Stage, Voice},
};

/// Differences that a summary of one spells out.
const SHOWN_CHARACTERS: usize = 80;
/// How often a sandwich is tried whose baselines are not the same.
const STILL_TRIES: u32 = 3;

/// See the module.
pub(crate) struct Scene<'a> {
    pub(crate) options: &'a Options,
    pub(crate) stage: Stage<'a>,
    pub(crate) corpus: Corpus,
    pub(crate) sandbox: Option<Sandbox>,
    baselines: RefCell<HashMap<usize, Option<Rc<Baseline>>>>,
    dependences: OnceCell<Vec<Dependence>>,
    pub(crate) findings: RefCell<Vec<Finding>>,
    /// Check and operation to the worst level seen there.
    pub(crate) coverage: RefCell<BTreeMap<(&'static str, String), Level>>,
    pub(crate) not_shown: RefCell<Vec<(String, String)>>,
    current: RefCell<&'static Check>,
}

/// A finding in the making.
#[derive(Debug, Default)]
pub(crate) struct Draft {
    pub(crate) operation: Option<usize>,
    /// Where it is no operation of the corpus.
    pub(crate) subject: Option<String>,
    pub(crate) spot: Option<Spot>,
    pub(crate) summary: String,
    pub(crate) detail: String,
    pub(crate) proof: Option<Proof>,
    pub(crate) remembered: Option<(usize, usize, Carrier)>,
    pub(crate) measured: Option<Measured>,
}

impl Draft {
    /// About an operation of the corpus.
    pub(crate) fn at(operation: usize, summary: impl Into<String>) -> Self {
        Self {
            operation: Some(operation),
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// About something else.
    pub(crate) fn about(subject: impl Into<String>, summary: impl Into<String>) -> Self {
        Self {
            subject: Some(subject.into()),
            summary: summary.into(),
            ..Self::default()
        }
    }

    /// With more to say, in Markdown.
    pub(crate) fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = detail.into();
        self
    }

    /// With what proves it.
    pub(crate) fn proof(mut self, proof: Proof) -> Self {
        self.proof = Some(proof);
        self
    }

    /// With the step that is remembered, where, and through what.
    pub(crate) fn remembered(mut self, from: usize, at: usize, through: Carrier) -> Self {
        self.remembered = Some((from, at, through));
        self
    }
}

impl<'a> Scene<'a> {
    /// A scene before the first check.
    pub(crate) fn new(
        options: &'a Options,
        stage: Stage<'a>,
        corpus: Corpus,
        first: &'static Check,
    ) -> Self {
        Self {
            options,
            stage,
            corpus,
            sandbox: None,
            baselines: RefCell::default(),
            dependences: OnceCell::new(),
            findings: RefCell::default(),
            coverage: RefCell::default(),
            not_shown: RefCell::default(),
            current: RefCell::new(first),
        }
    }

    /// The check that runs from now on.
    pub(crate) fn begin(&self, check: &'static Check) {
        *self.current.borrow_mut() = check;
    }

    /// The target of an operation.
    pub(crate) fn target(&self, operation: usize) -> &str {
        self.corpus
            .operations
            .get(operation)
            .map_or("/", |operation| operation.target.as_str())
    }

    /// An operation as reports name it.
    pub(crate) fn label(&self, operation: usize) -> String {
        format!("GET {}", self.target(operation))
    }

    /// Operations in order, as sentences name them.
    pub(crate) fn named(&self, operations: &[usize]) -> String {
        let labels: Vec<String> = operations
            .iter()
            .map(|operation| self.label(*operation))
            .collect();
        labels.join(", ")
    }

    /// What an operation answers cold; `None` where it can't be asked.
    pub(crate) fn baseline(&self, operation: usize) -> Option<Rc<Baseline>> {
        if let Some(known) = self.baselines.borrow().get(&operation) {
            return known.clone();
        }
        self.take_baselines(operation);
        self.baselines.borrow().get(&operation).cloned().flatten()
    }

    /// Takes the baselines of all that ends, and of one that is wanted.
    fn take_baselines(&self, wanted: usize) {
        let is_new = |operation: &usize| !self.baselines.borrow().contains_key(operation);
        let mut numbers: Vec<usize> = self.corpus.safe().filter(is_new).collect();
        if !numbers.contains(&wanted) {
            numbers = vec![wanted];
        }
        let known = |number: &usize| self.corpus.operations.get(*number);
        let operations: Vec<_> = numbers.iter().filter_map(known).collect();
        let taken = baseline::of_all(&self.stage, &operations, self.options.limits.clock);
        let taken = taken.into_iter().map(|found| found.map(Rc::new));
        self.baselines
            .borrow_mut()
            .extend(numbers.into_iter().zip(taken));
    }

    /// Its noise mask.
    pub(crate) fn mask(&self, operation: usize) -> Mask {
        self.baseline(operation)
            .map(|baseline| baseline.mask.clone())
            .unwrap_or_default()
    }

    /// Operations that succeed cold and can be compared.
    pub(crate) fn readable(&self) -> Vec<usize> {
        let safe = self.corpus.safe();
        safe.filter(|operation| {
            self.baseline(*operation)
                .is_some_and(|known| known.is_readable())
        })
        .collect()
    }

    /// Operations that can be compared, whatever they answer.
    pub(crate) fn steady(&self) -> Vec<usize> {
        let safe = self.corpus.safe();
        safe.filter(|operation| {
            self.baseline(*operation)
                .is_some_and(|known| known.is_steady)
        })
        .collect()
    }

    /// Answers that depend on history; searched for once.
    pub(crate) fn dependences(&self) -> Result<&[Dependence], Stop> {
        if let Some(known) = self.dependences.get() {
            return Ok(known);
        }
        let found = crate::check::shuffle::survey(self)?;
        Ok(self.dependences.get_or_init(|| found))
    }

    /// Seeks a proof with an operation's mask.
    pub(crate) fn prove(
        &self,
        script: Script,
        claims: Vec<Claim>,
        mask: Mask,
    ) -> Result<Option<Proof>, Stop> {
        Proof::seek(&self.stage, script, claims, mask)
    }

    /// A sandwich A–V–A′ on one operation: the proof that the variant differs, if it does.
    pub(crate) fn sandwich(
        &self,
        operation: usize,
        plain: Voice,
        variant: &Send,
    ) -> Result<Option<Proof>, Stop> {
        let mut script = Script::default();
        let target = self.target(operation);
        let before = script.send(Send::get(target, plain));
        let varied = script.send(variant.clone());
        let after = script.send(Send::get(target, plain));
        let same = Claim::Same(before, after);
        let claims = vec![same.clone(), Claim::Differ(before, varied)];
        let mask = self.mask(operation);
        let found = self.prove(script.clone(), claims, mask.clone())?;
        if found.is_none() && !self.holds_still(&script, &same, &mask)? {
            let label = self.label(operation);
            self.unshown(format!("{label} moved while it was looked at, each time"));
        }
        Ok(found)
    }

    /// Whether the two baselines of a sandwich are the same, if not at once, then when repeated.
    fn holds_still(&self, script: &Script, same: &Claim, mask: &Mask) -> Result<bool, Stop> {
        for _ in 0..STILL_TRIES {
            if same.holds(&self.stage.play(script)?, mask) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The credential under which a public answer can be told from a private one.
    pub(crate) fn has_credential(&self, credential: Credential) -> bool {
        self.stage.credential(credential).is_some()
    }

    /// Says that an operation was looked at and is fine.
    pub(crate) fn fine(&self, operation: usize) {
        self.cover(&self.label(operation), Level::Good);
    }

    /// Says that something was looked at.
    pub(crate) fn cover(&self, subject: &str, level: Level) {
        let key = (self.current.borrow().id, subject.to_owned());
        let mut coverage = self.coverage.borrow_mut();
        let cell = coverage.entry(key).or_insert(level);
        *cell = (*cell).max(level);
    }

    /// Says what this check could not show, and why.
    pub(crate) fn unshown(&self, reason: impl Into<String>) {
        let id = self.current.borrow().id.to_owned();
        self.not_shown.borrow_mut().push((id, reason.into()));
    }

    /// Files a note. A failure needs a proof that held every time; one that held twice of three
    /// times is a flaky warning, and one by names alone a suspicion.
    pub(crate) fn file(&self, level: Level, draft: Draft) {
        let check: &'static Check = *self.current.borrow();
        let (level, confidence) = sure(level, draft.proof.as_ref(), draft.measured.is_some());
        let level = self
            .options
            .profile
            .map_or(level, |profile| profile.weigh(check.id, level));
        let operation = draft
            .operation
            .map(|operation| self.label(operation))
            .or(draft.subject);
        if let Some(subject) = &operation {
            self.cover(subject, level);
        }
        let waivers = self.options.waivers.iter();
        let mut accepting = waivers
            .filter(|waiver| waiver.accepts(check.id, operation.as_deref(), &self.options.today));
        let waived = accepting.next().filter(|_| level >= Level::Warn).cloned();
        let remembered =
            draft
                .remembered
                .map(|(from, at, through)| Remembered { from, at, through });
        let witness = draft.proof.map(|proof| Witness { proof, remembered });
        let spot = draft.spot.or_else(|| witness.as_ref().and_then(first_spot));
        self.findings.borrow_mut().push(Finding {
            check: check.id,
            level,
            confidence,
            principles: check.principles,
            operation,
            spot,
            summary: draft.summary,
            detail: draft.detail,
            witness,
            measured: draft.measured,
            waived,
        });
    }
}

fn sure(level: Level, proof: Option<&Proof>, is_measured: bool) -> (Level, Confidence) {
    match proof {
        Some(proof) if proof.is_whole() => (level, Confidence::Proved),
        Some(_) => (level.min(Level::Warn), Confidence::Observed),
        None if is_measured => (level, Confidence::Proved),
        None if level == Level::Good => (level, Confidence::Observed),
        None => (level.min(Level::Warn), Confidence::Suspected),
    }
}

/// Where the contrast of a proof first shows.
fn first_spot(witness: &Witness) -> Option<Spot> {
    let proof = &witness.proof;
    let (left, right) = proof.claims.iter().find_map(Claim::contrast)?;
    let (left, right) = (proof.played.response(left)?, proof.played.response(right)?);
    telling(left, right, &proof.mask).map(|difference| difference.spot)
}

/// The difference that says most: a field, like a tag, often only follows from the body.
fn telling(left: &Response, right: &Response, mask: &Mask) -> Option<Difference> {
    let mut found = super::differences(left, right);
    found.retain(|difference| !mask.covers(&difference.spot));
    found
        .into_iter()
        .min_by_key(|difference| matches!(difference.spot, Spot::Field(_)))
}

/// The difference that a proof shows, in one line.
pub(crate) fn shown(proof: &Proof) -> String {
    let contrast = proof.claims.iter().find_map(Claim::contrast);
    let pair = contrast.and_then(|(left, right)| {
        Some((proof.played.response(left)?, proof.played.response(right)?))
    });
    let Some((left, right)) = pair else {
        return String::new();
    };
    telling(left, right, &proof.mask).map_or(String::new(), |difference| {
        format!(
            "{}: {} against {}",
            difference.spot,
            cut(&difference.left),
            cut(&difference.right)
        )
    })
}

pub(crate) fn cut(text: &str) -> String {
    if text.is_empty() {
        return "nothing".to_owned();
    }
    let visible = |letter: char| {
        if letter.is_control() {
            char::REPLACEMENT_CHARACTER
        } else {
            letter
        }
    };
    let mut short: String = text.chars().take(SHOWN_CHARACTERS).map(visible).collect();
    if text.chars().count() > SHOWN_CHARACTERS {
        short.push('…');
    }
    format!("`{short}`")
}
