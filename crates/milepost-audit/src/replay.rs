//! Playing a witness again: against the service it was found at, or another one.

use serde_json::Value;

use crate::{
    engine::{Proof, Stop, Wire},
    http::{Failure, Place, check},
    options::Options,
    report::Recorded,
    script::Stage,
};

/// How often a race is run again.
const RACE_ROUNDS: u32 = 60;

/// Why a witness could not be played.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReplayError {
    /// The file holds no witness.
    #[error("{0}")]
    Malformed(String),
    /// The service can't be asked.
    #[error("the witness can't be played: {0}")]
    Unplayable(String),
}

/// What became of one witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replayed {
    /// The check it belongs to.
    pub check: String,
    /// What it claims.
    pub summary: String,
    /// Whether the claim held again.
    pub is_reproduced: bool,
}

/// Plays every witness in a text: a JSON report, a HAR that this tool wrote, or one witness. The
/// URL of `options`, where it is not empty, replaces the recorded one; so do replicas.
///
/// # Errors
/// `Malformed` where there is no witness; `Unplayable` where the service can't be asked.
pub fn replay(text: &str, options: &Options) -> Result<Vec<Replayed>, ReplayError> {
    let document: Value = serde_json::from_str(text).map_err(|error| malformed(&error))?;
    let witnesses = witnesses(&document);
    if witnesses.is_empty() {
        return Err(ReplayError::Malformed(
            "there is no witness in it: a JSON report, a HAR of an audit, or a witness is needed"
                .to_owned(),
        ));
    }
    let mut replayed = Vec::new();
    for witness in witnesses {
        let recorded: Recorded =
            serde_json::from_value(witness.clone()).map_err(|error| malformed(&error))?;
        replayed.push(one(recorded, options)?);
    }
    Ok(replayed)
}

fn malformed(error: &serde_json::Error) -> ReplayError {
    ReplayError::Malformed(format!("it is no witness: {error}"))
}

fn witnesses(document: &Value) -> Vec<&Value> {
    if document.get("script").is_some() {
        return vec![document];
    }
    let listed = document
        .pointer("/log/_milepost/witnesses")
        .and_then(Value::as_array);
    if let Some(listed) = listed {
        return listed.iter().collect();
    }
    let findings = document.get("findings").and_then(Value::as_array);
    let found = findings
        .into_iter()
        .flatten()
        .filter_map(|finding| finding.get("witness"));
    found.filter(|witness| witness.is_object()).collect()
}

fn one(recorded: Recorded, options: &Options) -> Result<Replayed, ReplayError> {
    let unplayable = |error: &dyn std::fmt::Display| ReplayError::Unplayable(error.to_string());
    let mut urls = recorded.urls.clone();
    if !options.url.is_empty() {
        urls = std::iter::once(&options.url)
            .chain(&options.replicas)
            .cloned()
            .collect();
    }
    let mut replicas = Vec::new();
    for url in &urls {
        let place = Place::parse(url).map_err(|error| unplayable(&error))?;
        if let Err(failure @ Failure::Foreign { .. }) = check(&place.origin, options.foreign) {
            return Err(unplayable(&failure));
        }
        replicas.push(place);
    }
    let wire = Wire::new(options, options.limits).map_err(|error| unplayable(&error))?;
    let stage = Stage::bare(&wire, replicas).equipped(options);
    let is_reproduced = holds(&stage, &recorded).map_err(|stop| unplayable(&stop))?;
    // What is left in the sandbox is worth no failure.
    let _left = stage.sweep();
    Ok(Replayed {
        check: recorded.check,
        summary: recorded.summary,
        is_reproduced,
    })
}

/// Whether the claims hold again: every time, or once in as many rounds as a race has.
fn holds(stage: &Stage<'_>, recorded: &Recorded) -> Result<bool, Stop> {
    let rounds = if recorded.is_decisive { RACE_ROUNDS } else { 1 };
    for _ in 0..rounds {
        let (script, claims) = (recorded.script.clone(), recorded.claims.clone());
        let proof = if recorded.is_decisive {
            Proof::once(stage, script, claims, recorded.mask.clone())?
        } else {
            Proof::seek(stage, script, claims, recorded.mask.clone())?
        };
        if proof.is_some_and(|proof| proof.is_whole()) {
            return Ok(true);
        }
    }
    Ok(false)
}
