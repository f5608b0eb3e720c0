//! `watch`: what changes, as lines.

use std::{
    io::{BufRead as _, BufReader},
    process::Stdio,
};

use crate::stage::library;

#[test]
fn changes_are_told_one_a_line_by_what_they_changed() {
    let (_data, _server, user) = library();
    let mut command = user.command(&["watch", "books", "--count", "3"]);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut greeting = String::new();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    stderr.read_line(&mut greeting).unwrap();
    assert!(greeting.starts_with("watching books: "), "{greeting}");
    let mut stdout = BufReader::new(child.stdout.take().unwrap());
    let mut line = || {
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        line
    };
    user.run(&["get", "books/solaris"]).ok();
    user.run(&["patch", "books/solaris", "copies:=77"]).ok();
    let changed = line();
    assert!(
        changed.starts_with("~ solaris copies: ") && changed.ends_with("→ 77\n"),
        "{changed}"
    );
    let new = [
        "put",
        "books/new",
        "title=New",
        "author=lem",
        "year:=2000",
        "copies:=1",
    ];
    user.run(&new).ok();
    let made = line();
    assert!(made.starts_with("+ new {\"title\":\"New\""), "{made}");
    user.run(&["get", "books/new"]).ok();
    user.run(&["delete", "books/new"]).ok();
    assert!(line().starts_with("- new"));
    assert!(child.wait().unwrap().success());
}
