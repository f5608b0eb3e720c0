//! A run from its beginning to its end: find the operations, run every check, gather the report.

use crate::{
    check::{CHECKS, Check},
    corpus::{Corpus, Description, crawl, har_targets},
    engine::{Scene, Stop, Wire},
    finding::{Confidence, Level, Principle, Verdict},
    http::{Failure, Place, check},
    options::{Limits, Options},
    report::Report,
    sandbox::Sandbox,
    script::{Send, Stage, Voice},
};

/// The check after which the first user may not be known any more.
const ENDS_LOGIN: &str = "LG-1";

/// How far a run is: told before each check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'p> {
    /// What begins now: `finding operations`, or a check's id and title.
    pub doing: &'p str,
    /// Steps done.
    pub done: usize,
    /// Steps in all.
    pub of: usize,
    /// Requests sent so far.
    pub requests: u64,
}

/// Why nothing could be audited.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AuditError {
    /// The options make no sense.
    #[error("{0}")]
    Usage(String),
    /// The service can't be asked, or its answers never end or aren't HTTP.
    #[error("{url} can't be audited: {reason}")]
    Unreachable {
        /// The base URL.
        url: String,
        /// What happened.
        reason: String,
    },
}

/// Audits a service.
///
/// # Errors
/// `Usage` for options that make no sense (a malformed URL, a description that is none, an unknown
/// check, a host that may not be asked); `Unreachable` where not even the base gives an answer.
pub fn audit(options: &Options, mut tell: impl FnMut(Progress<'_>)) -> Result<Report, AuditError> {
    let usage = |error: &dyn std::fmt::Display| AuditError::Usage(error.to_string());
    let mut replicas = Vec::new();
    for url in std::iter::once(&options.url).chain(&options.replicas) {
        let place = Place::parse(url).map_err(|error| usage(&error))?;
        if let Err(failure @ Failure::Foreign { .. }) = check(&place.origin, options.foreign) {
            return Err(usage(&failure));
        }
        replicas.push(place);
    }
    let checks = chosen(options)?;
    let description = options
        .openapi
        .as_deref()
        .map(Description::parse)
        .transpose();
    let description = description.map_err(|reason| usage(&reason))?;
    let seeds = seeds(options, &replicas, description.as_ref()).map_err(|reason| usage(&reason))?;
    let wire = Wire::new(options, options.limits).map_err(|reason| usage(&reason))?;
    let stage = Stage::bare(&wire, replicas).equipped(options);
    let of = checks.len() + 1;
    tell(Progress {
        doing: "finding operations",
        done: 0,
        of,
        requests: 0,
    });
    let mut corpus = crawl(&stage, &seeds, options).map_err(|stop| unreachable(options, &stop))?;
    if let Some(description) = description {
        corpus.description = Some(description);
    }
    let first = checks
        .first()
        .copied()
        .ok_or_else(|| AuditError::Usage("no check was chosen".to_owned()))?;
    let mut scene = Scene::new(options, stage, corpus, first);
    let refusal = prepare(&mut scene);
    let mut over = None;
    for (done, check) in checks.iter().enumerate() {
        let doing = format!("{} {}", check.id, check.title);
        tell(Progress {
            doing: &doing,
            done: done + 1,
            of,
            requests: wire.requests(),
        });
        if check.id == ENDS_LOGIN {
            sweep(&scene);
        }
        scene.begin(check);
        run_one(&scene, check, refusal.as_ref(), &mut over);
    }
    sweep(&scene);
    Ok(Report::of(&scene, &checks, over))
}

/// Takes away what the checks made in the sandbox.
fn sweep(scene: &Scene<'_>) {
    let reason = match scene.stage.sweep() {
        Ok((0, _)) => return,
        Ok((left, of)) => {
            format!("{left} of {of} resources that were made there could not be deleted again")
        }
        Err(stop) => format!("what was made there is not deleted: {stop}"),
    };
    let mut not_shown = scene.not_shown.borrow_mut();
    not_shown.push(("sandbox".to_owned(), reason));
}

/// Reads a document, say a description, under the same rule as the service itself: loopback only,
/// unless `foreign`. Of the options only those count that say how a service is spoken to.
///
/// # Errors
/// `Usage` for a malformed URL or a host that may not be asked; `Unreachable` where there is no
/// success.
pub fn fetch(url: &str, options: &Options) -> Result<String, AuditError> {
    let usage = |error: &dyn std::fmt::Display| AuditError::Usage(error.to_string());
    let place = Place::parse(url).map_err(|error| usage(&error))?;
    if let Err(failure @ Failure::Foreign { .. }) = check(&place.origin, options.foreign) {
        return Err(usage(&failure));
    }
    let wire = Wire::new(options, Limits::default()).map_err(|reason| usage(&reason))?;
    let target = place.target.clone();
    let stage = Stage::bare(&wire, vec![place]);
    let failed = |reason: String| AuditError::Unreachable {
        url: url.to_owned(),
        reason,
    };
    let asked = stage.walk().ask(&Send::get(&target, Voice::default()));
    let answer = asked.map_err(|stop| failed(stop.to_string()))?.response;
    if !answer.is_success() || !answer.is_whole {
        return Err(failed(format!("it answers {}", answer.status)));
    }
    Ok(answer.text())
}

/// Runs a check, or says why it was not run to its end.
fn run_one(scene: &Scene<'_>, check: &Check, refusal: Option<&String>, over: &mut Option<String>) {
    if let Some(reason) = &*over {
        scene.unshown(format!("not run: {reason}"));
        return;
    }
    if let Some(reason) =
        refusal.filter(|_| check.id.starts_with("CA-") || matches!(check.id, "LK-1" | "IK-1"))
    {
        scene.unshown(reason.as_str());
        return;
    }
    if let Err(stop) = (check.run)(scene) {
        scene.unshown(format!("not run to its end: {stop}"));
        if stop.is_final() {
            *over = Some(stop.to_string());
        }
    }
}

/// Finds out how to write into the sandbox; the reason where that does not work.
fn prepare(scene: &mut Scene<'_>) -> Option<String> {
    let path = scene.options.sandbox.as_ref()?;
    match Sandbox::explore(&scene.stage, path, &scene.corpus, scene.options) {
        Ok(sandbox) => {
            // What writing changes is looked at before it is written.
            for operation in 0..scene.corpus.operations.len() {
                let _ = scene.baseline(operation);
            }
            scene.sandbox = Some(sandbox);
            None
        }
        Err(stop) => Some(format!("sandbox {path}: {stop}")),
    }
}

fn chosen(options: &Options) -> Result<Vec<&'static Check>, AuditError> {
    let unknown = options
        .only
        .iter()
        .find(|id| CHECKS.iter().all(|check| check.id != id.as_str()));
    if let Some(id) = unknown {
        return Err(AuditError::Usage(format!(
            "there is no check {id}; `milepost audit explain` lists them"
        )));
    }
    let is_chosen =
        |check: &&Check| options.only.is_empty() || options.only.iter().any(|id| id == check.id);
    Ok(CHECKS.iter().filter(is_chosen).collect())
}

