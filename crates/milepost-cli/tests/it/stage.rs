//! What the tests stand on: a server in a process of its own, and a user who runs commands.

use std::{
    io::{BufRead as _, BufReader, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;

/// The binary under test.
pub(crate) const MILEPOST: &str = env!("CARGO_BIN_EXE_milepost");

/// A server over a directory; killed when dropped.
pub(crate) struct Server {
    child: Child,
    /// With its base path.
    pub(crate) url: String,
}

impl Server {
    /// Starts a server over a directory and waits until it listens.
    pub(crate) fn over(data: &Path) -> Self {
        Self::start(data, &[])
    }

    /// The same with further options.
    pub(crate) fn start(data: &Path, options: &[&str]) -> Self {
        let mut command = Command::new(MILEPOST);
        command.arg("serve").arg("--data").arg(data).args(options);
        Self::spawned(command)
    }

    /// Runs `serve` or `demo` and waits until it listens.
    pub(crate) fn spawned(command: Command) -> Self {
        Self::listening(command, "127.0.0.1:0")
    }

    /// The same where another one was before.
    pub(crate) fn spawned_at(command: Command, url: &str) -> Self {
        Self::listening(command, url.split('/').nth(2).unwrap())
    }

    /// Starts a server over a directory where another one was before.
    pub(crate) fn again(data: &Path, url: &str) -> Self {
        let authority = url.split('/').nth(2).unwrap();
        let mut command = Command::new(MILEPOST);
        command.arg("serve").arg("--data").arg(data);
        Self::listening(command, authority)
    }

    fn listening(mut command: Command, address: &str) -> Self {
        command.args(["--listen", address, "--log", "off", "--json"]);
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap())
            .read_line(&mut line)
            .unwrap();
        let greeting: Value =
            serde_json::from_str(&line).expect("the server says where it listens");
        Self {
            child,
            url: greeting["urls"][0].as_str().unwrap().to_owned(),
        }
    }

    /// What the system says of the process, on Linux.
    pub(crate) fn status(&self) -> String {
        std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap()
    }

    /// Ends it as `kill -9` does.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Asks it to read its files again, as a service manager does.
    pub(crate) fn hang_up(&self) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-HUP", &pid]).status().unwrap();
        assert!(sent.success());
    }

    /// Asks it to stop, as a service manager does; the exit code.
    pub(crate) fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        assert!(
            Command::new("kill")
                .args(["-TERM", &pid])
                .status()
                .unwrap()
                .success()
        );
        self.child.wait().unwrap().code()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have been ended by the test already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What a command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Demands that it worked.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Demands that it ended with this code.
    #[track_caller]
    pub(crate) fn code(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "{self:#?}");
        self
    }

    /// Demands that stderr says this.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in {self:#?}");
        self
    }

    /// What it printed, as JSON.
    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {self:#?}"))
    }

    /// What it printed, as one JSON document a line.
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        self.stdout
            .lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }
}

/// Somebody with a home directory, in front of a server.
pub(crate) struct User {
    home: TempDir,
    url: String,
}

impl User {
    /// A user of the server at this URL.
    pub(crate) fn of(server: &Server) -> Self {
        Self::at(&server.url)
    }

    /// A user of whatever is at this URL.
    pub(crate) fn at(url: &str) -> Self {
        Self {
            home: tempfile::tempdir().unwrap(),
            url: url.to_owned(),
        }
    }

    /// The command, ready to be run in the user's home.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(MILEPOST);
        command.args(arguments).current_dir(self.home.path());
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("MILEPOST_") {
                command.env_remove(name);
            }
        }
        command.env("XDG_STATE_HOME", self.home.path().join("state"));
        command.env("MILEPOST_URL", &self.url).env("NO_COLOR", "1");
        command
    }

    /// Runs `milepost …`.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// Runs `… | milepost …`.
    pub(crate) fn run_with(&self, arguments: &[&str], input: &[u8]) -> Ran {
        let mut command = self.command(arguments);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that doesn't read its input closes it: that is its business.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Puts a file into the home; its path.
    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.home.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A path in the home.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }
}

/// A server over a directory of its own, and a user of it.
pub(crate) fn server_and_user() -> (TempDir, Server, User) {
    let data = tempfile::tempdir().unwrap();
    let server = Server::over(data.path());
    let user = User::of(&server);
    (data, server, user)
}

/// The same, with the demo's library in it.
pub(crate) fn library() -> (TempDir, Server, User) {
    let data = tempfile::tempdir().unwrap();
    let mut command = Command::new(MILEPOST);
    command.arg("demo").arg(data.path());
    let server = Server::spawned(command);
    let user = User::of(&server);
    (data, server, user)
}

/// What sends requests without the command under test.
pub(crate) fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_secs(60)))
        .proxy(None)
        .build()
        .into()
}

/// Defines a collection by its definition's text.
pub(crate) fn define(server: &Server, name: &str, definition: &str) {
    let url = format!("{}/-/collections/{name}", server.url);
    let response = agent()
        .put(url)
        .header("Content-Type", "application/json")
        .send(definition)
        .unwrap();
    assert_eq!(response.status(), 201);
}
