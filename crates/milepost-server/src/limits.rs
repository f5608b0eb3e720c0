//! What one request may cost. Every limit is a number with a default, configurable, told in the
//! service document, and has a status of its own.

use std::time::Duration;

use serde::Serialize;

/// What one request may cost. The names and units are those of the service document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Limits {
    /// The largest representation of a resource, in bytes; a longer one is 413.
    pub resource_bytes_max: usize,
    /// How deep arrays and objects may be nested in any document; deeper is 413.
    pub depth_max: usize,
    /// The most operations in a transaction; more are 413.
    pub transaction_operations_max: usize,
    /// The largest transaction document, in bytes; a longer one is 413.
    pub transaction_bytes_max: usize,
    /// The most items on a page; `pageSize` above it is 400.
    pub page_items_max: usize,
    /// How many items a page has where `pageSize` doesn't say.
    pub page_items_default: usize,
    /// The most bytes of representations on a page. One item always fits.
    pub page_bytes_max: usize,
    /// The longest URL's path and query, in bytes; a longer one is 414.
    pub url_bytes_max: usize,
    /// The most values that a list is filtered by, in URL or `QUERY` document; more are 400.
    pub filter_values_max: usize,
    /// The most keys that a list is sorted by; more are 400.
    pub sort_keys_max: usize,
    /// The longest text that is searched for (`q`), in bytes; longer is 400.
    pub text_bytes_max: usize,
    /// The largest `QUERY` document, in bytes; a longer one is 413.
    pub query_bytes_max: usize,
    /// The largest field section of a request, in bytes; a larger one is 431.
    pub fields_bytes_max: usize,
    /// The most fields of a request; more are 431.
    pub fields_max: usize,
    /// How long a request's body may take to arrive, in milliseconds; slower is 408.
    pub request_body_ms_max: u64,
    /// How many requests are answered at once; the next ones are 503. Bounds, together with what
    /// each may hold, the memory that requests need.
    pub requests_in_flight_max: usize,
    /// How many requests are held until there is news; the next ones are 503. They count among the
    /// requests in flight only while they are being answered.
    pub waits_max: usize,
    /// The longest that a request is held for news, in seconds; who asks for longer is held so long.
    pub wait_seconds_max: u64,
    /// How many streams of events are open at once; the next ones are 503.
    pub streams_max: usize,
    /// The longest that a stream of events is open, in seconds: then it ends, and the client comes
    /// back.
    pub stream_seconds_max: u64,
    /// How long an open stream is silent at most, in seconds: proxies take a longer silence for the end.
    pub heartbeat_seconds_max: u64,
    /// How many bytes of written pages of changes are kept, for whoever asks for the same ones.
    pub kept_pages_bytes_max: usize,
}

impl Limits {
    /// How long a request's body may take to arrive.
    #[must_use]
    pub const fn request_body_time_max(&self) -> Duration {
        Duration::from_millis(self.request_body_ms_max)
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            resource_bytes_max: 1024 * 1024,
            depth_max: 128,
            transaction_operations_max: 10_000,
            transaction_bytes_max: 32 * 1024 * 1024,
            page_items_max: 2048,
            page_items_default: 100,
            page_bytes_max: 8 * 1024 * 1024,
            url_bytes_max: 8 * 1024,
            filter_values_max: 1000,
            sort_keys_max: 8,
            text_bytes_max: 1024,
            query_bytes_max: 256 * 1024,
            fields_bytes_max: 32 * 1024,
            fields_max: 100,
            request_body_ms_max: 60_000,
            requests_in_flight_max: 1024,
            waits_max: 4000,
            wait_seconds_max: 60,
            streams_max: 4000,
            stream_seconds_max: 600,
            heartbeat_seconds_max: 15,
            kept_pages_bytes_max: 32 * 1024 * 1024,
        }
    }
}
