//! Whether what clients wrote down can have happened, and what to say about it.

use std::net::SocketAddr;

use crate::{
    cluster::{
        history::{Outcome, Position, Timeline, verify},
        load::{Done, timeline},
    },
    say,
};

/// More of one kind tell nothing new.
const SHOWN_MAX: usize = 20;

/// Asks every node what has happened, and holds what clients were told against it.
///
/// # Errors
/// What was broken.
pub(super) fn judge(done: &Done, nodes: &[SocketAddr], begin: &[Position]) -> Result<(), String> {
    let mut all = Vec::new();
    for node in nodes {
        all.push(timeline(*node, begin)?);
    }
    let [first, others @ ..] = all.as_slice() else {
        return Err("no node was asked".to_owned());
    };
    let mut wrong: Vec<String> = done.complaints.clone();
    if others
        .iter()
        .any(|other| other.entries() != first.entries())
    {
        wrong.push("nodes tell of different pasts".to_owned());
    }
    let violations = verify(&done.record, first);
    wrong.extend(violations.iter().map(ToString::to_string));
    wrong.extend(loses(done, first));
    say::data(&counted(done, first));
    if wrong.is_empty() {
        return Ok(());
    }
    let more = wrong.len().saturating_sub(SHOWN_MAX);
    wrong.truncate(SHOWN_MAX);
    Err(format!("{}\n… and {more} more", wrong.join("\n")))
}

/// The control: with one version taken away that somebody was told of, the same history must be found
/// wrong. Where it is not, nothing that was said above means anything.
fn loses(done: &Done, timeline: &Timeline) -> Option<String> {
    let told = done
        .record
        .writes
        .iter()
        .find_map(|write| match &write.outcome {
            Outcome::Acknowledged(told) => told.as_ref(),
            Outcome::Refused | Outcome::Unknown => None,
        });
    let Some(told) = told else {
        return Some("no write was acknowledged: there was nothing to judge".to_owned());
    };
    let kept = timeline
        .entries()
        .iter()
        .filter(|entry| entry.position != *told);
    let without = Timeline::new(kept.cloned().collect());
    verify(&done.record, &without)
        .is_empty()
        .then(|| format!("the checker doesn't notice that {told} is missing"))
}

/// How much there was to judge.
fn counted(done: &Done, timeline: &Timeline) -> String {
    let record = &done.record;
    let count = |wanted: fn(&Outcome) -> bool| {
        record
            .writes
            .iter()
            .filter(|write| wanted(&write.outcome))
            .count()
    };
    let pages: usize = record
        .followers
        .iter()
        .map(|follower| follower.pages.len())
        .sum();
    let told: usize = record
        .followers
        .iter()
        .flat_map(|follower| &follower.pages)
        .map(|page| page.items.len())
        .sum();
    format!(
        "{} writes acknowledged, {} refused, {} with unknown outcome; {} versions; {} reads; {pages} pages with {told} \
         changes to {} followers; {} attempts failed and were repeated",
        count(|outcome| matches!(outcome, Outcome::Acknowledged(_))),
        count(|outcome| *outcome == Outcome::Refused),
        count(|outcome| *outcome == Outcome::Unknown),
        timeline.entries().len(),
        record.reads.len(),
        record.followers.len(),
        done.failed.len(),
    )
}
