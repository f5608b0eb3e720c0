//! Steps of a chore: each named and timed, the first failure ends the run, and the summary at
//! the end says what was done, what was skipped and why.

use std::time::Duration;

use crate::{clock::Stopwatch, say};

/// How a step ended when it did not fail.
#[derive(Debug)]
pub(crate) enum Done {
    /// Everything the step promises was checked.
    Passed,
    /// The step could not be run here; the text says why.
    Skipped(String),
}

/// The steps run so far.
#[derive(Debug, Default)]
pub(crate) struct Steps {
    finished: Vec<(String, Duration, Result<Done, String>)>,
}

impl Steps {
    /// Runs one step, unless an earlier one failed.
    pub(crate) fn run(&mut self, name: &str, work: impl FnOnce() -> Result<Done, String>) {
        if self.has_failed() {
            return;
        }
        say::talk(&format!("── {name}"));
        let watch = Stopwatch::start();
        let outcome = work();
        if let Ok(Done::Skipped(reason)) = &outcome {
            say::talk(&format!("skipped: {reason}"));
        }
        self.finished
            .push((name.to_owned(), watch.elapsed(), outcome));
    }

    fn has_failed(&self) -> bool {
        self.finished.iter().any(|(_, _, outcome)| outcome.is_err())
    }

    /// Prints the summary.
    ///
    /// # Errors
    /// The failed step's name and reason, if one failed.
    pub(crate) fn finish(self) -> Result<(), String> {
        say::talk("── summary");
        let mut failure = None;
        for (name, took, outcome) in self.finished {
            let seconds = took.as_secs_f64();
            let line = match outcome {
                Ok(Done::Passed) => "passed".to_owned(),
                Ok(Done::Skipped(reason)) => format!("skipped ({reason})"),
                Err(reason) => {
                    failure = Some(format!("{name}: {reason}"));
                    "FAILED".to_owned()
                }
            };
            say::talk(&format!("{seconds:8.1} s  {name:<28} {line}"));
        }
        failure.map_or(Ok(()), Err)
    }
}
