//! Durations of ISO 8601, without the units whose length depends on a calendar.

const UNITS_MS: [(char, u64); 2] = [('W', 7 * 86_400_000), ('D', 86_400_000)];
const TIME_UNITS_MS: [(char, u64); 3] = [('H', 3_600_000), ('M', 60_000), ('S', 1000)];

/// Reads `P1D`, `P2W`, `PT12H`, `P1DT30M`; `None` where it is not such a duration, or over 1000 years.
pub(super) fn parse_ms(text: &str) -> Option<u64> {
    let rest = text.strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let total = sum_ms(date, &UNITS_MS)?.checked_add(sum_ms(time, &TIME_UNITS_MS)?)?;
    (total <= 365_000 * 86_400_000).then_some(total)
}

fn sum_ms(mut text: &str, units: &[(char, u64)]) -> Option<u64> {
    let mut total = 0_u64;
    for (unit, unit_ms) in units {
        if let Some((number, rest)) = text.split_once(*unit) {
            if !number.bytes().all(|byte| byte.is_ascii_digit()) {
                return None;
            }
            total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(*unit_ms)?)?;
            text = rest;
        }
    }
    text.is_empty().then_some(total)
}

/// Writes a duration in the largest units that hold it; parts of a second are left out.
pub(super) fn display_ms(mut ms: u64) -> String {
    let mut text = String::from("P");
    let mut write = |text: &mut String, units: &[(char, u64)]| {
        for (unit, unit_ms) in units {
            if ms >= *unit_ms {
                text.push_str(&format!("{}{unit}", ms / unit_ms));
                ms %= unit_ms;
            }
        }
    };
    write(&mut text, &[('D', 86_400_000)]);
    let mut time = String::new();
    write(&mut time, &TIME_UNITS_MS);
    if !time.is_empty() {
        text.push('T');
        text.push_str(&time);
    }
    if text == "P" { "PT0S".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::{display_ms, parse_ms};

    #[test]
    fn durations_without_a_calendar_are_read_and_written_back() {
        for (text, ms) in [
            ("P1D", 86_400_000),
            ("PT12H", 43_200_000),
            ("P1DT30M", 88_200_000),
            ("PT5S", 5000),
        ] {
            assert_eq!(parse_ms(text), Some(ms));
            assert_eq!(display_ms(ms), text);
        }
        assert_eq!(parse_ms("P2W"), Some(2 * 7 * 86_400_000));
    }

    #[test]
    fn what_is_not_such_a_duration_is_refused() {
        for text in [
            "",
            "P",
            "PT",
            "P1",
            "1D",
            "P1M",
            "P1Y",
            "PT1D",
            "P1D1D",
            "P-1D",
            "P+1D",
            "P1DT",
            "P1.5D",
            "P99999999999999999999D",
        ] {
            assert_eq!(parse_ms(text), None, "{text}");
        }
    }
}
