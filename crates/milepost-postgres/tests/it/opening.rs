//! What a node says that can't open its store, and which it opens.

use std::sync::Arc;

use milepost_postgres::{Address, KeyMarks, OpenError, Options, Postgres, Trust};
use milepost_semantics::Preconditions;
use milepost_store::{Change, Operation, ResourceKey, Transaction, conformance::keep};
use serde_json::json;

use crate::{
    cluster::{Cluster, PASSWORD, cluster},
    options,
    writing::{Node, define, key, put, written},
};

async fn open(options: Options) -> Node {
    Arc::new(Postgres::open(options).await.expect("a store"))
}

fn delete(key: &ResourceKey) -> Operation {
    Operation {
        key: key.clone(),
        preconditions: Preconditions::default(),
        change: Change::Delete,
    }
}

async fn refused(options: Options) -> OpenError {
    Postgres::open(options)
        .await
        .expect_err("it can't be opened")
}

fn over_tcp(cluster: &Cluster, database: &str) -> Address {
    let address = Address::parse(&cluster.url(database)).expect("an address");
    address.with_password(PASSWORD)
}

fn with_keys(options: Options, name: &str, active: &str, known: &[&str]) -> Options {
    let keys = KeyMarks {
        active: active.to_owned(),
        known: known.iter().map(|id| (*id).to_owned()).collect(),
    };
    Options {
        node: milepost_postgres::Node {
            name: name.to_owned(),
            keys: Some(keys),
        },
        ..options
    }
}

#[test]
fn each_mistake_has_its_own_message_and_none_tells_the_password() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let port = cluster.port();
        let cases = [
            ("nowhere.invalid/books".to_owned(), "there is no host"),
            (
                "127.0.0.1:1/books".to_owned(),
                "no PostgreSQL answers at 127.0.0.1:1",
            ),
            (
                format!("127.0.0.1:{port}/nothing-here"),
                "there is no database \"nothing-here\"",
            ),
        ];
        for (place, said) in cases {
            let text = format!("postgres://milepost@{place}");
            let address = Address::parse(&text).expect("an address");
            let error = refused(Options::of(address.with_password(PASSWORD))).await;
            assert!(error.to_string().contains(said), "{error}");
            assert!(!format!("{error:?}").contains(PASSWORD));
        }
        let wrong = Address::parse(&cluster.url("postgres")).expect("an address");
        let error = refused(Options::of(wrong.clone().with_password("hush"))).await;
        assert!(matches!(error, OpenError::WrongPassword { .. }), "{error}");
        let error = refused(Options::of(wrong)).await;
        assert!(matches!(error, OpenError::NoPassword { .. }), "{error}");
    });
}

#[test]
fn over_tls_a_server_is_believed_whose_authority_is_named_and_no_other() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let address = over_tcp(cluster, &database).with_tls();
        let error = refused(Options::of(address.clone())).await;
        assert!(matches!(error, OpenError::Untrusted { .. }), "{error}");
        let trust = Trust::in_file(&cluster.certificate()).expect("a certificate");
        let believing = Options {
            trust,
            ..Options::of(address)
        };
        let opened = Postgres::open(believing).await.expect("a store");
        let encrypted = "SELECT count(*) > 0 FROM pg_stat_ssl JOIN pg_stat_activity USING (pid)
                         WHERE ssl AND datname = current_database()";
        assert_eq!(cluster.sql(&database, encrypted), "t");
        opened.close().await;
    });
}

#[test]
fn the_first_server_that_takes_writes_is_used() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let text = format!(
            "postgres://milepost@127.0.0.1:1,127.0.0.1:{}/{database}",
            cluster.port()
        );
        let address = Address::parse(&text).expect("an address");
        let opened = Postgres::open(Options::of(address.with_password(PASSWORD))).await;
        opened.expect("a store").close().await;
    });
}

#[test]
fn a_database_that_only_reads_is_no_primary() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let sql = format!("ALTER DATABASE {database} SET default_transaction_read_only = on");
        cluster.sql("postgres", &sql);
        let error = refused(options(cluster, &database)).await;
        assert!(matches!(error, OpenError::NoPrimary { .. }), "{error}");
    });
}

