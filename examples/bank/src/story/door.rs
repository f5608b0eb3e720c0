//! Where the bank is at the moment, as customers find it: what a name or a load balancer is elsewhere.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The way to the server that is there now.
pub(super) struct FrontDoor {
    /// The base URL; `None` once the story is over.
    url: Mutex<Option<String>>,
}

impl FrontDoor {
    pub(super) fn to(url: String) -> Self {
        Self {
            url: Mutex::new(Some(url)),
        }
    }

    /// The bank has moved.
    pub(super) fn lead_to(&self, url: String) {
        *self.held() = Some(url);
    }

    /// Nobody is to come any more.
    pub(super) fn close(&self) {
        *self.held() = None;
    }

    /// The bank's base URL; `None` once the door is closed.
    pub(super) fn url(&self) -> Option<String> {
        self.held().clone()
    }

    fn held(&self) -> MutexGuard<'_, Option<String>> {
        self.url.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
