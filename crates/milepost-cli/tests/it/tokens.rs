//! `token` and `serve --issuer`: three lines from nothing to a server that knows who asks; and issuers' URLs that misbehave.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    path::Path,
    thread,
};

use serde_json::Value;

use crate::stage::{Server, User, agent};

/// Mints with a key in this directory.
fn minted(directory: &Path, options: &[&str]) -> String {
    let key = directory.join("dev.jwk");
    let mut arguments = vec!["token", "--key", key.to_str().unwrap()];
    arguments.extend(options);
    let user = User::at("http://127.0.0.1:1");
    user.run(&arguments).ok().stdout.trim().to_owned()
}

/// The status of a request with this token, or none.
fn status(server: &Server, method: &str, path: &str, token: Option<&str>) -> u16 {
    let url = format!("{}{path}", server.url);
    let request = ureq::http::Request::builder().method(method).uri(url);
    let request = request.header("content-type", "application/json");
    let request = match token {
        Some(token) => request.header("authorization", format!("Bearer {token}")),
        None => request,
    };
    let response = agent().run(request.body("{}").unwrap()).unwrap();
    response.status().as_u16()
}

#[test]
fn three_lines_make_a_server_that_knows_who_asks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let ada = minted(path, &["--subject", "ada"]);
    let root = minted(path, &["--subject", "root", "--claim", "role=admin"]);
    let key = path.join("dev.jwk");
    let options = ["--issuer", key.to_str().unwrap(), "--admin", "role=admin"];
    let server = Server::start(&path.join("data"), &options);
    let definition = "/-/collections/notes";
    assert_eq!(status(&server, "PUT", definition, None), 401);
    assert_eq!(status(&server, "PUT", definition, Some(&ada)), 403);
    assert_eq!(status(&server, "PUT", definition, Some(&root)), 201);
    assert_eq!(status(&server, "PUT", "/notes/1", Some(&ada)), 201);
    assert_eq!(status(&server, "PUT", "/notes/2", None), 401);
    let forged = format!("{ada}AAAA");
    assert_eq!(status(&server, "GET", "/notes/1", Some(&forged)), 401);
    let user = User::of(&server);
    user.run(&["put", "notes/3", "text=hello", "--token", &ada])
        .ok();
}

#[test]
fn keys_are_their_owners_alone_and_read_again_when_asked() {
    use std::os::unix::fs::PermissionsExt as _;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let old = minted(path, &["--subject", "ada"]);
    let key = path.join("dev.jwk");
    let mode = key.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let server = Server::start(&path.join("data"), &["--issuer", key.to_str().unwrap()]);
    assert_eq!(status(&server, "GET", "/", Some(&old)), 200);
    std::fs::remove_file(&key).unwrap();
    let new = minted(path, &["--subject", "ada", "--algorithm", "HS256"]);
    assert_eq!(status(&server, "GET", "/", Some(&new)), 401);
    server.hang_up();
    while status(&server, "GET", "/", Some(&new)) != 200 {
        thread::yield_now();
    }
    assert_eq!(status(&server, "GET", "/", Some(&old)), 401);
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    let user = User::at("http://127.0.0.1:1");
    let data = path.join("other");
    let serve = [
        "serve",
        "--data",
        data.to_str().unwrap(),
        "--issuer",
        key.to_str().unwrap(),
    ];
    user.run(&serve)
        .code(1)
        .says("others may read it")
        .says("hint: ");
}

#[test]
fn options_that_could_not_work_are_refused_at_the_start() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let short = directory.path().join("short");
    std::fs::write(&short, "too short").unwrap();
    let mode = <std::fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o600);
    std::fs::set_permissions(&short, mode).unwrap();
    let user = User::at("http://127.0.0.1:1");
    let refused = |options: &[&str], code, says: &str| {
        let mut arguments = vec![
            "serve",
            "--data",
            data.to_str().unwrap(),
            "--listen",
            "127.0.0.1:0",
        ];
        arguments.extend(options);
        user.run(&arguments).code(code).says(says);
    };
    let url = "https://a.example=https://a.example/jwks";
    refused(
        &["--issuer", "nowhere.jwk"],
        5,
        "milepost token --key nowhere.jwk",
    );
    refused(
        &["--issuer", short.to_str().unwrap()],
        6,
        "at least 32 bytes",
    );
    refused(&["--issuer", url], 2, "--audience");
    refused(
        &["--issuer", "a=http://a.example/jwks", "--audience", "b"],
        2,
        "without TLS",
    );
    refused(
        &["--issuer", url, "--issuer", url, "--audience", "b"],
        2,
        "named twice",
    );
    refused(&["--admin", "role=admin"], 2, "no --issuer is named");
    refused(&["--grants"], 2, "no --issuer is named");
    refused(
        &[
            "--issuer",
            "urn:milepost:grant=https://a.example/jwks",
            "--audience",
            "b",
        ],
        2,
        "bearers of grants without a name",
    );
    let bad = |option: &'static str, value: &'static str| {
        ["--issuer", url, "--audience", "b", option, value]
    };
    refused(&bad("--admin", "admin"), 2, "CLAIM=VALUE");
    refused(&bad("--clock-skew", "301"), 2, "300 s at most");
    refused(
        &bad("--token-algorithm", "none"),
        2,
        "HS256, ES256, EdDSA, RS256",
    );
    refused(&bad("--epochs", "No Name"), 2, "can't be a collection");
}

/// What a URL of keys answers each connection with; empty: nothing, for ever.
fn publisher(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let mut held = Vec::new();
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = [0; 4096];
            let _read = stream.read(&mut request).unwrap();
            // Who has read enough goes away.
            let _written = stream.write_all(&answer);
            if answer.is_empty() {
                held.push(stream);
            }
        }
    });
    format!("http://{address}/jwks.json")
}

fn http(status: &str, body: &[u8]) -> Vec<u8> {
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

#[test]
fn an_issuers_url_gives_keys_or_503_and_the_server_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    let local = minted(path, &["--subject", "ada"]);
    let theirs = minted(path, &["--subject", "ada", "--issuer", "https://a.example"]);
    let set: Value = serde_json::from_str(&minted(path, &["--public"])).unwrap();
    assert!(set["keys"][0].get("d").is_none(), "{set}");
    let key = path.join("dev.jwk");
    let cases = [
        (http("200 OK", set.to_string().as_bytes()), 200),
        (http("404 Not Found", b"{}"), 503),
        (http("302 Found", set.to_string().as_bytes()), 503),
        (http("200 OK", b"<html>"), 503),
        (http("200 OK", &vec![b' '; 10 * 1024 * 1024]), 503),
        (Vec::new(), 503),
    ];
    for (index, (answer, expected)) in cases.into_iter().enumerate() {
        let url = format!("https://a.example={}", publisher(answer));
        let options = [
            "--issuer",
            key.to_str().unwrap(),
            "--issuer",
            &url,
            "--audience",
            "urn:milepost",
        ];
        let server = Server::start(&path.join(format!("data-{index}")), &options);
        assert_eq!(status(&server, "GET", "/", Some(&local)), 200, "{index}");
        assert_eq!(
            status(&server, "GET", "/", Some(&theirs)),
            expected,
            "{index}"
        );
        assert_eq!(status(&server, "GET", "/", Some(&local)), 200, "{index}");
    }
}
