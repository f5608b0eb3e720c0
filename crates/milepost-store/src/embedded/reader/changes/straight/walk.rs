//! Where the page may end, as the versions go by: the same candidates, and the same bounds, as those of
//! [`scan`](super::super::scan).

use std::iter::Peekable;

use rusqlite::Row;

use super::line::{Line, Reading};
use crate::{
    Changed, CollectionPath,
    embedded::rows::sequence_of,
    page_end::{Bounds, ends},
    positions::Lineage,
};

/// How many of others' versions are passed by for each that is taken, and besides.
const FOREIGN_PER_LINE: usize = 4;
const FOREIGN_MIN: usize = 64;
/// Lines of a small page.
const SMALL: usize = 32;
/// The most lines that room is made for at once.
const ROOM_MAX: usize = 1 << 12;

/// Whether it goes on.
pub(super) enum Step {
    On,
    /// Whatever comes is too much for this page.
    Enough,
    /// What is read in vain is too much.
    Lost,
}

/// What a page to somewhere would tell.
#[derive(Clone, Copy, Default)]
struct Told {
    items: usize,
    bytes: usize,
}

/// Where a page may end, ahead of what was gone through.
type Candidates = Peekable<Box<dyn Iterator<Item = u64>>>;

/// What was gone through so far.
pub(super) struct Walk<'l> {
    bounds: Bounds,
    versions: bool,
    head: u64,
    reading: Reading<'l>,
    lines: Vec<Line>,
    /// What is told of each line, without bodies.
    items: Vec<Changed>,
    told: Told,
    foreign: usize,
    candidates: Option<Candidates>,
    /// The first candidate, and the last one that fits.
    first: Option<u64>,
    fitting: Option<u64>,
}

impl<'l> Walk<'l> {
    pub(super) fn new(lineage: &'l Lineage, bounds: Bounds, versions: bool, head: u64) -> Self {
        Self {
            bounds,
            versions,
            head,
            reading: Reading::new(lineage),
            lines: Vec::new(),
            items: Vec::new(),
            told: Told::default(),
            foreign: 0,
            candidates: None,
            first: None,
            fitting: None,
        }
    }

    /// Goes by a version that is not told.
    pub(super) fn pass_by(&mut self) -> Step {
        self.foreign += 1;
        if self.foreign > FOREIGN_MIN + FOREIGN_PER_LINE * self.lines.len() {
            Step::Lost
        } else {
            Step::On
        }
    }

    /// Takes a version.
    pub(super) fn take(
        &mut self,
        number: i64,
        collection: &CollectionPath,
        row: &Row<'_>,
    ) -> rusqlite::Result<Step> {
        let sequence = sequence_of(number);
        self.pass_ends_before(sequence);
        if self.is_too_much() && self.first.is_some() {
            return Ok(Step::Enough);
        }
        let (line, item) = self.reading.read(number, collection, row)?;
        if self.reading.bytes() > self.bounds.bytes {
            return Ok(Step::Lost);
        }
        self.told.items += 1;
        self.told.bytes += line.bytes();
        if let Some(replaced) = line.replaced {
            self.supersede(replaced, sequence);
        }
        let is_over = self.is_too_much() || self.lines.len() >= self.bounds.examined;
        // The first commit is taken whole, whatever its size.
        if is_over && self.first.is_some() {
            return Ok(Step::Enough);
        }
        if self.lines.len() == SMALL {
            self.make_room();
        }
        self.lines.push(line);
        self.items.push(item);
        Ok(Step::On)
    }

    /// For a full page, as it is more than a small one: what grows step by step is copied as often.
    fn make_room(&mut self) {
        let more = self.bounds.items.min(ROOM_MAX);
        self.lines.reserve(more);
        self.items.reserve(more);
        let average = self.reading.bytes() / SMALL;
        let bytes = average.saturating_mul(more).min(self.bounds.bytes);
        self.reading.make_room(bytes);
    }

    /// Ends a version that was replaced, if it is one of those gone through.
    fn supersede(&mut self, replaced: i64, sequence: u64) {
        let place = self.lines.binary_search_by_key(&replaced, |line| line.row);
        let Some(line) = place.ok().and_then(|place| self.lines.get_mut(place)) else {
            return;
        };
        line.superseded = sequence;
        if !self.versions {
            self.told.items -= 1;
            self.told.bytes -= line.bytes();
        }
    }

    fn pass_ends_before(&mut self, sequence: u64) {
        let head = self.head;
        let all = || -> Candidates {
            let ends: Box<dyn Iterator<Item = u64>> = Box::new(ends(sequence, head));
            ends.peekable()
        };
        let mut candidates = self.candidates.take().unwrap_or_else(all);
        while let Some(end) = candidates.next_if(|end| *end < sequence) {
            self.may_end(end);
        }
        self.candidates = Some(candidates);
    }

    fn may_end(&mut self, end: u64) {
        self.first.get_or_insert(end);
        let is_shown = self.told.items <= self.bounds.items && self.told.bytes <= self.bounds.bytes;
        if is_shown && !self.is_too_much() {
            self.fitting = Some(end);
        }
    }

    /// There is no more: the page may end at each candidate that is left, and at the head.
    pub(super) fn arrive(&mut self) {
        self.pass_ends_before(u64::MAX);
        self.may_end(self.head);
    }

    /// Whether more is told than is looked at for a page.
    pub(super) const fn is_too_much(&self) -> bool {
        self.told.items > self.bounds.weighed
    }

    /// The last end that fits; the first, where none does. `None` before any.
    pub(super) fn end(&self) -> Option<u64> {
        self.fitting.or(self.first)
    }

    /// What a page up to there tells.
    pub(super) fn into_items(self, end: u64) -> Vec<Changed> {
        let (versions, mut items) = (self.versions, self.items);
        items.truncate(self.lines.partition_point(|line| line.sequence() <= end));
        let bodies = self.reading.into_bodies();
        for (item, line) in items.iter_mut().zip(&self.lines) {
            item.version.body = line.body.clone().map(|body| bodies.slice(body));
        }
        let mut lines = self.lines.iter();
        let stands = |line: &Line| versions || line.superseded > end;
        items.retain(|_| lines.next().is_some_and(stands));
        items
    }
}
