//! Interleaved rounds: the control, every other contestant, and the control once more. A round whose
//! two controls lie apart says more about the machine than about the contestants, and is thrown away.
//!
//! What the control is held against is itself, not the best of other rounds: to keep only the rounds in
//! which it was lucky would flatter it.

use crate::say;

/// How much slower a round's one control may be than its other, as a share.
const STEADY: f64 = 0.8;

/// Someone to be measured; the first of a case is its control.
pub(super) struct Contestant<'a> {
    /// Its name in the table.
    pub(super) name: String,
    /// Measures once, in operations per second.
    pub(super) measure: Box<dyn FnMut() -> Result<f64, String> + 'a>,
}

impl<'a> Contestant<'a> {
    pub(super) fn new(
        name: impl Into<String>,
        measure: impl FnMut() -> Result<f64, String> + 'a,
    ) -> Self {
        Self {
            name: name.into(),
            measure: Box::new(measure),
        }
    }
}

/// What the rounds of one case gave.
#[derive(Debug, PartialEq)]
pub(super) struct Comparison {
    /// Names, the control's first.
    pub(super) names: Vec<String>,
    /// Kept rounds, each with a rate per name; the control's is the mean of its two.
    pub(super) rounds: Vec<Vec<f64>>,
    /// How many rounds were thrown away.
    pub(super) thrown_away: usize,
}

impl Comparison {
    /// The median rate of one contestant.
    pub(super) fn median(&self, index: usize) -> f64 {
        median(
            self.rounds
                .iter()
                .filter_map(|round| round.get(index).copied())
                .collect(),
        )
    }

    /// The median, over rounds, of one contestant's rate over another's.
    pub(super) fn ratio(&self, of: usize, to: usize) -> f64 {
        let ratios = self
            .rounds
            .iter()
            .filter_map(|round| Some(round.get(of)? / round.get(to)?));
        median(ratios.collect())
    }
}

/// Measures until `wanted` rounds are kept, or three times as many were tried.
///
/// # Errors
/// When a measurement fails.
pub(super) fn interleave(
    wanted: usize,
    contestants: &mut [Contestant<'_>],
) -> Result<Comparison, String> {
    let mut rounds: Vec<Vec<f64>> = Vec::new();
    let mut tried = 0;
    while rounds.len() < wanted && tried < wanted * 3 {
        tried += 1;
        let mut round = Vec::new();
        for contestant in contestants.iter_mut() {
            round.push(measured(tried, contestant)?);
        }
        if let (Some(control), [first, _, ..]) = (contestants.first_mut(), round.as_mut_slice()) {
            let again = measured(tried, control)?;
            if !is_steady(*first, again) {
                continue;
            }
            *first = f64::midpoint(*first, again);
        }
        rounds.push(round);
    }
    let names = contestants
        .iter()
        .map(|contestant| contestant.name.clone())
        .collect();
    let thrown_away = tried - rounds.len();
    Ok(Comparison {
        names,
        rounds,
        thrown_away,
    })
}

fn measured(round: usize, contestant: &mut Contestant<'_>) -> Result<f64, String> {
    let rate = (contestant.measure)().map_err(|error| format!("{}: {error}", contestant.name))?;
    say::talk(&format!(
        "  round {round} {:<28} {rate:>12.0}/s",
        contestant.name
    ));
    Ok(rate)
}

fn is_steady(one: f64, other: f64) -> bool {
    one.min(other) >= one.max(other) * STEADY
}

/// The middle value, or the mean of the middle two; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    match values.len() {
        0 => 0.0,
        length if length % 2 == 1 => at(middle),
        _ => f64::midpoint(at(middle - 1), at(middle)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_round_whose_controls_lie_apart_is_thrown_away_and_made_up_for() {
        let mut control = [100.0, 90.0, 98.0, 40.0, 40.0, 42.0].into_iter();
        let mut other = [50.0, 49.0, 41.0].into_iter();
        let comparison = interleave(
            2,
            &mut [
                Contestant::new("control", move || Ok(control.next().unwrap())),
                Contestant::new("other", move || Ok(other.next().unwrap())),
            ],
        )
        .unwrap();
        assert_eq!((comparison.rounds.len(), comparison.thrown_away), (2, 1));
        assert_eq!(comparison.rounds, [[95.0, 50.0], [41.0, 41.0]]);
    }

    #[test]
    fn a_machine_that_never_recovers_ends_the_rounds_all_the_same() {
        let mut rate = 1e9;
        let sagging = move || {
            rate /= 2.0;
            Ok(rate)
        };
        let mut contestants = [
            Contestant::new("control", sagging),
            Contestant::new("other", || Ok(1.0)),
        ];
        let comparison = interleave(3, &mut contestants).unwrap();
        assert_eq!((comparison.rounds.len(), comparison.thrown_away), (0, 9));
    }
}
