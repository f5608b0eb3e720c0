//! Today, as waivers expire by it (UTC).

use std::time::{SystemTime, UNIX_EPOCH};

use milepost_semantics::UnixSeconds;

/// `2026-01-31`.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where an audit asks what day it is: waivers expire"
)]
pub(crate) fn today() -> String {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    of(since.as_secs())
}

/// The day of a moment, by way of HTTP's own date: `Sun, 06 Nov 1994 08:49:37 GMT`.
fn of(seconds: u64) -> String {
    let date = UnixSeconds::new(seconds).to_header_value();
    let words: Vec<&str> = date.to_str().unwrap_or_default().split(' ').collect();
    let [_, day, month, year, ..] = words.as_slice() else {
        return String::new();
    };
    let months = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let number = months.iter().position(|name| name == month).unwrap_or(0) + 1;
    format!("{year}-{number:02}-{day}")
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn a_moment_is_written_as_its_day() {
        assert_eq!(of(784_111_777), "1994-11-06");
        assert_eq!(of(0), "1970-01-01");
    }
}
