//! What `cargo xtask caches` was asked for.

use crate::only::Only;

/// How much is counted.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Followers of the fan-out, one number a run.
    pub(super) followers: Vec<usize>,
    /// Writes of the fan-out.
    pub(super) writes: u32,
    /// Writes per second.
    pub(super) writes_per_second: u32,
    /// Clients of the storm.
    pub(super) clients: usize,
    /// Whether the release build is counted.
    pub(super) is_release: bool,
    /// Only these parts, all if empty.
    only: Only,
}

/// What `--only` may name.
const PARTS: &[&str] = &["fanout", "storm"];

impl Options {
    /// Reads `--followers N,N --writes N --rate N --clients N --only fanout,storm --debug`.
    ///
    /// # Errors
    /// When a word is unknown or a number is none.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            followers: vec![1_000, 5_000],
            writes: 1_000,
            writes_per_second: 20,
            clients: 2_000,
            is_release: true,
            only: Only::default(),
        };
        let mut words = words.iter();
        while let Some(name) = words.next() {
            if *name == "--debug" {
                options.is_release = false;
                continue;
            }
            let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
            let wrong = |_| format!("{name} {value}: not a number");
            let numbers = || value.split(',').map(str::parse).collect::<Result<_, _>>();
            match *name {
                "--followers" => options.followers = numbers().map_err(wrong)?,
                "--writes" => options.writes = value.parse().map_err(wrong)?,
                "--rate" => options.writes_per_second = value.parse().map_err(wrong)?,
                "--clients" => options.clients = value.parse().map_err(wrong)?,
                "--only" => options.only = Only::parse(value, PARTS)?,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }

    /// So little that it can be checked each time.
    pub(super) fn small() -> Self {
        Self {
            followers: vec![60, 180],
            writes: 60,
            writes_per_second: 10,
            clients: 100,
            is_release: false,
            only: Only::default(),
        }
    }

    /// Whether a part is to be counted.
    pub(super) fn wants(&self, part: &str) -> bool {
        self.only.wants(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_unknown_ones_refused() {
        let options = Options::parse(&["--followers", "10,50", "--debug", "--only", "storm"]);
        let options = options.unwrap();
        assert_eq!(options.followers, [10, 50]);
        assert!(!options.is_release && options.wants("storm") && !options.wants("fanout"));
        assert!(Options::parse(&["--followers", "many"]).is_err());
        assert!(Options::parse(&["--only", "everything"]).is_err());
    }
}
