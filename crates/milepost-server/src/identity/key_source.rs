//! Where an issuer's keys come from: given, or fetched from a URL and kept until newer ones come.
//!
//! One task per URL fetches, so there is never more than one fetch under way. A request whose key is known never waits
//! for it. A request whose key is not asks the task, and waits while a fetch is under way, but only a bounded number at
//! once; after a fetch the task rests, the longer the more often in a row it was asked for or gave nothing, so any number of unknown keys costs
//! a bounded number of fetches. Keys that were fetched hold until others are: while the URL is down, they go on.
//!
//! What is kept is the issuer's, the same for every client.

use std::{fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use tokio::{
    sync::{Notify, Semaphore, watch},
    time::{sleep, timeout},
};

use super::key_set::KeySet;

/// How many requests wait for one issuer's keys at once; the next ones are told to come again.
const WAITING_MAX: usize = 32;

/// Where the keys of one issuer come from. Clones are the same source.
#[derive(Clone, Debug)]
pub struct KeySource {
    state: watch::Sender<State>,
    fetched: Option<Arc<Asking>>,
}

#[derive(Debug)]
struct Asking {
    wanted: Notify,
    room: Semaphore,
}

#[derive(Clone, Debug, Default)]
struct State {
    keys: Arc<KeySet>,
    /// Whether a fetch is under way, or will be as soon as it is asked for.
    may_change: bool,
    /// How many fetches there were, however they ended.
    fetches: u64,
    /// Why the last fetch gave nothing.
    failure: Option<Arc<str>>,
}

/// How a URL of keys is asked: by whoever starts the service, since the service speaks to nobody by itself.
pub trait FetchKeys: fmt::Debug + Send + Sync + 'static {
    /// Asks once, with redirects not followed, and at most [`KEY_SET_BYTES_MAX`](super::KEY_SET_BYTES_MAX) bytes read. May be
    /// dropped before it ends.
    fn fetch(&self, url: &str) -> Fetching;
}

/// What [`FetchKeys::fetch`] gives.
pub type Fetching = Pin<Box<dyn Future<Output = Result<FetchedKeys, FetchError>> + Send>>;

/// What a URL of keys answered with 200.
#[derive(Clone, Debug, Default)]
pub struct FetchedKeys {
    /// The content.
    pub body: Vec<u8>,
    /// `Cache-Control`, where there was one.
    pub cache_control: Option<String>,
}

/// Why a URL of keys gave none.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{detail}")]
pub struct FetchError {
    /// What happened, for the operator.
    pub detail: String,
}

/// When a URL of keys is asked.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FetchPace {
    /// The longest that one fetch takes.
    pub fetch_max: Duration,
    /// How long keys are taken to be fresh where the answer doesn't say.
    pub fresh: Duration,
    /// The bounds of what an answer may say.
    pub fresh_bounds: (Duration, Duration),
    /// How long the URL is left alone after a fetch; doubled each time it was asked for again meanwhile, or gave nothing.
    pub rest: Duration,
    /// The longest rest.
    pub rest_max: Duration,
}

impl Default for FetchPace {
    fn default() -> Self {
        let s = Duration::from_secs;
        Self {
            fetch_max: s(5),
            fresh: s(600),
            fresh_bounds: (s(60), s(3600)),
            rest: s(5),
            rest_max: s(300),
        }
    }
}

impl FetchPace {
    /// How long an answer is fresh: its `max-age`, within bounds (RFC 9111 §5.2.2.1).
    fn freshness(&self, cache_control: Option<&str>) -> Duration {
        let (least, most) = self.fresh_bounds;
        let told = cache_control.into_iter().flat_map(|text| text.split(','));
        let told = told.map(str::trim).find_map(|directive| {
            let (name, seconds) = directive.split_once('=').unwrap_or((directive, "0"));
            let is_about_age = ["max-age", "no-cache", "no-store"]
                .iter()
                .any(|known| name.eq_ignore_ascii_case(known));
            is_about_age.then(|| seconds.trim_matches('"').parse().unwrap_or(0))
        });
        told.map_or(self.fresh, Duration::from_secs)
            .clamp(least, most)
    }
}

