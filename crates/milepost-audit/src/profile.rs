//! Guidelines whose emphasis differs: what a check weighs under each of them.

use crate::finding::Level;

/// A guideline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Profile {
    /// The Dutch government's API Design Rules.
    NlAdr,
    /// Microsoft's REST guidelines for Azure.
    Azure,
    /// Google's API Improvement Proposals.
    Aip,
    /// Zalando's RESTful API guidelines.
    Zalando,
    /// WebDAV (RFC 4918), whose locks are part of the contract.
    Webdav,
}

impl Profile {
    /// Every profile.
    pub const ALL: [Self; 5] = [
        Self::NlAdr,
        Self::Azure,
        Self::Aip,
        Self::Zalando,
        Self::Webdav,
    ];

    /// As the command line names it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::NlAdr => "nl-adr",
            Self::Azure => "azure",
            Self::Aip => "aip",
            Self::Zalando => "zalando",
            Self::Webdav => "webdav",
        }
    }

    /// The rule of the guideline that demands statelessness, where it has one by name.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Self::NlAdr => "/core/stateless",
            Self::Azure => "conditional requests and repeatability",
            Self::Aip => "AIP-121 (stateless), AIP-154 (freshness), AIP-158 (pagination)",
            Self::Zalando => "rules 227 (cacheable), 182 (optimistic locking)",
            Self::Webdav => "RFC 4918 §6-7 (locks are part of the contract)",
        }
    }

    /// What a note of a check weighs under this guideline.
    pub(crate) fn weigh(self, check: &str, level: Level) -> Level {
        let is_note = level > Level::Good;
        match (self, check) {
            (Self::NlAdr, "LG-1") if is_note => Level::Warn,
            (Self::Webdav, "LK-1") if is_note => Level::Info,
            (Self::Azure | Self::Aip, "CC-1") if level == Level::Warn => Level::Info,
            (Self::Aip, "PG-3") if level == Level::Warn => Level::Bad,
            (Self::Azure | Self::Zalando, "CA-4") if level == Level::Info => Level::Warn,
            _ => level,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_logout_that_is_remembered_is_warned_of_where_the_guideline_says_so() {
        assert_eq!(Profile::NlAdr.weigh("LG-1", Level::Info), Level::Warn);
        assert_eq!(Profile::NlAdr.weigh("LG-1", Level::Good), Level::Good);
        assert_eq!(Profile::Aip.weigh("LG-1", Level::Info), Level::Info);
    }
}
