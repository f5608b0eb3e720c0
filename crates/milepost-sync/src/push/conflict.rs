//! Two versions that come from one: what to do about them.

use milepost_semantics::json;
use serde_json::Value;

use super::Outcome;
use crate::merge::{Merged, merge};
use crate::page::Key;
use crate::replica::Version;

/// An edit that met a version of the server's which it was not made from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// Which resource.
    pub key: Key,
    /// What both sides started from; `None`: nothing, both created it.
    pub ancestor: Option<String>,
    /// What it is here; `None`: deleted.
    pub ours: Option<String>,
    /// What it is at the server; `None`: deleted.
    pub theirs: Option<Version>,
    /// The places that both changed, as JSON pointers, where a merge was tried; the whole document is
    /// the empty pointer.
    pub places: Vec<String>,
}

/// What is to become of a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// The edit replaces the server's version, which was seen now.
    Ours,
    /// The edit is given up.
    Theirs,
    /// Both sides' changes are kept where they don't overlap; else it is left.
    Merge,
    /// Both versions are kept, and somebody decides later.
    Leave,
}

/// What follows from it.
#[derive(Debug)]
pub(super) enum Way {
    /// The resource is this version now.
    End(Option<Version>, Outcome),
    /// Send this, on the version with this tag.
    Send {
        value: Option<String>,
        on: Option<String>,
        outcome: Outcome,
    },
    /// Keep both.
    SetAside(Conflict),
}

/// What follows from a conflict. `sent` is what was sent last: where the server has just that, an answer
/// got lost or two had the same idea, and there is none.
pub(super) fn way_out(
    mut conflict: Conflict,
    sent: Option<&str>,
    resolve: &mut dyn FnMut(&Conflict) -> Resolution,
) -> Way {
    let theirs = conflict.theirs.clone();
    let on = theirs.as_ref().map(|theirs| theirs.etag.clone());
    let their_value = theirs.as_ref().map(|theirs| theirs.value.as_str());
    if is_equal(their_value, sent) {
        return Way::End(theirs, Outcome::Agreed);
    }
    match resolve(&conflict) {
        Resolution::Ours => Way::Send {
            value: conflict.ours,
            on,
            outcome: Outcome::Sent,
        },
        Resolution::Theirs => Way::End(theirs, Outcome::GivenUp),
        Resolution::Leave => Way::SetAside(conflict),
        Resolution::Merge => match merged(&conflict) {
            Ok(value) if is_equal(their_value, Some(&value)) => Way::End(theirs, Outcome::Agreed),
            Ok(value) => Way::Send {
                value: Some(value),
                on,
                outcome: Outcome::Merged,
            },
            Err(places) => {
                conflict.places = places;
                Way::SetAside(conflict)
            }
        },
    }
}

/// Both sides' changes, or the places where they overlap. A deletion overlaps with any change.
fn merged(conflict: &Conflict) -> Result<String, Vec<String>> {
    let whole = || vec![String::new()];
    let ours = conflict
        .ours
        .as_deref()
        .and_then(parsed)
        .ok_or_else(whole)?;
    let theirs = conflict.theirs.as_ref();
    let theirs = theirs.and_then(|v| parsed(&v.value)).ok_or_else(whole)?;
    let ancestor = conflict.ancestor.as_deref().and_then(parsed);
    match merge(ancestor.as_ref(), &ours, &theirs) {
        Merged::Whole(value) => Ok(value.to_string()),
        Merged::Overlapping(places) => Err(places),
    }
}

fn parsed(text: &str) -> Option<Value> {
    json::parse(text.as_bytes(), json::Limits::with_depth(json::DEPTH_MAX)).ok()
}

/// Whether both are the same document, or both are none.
fn is_equal(one: Option<&str>, other: Option<&str>) -> bool {
    match (one, other) {
        (None, None) => true,
        (Some(one), Some(other)) => {
            one == other || (parsed(one).is_some() && parsed(one) == parsed(other))
        }
        _ => false,
    }
}