/// What is known of who asked for newer keys between a rest and the next fetch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meanwhile {
    Wanted,
    Nobody,
    /// The keys were stale as soon as the rest was over.
    NoTime,
}

impl FetchPace {
    /// How long the URL is left alone after a fetch: from the rest before that, and who asked in between.
    fn next_rest(&self, rest: Duration, has_keys: bool, meanwhile: Meanwhile) -> Duration {
        match meanwhile {
            _ if !has_keys => (rest * 2).min(self.rest_max),
            Meanwhile::Wanted => (rest * 2).min(self.rest_max),
            // A flood would be forgotten each time otherwise.
            Meanwhile::NoTime => (rest / 2).max(self.rest),
            Meanwhile::Nobody => self.rest,
        }
    }
}

/// What became of asking for newer keys.
#[derive(Debug)]
pub(super) enum Renewed {
    /// These are as new as may be had now.
    Keys(Arc<KeySet>),
    /// They can't be had now, so nothing is known about a key that isn't there.
    Unavailable,
}

impl KeySource {
    /// These keys, until they are replaced.
    #[must_use]
    pub fn given(keys: KeySet) -> Self {
        let keys = Arc::new(keys);
        Self {
            state: watch::Sender::new(State {
                keys,
                ..State::default()
            }),
            fetched: None,
        }
    }

    /// The keys at a URL, asked for from now on by a task of its own, for as long as the source is there. Shared secrets are
    /// never taken from there.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    #[must_use]
    pub fn fetched(url: &str, fetcher: Arc<dyn FetchKeys>, pace: FetchPace) -> Self {
        let asking = Arc::new(Asking {
            wanted: Notify::new(),
            room: Semaphore::new(WAITING_MAX),
        });
        let source = Self {
            state: watch::Sender::new(State {
                may_change: true,
                ..State::default()
            }),
            fetched: Some(Arc::clone(&asking)),
        };
        let task = Task {
            url: url.to_owned(),
            fetcher,
            pace,
            state: source.state.clone(),
            asking: Arc::downgrade(&asking),
        };
        tokio::spawn(task.run());
        source
    }

    /// Takes these keys from now on.
    pub fn replace(&self, keys: KeySet) {
        self.state.send_modify(|state| state.keys = Arc::new(keys));
    }

    /// Why the keys couldn't be had the last time, for the operator; `None` where they could.
    #[must_use]
    pub fn failure(&self) -> Option<Arc<str>> {
        self.state.borrow().failure.clone()
    }

    /// Waits until the keys were asked for once, however that ended.
    pub async fn tried(&self) {
        if self.fetched.is_some() {
            let mut state = self.state.subscribe();
            let _closed = state.wait_for(|state| state.fetches > 0).await;
        }
    }

    /// The keys as they are known now.
    pub(super) fn current(&self) -> Arc<KeySet> {
        Arc::clone(&self.state.borrow().keys)
    }

    /// Asks for newer keys, where that may be done now, and waits for them.
    pub(super) async fn renewed(&self) -> Renewed {
        let Some(asking) = &self.fetched else {
            return Renewed::Keys(self.current());
        };
        let mut state = self.state.subscribe();
        let asked_at = {
            let now = state.borrow_and_update();
            if !now.may_change {
                return now.renewed();
            }
            now.fetches
        };
        let Ok(_room) = asking.room.try_acquire() else {
            return Renewed::Unavailable;
        };
        asking.wanted.notify_one();
        let changed = state.wait_for(|state| state.fetches > asked_at).await;
        changed.map_or(Renewed::Unavailable, |state| state.renewed())
    }
}

impl State {
    fn renewed(&self) -> Renewed {
        if self.failure.is_some() {
            Renewed::Unavailable
        } else {
            Renewed::Keys(Arc::clone(&self.keys))
        }
    }
}

/// What fetches.
struct Task {
    url: String,
    fetcher: Arc<dyn FetchKeys>,
    pace: FetchPace,
    state: watch::Sender<State>,
    /// Gone when nobody uses the source any more.
    asking: std::sync::Weak<Asking>,
}

