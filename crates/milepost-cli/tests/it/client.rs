//! `get`, `put`, `patch`, `delete` and `list`.

use crate::stage::{User, library, server_and_user};

#[test]
fn a_put_after_a_get_just_works() {
    let (_data, _server, user) = library();
    let got = user.run(&["get", "books/solaris"]).ok();
    let edited = got.stdout.replace("\"copies\":2", "\"copies\":3");
    user.file("solaris.json", &edited);
    user.run(&["put", "books/solaris", "solaris.json"])
        .ok()
        .says("changed books/solaris \"");
    assert_eq!(user.run(&["get", "books/solaris"]).ok().stdout, edited);
    user.run(&["put", "books/solaris", "solaris.json"])
        .ok()
        .says("unchanged books/solaris");
}

#[test]
fn a_put_that_lost_a_race_writes_nothing_and_shows_what_changed_meanwhile() {
    let (_data, server, user) = library();
    let other = User::of(&server);
    let got = user.run(&["get", "books/solaris"]).ok();
    other.run(&["get", "books/solaris"]).ok();
    other
        .run(&["patch", "books/solaris", "copies:=9", "/shelf/room=Cellar"])
        .ok();

    user.file("solaris.json", got.stdout.replace("1961", "1962"));
    user.run(&["put", "books/solaris", "solaris.json"])
        .code(4)
        .says("error: books/solaris has changed since you read it")
        .says("what changed meanwhile:\n    ~ /shelf/room: \"Observatory\" → \"Cellar\"\n    ~ /copies: 2 → 9\n")
        .says("what your write would change now:\n    ~ /year: 1961 → 1962\n")
        .says("hint: `milepost get books/solaris` reads it as it is now");
    assert!(
        other
            .run(&["get", "books/solaris"])
            .ok()
            .stdout
            .contains("\"copies\":9")
    );

    user.run(&["put", "books/solaris", "--force", "solaris.json"])
        .ok();
    assert!(
        other
            .run(&["get", "books/solaris"])
            .ok()
            .stdout
            .contains("1962")
    );
}

#[test]
fn what_exists_but_was_not_read_is_not_overwritten() {
    let (_data, _server, user) = library();
    user.run(&["patch", "books/solaris", "copies:=0"])
        .code(4)
        .says("error: books/solaris exists, and you haven't read it here yet")
        .says("hint: `milepost get books/solaris` first");
    user.run(&["put", "authors/lem", "--create", "name=Somebody"])
        .code(4)
        .says("error: authors/lem already exists");
    user.run(&["patch", "books/solaris", "--force", "copies:=0"])
        .ok();
}

#[test]
fn what_was_deleted_meanwhile_is_said_to_be_deleted() {
    let (_data, server, user) = library();
    let other = User::of(&server);
    user.run(&["get", "authors/eco"]).ok();
    other
        .run(&["delete", "authors/eco", "--force"])
        .ok()
        .says("deleted authors/eco");
    user.run(&["put", "authors/eco", "name=Eco"])
        .code(4)
        .says("error: authors/eco was deleted since you read it")
        .says("hint: --create makes it anew");
    user.run(&["put", "authors/eco", "name=Eco", "--create"])
        .ok()
        .says("created authors/eco");
    user.run(&["delete", "authors/eco"]).ok();
    user.run(&["get", "authors/eco"])
        .code(5)
        .says("hint: `milepost list authors`");
}

#[test]
fn an_entity_tag_can_be_given_by_hand_and_without_its_quotes() {
    let (_data, _server, user) = library();
    let got = user.run(&["get", "authors/lem", "--json"]).ok().json();
    let tag = got["etag"].as_str().unwrap().trim_matches('"').to_owned();
    let fresh = User::at(
        got["url"]
            .as_str()
            .unwrap()
            .split("/authors")
            .next()
            .unwrap(),
    );
    fresh
        .run(&[
            "patch",
            "authors/lem",
            "died:=null",
            "--if-match",
            "x.1-abcd",
        ])
        .code(4);
    let patched = fresh.run(&[
        "patch",
        "authors/lem",
        "died:=null",
        "--if-match",
        &tag,
        "--json",
    ]);
    assert_eq!(patched.ok().json()["outcome"], "changed");
}

