//! What follows everything into an SQLite file: a view for each collection.

use milepost_sync::{
    EVERYTHING_NAME, Editable as _, Replica as _, ReplicaError, SqliteReplica, Url,
};

use crate::{
    replicas::{delivery, gone, put},
    stage::home,
};

/// What a table or a view of the file holds.
fn rows(file: &std::path::Path, name: &str) -> Vec<(String, String)> {
    let db = rusqlite::Connection::open(file).unwrap();
    let sql = format!("SELECT id, value FROM \"{name}\" ORDER BY id");
    let mut statement = db.prepare(&sql).unwrap();
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

fn replica_of_everything(file: &std::path::Path) -> SqliteReplica {
    let everything = Url::parse("http://h/v1/-/changes").unwrap();
    SqliteReplica::open(file, EVERYTHING_NAME, &everything).unwrap()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    let owned = |(id, value): &(&str, &str)| ((*id).to_owned(), (*value).to_owned());
    pairs.iter().map(owned).collect()
}

#[test]
fn where_everything_is_followed_each_collection_is_a_view_that_comes_and_goes_with_its_definition()
{
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.sqlite");
    let mut replica = replica_of_everything(&file);
    let first = vec![
        put("-/collections/books", "\"1\"", "{}"),
        put("-/collections/books.reviews", "\"2\"", "{}"),
        put("-/collections/books-2", "\"3\"", "{}"),
        put("books/ubik", "\"4\"", "1"),
        put("books/ubik/reviews/r.1", "\"5\"", "2"),
        put("books-2/ubik", "\"6\"", "3"),
    ];
    replica
        .apply(&delivery(true, true, "k.6-aaaa", first))
        .unwrap();
    assert_eq!(rows(&file, "books"), pairs(&[("ubik", "1")]));
    assert_eq!(
        rows(&file, "books.reviews"),
        pairs(&[("ubik/reviews/r.1", "2")])
    );
    assert_eq!(rows(&file, "books-2"), pairs(&[("ubik", "3")]));
    let changes = vec![
        gone("books-2/ubik"),
        gone("-/collections/books-2"),
        put("-/collections/books", "\"8\"", "{ }"),
    ];
    replica
        .apply(&delivery(false, true, "k.8-aaaa", changes))
        .unwrap();
    assert_eq!(rows(&file, "books"), pairs(&[("ubik", "1")]));
    let db = rusqlite::Connection::open(&file).unwrap();
    assert!(db.prepare("SELECT * FROM \"books-2\"").is_err());
    let other = SqliteReplica::open(&file, "books", &home()).unwrap_err();
    assert!(matches!(other, ReplicaError::Occupied { .. }), "{other}");
}

#[test]
fn what_is_done_to_a_view_of_everything_is_an_edit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.sqlite");
    let mut replica = replica_of_everything(&file);
    let first = vec![
        put("-/collections/books", "\"1\"", "{}"),
        put("books/a", "\"2\"", "1"),
        put("books/b", "\"3\"", "1"),
    ];
    replica
        .apply(&delivery(true, true, "k.3-aaaa", first))
        .unwrap();
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch(
        "UPDATE books SET value = '2' WHERE id = 'a';
         DELETE FROM books WHERE id = 'b';
         INSERT INTO books (id, value) VALUES ('c', '3');",
    )
    .unwrap();
    let edits = replica.edits().unwrap();
    let told: Vec<_> = edits
        .iter()
        .map(|edit| {
            (
                edit.key.as_str(),
                edit.local.as_deref(),
                edit.base.is_some(),
            )
        })
        .collect();
    let expected = [
        ("books/a", Some("2"), true),
        ("books/b", None, true),
        ("books/c", Some("3"), false),
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_people_put_into_the_file_stops_no_one_who_follows_everything() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.sqlite");
    let mut replica = replica_of_everything(&file);
    let db = rusqlite::Connection::open(&file).unwrap();
    db.execute_batch(
        "CREATE TABLE Books (mine TEXT); CREATE INDEX notes ON Books (mine);
         CREATE VIEW films AS SELECT mine AS id, mine AS value FROM Books;",
    )
    .unwrap();
    let names = ["books", "notes", "films", "games"];
    let defined = names.map(|name| put(&format!("-/collections/{name}"), "\"1\"", "{}"));
    let first = delivery(true, true, "k.4-aaaa", defined.to_vec());
    replica.apply(&first).unwrap();
    assert_eq!(rows(&file, "games"), []);
    let undefined = names.map(|name| gone(&format!("-/collections/{name}")));
    let second = delivery(false, true, "k.8-aaaa", undefined.to_vec());
    replica.apply(&second).unwrap();
    assert_eq!(rows(&file, "films"), [], "somebody else's view stays");
    assert!(db.prepare("SELECT * FROM games").is_err());
}

#[test]
fn an_id_that_is_none_of_a_collection_is_refused_by_its_view() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("all.sqlite");
    let mut replica = replica_of_everything(&file);
    let defined = vec![
        put("-/collections/books", "\"1\"", "{}"),
        put("-/collections/books.reviews", "\"2\"", "{}"),
    ];
    replica
        .apply(&delivery(true, true, "k.2-aaaa", defined))
        .unwrap();
    let db = rusqlite::Connection::open(&file).unwrap();
    let insert = |view: &str, id: &str| {
        let sql = format!("INSERT INTO \"{view}\" (id, value) VALUES ('{id}', '1')");
        db.execute_batch(&sql)
    };
    assert!(insert("books", "a/reviews/b").is_err());
    assert!(insert("books.reviews", "a").is_err());
    insert("books", "a").unwrap();
    insert("books.reviews", "a/reviews/b").unwrap();
    assert_eq!(rows(&file, "books.reviews").len(), 1);
}
