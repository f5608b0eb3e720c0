//! `milepost sync`: a local copy of a collection that is kept up to date, and edits sent back.

use std::{ops::ControlFlow, time::Duration};

use clap::Args;
use milepost_sync::{
    Editable, Event, Follower, HttpTransport, Meanwhile, MemoryReplica, Options, Pull, SystemClock,
    Url,
};

use crate::{
    Ended,
    client::{self, Connection},
    exit::Failure,
    sync::{self, OnConflict, Report, Sending, Target, Targets},
    terminal::Terminal,
};

const EXAMPLES: &str = "\
Examples:
  milepost sync books books.sqlite               a table `books` in an SQLite file
  milepost sync books ./books                    a folder: one JSON file for each resource
  milepost sync books books.sqlite --follow      go on as changes come, until stopped
  milepost sync books lem.sqlite --filter author=lem
  milepost sync https://example.org/v1/accounts accounts.sqlite
  milepost sync books ./books --push             send what was edited here, too
  milepost sync books ./books --push --on-conflict ours
  milepost sync books books.sqlite --resync      fetch everything again
  milepost sync -/changes all.sqlite             all collections, definitions too, as of one position:
                                                 a table for each (a view of milepost_everything)

What is fetched and the place to go on from are written together: stop it at any time, even by
kill -9, and run it again. The server remembers nothing about the copy.

Where the server tells a digest, it is compared with the copy's.

Edit the documents as you like: UPDATE, INSERT and DELETE in SQLite, or the files. Edits are never
overwritten. --push sends each on the condition that the server still has what was edited. Where it
has not, --on-conflict says what to do; what overlaps is kept in both versions (ID.conflict.json
beside the file, or the table milepost_conflicts), and ends with code 4. To settle it, make the document
what it should be, remove that record, and --push again.
";

/// Keep a local copy of a collection up to date
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sync {
    /// A collection or its URL; `-/changes`: all of them
    #[arg(value_name = "URL", allow_hyphen_values = true, value_parser = client::path)]
    collection: String,

    /// An SQLite file (.sqlite, .sqlite3, .db, or sqlite:FILE), else a folder (or folder:PATH)
    #[arg(value_name = "TARGET")]
    target: Target,

    /// Go on as changes come, until stopped
    #[arg(long)]
    follow: bool,

    /// Only what has this value: INDEX=VALUE, INDEX=gte:VALUE, …; may be repeated
    #[arg(long, short = 'f', value_name = "INDEX=VALUE")]
    filter: Vec<String>,

    /// Send local edits, each if the server still has what was edited
    #[arg(long)]
    push: bool,

    /// What to do about a resource that was changed on both sides
    #[arg(long, value_name = "WHAT", default_value = "merge", requires = "push")]
    on_conflict: OnConflict,

    /// Fetch everything again, though the copy knows where to go on; edits stay
    #[arg(long)]
    resync: bool,

    /// With --follow: how long the server may hold a request until there is news, in seconds;
    /// 0: ask again when the last answer is no longer fresh
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    wait: u64,

    /// One JSON object on stdout whenever the copy is up to date
    #[arg(long)]
    json: bool,

    /// No progress
    #[arg(long)]
    quiet: bool,

    #[command(flatten)]
    connection: Connection,
}

/// With --push and --follow, edits made while the server holds a request are sent after this time.
const PUSH_WAIT_SECONDS_MAX: u64 = 5;

impl Sync {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let place = sync::Place::of(&self.connection, &self.collection, &self.filter)?;
        if !self.target.is_there() {
            self.try_out(&place)?;
        }
        match self.target.open(&place.name, &place.home)? {
            Targets::File(mut replica) => self.through(terminal, &place, &mut *replica),
            Targets::Folder(mut replica) => self.through(terminal, &place, &mut *replica),
        }
    }

    /// Fetches the first page and forgets it: where there is nothing to follow, no target is made.
    fn try_out(&self, place: &sync::Place) -> Result<(), Failure> {
        let options = Options {
            is_endless: false,
            ..self.options()
        };
        let mut follower = Follower::new(place.home.clone(), None, options)
            .map_err(|failure| sync::of_feed(&failure))?;
        let mut pull = Pull {
            follower: &mut follower,
            transport: &mut HttpTransport::new(place.http.clone()),
            replica: &mut MemoryReplica::new(),
            clock: &mut SystemClock::start(),
        };
        pull.run(&mut |event, _| {
            Ok::<_, Failure>(match event {
                Event::Applied { .. } => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            })
        })
    }

    fn through<R: Editable>(
        &self,
        terminal: Terminal,
        place: &sync::Place,
        replica: &mut R,
    ) -> Ended {
        if self.resync {
            replica.forget().map_err(Failure::from)?;
        }
        let held = replica.held().map_err(Failure::from)?;
        let mut report = Report::new(terminal, place.title(), self.json, self.quiet);
        report.begins(held.as_ref());
        if held.is_none() && report.shows_progress() {
            report.expect(place.total(&mut place.transport()));
        }
        let mut sending = Sending::new(self.on_conflict, terminal);
        let mut follower = Follower::new(place.home.clone(), held, self.options())
            .map_err(|failure| sync::of_feed(&failure))?;
        let mut pull = Pull {
            follower: &mut follower,
            transport: &mut HttpTransport::new(place.http.clone()),
            replica,
            clock: &mut SystemClock::start(),
        };
        pull.run(&mut |event, meanwhile| {
            self.meanwhile(event, meanwhile, &place.home, &mut report, &mut sending)
        })?;
        report.ends(&sending, self.push)
    }

    fn options(&self) -> Options {
        let wait = match self.push {
            true => self.wait.min(PUSH_WAIT_SECONDS_MAX),
            false => self.wait,
        };
        Options {
            is_endless: self.follow || self.push,
            wait: Duration::from_secs(wait),
            failures_max: (!self.follow).then_some(8),
            seed: sync::seed(),
            ..Options::default()
        }
    }

    fn meanwhile<R: Editable>(
        &self,
        event: &Event,
        meanwhile: Meanwhile<'_, HttpTransport, R, SystemClock>,
        home: &Url,
        report: &mut Report,
        sending: &mut Sending,
    ) -> Result<ControlFlow<()>, Failure> {
        let Meanwhile {
            transport,
            replica,
            clock,
        } = meanwhile;
        report.tell(event);
        let is_caught_up = matches!(event, Event::CaughtUp(_));
        let is_idle = matches!(event, Event::Resting(rest) if rest.because.is_none());
        if !is_caught_up && !is_idle {
            return Ok(ControlFlow::Continue(()));
        }
        let mut is_sent = false;
        if self.push {
            let sent = report.paused(|| sending.send(home, transport, replica, clock))?;
            is_sent = sent > 0;
        }
        if is_caught_up {
            report.caught_up(event, replica, sending, !self.push)?;
        }
        // What was sent comes back by the feed: the copy is up to date when it has.
        Ok(match self.follow || is_sent {
            true => ControlFlow::Continue(()),
            false => ControlFlow::Break(()),
        })
    }
}
