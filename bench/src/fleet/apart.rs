//! A follower in a process of its own, `milepost sync --follow`, that is killed as the writing goes on;
//! some have their file replaced by an older copy of it then.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use milepost_sync::SqliteReplica;
use serde_json::Value;

use super::{COLLECTION, Fleet, State, difference, home};

/// A process is killed once in so many revisions; each at other ones.
const KILLED_EVERY: usize = 24;
/// The files of a database.
const SUFFIXES: &[&str] = &["", "-wal", "-shm"];

/// A running follower.
pub(super) struct Apart {
    number: usize,
    is_restored: bool,
    milepost: PathBuf,
    server: String,
    file: PathBuf,
    child: Child,
    kills: usize,
    restores: usize,
}

impl Apart {
    pub(super) fn start(fleet: &Fleet, number: usize, is_restored: bool) -> Result<Self, String> {
        let file = fleet.folder.join(format!("copy-{number}.sqlite"));
        let (milepost, server) = (fleet.milepost.clone(), fleet.server.clone());
        let child = following(&milepost, &server, &file)?;
        Ok(Self {
            number,
            is_restored,
            milepost,
            server,
            file,
            child,
            kills: 0,
            restores: 0,
        })
    }

    /// Takes note that one more of all revisions is written: time to be killed, perhaps.
    pub(super) fn note(&mut self, at: usize, all: usize) -> Result<(), String> {
        if at % KILLED_EVERY == self.number * 5 % KILLED_EVERY {
            self.kill()?;
            self.child = following(&self.milepost, &self.server, &self.file)?;
        }
        if self.is_restored && at == all / 4 {
            self.between(|file| copy(file, &beside(file)))?;
        }
        if self.is_restored && at == all * 3 / 4 {
            self.between(|file| copy(&beside(file), file))?;
            self.restores += 1;
        }
        Ok(())
    }

    /// Kills it, does something with its file, and starts it again.
    fn between(&mut self, act: impl Fn(&Path) -> Result<(), String>) -> Result<(), String> {
        self.kill()?;
        act(&self.file)?;
        self.child = following(&self.milepost, &self.server, &self.file)?;
        Ok(())
    }

    fn kill(&mut self) -> Result<(), String> {
        self.kills += 1;
        // As `kill -9` does.
        self.child.kill().map_err(|error| error.to_string())?;
        self.child.wait().map_err(|error| error.to_string())?;
        Ok(())
    }

    /// Kills it a last time, lets it catch up, and compares; how often it was killed, and restored.
    pub(super) fn end(mut self, head: &str, written: &State) -> Result<(usize, usize), String> {
        let who = format!("process {}", self.number);
        self.kill()?;
        let ran = command(&self.milepost, &self.server, &self.file).output();
        let ran = ran.map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&ran.stdout).into_owned();
        let told: Value = serde_json::from_str(&said).map_err(|error| {
            let why = String::from_utf8_lossy(&ran.stderr).into_owned();
            format!("{who}: {error} in {said:?} {why}")
        })?;
        let is_verified = told.get("verified") == Some(&Value::Bool(true));
        if !is_verified || told.get("position").and_then(Value::as_str) != Some(head) {
            return Err(format!("{who} ends as {said}, not verified at {head}"));
        }
        let feed = home(&self.server, None)?;
        let replica = SqliteReplica::open(&self.file, COLLECTION, &feed);
        let replica = replica.map_err(|error| format!("{who}: {error}"))?;
        let mut held = State::new();
        let read = replica.for_each(&mut |id, value| {
            held.insert(id.to_owned(), value.to_owned());
            Ok(())
        });
        read.map_err(|error| format!("{who}: {error}"))?;
        difference(&who, &held, written)?;
        Ok((self.kills, self.restores))
    }
}

impl Drop for Apart {
    fn drop(&mut self) {
        // It may have ended already.
        let _ended = self.child.kill();
        let _status = self.child.wait();
    }
}

fn command(milepost: &Path, server: &str, file: &Path) -> Command {
    let mut command = Command::new(milepost);
    let url = format!("{server}/{COLLECTION}");
    command.arg("sync").arg(url).arg(file);
    command.args(["--json", "--server", server]);
    command
}

fn following(milepost: &Path, server: &str, file: &Path) -> Result<Child, String> {
    let mut command = command(milepost, server, file);
    command.args(["--follow", "--quiet"]).stdin(Stdio::null());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
        .spawn()
        .map_err(|error| format!("{command:?}: {error}"))
}

/// Where a file's older copy lies.
fn beside(file: &Path) -> PathBuf {
    file.with_extension("older")
}

/// Makes one database the copy of another that nobody has open.
fn copy(from: &Path, to: &Path) -> Result<(), String> {
    for suffix in SUFFIXES {
        let with = |path: &Path| PathBuf::from(format!("{}{suffix}", path.display()));
        let (from, to) = (with(from), with(to));
        let done = match from.exists() {
            true => fs::copy(&from, &to).map(drop),
            false if to.exists() => fs::remove_file(&to),
            false => Ok(()),
        };
        done.map_err(|error| format!("{}: {error}", to.display()))?;
    }
    Ok(())
}
