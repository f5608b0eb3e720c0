//! What clients write down about what they sent and were told.

use std::fmt;

/// Microseconds since the load began, on the clock of the machine that all clients run on.
pub(crate) type Moment = u64;

/// The number that a body carries, and no other body does.
pub(crate) type Content = u64;

/// A place in the store's order of commits, as the store wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Position {
    /// Where it stands in the order.
    pub(crate) sequence: u64,
    text: Box<str>,
}

impl Position {
    /// Reads a position, or the entity tag that it makes: `k3f7.1050-x7qa`, `"k3f7.1050-x7qa+gzip"`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches('"');
        let text = text.split('+').next()?;
        let (_, place) = text.split_once('.')?;
        let digits = place.split('-').next()?;
        Some(Self {
            sequence: digits.parse().ok()?,
            text: text.into(),
        })
    }

    /// One that only tests know.
    #[cfg(test)]
    pub(crate) fn made(sequence: u64) -> Self {
        Self {
            sequence,
            text: format!("made.{sequence}").into(),
        }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.text)
    }
}

/// A resource: the number of its collection, and its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Resource {
    pub(crate) collection: u32,
    pub(crate) id: u32,
}

impl fmt::Display for Resource {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}/{}", self.collection, self.id)
    }
}

/// From before the first byte was sent until after the last was read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    pub(crate) sent: Moment,
    /// `None` where nobody was told what became of it: it may happen at any later time.
    pub(crate) answered: Option<Moment>,
}

/// The state of a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It has this version.
    Version { tag: Position, content: Content },
    /// Its entity tag is this one; the body was not seen.
    Tag(Position),
    /// There is none.
    Nothing,
    /// It was deleted at this position.
    Deleted(Position),
}

/// One read of one resource, or what a refused write was told of it.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    pub(crate) span: Span,
    pub(crate) resource: Resource,
    pub(crate) seen: Seen,
}

/// What a write demands to find.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Parent {
    /// The version with this tag.
    Version(Position),
    /// No resource.
    Nothing,
}

/// One resource's part of a write.
#[derive(Clone, Debug)]
pub(crate) struct Edit {
    pub(crate) resource: Resource,
    pub(crate) parent: Parent,
    /// What it makes of it; `None` deletes it.
    pub(crate) content: Option<Content>,
}

/// What a client knows of its write in the end, repetitions included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was told that it was carried out, and where; deletions are not told where.
    Acknowledged(Option<Position>),
    /// It was told that it was not carried out.
    Refused,
    /// It was told nothing, or that nobody knows.
    Unknown,
}

/// One write, of one resource or of several as one.
#[derive(Clone, Debug)]
pub(crate) struct Write {
    pub(crate) span: Span,
    pub(crate) edits: Vec<Edit>,
    /// What it depends on without writing it.
    pub(crate) checked: Vec<(Resource, Position)>,
    pub(crate) outcome: Outcome,
}

/// One page of changes that a follower was given.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) span: Span,
    /// What it was asked to go on from.
    pub(crate) after: Position,
    /// Where it says that it ends.
    pub(crate) position: Position,
    /// Whether it says that nothing has happened since.
    pub(crate) at_head: bool,
    /// Versions and deletions, in its order.
    pub(crate) items: Vec<(Resource, Seen)>,
}

/// One follower of one collection's changes: its pages in the order in which it applied them.
#[derive(Clone, Debug)]
pub(crate) struct Follower {
    pub(crate) collection: u32,
    /// Whether it asked for every version, not only for the newest of each resource.
    pub(crate) every_version: bool,
    pub(crate) pages: Vec<Page>,
}

/// Everything that was written down.
#[derive(Clone, Debug, Default)]
pub(crate) struct Record {
    pub(crate) writes: Vec<Write>,
    pub(crate) reads: Vec<Read>,
    pub(crate) followers: Vec<Follower>,
}

impl Record {
    /// Adds what somebody else wrote down.
    pub(crate) fn absorb(&mut self, other: Self) {
        self.writes.extend(other.writes);
        self.reads.extend(other.reads);
        self.followers.extend(other.followers);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_from_a_tag_and_its_variants() {
        let position = Position::parse("k3f7.1050-x7qa").unwrap();
        assert_eq!(position.sequence, 1050);
        for tag in ["\"k3f7.1050-x7qa\"", "\"k3f7.1050-x7qa+gzip\""] {
            assert_eq!(Position::parse(tag).unwrap(), position);
        }
        assert!(Position::parse("\"etag\"").is_none());
        assert_ne!(Position::parse("k3f7.1050-zzzz").unwrap(), position);
    }
}
