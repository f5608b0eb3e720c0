//! Two nodes on one database are one store.

use std::{collections::HashSet, sync::Arc};

use milepost_postgres::{Address, Postgres};
use milepost_semantics::{EntityTag, Position, Preconditions};
use milepost_store::{
    ChangesQuery, CollectionPath, Failure, Feed, Outcome, PageLimit, ResourceKey, conformance::keep,
};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{
    client,
    cluster::{Cluster, PASSWORD, cluster},
    options,
    proxy::Proxy,
    writing::{Node, define, key, open, outcome, put, written},
};

async fn nodes(cluster: &'static Cluster) -> (Node, Node, String) {
    let database = cluster.new_database();
    let (one, other) = tokio::join!(node(cluster, &database), node(cluster, &database));
    (one, other, database)
}

async fn node(cluster: &'static Cluster, database: &str) -> Node {
    Arc::new(
        Postgres::open(options(cluster, database))
            .await
            .expect("a store"),
    )
}

/// Positions of twenty writes to resources of a writer's own.
async fn write_twenty(node: Node, writer: u32) -> Vec<Position> {
    let mut positions = Vec::new();
    for number in 0..20 {
        let key = key("things", &format!("{writer}-{number}"));
        let write = put(&key, &json!(number), Preconditions::default());
        positions.push(written(&node, write).await.position);
    }
    positions
}

/// What becomes of two writes on each node that name the same version.
async fn race(nodes: [&Node; 2], key: &ResourceKey, of: Position, round: u32) -> Vec<Outcome> {
    let mut racing = JoinSet::new();
    for (racer, node) in nodes.into_iter().cycle().take(4).enumerate() {
        let node = Arc::clone(node);
        let condition = Preconditions::if_match(EntityTag::from(of));
        let write = put(key, &json!([round, racer]), condition);
        racing.spawn(async move { outcome(&node, write).await });
    }
    racing.join_all().await
}

#[test]
fn writes_of_two_nodes_have_one_dense_order_and_one_feed() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let (one, other, _) = nodes(cluster).await;
        let defined = define(&one, "things", &open()).await;
        let mut writers = JoinSet::new();
        for writer in 0..8 {
            let node = Arc::clone(if writer % 2 == 0 { &one } else { &other });
            writers.spawn(write_twenty(node, writer));
        }
        let all: Vec<Position> = writers.join_all().await.into_iter().flatten().collect();
        let mut sequences: Vec<u64> = all.iter().map(Position::sequence).collect();
        sequences.sort_unstable();
        let first = defined.sequence() + 1;
        assert_eq!(sequences, (first..first + 160).collect::<Vec<_>>());
        let query = ChangesQuery {
            feed: Feed::of(CollectionPath::parse("things").expect("a name")),
            since: defined,
            versions: false,
            limit: PageLimit {
                items: 1000,
                bytes: 1 << 20,
            },
        };
        for node in [&one, &other] {
            let page = node.changes(&query).await.expect("a page");
            let told: Vec<Position> = page
                .items
                .iter()
                .map(|item| item.version.position)
                .collect();
            let known: HashSet<Position> = all.iter().copied().collect();
            assert!(told.is_sorted_by_key(Position::sequence));
            assert_eq!(told.iter().copied().collect::<HashSet<_>>(), known);
        }
    });
}

#[test]
fn of_writers_on_two_nodes_with_one_entity_tag_exactly_one_wins() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let (one, other, _) = nodes(cluster).await;
        define(&one, "things", &open()).await;
        let key = key("things", "contested");
        let mut standing = written(&one, put(&key, &json!(0), Preconditions::default())).await;
        for round in 0..40 {
            let racing = race([&one, &other], &key, standing.position, round);
            let outcomes = racing.await;
            let won = outcomes
                .iter()
                .filter(|outcome| matches!(outcome, Outcome::Committed(_)));
            assert_eq!(won.count(), 1, "{outcomes:?}");
            let (seen, also) = tokio::join!(one.read(&key, None), other.read(&key, None));
            let seen = seen.expect("a read").expect("a version");
            assert_eq!(Some(&seen), also.expect("a read").as_ref());
            assert_eq!(seen.replaced, Some(standing.position));
            standing = seen;
        }
    });
}

#[test]
fn who_waits_on_one_node_is_woken_by_a_write_on_the_other() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let one = node(cluster, &database).await;
        // Nothing but a notification can wake in time.
        let options = milepost_postgres::Options {
            poll: std::time::Duration::from_secs(3600),
            ..options(cluster, &database)
        };
        let other: Node = Arc::new(Postgres::open(options).await.expect("a store"));
        let defined = define(&one, "things", &open()).await;
        let mut commits = other.commits();
        let is_seen = |head: &Position| head.sequence() >= defined.sequence();
        commits.wait_for(is_seen).await.expect("a node that runs");
        let write = put(&key("things", "news"), &json!(1), Preconditions::default());
        let news = written(&one, write).await;
        let is_seen = |head: &Position| head.sequence() >= news.position.sequence();
        let head = *commits.wait_for(is_seen).await.expect("a node that runs");
        assert_eq!(head, news.position);
    });
}

