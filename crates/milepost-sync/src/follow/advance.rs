//! The transitions: what is told, and the step that follows.

use std::time::Duration;

use milepost_semantics::Position;
use milepost_semantics::wire::{PageEnd, PageKind};

use super::answer::{Meaning, meaning};
use super::judge::{Judgement, judge, resolved};
use super::{
    Applying, Ask, Asking, CONFIRMATIONS, CaughtUp, Ends, Failure, Follower, MISPLACED_MAX,
    REDIRECTS_MAX, Rest, Restart, STANDING_PAGES_MAX, Stage, Step, Troubles, pace,
};
use crate::digest::SetDigest;
use crate::page::{NoPage, Page, beginning};
use crate::replica::{Applied, Held};
use crate::transport::Answer;
use crate::url::Url;

impl Follower {
    /// The next question: at the beginning, after a rest, and to go on once the replica is up to date.
    pub fn go_on(&mut self) -> Step {
        if let Some(duration) = self.rest_due.take() {
            return self.rest(duration, None);
        }
        let link = self.link.clone();
        self.ask(link)
    }

    /// Tells what came back, and how long it took.
    pub fn answered(&mut self, answer: &Answer, took: Duration) -> Step {
        let Stage::Asking(asking) = std::mem::replace(&mut self.stage, Stage::Resting) else {
            return self.go_on();
        };
        match meaning(answer) {
            Meaning::Page => self.paged(&asking, answer, took),
            Meaning::Moved(location) => self.moved(&asking, &location),
            Meaning::Gone(way_on) => self.gone(way_on.as_deref()),
            Meaning::NoSuchPage(detail) => self.nowhere(&asking, answer.status, detail),
            Meaning::Later {
                reason,
                retry_after,
            } => self.failed(&asking.url, &reason, retry_after),
            Meaning::No(detail) => self.over(refused(&asking.url, answer.status, detail)),
        }
    }

    /// Tells that no whole answer came.
    pub fn unanswered(&mut self, reason: &str) -> Step {
        let url = match std::mem::replace(&mut self.stage, Stage::Resting) {
            Stage::Asking(asking) => asking.url,
            _ => self.link.clone(),
        };
        self.failed(&url, reason, None)
    }

    /// Tells that the delivery is durable, and what the replica's digest is now.
    pub fn applied(&mut self, applied: &Applied) -> Step {
        let stage = std::mem::replace(&mut self.stage, Stage::Resting);
        let Stage::Applying(applying) = stage else {
            return self.go_on();
        };
        let stood = applying.ends != Ends::Snapshot
            && !applying.is_snapshot
            && self.position() == Some(applying.held.position);
        let standing = if stood { self.troubles.standing + 1 } else { 0 };
        self.troubles = Troubles {
            restarts: self.troubles.restarts,
            standing,
            ..Troubles::default()
        };
        self.held = Some(Held {
            digest: applied.digest,
            ..applying.held
        });
        self.is_news = true;
        self.is_at_head = applying.ends == Ends::AtHead;
        match applying.ends {
            Ends::AtHead => self.caught_up(
                applying.digest.as_deref(),
                applying.freshness,
                applying.took,
            ),
            Ends::WithNext if standing > STANDING_PAGES_MAX => {
                let nothing = Duration::ZERO;
                let duration = pace::without_news(standing, nothing, nothing, &mut self.dice);
                self.rest(duration, None)
            }
            Ends::WithNext | Ends::Snapshot => self.go_on(),
        }
    }

    fn position(&self) -> Option<Position> {
        self.held.as_ref().map(|held| held.position)
    }

    /// Asks for a link; where nothing is new, the server may hold the answer back.
    fn ask(&mut self, link: Url) -> Step {
        // A server without room for another who waits still answers at once.
        let may_wait = self.is_at_head && self.options.is_endless && self.troubles.failures == 0;
        let wait = match may_wait {
            true => self.options.wait,
            false => Duration::ZERO,
        };
        let url = match wait.as_secs() {
            0 => link.clone(),
            seconds => link.with_pair("wait", &seconds.to_string()),
        };
        self.asking(Asking {
            link,
            url,
            redirects: 0,
            past_caches: self.troubles.misplaced > 0 || self.troubles.backwards > 0,
            wait,
        })
    }

    fn asking(&mut self, asking: Asking) -> Step {
        let ask = Ask {
            url: asking.url.clone(),
            past_caches: asking.past_caches,
            wait: asking.wait,
        };
        self.stage = Stage::Asking(asking);
        Step::Ask(ask)
    }

