//! A subject in the air: its processes, how they are killed and started again, and the options
//! that tell the auditor about them.
//!
//! One shell script both starts and restarts, and the auditor calls the same one.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    path::{Path, PathBuf},
    sync::atomic::{AtomicU16, Ordering},
    thread,
    time::Duration,
};

use serde_json::json;

use super::subject::{Measured, Subject};
use crate::{
    cargo::{program, run},
    clock::Stopwatch,
};

/// The slowest of them needs some seconds.
const STARTING_MAX: Duration = Duration::from_secs(90);
const PAUSE: Duration = Duration::from_millis(50);

/// Running processes of a subject; dropped, they are killed.
#[derive(Debug)]
pub(super) struct Running {
    /// Where everything of it lies.
    pub(super) folder: PathBuf,
    addresses: Vec<SocketAddr>,
    restarts: bool,
}

impl Running {
    /// Starts a subject in an empty folder.
    ///
    /// # Errors
    /// When it does not come up; its log is named.
    pub(super) fn start(subject: &Subject, folder: &Path) -> Result<Self, String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", folder.display());
        if folder.exists() {
            fs::remove_dir_all(folder).map_err(wrong)?;
        }
        fs::create_dir_all(folder).map_err(wrong)?;
        let addresses: Result<Vec<SocketAddr>, String> =
            (0..subject.processes).map(|_| free_address()).collect();
        let running = Self {
            folder: folder.to_path_buf(),
            addresses: addresses?,
            restarts: subject.restarts,
        };
        let mut script = String::from(KILL);
        for (number, address) in running.addresses.iter().enumerate() {
            (subject.prepare)(folder, address.port())?;
            let words: Vec<String> = (subject.command)(folder, address.port())
                .iter()
                .map(|word| quoted(word))
                .collect();
            let command = words.join(" ");
            script.push_str(&format!(
                "nohup {command} >>log.{number} 2>&1 </dev/null &\necho $! >pid.{number}\n"
            ));
        }
        fs::write(folder.join("restart.sh"), script).map_err(wrong)?;
        run(program("sh").arg(folder.join("restart.sh")))?;
        running.wait_until_up()?;
        for address in &running.addresses {
            (subject.furnish)(*address)?;
        }
        Ok(running)
    }

    fn wait_until_up(&self) -> Result<(), String> {
        let watch = Stopwatch::start();
        let is_down = |address: &SocketAddr| TcpStream::connect(address).is_err();
        while self.addresses.iter().any(is_down) {
            if watch.elapsed() > STARTING_MAX {
                return Err(format!("it did not come up; see {}", self.folder.display()));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The words with which it is audited.
    ///
    /// # Errors
    /// When a file for the auditor can't be written.
    pub(super) fn words(&self, subject: &Subject) -> Result<Vec<String>, String> {
        let mut words = Vec::new();
        for (number, address) in self.addresses.iter().enumerate() {
            if number > 0 {
                words.push("--replica".to_owned());
            }
            words.push(format!("http://{address}{}", subject.base));
        }
        if let (false, Some(address)) = (subject.seeds.is_empty(), self.addresses.first()) {
            let recorded = self.folder.join("seeds.har");
            fs::write(&recorded, recording(*address, subject.seeds))
                .map_err(|error| error.to_string())?;
            words.extend(["--har".to_owned(), recorded.display().to_string()]);
        }
        words.extend(self.measuring(subject)?);
        words.extend(self.restarting());
        words.extend(subject.options.iter().map(|word| (*word).to_owned()));
        Ok(words)
    }

    /// The option by which its memory is measured.
    fn measuring(&self, subject: &Subject) -> Result<Vec<String>, String> {
        match (subject.measured, self.addresses.first()) {
            (Measured::Process, _) => {
                let pid = fs::read_to_string(self.folder.join("pid.0"));
                let pid = pid.map_err(|error| error.to_string())?;
                Ok(vec!["--pid".to_owned(), pid.trim().to_owned()])
            }
            (Measured::Gauge(path, name), Some(address)) => Ok(vec![
                "--metrics".to_owned(),
                format!("http://{address}{path}#{name}"),
            ]),
            _ => Ok(Vec::new()),
        }
    }

    /// The option by which it is restarted.
    pub(super) fn restarting(&self) -> Vec<String> {
        if !self.restarts {
            return Vec::new();
        }
        let script = self.folder.join("restart.sh");
        let command = format!("sh {}", quoted(&script.display().to_string()));
        vec!["--restart-cmd".to_owned(), command]
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let kill = self.folder.join("kill.sh");
        let _written = fs::write(&kill, KILL);
        let _killed = run(program("sh").arg(kill));
    }
}

/// Kills what runs, and waits until it is gone with all its threads: till then it may still listen.
const KILL: &str = "\
cd \"$(dirname \"$0\")\" || exit 1
is_gone() {
  test ! -e \"/proc/$1\" && return
  grep -qs '^State:.Z' \"/proc/$1/status\" && test \"$(ls \"/proc/$1/task\" | wc -l)\" -le 1
}
for pid in $(cat pid.* 2>/dev/null); do
  kill -9 \"$pid\" 2>/dev/null
  until is_gone \"$pid\"; do sleep 0.05; done
done
rm -f pid.*
";

/// An address that nobody listens at, below the ports that the system hands to clients: between a
/// kill and the next start another program's connection could take one of those.
fn free_address() -> Result<SocketAddr, String> {
    let first = PORTS.start + u16::try_from(std::process::id() % 1_000).unwrap_or(0);
    let mut ports = (first..PORTS.end).chain(PORTS.start..first);
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    let taken = TAKEN.load(Ordering::Relaxed);
    let port = ports.find(|port| *port > taken && is_free(port));
    let port = port.ok_or("no port is free")?;
    TAKEN.store(port, Ordering::Relaxed);
    Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, port)))
}

/// Where subjects listen.
const PORTS: std::ops::Range<u16> = 18_000..28_000;
/// The last port that was given to a process, which may not listen yet.
static TAKEN: AtomicU16 = AtomicU16::new(0);

/// A word for the shell.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

/// A HAR of GETs: what nothing links to is asked all the same.
fn recording(address: SocketAddr, paths: &[&str]) -> String {
    let entry = |path: &&str| json!({ "request": { "method": "GET", "url": format!("http://{address}{path}") } });
    let entries: Vec<_> = paths.iter().map(entry).collect();
    json!({ "log": { "version": "1.2", "entries": entries } }).to_string()
}

/// Writes nothing: for subjects that need no files.
pub(super) fn nothing(_folder: &Path, _port: u16) -> Result<(), String> {
    Ok(())
}

/// Makes nothing: for subjects that begin with all they need.
pub(super) fn furnished(_address: SocketAddr) -> Result<(), String> {
    Ok(())
}
