//! What can happen, and who follows: small alphabets, so that steps meet.

use proptest::prelude::{Just, Strategy, any, prop, prop_oneof};

/// One thing that happens.
#[derive(Clone, Debug)]
pub(super) enum Step {
    /// A transaction.
    Write(Vec<(Key, What)>),
    /// Time passes, or the clock jumps, either way; what is due is forgotten.
    Pass {
        seconds: i64,
    },
    Define(Shape),
    Reopen,
    BackUp,
    Restore,
    /// A follower reads so many pages.
    Follow {
        who: usize,
        pages: usize,
    },
    /// A follower loses what it did in its last so many pages, as when it is restored from a backup.
    Rewind {
        who: usize,
        pages: usize,
    },
}

#[derive(Clone, Copy, Debug)]
pub(super) enum What {
    /// A document that holds this number, and one derived from it.
    Put(u8),
    Delete,
}

/// One of a few resources: `a/{id}`, or `a/{id}/b/{child}`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Key {
    pub(super) id: u8,
    pub(super) child: Option<u8>,
}

/// What is declared of both collections.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    /// Whether the index `n` stands for the one member or the other.
    pub(super) other_pointer: bool,
    /// A place in [`RETENTIONS`].
    pub(super) retention: usize,
}

/// How many superseded versions and tombstones are kept, and how long, in seconds.
pub(super) const RETENTIONS: &[(u64, u64, &str)] = &[
    (1000, 1000, "P1D"),
    (3, 1000, "P1D"),
    (0, 1000, "P1D"),
    (4, 2, "P1D"),
    (0, 0, "P1D"),
    (1000, 1000, "PT5S"),
];

/// Who follows, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Following {
    pub(super) feed: Followed,
    pub(super) versions: bool,
    pub(super) items: usize,
    pub(super) bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Followed {
    Everything,
    Collection {
        child: bool,
        /// Below one parent only.
        below: Option<u8>,
        /// A place in [`FILTERS`].
        filter: Option<usize>,
    },
}

/// What `n` is filtered by.
pub(super) const FILTERS: &[&[&str]] = &[&["1"], &["gte:2"], &["gt:0", "lt:3"], &["exists:false"]];

pub(super) fn step() -> impl Strategy<Value = Step> {
    let what = prop_oneof![3 => (0..4_u8).prop_map(What::Put), 1 => Just(What::Delete)];
    let write = prop::collection::vec((key(), what), 1..4);
    prop_oneof![
        24 => write.prop_map(Step::Write),
        5 => (0..8_i64).prop_map(|seconds| Step::Pass { seconds }),
        1 => (-90_000..90_000_i64).prop_map(|seconds| Step::Pass { seconds }),
        2 => shape().prop_map(Step::Define),
        1 => Just(Step::Reopen),
        1 => Just(Step::BackUp),
        1 => Just(Step::Restore),
        12 => (any::<usize>(), 1..4_usize).prop_map(|(who, pages)| Step::Follow { who, pages }),
        3 => (any::<usize>(), 1..6_usize).prop_map(|(who, pages)| Step::Rewind { who, pages }),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (0..4_u8, prop::option::weighted(0.4, 0..3_u8)).prop_map(|(id, child)| Key { id, child })
}

fn shape() -> impl Strategy<Value = Shape> {
    (any::<bool>(), 0..RETENTIONS.len()).prop_map(|(other_pointer, retention)| Shape {
        other_pointer,
        retention,
    })
}

pub(super) fn follower() -> impl Strategy<Value = Following> {
    let collection = (
        any::<bool>(),
        prop::option::weighted(0.3, 0..4_u8),
        prop::option::of(0..FILTERS.len()),
    );
    let collection = collection.prop_map(|(child, below, filter)| Followed::Collection {
        child,
        below: below.filter(|_| child),
        filter,
    });
    let feed = prop_oneof![1 => Just(Followed::Everything), 4 => collection];
    let bytes = prop_oneof![3 => Just(1 << 20), 1 => 1..60_usize];
    (feed, prop::bool::weighted(0.2), 1..6_usize, bytes).prop_map(
        |(feed, versions, items, bytes)| Following {
            feed,
            versions,
            items,
            bytes,
        },
    )
}