fn seeds(
    options: &Options,
    replicas: &[Place],
    description: Option<&Description>,
) -> Result<Vec<String>, String> {
    let Some(place) = replicas.first() else {
        return Ok(Vec::new());
    };
    let described = description.map(|known| known.targets_below(place.base()));
    let mut seeds = described.unwrap_or_default();
    if let Some(har) = &options.har {
        seeds.extend(har_targets(har, &place.origin)?);
    }
    Ok(seeds)
}

fn unreachable(options: &Options, stop: &Stop) -> AuditError {
    AuditError::Unreachable {
        url: options.url.clone(),
        reason: stop.to_string(),
    }
}

/// What the findings amount to.
pub(crate) fn verdict(scene: &Scene<'_>, corpus: &Corpus, readable: usize) -> Verdict {
    let findings = scene.findings.borrow();
    let of_state = findings
        .iter()
        .filter(|finding| finding.waived.is_none() && Principle::are_of_state(finding.principles));
    let of_state: Vec<_> = of_state.collect();
    let is_proved = |level: Level, confidence: Confidence| {
        level == Level::Bad && confidence == Confidence::Proved
    };
    if of_state
        .iter()
        .any(|finding| is_proved(finding.level, finding.confidence))
    {
        return Verdict::Stateful;
    }
    if of_state.iter().any(|finding| finding.level >= Level::Warn) {
        return Verdict::Suspect;
    }
    if readable == 0 || corpus.operations.is_empty() {
        return Verdict::Inconclusive;
    }
    Verdict::NoEvidence
}
