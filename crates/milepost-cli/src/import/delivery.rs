//! Sends chunks, and decides what to do about those that don't hold.
//!
//! A transaction that fails wrote nothing and names each operation that stood in its way. What the
//! user allowed to be left out is left out, what may be replaced gets the tag it has now, and the
//! rest is sent again, as another transaction.

use std::{thread, time::Duration};

use clap::ValueEnum;
use serde::Deserialize;
use ureq::http::{Method, StatusCode, header};

use super::{
    Identity, Operation, Report,
    chunk::{Guard, Guarded, document},
};
use crate::{
    client::{Answer, Ask, Client, failure_of},
    exit::{Exit, Failure},
};

/// How often a request is repeated when the server can't be reached or can't answer now. The same
/// transaction can be sent any number of times.
const ATTEMPTS_MAX: u32 = 6;
/// How long to wait before the first repetition; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// How often one chunk is sent anew because others change the same resources.
const ROUNDS_MAX: usize = 20;
/// How many bad records are named when an import stops.
const NAMED_MAX: usize = 20;

/// What to do with a record whose resource is there already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum IfExists {
    /// Stop
    Fail,
    /// Leave the resource as it is
    Skip,
    /// Replace the resource
    Replace,
}

/// What to do with a record that is not acceptable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OnError {
    /// Stop; what is in stays in
    Stop,
    /// Leave the record out, and report it
    Skip,
}

/// Delivers chunks to a server.
#[derive(Debug)]
pub(crate) struct Delivery<'a> {
    /// The server.
    pub(crate) client: &'a Client,
    /// What is already there.
    pub(crate) if_exists: IfExists,
    /// What is not acceptable.
    pub(crate) on_error: OnError,
    /// The UUIDs.
    pub(crate) identity: Identity,
    /// Whether the server was there before, so that its absence may be a passing one.
    pub(crate) has_answered: bool,
}

/// The part of a problem that names the operations that failed.
#[derive(Debug, Deserialize)]
struct Failed {
    failed: Vec<FailedOperation>,
}

#[derive(Clone, Debug, Deserialize)]
struct FailedOperation {
    index: usize,
    status: u16,
    #[serde(default)]
    etag: Option<String>,
    #[serde(default)]
    detail: Option<String>,
}

