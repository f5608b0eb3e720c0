//! What a listing of a collection's drafts found.

use milepost_semantics::Position;
use milepost_store::{Timestamp, Version};

/// What a listing of drafts found, but for what it deleted.
pub(super) struct Listed {
    /// What its first page shows.
    pub(super) position: Position,
    /// The drafts that wait: where they were written, and when they are due.
    pub(super) waiting: Vec<(Position, Timestamp)>,
    /// When the first is due of those that the feed isn't asked for: written by a clock that was ahead, or not to be deleted now.
    pub(super) apart: Option<Timestamp>,
}

impl Listed {
    pub(super) const fn at(position: Position) -> Self {
        Self {
            position,
            waiting: Vec::new(),
            apart: None,
        }
    }

    /// Notes a draft that waits.
    pub(super) fn waits(&mut self, version: &Version, due: Timestamp, now: Timestamp) {
        if version.modified > now {
            self.apart = earlier(self.apart, Some(due));
        } else {
            self.waiting.push((version.position, due));
        }
    }

    /// When the first is due of those that no feed from there on tells; from nowhere on, it tells all that wait.
    pub(super) fn due_up_to(&self, since: Option<Position>) -> Option<Timestamp> {
        let since = since.map_or(0, |since| since.sequence());
        let behind = self.waiting.iter().filter(|(at, _)| at.sequence() <= since);
        earlier(self.apart, behind.map(|(_, due)| *due).min())
    }
}

/// The earlier of two moments, where there are any.
pub(super) fn earlier(one: Option<Timestamp>, other: Option<Timestamp>) -> Option<Timestamp> {
    one.into_iter().chain(other).min()
}
