//! What is told in the end: for each kind of fault how often it happened, and for how long nobody could
//! write or read.

use std::collections::BTreeMap;

use crate::cluster::load::Done;

/// One fault, from the moment it struck until everything was whole again, in microseconds since the load
/// began.
#[derive(Clone, Debug)]
pub(super) struct Struck {
    pub(super) name: &'static str,
    pub(super) from: u64,
    pub(super) until: u64,
}

/// The longest time within a stretch that passed without any of these moments.
///
/// The moments are ascending. A stretch begins with the last moment before it.
pub(super) fn longest_silence(moments: &[u64], from: u64, until: u64) -> u64 {
    let begin = moments.partition_point(|moment| *moment <= from);
    let end = moments.partition_point(|moment| *moment < until);
    let mut last = begin
        .checked_sub(1)
        .and_then(|place| moments.get(place))
        .copied()
        .unwrap_or(from);
    let mut longest = 0;
    for moment in moments.get(begin..end).unwrap_or_default() {
        longest = longest.max(moment - last);
        last = *moment;
    }
    longest.max(until.saturating_sub(last))
}

/// A table of all faults.
pub(super) fn table(struck: &[Struck], done: &Done) -> String {
    let mut rows: BTreeMap<&str, (usize, u64, u64)> = BTreeMap::new();
    for fault in struck {
        let row = rows.entry(fault.name).or_default();
        row.0 += 1;
        row.1 = row
            .1
            .max(longest_silence(&done.written, fault.from, fault.until));
        row.2 = row
            .2
            .max(longest_silence(&done.seen, fault.from, fault.until));
    }
    let seconds = |micros: u64| std::time::Duration::from_micros(micros).as_secs_f64();
    let mut text = String::from(
        "| fault | times | longest without a write | longest without a read |\n|---|---:|---:|---:|\n",
    );
    for (name, (times, written, seen)) in rows {
        text.push_str(&format!(
            "| {name} | {times} | {:.1} s | {:.1} s |\n",
            seconds(written),
            seconds(seen)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn silence_is_counted_from_the_last_success_before_the_fault_to_the_end() {
        let moments = [1, 5, 9, 30, 31];
        assert_eq!(longest_silence(&moments, 10, 32), 21);
        assert_eq!(longest_silence(&moments, 0, 9), 4);
        assert_eq!(longest_silence(&moments, 31, 50), 19);
        assert_eq!(longest_silence(&[], 10, 20), 10);
    }
}
