//! `serve` and `demo`: where they listen, whom they let in, how they stop.

use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
};

use crate::stage::{MILEPOST, Server, User, agent, library, server_and_user};

#[test]
fn without_open_only_loopback_is_listened_on() {
    let user = User::at("http://127.0.0.1:1");
    user.run(&["serve", "--listen", "0.0.0.0:0"])
        .code(2)
        .says("error: refusing to listen on 0.0.0.0:0")
        .says("hint: ")
        .says("--open");
}

#[test]
fn a_second_server_over_the_same_directory_is_refused_with_a_reason() {
    let (data, _server, user) = server_and_user();
    user.run(&[
        "serve",
        "--listen",
        "127.0.0.1:0",
        "--data",
        data.path().to_str().unwrap(),
    ])
    .code(1)
    .says("is in use by another process")
    .says("hint: one process at a time");
}

/// In huge pages, what is open at once would cost half as much again.
#[test]
#[cfg(target_os = "linux")]
fn a_server_takes_memory_in_small_pages() {
    let (_data, server, _user) = server_and_user();
    let status = server.status();
    assert!(status.contains("THP_enabled:\t0"), "{status}");
}

#[test]
fn a_server_asked_to_stop_stops_well_and_has_everything_when_it_comes_back() {
    let (data, server, user) = library();
    user.run(&["get", "books/solaris"]).ok();
    user.run(&["patch", "books/solaris", "copies:=77"]).ok();
    assert_eq!(server.stop(), Some(0));
    let again = Server::over(data.path());
    let user = User::of(&again);
    assert_eq!(
        user.run(&["get", "books/solaris"]).ok().json()["copies"],
        77
    );
}

#[test]
fn a_demo_over_a_directory_leaves_what_is_there_alone() {
    let (data, server, user) = library();
    user.run(&["delete", "books/emma", "--force"]).ok();
    server.kill();
    let mut command = Command::new(MILEPOST);
    command.arg("demo").arg(data.path());
    let again = Server::spawned(command);
    User::of(&again).run(&["get", "books/emma"]).code(5);
}

#[test]
fn options_are_told_by_the_service_about_itself() {
    let data = tempfile::tempdir().unwrap();
    let options = [
        "--limit",
        "resourceBytesMax=100",
        "--base",
        "/api",
        "--contact-email",
        "ada@example.org",
    ];
    let server = Server::start(data.path(), &options);
    assert!(server.url.ends_with("/api"), "{}", server.url);
    let user = User::of(&server);
    user.run(&["put", "-/collections/notes", "title=Notes"])
        .ok();
    let long = format!("text={}", "x".repeat(200));
    user.run(&["put", "notes/a", &long]).code(6);
    let told = user.run(&["get", "."]).ok().json();
    assert_eq!(told["limits"]["resourceBytesMax"], 100);
    let openapi = user.run(&["get", "openapi.json"]).ok().json();
    assert_eq!(openapi["info"]["contact"]["email"], "ada@example.org");
}

#[test]
fn a_limit_that_is_none_is_refused_with_the_names_of_all() {
    let user = User::at("http://127.0.0.1:1");
    user.run(&["serve", "--limit", "nonsense=1"])
        .code(2)
        .says("resourceBytesMax");
}

#[test]
fn no_answer_sets_a_cookie() {
    let (_data, server, _user) = library();
    for path in ["", "/books", "/books/solaris", "/nowhere"] {
        let response = agent().get(format!("{}{path}", server.url)).call().unwrap();
        assert!(!response.headers().contains_key("set-cookie"), "{path}");
    }
}

#[test]
fn a_page_that_was_led_here_by_another_name_is_turned_away() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--host", "proxied.example"]);
    let address = server
        .url
        .trim_start_matches("http://")
        .split('/')
        .next()
        .unwrap()
        .to_owned();
    let status = |host: &str| {
        let mut stream = TcpStream::connect(&address).unwrap();
        write!(
            stream,
            "GET /v1/ HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!(status("rebound.example"), "421");
    assert_eq!(status("localhost:7070"), "200");
    assert_eq!(status("proxied.example"), "200");
}
