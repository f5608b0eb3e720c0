//! Processes by where they stand: whatever runs in a folder of the cluster belongs to it.
//!
//! A database has no parent that would know of it, changes its name and its environment, and outlives who
//! started it. Its working directory stays what it is.

use std::{fs, path::Path, process::Command};

use crate::cargo::read;

/// What a process can be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Signal {
    /// Ends it as a power cut does.
    Kill,
    /// Ends it in good order.
    Terminate,
    /// Holds it still.
    Stop,
    /// Lets it go on.
    Continue,
}

impl Signal {
    fn word(self) -> &'static str {
        match self {
            Self::Kill => "-KILL",
            Self::Terminate => "-TERM",
            Self::Stop => "-STOP",
            Self::Continue => "-CONT",
        }
    }
}

/// All processes whose working directory is this folder or lies in it.
pub(crate) fn within(folder: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir("/proc") else {
        return Vec::new();
    };
    let ids = entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok());
    ids.filter(|id: &u32| {
        let stands = fs::read_link(format!("/proc/{id}/cwd"));
        stands.is_ok_and(|stands| stands.starts_with(folder))
    })
    .collect()
}

/// Sends a signal to processes; those that are gone are passed over.
pub(crate) fn send(signal: Signal, ids: &[u32]) {
    if ids.is_empty() {
        return;
    }
    let mut kill = Command::new("kill");
    kill.arg(signal.word()).arg("--");
    kill.args(ids.iter().map(u32::to_string));
    // One that has ended meanwhile makes it complain, and is what was wanted.
    let _complaints = read(&mut kill);
}

/// Kills everything in a folder at once, until nothing is left that was just being started.
pub(crate) fn kill_within(folder: &Path) {
    loop {
        let ids = within(folder);
        if ids.is_empty() {
            return;
        }
        send(Signal::Kill, &ids);
    }
}
