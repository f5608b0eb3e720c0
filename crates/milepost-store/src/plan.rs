//! Which order a listing has: one rule for every backend, so that a page's cursor means the same
//! everywhere and the in-memory store can stand as the model of the others.
//!
//! Pure, and deliberately ignorant of how many resources there are: an order that depended on
//! statistics could change between two pages of one listing.

use milepost_semantics::index::{Comparison, Filter};

use crate::{Definition, IndexFilter, ListQuery};

/// One declared index that a listing is ordered by, before parent and id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OrderKey {
    /// Its place among the definition's indexes.
    pub index: usize,
    /// Largest first.
    pub descending: bool,
}

/// The filter (its place in the query) whose index carries the listing, or `None` where the
/// resources are walked by (parent, id) instead.
///
/// An index can carry a filter whose alternatives are all stretches of its values: equality,
/// comparison, prefix. Filters of equalities only are preferred, being the narrowest; among equals
/// the first index in the definition's order. Asks neither for `sort` nor for `text`: where these
/// are given they rule the order, see [`order`].
pub(crate) fn carrier(query: &ListQuery, definition: &Definition) -> Option<usize> {
    let carried_by = |is_carried: fn(&Filter) -> bool| {
        definition.indexes.iter().find_map(|index| {
            let of_index = |filter: &IndexFilter| {
                filter.index == index.name && filter.any_of.iter().all(is_carried)
            };
            query.filters.iter().position(of_index)
        })
    };
    carried_by(is_equality).or_else(|| carried_by(is_stretch))
}

/// The indexes that a listing without `text` is ordered by, outermost first: the sort keys, else the
/// carrier's index, ascending; then follow parent and id, in the direction of [`ties_descend`].
///
/// Names that are not declared are left out: [`undeclared`] is asked first.
#[must_use]
pub fn order(query: &ListQuery, definition: &Definition) -> Vec<OrderKey> {
    let place = |name: &str| {
        definition
            .indexes
            .iter()
            .position(|index| index.name == name)
    };
    let key = |name: &str, descending| place(name).map(|index| OrderKey { index, descending });
    if !query.sort.is_empty() {
        return query
            .sort
            .iter()
            .filter_map(|sort| key(&sort.index, sort.descending))
            .collect();
    }
    let carrier = carrier(query, definition).and_then(|at| query.filters.get(at));
    carrier
        .and_then(|filter| key(&filter.index, false))
        .into_iter()
        .collect()
}

/// Whether parent and id descend: they go the way of the outermost key, so that one index read
/// backwards gives the order of a listing that is sorted descending.
#[must_use]
pub fn ties_descend(order: &[OrderKey]) -> bool {
    order.first().is_some_and(|key| key.descending)
}

/// The names that are filtered or sorted by but not declared, each once; `q` for a text search where
/// no text is declared.
#[must_use]
pub fn undeclared(query: &ListQuery, definition: &Definition) -> Vec<String> {
    let filtered = query.filters.iter().map(|filter| &filter.index);
    let sorted = query.sort.iter().map(|sort| &sort.index);
    let mut names = undeclared_among(filtered.chain(sorted), definition);
    if query.text.is_some() && definition.text.is_empty() {
        names.push("q".to_owned());
    }
    names
}

/// Those of the names that are not declared, each once.
pub fn undeclared_among<'n>(
    asked: impl Iterator<Item = &'n String>,
    definition: &Definition,
) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for name in asked {
        if definition.index(name).is_none() && !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn is_equality(filter: &Filter) -> bool {
    filter.comparison() == Comparison::Eq
}

fn is_stretch(filter: &Filter) -> bool {
    match filter.comparison() {
        Comparison::Eq
        | Comparison::Gt
        | Comparison::Ge
        | Comparison::Lt
        | Comparison::Le
        | Comparison::Prefix => true,
        Comparison::Ne | Comparison::Exists => false,
    }
}
