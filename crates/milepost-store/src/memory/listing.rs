//! Listing by looking at every resource: filter, sort, cut.

use std::cmp::Ordering;

use milepost_semantics::{index::IndexValue, json};
use serde_json::Value;

use super::table::{Row, Table};
use crate::{
    Cursor, Definition, IndexFilter, ListQuery, Listed, Page, PageLimit, ReadError, ResourceKey,
    decision::text_of,
    definition::Index,
    plan,
    words::{has_words, words},
};

/// A resource that matches, and the values it is ordered by.
struct Match<'t> {
    key: &'t ResourceKey,
    row: &'t Row,
    values: Vec<Vec<u8>>,
}

/// Which of the values descend, and whether parent and id do.
struct Directions {
    values: Vec<bool>,
    ties: bool,
}

pub(super) fn list(table: &Table, query: &ListQuery) -> Result<Page, ReadError> {
    let collection = &query.collection;
    let defined = table
        .defined(collection)
        .ok_or_else(|| ReadError::CollectionNotDefined {
            collection: collection.clone(),
        })?;
    let definition = &defined.definition;
    let names = plan::undeclared(query, definition);
    if !names.is_empty() {
        return Err(ReadError::Undeclared {
            collection: collection.clone(),
            names,
        });
    }
    let sequence = match query.at {
        Some(at) => table.as_of(collection, at)?,
        None => table.newest_change(collection, &defined),
    };
    let sought = query.text.as_deref().map(sought).transpose()?;
    let directions = directions(query, definition);
    let within = table
        .live_at(collection, sequence)
        .filter(|(key, _)| query.scope.contains(&key.parent));
    let mut matches: Vec<Match<'_>> = within
        .filter_map(|(key, row)| matching(key, row, query, definition, sought.as_deref()))
        .collect();
    matches.sort_by(|one, other| directions.compare(one.place(), other.place()));
    let total = query.total.then_some(matches.len() as u64);
    if let Some(after) = &query.after {
        if after.values.len() != directions.values.len() {
            return Err(ReadError::MalformedCursor);
        }
        let after = (
            after.values.as_slice(),
            after.parent.as_str(),
            after.id.as_str(),
        );
        matches.retain(|found| directions.compare(found.place(), after) == Ordering::Greater);
    }
    let (items, next) = cut(table, &matches, query.limit);
    Ok(Page {
        items,
        next,
        position: table.position(sequence),
        total,
    })
}

fn sought(text: &str) -> Result<Vec<String>, ReadError> {
    let sought = words(text);
    if sought.is_empty() {
        return Err(ReadError::MalformedText {
            detail: "there is no word to look for".to_owned(),
        });
    }
    Ok(sought)
}

/// A text search is ordered by one value that descends: the place of the version among all.
fn directions(query: &ListQuery, definition: &Definition) -> Directions {
    if query.text.is_some() {
        return Directions {
            values: vec![true],
            ties: true,
        };
    }
    let order = plan::order(query, definition);
    Directions {
        values: order.iter().map(|key| key.descending).collect(),
        ties: plan::ties_descend(&order),
    }
}

fn matching<'t>(
    key: &'t ResourceKey,
    row: &'t Row,
    query: &ListQuery,
    definition: &Definition,
    sought: Option<&[String]>,
) -> Option<Match<'t>> {
    let value = json::parse(row.body.as_deref()?, json::Limits::default()).ok()?;
    let holds = query
        .filters
        .iter()
        .all(|filter| is_met(filter, definition, &value));
    let found = sought.is_none_or(|sought| has_words(&text_of(definition, &value), sought));
    if !holds || !found {
        return None;
    }
    let values = if sought.is_some() {
        vec![
            [
                row.sequence.to_be_bytes().as_slice(),
                row.place.to_be_bytes().as_slice(),
            ]
            .concat(),
        ]
    } else {
        let order = plan::order(query, definition);
        let indexes = order
            .iter()
            .filter_map(|key| definition.indexes.get(key.index));
        indexes
            .map(|index| index_value(index, &value).encode())
            .collect()
    };
    Some(Match { key, row, values })
}

pub(super) fn is_met(filter: &IndexFilter, definition: &Definition, value: &Value) -> bool {
    let Some(index) = definition.index(&filter.index) else {
        return false;
    };
    filter.matches(&index_value(index, value))
}

/// The value that an index has for a document. One that can't be ordered (the index is younger than
/// the document) counts as there, no more.
fn index_value(index: &Index, value: &Value) -> IndexValue {
    let resolved = index.pointer.resolve(value);
    IndexValue::from_json(resolved).unwrap_or(IndexValue::OTHER)
}

impl Match<'_> {
    fn place(&self) -> (&[Vec<u8>], &str, &str) {
        (&self.values, self.key.parent.as_str(), self.key.id.as_str())
    }
}

impl Directions {
    fn compare(&self, one: (&[Vec<u8>], &str, &str), other: (&[Vec<u8>], &str, &str)) -> Ordering {
        let pairs = one.0.iter().zip(other.0).zip(&self.values);
        let values = pairs.map(|((one, other), descends)| directed(one.cmp(other), *descends));
        let ties = directed((one.1, one.2).cmp(&(other.1, other.2)), self.ties);
        values.fold(Ordering::Equal, Ordering::then).then(ties)
    }
}

fn directed(ordering: Ordering, descends: bool) -> Ordering {
    if descends {
        ordering.reverse()
    } else {
        ordering
    }
}

/// The items that fit on a page, at least one, and where to go on.
fn cut(table: &Table, matches: &[Match<'_>], limit: PageLimit) -> (Vec<Listed>, Option<Cursor>) {
    let mut bytes = 0_usize;
    let fits = |found: &&Match<'_>| {
        bytes += found.row.body.as_ref().map_or(0, bytes::Bytes::len);
        bytes <= limit.bytes
    };
    let fitting = matches.iter().take(limit.items).take_while(fits).count();
    let shown = matches.get(..fitting.max(1)).unwrap_or(matches);
    let next = shown
        .last()
        .filter(|_| shown.len() < matches.len())
        .map(|last| Cursor {
            values: last.values.clone(),
            parent: last.key.parent.clone(),
            id: last.key.id.clone(),
        });
    let items = shown.iter().map(|found| Listed {
        key: found.key.clone(),
        version: table.version_of(found.row),
    });
    (items.collect(), next)
}