#[test]
fn a_definition_that_one_node_changes_holds_on_the_other_at_once() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let (one, other, _) = nodes(cluster).await;
        for round in 0..10 {
            let name = format!("things-{round}");
            define(&one, &name, &open()).await;
            let id = key(&name, "a");
            written(&other, put(&id, &json!("text"), Preconditions::default())).await;
            let strict = json!({ "preconditions": "optional", "schema": { "type": "integer" } });
            define(&one, &name, &strict).await;
            match outcome(&other, put(&id, &json!("more"), Preconditions::default())).await {
                Outcome::Rejected(rejected) => assert!(matches!(
                    rejected.failures.as_slice(),
                    [(0, Failure::InvalidDocument(_))]
                )),
                other => panic!("{other:?}"),
            }
        }
    });
}

#[test]
fn a_write_goes_through_although_all_connections_were_cut() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let node = node(cluster, &database).await;
        define(&node, "things", &open()).await;
        let client = client(cluster, &database).await;
        let id = key("things", "a");
        let mut last = None;
        for round in 0..5 {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND pid <> pg_backend_pid()";
            client.query(cut, &[]).await.expect("may cut");
            let write = put(&id, &json!(round), Preconditions::default());
            let version = written(&node, write).await;
            assert!(last < Some(version.position.sequence()));
            last = Some(version.position.sequence());
        }
        assert_eq!(
            node.read(&id, None)
                .await
                .expect("a read")
                .map(|version| version.position.sequence()),
            last
        );
    });
}

#[test]
fn what_one_node_acknowledged_the_other_knows_once_it_was_brought_up_to_date() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let one = node(cluster, &database).await;
        // Neither a notification nor a look tells it anything.
        let options = milepost_postgres::Options {
            poll: std::time::Duration::from_secs(3600),
            ..options(cluster, &database)
        };
        let other: Node = Arc::new(Postgres::open(options).await.expect("a store"));
        for round in 0..20 {
            let name = format!("things-{round}");
            let defined = define(&one, &name, &open()).await;
            other.refresh().await.expect("a database that works");
            let path = CollectionPath::parse(&name).expect("a name");
            assert!(other.definitions().of(&path).is_some(), "{name}");
            assert!(other.head().sequence() >= defined.sequence());
        }
    });
}

#[test]
fn who_waits_is_woken_though_nothing_listens_any_more() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let (one, other, database) = nodes(cluster).await;
        define(&one, "things", &open()).await;
        for round in 0..3 {
            let cut = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                       WHERE datname = current_database() AND query LIKE '%LISTEN%' AND pid <> pg_backend_pid()";
            cluster.sql(&database, cut);
            let write = put(
                &key("things", "news"),
                &json!(round),
                Preconditions::default(),
            );
            let news = written(&one, write).await;
            let mut commits = other.commits();
            let is_seen = |head: &Position| head.sequence() >= news.position.sequence();
            let woken = tokio::time::timeout(
                std::time::Duration::from_secs(20),
                commits.wait_for(is_seen),
            );
            woken.await.expect("in time").expect("a node that runs");
        }
    });
}

#[test]
fn what_never_changes_comes_from_a_replica_that_has_it_and_all_else_from_the_primary() {
    let Some(cluster) = cluster() else { return };
    keep(async {
        let database = cluster.new_database();
        let one = node(cluster, &database).await;
        define(&one, "things", &open()).await;
        let id = key("things", "a");
        let old = written(&one, put(&id, &json!(1), Preconditions::default())).await;
        // A replica that hears of nothing from here on.
        let behind = cluster.copy(&database);
        let new = written(&one, put(&id, &json!(2), Preconditions::default())).await;
        let proxy = Proxy::before(cluster.port()).await;
        let url = format!("postgres://milepost@{}/{behind}", proxy.address);
        let replica = Address::parse(&url).expect("an address");
        let options = milepost_postgres::Options {
            replicas: vec![replica.with_password(PASSWORD)],
            ..options(cluster, &database)
        };
        let node: Node = Arc::new(Postgres::open(options).await.expect("a store"));
        let newest = node.read(&id, None).await.expect("a read");
        assert_eq!(newest, Some(new.clone()));
        assert_eq!(
            proxy.connection_count(),
            0,
            "a newest version is the primary's"
        );
        let was = node.read(&id, Some(old.position)).await.expect("a read");
        assert_eq!(was, Some(old.clone()));
        assert_eq!(proxy.connection_count(), 1, "a snapshot is the replica's");
        let is = node.read(&id, Some(new.position)).await.expect("a read");
        assert_eq!(is, Some(new), "which the replica does not have");
        proxy.shut();
        let was = node.read(&id, Some(old.position)).await.expect("a read");
        assert_eq!(was, Some(old), "without the replica");
    });
}