    fn paged(&mut self, asking: &Asking, answer: &Answer, took: Duration) -> Step {
        let page = match Page::read(&answer.body, &self.scope) {
            Ok(page) => page,
            Err(NoPage::Unreadable(error)) => {
                return self.no_page(asking, answer, &error);
            }
            Err(NoPage::Foreign(href)) => {
                let reason = format!("{href} lies outside of it");
                return self.no_feed(&asking.url, reason);
            }
        };
        let freshness = pace::freshness(&answer.fields);
        match judge(
            &page,
            &asking.link,
            self.held.as_ref(),
            self.options.is_view,
        ) {
            Judgement::Sound => self.sound(page, freshness, took),
            Judgement::Backwards if self.troubles.backwards >= CONFIRMATIONS => {
                self.sound(page, freshness, took)
            }
            Judgement::Standing => self.standing(&page, freshness, took, asking.wait),
            Judgement::Misplaced(reason) => self.misplaced(asking, reason),
            Judgement::Backwards => self.backwards(),
            Judgement::OtherHistory => {
                self.restart(Restart::Lost("another history answers".to_owned()))
            }
            Judgement::NoFeed(reason) => self.no_feed(&asking.url, reason),
        }
    }

    /// What is no page: cut short, most likely; or what says where the following of everything begins.
    fn no_page(&mut self, asking: &Asking, answer: &Answer, error: &str) -> Step {
        let is_home = self.link == self.home;
        if let Some(beginning) = beginning(&answer.body).filter(|_| is_home) {
            return match resolved(&self.home, &beginning) {
                Ok(link) => {
                    self.link = link.clone();
                    self.ask(link)
                }
                Err(failure) => self.over(failure),
            };
        }
        let reason = format!("the answer is no whole page ({error})");
        self.failed(&asking.url, &reason, None)
    }

    fn sound(&mut self, page: Page, freshness: Duration, took: Duration) -> Step {
        let is_snapshot = page.kind == PageKind::Snapshot;
        let ends = match page.end {
            PageEnd::Next(_) => Ends::WithNext,
            PageEnd::Resume(_) if is_snapshot => Ends::Snapshot,
            PageEnd::Resume(_) | PageEnd::Closed => Ends::AtHead,
        };
        let mut delivery = page.delivery;
        let link = match resolved(&self.home, &delivery.bookmark) {
            Ok(link) => link.without_pair("wait"),
            Err(failure) => return self.over(failure),
        };
        delivery.bookmark = link.to_reference();
        let was_complete = self.held.as_ref().is_none_or(|held| held.is_complete);
        self.link = link;
        self.stage = Stage::Applying(Applying {
            held: Held {
                bookmark: delivery.bookmark.clone(),
                position: delivery.position,
                is_complete: delivery.complete || (was_complete && !delivery.replace),
                digest: SetDigest::default(),
            },
            digest: delivery.digest.clone(),
            freshness,
            took,
            is_snapshot,
            ends,
        });
        Step::Apply(delivery)
    }

    /// A state from before what is held: asked for again from the bookmark on, until it is believed.
    fn backwards(&mut self) -> Step {
        self.troubles.backwards += 1;
        if let Some(held) = &self.held {
            match resolved(&self.home, &held.bookmark) {
                Ok(link) => self.link = link,
                Err(failure) => return self.over(failure),
            }
        }
        let duration = pace::after_failure(self.troubles.backwards, None, &mut self.dice);
        let reason = "the server shows a state from before what is held";
        self.rest(duration, Some(reason.to_owned()))
    }

    /// A page that brings nothing: the link that it gives is used, and need not be kept.
    fn standing(
        &mut self,
        page: &Page,
        freshness: Duration,
        took: Duration,
        wait: Duration,
    ) -> Step {
        let link = &page.delivery.bookmark;
        match resolved(&self.home, link) {
            Ok(link) => self.link = link.without_pair("wait"),
            Err(failure) => return self.over(failure),
        }
        self.troubles.failures = 0;
        self.troubles.misplaced = 0;
        self.troubles.gone = 0;
        self.troubles.standing += 1;
        let was_at_head = std::mem::replace(&mut self.is_at_head, page.delivery.complete);
        if self.is_at_head && !was_at_head {
            return self.caught_up(page.delivery.digest.as_deref(), freshness, took);
        }
        if !wait.is_zero() && took >= wait / 2 {
            // The server waited, as it was asked to.
            self.troubles.standing = 0;
            return self.rest(Duration::ZERO, None);
        }
        let standing = self.troubles.standing;
        let duration = pace::without_news(standing, freshness, took, &mut self.dice);
        self.rest(duration, None)
    }

    fn caught_up(&mut self, theirs: Option<&str>, freshness: Duration, took: Duration) -> Step {
        let Some(held) = &self.held else {
            return self.go_on();
        };
        let (position, ours) = (held.position, held.digest);
        let theirs = theirs.and_then(SetDigest::parse);
        if let Some(theirs) = theirs.filter(|theirs| *theirs != ours) {
            return self.differs(position, ours, theirs);
        }
        self.troubles.restarts = 0;
        self.stage = Stage::Resting;
        // A server that may hold the next request back says itself when there is something to do.
        if self.options.wait.is_zero() {
            self.rest_due = Some(pace::without_news(1, freshness, took, &mut self.dice));
        }
        Step::CaughtUp(CaughtUp {
            position,
            verified: theirs.is_some(),
            is_news: std::mem::take(&mut self.is_news),
        })
    }

