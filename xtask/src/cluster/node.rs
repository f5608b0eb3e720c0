//! One node: `milepost serve`, over whatever store it is told.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::Duration,
};

use super::{
    network::Host,
    place::{Place, Start},
    processes::{self, Signal},
};
use crate::{cargo::target, clock::Stopwatch, http};

/// Every node listens there, on its host.
const PORT: u16 = 7070;
/// Where it says whether it takes requests.
const READY: &str = "/v1/-/ready";
/// A node that isn't ready by then won't be.
const STARTING_MAX: Duration = Duration::from_secs(60);
const STOPPING_MAX: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(20);

/// Kills what stands in its folder, and starts it there again.
const RESTART: &str = "\
for process in /proc/[0-9]*; do
  test \"$(readlink \"$process/cwd\")\" = {folder} && kill -KILL \"${process#/proc/}\"
done
cd {folder} && exec setsid --fork {command} >> log 2>&1 < /dev/null
";

/// A node; its host stays when it is killed.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) name: String,
    pub(crate) host: Host,
    program: PathBuf,
    words: Vec<String>,
    running: Option<Child>,
}

impl Node {
    /// A node that is not started yet; `words` say which store it serves.
    pub(crate) fn new(number: u8, host: Host, words: Vec<String>) -> Self {
        let program = target().join("debug/milepost");
        Self {
            name: format!("node-{number}"),
            host,
            program,
            words,
            running: None,
        }
    }

    /// The same with another build of the program.
    pub(crate) fn of(self, program: &Path) -> Self {
        Self {
            program: program.to_path_buf(),
            ..self
        }
    }

    /// Where it listens.
    ///
    /// # Errors
    /// When its host has no address.
    pub(crate) fn address(&self) -> Result<SocketAddr, String> {
        let address = format!("{}:{PORT}", self.host.address);
        address
            .parse()
            .map_err(|error| format!("{address}: {error}"))
    }

    /// Gives it further options, from its next start on.
    pub(crate) fn set_words(&mut self, words: &[String]) {
        self.words = words.to_vec();
    }

    /// Starts it, for the first time or again.
    ///
    /// # Errors
    /// When it can't be started.
    pub(crate) fn start(&mut self, place: &Place) -> Result<(), String> {
        let started = place.start(&Start {
            folder: &self.name,
            host: &self.host,
            as_caller: true,
            program: &self.program.display().to_string(),
            words: self.all_words()?,
        });
        self.running = Some(started?);
        Ok(())
    }

    fn all_words(&self) -> Result<Vec<String>, String> {
        let address = self.address()?.to_string();
        let words = ["serve", "--open", "--log", "errors", "--listen", &address];
        let mut words = words.map(str::to_owned).to_vec();
        words.extend(self.words.iter().cloned());
        Ok(words)
    }

    /// A command for the shell that kills it and starts it again.
    ///
    /// # Errors
    /// When it can't be written.
    pub(crate) fn restarting(&self, place: &Place) -> Result<String, String> {
        let mut words = self.host.words();
        words.push(self.program.display().to_string());
        words.extend(self.all_words()?);
        let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
        let folder = place.path(&self.name);
        let text = RESTART
            .replace("{folder}", &folder.display().to_string())
            .replace("{command}", &quoted.join(" "));
        let file = place.file(&format!("restart-{}.sh", self.name), &text)?;
        Ok(format!("sh {}", file.display()))
    }

    /// Whether it says that it takes requests.
    pub(crate) fn is_ready(&self) -> bool {
        let answer = self
            .address()
            .and_then(|address| http::send_soon(address, "GET", READY, &[], b""));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Waits until it takes requests.
    ///
    /// # Errors
    /// When it ends or takes too long; its log is named.
    pub(crate) fn wait_until_ready(&mut self, place: &Place) -> Result<(), String> {
        let watch = Stopwatch::start();
        while !self.is_ready() {
            let has_ended = self
                .running
                .as_mut()
                .is_none_or(|child| !matches!(child.try_wait(), Ok(None)));
            if has_ended || watch.elapsed() > STARTING_MAX {
                let log = place.path(&self.name).join("log");
                let said = std::fs::read_to_string(&log).unwrap_or_default();
                let last: Vec<&str> = said.lines().rev().take(5).collect();
                return Err(format!("{} is not ready: {}", self.name, last.join("\n")));
            }
            thread::sleep(PAUSE);
        }
        Ok(())
    }

    /// The number of its process, while it runs.
    pub(crate) fn process(&self) -> Option<u32> {
        self.running.as_ref().map(Child::id)
    }

    /// Sends its process a signal.
    pub(crate) fn send(&self, signal: Signal) {
        if let Some(child) = &self.running {
            processes::send(signal, &[child.id()]);
        }
    }

    /// Ends it as a power cut does.
    pub(crate) fn kill(&mut self) {
        self.send(Signal::Kill);
        if let Some(mut child) = self.running.take() {
            let _status = child.wait();
        }
    }

    /// Ends it and whatever was started in its place.
    pub(crate) fn kill_all(&mut self, place: &Place) {
        processes::kill_within(&place.path(&self.name));
        self.kill();
    }

    /// Ends it in good order.
    ///
    /// # Errors
    /// When it does not end, or not with code 0.
    pub(crate) fn stop(&mut self) -> Result<(), String> {
        self.send(Signal::Terminate);
        let Some(mut child) = self.running.take() else {
            return Ok(());
        };
        let watch = Stopwatch::start();
        while watch.elapsed() < STOPPING_MAX {
            match child.try_wait() {
                Ok(Some(status)) if status.success() => return Ok(()),
                Ok(Some(status)) => return Err(format!("{} ended with {status}", self.name)),
                _ => thread::sleep(PAUSE),
            }
        }
        let _killed = child.kill();
        let _status = child.wait();
        Err(format!("{} did not end", self.name))
    }
}
