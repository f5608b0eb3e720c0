//! What `cargo xtask faults` was asked for.

use std::{path::PathBuf, time::Duration};

use crate::cargo::target;

/// How much, of what.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// How long faults go on.
    pub(super) time: Duration,
    /// Clients that write and read.
    pub(super) clients: usize,
    /// The program of the nodes, built before.
    pub(super) program: PathBuf,
    /// One node with a store of its own, in place of a cluster.
    pub(super) is_embedded: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            time: Duration::from_secs(30 * 60),
            clients: 32,
            program: target().join("debug/milepost"),
            is_embedded: false,
        }
    }
}

impl Options {
    /// Reads `--minutes N --clients N --program FILE --embedded`.
    ///
    /// # Errors
    /// When a word is unknown or a number is none.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut words = words.iter();
        while let Some(name) = words.next() {
            if *name == "--embedded" {
                options.is_embedded = true;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
            match *name {
                "--minutes" => options.time = minutes(value)?,
                "--program" => options.program = value.into(),
                "--clients" => {
                    let clients = value.parse();
                    options.clients =
                        clients.map_err(|error| format!("{name} {value}: {error}"))?;
                }
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }

    /// What `cargo xtask cluster check` lets happen.
    pub(crate) fn small() -> Self {
        Self {
            time: Duration::from_secs(2 * 60),
            ..Self::default()
        }
    }

    /// So little that it can be checked each time: a node with a store of its own.
    pub(crate) fn small_embedded() -> Self {
        Self {
            time: Duration::from_secs(15),
            is_embedded: true,
            ..Self::default()
        }
    }
}

fn minutes(text: &str) -> Result<Duration, String> {
    let minutes: f64 = text
        .parse()
        .map_err(|error| format!("{text} minutes: {error}"))?;
    Duration::try_from_secs_f64(minutes * 60.0).map_err(|error| format!("{text} minutes: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options =
            Options::parse(&["--minutes", "0.5", "--embedded", "--clients", "4"]).unwrap();
        assert_eq!(options.time, Duration::from_secs(30));
        assert!(options.is_embedded && options.clients == 4);
        assert!(Options::parse(&["--minutes", "long"]).is_err());
        assert!(Options::parse(&["--hours", "1"]).is_err());
    }
}
