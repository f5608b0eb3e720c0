//! `milepost watch`: what changes in a collection, as it does.

use std::{ops::ControlFlow, time::Duration};

use clap::Args;
use milepost_sync::{Event, Follower, Options, Pull, SystemClock};

use crate::{
    Ended,
    client::{self, Connection},
    exit::{Exit, Failure},
    sync::{self, Place},
    terminal::Terminal,
    watch::View,
};

const EXAMPLES: &str = "\
Examples:
  milepost watch books
  milepost watch books --filter author=lem
  milepost watch books.reviews                   the reviews of all books
  milepost watch books --json | jq -c '{id, change}'
  milepost watch books --count 10                end after ten changes

On a terminal the newest change stands on top; elsewhere it is one line each, oldest first.
First everything is read, so that a change can be told by what it changed.
";

/// Show what changes in a collection, as it does
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Watch {
    /// A collection, or its URL
    #[arg(value_name = "URL", allow_hyphen_values = true, value_parser = client::path)]
    collection: String,

    /// Only what has this value: INDEX=VALUE, INDEX=gte:VALUE, …; may be repeated
    #[arg(long, short = 'f', value_name = "INDEX=VALUE")]
    filter: Vec<String>,

    /// End after so many changes
    #[arg(long, short = 'n', value_name = "N")]
    count: Option<u64>,

    /// One {"id", "change", "etag", "value", "before"} a line, also on a terminal
    #[arg(long)]
    json: bool,

    /// How long the server may hold a request until there is news, in seconds; 0: ask again when the
    /// last answer is no longer fresh
    #[arg(long, value_name = "SECONDS", default_value_t = 20)]
    wait: u64,

    #[command(flatten)]
    connection: Connection,
}

impl Watch {
    /// Runs the command.
    pub(crate) fn run(self, terminal: Terminal) -> Ended {
        let place = Place::of(&self.connection, &self.collection, &self.filter)?;
        let mut view = View::new(terminal, &place.name, self.json, self.count);
        let mut follower = Follower::new(place.home.clone(), None, self.options())
            .map_err(|failure| sync::of_feed(&failure))?;
        let mut pull = Pull {
            follower: &mut follower,
            transport: &mut place.transport(),
            replica: &mut view,
            clock: &mut SystemClock::start(),
        };
        pull.run(&mut |event, meanwhile| {
            let view = meanwhile.replica;
            match event {
                Event::CaughtUp(caught_up) => view.begin(caught_up.position)?,
                Event::Resting(rest) => view.trouble(rest.because.as_deref())?,
                _ => {}
            }
            view.show()?;
            Ok::<_, Failure>(match view.is_enough() {
                true => ControlFlow::Break(()),
                false => ControlFlow::Continue(()),
            })
        })?;
        Ok(Exit::Ok)
    }

    fn options(&self) -> Options {
        Options {
            is_endless: true,
            wait: Duration::from_secs(self.wait),
            // Before there is anything to look at, an unreachable server is an error; later it may
            // come back.
            failures_max: Some(40),
            seed: sync::seed(),
            ..Options::default()
        }
    }
}
