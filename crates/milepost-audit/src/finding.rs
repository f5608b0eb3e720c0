//! What a check found out, good or bad, and what proves it.

use std::fmt;

use crate::{
    engine::{Carrier, Proof, Spot},
    waiver::Waiver,
};

/// How much a note matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// As it should be.
    Good,
    /// Worth knowing.
    Info,
    /// Probably costs something.
    Warn,
    /// Breaks a principle.
    Bad,
}

impl Level {
    /// As reports write it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How sure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Confidence {
    /// Reproduced three times of three.
    Proved,
    /// Seen, not always reproduced.
    Observed,
    /// By names or descriptions only.
    Suspected,
}

impl Confidence {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Proved => "proved",
            Self::Observed => "observed",
            Self::Suspected => "suspected",
        }
    }
}

/// A principle of statelessness; its loss costs something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Principle {
    P1,
    P2,
    P3,
    P4,
    P5,
    P6,
    P7,
    P8,
}

impl Principle {
    pub(crate) const fn code(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
            Self::P5 => "P5",
            Self::P6 => "P6",
            Self::P7 => "P7",
            Self::P8 => "P8",
        }
    }

    pub(crate) const fn sentence(self) -> &'static str {
        match self {
            Self::P1 => "a request carries all that is needed to understand it",
            Self::P2 => "session state is on the client only",
            Self::P3 => "a connection identifies nobody",
            Self::P4 => "any replica answers any request, also after a restart",
            Self::P5 => "no memory per client between requests",
            Self::P6 => "a response says whether it may be cached",
            Self::P7 => "concurrency by validators, not by locks or leases",
            Self::P8 => "no hidden carrier of state",
        }
    }

    /// Whether losing them means that the service keeps state between requests. What is about
    /// caching (P6) misleads caches, and keeps nothing; what is about concurrency alone (P7) loses
    /// writes.
    pub(crate) fn are_of_state(principles: &[Self]) -> bool {
        !principles.contains(&Self::P6) && principles.iter().any(|one| *one != Self::P7)
    }
}

/// "Step i is remembered at step j through a carrier."
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) from: usize,
    pub(crate) at: usize,
    pub(crate) through: Carrier,
}

/// What proves a finding, so that anybody can see it again.
#[derive(Clone, Debug)]
pub(crate) struct Witness {
    pub(crate) proof: Proof,
    pub(crate) remembered: Option<Remembered>,
}

/// How memory grows with a count, against a control.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Measured {
    /// What is counted, one of them: `client`, `dropped stream`.
    pub(crate) each: &'static str,
    /// What as many requests of the control come from: `one client`.
    pub(crate) control: &'static str,
    /// The count, the bytes by which memory grew with it, and those of the control.
    pub(crate) points: Vec<(f64, f64, f64)>,
    pub(crate) slope: f64,
    pub(crate) low: f64,
    pub(crate) high: f64,
}

/// A note.
#[derive(Clone, Debug)]
pub(crate) struct Finding {
    pub(crate) check: &'static str,
    pub(crate) level: Level,
    pub(crate) confidence: Confidence,
    pub(crate) principles: &'static [Principle],
    /// The operation, as it is named in reports.
    pub(crate) operation: Option<String>,
    pub(crate) spot: Option<Spot>,
    /// One line.
    pub(crate) summary: String,
    /// Markdown.
    pub(crate) detail: String,
    pub(crate) witness: Option<Witness>,
    pub(crate) measured: Option<Measured>,
    pub(crate) waived: Option<Waiver>,
}

/// What the run as a whole says. Never "is stateless": only what was looked at can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// State between requests is proved.
    Stateful,
    /// Something hints at it.
    Suspect,
    /// None was found in what was looked at.
    NoEvidence,
    /// Too little could be looked at.
    Inconclusive,
}

impl Verdict {
    /// As the JSON report writes it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stateful => "stateful",
            Self::Suspect => "suspect",
            Self::NoEvidence => "no-evidence",
            Self::Inconclusive => "inconclusive",
        }
    }
}
