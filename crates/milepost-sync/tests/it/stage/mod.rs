//! What the tests stand on: a model of a server, and what may lie between it and a follower.

mod between;
mod model;

use std::time::Duration;

use milepost_sync::{Clock, Url};

pub(crate) use self::between::{Between, Trouble};
pub(crate) use self::model::{Model, Written, digest};

/// The collection that the tests follow.
pub(crate) const HOME: &str = "http://h/v1/things";

/// Its URL.
pub(crate) fn home() -> Url {
    Url::parse(HOME).unwrap()
}

/// A clock that waits in no time, and adds up.
#[derive(Debug, Default)]
pub(crate) struct FakeClock {
    pub(crate) waited: Duration,
}

impl Clock for FakeClock {
    fn elapsed(&self) -> Duration {
        self.waited
    }

    fn wait(&mut self, duration: Duration) {
        self.waited += duration;
    }
}

/// So many cases, or as many as `PROPTEST_CASES` asks for in a longer run.
pub(crate) fn cases(usual: u32) -> u32 {
    let asked = std::env::var("PROPTEST_CASES").ok();
    asked.and_then(|asked| asked.parse().ok()).unwrap_or(usual)
}
