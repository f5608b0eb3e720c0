//! The followers: a program of the bench, and what it printed.

use std::{fs, net::SocketAddr, path::Path};

use serde_json::Value;

use super::{COLLECTION, Options, binary, varnish::with_descriptors};
use crate::cargo::read;

/// What followers are to do.
#[derive(Clone, Copy, Debug)]
pub(super) struct Swarm<'a> {
    pub(super) cache: SocketAddr,
    pub(super) origin: SocketAddr,
    pub(super) followers: usize,
    /// Positions that they come back with; none: they begin with nothing.
    pub(super) bookmarks: &'a [String],
    /// The time over which they begin, in milliseconds.
    pub(super) beginning_ms: u32,
    pub(super) writes: u32,
    pub(super) documents: usize,
}

/// What they did.
#[derive(Clone, Copy, Debug)]
pub(super) struct Done {
    pub(super) requests: u64,
    pub(super) converged: u64,
}

impl Swarm<'_> {
    /// Lets them follow until they hold what the server holds.
    ///
    /// # Errors
    /// When one can't.
    pub(super) fn run(&self, options: &Options, folder: &Path) -> Result<Done, String> {
        let bookmarks = folder.join("bookmarks");
        fs::write(&bookmarks, self.bookmarks.join("\n"))
            .map_err(|error| format!("{}: {error}", bookmarks.display()))?;
        let mut command = with_descriptors(binary(options, "followers"));
        command
            .args(["--collection", COLLECTION, "--bookmarks"])
            .arg(&bookmarks);
        for (name, value) in [
            ("--cache", self.cache.to_string()),
            ("--origin", self.origin.to_string()),
            ("--followers", self.followers.to_string()),
            ("--beginning-ms", self.beginning_ms.to_string()),
            ("--writes", self.writes.to_string()),
            ("--writes-per-second", options.writes_per_second.to_string()),
            ("--documents", self.documents.to_string()),
        ] {
            command.args([name, &value]);
        }
        let said = read(&mut command)?;
        let figures: Value =
            serde_json::from_str(&said).map_err(|error| format!("{error}: {said}"))?;
        let figure = |name: &str| {
            figures
                .get(name)
                .and_then(Value::as_u64)
                .unwrap_or_default()
        };
        Ok(Done {
            requests: figure("requests"),
            converged: figure("converged"),
        })
    }
}
