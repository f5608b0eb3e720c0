//! Where the primary is, and for how long that is certain.
//!
//! A server that was the primary goes on to look like one when whoever decides about that (Patroni) is
//! dead or cut off: it answers reads with what was true, and its commits hang. So where Patroni can be
//! asked, it is asked all the time, and what it says holds for a while only: as long as no other server
//! can have become the primary, which Patroni's own times tell. When that while is over nothing is
//! asked of any server, and all connections are closed, until Patroni names a primary again.
//!
//! Where there is no Patroni, whichever server of the list takes writes is believed to be the primary.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::watch,
    time::{Instant, sleep},
};

use crate::{address::Place, patroni::Patroni};

/// Where to connect at one time.
#[derive(Clone, Debug)]
pub(crate) struct Aim {
    /// Another one each time.
    pub(crate) number: u64,
    /// To be tried in this order; none: nowhere.
    pub(crate) places: Arc<[Place]>,
}

/// Where to connect, as it changes.
#[derive(Clone, Debug)]
pub(crate) struct Targets {
    aim: watch::Sender<Aim>,
    /// Until when the aim is certain; `None`: always.
    certain: watch::Sender<Option<Instant>>,
}

impl Targets {
    /// Always these, in this order.
    pub(crate) fn fixed(places: &[Place]) -> Self {
        Self {
            aim: watch::Sender::new(Aim {
                number: 0,
                places: places.into(),
            }),
            certain: watch::Sender::new(None),
        }
    }

    /// Nowhere yet.
    pub(crate) fn sought(now: Instant) -> Self {
        Self {
            aim: watch::Sender::new(Aim {
                number: 0,
                places: Arc::default(),
            }),
            certain: watch::Sender::new(Some(now)),
        }
    }

    /// Where to connect now.
    pub(crate) fn aim(&self) -> Aim {
        if self.is_certain() {
            return self.aim.borrow().clone();
        }
        Aim {
            number: self.aim.borrow().number,
            places: Arc::default(),
        }
    }

    /// Whether what was asked of the primary until now was asked of the primary.
    pub(crate) fn is_certain(&self) -> bool {
        let until = *self.certain.borrow();
        until.is_none_or(|until| Instant::now() < until)
    }

    /// Whether what was asked at this aim was asked of the primary, until now.
    pub(crate) fn is_certainly(&self, number: u64) -> bool {
        self.aim.borrow().number == number && self.is_certain()
    }

    /// Resolves when the aim is no longer this one.
    pub(crate) fn moved_from(&self, number: u64) -> impl Future<Output = ()> + Send + 'static {
        let mut aims = self.aim.subscribe();
        // Held, so that the channel stays open as long as anybody connects.
        let held = self.aim.clone();
        async move {
            let _ = aims.wait_for(|aim| aim.number != number).await;
            drop(held);
        }
    }

    /// The primary is there, and will be until then.
    fn found(&self, place: Place, until: Instant) {
        // The place first: the one of before must not be certain for a moment.
        self.aim.send_if_modified(|aim| {
            let is_news = aim.places.first() != Some(&place);
            if is_news {
                aim.number += 1;
                aim.places = Arc::from([place]);
            }
            is_news
        });
        self.certain.send_replace(Some(until));
    }

    /// Nobody knows where it is.
    fn lost(&self) {
        self.aim.send_if_modified(|aim| {
            let was_known = !aim.places.is_empty();
            aim.number += u64::from(was_known);
            aim.places = Arc::default();
            was_known
        });
    }
}

/// Keeps `targets` at what Patroni says, for as long as the node runs.
pub(crate) async fn follow(targets: Targets, patroni: Arc<Patroni>) {
    loop {
        let pause = look(&targets, &patroni).await;
        sleep(pause).await;
    }
}

/// Asks Patroni once; answers how long to wait before asking again.
pub(crate) async fn look(targets: &Targets, patroni: &Patroni) -> Duration {
    const SOON: Duration = Duration::from_millis(100);
    let asked = Instant::now();
    match patroni.primary().await {
        Some(found) => {
            targets.found(found.place, asked + found.certain);
            (found.certain / 5).max(SOON)
        }
        None => {
            if !targets.is_certain() {
                targets.lost();
            }
            SOON
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::FutureExt as _;
    use tokio::time::Instant;
    use tokio_postgres::config::Host;

    use super::{Place, Targets};

    fn place(port: u16) -> Place {
        Place {
            host: Host::Tcp("one".to_owned()),
            port,
        }
    }

    #[test]
    fn what_was_said_of_the_primary_holds_for_a_while_only() {
        let now = Instant::now();
        let targets = Targets::sought(now);
        assert!(targets.aim().places.is_empty());
        targets.found(place(1), now + Duration::from_secs(600));
        assert_eq!(targets.aim().places.first(), Some(&place(1)));
        // The while is over.
        targets.found(place(1), now);
        assert!(!targets.is_certain());
        assert!(targets.aim().places.is_empty());
    }

    #[tokio::test]
    async fn connections_end_when_another_server_is_the_primary_and_not_when_it_is_confirmed() {
        let later = Instant::now() + Duration::from_secs(600);
        let targets = Targets::sought(later);
        targets.found(place(1), later);
        let mut moved = Box::pin(targets.moved_from(targets.aim().number));
        targets.found(place(1), later);
        assert!(moved.as_mut().now_or_never().is_none());
        targets.found(place(2), later);
        moved.await;
    }
}
