//! Whatever happens to a commit's answer, a write that is acknowledged stands exactly once, and one
//! that isn't known to stand is not acknowledged.

use std::time::Duration;

use milepost_postgres::{Address, Options, Postgres};
use milepost_semantics::{EntityTag, Preconditions};
use milepost_store::{Outcome, Transaction, Version, WriteError, conformance::keep};
use serde_json::json;

use crate::{
    cluster::{Cluster, PASSWORD, cluster},
    proxy::{Mishap, Proxy},
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

async fn scene(cluster: &Cluster, deadline: Duration) -> Scene {
    let proxy = Proxy::before(cluster.port()).await;
    let database = cluster.new_database();
    let url = format!("postgres://milepost@{}/{database}", proxy.address);
    let address = Address::parse(&url).expect("an address");
    let options = Options {
        write_deadline: deadline,
        upkeep: None,
        ..Options::of(address.with_password(PASSWORD))
    };
    let node: Node = std::sync::Arc::new(Postgres::open(options).await.expect("a store"));
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
    for mishap in [
        Mishap::CutBefore,
        Mishap::CutAfter,
        Mishap::Silence,
        Mishap::Warn,
        Mishap::ReadOnly,
    ] {
        keep(async {
            let deadline = if mishap == Mishap::Silence {
                SHORT
            } else {
                LONG
            };
            let scene = scene(cluster, deadline).await;
            scene.proxy.arm(mishap);
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
        scene.proxy.arm(Mishap::CutAfterAndShut);
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
