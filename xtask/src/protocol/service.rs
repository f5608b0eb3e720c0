//! A Milepost server under check: the real binary, on a free loopback port, with an empty folder, or one that
//! somebody else has started.

use std::{
    fs::{self, File},
    net::{SocketAddr, TcpStream},
    path::PathBuf,
    process::{Child, Stdio},
    thread,
    time::Duration,
};

use crate::{
    bench::free_address,
    cargo::{program, target},
    clock::Stopwatch,
    http::{self, Response},
};

/// A stream of events is read to its end, and nobody waits for news that won't come.
pub(crate) const LIMITS: &str = "streamSecondsMax=1,waitSecondsMax=1";
/// A server that does not answer within this time is not going to.
const STARTING_MAX: Duration = Duration::from_secs(20);
const PAUSE: Duration = Duration::from_millis(20);

/// A running server; dropped, it is stopped.
#[derive(Debug)]
pub(crate) struct Service {
    /// `None`: somebody else's.
    child: Option<Child>,
    address: SocketAddr,
    log: PathBuf,
}

impl Service {
    /// Starts the debug build on an empty folder of that name under the target folder.
    ///
    /// # Errors
    /// When it does not come up; the reason names its log.
    pub(crate) fn start(name: &str) -> Result<Self, String> {
        let folder = target().join(name);
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .map_err(|error| format!("{}: {error}", folder.display()))?;
        }
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let log = folder.join("server.log");
        let file = File::create(&log).map_err(|error| format!("{}: {error}", log.display()))?;
        let address = free_address()?;
        let mut command = program(target().join("debug/milepost"));
        command
            .args(["serve", "--listen", &address.to_string(), "--data"])
            .arg(folder.join("data"))
            .args(["--limit", LIMITS]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(file);
        let child = command
            .spawn()
            .map_err(|error| format!("milepost serve: {error}"))?;
        let mut service = Self {
            child: Some(child),
            address,
            log,
        };
        service.wait_until_up()?;
        Ok(service)
    }

    /// A service that is there already.
    ///
    /// # Errors
    /// When the folder for what is written meanwhile can't be made.
    pub(crate) fn at(address: SocketAddr) -> Result<Self, String> {
        let folder = target().join("protocol");
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self {
            child: None,
            address,
            log: folder.join("server.log"),
        })
    }

    fn wait_until_up(&mut self) -> Result<(), String> {
        let watch = Stopwatch::start();
        while watch.elapsed() < STARTING_MAX {
            if TcpStream::connect(self.address).is_ok() {
                return Ok(());
            }
            let child = self.child.as_mut();
            if child.is_some_and(|child| !matches!(child.try_wait(), Ok(None))) {
                break;
            }
            thread::sleep(PAUSE);
        }
        Err(format!(
            "milepost serve did not come up; its log is {}",
            self.log.display()
        ))
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sends it one request.
    ///
    /// # Errors
    /// When it cannot be reached or answers no HTTP.
    pub(crate) fn send(
        &self,
        method: &str,
        target: &str,
        fields: &[(&str, &str)],
        body: &[u8],
    ) -> Result<Response, String> {
        http::send(self.address, method, target, fields, body)
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing to stop.
        if let Some(child) = &mut self.child {
            let _already_ended = child.kill();
            let _status = child.wait();
        }
    }
}
