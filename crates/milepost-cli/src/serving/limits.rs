//! Limits by the names they have in the service document: `--limit resourceBytesMax=2M`.

use std::time::Duration;

use milepost_server::{Limits, listen::ListenOptions};

use crate::exit::Failure;

/// All limits that can be set, at their defaults.
#[derive(Clone, Debug, Default)]
pub(super) struct Settings {
    /// Of one request.
    pub(super) request: Limits,
    /// Of the listener.
    pub(super) listen: ListenOptions,
    /// How long to go on as before when asked to stop, saying so to whoever balances load.
    pub(super) leave_time: Duration,
}

/// A limit: its name, and what setting it means.
type Setting = (&'static str, fn(&mut Settings, u64));

/// Every limit, in the order of the service document; the listener's own last.
const SETTINGS: &[Setting] = &[
    ("resourceBytesMax", |s, n| {
        s.request.resource_bytes_max = size(n)
    }),
    ("depthMax", |s, n| s.request.depth_max = size(n)),
    ("transactionOperationsMax", |s, n| {
        s.request.transaction_operations_max = size(n)
    }),
    ("transactionBytesMax", |s, n| {
        s.request.transaction_bytes_max = size(n)
    }),
    ("pageItemsMax", |s, n| s.request.page_items_max = size(n)),
    ("pageItemsDefault", |s, n| {
        s.request.page_items_default = size(n)
    }),
    ("pageBytesMax", |s, n| s.request.page_bytes_max = size(n)),
    ("urlBytesMax", |s, n| s.request.url_bytes_max = size(n)),
    ("filterValuesMax", |s, n| {
        s.request.filter_values_max = size(n)
    }),
    ("sortKeysMax", |s, n| s.request.sort_keys_max = size(n)),
    ("textBytesMax", |s, n| s.request.text_bytes_max = size(n)),
    ("queryBytesMax", |s, n| s.request.query_bytes_max = size(n)),
    ("fieldsBytesMax", |s, n| {
        s.request.fields_bytes_max = size(n)
    }),
    ("fieldsMax", |s, n| s.request.fields_max = size(n)),
    ("requestBodyMsMax", |s, n| s.request.request_body_ms_max = n),
    ("requestsInFlightMax", |s, n| {
        s.request.requests_in_flight_max = size(n)
    }),
    ("waitsMax", |s, n| s.request.waits_max = size(n)),
    ("waitSecondsMax", |s, n| s.request.wait_seconds_max = n),
    ("streamsMax", |s, n| s.request.streams_max = size(n)),
    ("streamSecondsMax", |s, n| s.request.stream_seconds_max = n),
    ("heartbeatSecondsMax", |s, n| {
        s.request.heartbeat_seconds_max = n
    }),
    ("keptPagesBytesMax", |s, n| {
        s.request.kept_pages_bytes_max = size(n)
    }),
    ("connectionsMax", |s, n| s.listen.connections_max = size(n)),
    ("idleSecondsMax", |s, n| {
        s.listen.idle_time_max = Duration::from_secs(n)
    }),
    ("stallSecondsMax", |s, n| {
        s.listen.stall_time_max = Duration::from_secs(n)
    }),
    ("drainSecondsMax", |s, n| {
        s.listen.drain_time_max = Duration::from_secs(n)
    }),
    ("leaveSeconds", |s, n| s.leave_time = Duration::from_secs(n)),
];

/// The limits with these changes, each `NAME=N`, where `N` may end in K, M or G (powers of 1024).
pub(super) fn settings(changes: &[String]) -> Result<Settings, Failure> {
    let mut settings = Settings::default();
    for change in changes {
        let (name, value) = change.split_once('=').ok_or_else(|| no_limit(change))?;
        let (_, set) = SETTINGS
            .iter()
            .find(|(known, _)| *known == name)
            .ok_or_else(|| no_limit(name))?;
        let value = number(value).filter(|value| *value > 0);
        let value = value.ok_or_else(|| {
            Failure::usage(format!(
                "{change:?}: a limit is a positive number, such as 500 or 2M"
            ))
        })?;
        set(&mut settings, value);
    }
    Ok(settings)
}

/// Reads a number of bytes or things, `2M` or `500`.
pub(super) fn number(text: &str) -> Option<u64> {
    let (digits, unit) = match text.strip_suffix(['K', 'M', 'G', 'k', 'm', 'g']) {
        None => (text, 1),
        Some(digits) if text.ends_with(['K', 'k']) => (digits, 1 << 10),
        Some(digits) if text.ends_with(['M', 'm']) => (digits, 1 << 20),
        Some(digits) => (digits, 1 << 30),
    };
    digits.parse::<u64>().ok()?.checked_mul(unit)
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

fn no_limit(name: &str) -> Failure {
    let names: Vec<&str> = SETTINGS.iter().map(|(name, _)| *name).collect();
    Failure::usage(format!("{name:?} is no limit")).hint(format!(
        "write --limit NAME=N, where NAME is one of {}",
        names.join(", ")
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_set_by_the_name_that_the_service_document_tells() {
        let told = serde_json::to_value(Limits::default()).unwrap();
        for name in told.as_object().unwrap().keys() {
            let changed = settings(&[format!("{name}=4321")]).unwrap().request;
            assert_eq!(serde_json::to_value(changed).unwrap()[name], 4321, "{name}");
        }
    }

    #[test]
    fn numbers_may_have_a_unit() {
        assert_eq!(number("2M"), Some(2 * 1024 * 1024));
        assert_eq!(number("500"), Some(500));
        assert_eq!(number("M"), None);
        assert_eq!(number("99999999999G"), None);
    }

    #[test]
    fn what_is_no_limit_is_told_with_the_names_of_those_there_are() {
        for change in [
            "resourceBytesMax",
            "nonsense=1",
            "depthMax=0",
            "depthMax=-1",
        ] {
            assert!(settings(&[change.to_owned()]).is_err(), "{change}");
        }
    }
}
