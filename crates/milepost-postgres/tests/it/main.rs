//! The PostgreSQL backend against the conformance suite, and what it promises beyond it.
//!
//! The tests start a PostgreSQL of their own. Where there is none installed they fail in continuous
//! integration, and elsewhere say that they are skipped.

mod cluster;
mod conformance;
mod lost;
mod nodes;
mod opening;
mod primary;
mod proxy;
mod writing;

use milepost_postgres::Options;
use milepost_store::Timestamp;
use tokio_postgres::{Client, NoTls};

use crate::cluster::Cluster;

/// Sunday 2023-01-01, a time like any other.
const NOW: Timestamp = Timestamp(1_672_531_200_000);

/// How to open a database.
fn options(cluster: &Cluster, database: &str) -> Options {
    Options::new(&cluster.address(database)).expect("an address")
}

/// A connection past the store.
async fn client(cluster: &Cluster, database: &str) -> Client {
    let address = cluster.address(database);
    let connecting = tokio_postgres::connect(&address, NoTls);
    let (client, connection) = connecting.await.expect("a connection");
    tokio::spawn(connection);
    client
}
