//! Filters as stretches of encoded index values: what can be compared byte by byte.

use milepost_semantics::index::{Comparison, KeyRange};

use crate::{ListQuery, embedded::catalog::Collection};

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

/// The query's filters, in its order.
pub(super) fn conditions(query: &ListQuery, collection: &Collection) -> Vec<Condition> {
    let place = |name: &str| {
        collection
            .indexes
            .iter()
            .position(|index| index.name == name)
    };
    let filters = query.filters.iter();
    filters
        .filter_map(|filter| {
            let stretches = filter.any_of.iter().flat_map(|filter| {
                let is_point = filter.comparison() == Comparison::Eq;
                filter
                    .key_ranges()
                    .into_iter()
                    .map(move |KeyRange { start, end }| Stretch {
                        start,
                        end,
                        is_point,
                    })
            });
            Some(Condition {
                index: place(&filter.index)?,
                stretches: merged(stretches.collect()),
            })
        })
        .collect()
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
