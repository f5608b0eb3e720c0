//! The follower: protocol §7 as a state machine without I/O.
//!
//! # The problem
//!
//! "Get the page, apply it, keep the link, wait" is ten lines. What lies between a follower and its
//! server makes it more: proxies cut responses short; caches answer with what they have, for other URLs too
//! when they ignore queries; servers restart, shed load, forget, and are restored from backups.
//! A follower must never store half a page, never apply one that isn't the one it asked for, never
//! go back in time because a cache did, never spin, and always come out equal to the server.
//!
//! # The choice
//!
//! [`Follower`] decides and nothing else. It hands out a [`Step`] and is told what came of it; time,
//! randomness and bytes are arguments. So all of the above is tested by generating what happens.
//!
//! - **Whole pages.** A page is parsed to its end before any of it is handed on.
//! - **The page that was asked for.** A page names its own URL. One that names another, whatever
//!   delivered it, is not applied but asked for again, past caches (`Cache-Control: no-cache`).
//! - **Never back.** A page of changes that ends before what is held is refused. A complete
//!   representation from before what is held is believed only after [`CONFIRMATIONS`] further questions,
//!   from the bookmark on, came to the same: then the server was restored, and not a cache stale.
//! - **Gone.** 410 names the way on. Without one, and after the second in a row, the collection itself is
//!   asked.
//! - **Bounded.** Whatever makes no progress is asked again after a wait that doubles, with jitter; see
//!   [`pace`].
//! - **Proof.** Where the server tells a digest, a replica that disagrees starts again, once.
//!
//! Positions are opaque to clients but for their history and order within it; a page's links are opaque but
//! for the parameters `wait` and `tick`, which don't tell pages apart.

mod advance;
mod answer;
mod failure;
mod judge;
pub mod pace;

use std::time::Duration;

use milepost_semantics::Position;

pub(crate) use self::answer::detail;
pub use self::failure::Failure;
use self::pace::Dice;
use crate::page::{Delivery, Scope};
use crate::replica::Held;
use crate::url::Url;

/// How often a complete representation from before what is held is asked for again before it is
/// believed.
pub const CONFIRMATIONS: u32 = 3;
/// How many redirects lead to one page: a canonical URL is one away.
const REDIRECTS_MAX: u32 = 4;
/// After so many misplaced answers in a row the collection itself is asked.
const MISPLACED_MAX: u32 = 4;
/// So many pages of changes in a row may end where they began before the follower slows down.
const STANDING_PAGES_MAX: u32 = 8;

/// How a follower behaves.
#[derive(Clone, Debug)]
pub struct Options {
    /// Go on after the replica is up to date, instead of ending.
    pub is_endless: bool,
    /// How long the server may hold a request back when there is no news; zero: don't ask it to.
    pub wait: Duration,
    /// How often in a row something may fail before the follower gives up; `None`: never.
    pub failures_max: Option<u32>,
    /// Begin with the changes after a position, though nothing is held: for views, not for copies.
    pub is_view: bool,
    /// What the jitter is drawn from.
    pub seed: u64,
}

impl Default for Options {
    /// Ends when up to date, and after eight failures in a row.
    fn default() -> Self {
        Self {
            is_endless: false,
            wait: Duration::ZERO,
            failures_max: Some(8),
            is_view: false,
            seed: 0,
        }
    }
}

/// What is to be done next. Each is answered by one call.
#[derive(Debug)]
pub enum Step {
    /// Ask for this; then [`Follower::answered`] or [`Follower::unanswered`].
    Ask(Ask),
    /// Apply this in one transaction; then [`Follower::applied`].
    Apply(Delivery),
    /// Wait this long; then [`Follower::go_on`].
    Rest(Rest),
    /// The replica is up to date: [`Follower::go_on`] to see what comes.
    CaughtUp(CaughtUp),
    /// Start again from a complete representation; then [`Follower::go_on`]. Nothing is to be deleted.
    Restart(Restart),
    /// It can't go on.
    Failed(Failure),
}

