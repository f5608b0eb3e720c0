//! Several sort keys: an index gives the order of the first; resources that share its value are
//! gathered and ordered by the others. So a page costs what its groups cost, and a group is bounded.

use std::cmp::Ordering;

use rusqlite::params;

use super::{
    Listing,
    collect::{Collected, Collecting, Walk},
};
use crate::{
    Cursor, ReadError, ResourceKey,
    embedded::{
        reader::{stretch::Stretch, unavailable},
        rows,
    },
    plan::OrderKey,
};

/// The most resources that may share a value of the first sort key.
const GROUP_MAX: usize = 10_000;

/// A resource of a group, with what it is ordered by.
struct Member {
    values: Vec<Vec<u8>>,
    key: ResourceKey,
    row: i64,
}

impl Listing<'_, '_> {
    pub(super) fn by_group(&self, keys: &[OrderKey]) -> Result<Collected, ReadError> {
        let mut page = Collecting::with_capacity(self.query.limit.items);
        let Some(first) = keys.first() else {
            return Ok(page.finish());
        };
        if self
            .query
            .after
            .as_ref()
            .is_some_and(|cursor| cursor.values.len() != keys.len())
        {
            return Err(ReadError::MalformedCursor);
        }
        let mut stretches = self.stretches(first.index);
        if first.descending {
            stretches.reverse();
        }
        for stretch in &stretches {
            if self.walk_groups(&mut page, keys, *first, stretch)? == Walk::Full {
                break;
            }
        }
        Ok(page.finish())
    }

    fn walk_groups(
        &self,
        page: &mut Collecting,
        keys: &[OrderKey],
        first: OrderKey,
        stretch: &Stretch,
    ) -> Result<Walk, ReadError> {
        let cursor = self.query.after.as_ref();
        let mut at = cursor.and_then(|cursor| cursor.values.first().cloned());
        // The page begins within the group where the previous one ended.
        let mut inclusive = true;
        while let Some(value) = self.next_value(first, stretch, at.as_deref(), inclusive)? {
            if self.show_group(page, keys, &value)? == Walk::Full {
                return Ok(Walk::Full);
            }
            at = Some(value);
            inclusive = false;
        }
        Ok(Walk::On)
    }

    /// The next value of the first key after `at`, or at it where the page begins in its group.
    fn next_value(
        &self,
        key: OrderKey,
        stretch: &Stretch,
        at: Option<&[u8]>,
        inclusive: bool,
    ) -> Result<Option<Vec<u8>>, ReadError> {
        let Some(index) = self.collection.indexes.get(key.index) else {
            return Ok(None);
        };
        let (aggregate, comparison) = match (key.descending, inclusive) {
            (false, true) => ("min", ">="),
            (false, false) => ("min", ">"),
            (true, true) => ("max", "<="),
            (true, false) => ("max", "<"),
        };
        let sql = format!(
            "SELECT {aggregate}(value) FROM entries WHERE index_id = ?1 AND value >= ?2 AND value < ?3
             AND (?4 IS NULL OR value {comparison} ?4)"
        );
        let bounds = match at {
            // The bound itself, and not only the condition beside it, so that it is sought and not walked.
            Some(at) if !key.descending => {
                (stretch.start.as_slice().max(at), stretch.end.as_slice())
            }
            _ => (stretch.start.as_slice(), stretch.end.as_slice()),
        };
        self.snapshot
            .db
            .prepare_cached(&sql)
            .and_then(|mut statement| {
                statement.query_row(params![index.index_id, bounds.0, bounds.1, at], |row| {
                    row.get(0)
                })
            })
            .map_err(unavailable)
    }

    fn show_group(
        &self,
        page: &mut Collecting,
        keys: &[OrderKey],
        value: &[u8],
    ) -> Result<Walk, ReadError> {
        let mut members = self.members(keys, value)?;
        let order = |one: &Member, other: &Member| {
            compare(keys, (&one.values, &one.key), (&other.values, &other.key))
        };
        members.sort_by(order);
        for member in members {
            let Member { values, key, row } = member;
            if self
                .query
                .after
                .as_ref()
                .is_some_and(|cursor| is_shown(keys, cursor, &values, &key))
            {
                continue;
            }
            let cursor = || Cursor {
                values: values.clone(),
                parent: key.parent.clone(),
                id: key.id.clone(),
            };
            let walk = match self.version(&key, row)? {
                Some(version) if self.passes(row, keys.first().map(|key| key.index))? => {
                    page.take(self, key.clone(), version, values.clone())
                }
                _ => page.pass(cursor),
            };
            if walk == Walk::Full {
                return Ok(walk);
            }
        }
        Ok(Walk::On)
    }

    fn members(&self, keys: &[OrderKey], value: &[u8]) -> Result<Vec<Member>, ReadError> {
        let Some(index) = keys
            .first()
            .and_then(|key| self.collection.indexes.get(key.index))
        else {
            return Ok(Vec::new());
        };
        let mut statement = self
            .snapshot
            .db
            .prepare_cached(
                "SELECT e.parent, e.id, k.row FROM entries e
                 JOIN keys k ON k.collection = ?1 AND k.live = 1 AND k.parent = e.parent AND k.id = e.id
                 WHERE e.index_id = ?2 AND e.value = ?3",
            )
            .map_err(unavailable)?;
        let mut found = statement
            .query(params![self.collection.collection, index.index_id, value])
            .map_err(unavailable)?;
        let mut members = Vec::new();
        while let Some(row) = found.next().map_err(unavailable)? {
            let key = rows::key(row, 0, &self.query.collection).map_err(unavailable)?;
            if !self.in_scope(&key.parent) {
                continue;
            }
            if members.len() >= GROUP_MAX {
                return Err(ReadError::SortTooBroad {
                    index: index.name.clone(),
                    limit: GROUP_MAX,
                });
            }
            let row: i64 = row.get(2).map_err(unavailable)?;
            let all = self.values(row)?;
            let values = keys
                .iter()
                .map(|key| all.get(key.index).cloned().unwrap_or_default())
                .collect();
            members.push(Member { values, key, row });
        }
        Ok(members)
    }
}

fn is_shown(keys: &[OrderKey], cursor: &Cursor, values: &[Vec<u8>], key: &ResourceKey) -> bool {
    let last = ResourceKey {
        collection: key.collection.clone(),
        parent: cursor.parent.clone(),
        id: cursor.id.clone(),
    };
    compare(keys, (values, key), (&cursor.values, &last)) != Ordering::Greater
}

/// By each key in its direction, then by parent and id in that of the first.
fn compare(
    keys: &[OrderKey],
    one: (&[Vec<u8>], &ResourceKey),
    other: (&[Vec<u8>], &ResourceKey),
) -> Ordering {
    let directed =
        |order: Ordering, descending: bool| if descending { order.reverse() } else { order };
    for (at, key) in keys.iter().enumerate() {
        let order = directed(one.0.get(at).cmp(&other.0.get(at)), key.descending);
        if order != Ordering::Equal {
            return order;
        }
    }
    let ties = (&one.1.parent, &one.1.id).cmp(&(&other.1.parent, &other.1.id));
    directed(ties, crate::plan::ties_descend(keys))
}
