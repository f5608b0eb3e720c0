//! Why something doesn't open: one answer for whoever sent it, the reason for the log.

use std::fmt;

/// The state doesn't open. It says nothing more: whoever tries out states learns nothing from the answers.
#[derive(Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the sealed state doesn't open here and now")]
pub struct StateInvalid {
    reason: Reason,
}

impl StateInvalid {
    /// Why, for the log and for nothing that a client sees.
    #[must_use]
    pub const fn reason(&self) -> Reason {
        self.reason
    }
}

impl From<Reason> for StateInvalid {
    fn from(reason: Reason) -> Self {
        Self { reason }
    }
}

/// As silent as what is displayed, since debug output finds its way into answers.
impl fmt::Debug for StateInvalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("StateInvalid")
    }
}

/// Why a sealed state doesn't open. For logs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason {
    /// It is longer than any that is sealed here; nothing of it was looked at.
    TooLarge,
    /// It doesn't look like a sealed state.
    Malformed,
    /// The ring has no such key: of another service, or dropped.
    UnknownKey,
    /// Its key was revoked.
    RevokedKey,
    /// It was changed, made up, or belongs to another purpose, scope or subject.
    NotAuthentic,
    /// It is ours, and its time is up.
    Expired,
    /// It is ours, and this program reads no such content.
    Unreadable,
}

impl Reason {
    /// The reason as one word, for a log's field.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::TooLarge => "tooLarge",
            Self::Malformed => "malformed",
            Self::UnknownKey => "unknownKey",
            Self::RevokedKey => "revokedKey",
            Self::NotAuthentic => "notAuthentic",
            Self::Expired => "expired",
            Self::Unreadable => "unreadable",
        }
    }
}
