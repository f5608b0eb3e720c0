//! Edits to write: a data set's, or made up.

use std::{
    fs::File,
    io::{BufRead as _, BufReader},
    path::Path,
};

use flate2::read::GzDecoder;
use serde::Deserialize;
use serde_json::value::RawValue;

/// Revisions, in their order.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Each one transaction.
    pub revisions: Vec<Revision>,
}

/// What is written together; no id twice.
#[derive(Clone, Debug, Default)]
pub struct Revision {
    /// In their order.
    pub operations: Vec<Operation>,
}

/// One resource's next representation.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Which.
    pub id: String,
    /// Its JSON text; `None` to delete it.
    pub value: Option<String>,
}

#[derive(Deserialize)]
struct Line {
    operations: Vec<Written>,
}

#[derive(Deserialize)]
struct Written {
    id: String,
    value: Option<Box<RawValue>>,
}

impl History {
    /// Reads a data set: gzip, a line for each revision, `{"operations": [{"id", "value"} | {"id",
    /// "deleted": true}]}`.
    ///
    /// # Errors
    /// When the file isn't there, or is something else.
    pub fn read(path: &Path) -> Result<Self, String> {
        let wrong = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
        let file = File::open(path)
            .map_err(|error| format!("the data set is not there: {}", wrong(&error)))?;
        let mut history = Self::default();
        for line in BufReader::new(GzDecoder::new(file)).lines() {
            let line = line.map_err(|error| wrong(&error))?;
            let line: Line = serde_json::from_str(&line).map_err(|error| wrong(&error))?;
            let operations = line.operations.into_iter().map(|written| Operation {
                id: written.id,
                value: written.value.map(|value| value.get().to_owned()),
            });
            history.revisions.push(Revision {
                operations: operations.collect(),
            });
        }
        Ok(history)
    }

    /// Makes some up, of the same shape: a first revision with all resources, then ever the same mix of
    /// small and large ones, in which resources change, move between regions, go and come back.
    #[must_use]
    pub fn made_up(revisions: usize, resources: usize) -> Self {
        let mut dice = Dice(0x5eed);
        let made = (0..revisions).map(|number| {
            let most = match number {
                0 => resources,
                _ if number % 10 == 0 => resources / 2,
                _ => 8,
            };
            let first = dice.below(resources);
            let operations = (0..most.max(1)).map(|step| Operation {
                id: format!("c{:03}", (first + step * 7) % resources),
                value: dice.value(number),
            });
            let mut operations: Vec<Operation> = operations.collect();
            operations.sort_by(|one, other| one.id.cmp(&other.id));
            operations.dedup_by(|one, other| one.id == other.id);
            Revision { operations }
        });
        Self {
            revisions: made.collect(),
        }
    }

    /// How many operations there are.
    #[must_use]
    pub fn operations(&self) -> usize {
        let revisions = self.revisions.iter();
        revisions.map(|revision| revision.operations.len()).sum()
    }
}

/// An xorshift generator.
struct Dice(usize);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound.max(1)
    }

    /// A tenth are deletions.
    fn value(&mut self, revision: usize) -> Option<String> {
        let region = match self.below(10) {
            0 => return None,
            1..4 => "Europe",
            4..7 => "Asia",
            _ => "Africa",
        };
        let people = self.below(1_000_000);
        Some(format!(
            "{{\"region\": \"{region}\", \"people\": {people}, \"revision\": {revision}}}"
        ))
    }
}
