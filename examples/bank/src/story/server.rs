//! The bank's server in a process of its own, which can be killed.

use std::{
    io::{self, BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

use super::StoryError;
use crate::serve::GREETING;

/// A running server; killed when dropped.
pub(super) struct Server {
    child: Child,
    url: String,
}

impl Server {
    /// Starts `bank serve` over a directory, and waits until it says where it listens.
    pub(super) fn start(data: &Path) -> Result<Self, StoryError> {
        let failed = |error| StoryError::system("the bank's program", error);
        let program = std::env::current_exe().map_err(failed)?;
        let mut child = Command::new(program)
            .args(["serve", "--listen", "127.0.0.1:0", "--data"])
            .arg(data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        if let Some(stdout) = child.stdout.take() {
            BufReader::new(stdout)
                .read_line(&mut line)
                .map_err(failed)?;
        }
        let url = line.trim().strip_prefix(GREETING).map(str::to_owned);
        let mut server = Self {
            child,
            url: url.unwrap_or_default(),
        };
        if server.url.is_empty() {
            server.kill()?;
            return Err(failed(io::Error::other("the server did not start")));
        }
        Ok(server)
    }

    /// Ends it as `kill -9` does, and waits until it is gone.
    pub(super) fn kill(&mut self) -> Result<(), StoryError> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        match killed {
            Ok(_) => Ok(()),
            Err(error) => Err(StoryError::system("the server", error)),
        }
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The base URL.
    pub(super) fn url(&self) -> String {
        self.url.clone()
    }

    /// Scheme, host and port.
    pub(super) fn origin(&self) -> &str {
        self.url.strip_suffix("/v1").unwrap_or(&self.url)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been killed before.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
