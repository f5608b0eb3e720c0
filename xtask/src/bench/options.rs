//! What `cargo xtask bench` was asked for.

use std::path::PathBuf;

use crate::only::Only;

/// How much is measured, and of whom.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Rounds whose control did not sag that each case needs.
    pub(super) rounds: usize,
    /// Length of one measurement in seconds.
    pub(super) seconds: u32,
    /// Documents in the main data set.
    pub(super) documents: u32,
    /// Documents in the large data set.
    pub(super) many: u32,
    /// A data set of real edits, for `feed-history`.
    pub(super) history: Option<PathBuf>,
    /// Only these parts, all if empty: see [`PARTS`].
    only: Only,
}

/// What `--only` may name.
pub(super) const PARTS: &[&str] = &[
    "get",
    "not-modified",
    "list",
    "put",
    "scale",
    "feed-memory",
    "flow-memory",
    "feed-waits",
    "feed-news",
    "feed-closed",
    "feed-catch-up",
    "feed-history",
    "nodes",
    "identity",
    "pocketbase",
    "etcd",
    "kinto",
    "json-server",
];

impl Options {
    /// Reads `--rounds N --seconds N --documents N --many N --history FILE --only part,part`.
    ///
    /// # Errors
    /// When a word is unknown or a number is none.
    pub(crate) fn parse(words: &[&str]) -> Result<Self, String> {
        let mut options = Self {
            rounds: 5,
            seconds: 4,
            documents: 100_000,
            many: 1_000_000,
            history: None,
            only: Only::default(),
        };
        let mut words = words.iter();
        while let Some(name) = words.next() {
            let value = words.next().ok_or_else(|| format!("{name} has no value"))?;
            let wrong = |_| format!("{name} {value}: not a number");
            match *name {
                "--rounds" => options.rounds = value.parse().map_err(wrong)?,
                "--seconds" => options.seconds = value.parse().map_err(wrong)?,
                "--documents" => options.documents = value.parse().map_err(wrong)?,
                "--many" => options.many = value.parse().map_err(wrong)?,
                "--history" => options.history = Some(value.into()),
                "--only" => options.only = Only::parse(value, PARTS)?,
                _ => return Err(format!("unknown option {name}")),
            }
        }
        Ok(options)
    }

    /// Whether a part is to be measured.
    pub(super) fn wants(&self, part: &str) -> bool {
        self.only.wants(part)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_parts_are_wanted_and_an_unknown_one_is_refused() {
        let options = Options::parse(&["--only", "get,list"]).unwrap();
        assert!(options.wants("get") && !options.wants("put"));
        assert!(Options::parse(&[]).unwrap().wants("put"));
        assert!(Options::parse(&["--only", "everything"]).is_err());
    }
}
