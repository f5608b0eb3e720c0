//! Where a cluster lives: a folder, an account, a network, and a watcher that removes all of it when
//! this process has ended, however it ended.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use super::{
    account::Account,
    network::{Host, Network},
    processes,
};
use crate::{
    cargo::{program, run},
    clock::Stopwatch,
};

/// Removing takes a moment: processes are killed, files go.
const REMOVING_MAX: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// Waits until the lock is free, which happens when its holder has ended. Then kills whatever stands in the
/// folder, and removes folder and network.
const WATCHER: &str = "\
flock -x \"$1/lock\" true
while :; do
  ids=
  for process in /proc/[0-9]*; do
    case $(readlink \"$process/cwd\") in \"$1\" | \"$1\"/*) ids=\"$ids ${process#/proc/}\" ;; esac
  done
  test -z \"$ids\" && break
  kill -KILL $ids
done
PATH=\"$PATH:/usr/sbin\"
sh \"$1/network\"
rm -rf \"$1\"
";

/// Dropped, it is removed with everything that runs in it.
#[derive(Debug)]
pub(crate) struct Place {
    folder: PathBuf,
    account: Account,
    network: Network,
    /// Why hosts can't be cut off, where they can't.
    pub(crate) uncut: Option<String>,
    lock: Option<File>,
}

/// What to start, where, and what to write its output to.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    /// A folder's name within the place: the working directory.
    pub(crate) folder: &'a str,
    pub(crate) host: &'a Host,
    /// Whether it runs as whoever runs this, and not as the account.
    pub(crate) as_caller: bool,
    pub(crate) program: &'a str,
    pub(crate) words: Vec<String>,
}

impl Place {
    /// Makes one.
    ///
    /// # Errors
    /// When folder or watcher can't be made.
    pub(crate) fn make() -> Result<Self, String> {
        let account = Account::find()?;
        let folder = base().join(format!("milepost-cluster-{}", std::process::id()));
        account.folder(&folder)?;
        let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
        let lock = File::create(folder.join("lock")).map_err(wrong)?;
        lock.lock().map_err(wrong)?;
        let (network, is_cut) = Network::make(&account);
        fs::write(folder.join("network"), network.removal()).map_err(wrong)?;
        watch(&folder)?;
        Ok(Self {
            folder,
            account,
            network,
            uncut: is_cut.err(),
            lock: Some(lock),
        })
    }

    /// Its network.
    pub(crate) fn network(&self) -> &Network {
        &self.network
    }

    /// A folder in it, which may not be there yet.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A folder in it that the account can write to.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn folder(&self, name: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        self.account.folder(&path)?;
        Ok(path)
    }

    /// Writes a file that the account may read.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf, String> {
        let path = self.path(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        self.account.owns(&path)?;
        Ok(path)
    }

    /// Starts a program in a folder, on a host; its output is added to `log` there.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(&self, start: &Start<'_>) -> Result<Child, String> {
        let folder = self.folder(start.folder)?;
        let log = folder.join("log");
        let said = |error: std::io::Error| format!("{}: {error}", start.program);
        let out = File::options().create(true).append(true).open(log);
        let out = out.map_err(said)?;
        let err = out.try_clone().map_err(said)?;
        let mut words = start.host.words();
        if !start.as_caller {
            words.extend(self.account.words());
        }
        words.push(start.program.to_owned());
        words.extend(start.words.iter().cloned());
        // A session of its own: ctrl-c on a terminal is for whoever started all this.
        let mut command = program("setsid");
        command.args(words).current_dir(folder);
        command.env("HOME", &self.folder);
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        command.spawn().map_err(said)
    }

    /// Runs a program to its end, as the account, on a host.
    ///
    /// # Errors
    /// When it can't be started or fails; what it said is in the reason.
    pub(crate) fn read(&self, host: &Host, words: &[&str]) -> Result<String, String> {
        let mut all = host.words();
        all.extend(self.account.words());
        all.extend(words.iter().map(|word| (*word).to_owned()));
        let Some((name, rest)) = all.split_first() else {
            return Err("nothing to run".to_owned());
        };
        crate::cargo::read(program(name).args(rest).current_dir("/"))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        processes::kill_within(&self.folder);
        drop(self.lock.take());
        let watch = Stopwatch::start();
        while self.folder.exists() && watch.elapsed() < REMOVING_MAX {
            thread::sleep(PAUSE);
        }
    }
}

/// In memory where the system has some: what is tried here is processes and networks, not disks.
fn base() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() {
        memory.to_owned()
    } else {
        std::env::temp_dir()
    }
}

fn watch(folder: &Path) -> Result<(), String> {
    let mut watcher: Command = program("setsid");
    watcher
        .args(["--fork", "sh", "-c", WATCHER, "sh"])
        .arg(folder)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    run(&mut watcher)
}
