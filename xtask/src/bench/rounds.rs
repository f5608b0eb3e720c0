//! Interleaved rounds: every contestant is measured once a round, the control first; a round
//! whose control sagged says more about the machine than about the contestants, and is thrown
//! away.

use crate::say;

/// A control below this share of its best round has sagged.
const SAGGED: f64 = 0.8;

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
    /// Kept rounds, each with a rate per name.
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
    while kept(&rounds).len() < wanted && rounds.len() < wanted * 3 {
        let mut round = Vec::new();
        for contestant in contestants.iter_mut() {
            let rate =
                (contestant.measure)().map_err(|error| format!("{}: {error}", contestant.name))?;
            say::talk(&format!(
                "  round {} {:<28} {rate:>12.0}/s",
                rounds.len() + 1,
                contestant.name
            ));
            round.push(rate);
        }
        rounds.push(round);
    }
    let names = contestants
        .iter()
        .map(|contestant| contestant.name.clone())
        .collect();
    let kept = kept(&rounds);
    let thrown_away = rounds.len() - kept.len();
    Ok(Comparison {
        names,
        rounds: kept,
        thrown_away,
    })
}

fn kept(rounds: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let control = |round: &Vec<f64>| round.first().copied().unwrap_or_default();
    let best = rounds.iter().map(control).fold(0.0, f64::max);
    rounds
        .iter()
        .filter(|round| control(round) >= best * SAGGED)
        .cloned()
        .collect()
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
    fn a_round_whose_control_sagged_is_thrown_away_and_made_up_for() {
        let mut control = [100.0, 40.0, 98.0, 97.0].into_iter();
        let mut other = [50.0, 1.0, 49.0, 97.0].into_iter();
        let comparison = interleave(
            3,
            &mut [
                Contestant::new("control", move || Ok(control.next().unwrap())),
                Contestant::new("other", move || Ok(other.next().unwrap())),
            ],
        )
        .unwrap();
        assert_eq!((comparison.rounds.len(), comparison.thrown_away), (3, 1));
        assert!((comparison.median(0) - 98.0).abs() < 1e-9);
        assert!((comparison.ratio(1, 0) - 0.5).abs() < 1e-9);
    }

    #[test]
    fn a_machine_that_never_recovers_ends_the_rounds_all_the_same() {
        let mut rate = 1000.0;
        let sagging = move || {
            rate /= 2.0;
            Ok(rate)
        };
        let comparison = interleave(3, &mut [Contestant::new("control", sagging)]).unwrap();
        assert_eq!((comparison.rounds.len(), comparison.thrown_away), (1, 8));
    }
}
