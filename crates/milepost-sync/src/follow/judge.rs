//! Whether a page is the one that was asked for, and leads forward.

use std::cmp::Ordering;

use milepost_semantics::Position;
use milepost_semantics::wire::{PageEnd, PageKind};

use super::Failure;
use crate::page::Page;
use crate::replica::Held;
use crate::url::Url;

/// Query keys that say how to ask, not what for: caches and servers may leave them out of a page's own
/// URL.
const MANNERS: &[&str] = &["wait", "tick"];

/// What is thought of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Judgement {
    /// It is to be applied.
    Sound,
    /// It brings nothing: it ends where the replica is.
    Standing,
    /// It is another page than the one that was asked for, or a stale one.
    Misplaced(String),
    /// A complete representation from before what is held.
    Backwards,
    /// The server goes on in another history.
    OtherHistory,
    /// It can't be followed.
    NoFeed(String),
}

/// Judges a page that was asked for by `link`.
pub(super) fn judge(page: &Page, link: &Url, held: Option<&Held>, is_view: bool) -> Judgement {
    if !is_page_of(page, link) {
        let what = format!("it is the page of {}", page.self_href);
        return Judgement::Misplaced(what);
    }
    if page.end == PageEnd::Closed {
        return Judgement::NoFeed(
            "it has an order of its own, which has no end to go on from".to_owned(),
        );
    }
    let Some(held) = held else {
        return match page.delivery.replace || is_view {
            true => Judgement::Sound,
            false => Judgement::NoFeed("it begins in the middle".to_owned()),
        };
    };
    let order = order(page.delivery.position, held.position);
    match (page.delivery.replace, page.kind, order) {
        (true, _, Some(Ordering::Less)) => Judgement::Backwards,
        (true, ..) => Judgement::Sound,
        (false, _, None) => Judgement::OtherHistory,
        (false, PageKind::Snapshot, Some(Ordering::Equal)) => Judgement::Sound,
        (false, PageKind::Snapshot, Some(_)) => {
            Judgement::Misplaced("it is a page of another snapshot".to_owned())
        }
        (false, PageKind::Changes, Some(Ordering::Less)) => {
            Judgement::Misplaced("it ends before what is held".to_owned())
        }
        (false, PageKind::Changes, Some(Ordering::Equal)) if page.delivery.changes.is_empty() => {
            Judgement::Standing
        }
        (false, PageKind::Changes, Some(_)) => Judgement::Sound,
    }
}

/// How two positions stand to each other; `None` in different histories.
fn order(one: Position, other: Position) -> Option<Ordering> {
    (one.history() == other.history()).then(|| one.sequence().cmp(&other.sequence()))
}

/// Whether the page's own URL is the link that was asked for, by path and by what the query asks.
fn is_page_of(page: &Page, link: &Url) -> bool {
    let Ok(own) = link.join(&page.self_href) else {
        return false;
    };
    own.is_same_origin(link) && own.path() == link.path() && question(&own) == question(link)
}

/// The pairs of a query that tell pages apart, in one order.
fn question(url: &Url) -> Vec<(String, String)> {
    let mut pairs = url.pairs();
    pairs.retain(|(key, _)| !MANNERS.contains(&key.as_str()));
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// What a link of an answer means; it must not leave the origin.
pub(super) fn resolved(home: &Url, link: &str) -> Result<Url, Failure> {
    let other_origin = || Failure::OtherOrigin {
        link: link.to_owned(),
        origin: home.origin().to_owned(),
    };
    // What is no URL leads elsewhere too.
    let url = home.join(link).ok().ok_or_else(other_origin)?;
    if url.is_same_origin(home) {
        Ok(url)
    } else {
        Err(other_origin())
    }
}
