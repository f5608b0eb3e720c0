//! Whether the service is about to stop: said once, never taken back.

use tokio::sync::watch;

/// See the module. Clones are the same.
#[derive(Clone, Debug, Default)]
pub(crate) struct Leaving {
    begun: watch::Sender<bool>,
}

impl Leaving {
    /// From now on it is.
    pub(crate) fn begin(&self) {
        self.begun.send_replace(true);
    }

    pub(crate) fn has_begun(&self) -> bool {
        *self.begun.borrow()
    }
}
