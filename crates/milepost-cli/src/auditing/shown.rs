//! How far an audit is, on stderr where that is a terminal.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use milepost_audit::Progress;

use crate::terminal::Terminal;

/// A bar of checks.
#[derive(Debug)]
pub(crate) struct Shown(ProgressBar);

impl Shown {
    /// Shown where somebody looks.
    pub(crate) fn new(terminal: Terminal) -> Self {
        if !terminal.stderr_is_terminal {
            return Self(ProgressBar::hidden());
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len}  {msg}") {
            bar.set_style(style);
        }
        Self(bar)
    }

    /// Says what begins now.
    pub(crate) fn tell(&self, step: &Progress<'_>) {
        self.0
            .set_length(u64::try_from(step.of).unwrap_or(u64::MAX));
        self.0
            .set_position(u64::try_from(step.done).unwrap_or(u64::MAX));
        self.0
            .set_message(format!("{} ({} requests)", step.doing, step.requests));
    }

    /// Takes the bar away.
    pub(crate) fn finish(&self) {
        self.0.finish_and_clear();
    }
}
