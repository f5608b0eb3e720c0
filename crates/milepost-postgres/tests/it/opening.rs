//! What a node says that can't open its store, and which it opens.

use milepost_postgres::{Address, KeyMarks, Node, OpenError, Options, Postgres, Trust};
use milepost_store::conformance::keep;

use crate::{
    cluster::{Cluster, PASSWORD, cluster},
    options,
};

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
        node: Node {
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

#[test]
fn a_store_of_a_newer_version_is_refused_and_one_of_an_older_brought_up_to_date() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        Postgres::open(options(cluster, &database))
            .await
            .expect("a store")
            .close()
            .await;
        cluster.sql(&database, "UPDATE milepost.store SET format = 99");
        let said = refused(options(cluster, &database)).await.to_string();
        assert_eq!(said, "store has format 99, this version reads up to 2");
        let older = "UPDATE milepost.store SET format = 1;
            ALTER TABLE milepost.sequencers DROP name, DROP active_key, DROP keys";
        cluster.sql(&database, older);
        Postgres::open(options(cluster, &database))
            .await
            .expect("a store")
            .close()
            .await;
        assert_eq!(
            cluster.sql(&database, "SELECT format FROM milepost.store"),
            "2"
        );
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
