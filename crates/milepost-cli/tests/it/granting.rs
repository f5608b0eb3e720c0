//! `grant` and `serve --grants`: made with the server's keys, used with any client, narrowed with nothing.

use std::path::Path;

use crate::stage::{Server, User, agent};

const DEFINITION: &str = "/-/collections/notes";

/// What a command prints.
fn told(arguments: &[&str]) -> String {
    let user = User::at("http://127.0.0.1:1");
    user.run(arguments).ok().stdout.trim().to_owned()
}

/// A server that takes grants, with two notes.
fn notes(directory: &Path) -> Server {
    let key = directory.join("dev.jwk");
    let key = key.to_str().unwrap();
    let root = told(&[
        "token",
        "--key",
        key,
        "--subject",
        "root",
        "--claim",
        "role=admin",
    ]);
    let data = directory.join("data");
    let options = ["--issuer", key, "--admin", "role=admin", "--grants"];
    let server = Server::start(&data, &options);
    for path in [DEFINITION, "/notes/1", "/notes/2"] {
        assert_eq!(status(&server, "PUT", path, Some(&root)), 201, "{path}");
    }
    server
}

fn status(server: &Server, method: &str, path: &str, grant: Option<&str>) -> u16 {
    let request = ureq::http::Request::builder().method(method);
    let request = request.uri(format!("{}{path}", server.url));
    let request = request.header("content-type", "application/json");
    let request = match grant {
        Some(grant) => request.header("authorization", format!("Bearer {grant}")),
        None => request,
    };
    let response = agent().run(request.body("{}").unwrap()).unwrap();
    response.status().as_u16()
}

#[test]
fn a_grant_is_made_with_the_servers_keys_and_narrowed_without_any() {
    let directory = tempfile::tempdir().unwrap();
    let server = notes(directory.path());
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    let notes = format!("{}/notes", server.url);
    let whole = told(&[
        "grant", "GET", &notes, "--below", "--for", "7d", "--data", data,
    ]);
    assert_eq!(status(&server, "GET", "/notes", Some(&whole)), 200);
    assert_eq!(status(&server, "GET", "/notes/1", Some(&whole)), 200);
    assert_eq!(status(&server, "PUT", "/notes/3", Some(&whole)), 403);
    assert_eq!(status(&server, "GET", DEFINITION, Some(&whole)), 403);
    User::of(&server)
        .run(&["get", "notes/1", "--token", &whole])
        .ok();

    let file = directory.path().join("notes.grant");
    std::fs::write(&file, format!("{whole}\n")).unwrap();
    let file = file.to_str().unwrap();
    let one = format!("{notes}/1");
    let narrow = [
        "grant", "GET", &one, "--narrow", file, "--for", "1h", "--link",
    ];
    let link = told(&narrow);
    assert!(link.starts_with(&format!("{one}?access_token=")), "{link}");
    let response = agent().get(&link).call().unwrap();
    assert_eq!(response.status(), 200);
    let control = &response.headers()["cache-control"];
    assert_eq!(control, "private, no-store");
    let narrowed = link.split('=').nth(1).unwrap();
    assert_eq!(status(&server, "GET", "/notes/1", Some(narrowed)), 200);
    assert_eq!(status(&server, "GET", "/notes/2", Some(narrowed)), 403);

    let link = told(&["grant", "GET", &one, "--narrow", file, "--link"]);
    assert_eq!(agent().get(&link).call().unwrap().status(), 200, "an hour");
    let link = told(&["grant", "GET", &one, "--data", data, "--link"]);
    assert_eq!(agent().get(&link).call().unwrap().status(), 200, "an hour");

    let put = format!("{notes}/3");
    let ada = [
        "grant",
        "PUT",
        &put,
        "--subject",
        "ada",
        "--claim",
        "level:=3",
        "--data",
        data,
    ];
    assert_eq!(status(&server, "PUT", "/notes/3", Some(&told(&ada))), 201);
    told(&["keys", "revoke", "--all", "--data", data]);
    server.hang_up();
    while status(&server, "GET", "/notes", Some(&whole)) != 401 {
        std::thread::yield_now();
    }
}

#[test]
fn a_grant_that_could_not_work_is_refused_where_it_is_made() {
    let directory = tempfile::tempdir().unwrap();
    let data = directory.path().join("data");
    let data = data.to_str().unwrap();
    let user = User::at("http://127.0.0.1:1");
    let url = "http://127.0.0.1:7070/v1/notes/1";
    let missing = ["grant", "GET", url, "--data", data];
    user.run(&missing).code(5).says("hint: ").says("--data DIR");
    let keys = directory.path().join("shared.json");
    let keys = keys.to_str().unwrap();
    told(&["keys", "create", "--keys", keys]);
    let refused = |arguments: &[&str], says: &str| {
        let mut all = vec!["grant"];
        all.extend(arguments);
        all.extend(["--keys", keys]);
        user.run(&all).code(2).says(says);
    };
    refused(&["HEAD", url], "GET (HEAD is meant too)");
    refused(&["GET", "notes/1"], "begins with a slash");
    refused(&["GET", "/v1/notes/%31"], "not encoded");
    refused(&["GET", "/v1/notes?a=b", "--below"], "leave the query out");
    refused(&["GET", url, "--for", "2h", "--link"], "an hour at most");
    refused(&["PUT", url, "--link"], "GET only");
    refused(&["GET"], "<URL>");
    refused(
        &["PUT", "/v1/-/transactions/1"],
        "no grant writes transactions",
    );
    refused(&["GET", url, "--issuer", "a"], "--subject");
    refused(&["GET", url, "--claim", "role"], "role=teller");
    let grant = told(&["grant", "GET", url, "--keys", keys]);
    let file = directory.path().join("grant");
    std::fs::write(&file, grant).unwrap();
    let file = file.to_str().unwrap();
    let other = ["grant", "GET", "/v1/notes/2", "--narrow", file];
    user.run(&other).code(2).says("is for GET /v1/notes/1");
    let nothing = ["grant", "--narrow", file];
    user.run(&nothing)
        .code(2)
        .says("nothing is said to narrow it to");
    std::fs::write(file, "no grant").unwrap();
    user.run(&["grant", "--narrow", file, "--for", "5m"])
        .code(6)
        .says("hint: ");
    let gone = directory.path().join("none");
    let gone = ["grant", "--narrow", gone.to_str().unwrap(), "--for", "5m"];
    user.run(&gone).code(5);
}
