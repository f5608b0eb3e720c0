//! From commit sequences to positions and back, so that a fork of history is found, not followed.
//!
//! A history id alone tells a restored store from its past, but not two stores that were made by
//! copying files. So each time a store is opened it draws a salt, and every position that it commits
//! from then on carries a few characters derived from salt and sequence. A copy that lives on draws
//! another salt: where the two have gone separate ways, their positions differ, and one presented to
//! the other is unknown there. The list of salts is as long as the store was opened often.

use milepost_semantics::{Check, History, Position};

/// From which sequence on which salt was in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incarnation {
    /// The first sequence that was committed with the salt, or would be.
    pub first_sequence: u64,
    /// Drawn at random.
    pub salt: u64,
}

/// A store's history id, and the salts of its positions.
#[derive(Clone, Debug)]
pub struct Lineage {
    history: History,
    /// In ascending order of first sequence; the first one begins at zero.
    incarnations: Vec<Incarnation>,
}

impl Lineage {
    /// A history whose `incarnations` are in ascending order, the first from zero.
    #[must_use]
    pub fn new(history: History, incarnations: Vec<Incarnation>) -> Self {
        Self {
            history,
            incarnations,
        }
    }

    /// The position of the commit with this sequence.
    #[must_use]
    pub fn position(&self, sequence: u64) -> Position {
        Position::new(self.history, sequence, self.check(sequence))
    }

    /// The sequence of a position that this store has committed, or `None`: of another history, of
    /// another fork, or ahead of `head`.
    #[must_use]
    pub fn sequence(&self, position: Position, head: u64) -> Option<u64> {
        let sequence = position.sequence();
        (sequence <= head && self.position(sequence) == position).then_some(sequence)
    }

    fn check(&self, sequence: u64) -> Check {
        let after = self
            .incarnations
            .partition_point(|incarnation| incarnation.first_sequence <= sequence);
        let salt = after
            .checked_sub(1)
            .and_then(|at| self.incarnations.get(at))
            .map_or(0, |found| found.salt);
        Check::from_hash(high_bits(mix(salt ^ mix(sequence))))
    }
}

/// The step of SplitMix64: every bit of the input moves every bit of the output.
fn mix(bits: u64) -> u64 {
    let mut bits = bits.wrapping_add(0x9e37_79b9_7f4a_7c15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

fn high_bits(bits: u64) -> u32 {
    u32::try_from(bits >> 32).unwrap_or(u32::MAX)
}

/// Draws from the operating system.
///
/// # Panics
/// Where the operating system has no randomness to give: nothing here could be unique then.
#[must_use]
pub fn random() -> u64 {
    getrandom::u64().expect("the operating system gives random numbers")
}

#[cfg(test)]
mod tests {
    use super::{History, Incarnation, Lineage};

    fn lineage(salts: &[(u64, u64)]) -> Lineage {
        let incarnations = salts.iter().map(|(first_sequence, salt)| Incarnation {
            first_sequence: *first_sequence,
            salt: *salt,
        });
        Lineage::new(History::from_random(7), incarnations.collect())
    }

    #[test]
    fn a_position_leads_back_to_its_sequence_until_the_head() {
        let lineage = lineage(&[(0, 1), (10, 2)]);
        for sequence in 0..20 {
            assert_eq!(
                lineage.sequence(lineage.position(sequence), 19),
                Some(sequence)
            );
        }
        assert_eq!(lineage.sequence(lineage.position(20), 19), None);
    }

    #[test]
    fn copies_agree_before_the_fork_and_disagree_after_it() {
        let one = lineage(&[(0, 1), (10, 2)]);
        let other = lineage(&[(0, 1), (10, 3)]);
        assert_eq!(other.sequence(one.position(9), 50), Some(9));
        let followed =
            (10..50).filter(|sequence| other.sequence(one.position(*sequence), 50).is_some());
        assert_eq!(followed.count(), 0);
    }
}
