//! What every replica promises, asked of each.

use milepost_sync::{
    Change, Delivery, Editable as _, FolderReplica, Key, MemoryReplica, Replica, ReplicaError,
    SetDigest, SqliteReplica, Url, Version,
};

use crate::stage::home;

fn key(id: &str) -> Key {
    Key::parse(id).unwrap()
}

pub(crate) fn put(id: &str, etag: &str, value: &str) -> Change {
    Change {
        key: key(id),
        version: Some(Version {
            etag: etag.to_owned(),
            value: value.to_owned(),
        }),
    }
}

pub(crate) fn gone(id: &str) -> Change {
    Change {
        key: key(id),
        version: None,
    }
}

pub(crate) fn delivery(
    replace: bool,
    complete: bool,
    position: &str,
    changes: Vec<Change>,
) -> Delivery {
    Delivery {
        replace,
        complete,
        changes,
        bookmark: format!("/v1/things/changes/{position}"),
        position: position.parse().unwrap(),
        digest: None,
    }
}

/// Every kind of replica, with what it lies in.
fn each(ask: impl Fn(&mut dyn Replica)) {
    ask(&mut MemoryReplica::new());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("things.sqlite");
    ask(&mut SqliteReplica::open(&file, "things", &home()).unwrap());
    let things = folder.path().join("things");
    ask(&mut FolderReplica::open(&things, "things", &home()).unwrap());
}

#[test]
fn a_delivery_and_its_bookmark_are_there_together_and_applying_it_twice_is_applying_it_once() {
    each(|replica| {
        assert_eq!(replica.held().unwrap(), None);
        let first = delivery(
            true,
            true,
            "k.2-aaaa",
            vec![put("a", "\"1\"", "{\"n\": 1.0}"), put("b", "\"2\"", "[ ]")],
        );
        let applied = replica.apply(&first).unwrap();
        assert_eq!((applied.puts, applied.removals), (2, 0));
        let again = replica.apply(&first).unwrap();
        assert_eq!((again.puts, again.removals), (0, 0));
        assert_eq!(again.digest, applied.digest);
        let news = delivery(
            false,
            true,
            "k.3-aaaa",
            vec![put("a", "\"3\"", "2"), gone("b"), gone("never")],
        );
        let applied = replica.apply(&news).unwrap();
        assert_eq!((applied.puts, applied.removals), (1, 1));
        let again = replica.apply(&news).unwrap();
        assert_eq!((again.puts, again.removals), (0, 0));
        let held = replica.held().unwrap().unwrap();
        assert_eq!(held.bookmark, news.bookmark);
        assert!(held.is_complete);
        let mut digest = SetDigest::default();
        digest.insert("a", "\"3\"");
        assert_eq!(held.digest, digest);
        assert_eq!(replica.lookup(&key("a")).unwrap().unwrap().value, "2");
        assert_eq!(replica.lookup(&key("b")).unwrap(), None);
        assert_eq!(replica.count().unwrap(), 1);
    });
}

#[test]
fn what_a_complete_representation_does_not_name_stays_until_it_is_through_and_is_gone_then() {
    each(|replica| {
        let first = delivery(
            true,
            true,
            "k.2-aaaa",
            vec![put("a", "\"1\"", "1"), put("b", "\"2\"", "2")],
        );
        replica.apply(&first).unwrap();
        replica.forget().unwrap();
        assert_eq!(replica.held().unwrap(), None);
        assert_eq!(replica.count().unwrap(), 2);
        replica
            .apply(&delivery(
                true,
                false,
                "j.5-aaaa",
                vec![put("c", "\"5\"", "5")],
            ))
            .unwrap();
        assert!(!replica.held().unwrap().unwrap().is_complete);
        assert_eq!(replica.count().unwrap(), 3);
        // It begins again half-way: what only the first half named goes too.
        replica
            .apply(&delivery(
                true,
                false,
                "j.6-aaaa",
                vec![put("d", "\"6\"", "6")],
            ))
            .unwrap();
        let last = delivery(false, true, "j.6-aaaa", vec![put("b", "\"2\"", "2")]);
        let applied = replica.apply(&last).unwrap();
        assert!(replica.held().unwrap().unwrap().is_complete);
        assert_eq!(replica.count().unwrap(), 2);
        assert_eq!(applied.removals, 2);
        let mut digest = SetDigest::default();
        digest.insert("b", "\"2\"");
        digest.insert("d", "\"6\"");
        assert_eq!(applied.digest, digest);
    });
}

