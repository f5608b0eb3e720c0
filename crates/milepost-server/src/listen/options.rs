//! What bounds a listener: connections, time, and how it stops.

use std::time::Duration;

/// What bounds a listener. Every bound is per connection or for the whole listener, never per
/// client.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListenOptions {
    /// The most connections open at once. Above it no more are accepted until one closes: those who
    /// connect wait in the operating system's (bounded) queue.
    pub connections_max: usize,
    /// How long a TLS handshake may take, in all, before the connection is closed.
    pub handshake_time_max: Duration,
    /// How long a connection may take to send a request's header section, in all. Slower: closed.
    pub head_time_max: Duration,
    /// How long a connection may be open without a request before it is closed.
    pub idle_time_max: Duration,
    /// How long a response may make no progress, because its reader doesn't read, before the
    /// connection is dropped.
    pub stall_time_max: Duration,
    /// How many requests one HTTP/2 connection may have in flight.
    pub streams_max: u32,
    /// How much of one HTTP/1.1 connection's input or output is buffered, in bytes; at least 8192.
    /// A header section that doesn't fit is answered by 431.
    pub buffer_bytes_max: usize,
    /// When asked to stop: how long requests in flight may take before they are dropped.
    pub drain_time_max: Duration,
}

impl Default for ListenOptions {
    fn default() -> Self {
        Self {
            connections_max: 10_000,
            handshake_time_max: Duration::from_secs(10),
            head_time_max: Duration::from_secs(10),
            idle_time_max: Duration::from_secs(75),
            stall_time_max: Duration::from_secs(60),
            streams_max: 250,
            buffer_bytes_max: 128 * 1024,
            drain_time_max: Duration::from_secs(30),
        }
    }
}
