//! `import`: formats, bad records, what is there already, and being killed in the middle.

use std::{io::Write as _, process::Stdio};

use serde_json::json;

use crate::stage::{Server, User, agent, define, server_and_user};

fn people(count: usize) -> String {
    (0..count)
        .map(|n| format!("{{\"id\":\"p{n}\",\"n\":{n}}}\n"))
        .collect()
}

/// How many people the server has, by asking it.
fn count(server: &Server) -> usize {
    let user = User::of(server);
    user.run(&["list", "people", "--all", "--page-size", "1000"])
        .ok()
        .json_lines()
        .len()
}

#[test]
fn an_import_killed_in_the_middle_is_finished_by_running_it_again_without_doubles() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    let input = people(1_000);
    let import = ["import", "-", "-c", "people", "--chunk", "100", "--json"];
    let mut first = user.command(&import);
    let mut first = first
        .stdin(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let half: String = input
        .lines()
        .take(250)
        .map(|line| format!("{line}\n"))
        .collect();
    let mut pipe = first.stdin.take().unwrap();
    pipe.write_all(half.as_bytes()).unwrap();
    pipe.flush().unwrap();
    // The pipe stays open: the third chunk can't be complete, the first two will be there.
    let arrived = (0..2_000).any(|_| {
        let response = agent()
            .get(format!("{}/people/p199", server.url))
            .call()
            .unwrap();
        response.status() == 200
    });
    assert!(arrived, "two chunks are sent while the input is still open");
    first.kill().unwrap();
    first.wait().unwrap();
    assert_eq!(count(&server), 200);

    let second = user.run_with(&import, input.as_bytes()).ok().json();
    assert_eq!(
        (&second["recorded"], &second["imported"]),
        (&json!(200), &json!(800))
    );
    assert_eq!(count(&server), 1_000);
    let third = user.run_with(&import, input.as_bytes()).ok().json();
    assert_eq!(
        (&third["recorded"], &third["imported"]),
        (&json!(1_000), &json!(0))
    );
}

#[test]
fn a_bad_line_stops_the_import_and_a_mended_file_repeats_nothing() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    let good = people(25);
    user.file(
        "people.ndjson",
        good.replace("{\"id\":\"p17\",\"n\":17}", "{\"id\":\"p17\",\"n\":}"),
    );
    let import = [
        "import",
        "people.ndjson",
        "-c",
        "people",
        "--chunk",
        "10",
        "--json",
    ];
    user.run(&import)
        .code(6)
        .says("people.ndjson: line 18: column 17: ")
        .says("the 10 records before its chunk are in")
        .says("hint: then run the same command again");
    assert_eq!(count(&server), 10);
    user.file("people.ndjson", good);
    let report = user.run(&import).ok().json();
    assert_eq!(
        (&report["recorded"], &report["imported"]),
        (&json!(10), &json!(15))
    );
}

#[test]
fn bad_records_can_be_left_out_and_each_is_reported_with_its_line() {
    let (_data, server, user) = server_and_user();
    define(
        &server,
        "people",
        r#"{"schema":{"properties":{"n":{"type":"integer"}}}}"#,
    );
    let input = "{\"id\":\"a\",\"n\":1}\nnonsense\n{\"id\":\"b\",\"n\":\"x\"}\n\n{\"n\":1}\n{\"id\":\"c\",\"c\":1,\"c\":2}\n{\"id\":\"d\"}\n";
    let import = [
        "import",
        "-",
        "-c",
        "people",
        "--on-error",
        "skip",
        "--json",
    ];
    let ran = user.run_with(&import, input.as_bytes()).code(8);
    let report = ran.json();
    assert_eq!(
        (&report["imported"], &report["refused"]),
        (&json!(2), &json!(4))
    );
    let lines: Vec<u64> = report["refusals"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refusal| refusal["line"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [2, 3, 5, 6]);
    ran.says("line 3: people/b: ")
        .says("line 6: column 17: an object has the same key twice");
}

#[test]
fn what_is_there_already_stops_is_left_or_is_replaced() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    user.run_with(&["import", "-", "-c", "people"], b"{\"id\":\"a\",\"n\":1}")
        .ok();
    let input = b"{\"id\":\"a\",\"n\":2}\n{\"id\":\"b\",\"n\":2}\n";
    let import = |what| {
        user.run_with(
            &["import", "-", "-c", "people", "--if-exists", what, "--json"],
            input,
        )
    };
    import("fail")
        .code(4)
        .says("line 1: people/a is there already")
        .says("--if-exists replace");
    assert_eq!(count(&server), 1);
    let skipped = import("skip").ok().json();
    assert_eq!(
        (&skipped["imported"], &skipped["skipped"]),
        (&json!(1), &json!(1))
    );
    assert_eq!(user.run(&["get", "people/a"]).ok().json()["n"], 1);
    let replaced = import("replace").ok().json();
    assert_eq!(replaced["replaced"], 2);
    assert_eq!(user.run(&["get", "people/a"]).ok().json()["n"], 2);
}

