//! Room in the write-ahead log, made before it is needed.
//!
//! A sync after a file has grown must also write down how large it is now, which on most disks costs
//! as much again as the data. The log begins anew in place once it is large, and never grows from
//! then on; here it is brought to that size early, by and by, with zeros behind what it holds. To
//! SQLite they are no frames: neither readers nor a recovery look at them.

use std::{
    fs::{File, OpenOptions},
    io::{self, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
};

use rustix::fs::fstatvfs;

use super::shared::Gate;

/// Room is made only where the disk has this much left, in bytes: where it is scarce it is the data's.
const FREE_MIN: u64 = 1 << 30;
/// What is added at a time: a few hundred microseconds, for which the writer is kept waiting.
const STEP: &[u8] = &[0; 1 << 20];

/// A log that is to have a size.
#[derive(Debug)]
pub(super) struct Headroom {
    log: PathBuf,
    /// The size to come to; zero once it was reached, or could not be.
    wanted_bytes: u64,
}

impl Headroom {
    /// For the log of a database, which is to have so many bytes.
    pub(super) fn of(database: &Path, wanted_bytes: u64) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self {
            log: log.into(),
            wanted_bytes,
        }
    }

    /// Whether there is more to add.
    pub(super) fn is_wanted(&self) -> bool {
        self.wanted_bytes > 0
    }

    /// Adds a step. Where that fails, say for a full disk, the log grows as it needs to.
    pub(super) fn extend(&mut self, gate: &Gate) {
        match self.step(gate) {
            Ok(Some(bytes)) if bytes < self.wanted_bytes => {}
            Ok(_) | Err(_) => self.wanted_bytes = 0,
        }
    }

    /// Answers how large the log was found, if the disk has room to spare.
    fn step(&self, gate: &Gate) -> io::Result<Option<u64>> {
        let mut log = OpenOptions::new().write(true).open(&self.log)?;
        let disk = fstatvfs(&log)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < FREE_MIN {
            return Ok(None);
        }
        let bytes = {
            // Whoever appends holds the gate, so nothing is written between looking and writing.
            let _turn = gate.enter();
            append(&mut log, self.wanted_bytes)?
        };
        log.sync_data()?;
        Ok(Some(bytes))
    }
}

fn append(log: &mut File, wanted_bytes: u64) -> io::Result<u64> {
    let bytes = log.seek(SeekFrom::End(0))?;
    if bytes >= wanted_bytes {
        return Ok(bytes);
    }
    let added = log.write_all(STEP);
    if added.is_err() {
        log.set_len(bytes)?;
    }
    added.map(|()| bytes)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_log_comes_to_its_size_and_keeps_what_it_holds() {
        let directory = tempfile::tempdir().expect("a directory");
        let database = directory.path().join("a.db");
        fs::write(directory.path().join("a.db-wal"), b"frames").expect("a log");
        let mut headroom = Headroom::of(&database, 3 << 20);
        while headroom.is_wanted() {
            headroom.extend(&Gate::default());
        }
        let log = fs::read(directory.path().join("a.db-wal")).expect("a log");
        assert_eq!(log.len(), (3 << 20) + 6);
        assert!(log.starts_with(b"frames\0"));
        assert!(log[6..].iter().all(|byte| *byte == 0));
    }

    #[test]
    fn a_log_that_is_not_there_is_left_alone() {
        let directory = tempfile::tempdir().expect("a directory");
        let database = directory.path().join("a.db");
        let mut headroom = Headroom::of(&database, 3 << 20);
        headroom.extend(&Gate::default());
        assert!(!headroom.is_wanted());
        assert!(!directory.path().join("a.db-wal").exists());
    }
}
