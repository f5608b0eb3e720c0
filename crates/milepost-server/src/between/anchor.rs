//! A recent position that stays the same for a while.
//!
//! Clients whose bookmarks have expired often come together: after an outage, after a restore. Sent to
//! the state at the head, each would ask for another snapshot while writes go on; sent to the same
//! recent position, they ask for the same pages, and a cache asks the origin once.

use std::sync::{Mutex, PoisonError};

use milepost_semantics::Position;
use milepost_store::Timestamp;

/// How long a position is handed out, in milliseconds: as long as a 410 may be cached.
const KEPT_MS: u64 = 60_000;

/// The position that was the head when one was last wanted, at most a minute ago.
#[derive(Debug, Default)]
pub(crate) struct Anchor(Mutex<Option<(u64, Position)>>);

impl Anchor {
    /// A position at or before `head`, the same for all who ask within the same minute of the clock.
    pub(crate) fn position(&self, now: Timestamp, head: Position) -> Position {
        let minute = now.0 / KEPT_MS;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *kept {
            Some((of, position)) if of == minute && position.history() == head.history() => {
                position
            }
            _ => {
                *kept = Some((minute, head));
                head
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_position_stays_for_a_minute_and_then_moves() {
        let anchor = Anchor::default();
        let position = |text: &str| text.parse::<Position>().unwrap();
        let (old, new) = (position("k3.7-0000"), position("k3.9-0000"));
        assert_eq!(anchor.position(Timestamp(60_000), old), old);
        assert_eq!(anchor.position(Timestamp(119_999), new), old);
        assert_eq!(anchor.position(Timestamp(120_000), new), new);
        let restored = position("zz.1-0000");
        assert_eq!(anchor.position(Timestamp(120_000), restored), restored);
    }
}