    fn differs(&mut self, position: Position, ours: SetDigest, theirs: SetDigest) -> Step {
        if self.troubles.restarts == 0 {
            return self.restart(Restart::Differs);
        }
        self.over(Failure::Differs {
            position: position.to_string(),
            ours: ours.to_string(),
            theirs: theirs.to_string(),
        })
    }

    fn moved(&mut self, asking: &Asking, location: &str) -> Step {
        if asking.redirects >= REDIRECTS_MAX {
            let reason = "redirects lead to redirects";
            return self.failed(&asking.url, reason, None);
        }
        match asking.url.join(location) {
            Ok(url) if url.is_same_origin(&self.home) => self.asking(Asking {
                // Where the server says the page is, is what the page calls itself.
                link: url.clone(),
                url,
                redirects: asking.redirects + 1,
                ..*asking
            }),
            _ => self.over(Failure::OtherOrigin {
                link: location.to_owned(),
                origin: self.home.origin().to_owned(),
            }),
        }
    }

    /// 410: the way on that the answer names, or the collection.
    fn gone(&mut self, way_on: Option<&str>) -> Step {
        self.troubles.gone += 1;
        let named = way_on.filter(|_| self.troubles.gone < 3);
        let link = match named.map(|link| resolved(&self.home, link)) {
            None => self.home.clone(),
            Some(Ok(link)) => link,
            Some(Err(failure)) => return self.over(failure),
        };
        self.link = link;
        self.is_at_head = false;
        let attempts = self.troubles.gone;
        if attempts == 1 {
            return self.announce(Restart::Gone);
        }
        let reason = "410: what was to be fetched is gone already";
        if self.is_enough(attempts) {
            let url = self.link.to_string();
            return self.over(unreachable_after(url, attempts, reason));
        }
        let duration = pace::after_failure(attempts, None, &mut self.dice);
        self.rest(duration, Some(reason.to_owned()))
    }

    fn is_enough(&self, attempts: u32) -> bool {
        self.options
            .failures_max
            .is_some_and(|most| attempts >= most)
    }

    /// 400 or 404: for a bookmark, the collection may know better; for the collection, that is all.
    fn nowhere(&mut self, asking: &Asking, status: u16, detail: String) -> Step {
        let is_home = self.link == self.home;
        if is_home || self.troubles.restarts > 0 {
            return self.over(refused(&asking.url, status, detail));
        }
        self.restart(Restart::Lost(format!(
            "{} answers {status}{detail}",
            asking.url
        )))
    }

    fn restart(&mut self, why: Restart) -> Step {
        self.troubles.restarts += 1;
        self.link = self.home.clone();
        self.is_at_head = false;
        if self.troubles.restarts > 1 {
            let url = self.link.clone();
            return self.failed(&url, "it was started again before, to no avail", None);
        }
        self.announce(why)
    }

    fn announce(&mut self, why: Restart) -> Step {
        self.stage = Stage::Resting;
        Step::Restart(why)
    }

    fn misplaced(&mut self, asking: &Asking, reason: String) -> Step {
        self.troubles.misplaced += 1;
        let attempts = self.troubles.misplaced;
        if self.is_enough(attempts) {
            return self.over(Failure::Misled {
                url: asking.url.to_string(),
                attempts,
                reason,
            });
        }
        if attempts >= MISPLACED_MAX && self.troubles.restarts == 0 && self.link != self.home {
            return self.restart(Restart::Lost(reason));
        }
        let duration = pace::after_failure(attempts, None, &mut self.dice);
        self.rest(duration, Some(reason))
    }

    fn failed(&mut self, url: &Url, reason: &str, retry_after: Option<Duration>) -> Step {
        self.troubles.failures += 1;
        let attempts = self.troubles.failures;
        if self.is_enough(attempts) {
            return self.over(unreachable_after(url.to_string(), attempts, reason));
        }
        let duration = pace::after_failure(attempts, retry_after, &mut self.dice);
        self.rest(duration, Some(reason.to_owned()))
    }

    fn no_feed(&mut self, url: &Url, reason: String) -> Step {
        self.over(Failure::NoFeed {
            url: url.to_string(),
            reason,
        })
    }

    fn rest(&mut self, duration: Duration, because: Option<String>) -> Step {
        self.stage = Stage::Resting;
        Step::Rest(Rest { duration, because })
    }

    fn over(&mut self, failure: Failure) -> Step {
        self.stage = Stage::Over;
        Step::Failed(failure)
    }
}

fn unreachable_after(url: String, attempts: u32, reason: &str) -> Failure {
    Failure::Unreachable {
        url,
        attempts,
        reason: reason.to_owned(),
    }
}

fn refused(url: &Url, status: u16, detail: String) -> Failure {
    Failure::Refused {
        url: url.to_string(),
        status,
        detail,
    }
}
