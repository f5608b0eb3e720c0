//! The search for an order against all orders there are, in histories small enough to try them.

use proptest::{collection::vec, prelude::*};

use super::{
    Position, Resource, Span,
    order::{Operation, What, sweep},
};

/// So many that all orders can be tried.
const OPERATIONS_MAX: usize = 5;
/// Places are tried one by one.
const PLACES: u64 = 6;

fn operation() -> impl Strategy<Value = Operation> {
    let range = (0..PLACES, 0..2_u64);
    (0..8_u64, 0..5_u64, any::<bool>(), vec(range, 1..3)).prop_map(
        |(sent, took, is_answered, ranges)| Operation {
            span: Span {
                sent,
                answered: is_answered.then_some(sent + took),
            },
            places: apart(&ranges),
            what: What::Write(
                Resource {
                    collection: 0,
                    id: 0,
                },
                Position::made(0),
            ),
        },
    )
}

/// Ranges in ascending order, none overlapping.
fn apart(ranges: &[(u64, u64)]) -> Vec<(u64, u64)> {
    let mut sorted: Vec<(u64, u64)> = ranges
        .iter()
        .map(|(first, more)| (*first, first + more))
        .collect();
    sorted.sort_unstable();
    let mut reached = None;
    sorted.retain(|(first, last)| {
        let is_apart = reached.is_none_or(|reached| *first > reached);
        if is_apart {
            reached = Some(*last);
        }
        is_apart
    });
    sorted
}

/// Whether places can be chosen so that nobody stands before one who was answered before he asked.
fn has_order(operations: &[Operation], chosen: &mut Vec<u64>) -> bool {
    let Some(next) = operations.get(chosen.len()) else {
        return true;
    };
    let fits = |place: u64, chosen: &[u64]| {
        chosen.iter().zip(operations).all(|(other_place, other)| {
            let precedes = |one: &Operation, two: &Operation| {
                one.span
                    .answered
                    .is_some_and(|answered| answered < two.span.sent)
            };
            (!precedes(other, next) || *other_place <= place)
                && (!precedes(next, other) || place <= *other_place)
        })
    };
    (0..PLACES + 2).any(|place| {
        let is_possible = next
            .places
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&place));
        if !is_possible || !fits(place, chosen) {
            return false;
        }
        chosen.push(place);
        let found = has_order(operations, chosen);
        chosen.pop();
        found
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn an_order_is_found_exactly_where_there_is_one(operations in vec(operation(), 0..=OPERATIONS_MAX)) {
        let found = sweep(operations.clone()).is_empty();
        prop_assert_eq!(found, has_order(&operations, &mut Vec::new()));
    }
}
