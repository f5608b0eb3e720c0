//! What can be wrong with a history, said so that somebody can go and look.

use std::fmt;

use super::{
    record::{Parent, Position, Resource, Seen, Span},
    timeline::Entry,
};

/// One thing that a correct store can't have done.
#[derive(Clone, Debug)]
pub(crate) enum Violation {
    /// A write was acknowledged and is not there.
    Lost {
        resource: Resource,
        told: Option<Position>,
        span: Span,
    },
    /// A write is there, but its client was told of another place.
    Misplaced { told: Position, entry: Entry },
    /// Two writes that replaced one version were both acknowledged, or a write stands on top of another
    /// version than it demanded.
    LostUpdate {
        resource: Resource,
        parent: Parent,
        found: Option<Entry>,
    },
    /// A write that was refused was carried out.
    RefusedYetDone { entry: Entry },
    /// A version that no recorded write can have made.
    Phantom { entry: Entry },
    /// One write made two versions.
    CarriedOutTwice { entry: Entry },
    /// One position has two names, or changed one resource twice.
    TwoAtOnce { one: Entry, other: Entry },
    /// A write of several resources was carried out in part, or at several positions.
    Torn { resource: Resource, span: Span },
    /// A write went through though what it depended on was not so.
    Skewed {
        resource: Resource,
        demanded: Position,
        at: Position,
    },
    /// Something was seen that never stood there.
    NeverThere {
        resource: Resource,
        seen: Seen,
        span: Span,
    },
    /// Something was seen, or done, before what had been answered already.
    OutOfOrder { what: String, span: Span },
    /// A follower's page lacks a change.
    Skipped { entry: Entry, page: Position },
    /// A follower's page tells what did not happen so, or in another order.
    Misled {
        resource: Resource,
        seen: Seen,
        page: Position,
    },
    /// A follower's page does not go on where the one before ended.
    Broken { ended: Position, goes_on: Position },
}

impl fmt::Display for Violation {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Lost {
                resource,
                told: Some(told),
                span,
            } => {
                write!(out, "lost: {resource} was acknowledged as {told} ({span})")
            }
            Self::Lost {
                resource,
                told: None,
                span,
            } => {
                write!(
                    out,
                    "lost: the deletion of {resource} was acknowledged ({span})"
                )
            }
            Self::Misplaced { told, entry } => {
                write!(
                    out,
                    "misplaced: the client was told {told}, and it is {entry}"
                )
            }
            Self::LostUpdate {
                resource,
                parent,
                found: Some(found),
            } => {
                write!(
                    out,
                    "lost update: {resource} demanded {parent} and replaced {found}"
                )
            }
            Self::LostUpdate {
                resource,
                parent,
                found: None,
            } => {
                write!(
                    out,
                    "lost update: two writes of {resource} replaced {parent}"
                )
            }
            Self::RefusedYetDone { entry } => write!(out, "refused, and yet done: {entry}"),
            Self::Phantom { entry } => write!(out, "nobody did this: {entry}"),
            Self::CarriedOutTwice { entry } => write!(out, "carried out twice: {entry}"),
            Self::TwoAtOnce { one, other } => write!(out, "at one position: {one} and {other}"),
            Self::Torn { resource, span } => {
                write!(
                    out,
                    "torn: {resource} stands apart from its transaction ({span})"
                )
            }
            Self::Skewed {
                resource,
                demanded,
                at,
            } => {
                write!(
                    out,
                    "skewed: {at} depended on {resource} at {demanded}, which was replaced"
                )
            }
            Self::NeverThere { .. }
            | Self::OutOfOrder { .. }
            | Self::Skipped { .. }
            | Self::Misled { .. }
            | Self::Broken { .. } => self.tell_what_was_seen(out),
        }
    }
}

impl Violation {
    fn tell_what_was_seen(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NeverThere {
                resource,
                seen,
                span,
            } => {
                write!(out, "never there: {resource} was seen as {seen:?} ({span})")
            }
            Self::OutOfOrder { what, span } => write!(out, "out of order: {what} ({span})"),
            Self::Skipped { entry, page } => {
                write!(out, "skipped: the page up to {page} lacks {entry}")
            }
            Self::Misled {
                resource,
                seen,
                page,
            } => {
                write!(
                    out,
                    "misled: the page up to {page} has {resource} as {seen:?}"
                )
            }
            Self::Broken { ended, goes_on } => {
                write!(
                    out,
                    "broken: a page ended at {ended}, the next begins at {goes_on}"
                )
            }
            _ => Ok(()),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.answered {
            Some(answered) => write!(out, "sent at {} µs, answered at {answered}", self.sent),
            None => write!(out, "sent at {} µs, never answered", self.sent),
        }
    }
}

impl fmt::Display for Parent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(position) => write!(out, "{position}"),
            Self::Nothing => out.write_str("nothing"),
        }
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            position,
            resource,
            content,
        } = self;
        match content {
            Some(content) => write!(out, "{resource} at {position} with content {content}"),
            None => write!(out, "{resource} deleted at {position}"),
        }
    }
}
