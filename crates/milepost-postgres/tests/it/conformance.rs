//! The PostgreSQL backend keeps every promise, each in a database of its own. A fork and a backup are
//! copies that PostgreSQL's own tools make while the store is in use.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use milepost_postgres::{Postgres, begin_history};
use milepost_store::{Store, clock::ManualClock, conformance::Fixture};

use crate::{
    NOW,
    cluster::{Cluster, cluster},
    options,
};

struct InDatabase {
    cluster: &'static Cluster,
    clock: Arc<ManualClock>,
    postgres: Arc<Postgres>,
    store: Arc<dyn Store>,
    database: String,
    backup: Option<String>,
}

impl InDatabase {
    async fn open(cluster: &'static Cluster, database: String, clock: Arc<ManualClock>) -> Self {
        let options = milepost_postgres::Options {
            clock: Arc::clone(&clock) as _,
            // Only when a promise asks for it; and however slow the machine is.
            upkeep: None,
            read_deadline: Duration::from_secs(600),
            write_deadline: Duration::from_secs(600),
            ..options(cluster, &database)
        };
        let postgres = Arc::new(Postgres::open(options).await.expect("a store"));
        Self {
            cluster,
            clock,
            store: Arc::clone(&postgres) as _,
            postgres,
            database,
            backup: None,
        }
    }
}

#[async_trait]
impl Fixture for InDatabase {
    async fn fresh() -> Self {
        let cluster = cluster().expect("asked for before");
        let database = cluster.new_database();
        Self::open(cluster, database, Arc::new(ManualClock::new(NOW))).await
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn settle(&self) {
        self.postgres.settle().await.expect("a database that works");
    }

    async fn reopened(self) -> Self {
        let opened = Self::open(self.cluster, self.database.clone(), Arc::clone(&self.clock));
        Self {
            backup: self.backup.clone(),
            ..opened.await
        }
    }

    async fn forked(self) -> (Self, Self) {
        let copy = self.cluster.copy(&self.database);
        let other = Self::open(self.cluster, copy, Arc::clone(&self.clock)).await;
        (self.reopened().await, other)
    }

    async fn back_up(&mut self) {
        self.backup = Some(self.cluster.copy(&self.database));
    }

    async fn restored(self) -> Self {
        let backup = self.backup.expect("a backup");
        let options = options(self.cluster, &backup);
        begin_history(&options)
            .await
            .expect("a database that works");
        Self::open(self.cluster, backup, self.clock).await
    }
}

milepost_store::conformance_tests!(InDatabase, where cluster().is_some());
