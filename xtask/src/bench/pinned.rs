//! A server under measurement: pinned to the first core, stopped when dropped. Loads run on the
//! second core.

use std::{
    fs::{self, File},
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Duration,
};

use crate::{cargo::program, clock::Stopwatch};

/// The core of servers.
const SERVER_CORE: &str = "0";
/// The core of loads.
const LOAD_CORE: &str = "1";
/// The slowest peer needs some time to read its data.
const STARTING_MAX: Duration = Duration::from_secs(120);
const PAUSE: Duration = Duration::from_millis(1);
/// How long a server may take to end after being asked to.
const STOPPING_MAX: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub(crate) struct Pinned {
    child: Child,
    /// Where it listens.
    pub(crate) address: SocketAddr,
    /// From starting the process until it accepted a connection.
    pub(super) starting: Duration,
}

impl Pinned {
    /// Starts a program and waits until something listens at the address.
    ///
    /// # Errors
    /// When it does not come up; the reason names its log.
    pub(crate) fn start(
        mut command: Command,
        address: SocketAddr,
        log: &Path,
    ) -> Result<Self, String> {
        let said = |error: std::io::Error| format!("{}: {error}", log.display());
        let out = File::create(log).map_err(said)?;
        let err = out.try_clone().map_err(said)?;
        command.stdin(Stdio::null()).stdout(out).stderr(err);
        let watch = Stopwatch::start();
        let child = command
            .spawn()
            .map_err(|error| format!("{command:?}: {error}"))?;
        let mut pinned = Self {
            child,
            address,
            starting: Duration::ZERO,
        };
        while TcpStream::connect(address).is_err() {
            let ended = !matches!(pinned.child.try_wait(), Ok(None));
            if ended || watch.elapsed() > STARTING_MAX {
                return Err(format!(
                    "{command:?} did not come up; see {}",
                    log.display()
                ));
            }
            thread::sleep(PAUSE);
        }
        pinned.starting = watch.elapsed();
        Ok(pinned)
    }

    /// Its process id.
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// A figure of `/proc/PID/status` in KiB, such as `VmRSS`.
    pub(super) fn memory_kib(&self, name: &str) -> Option<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).ok()?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'))?;
        line.trim().trim_end_matches("kB").trim().parse().ok()
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // Asked first, so that servers of several processes can end all of them.
        let _asked = Command::new("kill")
            .arg(self.child.id().to_string())
            .status();
        let watch = Stopwatch::start();
        while matches!(self.child.try_wait(), Ok(None)) && watch.elapsed() < STOPPING_MAX {
            thread::sleep(PAUSE);
        }
        let _already_ended = self.child.kill();
        let _status = self.child.wait();
    }
}

/// A program on the servers' core.
pub(super) fn server(name: impl AsRef<std::ffi::OsStr>) -> Command {
    on(SERVER_CORE, name)
}

/// A program on the loads' core.
pub(super) fn load(name: impl AsRef<std::ffi::OsStr>) -> Command {
    on(LOAD_CORE, name)
}

fn on(core: &str, name: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = program("taskset");
    command.args(["-c", core]).arg(name);
    command
}

/// A loopback address that nothing listens at.
///
/// # Errors
/// When there is none.
pub(crate) fn free_address() -> Result<SocketAddr, String> {
    let listener =
        TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(|error| error.to_string())?;
    listener.local_addr().map_err(|error| error.to_string())
}
