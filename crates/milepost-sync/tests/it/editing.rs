//! Local edits: recorded with what they started from, sent with it, and never lost.

use std::collections::BTreeMap;
use std::path::Path;

use milepost_sync::follow::Options;
use milepost_sync::pull::PullError;
use milepost_sync::push::{Outcome, Push};
use milepost_sync::{
    Conflict, Editable, Event, FolderReplica, Follower, Key, Pull, Replica as _, Resolution,
    SqliteReplica,
};
use proptest::prelude::*;
use rusqlite::Connection;

use crate::stage::{FakeClock, Model, Written, home};

/// Brings the replica up to date.
fn pull<R: Editable>(model: &mut Model, replica: &mut R) {
    let held = replica.held().unwrap();
    let mut follower = Follower::new(home(), held, Options::default()).unwrap();
    let mut pull = Pull {
        follower: &mut follower,
        transport: model,
        replica,
        clock: &mut FakeClock::default(),
    };
    pull.run(&mut |event, _| {
        Ok::<_, PullError>(match event {
            Event::CaughtUp(_) => std::ops::ControlFlow::Break(()),
            _ => std::ops::ControlFlow::Continue(()),
        })
    })
    .unwrap();
}

/// Sends the edits; what became of each.
fn push<R: Editable>(
    model: &mut Model,
    replica: &mut R,
    resolution: &Resolution,
) -> BTreeMap<String, Outcome> {
    let mut outcomes = BTreeMap::new();
    let mut resolve = |_: &Conflict| resolution.clone();
    let mut observe = |key: &Key, outcome: &Outcome| {
        outcomes.insert(key.to_string(), outcome.clone());
    };
    Push {
        home: &home(),
        transport: model,
        replica,
        clock: &mut FakeClock::default(),
        failures_max: 3,
        seed: 0,
    }
    .run(&mut resolve, &mut observe)
    .unwrap();
    outcomes
}

fn value<'a>(model: &'a Model, id: &str) -> Option<&'a str> {
    model.state().get(id).map(|(_, value)| value.as_str())
}

struct Desk {
    _folder: tempfile::TempDir,
    file: std::path::PathBuf,
    replica: SqliteReplica,
    model: Model,
}

/// A replica of a server with one document, and another program that edits the file.
fn desk() -> (Desk, Connection) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("things.sqlite");
    let mut replica = SqliteReplica::open(&file, "things", &home()).unwrap();
    let mut model = Model::new();
    model.put("a", r#"{"x":1,"y":1}"#);
    model.put("b", "1");
    pull(&mut model, &mut replica);
    let editor = Connection::open(&file).unwrap();
    let desk = Desk {
        _folder: folder,
        file,
        replica,
        model,
    };
    (desk, editor)
}

