//! Whatever happens to a commit's answer, a write that is acknowledged stands exactly once, and one
//! that isn't known to stand is not acknowledged.

use std::time::Duration;

use milepost_postgres::{Address, Options, Postgres};
use milepost_semantics::{EntityTag, Preconditions};
use milepost_store::{Outcome, Transaction, Version, WriteError, conformance::keep};
use serde_json::json;

use crate::{
    cluster::{Cluster, PASSWORD, cluster},
    proxy::{Mishap, Of, Proxy},
    writing::{Node, define, key, open, put, written},
};

struct Scene {
    proxy: Proxy,
    node: Node,
    /// What stood before.
    standing: Version,
    database: String,
}

/// Time enough for a machine that is busy.
const LONG: Duration = Duration::from_secs(20);
/// Short enough to wait for its end.
const SHORT: Duration = Duration::from_secs(5);
/// Over before that.
const SHORTER: Duration = Duration::from_secs(3);

async fn node(proxy: &Proxy, database: &str, deadline: Duration) -> Node {
    let url = format!("postgres://milepost@{}/{database}", proxy.address);
    let address = Address::parse(&url).expect("an address");
    let options = Options {
        read_deadline: deadline,
        write_deadline: deadline,
        upkeep: None,
        ..Options::of(address.with_password(PASSWORD))
    };
    std::sync::Arc::new(Postgres::open(options).await.expect("a store"))
}

async fn scene(cluster: &Cluster, deadline: Duration) -> Scene {
    let proxy = Proxy::before(cluster.port()).await;
    let database = cluster.new_database();
    let node = node(&proxy, &database, deadline).await;
    define(&node, "things", &open()).await;
    let first = put(&key("things", "a"), &json!(0), Preconditions::default());
    let standing = written(&node, first).await;
    Scene {
        proxy,
        node,
        standing,
        database,
    }
}

impl Scene {
    fn next(&self) -> Transaction {
        let condition = Preconditions::if_match(EntityTag::from(self.standing.position));
        put(&key("things", "a"), &json!(1), condition)
    }

    async fn stands(&self) -> Version {
        let version = self.node.read(&key("things", "a"), None).await;
        version.expect("a read").expect("a version")
    }
}

#[test]
fn a_write_whose_commit_met_a_mishap_stands_once_and_is_acknowledged() {
    let Some(cluster) = cluster() else { return };
    for (of, mishap) in [
        (Of::Batch, Mishap::CutBefore),
        (Of::Batch, Mishap::CutAfter),
        (Of::Batch, Mishap::Silence),
        (Of::Batch, Mishap::Warn),
        (Of::Batch, Mishap::ReadOnly),
        (Of::Flush, Mishap::CutBefore),
        (Of::Flush, Mishap::CutAfter),
        (Of::Flush, Mishap::Silence),
        (Of::Flush, Mishap::Warn),
    ] {
        keep(async {
            let deadline = if mishap == Mishap::Silence {
                SHORT
            } else {
                LONG
            };
            let scene = scene(cluster, deadline).await;
            scene.proxy.arm(of, mishap);
            let version = written(&scene.node, scene.next()).await;
            assert!(scene.proxy.is_spent(), "{mishap:?}");
            let expected = scene.standing.position.sequence() + 1;
            assert_eq!(version.position.sequence(), expected, "{mishap:?}");
            assert_eq!(version, scene.stands().await, "{mishap:?}");
            let count = "SELECT count(*) FROM milepost.versions WHERE id = 'a'";
            assert_eq!(cluster.sql(&scene.database, count), "2", "{mishap:?}");
        });
    }
}

#[test]
fn a_write_whose_fate_nobody_can_tell_is_not_acknowledged_and_writes_go_on_afterwards() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let scene = scene(cluster, SHORT).await;
        scene.proxy.arm(Of::Batch, Mishap::CutAfterAndShut);
        let answer = scene.node.write(scene.next()).await;
        assert!(matches!(answer, Err(WriteError::Unknown)), "{answer:?}");
        scene.proxy.let_through();
        // It did stand, which is why the same again does not hold, and is answered as a retry is.
        let again = scene.node.write(scene.next()).await.expect("a database");
        let stands = scene.stands().await;
        assert_eq!(stands.replaced, Some(scene.standing.position));
        match again {
            Outcome::Committed(committed) => {
                assert_eq!(
                    committed
                        .applied
                        .first()
                        .and_then(|one| one.version.clone()),
                    Some(stands)
                );
            }
            Outcome::Rejected(_) => {}
            other => panic!("{other:?}"),
        }
    });
}

#[test]
fn reads_wait_for_a_database_that_is_gone_for_a_moment() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let scene = scene(cluster, LONG).await;
        scene.proxy.shut();
        let reading = scene.stands();
        let back = async {
            tokio::task::yield_now().await;
            scene.proxy.let_through();
        };
        let (version, ()) = tokio::join!(reading, back);
        assert_eq!(version, scene.standing);
    });
}

#[test]
fn what_may_be_lost_yet_is_told_to_nobody() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let scene = scene(cluster, SHORT).await;
        let proxy = Proxy::before(cluster.port()).await;
        let other = node(&proxy, &scene.database, SHORTER).await;
        // Committed, and nobody gets to know whether it stays.
        scene.proxy.arm(Of::Flush, Mishap::SilenceBefore);
        proxy.arm(Of::Flush, Mishap::SilenceBefore);
        let writing = tokio::spawn({
            let (node, next) = (std::sync::Arc::clone(&scene.node), scene.next());
            async move { node.write(next).await }
        });
        scene.proxy.spent().await;
        let newest = "SELECT v.replaced IS NOT NULL FROM milepost.keys k
            JOIN milepost.versions v USING (collection, row) WHERE k.id = 'a'";
        assert_eq!(cluster.sql(&scene.database, newest), "t");
        let told = other.read(&key("things", "a"), None).await;
        assert!(told.is_err(), "{told:?}");
        assert_eq!(other.head(), scene.standing.position);
        assert!(proxy.is_spent());
        // Asked again, it makes sure itself.
        let told = other.read(&key("things", "a"), None).await;
        let told = told.expect("a read").expect("a version");
        assert_eq!(told.replaced, Some(scene.standing.position));
        let written = writing.await.expect("no panic").expect("a database");
        assert!(matches!(written, Outcome::Committed(_)), "{written:?}");
    });
}