#[test]
fn patches_come_from_members_a_merge_patch_or_a_json_patch() {
    let (_data, _server, user) = library();
    user.run(&["get", "authors/lem"]).ok();
    user.run(&["patch", "authors/lem", "born:=1920", "country=UA"])
        .ok();
    user.run_with(&["patch", "authors/lem", "-"], br#"{"died":null}"#)
        .ok();
    user.file("p.json", r#"[{"op":"add","path":"/city","value":"Lwów"}]"#);
    user.run(&["patch", "authors/lem", "p.json"]).ok();
    let now = user.run(&["get", "authors/lem"]).ok().json();
    let expected = serde_json::json!(
        {"name": "Stanisław Lem", "born": 1920, "country": "UA", "city": "Lwów"}
    );
    assert_eq!(now, expected);
}

#[test]
fn all_that_is_wrong_with_a_document_is_told_at_once() {
    let (_data, _server, user) = library();
    user.run(&[
        "put",
        "books/bad",
        "year=old",
        "copies:=-1",
        "title=T",
        "author=x",
    ])
    .code(6)
    .says("/year in body: ")
    .says("/copies in body: ")
    .says("about: http://127.0.0.1:");
}

#[test]
fn a_listing_is_one_json_document_a_line_when_no_terminal_looks() {
    let (_data, _server, user) = library();
    let found = user.run(&[
        "list",
        "books",
        "--filter",
        "language=pl",
        "--sort",
        "-year",
        "--select",
        "title,year",
    ]);
    let found = found.ok().json_lines();
    let years: Vec<_> = found
        .iter()
        .map(|item| item["value"]["year"].as_u64().unwrap())
        .collect();
    assert_eq!(years, [1971, 1965, 1961]);
    assert_eq!(found[2]["id"], "solaris");
    assert!(found[2]["value"].get("copies").is_none());
}

#[test]
fn a_listing_stops_after_a_page_and_follows_all_of_them_when_asked_to() {
    let (_data, _server, user) = library();
    let page = user
        .run(&["ls", "books", "--page-size", "10"])
        .ok()
        .says("hint: there is more");
    assert_eq!(page.json_lines().len(), 10);
    let all = user
        .run(&["list", "books", "--page-size", "10", "--all"])
        .ok();
    assert_eq!(all.json_lines().len(), 25);
    let reviews = user
        .run(&["list", "books.reviews", "-f", "stars=3", "-f", "stars=5"])
        .ok();
    assert_eq!(reviews.json_lines().len(), 9);
}

#[test]
fn a_filter_on_something_undeclared_says_what_is_declared() {
    let (_data, _server, user) = library();
    user.run(&["list", "books", "--filter", "colour=red"])
        .code(6)
        .says("author, year, language");
    user.run(&["list", "books", "--filter", "colour"])
        .code(2)
        .says("write --filter INDEX=VALUE");
}

#[test]
fn a_server_that_is_not_there_is_said_to_be_unreachable() {
    let user = User::at("http://127.0.0.1:1");
    user.run(&["get", "books/solaris"])
        .code(3)
        .says("error: can't reach http://127.0.0.1:1")
        .says("hint: start a server with `milepost serve`");
}

#[test]
fn what_is_no_json_is_refused_before_it_is_sent() {
    let (_data, _server, user) = server_and_user();
    user.run_with(&["put", "a/b", "-"], b"{\"a\":1,\n\"a\":2}")
        .code(6)
        .says("stdin is no JSON document: line 2");
    user.run(&["put", "a/b", "nowhere.json"])
        .code(5)
        .says("can't use nowhere.json");
}