#[test]
fn what_was_applied_is_there_after_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("things.sqlite");
    let things = folder.path().join("things");
    let first = delivery(true, true, "k.2-aaaa", vec![put("a", "\"1\"", "1")]);
    let held = {
        let mut sqlite = SqliteReplica::open(&file, "things", &home()).unwrap();
        sqlite.apply(&first).unwrap();
        let mut files = FolderReplica::open(&things, "things", &home()).unwrap();
        files.apply(&first).unwrap();
        sqlite.held().unwrap()
    };
    let sqlite = SqliteReplica::open(&file, "things", &home()).unwrap();
    assert_eq!(sqlite.held().unwrap(), held);
    let files = FolderReplica::open(&things, "things", &home()).unwrap();
    assert_eq!(files.held().unwrap(), held);
    assert_eq!(std::fs::read_to_string(things.join("a.json")).unwrap(), "1");
}

#[test]
fn one_file_keeps_many_collections_and_no_table_two_feeds() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.sqlite");
    let other = Url::parse("http://h/v1/others").unwrap();
    let filtered = Url::parse("http://h/v1/things?owner=ada").unwrap();
    SqliteReplica::open(&file, "things", &home()).unwrap();
    SqliteReplica::open(&file, "others", &other).unwrap();
    let elsewhere = Url::parse("https://other.test/v1/things").unwrap();
    SqliteReplica::open(&file, "things", &elsewhere).unwrap();
    let refused = SqliteReplica::open(&file, "things", &filtered).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("keeps things of /v1/things, not of /v1/things?owner=ada"),
        "{refused}"
    );
}

#[test]
fn what_belongs_to_others_is_not_taken_for_a_replica() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.sqlite");
    let connection = rusqlite::Connection::open(&foreign).unwrap();
    connection
        .execute_batch("CREATE TABLE mine (x); PRAGMA user_version = 7")
        .unwrap();
    let refused = SqliteReplica::open(&foreign, "things", &home()).unwrap_err();
    assert!(
        matches!(refused, ReplicaError::Occupied { .. }),
        "{refused}"
    );
    std::fs::write(folder.path().join("17.json"), "{}").unwrap();
    let refused = FolderReplica::open(folder.path(), "things", &home()).unwrap_err();
    assert!(
        matches!(refused, ReplicaError::Occupied { .. }),
        "{refused}"
    );
    let newer = folder.path().join("newer.sqlite");
    drop(SqliteReplica::open(&newer, "things", &home()).unwrap());
    let connection = rusqlite::Connection::open(&newer).unwrap();
    connection
        .execute_batch("PRAGMA user_version = 99")
        .unwrap();
    let refused = SqliteReplica::open(&newer, "things", &home()).unwrap_err();
    assert!(
        matches!(refused, ReplicaError::Format { format: 99, .. }),
        "{refused}"
    );
}

#[test]
fn a_folder_is_synced_by_one_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let things = folder.path().join("things");
    let first = FolderReplica::open(&things, "things", &home()).unwrap();
    let refused = FolderReplica::open(&things, "things", &home()).unwrap_err();
    assert!(
        refused
            .to_string()
            .ends_with("is being synced by another process"),
        "{refused}"
    );
    drop(first);
    FolderReplica::open(&things, "things", &home()).unwrap();
}

