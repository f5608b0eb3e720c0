//! The story is told for real: processes, SIGKILL, files.

use std::{
    io::{BufRead as _, BufReader},
    net::TcpListener,
    process::{Command, Stdio},
};

#[test]
fn the_story_has_a_good_end_with_the_server_killed_in_the_middle() {
    let told = Command::new(env!("CARGO_BIN_EXE_bank"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let (text, complaints) = (
        String::from_utf8(told.stdout).unwrap(),
        String::from_utf8(told.stderr).unwrap(),
    );
    assert!(told.status.success(), "{text}\n{complaints}");
    assert_eq!(text.matches("is killed (SIGKILL)").count(), 3, "{text}");
    for line in [
        "each is in the books exactly once, and no other is",
        "no money was made or lost",
        "exactly what was missing; the books are the same as before",
        "from the collection's URL alone, the books are the same again",
    ] {
        assert!(text.contains(line), "no {line:?} in {text}");
    }
}

#[test]
fn what_is_asked_for_wrongly_is_answered_with_what_there_is() {
    for arguments in [
        &["sell"][..],
        &["serve", "--listen", "here"],
        &["serve", "--data"],
        &["accountant", "http://127.0.0.1:1/v1"],
        &["accountant", "a", "b", "--folow"],
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
        let output = command.args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains("Usage:"), "{text}");
    }
}

#[test]
fn a_bank_without_credentials_is_not_opened_to_others() {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_bank"));
    let output = command
        .args(["serve", "--listen", "0.0.0.0:0", "--data"])
        .arg(folder.path().join("bank"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(!folder.path().join("bank").exists());
}

#[test]
fn an_accountant_whom_the_bank_does_not_answer_says_so_and_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr();
    let mut child = Command::new(env!("CARGO_BIN_EXE_bank"))
        .args(["accountant", &format!("http://{}/v1", closed.unwrap())])
        .arg(folder.path().join("books.sqlite"))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(line.contains("the bank is asked again in"), "{line}");
}