impl Delivery<'_> {
    /// Delivers one chunk: all its records are dealt with afterwards, or none.
    pub(crate) fn deliver(
        &mut self,
        operations: Vec<Operation>,
        report: &mut Report,
    ) -> Result<(), Failure> {
        let guard = |operation| Guarded {
            operation,
            guard: Guard::Absent,
        };
        let mut pending: Vec<Guarded> = operations.into_iter().map(guard).collect();
        let base = self.client.address().base().to_owned();
        self.identity.extend(&document(&base, &pending));
        for _ in 0..ROUNDS_MAX {
            if pending.is_empty() {
                return Ok(());
            }
            let answer = self.send(&document(&base, &pending))?;
            if answer.status.is_success() {
                count(report, &pending, answer.status);
                return Ok(());
            }
            pending = self.mended(pending, &answer, report)?;
        }
        let busy = format!("others changed the same resources in each of {ROUNDS_MAX} rounds");
        Err(Failure::new(Exit::PreconditionFailed, busy).hint("run the same command again"))
    }

    fn send(&mut self, body: &[u8]) -> Result<Answer, Failure> {
        let uuid = self.identity.transaction(body);
        let url = self.client.url(&format!("-/transactions/{uuid}"))?;
        let mut pause = FIRST_PAUSE;
        for _ in 1..ATTEMPTS_MAX {
            let ask = Ask::new(Method::PUT, &url).body("application/json", body);
            match self.client.send(&ask) {
                Ok(answer) if is_passing(&answer) => pause = pause.max(asked_pause(&answer)),
                Ok(answer) => {
                    self.has_answered = true;
                    return Ok(answer);
                }
                Err(failure) if !self.has_answered => return Err(failure),
                Err(_) => {}
            }
            thread::sleep(pause);
            pause *= 2;
        }
        self.client
            .send(&Ask::new(Method::PUT, &url).body("application/json", body))
    }

    /// What is left to be sent after a refusal.
    fn mended(
        &self,
        pending: Vec<Guarded>,
        answer: &Answer,
        report: &mut Report,
    ) -> Result<Vec<Guarded>, Failure> {
        let named: Option<Failed> = serde_json::from_slice(&answer.body).ok();
        let failed = named.map(|named| named.failed).unwrap_or_default();
        if failed.is_empty() {
            return Err(whole(answer));
        }
        if let Some(failure) = self.reason_to_stop(&pending, &failed, answer) {
            return Err(failure);
        }
        let mut left = Vec::with_capacity(pending.len());
        for (index, mut guarded) in pending.into_iter().enumerate() {
            match failed.iter().find(|failed| failed.index == index) {
                None => left.push(guarded),
                Some(failed) if !exists(failed) => {
                    report.refuse(guarded.operation.line, told(&guarded, failed));
                }
                Some(_) if self.if_exists == IfExists::Skip => report.skipped += 1,
                Some(failed) => {
                    guarded.guard = failed.etag.clone().map_or(Guard::Absent, Guard::IfMatch);
                    left.push(guarded);
                }
            }
        }
        Ok(left)
    }

    fn reason_to_stop(
        &self,
        pending: &[Guarded],
        failed: &[FailedOperation],
        answer: &Answer,
    ) -> Option<Failure> {
        let stops = |failed: &&FailedOperation| match exists(failed) {
            true => self.if_exists == IfExists::Fail,
            false => self.on_error == OnError::Stop,
        };
        let stopping: Vec<&FailedOperation> = failed.iter().filter(stops).collect();
        let worst = stopping
            .iter()
            .find(|failed| !exists(failed))
            .or(stopping.first())?;
        let mut failure = match exists(worst) {
            true => Failure::new(Exit::PreconditionFailed, "resources are there already").hint(
                "--if-exists skip leaves them as they are, --if-exists replace replaces them",
            ),
            false => Failure::new(Exit::of_status(worst.status), "records are not acceptable")
                .hint("--on-error skip leaves them out and reports them"),
        };
        for failed in stopping.iter().take(NAMED_MAX) {
            if let Some(guarded) = pending.get(failed.index) {
                let line = guarded.operation.line;
                failure = failure.detail(format!("line {line}: {}", told(guarded, failed)));
            }
        }
        if let Some(more) = stopping
            .len()
            .checked_sub(NAMED_MAX)
            .filter(|more| *more > 0)
        {
            failure = failure.detail(format!("… and {more} more"));
        }
        if worst.status == StatusCode::NOT_FOUND {
            failure = failure.detail(failure_of(answer).message);
            failure = failure.hint("define the collection first: milepost apply FILE");
        }
        Some(failure)
    }
}

/// A failure that is not about single operations.
fn whole(answer: &Answer) -> Failure {
    let failure = failure_of(answer);
    match answer.status {
        StatusCode::PAYLOAD_TOO_LARGE => failure.hint("make the chunks smaller with --chunk"),
        _ => failure,
    }
}

fn exists(failed: &FailedOperation) -> bool {
    matches!(failed.status, 412 | 428)
}

fn told(guarded: &Guarded, failed: &FailedOperation) -> String {
    let path = &guarded.operation.path;
    match &failed.detail {
        _ if exists(failed) => format!("{path} is there already"),
        Some(detail) => format!("{path}: {detail}"),
        None => format!("{path}: refused with status {}", failed.status),
    }
}

fn count(report: &mut Report, done: &[Guarded], status: StatusCode) {
    report.chunks += 1;
    for guarded in done {
        match guarded.guard {
            // 201 is a transaction carried out now, 200 the outcome of an earlier one.
            _ if status != StatusCode::CREATED => report.recorded += 1,
            Guard::Absent => report.imported += 1,
            Guard::IfMatch(_) => report.replaced += 1,
        }
    }
}

fn is_passing(answer: &Answer) -> bool {
    matches!(answer.status.as_u16(), 429 | 502 | 503 | 504)
}

fn asked_pause(answer: &Answer) -> Duration {
    let seconds = answer
        .field(header::RETRY_AFTER)
        .and_then(|text| text.parse().ok());
    // A server that asks for more patience than this is down: better to say so.
    Duration::from_secs(seconds.unwrap_or(0).min(10))
}
