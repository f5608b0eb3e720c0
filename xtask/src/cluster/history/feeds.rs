//! Followers: each page is exactly what changed between its positions, and goes on where the one
//! before ended.

use std::collections::BTreeMap;

use super::{
    record::{Follower, Page, Position, Record, Resource, Seen},
    timeline::{Entry, Timeline},
    violation::Violation,
};

pub(super) fn check(record: &Record, timeline: &Timeline) -> Vec<Violation> {
    let mut violations = Vec::new();
    for follower in &record.followers {
        violations.extend(continued(follower));
        for page in &follower.pages {
            violations.extend(whole(page, follower, timeline));
        }
    }
    violations
}

/// Whether pages follow on each other, and none leads back.
fn continued(follower: &Follower) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut ended: Option<&Position> = None;
    for page in &follower.pages {
        let breaks = ended.is_some_and(|ended| *ended != page.after);
        if breaks || page.position.sequence < page.after.sequence {
            violations.push(Violation::Broken {
                ended: ended.unwrap_or(&page.after).clone(),
                goes_on: page.after.clone(),
            });
        }
        ended = Some(&page.position);
    }
    violations
}

/// Whether a page is all that changed, and only that.
fn whole(page: &Page, follower: &Follower, timeline: &Timeline) -> Vec<Violation> {
    let changed = timeline.between(page.after.sequence, page.position.sequence);
    let changed = changed
        .iter()
        .filter(|entry| entry.resource.collection == follower.collection);
    if follower.every_version {
        in_order(page, &changed.collect::<Vec<_>>())
    } else {
        as_of_the_end(page, changed)
    }
}

/// Every version, in the order of commits; those of one commit in any order.
fn in_order(page: &Page, changed: &[&Entry]) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut expected: BTreeMap<(u64, Resource), &Entry> = changed
        .iter()
        .map(|entry| ((entry.position.sequence, entry.resource), *entry))
        .collect();
    let mut reached = 0;
    for (resource, seen) in &page.items {
        let sequence = position(seen).map_or(0, |position| position.sequence);
        let entry = expected.remove(&(sequence, *resource));
        let is_right = entry.is_some_and(|entry| is_told(seen, entry)) && sequence >= reached;
        if !is_right {
            violations.push(misled(page, *resource, seen));
        }
        reached = reached.max(sequence);
    }
    violations.extend(expected.values().map(|entry| skipped(page, entry)));
    violations
}

/// The newest of each resource.
fn as_of_the_end<'a>(page: &Page, changed: impl Iterator<Item = &'a Entry>) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut expected: BTreeMap<Resource, &Entry> = BTreeMap::new();
    for entry in changed {
        expected.insert(entry.resource, entry);
    }
    for (resource, seen) in &page.items {
        let entry = expected.remove(resource);
        if !entry.is_some_and(|entry| is_told(seen, entry)) {
            violations.push(misled(page, *resource, seen));
        }
    }
    violations.extend(expected.values().map(|entry| skipped(page, entry)));
    violations
}

fn position(seen: &Seen) -> Option<&Position> {
    match seen {
        Seen::Version { tag, .. } | Seen::Tag(tag) => Some(tag),
        Seen::Deleted(position) => Some(position),
        Seen::Nothing => None,
    }
}

fn is_told(seen: &Seen, entry: &Entry) -> bool {
    match seen {
        Seen::Version { tag, content } => *tag == entry.position && Some(*content) == entry.content,
        Seen::Deleted(position) => *position == entry.position && entry.content.is_none(),
        Seen::Tag(_) | Seen::Nothing => false,
    }
}

fn skipped(page: &Page, entry: &Entry) -> Violation {
    Violation::Skipped {
        entry: entry.clone(),
        page: page.position.clone(),
    }
}

fn misled(page: &Page, resource: Resource, seen: &Seen) -> Violation {
    Violation::Misled {
        resource,
        seen: seen.clone(),
        page: page.position.clone(),
    }
}