impl Task {
    async fn run(self) {
        let mut rest = self.pace.rest;
        let mut meanwhile = Meanwhile::Nobody;
        while self.asking.strong_count() > 0 {
            let fresh = self.fetch().await;
            rest = self.pace.next_rest(rest, fresh.is_some(), meanwhile);
            sleep(rest).await;
            let Some(asking) = self.asking.upgrade() else {
                return;
            };
            // Whoever asked while the fetch was under way has been told.
            let _stale = timeout(Duration::ZERO, asking.wanted.notified()).await;
            self.state.send_modify(|state| state.may_change = true);
            // What could not be had is asked for again by itself.
            let idle = fresh.map_or(Duration::ZERO, |fresh| fresh.saturating_sub(rest));
            meanwhile = match timeout(idle, asking.wanted.notified()).await {
                Ok(()) => Meanwhile::Wanted,
                Err(_elapsed) if idle.is_zero() => Meanwhile::NoTime,
                Err(_elapsed) => Meanwhile::Nobody,
            };
        }
    }

    /// Fetches once; how long what came is fresh.
    async fn fetch(&self) -> Option<Duration> {
        let fetched = timeout(self.pace.fetch_max, self.fetcher.fetch(&self.url)).await;
        let fetched = match fetched {
            Ok(Ok(fetched)) => self.read(&fetched),
            Ok(Err(error)) => Err(error.detail),
            Err(_elapsed) => Err(format!("no answer within {:?}", self.pace.fetch_max)),
        };
        let (outcome, fresh) = match fetched {
            Ok((keys, fresh)) => (Ok(keys), Some(fresh)),
            Err(detail) => (Err(format!("{}: {detail}", self.url)), None),
        };
        self.state.send_modify(|state| {
            state.fetches += 1;
            state.may_change = false;
            state.failure = match outcome {
                Ok(keys) => {
                    state.keys = Arc::new(keys);
                    None
                }
                Err(detail) => Some(detail.into()),
            };
        });
        fresh
    }

    fn read(&self, fetched: &FetchedKeys) -> Result<(KeySet, Duration), String> {
        let keys = KeySet::of_json(&fetched.body).map_err(|error| error.to_string())?;
        let keys = keys.without_secrets();
        if keys.is_empty() {
            return Err("it has shared secrets only, which are never taken from a URL".to_owned());
        }
        let fresh = self.pace.freshness(fetched.cache_control.as_deref());
        Ok((keys, fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn freshness_is_what_the_answer_says_within_bounds() {
        let pace = FetchPace::default();
        let fresh = |text| pace.freshness(text).as_secs();
        assert_eq!(fresh(None), 600);
        assert_eq!(fresh(Some("public")), 600);
        assert_eq!(fresh(Some("public, max-age=120")), 120);
        assert_eq!(fresh(Some("max-age=1")), 60);
        assert_eq!(fresh(Some("Max-Age=\"99999999\"")), 3600);
        assert_eq!(fresh(Some("no-store")), 60);
    }

    /// How often a URL is asked in an hour of a flood of unknown keys.
    fn fetches_an_hour(pace: &FetchPace, fresh: Duration) -> u32 {
        let (mut rest, mut meanwhile) = (pace.rest, Meanwhile::Nobody);
        let (mut fetches, mut passed) = (0, Duration::ZERO);
        while passed < Duration::from_secs(3600) {
            fetches += 1;
            rest = pace.next_rest(rest, true, meanwhile);
            passed += rest;
            let has_time = fresh > rest;
            meanwhile = if has_time {
                Meanwhile::Wanted
            } else {
                Meanwhile::NoTime
            };
        }
        fetches
    }

    #[test]
    fn a_flood_costs_a_fetch_in_five_minutes_or_one_each_time_that_keys_are_stale() {
        let pace = FetchPace::default();
        assert!(fetches_an_hour(&pace, Duration::from_secs(3600)) <= 18);
        assert!(fetches_an_hour(&pace, Duration::from_secs(60)) <= 64);
    }

    #[test]
    fn whoever_is_not_flooded_is_asked_again_soon() {
        let pace = FetchPace::default();
        let rest = pace.next_rest(pace.rest_max, true, Meanwhile::Nobody);
        assert_eq!(rest, pace.rest);
        let rest = pace.next_rest(pace.rest, true, Meanwhile::NoTime);
        assert_eq!(rest, pace.rest);
    }
}