#[test]
fn edits_by_any_program_are_sent_with_the_tag_they_started_from() {
    let (mut desk, editor) = desk();
    let old = desk.model.state()["a"].0.clone();
    editor
        .execute_batch(
            r#"UPDATE things SET value = '{"x":2,"y":1}' WHERE id = 'a';
               UPDATE things SET value = '{"x":3,"y":1}' WHERE id = 'a';
               DELETE FROM things WHERE id = 'b';
               INSERT INTO things (id, value) VALUES ('c', '3');
               INSERT INTO things (id, value) VALUES ('d', '4');
               DELETE FROM things WHERE id = 'd'"#,
        )
        .unwrap();
    let edits = desk.replica.edits().unwrap();
    let keys: Vec<_> = edits.iter().map(|edit| edit.key.as_str()).collect();
    assert_eq!(keys, ["a", "b", "c"]);
    assert_eq!(edits[0].base.as_ref().unwrap().etag, old);
    let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Leave);
    assert!(
        outcomes.values().all(|outcome| *outcome == Outcome::Sent),
        "{outcomes:?}"
    );
    assert_eq!(value(&desk.model, "a"), Some(r#"{"x":3,"y":1}"#));
    assert_eq!(value(&desk.model, "b"), None);
    assert_eq!(value(&desk.model, "c"), Some("3"));
    assert_eq!(value(&desk.model, "d"), None);
    assert!(desk.replica.edits().unwrap().is_empty());
    pull(&mut desk.model, &mut desk.replica);
    let held = desk.replica.held().unwrap().unwrap();
    assert_eq!(held.digest, crate::stage::digest(desk.model.state()));
    assert!(desk.file.exists());
}

#[test]
fn a_document_that_was_replaced_wholesale_is_an_edit_of_what_it_was() {
    let (mut desk, editor) = desk();
    let old = desk.model.state()["a"].0.clone();
    editor
        .execute_batch("INSERT OR REPLACE INTO things (id, value) VALUES ('a', '9')")
        .unwrap();
    let edits = desk.replica.edits().unwrap();
    assert_eq!(edits[0].base.as_ref().unwrap().etag, old);
    push(&mut desk.model, &mut desk.replica, &Resolution::Leave);
    assert_eq!(value(&desk.model, "a"), Some("9"));
}

#[test]
fn an_edit_survives_what_the_feed_brings_and_is_in_conflict_then() {
    let (mut desk, editor) = desk();
    editor
        .execute_batch(r#"UPDATE things SET value = '{"x":2,"y":1}' WHERE id = 'a'"#)
        .unwrap();
    desk.model.put("a", r#"{"x":1,"y":5}"#);
    pull(&mut desk.model, &mut desk.replica);
    let held = desk.replica.held().unwrap().unwrap();
    assert_eq!(held.digest, crate::stage::digest(desk.model.state()));
    let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Merge);
    assert_eq!(outcomes["a"], Outcome::Merged);
    assert_eq!(value(&desk.model, "a"), Some(r#"{"x":2,"y":5}"#));
    let here: String = editor
        .query_row("SELECT value FROM things WHERE id = 'a'", [], |row| {
            row.get(0)
        })
        .unwrap();
    assert_eq!(here, r#"{"x":2,"y":5}"#);
}

#[test]
fn a_conflict_that_nobody_settles_is_written_beside_and_told_until_somebody_does() {
    let (mut desk, editor) = desk();
    editor
        .execute_batch(r#"UPDATE things SET value = '{"x":2,"y":1}' WHERE id = 'a'"#)
        .unwrap();
    desk.model.put("a", r#"{"x":3,"y":1}"#);
    for _ in 0..2 {
        let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Merge);
        let Outcome::SetAside(conflict) = &outcomes["a"] else {
            panic!("{outcomes:?}")
        };
        assert_eq!(conflict.places, ["/x"]);
        assert_eq!(conflict.ours.as_deref(), Some(r#"{"x":2,"y":1}"#));
        assert_eq!(conflict.theirs.as_ref().unwrap().value, r#"{"x":3,"y":1}"#);
        pull(&mut desk.model, &mut desk.replica);
    }
    let (local, server): (String, String) = editor
        .query_row(
            "SELECT local_value, server_value FROM milepost_conflicts WHERE id = 'a'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert_eq!(
        (local.as_str(), server.as_str()),
        (r#"{"x":2,"y":1}"#, r#"{"x":3,"y":1}"#)
    );
    editor
        .execute_batch(
            r#"UPDATE things SET value = '{"x":23,"y":1}' WHERE id = 'a'; DELETE FROM milepost_conflicts"#,
        )
        .unwrap();
    let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Leave);
    assert_eq!(outcomes["a"], Outcome::Sent);
    assert_eq!(value(&desk.model, "a"), Some(r#"{"x":23,"y":1}"#));
}

#[test]
fn ours_replaces_what_was_seen_and_theirs_gives_the_edit_up() {
    for (resolution, outcome, expected) in [
        (Resolution::Ours, Outcome::Sent, "2"),
        (Resolution::Theirs, Outcome::GivenUp, "3"),
    ] {
        let (mut desk, editor) = desk();
        editor
            .execute_batch("UPDATE things SET value = '2' WHERE id = 'b'")
            .unwrap();
        desk.model.put("b", "3");
        let outcomes = push(&mut desk.model, &mut desk.replica, &resolution);
        assert_eq!(outcomes["b"], outcome);
        assert_eq!(value(&desk.model, "b"), Some(expected));
        pull(&mut desk.model, &mut desk.replica);
        assert!(desk.replica.edits().unwrap().is_empty());
        let here: String = editor
            .query_row("SELECT value FROM things WHERE id = 'b'", [], |row| {
                row.get(0)
            })
            .unwrap();
        assert_eq!(here, expected);
    }
}

#[test]
fn the_same_change_on_both_sides_is_no_conflict() {
    let (mut desk, editor) = desk();
    editor
        .execute_batch(
            "UPDATE things SET value = '2' WHERE id = 'b'; DELETE FROM things WHERE id = 'a'",
        )
        .unwrap();
    desk.model.put("b", "2");
    desk.model.remove("a");
    let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Leave);
    assert_eq!(outcomes["a"], Outcome::Agreed);
    assert_eq!(outcomes["b"], Outcome::Agreed);
    assert!(desk.replica.edits().unwrap().is_empty());
}

#[test]
fn what_is_no_json_is_not_sent_and_stays() {
    let (mut desk, editor) = desk();
    editor
        .execute_batch("UPDATE things SET value = '{oops' WHERE id = 'b'")
        .unwrap();
    let outcomes = push(&mut desk.model, &mut desk.replica, &Resolution::Leave);
    assert!(
        matches!(&outcomes["b"], Outcome::Rejected(why) if why.contains("JSON")),
        "{outcomes:?}"
    );
    assert_eq!(value(&desk.model, "b"), Some("1"));
    assert_eq!(desk.replica.edits().unwrap().len(), 1);
}

#[test]
fn edited_made_and_removed_files_are_sent_and_a_conflict_s_file_is_removed_to_settle_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let mut model = Model::new();
    for id in ["a", "b", "c"] {
        model.put(id, "1");
    }
    let mut replica = FolderReplica::open(path, "things", &home()).unwrap();
    pull(&mut model, &mut replica);
    std::fs::write(path.join("a.json"), "2").unwrap();
    std::fs::remove_file(path.join("b.json")).unwrap();
    std::fs::write(path.join("new.json"), "\"n\"").unwrap();
    std::fs::write(path.join("c.json"), "3").unwrap();
    std::fs::write(path.join("notes.txt"), "mine").unwrap();
    model.put("c", "4");
    let outcomes = push(&mut model, &mut replica, &Resolution::Merge);
    assert_eq!(outcomes.len(), 4);
    assert_eq!(value(&model, "a"), Some("2"));
    assert_eq!(value(&model, "b"), None);
    assert_eq!(value(&model, "new"), Some("\"n\""));
    assert_eq!(read(path, "c.json").as_deref(), Some("3"));
    let conflict: serde_json::Value =
        serde_json::from_str(&read(path, "c.conflict.json").unwrap()).unwrap();
    assert_eq!(
        (&conflict["here"], &conflict["server"]),
        (&3.into(), &4.into())
    );
    pull(&mut model, &mut replica);
    std::fs::write(path.join("c.json"), "34").unwrap();
    std::fs::remove_file(path.join("c.conflict.json")).unwrap();
    let outcomes = push(&mut model, &mut replica, &Resolution::Leave);
    assert_eq!(outcomes["c"], Outcome::Sent);
    assert_eq!(value(&model, "c"), Some("34"));
    pull(&mut model, &mut replica);
    let held = replica.held().unwrap().unwrap();
    assert_eq!(held.digest, crate::stage::digest(model.state()));
}

fn read(folder: &Path, name: &str) -> Option<String> {
    std::fs::read_to_string(folder.join(name)).ok()
}

/// What happens between two people and a replica.
#[derive(Clone, Debug)]
enum Happening {
    AtServer(Written),
    Edit(u8, u8),
    Remove(u8),
    Pull,
    Push(Resolution),
}

fn happening() -> impl Strategy<Value = Happening> {
    let resolution = prop_oneof![
        Just(Resolution::Ours),
        Just(Resolution::Theirs),
        Just(Resolution::Merge),
        Just(Resolution::Leave),
    ];
    prop_oneof![
        4 => (0..4_u8, 0..9_u8).prop_map(|(id, n)| Happening::AtServer(Written::Put(id, n))),
        1 => (0..4_u8).prop_map(|id| Happening::AtServer(Written::Delete(id))),
        4 => (0..4_u8, 0..9_u8).prop_map(|(id, n)| Happening::Edit(id, n)),
        1 => (0..4_u8).prop_map(Happening::Remove),
        3 => Just(Happening::Pull),
        3 => resolution.prop_map(Happening::Push),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: crate::stage::cases(25), ..ProptestConfig::default() })]

    #[test]
    fn no_edit_is_lost_without_a_word_and_both_sides_end_equal(
        happenings in prop::collection::vec(happening(), 1..30),
    ) {
        let (mut desk, editor) = desk();
        let (model, replica) = (&mut desk.model, &mut desk.replica);
        // What was edited here and not told of yet.
        let mut edited: BTreeMap<String, Option<String>> = BTreeMap::new();
        for happening in &happenings {
            match happening {
                Happening::AtServer(written) => model.write(written),
                Happening::Edit(id, n) => {
                    let (id, value) = (format!("id-{id}"), format!("{{\"mine\":{n}}}"));
                    let sql = "INSERT INTO things (id, value) VALUES (?1, ?2)
                               ON CONFLICT (id) DO UPDATE SET value = excluded.value";
                    editor.execute(sql, [&id, &value]).unwrap();
                    edited.insert(id, Some(value));
                    forget_what_is_no_edit(&mut edited, replica);
                }
                Happening::Remove(id) => {
                    let id = format!("id-{id}");
                    if editor.execute("DELETE FROM things WHERE id = ?1", [&id]).unwrap() > 0 {
                        edited.insert(id, None);
                    }
                    forget_what_is_no_edit(&mut edited, replica);
                }
                Happening::Pull => {
                    pull(model, replica);
                    for (id, value) in &edited {
                        prop_assert_eq!(&local(&editor, id), value, "a pull leaves edits alone");
                    }
                }
                Happening::Push(resolution) => {
                    for (id, outcome) in push(model, replica, resolution) {
                        if !matches!(outcome, Outcome::SetAside(_)) {
                            edited.remove(&id);
                        }
                    }
                    let open = replica.edits().unwrap();
                    for (id, value) in &edited {
                        let is_kept = open.iter().any(|edit| edit.key.as_str() == id);
                        let is_there = model.state().get(id).map(|(_, v)| v.clone()) == *value;
                        let is_void = value.is_none() && !model.state().contains_key(id);
                        prop_assert!(is_kept || is_there || is_void, "{} was lost", id);
                    }
                }
            }
            let held = replica.held().unwrap().unwrap();
            if let Some(state) = model.state_at(&held.position.to_string()) {
                prop_assert_eq!(held.digest, crate::stage::digest(state));
            }
        }
        push(model, replica, &Resolution::Ours);
        pull(model, replica);
        prop_assert!(replica.edits().unwrap().is_empty());
        let mut here = BTreeMap::new();
        replica.for_each(&mut |id, value| { here.insert(id.to_owned(), value.to_owned()); Ok(()) }).unwrap();
        let there: BTreeMap<_, _> =
            model.state().iter().map(|(id, (_, value))| (id.clone(), value.clone())).collect();
        prop_assert_eq!(here, there);
    }
}

/// What was made and removed here, or changed and changed back, is as it was.
fn forget_what_is_no_edit(
    edited: &mut BTreeMap<String, Option<String>>,
    replica: &mut SqliteReplica,
) {
    let edits = replica.edits().unwrap();
    edited.retain(|id, _| edits.iter().any(|edit| edit.key.as_str() == id));
}

fn local(editor: &Connection, id: &str) -> Option<String> {
    let sql = "SELECT value FROM things WHERE id = ?1";
    let mut statement = editor.prepare_cached(sql).unwrap();
    let mut rows = statement.query([id]).unwrap();
    rows.next().unwrap().map(|row| row.get(0).unwrap())
}
