//! Where a page of changes ends: one rule for every backend, a pure function of what is stored.
//!
//! **The problem.** Caches carry the feed where many clients ask for the same URLs, and a URL of the
//! feed names the position where its page begins. So pages must end where other clients' pages end,
//! whatever position each of them started at, and no server may remember who is where.
//!
//! **The choice.** A page is everything up to the head, if that fits; it stays open. Otherwise let
//! `first` be the commit of the first change after `since`. Take the blocks of 1, 2, 4, 8, … commits,
//! each beginning at a multiple of its length, in which `first` lies: their last commits are the
//! candidates ([`ends`]), and the page ends at the last of those that fit. It is closed. Blocks lie
//! within one another or apart, so a client that starts in the middle of one ends where it ends, as
//! does whoever came from its beginning; from there on they ask for the same pages. Only changes
//! after `since` are looked at, and what a page to some end looks at never becomes less for a later
//! one; so where that decided, a closed page stays the same for as long as the state at `since` is
//! remembered. Where what is *shown* decided, a later end may fit one day: such a page is complete
//! like any other, but not said to be immutable.
//!
//! * Counting from `first` instead of `since` lets a quiet collection in a busy store jump over what
//!   others wrote: every closed page has at least one change to look at.
//! * The smallest block is one commit: a transaction is never split, and one that is too large for a
//!   page is a page of its own.
//!
//! **What fits** is what [`PageLimit`] says of the items; besides, at most
//! so many versions are gone through for a page, and of a feed that is filtered or is one parent's at
//! most so many changed resources are looked at more closely ([`Bounds`]): a page costs what it may
//! show, not what it hides.
//!
//! One parent's children are few among all of its collection. Where there are no more of them than may
//! be looked at ([`Bounds::weighed`]), what changed up to the head is found among them, however
//! much was written elsewhere, and only what is shown decides whether it fits.
//!
//! **Also considered.** Pages of a fixed number of changes, counted from the beginning of history,
//! need a number per change and collection, and tell a resource that changes all the time over and
//! over. Pages of a fixed number of commits are tiny in a quiet collection.

use crate::PageLimit;

/// The most versions that are gone through for each item that fits on a page, and in all (about ten
/// milliseconds).
const EXAMINED_PER_ITEM: usize = 128;
const EXAMINED_MAX: usize = 1 << 16;
/// The most changed resources that are looked at for each item that fits on a page, and in all,
/// where some may be hidden.
const WEIGHED_PER_ITEM: usize = 16;
const WEIGHED_MAX: usize = 1 << 13;

/// What a page may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most versions that are gone through, superseded ones included.
    pub examined: usize,
    /// The most changes that are looked at, shown or not.
    pub weighed: usize,
    /// The most changes that are shown.
    pub items: usize,
    /// The most bytes that are shown.
    pub bytes: usize,
}

impl Bounds {
    /// The bounds of a page that holds `limit`; `is_partial`: whether the feed may hide changes.
    #[must_use]
    pub fn of(limit: PageLimit, is_partial: bool) -> Self {
        let items = limit.items.max(1);
        let per_item =
            |factor: usize, most: usize| items.saturating_mul(factor).min(most).max(items);
        Self {
            examined: per_item(EXAMINED_PER_ITEM, EXAMINED_MAX),
            weighed: if is_partial {
                per_item(WEIGHED_PER_ITEM, WEIGHED_MAX)
            } else {
                items
            },
            items,
            bytes: limit.bytes,
        }
    }
}

/// The last commits of the blocks of 1, 2, 4, … commits in which `first` lies: ascending, each once,
/// and all before `head`.
pub fn ends(first: u64, head: u64) -> impl DoubleEndedIterator<Item = u64> + Clone {
    let level = move |bits: u32| first | ((1_u64 << bits) - 1);
    // A block's end is that of the smaller one where `first` lies in its second half.
    let is_new = move |bits: &u32| *bits == 0 || first & (1 << (bits - 1)) == 0;
    (0..u64::BITS - 1)
        .filter(is_new)
        .map(level)
        .filter(move |end| *end < head)
}

#[cfg(test)]
mod tests {
    use super::ends;

    #[test]
    fn candidates_are_the_ends_of_the_blocks_that_the_first_change_lies_in() {
        let of = |first, head| ends(first, head).collect::<Vec<_>>();
        assert_eq!(of(8, 40), [8, 9, 11, 15, 31]);
        assert_eq!(of(13, 40), [13, 15, 31]);
        assert_eq!(of(31, 40), [31]);
        assert_eq!(of(31, 31), Vec::<u64>::new());
        assert_eq!(of(0, 8), [0, 1, 3, 7]);
    }

    #[test]
    fn blocks_lie_within_one_another_or_apart() {
        let pairs = (0..64).flat_map(|first| ends(first, 64).map(move |end| (first, end)));
        for (first, end) in pairs {
            let shares = |within: u64| ends(within, 64).any(|other| other == end);
            assert!((first..=end).all(shares), "{first} {end}");
        }
    }
}
