//! Reading versions that follow one another, each as what is told of it.

use std::ops::Range;

use bytes::Bytes;
use milepost_semantics::{Position, ResourceId};
use rusqlite::Row;

use crate::{
    Changed, CollectionPath, ParentPath, ResourceKey, Timestamp, Version,
    embedded::rows::{self, sequence_of, unsigned},
    positions::Lineage,
};

/// What the page needs to know of a version to end somewhere.
pub(super) struct Line {
    pub(super) row: i64,
    pub(super) replaced: Option<i64>,
    /// The commit that replaced it, as far as was gone.
    pub(super) superseded: u64,
    /// Where it lies among all bodies; `None` for a tombstone.
    pub(super) body: Option<Range<usize>>,
}

impl Line {
    pub(super) fn sequence(&self) -> u64 {
        sequence_of(self.row)
    }

    pub(super) fn bytes(&self) -> usize {
        self.body.as_ref().map_or(0, Range::len)
    }
}

/// Reads one after the other: what is the same for several is made once.
pub(super) struct Reading<'l> {
    lineage: &'l Lineage,
    /// The bodies of all, one behind the other: one piece of memory, of which each change holds a part.
    bodies: Vec<u8>,
    parent: ParentPath,
    at: Option<(u64, Position)>,
}

impl<'l> Reading<'l> {
    pub(super) fn new(lineage: &'l Lineage) -> Self {
        Self {
            lineage,
            bodies: Vec::new(),
            parent: ParentPath::top(),
            at: None,
        }
    }

    /// How many bytes of bodies were read.
    pub(super) fn bytes(&self) -> usize {
        self.bodies.len()
    }

    /// Makes room for so many more.
    pub(super) fn make_room(&mut self, bytes: usize) {
        self.bodies.reserve(bytes);
    }

    /// Reads the columns from `replaced` on. The change has its body when all is read.
    pub(super) fn read(
        &mut self,
        number: i64,
        collection: &CollectionPath,
        row: &Row<'_>,
    ) -> rusqlite::Result<(Line, Changed)> {
        let replaced: Option<i64> = row.get(2)?;
        let version = Version {
            position: self.position(sequence_of(number)),
            replaced: replaced.map(|replaced| self.lineage.position(sequence_of(replaced))),
            modified: Timestamp(unsigned(row.get(3)?)),
            body: None,
        };
        let key = ResourceKey {
            collection: collection.clone(),
            parent: self.parent(collection, row)?,
            id: ResourceId::from_stored(rows::text(row, 5)?),
        };
        let line = Line {
            row: number,
            replaced,
            superseded: u64::MAX,
            body: self.body(row)?,
        };
        Ok((line, Changed { key, version }))
    }

    fn body(&mut self, row: &Row<'_>) -> rusqlite::Result<Option<Range<usize>>> {
        let body = rows::blob(row, 6)?;
        Ok(body.map(|body| {
            let start = self.bodies.len();
            self.bodies.extend_from_slice(body);
            start..self.bodies.len()
        }))
    }

    /// Most lie beside the one before.
    fn parent(
        &mut self,
        collection: &CollectionPath,
        row: &Row<'_>,
    ) -> rusqlite::Result<ParentPath> {
        if collection.is_top() {
            return Ok(ParentPath::top());
        }
        let parent = rows::text(row, 4)?;
        if self.parent.as_str() != parent {
            self.parent = ParentPath::from_stored(parent);
        }
        Ok(self.parent.clone())
    }

    /// Those of one commit have the same.
    fn position(&mut self, sequence: u64) -> Position {
        if let Some((_, position)) = self.at.filter(|(at, _)| *at == sequence) {
            return position;
        }
        let position = self.lineage.position(sequence);
        self.at = Some((sequence, position));
        position
    }

    /// All bodies.
    pub(super) fn into_bodies(self) -> Bytes {
        self.bodies.into()
    }
}
