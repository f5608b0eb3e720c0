//! Real time: what was answered before something else was sent comes before it.
//!
//! Commits stand at even places of one line, `2 × sequence`; what was seen between two commits stands at the
//! odd place between them. A write that was carried out has one place. A read has those from the
//! commit that made what it saw up to the next that changed it; "nothing there" may have several such
//! ranges. Operations are taken in the order in which they were sent, and each is given the first
//! of its places that is not before any operation answered until then. Since every place given is the
//! smallest possible, an order exists exactly if none is left without one.

use std::{cmp::Reverse, collections::BinaryHeap, fmt};

use super::{
    record::{Outcome, Page, Parent, Position, Read, Record, Resource, Seen, Span, Write},
    timeline::Timeline,
    violation::Violation,
};

/// Places from the first to the last, both included.
pub(super) type Range = (u64, u64);

/// Something that has places on the line.
#[derive(Clone, Debug)]
pub(super) struct Operation {
    pub(super) span: Span,
    /// Ascending, none overlapping.
    pub(super) places: Vec<Range>,
    /// For whoever reads that it has no place left.
    pub(super) what: What,
}

/// What an operation was.
#[derive(Clone, Debug)]
pub(super) enum What {
    Write(Resource, Position),
    Read(Resource, Seen),
    Page(u32, Position),
}

impl fmt::Display for What {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Write(resource, position) => write!(out, "the write of {resource} at {position}"),
            Self::Read(resource, seen) => write!(out, "{resource} seen as {seen:?}"),
            Self::Page(collection, position) => {
                write!(out, "collection {collection} with its head at {position}")
            }
        }
    }
}

pub(super) fn check(record: &Record, timeline: &Timeline) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut operations = Vec::new();
    operations.extend(
        record
            .writes
            .iter()
            .filter_map(|write| committed(write, timeline)),
    );
    for read in &record.reads {
        match seen(read, timeline) {
            Some(operation) => operations.push(operation),
            None => violations.push(Violation::NeverThere {
                resource: read.resource,
                seen: read.seen.clone(),
                span: read.span,
            }),
        }
    }
    for follower in &record.followers {
        let pages = follower.pages.iter().filter(|page| page.at_head);
        operations.extend(pages.map(|page| shown(page, follower.collection, timeline)));
    }
    violations.extend(sweep(operations));
    violations
}

/// Gives each operation its first possible place; those that have none are out of order.
pub(super) fn sweep(mut operations: Vec<Operation>) -> Vec<Violation> {
    operations.sort_by_key(|operation| operation.span.sent);
    let mut open: BinaryHeap<Reverse<(u64, u64)>> = BinaryHeap::new();
    let mut reached = 0;
    let mut violations = Vec::new();
    for operation in operations {
        while let Some(Reverse((answered, place))) = open.peek().copied() {
            if answered >= operation.span.sent {
                break;
            }
            open.pop();
            reached = reached.max(place);
        }
        let range = operation.places.iter().find(|(_, last)| *last >= reached);
        match (range, operation.span.answered) {
            (None, _) => violations.push(Violation::OutOfOrder {
                what: format!("{}, when commit {} was known", operation.what, reached / 2),
                span: operation.span,
            }),
            (Some((first, _)), Some(answered)) => {
                open.push(Reverse((answered, reached.max(*first))));
            }
            (Some(_), None) => {}
        }
    }
    violations
}

/// The place of a write that was carried out.
fn committed(write: &Write, timeline: &Timeline) -> Option<Operation> {
    let entry = write
        .edits
        .iter()
        .find_map(|edit| match (edit.content, &edit.parent) {
            (Some(content), _) => timeline.made_of(content),
            // Who deletes what was just deleted is told the same: that is what both saw.
            (None, Parent::Version(_)) => None,
            (None, Parent::Nothing) => None,
        });
    if let Some(entry) = entry {
        let place = entry.position.sequence.saturating_mul(2);
        return Some(Operation {
            span: write.span,
            places: vec![(place, place)],
            what: What::Write(entry.resource, entry.position.clone()),
        });
    }
    deleted(write, timeline)
}

/// An acknowledged deletion saw its tombstone.
fn deleted(write: &Write, timeline: &Timeline) -> Option<Operation> {
    let edit = write.edits.first()?;
    let (Parent::Version(parent), Outcome::Acknowledged(_)) = (&edit.parent, &write.outcome) else {
        return None;
    };
    let tombstone = timeline.from(edit.resource, parent.sequence.saturating_add(1))?;
    let first = tombstone.position.sequence.saturating_mul(2);
    Some(Operation {
        span: write.span,
        places: vec![(
            first,
            last(timeline, edit.resource, tombstone.position.sequence),
        )],
        what: What::Write(edit.resource, tombstone.position.clone()),
    })
}

/// The places of a read; `None` where what was seen never stood there.
fn seen(read: &Read, timeline: &Timeline) -> Option<Operation> {
    let places = match &read.seen {
        Seen::Version { tag, content } => {
            let entry = timeline.at(read.resource, tag.sequence)?;
            let is_it = entry.position == *tag && entry.content == Some(*content);
            is_it.then(|| vec![stood(timeline, read.resource, tag.sequence)])?
        }
        Seen::Tag(tag) => {
            let entry = timeline.at(read.resource, tag.sequence)?;
            let is_it = entry.position == *tag && entry.content.is_some();
            is_it.then(|| vec![stood(timeline, read.resource, tag.sequence)])?
        }
        Seen::Deleted(position) => {
            let entry = timeline.at(read.resource, position.sequence)?;
            let is_it = entry.position == *position && entry.content.is_none();
            is_it.then(|| vec![stood(timeline, read.resource, position.sequence)])?
        }
        Seen::Nothing => absences(timeline, read.resource),
    };
    Some(Operation {
        span: read.span,
        places,
        what: What::Read(read.resource, read.seen.clone()),
    })
}

/// Where what a commit made could be seen.
fn stood(timeline: &Timeline, resource: Resource, sequence: u64) -> Range {
    let first = sequence.saturating_mul(2).saturating_add(1);
    (first, last(timeline, resource, sequence))
}

fn last(timeline: &Timeline, resource: Resource, sequence: u64) -> u64 {
    let next = timeline.from(resource, sequence.saturating_add(1));
    next.map_or(u64::MAX, |next| {
        next.position.sequence.saturating_mul(2).saturating_sub(1)
    })
}

/// Where a resource was not there.
fn absences(timeline: &Timeline, resource: Resource) -> Vec<Range> {
    let mut ranges = Vec::new();
    let mut since = Some(0);
    for entry in timeline.history(resource) {
        let place = entry.position.sequence.saturating_mul(2);
        match (entry.content, since) {
            (Some(_), Some(begin)) => {
                ranges.push((begin, place.saturating_sub(1)));
                since = None;
            }
            (None, None) => since = Some(place.saturating_add(1)),
            _ => {}
        }
    }
    ranges.extend(since.map(|begin| (begin, u64::MAX)));
    ranges
}

/// The places of a page that says that nothing has happened since.
fn shown(page: &Page, collection: u32, timeline: &Timeline) -> Operation {
    let sequence = page.position.sequence;
    let next = timeline.next_in(collection, sequence);
    let last = next.map_or(u64::MAX, |next| next.saturating_mul(2).saturating_sub(1));
    Operation {
        span: page.span,
        places: vec![(sequence.saturating_mul(2).saturating_add(1), last)],
        what: What::Page(collection, page.position.clone()),
    }
}