/// A question: `GET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    /// The whole URL.
    pub url: Url,
    /// Whether to send `Cache-Control: no-cache`, since a cache is suspected.
    pub past_caches: bool,
    /// How long the server may hold the answer back.
    pub wait: Duration,
}

/// A wait, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rest {
    /// How long.
    pub duration: Duration,
    /// What went wrong; `None`: nothing did, there is no news.
    pub because: Option<String>,
}

/// The replica shows the state at `position`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CaughtUp {
    /// Up to where.
    pub position: Position,
    /// Whether the server told a digest, and the replica's is the same.
    pub verified: bool,
    /// Whether anything came since the last time.
    pub is_news: bool,
}

/// Why a complete representation is fetched.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Restart {
    /// The server no longer knows the bookmark (410).
    Gone,
    /// The bookmark leads nowhere, or another history than the held one answers.
    Lost(String),
    /// The replica disagrees with the server's digest.
    Differs,
}

/// What is under way.
#[derive(Debug)]
enum Stage {
    /// An answer is awaited.
    Asking(Asking),
    /// A delivery is being applied.
    Applying(Applying),
    /// Somebody waits, or was told that the replica is up to date.
    Resting,
    /// Nothing more will come.
    Over,
}

/// A question that is out.
#[derive(Clone, Debug)]
struct Asking {
    /// The link that was asked for, without what only says how long to wait.
    link: Url,
    /// Where redirects have led.
    url: Url,
    redirects: u32,
    past_caches: bool,
    wait: Duration,
}

/// A delivery that was handed out.
#[derive(Debug)]
struct Applying {
    /// What is held once it is durable; the digest is not known before.
    held: Held,
    /// The server's digest.
    digest: Option<String>,
    freshness: Duration,
    took: Duration,
    is_snapshot: bool,
    ends: Ends,
}

/// How a page ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ends {
    /// There is more now.
    WithNext,
    /// That was all of a snapshot, as of a moment that may be long ago.
    Snapshot,
    /// That was all there is.
    AtHead,
}

/// Counts of what has not led further, each set back by what does.
#[derive(Clone, Copy, Debug, Default)]
struct Troubles {
    /// Questions in a row without a usable answer.
    failures: u32,
    /// Answers in a row that were of another URL, or from before what is held.
    misplaced: u32,
    /// 410 in a row.
    gone: u32,
    /// Pages in a row that moved nothing.
    standing: u32,
    /// Complete representations in a row from before what is held.
    backwards: u32,
    /// Restarts since the replica was last up to date.
    restarts: u32,
}

/// Follows one feed.
#[derive(Debug)]
pub struct Follower {
    /// The collection, filters included.
    home: Url,
    scope: Scope,
    options: Options,
    held: Option<Held>,
    /// Where to go on.
    link: Url,
    /// Whether the last page said that there is nothing more now.
    is_at_head: bool,
    is_news: bool,
    /// A wait that is due before the next question.
    rest_due: Option<Duration>,
    troubles: Troubles,
    dice: Dice,
    stage: Stage,
}

impl Follower {
    /// A follower of the collection at `home` that goes on from what a replica holds.
    ///
    /// # Errors
    /// When the bookmark is no link, or leads to another origin.
    pub fn new(home: Url, held: Option<Held>, options: Options) -> Result<Self, Failure> {
        let link = match &held {
            Some(held) => judge::resolved(&home, &held.bookmark)?,
            None => home.clone(),
        };
        Ok(Self {
            scope: Scope::of(&home),
            dice: Dice::new(options.seed),
            home,
            held,
            link,
            options,
            is_at_head: false,
            is_news: false,
            rest_due: None,
            troubles: Troubles::default(),
            stage: Stage::Resting,
        })
    }

    /// The part that the resources' URLs have in common.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// How far it is.
    #[must_use]
    pub const fn held(&self) -> Option<&Held> {
        self.held.as_ref()
    }
}
