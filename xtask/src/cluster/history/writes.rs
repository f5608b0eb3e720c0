//! Writes against the timeline: compare and swap held, nothing acknowledged is missing, nothing
//! refused is there, and what belongs together stands together.

use std::collections::{HashMap, HashSet};

use super::{
    record::{Content, Edit, Outcome, Parent, Position, Record, Resource, Write},
    timeline::{Entry, Timeline},
    violation::Violation,
};

pub(super) fn check(record: &Record, timeline: &Timeline) -> Vec<Violation> {
    let mut violations = twice_on_one_parent(record);
    violations.extend(unexplained(record, timeline));
    for write in &record.writes {
        violations.extend(judge(write, timeline));
    }
    violations
}

/// Two acknowledged writes that replaced one version: needs no timeline.
fn twice_on_one_parent(record: &Record) -> Vec<Violation> {
    let mut replaced: HashMap<(Resource, &Position), Option<Content>> = HashMap::new();
    let mut violations = Vec::new();
    let acknowledged = |write: &&Write| matches!(write.outcome, Outcome::Acknowledged(_));
    for edit in record
        .writes
        .iter()
        .filter(acknowledged)
        .flat_map(|write| &write.edits)
    {
        let Parent::Version(parent) = &edit.parent else {
            continue;
        };
        let before = replaced.insert((edit.resource, parent), edit.content);
        // Deleting what is deleted already is one deletion.
        if before.is_some_and(|before| before != edit.content) {
            violations.push(Violation::LostUpdate {
                resource: edit.resource,
                parent: edit.parent.clone(),
                found: None,
            });
        }
    }
    violations
}

/// Versions and deletions that no write explains, or only one that was refused.
fn unexplained(record: &Record, timeline: &Timeline) -> Vec<Violation> {
    let mut made: HashMap<Content, &Write> = HashMap::new();
    let mut deleted: HashSet<(Resource, &Position)> = HashSet::new();
    for write in &record.writes {
        for edit in &write.edits {
            match (&edit.content, &edit.parent) {
                (Some(content), _) => drop(made.insert(*content, write)),
                (None, Parent::Version(parent)) if write.outcome != Outcome::Refused => {
                    deleted.insert((edit.resource, parent));
                }
                (None, _) => {}
            }
        }
    }
    let judge = |entry: &Entry| {
        let entry = entry.clone();
        match entry.content {
            Some(content) => match made.get(&content) {
                None => Some(Violation::Phantom { entry }),
                Some(write) if write.outcome == Outcome::Refused => {
                    Some(Violation::RefusedYetDone { entry })
                }
                Some(_) => None,
            },
            None => {
                let before = timeline.before(entry.resource, entry.position.sequence)?;
                let is_explained = deleted.contains(&(entry.resource, &before.position));
                (!is_explained).then_some(Violation::Phantom { entry })
            }
        }
    };
    timeline.entries().iter().filter_map(judge).collect()
}

fn judge(write: &Write, timeline: &Timeline) -> Vec<Violation> {
    let mut violations = Vec::new();
    let places: Vec<Option<&Entry>> = write
        .edits
        .iter()
        .map(|edit| carried_out(edit, timeline))
        .collect();
    for (edit, place) in write.edits.iter().zip(&places) {
        violations.extend(place.and_then(|entry| swapped(edit, entry, timeline)));
        violations.extend(kept(write, edit, *place));
    }
    let Some(first) = places.iter().flatten().next() else {
        return violations;
    };
    for (edit, place) in write.edits.iter().zip(&places) {
        if place.is_none_or(|place| place.position != first.position) {
            violations.push(Violation::Torn {
                resource: edit.resource,
                span: write.span,
            });
        }
    }
    violations.extend(skewed(write, first, timeline));
    violations
}

/// What an edit made, where it was carried out.
fn carried_out<'a>(edit: &Edit, timeline: &'a Timeline) -> Option<&'a Entry> {
    match (edit.content, &edit.parent) {
        (Some(content), _) => timeline
            .made_of(content)
            .filter(|entry| entry.resource == edit.resource),
        (None, Parent::Version(parent)) => timeline
            .from(edit.resource, parent.sequence.checked_add(1)?)
            .filter(|entry| entry.content.is_none()),
        (None, Parent::Nothing) => None,
    }
}

/// Whether an edit replaced what it demanded.
fn swapped(edit: &Edit, entry: &Entry, timeline: &Timeline) -> Option<Violation> {
    let before = timeline.before(edit.resource, entry.position.sequence);
    let before = before.filter(|before| before.content.is_some());
    let holds = match &edit.parent {
        Parent::Version(parent) => before.is_some_and(|before| before.position == *parent),
        Parent::Nothing => before.is_none(),
    };
    (!holds).then(|| Violation::LostUpdate {
        resource: edit.resource,
        parent: edit.parent.clone(),
        found: Some(before.unwrap_or(entry).clone()),
    })
}

/// Whether what was acknowledged is there, where it was said to be.
fn kept(write: &Write, edit: &Edit, place: Option<&Entry>) -> Option<Violation> {
    let Outcome::Acknowledged(told) = &write.outcome else {
        return None;
    };
    let Some(entry) = place else {
        return Some(Violation::Lost {
            resource: edit.resource,
            told: told.clone(),
            span: write.span,
        });
    };
    let told = told.as_ref().filter(|told| entry.position != **told)?;
    Some(Violation::Misplaced {
        told: told.clone(),
        entry: entry.clone(),
    })
}

/// What a transaction depended on without writing it.
fn skewed(write: &Write, done: &Entry, timeline: &Timeline) -> Vec<Violation> {
    let at = &done.position;
    let failed = write.checked.iter().filter(|(resource, demanded)| {
        let before = timeline.before(*resource, at.sequence);
        before.is_none_or(|before| before.content.is_none() || before.position != *demanded)
    });
    failed
        .map(|(resource, demanded)| Violation::Skewed {
            resource: *resource,
            demanded: demanded.clone(),
            at: at.clone(),
        })
        .collect()
}
