//! `apply`.

use crate::stage::server_and_user;

const BOOKS: &str = r#"{ "indexes": { "year": "/year" } }"#;

#[test]
fn definitions_are_applied_parents_first_and_a_second_time_changes_nothing() {
    let (_data, _server, user) = server_and_user();
    user.file(
        "definitions/books.reviews.json",
        r#"{ "onParentDelete": "cascade" }"#,
    );
    user.file("definitions/books.json", BOOKS);
    user.file("definitions/README.md", "not a definition");
    let first = user.run(&["apply", "definitions"]).ok();
    assert_eq!(first.stdout, "create  books\ncreate  books.reviews\n");
    let second = user.run(&["apply", "definitions"]).ok();
    assert_eq!(second.stdout, "keep    books\nkeep    books.reviews\n");
}

#[test]
fn a_plan_shows_what_would_change_and_a_dry_run_writes_nothing() {
    let (_data, _server, user) = server_and_user();
    user.file("books.json", BOOKS);
    user.run(&["apply", "books.json", "--dry-run"])
        .ok()
        .says("1 to change; nothing was written");
    user.run(&["get", "-/collections/books"]).code(5);
    user.run(&["apply", "books.json"]).ok();
    user.file(
        "books.json",
        r#"{ "indexes": { "year": "/year", "city": "/city" } }"#,
    );
    let plan = user.run(&["apply", "books.json", "--dry-run"]).ok();
    assert_eq!(
        plan.stdout,
        "change  books\n          + /indexes/city: \"/city\"\n"
    );
    let applied = user.run(&["apply", "books.json", "--json"]).ok().json();
    assert_eq!(applied["step"], "change");
    assert_eq!(
        user.run(&["apply", "books.json"]).ok().stdout,
        "keep    books\n"
    );
}

#[test]
fn a_bad_definition_is_told_whole_and_nothing_is_written() {
    let (_data, _server, user) = server_and_user();
    user.file("d/books.json", BOOKS);
    user.file(
        "d/cities.json",
        r#"{ "titel": "Cities", "preconditions": "maybe" }"#,
    );
    user.run(&["apply", "d"])
        .code(6)
        .says("cities.json is no definition")
        .says("titel")
        .says("/preconditions: must be one of");
    user.run(&["get", "-/collections/books"]).code(5);
    user.run(&["apply", "nowhere"]).code(5);
}
