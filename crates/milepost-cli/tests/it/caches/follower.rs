//! A follower in a thread of its own, and the proof that it doesn't spin: whatever it asked either brought
//! something, or was followed by a rest, where time that the server held the request counts as rest.

use std::{
    cell::Cell,
    rc::Rc,
    sync::{Arc, Mutex},
    thread::{self, JoinHandle},
    time::Duration,
};

use milepost_sync::{
    Answer, Clock, Event, Follower, HttpTransport, MemoryReplica, Options, Pull, PullError,
    Replica as _, Request, SystemClock, Transport, Unanswered, Url, Verdict, follow::pace,
    transport::HttpOptions,
};

use super::origin::Held;

/// Who has asked so often and is still not there won't come there.
const QUESTIONS_MAX: usize = 400;

/// What a follower is to hold at last; `None` as long as that is not known.
type Goal = Arc<Mutex<Option<Held>>>;

/// A follower that is under way.
pub(crate) struct Following {
    thread: JoinHandle<Report>,
    goal: Goal,
}

/// What a follower has done.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Report {
    /// Whether it came to hold exactly what it was to.
    pub(crate) is_there: bool,
    /// Requests.
    pub(crate) questions: usize,
    /// Pages that were applied.
    pub(crate) deliveries: usize,
    /// Waits, none shorter than after a first failure; a request's own time counts.
    pub(crate) rests: usize,
    /// How often it fetched everything again.
    pub(crate) restarts: usize,
}

impl Following {
    /// Begins to follow a collection, letting the server hold each request for so many seconds.
    pub(crate) fn begin(url: &str, wait_s: u64) -> Self {
        let goal = Goal::default();
        let (url, until) = (Url::parse(url).unwrap(), Arc::clone(&goal));
        let thread = thread::spawn(move || follow(url, wait_s, &until));
        Self { thread, goal }
    }

    /// Tells it what it is to hold at last.
    pub(crate) fn is_to_hold(&self, held: Held) {
        *self.goal.lock().unwrap() = Some(held);
    }

    /// What it did until it held that.
    pub(crate) fn ended(self) -> Report {
        self.thread.join().unwrap()
    }
}

impl Report {
    /// Demands that it came to hold what it was to, and asked no more often than it had reason to.
    #[track_caller]
    pub(crate) fn is_sound(self) {
        assert!(self.is_there, "it holds something else: {self:?}");
        let reasons = self.deliveries + self.rests + self.restarts;
        // After each snapshot one question may find out that nothing came since; and the one that is being
        // answered when it ends has no rest after it yet.
        let without = self.restarts + 2;
        assert!(self.questions <= reasons + without, "it spins: {self:?}");
    }
}

struct Counted {
    inner: HttpTransport,
    clock: SystemClock,
    /// How long the last request took.
    took: Rc<Cell<Duration>>,
    questions: usize,
}

impl Transport for Counted {
    fn send(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let before = self.clock.elapsed();
        let answer = self.inner.send(request);
        self.took.set(self.clock.elapsed().saturating_sub(before));
        self.questions += 1;
        answer
    }
}

struct Resting {
    clock: SystemClock,
    took: Rc<Cell<Duration>>,
    rests: usize,
}

impl Clock for Resting {
    fn elapsed(&self) -> Duration {
        self.clock.elapsed()
    }

    fn wait(&mut self, duration: Duration) {
        if duration + self.took.get() >= pace::RETRY_MIN {
            self.rests += 1;
        }
        self.clock.wait(duration);
    }
}

fn follow(home: Url, wait_s: u64, goal: &Goal) -> Report {
    let options = Options {
        is_endless: true,
        wait: Duration::from_secs(wait_s),
        failures_max: None,
        seed: wait_s,
        ..Options::default()
    };
    let mut follower = Follower::new(home, None, options).unwrap();
    let took = Rc::new(Cell::new(Duration::ZERO));
    let mut transport = Counted {
        inner: HttpTransport::new(HttpOptions {
            is_direct: true,
            ..HttpOptions::default()
        }),
        clock: SystemClock::start(),
        took: Rc::clone(&took),
        questions: 0,
    };
    let mut clock = Resting {
        clock: SystemClock::start(),
        took,
        rests: 0,
    };
    let mut report = Report::default();
    let pulled = Pull {
        follower: &mut follower,
        transport: &mut transport,
        replica: &mut MemoryReplica::new(),
        clock: &mut clock,
    }
    .run(&mut |event, meanwhile| {
        match event {
            Event::Applied { .. } => report.deliveries += 1,
            Event::Restarting(_) => report.restarts += 1,
            _ => {}
        }
        report.is_there = holds(meanwhile.replica, goal);
        let is_over = report.is_there || meanwhile.transport.questions > QUESTIONS_MAX;
        Ok::<_, PullError>(if is_over {
            Verdict::Break(())
        } else {
            Verdict::Continue(())
        })
    });
    pulled.unwrap();
    Report {
        questions: transport.questions,
        rests: clock.rests,
        ..report
    }
}

fn holds(replica: &MemoryReplica, goal: &Goal) -> bool {
    let goal = goal.lock().unwrap();
    let Some(goal) = goal.as_ref() else {
        return false;
    };
    let is_complete = replica.held().unwrap().is_some_and(|held| held.is_complete);
    let held = replica.iter().map(|(key, version)| {
        let value = serde_json::from_str(&version.value).unwrap();
        (key.as_str().to_owned(), (version.etag.clone(), value))
    });
    is_complete && held.collect::<Held>() == *goal
}
