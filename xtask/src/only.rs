//! What `--only` names: some of a command's parts, or all of them.

/// Some of a closed list of parts.
#[derive(Clone, Debug, Default)]
pub(crate) struct Only(Vec<String>);

impl Only {
    /// Reads `part,part`.
    ///
    /// # Errors
    /// When a name is none of `parts`.
    pub(crate) fn parse(value: &str, parts: &[&str]) -> Result<Self, String> {
        let names: Vec<String> = value.split(',').map(str::to_owned).collect();
        match names.iter().find(|name| !parts.contains(&name.as_str())) {
            Some(name) => Err(format!("no part {name}; there are {}", parts.join(", "))),
            None => Ok(Self(names)),
        }
    }

    /// Whether a part is among them; every part is where none was named.
    pub(crate) fn wants(&self, part: &str) -> bool {
        self.0.is_empty() || self.0.iter().any(|name| name == part)
    }
}
