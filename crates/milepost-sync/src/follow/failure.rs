//! Why a follower can't go on. Each variant is something else to do about it.

/// The end of a follower, with the replica as it was left: whole, at its bookmark.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The server says no, and asking again won't change that.
    #[error("{url} answers {status}{detail}")]
    Refused {
        /// What was asked for.
        url: String,
        /// The status code.
        status: u16,
        /// What the problem document says, after a colon; may be empty.
        detail: String,
    },
    /// Too many questions in a row had no usable answer.
    #[error("no usable answer from {url}, {attempts} times: {reason}")]
    Unreachable {
        /// What was asked for.
        url: String,
        /// How often.
        attempts: u32,
        /// What happened last.
        reason: String,
    },
    /// What stands between here and the server answers with pages of other URLs or from the past.
    #[error("{url} is answered with another page, {attempts} times: {reason}")]
    Misled {
        /// What was asked for.
        url: String,
        /// How often.
        attempts: u32,
        /// What was wrong with the last one.
        reason: String,
    },
    /// A link leads to another origin, where neither credentials nor trust belong.
    #[error("{link} leads away from {origin}")]
    OtherOrigin {
        /// The link.
        link: String,
        /// The origin that is followed.
        origin: String,
    },
    /// The URL is no feed: no collection, or one in an order of its own.
    #[error("{url} can't be followed: {reason}")]
    NoFeed {
        /// The URL.
        url: String,
        /// Why.
        reason: String,
    },
    /// The replica disagrees with the server's digest also after a complete representation.
    #[error("the replica differs from the server at {position}: digest {ours} instead of {theirs}")]
    Differs {
        /// Where.
        position: String,
        /// The replica's digest.
        ours: String,
        /// The server's.
        theirs: String,
    },
}

impl Failure {
    /// Whether the same may work later, without anything being changed here.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Misled { .. })
    }
}
