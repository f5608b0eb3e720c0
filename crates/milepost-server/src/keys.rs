//! The ring of keys that a service seals and opens with: handed to it, and replaceable while it runs.
//!
//! A ring is configuration, the same for every client. Where it is kept is for whoever starts the service.

use std::sync::Arc;

use milepost_seal::KeyRing;
use tokio::sync::watch;

/// A ring that can be replaced while requests are answered. Clones are the same ring.
#[derive(Clone, Debug)]
pub struct Keys {
    ring: watch::Sender<Arc<KeyRing>>,
}

impl Keys {
    /// Begins with this ring.
    #[must_use]
    pub fn new(ring: KeyRing) -> Self {
        Self {
            ring: watch::Sender::new(Arc::new(ring)),
        }
    }

    /// The ring as it is now. Who goes on for long asks again.
    #[must_use]
    pub fn ring(&self) -> Arc<KeyRing> {
        Arc::clone(&self.ring.borrow())
    }

    /// Takes another ring from now on: what was rotated or revoked in it, is.
    pub fn replace(&self, ring: KeyRing) {
        self.ring.send_replace(Arc::new(ring));
    }
}

#[cfg(test)]
mod tests {
    use milepost_seal::{Secret, Timestamp};

    use super::*;

    #[test]
    fn a_ring_that_is_replaced_is_replaced_for_every_clone() {
        let ring = |byte| {
            let secret = Secret::from_bytes([byte; 32]);
            KeyRing::of_secret(secret, Timestamp::from_unix_seconds(0))
        };
        let keys = Keys::new(ring(1));
        let clone = keys.clone();
        keys.replace(ring(2));
        assert_eq!(clone.ring().active(), ring(2).active());
    }
}
