//! The made-up store's followers, and the ways in which it misleads them.

use super::{Fault, World};
use crate::cluster::history::{Entry, Page, Position, Resource, Seen, Span};

impl World {
    pub(super) fn follow(&mut self, who: usize, choice: u16) {
        let follower = &self.record.followers[who];
        let after = follower
            .pages
            .last()
            .map_or(Position::made(0), |page| page.position.clone());
        let every_version = follower.every_version;
        let mut end = match choice % 3 {
            0 => (after.sequence + self.head).div_ceil(2),
            _ => self.head,
        };
        if self.fault == Fault::StalePage && self.known.contains_key(&self.head) {
            end = end.min(self.head - 1).max(after.sequence);
            self.bitten |= end < self.head;
        }
        let at_head = end == self.head || self.fault == Fault::StalePage;
        let mut items = self.told_between(after.sequence, end, every_version);
        if self.fault == Fault::Skipped {
            self.bitten |= items.pop().is_some();
        }
        if self.fault == Fault::Reordered && every_version {
            self.bitten |= reorder(&mut items);
        }
        if self.fault == Fault::Overtaken {
            let further = (end + 1).min(self.head);
            self.bitten |= further > end;
            end = further;
        }
        let span = Span {
            sent: self.now,
            answered: Some(self.now + 1),
        };
        let position = if end == after.sequence {
            after.clone()
        } else {
            Position::made(end)
        };
        let page = Page {
            span,
            after,
            position,
            at_head,
            items,
        };
        self.record.followers[who].pages.push(page);
    }

    fn told_between(&self, after: u64, end: u64, every_version: bool) -> Vec<(Resource, Seen)> {
        let is_within = |entry: &&Entry| (after + 1..=end).contains(&entry.position.sequence);
        let all: Vec<&Entry> = self.log.iter().filter(is_within).collect();
        let is_newest = |entry: &&&Entry| {
            let newest = all
                .iter()
                .rev()
                .find(|other| other.resource == entry.resource);
            every_version || newest == Some(*entry)
        };
        let told = |entry: &&Entry| {
            let tag = entry.position.clone();
            let seen = match entry.content {
                Some(content) => Seen::Version { tag, content },
                None => Seen::Deleted(tag),
            };
            (entry.resource, seen)
        };
        all.iter().filter(is_newest).map(told).collect()
    }
}

/// Puts the first in place of the last, where that is another commit's.
fn reorder(items: &mut [(Resource, Seen)]) -> bool {
    let sequence = |seen: &Seen| match seen {
        Seen::Version { tag, .. } | Seen::Tag(tag) | Seen::Deleted(tag) => tag.sequence,
        Seen::Nothing => 0,
    };
    let Some(last) = items.len().checked_sub(1) else {
        return false;
    };
    let differ = sequence(&items[0].1) != sequence(&items[last].1);
    items.swap(0, last);
    differ
}