/// What makes a store of format 1 of one of the current format.
const BACK_TO_FORMAT_1: &str = r#"
ALTER TABLE milepost.sequencers DROP name, DROP active_key, DROP keys;
ALTER TABLE milepost.collections DROP history_cursor;
ALTER TABLE milepost.indexes DROP built_parent, DROP built_id;
ALTER TABLE milepost.versions ADD superseded bigint, ADD superseded_at bigint, ADD deleted boolean;
UPDATE milepost.versions v SET deleted = v.body IS NULL, superseded = later.row, superseded_at = later.modified
    FROM milepost.versions o LEFT JOIN milepost.versions later
        ON later.collection = o.collection AND later.replaced = o.row
    WHERE o.collection = v.collection AND o.row = v.row;
ALTER TABLE milepost.versions ALTER deleted SET NOT NULL;
DROP INDEX milepost.versions_deleting;
DROP TABLE milepost.keys;
CREATE UNIQUE INDEX versions_newest ON milepost.versions (collection, parent, id) WHERE superseded IS NULL;
CREATE INDEX versions_key ON milepost.versions (collection, parent, id, row);
CREATE INDEX versions_superseded ON milepost.versions (collection, superseded) WHERE superseded IS NOT NULL;
CREATE INDEX versions_tombstones ON milepost.versions (collection, row) WHERE superseded IS NULL AND deleted;
UPDATE milepost.store SET format = 1"#;

#[test]
fn a_store_of_a_newer_version_is_refused_and_one_of_an_older_brought_up_to_date() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let node: Node = open(options(cluster, &database)).await;
        define(&node, "things", &json!({ "preconditions": "optional" })).await;
        let there = key("things", "there");
        let first = put(&there, &json!(1), Preconditions::default());
        let first = written(&node, first).await;
        let second = put(&there, &json!(2), Preconditions::default());
        let second = written(&node, second).await;
        let gone = key("things", "gone");
        written(&node, put(&gone, &json!(3), Preconditions::default())).await;
        let tombstone = written(&node, Transaction::single(delete(&gone))).await;
        drop(node);
        cluster.sql(&database, "UPDATE milepost.store SET format = 99");
        let said = refused(options(cluster, &database)).await.to_string();
        assert_eq!(said, "store has format 99, this version reads up to 3");
        cluster.sql(&database, BACK_TO_FORMAT_1);
        let node = open(options(cluster, &database)).await;
        assert_eq!(
            cluster.sql(&database, "SELECT format FROM milepost.store"),
            "3"
        );
        let read = async |key, at| node.read(key, at).await.expect("a read");
        assert_eq!(read(&there, None).await, Some(second.clone()));
        assert_eq!(read(&there, Some(first.position)).await, Some(first));
        assert_eq!(read(&gone, None).await, Some(tombstone));
        let third = put(&there, &json!(4), Preconditions::default());
        assert_eq!(written(&node, third).await.replaced, Some(second.position));
    });
}

#[test]
fn a_node_that_expects_another_history_does_not_start_and_makes_no_store() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let expecting = |history: &str| Options {
            history: Some(history.parse().expect("a history")),
            ..options(cluster, &database)
        };
        let error = refused(expecting("zzz")).await;
        assert!(matches!(error, OpenError::OtherHistory { .. }), "{error}");
        assert_eq!(
            cluster.sql(&database, "SELECT to_regclass('milepost.store')"),
            ""
        );
        let made = Postgres::open(options(cluster, &database))
            .await
            .expect("a store");
        let history = made.history();
        let other = Postgres::open(expecting(&history))
            .await
            .expect("the same store");
        assert_eq!(other.history(), history);
        let error = refused(expecting("zzz")).await;
        assert!(error.to_string().contains(&history), "{error}");
    });
}

#[test]
fn a_node_with_other_keys_does_not_start_while_others_run() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let here = || options(cluster, &database);
        let one = Postgres::open(with_keys(here(), "one", "a", &["a", "b"])).await;
        let one = one.expect("a store");
        let error = refused(with_keys(here(), "two", "c", &["c"])).await;
        assert!(error.to_string().contains("one, seen"), "{error}");
        // In the middle of a rotation.
        let two = Postgres::open(with_keys(here(), "two", "b", &["a", "b"])).await;
        two.expect("keys that go together").close().await;
        one.close().await;
        let three = Postgres::open(with_keys(here(), "three", "c", &["c"])).await;
        three.expect("nobody else runs").close().await;
    });
}