#[test]
fn files_that_a_crash_left_behind_follow_when_the_folder_is_opened_and_edits_among_them_are_kept() {
    let folder = tempfile::tempdir().unwrap();
    let things = folder.path().join("things");
    let ids = ["a", "b", "c", "d"];
    let all = |n: u32| {
        let changes = ids.map(|id| put(id, &format!("\"{n}\""), &n.to_string()));
        delivery(n == 1, true, &format!("k.{n}-aaaa"), changes.to_vec())
    };
    let read = |id: &str| std::fs::read_to_string(things.join(format!("{id}.json"))).ok();
    {
        let mut replica = FolderReplica::open(&things, "things", &home()).unwrap();
        replica.apply(&all(1)).unwrap();
    }
    {
        // The state is a delivery ahead of the files, as after a crash between the two.
        let state = things.join(".milepost/state.sqlite");
        let connection = rusqlite::Connection::open(state).unwrap();
        connection
            .execute_batch(
                "BEGIN; INSERT INTO milepost_applying VALUES (1);
                 INSERT INTO milepost_outbox SELECT 'things', id, etag, value FROM things;
                 UPDATE things SET etag = '\"2\"', value = '2';
                 DELETE FROM milepost_applying; COMMIT",
            )
            .unwrap();
        // One file had followed, one was edited then, one was deleted.
        std::fs::write(things.join("a.json"), "2").unwrap();
        std::fs::write(things.join("b.json"), "mine").unwrap();
        std::fs::remove_file(things.join("c.json")).unwrap();
    }
    let mut replica = FolderReplica::open(&things, "things", &home()).unwrap();
    assert_eq!(read("a").as_deref(), Some("2"));
    assert_eq!(read("b").as_deref(), Some("mine"));
    assert_eq!(read("c"), None);
    assert_eq!(read("d").as_deref(), Some("2"));
    let edits = replica.edits().unwrap();
    let told: Vec<_> = edits
        .iter()
        .map(|edit| {
            (
                edit.key.as_str(),
                edit.base.as_ref().unwrap().etag.as_str(),
                edit.local.as_deref(),
            )
        })
        .collect();
    assert_eq!(told, [("b", "\"1\"", Some("mine")), ("c", "\"1\"", None)]);
    assert_eq!(replica.lookup(&key("b")).unwrap().unwrap().etag, "\"2\"");
}

#[test]
fn a_folder_keeps_one_collection_and_clears_away_what_a_crash_left() {
    let folder = tempfile::tempdir().unwrap();
    let things = folder.path().join("things");
    let first = delivery(true, true, "k.2-aaaa", vec![put("a", "\"1\"", "1")]);
    let mut replica = FolderReplica::open(&things, "things", &home()).unwrap();
    replica.apply(&first).unwrap();
    drop(replica);
    std::fs::write(things.join(".milepost-x7Qa"), "half").unwrap();
    let other = FolderReplica::open(&things, "others", &home()).unwrap_err();
    assert!(matches!(other, ReplicaError::Occupied { .. }), "{other}");
    let replica = FolderReplica::open(&things, "things", &home()).unwrap();
    assert!(replica.held().unwrap().is_some());
    assert!(!things.join(".milepost-x7Qa").exists());
}

#[test]
fn a_page_of_many_files_is_whole_in_its_folder_and_spares_what_was_edited() {
    let folder = tempfile::tempdir().unwrap();
    let things = folder.path().join("things");
    let mut replica = FolderReplica::open(&things, "things", &home()).unwrap();
    let page = |text: &str, tag: &str| {
        (0..50)
            .map(|n| put(&format!("n{n}"), &format!("\"{tag}{n}\""), text))
            .collect::<Vec<_>>()
    };
    let mut changes = page("1", "a");
    replica
        .apply(&delivery(true, true, "k.2-aaaa", changes))
        .unwrap();
    std::fs::write(things.join("n7.json"), "\"mine\"").unwrap();
    changes = page("2", "b");
    changes.extend([gone("n8"), gone("n9")]);
    replica
        .apply(&delivery(false, true, "k.3-aaaa", changes))
        .unwrap();
    for n in 0..50 {
        let found = std::fs::read_to_string(things.join(format!("n{n}.json")));
        match n {
            7 => assert_eq!(found.unwrap(), "\"mine\""),
            8 | 9 => assert!(found.is_err()),
            _ => assert_eq!(found.unwrap(), "2"),
        }
    }
    let left = std::fs::read_dir(&things).unwrap().count();
    assert_eq!(left, 48 + 1, "nothing is left beside");
}
