//! Filters as stretches of encoded index values: what can be compared byte by byte.

use milepost_semantics::index::{Comparison, KeyRange};

use crate::{IndexFilter, embedded::catalog::Collection};

/// Values that lie together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Stretch {
    /// The first value, inclusive.
    pub(super) start: Vec<u8>,
    /// Where it ends, exclusive.
    pub(super) end: Vec<u8>,
    /// Whether it is a single value.
    pub(super) is_point: bool,
}

/// A filter: its index's place, and the stretches of values that it lets pass, ascending and apart.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) index: usize,
    pub(super) stretches: Vec<Stretch>,
}

impl Stretch {
    /// Every value there is.
    pub(super) fn all() -> Self {
        Self {
            start: Vec::new(),
            end: vec![u8::MAX],
            is_point: false,
        }
    }

    fn contains(&self, value: &[u8]) -> bool {
        self.start.as_slice() <= value && value < self.end.as_slice()
    }
}

impl Condition {
    /// Whether a resource with these values passes.
    pub(super) fn passes(&self, values: &[Vec<u8>]) -> bool {
        let value = values.get(self.index);
        value.is_some_and(|value| self.stretches.iter().any(|stretch| stretch.contains(value)))
    }
}

/// The filters, in their order.
pub(super) fn conditions(filters: &[IndexFilter], collection: &Collection) -> Vec<Condition> {
    let place = |name: &str| {
        collection
            .indexes
            .iter()
            .position(|index| index.name == name)
    };
    let condition = |filter: &IndexFilter| {
        Some(Condition {
            index: place(&filter.index)?,
            stretches: stretches(filter),
        })
    };
    filters.iter().filter_map(condition).collect()
}

fn stretches(filter: &IndexFilter) -> Vec<Stretch> {
    let alternatives = filter.alternatives().flat_map(|filter| {
        let is_point = filter.comparison() == Comparison::Eq;
        let stretch = move |KeyRange { start, end }| Stretch {
            start,
            end,
            is_point,
        };
        filter.key_ranges().into_iter().map(stretch)
    });
    merged(alternatives.chain(bounded(filter)).collect())
}

/// What all bounds of a filter leave, if there are any and they leave something.
fn bounded(filter: &IndexFilter) -> Option<Stretch> {
    let ranges = filter.bounds().flat_map(|bound| bound.key_ranges());
    let common = ranges.reduce(|one, other| KeyRange {
        start: one.start.max(other.start),
        end: one.end.min(other.end),
    })?;
    (common.start < common.end).then_some(Stretch {
        start: common.start,
        end: common.end,
        is_point: false,
    })
}

/// Sorts stretches and joins those that meet, so that nothing is walked twice.
fn merged(mut stretches: Vec<Stretch>) -> Vec<Stretch> {
    stretches.sort();
    let mut merged: Vec<Stretch> = Vec::with_capacity(stretches.len());
    for stretch in stretches {
        match merged.last_mut() {
            Some(last) if stretch.start < last.end => {
                last.is_point &= stretch.end <= last.end && stretch.is_point;
                last.end = last.end.clone().max(stretch.end);
            }
            _ => merged.push(stretch),
        }
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::{Stretch, merged};

    fn stretch(start: u8, end: u8) -> Stretch {
        Stretch {
            start: vec![start],
            end: vec![end],
            is_point: false,
        }
    }

    #[test]
    fn stretches_that_overlap_are_walked_once() {
        let joined = merged(vec![
            stretch(5, 9),
            stretch(1, 3),
            stretch(2, 4),
            stretch(6, 7),
        ]);
        assert_eq!(joined, vec![stretch(1, 4), stretch(5, 9)]);
    }
}
