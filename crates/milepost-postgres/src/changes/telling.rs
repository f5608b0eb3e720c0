//! Where a page of changes ends, and what is on it: pure, from what happened since.

use std::collections::HashMap;

use milepost_store::{
    ChangesQuery, Feed, ParentPath,
    backend::{Bounds, ends},
};
use tokio_postgres::Row;

use crate::{
    rows::{last_row_of, sequence_of, size},
    trouble::Trouble,
};

/// One version that was written, without its representation.
#[derive(Clone, Debug)]
pub(super) struct Happened {
    pub(super) collection: i32,
    pub(super) row: i64,
    pub(super) parent: String,
    pub(super) id: String,
    pub(super) bytes: usize,
    pub(super) replaced: Option<i64>,
    /// The version that replaced it, among those that are looked at.
    superseded: Option<i64>,
}

/// What is told of a version.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// What it says.
    Shown,
    /// That the resource must be forgotten.
    Left,
    /// Nothing.
    Hidden,
}

/// A question for changes, with everything that its page's end depends on.
pub(super) struct Telling<'q> {
    query: &'q ChangesQuery,
    bounds: Bounds,
    since: u64,
    head: u64,
    /// What was written after `since`, in the order of commits; at most one more than the bound.
    happened: Vec<(Happened, Option<Verdict>)>,
    /// What changed up to the head, where that is known besides.
    few: Option<Vec<(Happened, Option<Verdict>)>>,
}

impl Happened {
    pub(super) fn of(row: &Row) -> Result<Self, Trouble> {
        Ok(Self {
            collection: row.try_get(0)?,
            row: row.try_get(1)?,
            parent: row.try_get(2)?,
            id: row.try_get(3)?,
            bytes: size(row.try_get(4)?),
            replaced: row.try_get(5)?,
            superseded: None,
        })
    }

    fn stands_at(&self, end: u64) -> bool {
        self.superseded.is_none_or(|row| row > last_row_of(end))
    }
}

impl<'q> Telling<'q> {
    pub(super) fn new(query: &'q ChangesQuery, bounds: Bounds, since: u64, head: u64) -> Self {
        Self {
            query,
            bounds,
            since,
            head,
            happened: Vec::new(),
            few: None,
        }
    }

    pub(super) fn take(&mut self, mut happened: Vec<Happened>, few: Option<Vec<Happened>>) {
        supersede(&mut happened);
        self.happened = unjudged(happened);
        self.few = few.map(unjudged);
    }

    /// Judges what may be told, as far as that takes no more than the key; answers the versions for
    /// which it does, each with the last row that whoever follows has seen.
    pub(super) fn judge_by_key(&mut self) -> Vec<(i64, i64)> {
        let ends = self.candidates();
        let (query, since) = (self.query, self.since);
        let mut open = Vec::new();
        let is_told = |one: &Happened| {
            ends.iter()
                .any(|end| sequence_of(one.row) <= *end && (query.versions || one.stands_at(*end)))
        };
        let few = self.few.iter_mut().flatten();
        for (one, verdict) in self.happened.iter_mut().chain(few) {
            match &query.feed {
                Feed::Collection { scope, .. }
                    if !scope.contains(&ParentPath::from_stored(&one.parent)) =>
                {
                    *verdict = Some(Verdict::Hidden);
                }
                Feed::Collection { filters, .. } if !filters.is_empty() => {
                    open.extend(is_told(one).then(|| (one.row, seen_before(query, since, one))));
                }
                Feed::Collection { .. } | Feed::Everything => *verdict = Some(Verdict::Shown),
            }
        }
        open
    }

    /// A version that [`Telling::judge_by_key`] left open was judged.
    pub(super) fn judged(&mut self, row: i64, judged: Verdict) {
        let few = self.few.iter_mut().flatten();
        let found = self.happened.binary_search_by_key(&row, |(one, _)| one.row);
        let happened = found.ok().and_then(|at| self.happened.get_mut(at));
        for (one, verdict) in happened.into_iter().chain(few) {
            if one.row == row {
                *verdict = Some(judged);
            }
        }
    }

    /// The ends that are possible as far as the effort goes, and the least one.
    fn candidates(&self) -> Vec<u64> {
        let Some((first, _)) = self.happened.first() else {
            return Vec::new();
        };
        let first = sequence_of(first.row);
        let mut all = vec![first];
        all.extend(ends(first, self.head).filter(|end| self.is_looked_through(*end)));
        if self.few.is_some() || self.is_looked_through(self.head) {
            all.push(self.head);
        }
        all
    }

    /// Where the page ends.
    pub(super) fn end(&self) -> u64 {
        let Some((first, _)) = self.happened.first() else {
            return self.head;
        };
        if self.fits(self.head) {
            return self.head;
        }
        let first = sequence_of(first.row);
        let mut ends = ends(first, self.head).rev();
        ends.find(|end| self.fits(*end)).unwrap_or(first)
    }

    /// Whether a closed page ends there for good: what is shown to later ends may become less, and so
    /// fit one day, but not what is looked at.
    pub(super) fn is_settled(&self) -> bool {
        !self.is_looked_through(self.head)
    }

    fn is_looked_through(&self, end: u64) -> bool {
        let until = self.until(end);
        let told = until.iter().filter(|(one, _)| self.is_told(one, end));
        until.len() <= self.bounds.examined && told.count() <= self.bounds.weighed
    }

    fn fits(&self, end: u64) -> bool {
        let is_among_few = end == self.head && self.few.is_some();
        if !self.is_looked_through(end) && !is_among_few {
            return false;
        }
        let items = self.items(end);
        let bytes = items.iter().map(|(one, verdict)| match verdict {
            Verdict::Shown => one.bytes,
            Verdict::Left | Verdict::Hidden => 0,
        });
        items.len() <= self.bounds.items && bytes.sum::<usize>() <= self.bounds.bytes
    }

    fn until(&self, end: u64) -> &[(Happened, Option<Verdict>)] {
        let last = last_row_of(end);
        let count = self.happened.partition_point(|(one, _)| one.row <= last);
        self.happened.get(..count).unwrap_or_default()
    }

    fn is_told(&self, one: &Happened, end: u64) -> bool {
        self.query.versions || one.stands_at(end)
    }

    /// What a page to `end` tells.
    pub(super) fn items(&self, end: u64) -> Vec<(&Happened, Verdict)> {
        let known = match &self.few {
            Some(few) if end == self.head => few.as_slice(),
            _ => self.until(end),
        };
        let told = known.iter().filter(|(one, _)| self.is_told(one, end));
        told.filter_map(|(one, verdict)| {
            let verdict = (*verdict)?;
            (verdict != Verdict::Hidden).then_some((one, verdict))
        })
        .collect()
    }
}

/// Says of each version which later one replaced it. One that is not among them comes after every end
/// that a page of these can have.
fn supersede(happened: &mut [Happened]) {
    let replacing = happened.iter();
    let by: HashMap<i64, i64> = replacing
        .filter_map(|one| Some((one.replaced?, one.row)))
        .collect();
    for one in happened {
        one.superseded = by.get(&one.row).copied();
    }
}

fn unjudged(all: Vec<Happened>) -> Vec<(Happened, Option<Verdict>)> {
    all.into_iter().map(|one| (one, None)).collect()
}

/// The last row that whoever follows has seen when it is told of a version.
fn seen_before(query: &ChangesQuery, since: u64, one: &Happened) -> i64 {
    last_row_of(if query.versions {
        sequence_of(one.row).saturating_sub(1)
    } else {
        since
    })
}
