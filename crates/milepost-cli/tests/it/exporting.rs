//! `export`, and back again.

use crate::stage::{Server, User, define, library, server_and_user};

#[test]
fn an_export_imports_into_an_empty_server_as_exactly_what_it_was() {
    let (_data, _server, user) = library();
    let export = [
        "export",
        "authors",
        "--children",
        "books",
        "--children",
        "books.reviews",
    ];
    let all = user.run(&export).ok().says("50 resources exported");

    let (_other_data, other_server, other) = server_and_user();
    for name in ["authors", "books", "books.reviews"] {
        define(&other_server, name, "{}");
    }
    other.file("all.ndjson", &all.stdout);
    other
        .run(&["import", "all.ndjson", "--chunk", "7"])
        .ok()
        .says("lines of an export")
        .says("50 imported");
    assert_eq!(other.run(&export).ok().stdout, all.stdout);
}

#[test]
fn a_file_appears_whole_or_not_at_all() {
    let (_data, _server, user) = library();
    user.run(&["export", "books", "-o", "books.json", "--format", "json"])
        .ok();
    let books: serde_json::Value =
        serde_json::from_slice(&std::fs::read(user.path("books.json")).unwrap()).unwrap();
    assert_eq!(books.as_array().unwrap().len(), 25);
    user.run(&["export", "nonsense", "-o", "nothing.json"])
        .code(5);
    assert!(!user.path("nothing.json").exists());
}

#[test]
fn rows_have_a_column_for_every_member_that_occurs_anywhere() {
    let (data, server, user) = server_and_user();
    define(&server, "things", "{}");
    user.run(&["put", "things/a", "n:=1.0", "t=x,y"]).ok();
    user.run(&["put", "things/b", "deep:={\"a\":[1]}", "none:=null"])
        .ok();
    let rows = user
        .run(&["export", "things", "--format", "csv"])
        .ok()
        .stdout;
    assert_eq!(
        rows,
        "id,n,t,deep,none\na,1.0,\"x,y\",,\nb,,,\"{\"\"a\"\":[1]}\",\n"
    );
    drop((data, server));
}

#[test]
fn an_export_shows_one_position_while_others_write() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::over(data.path());
    define(&server, "things", r#"{"preconditions":"optional"}"#);
    let user = User::of(&server);
    let lines: String = (0..50)
        .map(|n| format!("{{\"id\":\"t{n:02}\",\"v\":0}}\n"))
        .collect();
    user.run_with(&["import", "-", "-c", "things"], lines.as_bytes())
        .ok();
    // The first page is read, then everything changes, then the rest is read.
    let page = user.run(&["list", "things", "--page-size", "10"]).ok();
    let next = page.stderr.split('\'').nth(1).unwrap().to_owned();
    let changed = lines.replace(":0}", ":1}");
    user.run_with(
        &["import", "-", "-c", "things", "--if-exists", "replace"],
        changed.as_bytes(),
    )
    .ok();
    let rest = user.run(&["list", &next, "--all"]).ok().json_lines();
    assert_eq!(rest.len(), 40);
    assert!(
        rest.iter().all(|item| item["value"]["v"] == 0),
        "all pages show the first position"
    );
}
