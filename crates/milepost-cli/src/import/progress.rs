//! How far a long command is: a bar on a terminal, nothing elsewhere.

use std::{io::Read, time::Duration};

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::Terminal;

/// How often the bar is drawn anew while nothing moves.
const TICK: Duration = Duration::from_millis(200);

/// The progress of one command.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    is_shown: bool,
}

impl Progress {
    /// Shown on stderr where that is a terminal and the user didn't ask for quiet.
    pub(crate) fn new(terminal: Terminal, quiet: bool) -> Self {
        let is_shown = terminal.stderr_is_terminal && !quiet;
        if !is_shown {
            return Self::hidden();
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        bar.enable_steady_tick(TICK);
        Self { bar, is_shown }
    }

    /// Counts, and shows nothing.
    pub(crate) fn hidden() -> Self {
        Self {
            bar: ProgressBar::hidden(),
            is_shown: false,
        }
    }

    /// How much there is to read, where that is known.
    pub(crate) fn expect_bytes(&self, bytes: Option<u64>) {
        if let Some(bytes) = bytes {
            self.bar.set_length(bytes);
        }
        let template = match bytes {
            Some(_) => "{bar:30} {percent:>3}%  {msg}  {eta} left",
            None => "{spinner} {bytes}  {msg}",
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// Whether anybody sees it.
    pub(crate) const fn is_shown(&self) -> bool {
        self.is_shown
    }

    /// How many records there are.
    pub(crate) fn expect_records(&self, records: u64) {
        self.bar.set_length(records);
        let template = "{bar:30} {percent:>3}%  {msg}  {eta} left";
        if let Ok(style) = ProgressStyle::with_template(template) {
            self.bar.set_style(style);
        }
    }

    /// Says how many records of how many bytes were fetched, and how fast that goes.
    pub(crate) fn fetched(&self, records: u64, bytes: u64) {
        if self.is_shown {
            let (size, rate) = (HumanBytes(bytes), HumanBytes(self.rate(bytes)));
            self.bar.set_position(records);
            self.bar
                .set_message(format!("{records} records  {size}  {rate}/s"));
        }
    }

    /// Shows only what is told.
    pub(crate) fn count_only(&self) {
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            self.bar.set_style(style);
        }
    }

    /// Does something that writes to the terminal, with the bar out of the way.
    pub(crate) fn suspend<T>(&self, act: impl FnOnce() -> T) -> T {
        self.bar.suspend(act)
    }

    /// The same bytes, counted as they are read.
    pub(crate) fn watch<R: Read + 'static>(&self, input: R) -> impl Read + 'static {
        self.bar.wrap_read(input)
    }

    /// Says how many records are through, and how fast that goes.
    pub(crate) fn tell(&self, records: u64) {
        if self.is_shown {
            self.bar
                .set_message(format!("{records} records  {}/s", self.rate(records)));
        }
    }

    /// Records a second since the start.
    pub(crate) fn rate(&self, records: u64) -> u64 {
        let milliseconds = self.bar.elapsed().as_millis().max(1);
        u64::try_from(u128::from(records) * 1_000 / milliseconds).unwrap_or(u64::MAX)
    }

    /// Seconds since the start.
    pub(crate) fn seconds(&self) -> f64 {
        self.bar.elapsed().as_secs_f64()
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}
