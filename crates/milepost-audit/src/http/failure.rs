//! Why an exchange gave no answer.

use std::time::Duration;

/// Why there is no answer to a request.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Failure {
    /// The host is not this machine, and nobody said that it may be asked.
    #[error("{host} is not a loopback address; add --i-operate-this-host if it is yours to audit")]
    Foreign {
        /// The host as it was named.
        host: String,
    },
    /// The name has no address.
    #[error("{host} has no address: {reason}")]
    Unresolved {
        /// The host as it was named.
        host: String,
        /// What the resolver said.
        reason: String,
    },
    /// No connection could be made, or TLS was refused.
    #[error("can't connect to {address}: {reason}")]
    Unreachable {
        /// Where to.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// Nothing came for too long.
    #[error("no whole answer within {} s", .after.as_secs_f32())]
    TimedOut {
        /// The time that was given to it.
        after: Duration,
    },
    /// The connection was closed before an answer was whole.
    #[error("the connection was closed before the answer was whole")]
    Closed,
    /// What came is not HTTP/1.1.
    #[error("the answer is not HTTP/1.1: {what}")]
    Garbage {
        /// What is wrong with it.
        what: String,
    },
    /// HTTP/2 was tried, and is not what the other side speaks.
    #[error("HTTP/2 is not spoken there: {reason}")]
    Unspoken {
        /// What was seen instead.
        reason: String,
    },
    /// The run may send no more.
    #[error("the run's limit is reached: {limit}")]
    Spent {
        /// Which limit.
        limit: String,
    },
}
