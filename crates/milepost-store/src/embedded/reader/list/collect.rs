//! Filling a page until it is full, or enough was looked at.

use super::{EXAMINED_MAX, Listing};
use crate::{
    Cursor, Listed, ReadError, ResourceKey, Version,
    embedded::{reader::unavailable, values::values_of},
};

/// What became of the walk.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) items: Vec<Listed>,
    pub(super) next: Option<Cursor>,
}

/// A page that is being filled.
#[derive(Debug, Default)]
pub(super) struct Collecting {
    collected: Collected,
    bytes: usize,
    examined: usize,
    last: Option<Cursor>,
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Walk {
    On,
    Full,
}

impl Collecting {
    pub(super) fn with_capacity(items: usize) -> Self {
        let items = Vec::with_capacity(items.min(128));
        Self {
            collected: Collected { items, next: None },
            ..Self::default()
        }
    }

    /// Looked at a resource that does not belong on the page.
    pub(super) fn pass(&mut self, cursor: impl FnOnce() -> Cursor) -> Walk {
        self.examined += 1;
        if self.examined < EXAMINED_MAX {
            return Walk::On;
        }
        self.collected.next = Some(cursor());
        Walk::Full
    }

    /// Puts a resource on the page, if it still fits.
    pub(super) fn take(
        &mut self,
        listing: &Listing<'_, '_>,
        key: ResourceKey,
        version: Version,
        values: Vec<Vec<u8>>,
    ) -> Walk {
        let limit = listing.query.limit;
        let bytes = version.body.as_ref().map_or(0, bytes::Bytes::len);
        let items = self.collected.items.len();
        let is_full = items >= limit.items || self.bytes.saturating_add(bytes) > limit.bytes;
        if items > 0 && is_full {
            self.collected.next = self.last.take();
            return Walk::Full;
        }
        self.bytes = self.bytes.saturating_add(bytes);
        self.examined += 1;
        let cursor = Cursor {
            values,
            parent: key.parent.clone(),
            id: key.id.clone(),
        };
        self.collected.items.push(Listed { key, version });
        if self.examined >= EXAMINED_MAX {
            self.collected.next = Some(cursor);
            return Walk::Full;
        }
        self.last = Some(cursor);
        Walk::On
    }

    pub(super) fn finish(self) -> Collected {
        self.collected
    }
}

impl Listing<'_, '_> {
    /// The version of a row, from memory where it is hot.
    pub(super) fn version(
        &self,
        key: &ResourceKey,
        row: i64,
    ) -> Result<Option<Version>, ReadError> {
        if let Ok(cached) = self.snapshot.shared.cache.look_up(key)
            && cached.row == row
        {
            return Ok(Some(cached.version));
        }
        Ok(self.snapshot.row(row)?.map(|cached| cached.version))
    }

    /// Whether the version of a row passes every filter but the one at `carried`.
    pub(super) fn passes(&self, row: i64, carried: Option<usize>) -> Result<bool, ReadError> {
        let mut others = self
            .conditions
            .iter()
            .filter(|condition| Some(condition.index) != carried)
            .peekable();
        if others.peek().is_none() {
            return Ok(true);
        }
        let values = self.values(row)?;
        Ok(others.all(|condition| condition.passes(&values)))
    }

    pub(super) fn values(&self, row: i64) -> Result<Vec<Vec<u8>>, ReadError> {
        values_of(&self.snapshot.db, &self.collection, row).map_err(unavailable)
    }
}
