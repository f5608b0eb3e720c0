//! What the README tells to type works, and answers what it shows.

use std::{
    io::{BufRead as _, BufReader},
    path::Path,
    process::{Child, Command, Stdio},
};

const README: &str = include_str!("../../README.md");
const ADDRESS: &str = "127.0.0.1:7700";
const BANK: &str = env!("CARGO_BIN_EXE_bank");

/// A bank in a process of its own; killed when dropped.
struct Server {
    child: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let mut child = Command::new(BANK)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .current_dir(folder)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let stdout = child.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut line).unwrap();
        let address = line.trim().split('/').nth(2).unwrap().to_owned();
        let shown = line.trim().replace(&address, ADDRESS);
        assert!(README.contains(&shown), "{shown}");
        Self { child, address }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Every command with the lines that are shown to come of it.
fn commands() -> Vec<(String, Vec<&'static str>)> {
    let mut commands: Vec<(String, Vec<&str>)> = Vec::new();
    let mut fenced = false;
    for line in README.lines() {
        if line.starts_with("```") {
            fenced = line.ends_with("console");
            continue;
        }
        match line.strip_prefix("$ ") {
            Some(command) if fenced => commands.push((command.to_owned(), Vec::new())),
            None if fenced => {
                let (command, shown) = commands.last_mut().unwrap();
                match command.strip_suffix('\\') {
                    Some(begun) => *command = format!("{begun}{line}"),
                    None => shown.push(line),
                }
            }
            _ => {}
        }
    }
    commands
}

/// Demands that these pieces stand in the text one after the other; what lies between is left out.
#[track_caller]
fn assert_shows(text: &str, shown: &[&str]) {
    let mut rest = text;
    for piece in shown.iter().flat_map(|line| line.split('…')) {
        let at = rest.find(piece);
        let at = at.unwrap_or_else(|| panic!("no {piece:?} in {text}"));
        rest = &rest[at + piece.len()..];
    }
}

#[test]
fn what_the_readme_tells_to_type_answers_what_it_shows() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::start(folder.path());
    let mut count = 0;
    for (command, shown) in commands() {
        if command.ends_with("-p bank") || command.ends_with("-- serve") {
            continue;
        }
        let command = command.replace(ADDRESS, &server.address);
        let command = command.replace("cargo run -p bank --", BANK);
        let output = Command::new("sh")
            .args(["-c", &command])
            .current_dir(folder.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert!(output.status.success(), "{command}: {text}");
        assert_shows(&text, &shown);
        count += 1;
    }
    assert_eq!(count, 7, "as many as the README has");
}