#[test]
fn a_csv_with_everything_that_csv_can_have_becomes_typed_resources() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    user.file(
        "people.csv",
        "\u{feff}id,name,n,ok,zip,note\r\na,\"A, \"\"x\"\"\",1.50,true,007,\r\nb,\"two\r\nlines\",-3,false,10115,é\r\n",
    );
    user.run(&["import", "people.csv", "-c", "people"])
        .ok()
        .says("2 imported");
    let a = user.run(&["get", "people/a"]).ok();
    assert_eq!(
        a.stdout,
        r#"{"id":"a","name":"A, \"x\"","n":1.50,"ok":true,"zip":"007"}"#
    );
    let b = user.run(&["get", "people/b"]).ok().json();
    let expected =
        json!({"id": "b", "name": "two\r\nlines", "n": -3, "ok": false, "zip": 10115, "note": "é"});
    assert_eq!(b, expected);
}

#[test]
fn a_json_array_and_a_deeper_id_are_understood() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    user.file(
        "people.json",
        "[\n{\"key\":{\"id\":7}},\n{\"key\":{\"id\":\"x y\"}}]",
    );
    user.run(&[
        "import",
        "people.json",
        "-c",
        "people",
        "--id-pointer",
        "/key/id",
    ])
    .code(6)
    .says("line 3: \"x y\" can't be an id");
    user.file("people.json", "[\n{\"key\":{\"id\":7}}\n]");
    user.run(&[
        "import",
        "people.json",
        "-c",
        "people",
        "--id-pointer",
        "/key/id",
    ])
    .ok();
    user.run(&["get", "people/7"]).ok();
}

#[test]
fn records_without_ids_get_the_same_ones_each_time() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    let import = ["import", "-", "-c", "people", "--generate-ids", "--json"];
    assert_eq!(
        user.run_with(&import, b"{}\n{}\n").ok().json()["imported"],
        2
    );
    assert_eq!(
        user.run_with(&import, b"{}\n{}\n").ok().json()["recorded"],
        2
    );
    assert_eq!(count(&server), 2);
}

#[test]
fn a_dry_run_reads_everything_and_writes_nothing() {
    let (_data, server, user) = server_and_user();
    define(&server, "people", "{}");
    let input = people(5);
    user.run_with(
        &["import", "-", "-c", "people", "--dry-run"],
        input.as_bytes(),
    )
    .ok()
    .says("5 records are well-formed, 0 are not; nothing was written");
    assert_eq!(count(&server), 0);
}

#[test]
fn a_collection_that_is_not_defined_is_said_to_be_missing() {
    let (_data, _server, user) = server_and_user();
    user.run_with(&["import", "-", "-c", "people"], b"{\"id\":\"a\"}")
        .code(5)
        .says("hint: define the collection first");
    user.run_with(&["import", "-"], b"{\"id\":\"a\"}")
        .code(2)
        .says("into which collection?");
}
