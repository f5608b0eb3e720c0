//! Clients that write, read and follow at once, and write down what they were told.
//!
//! Each has a thread. They change few resources, so that they meet, each write on the condition that
//! nothing came in between. What a client isn't told it asks again, as it should: the same write, with
//! the same condition or transaction id. They talk HTTP through whatever doors they are given, each request to
//! the next one, each on a connection of its own.

mod client;
mod dice;
mod follower;
mod outcome;
mod places;
mod told;
mod wire;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use super::history::{Position, Record};
use crate::clock::Stopwatch;

pub(crate) use told::timeline;
pub(crate) use wire::{Answer, Ask, ask, put};

/// What to load, and how much.
#[derive(Clone, Debug)]
pub(crate) struct Load {
    /// Nodes, or balancers before them.
    pub(crate) doors: Vec<SocketAddr>,
    /// Clients that write and read.
    pub(crate) clients: usize,
    /// Clients that follow a collection.
    pub(crate) followers: usize,
    /// How long a client rests between two requests, on average.
    pub(crate) pause: Duration,
}

/// What is shared by all clients.
#[derive(Debug)]
struct Stage {
    load: Load,
    clock: Stopwatch,
    is_over: AtomicBool,
    next_door: AtomicUsize,
    /// The position of each collection before the load.
    begin: Vec<Position>,
}

impl Stage {
    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    /// Microseconds since the load began.
    fn now(&self) -> u64 {
        u64::try_from(self.clock.elapsed().as_micros()).unwrap_or(u64::MAX)
    }

    /// What is to be said of an answer that is none, or says that something is wrong.
    fn failed(&self, asked: &str, answer: &Answer) -> Failed {
        let (is_connection, what) = match answer {
            Answer::Unsent => (true, "refused".to_owned()),
            Answer::Silence => (true, "no answer".to_owned()),
            Answer::Told(response) => {
                let body = String::from_utf8_lossy(&response.body);
                // What a balancer says for a node whose connection broke.
                let is_broken = response.status == 502;
                (is_broken, format!("{} {}", response.status, body.trim()))
            }
        };
        let what = format!("{asked}: {what}");
        Failed {
            at: self.now(),
            is_connection,
            what,
        }
    }

    /// Where the next request goes.
    fn door(&self) -> SocketAddr {
        let number = self.next_door.fetch_add(1, Ordering::Relaxed);
        let doors = &self.load.doors;
        let door = doors.get(number % doors.len().max(1)).copied();
        door.unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 1)))
    }
}

/// A load that goes on until it is ended.
#[derive(Debug)]
pub(crate) struct Running {
    stage: Arc<Stage>,
    threads: Vec<JoinHandle<Done>>,
}

/// What clients did.
#[derive(Debug, Default)]
pub(crate) struct Done {
    pub(crate) record: Record,
    /// When writes were acknowledged, in microseconds since the load began.
    pub(crate) written: Vec<u64>,
    /// When reads were answered.
    pub(crate) seen: Vec<u64>,
    /// What a client was told that it should not have been.
    pub(crate) complaints: Vec<String>,
    /// What went wrong for a while.
    pub(crate) failed: Vec<Failed>,
}

/// An attempt that came to nothing and was made again.
#[derive(Clone, Debug)]
pub(crate) struct Failed {
    /// Microseconds since the load began.
    pub(crate) at: u64,
    /// Whether it was only the connection, which was refused, or ended without an answer.
    pub(crate) is_connection: bool,
    pub(crate) what: String,
}

impl Done {
    fn absorb(&mut self, other: Self) {
        self.record.absorb(other.record);
        self.written.extend(other.written);
        self.seen.extend(other.seen);
        self.complaints.extend(other.complaints);
        self.failed.extend(other.failed);
    }
}

impl Load {
    /// Defines the collections and lets everybody begin.
    ///
    /// # Errors
    /// When the collections can't be defined.
    pub(crate) fn begin(self) -> Result<Running, String> {
        let door = self.doors.first().copied().ok_or("no doors")?;
        let begin = places::define(door)?;
        let (clients, followers) = (self.clients, self.followers);
        let stage = Arc::new(Stage {
            load: self,
            clock: Stopwatch::start(),
            is_over: AtomicBool::new(false),
            next_door: AtomicUsize::new(0),
            begin,
        });
        let mut threads = Vec::new();
        for number in 0..clients {
            let stage = Arc::clone(&stage);
            threads.push(thread::spawn(move || client::run(&stage, number)));
        }
        for number in 0..followers {
            let stage = Arc::clone(&stage);
            threads.push(thread::spawn(move || follower::run(&stage, number)));
        }
        Ok(Running { stage, threads })
    }
}

impl Running {
    /// Microseconds since the load began.
    pub(crate) fn now(&self) -> u64 {
        self.stage.now()
    }

    /// Where each collection's timeline begins.
    pub(crate) fn begin(&self) -> Vec<Position> {
        self.stage.begin.clone()
    }

    /// Lets everybody finish what they are at, and collects what they wrote down.
    ///
    /// # Errors
    /// When a client has panicked.
    pub(crate) fn end(self) -> Result<Done, String> {
        self.stage.is_over.store(true, Ordering::Relaxed);
        let mut done = Done::default();
        for thread in self.threads {
            let one = thread.join().map_err(|_panic| "a client has panicked")?;
            done.absorb(one);
        }
        done.written.sort_unstable();
        done.seen.sort_unstable();
        done.failed.sort_by_key(|failed| failed.at);
        Ok(done)
    }
}
