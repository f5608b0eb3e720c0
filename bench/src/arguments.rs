//! Arguments of the form `--name value`, all required: these programs are run by a program.

use std::{collections::BTreeMap, fmt::Display, str::FromStr};

/// The arguments of this process.
#[derive(Debug)]
pub struct Arguments(BTreeMap<String, String>);

impl Arguments {
    /// Reads this process's arguments.
    ///
    /// # Errors
    /// When one is not a name with a value.
    pub fn of_the_process() -> Result<Self, String> {
        let mut values = BTreeMap::new();
        let mut words = std::env::args().skip(1);
        while let Some(word) = words.next() {
            let name = word
                .strip_prefix("--")
                .ok_or_else(|| format!("not a name: {word}"))?;
            let value = words
                .next()
                .ok_or_else(|| format!("--{name} has no value"))?;
            values.insert(name.to_owned(), value);
        }
        Ok(Self(values))
    }

    /// The value of `--name`.
    ///
    /// # Errors
    /// When it is missing or not of the type asked for.
    pub fn value<T: FromStr<Err: Display>>(&self, name: &str) -> Result<T, String> {
        let text = self
            .0
            .get(name)
            .ok_or_else(|| format!("--{name} is missing"))?;
        text.parse()
            .map_err(|error| format!("--{name} {text}: {error}"))
    }
}
