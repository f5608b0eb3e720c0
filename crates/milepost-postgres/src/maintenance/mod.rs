//! What the store needs done beside writes: retention, completing indexes, taking dropped ones away.
//!
//! Whatever node finds something to do does one small step of it in a transaction of its own, under
//! the store's lock, so that no writer waits long and counters are kept by one at a time; and under
//! an advisory lock, so that only one node at a time does any. A node that dies leaves nothing half
//! done.

pub(crate) mod build;
mod forget;

use std::{sync::Arc, time::Duration};

use deadpool_postgres::ClientWrapper;
use milepost_store::{CollectionPath, TRANSACTIONS};
use tokio::time::{sleep, timeout};

use crate::{
    catalog::Catalog, connect::BY_KEY, sequencer::LOCK, shared::Shared, trouble::Trouble,
    view::View,
};

/// Whoever looks after the store holds this advisory lock: "mile" in ASCII, and a two.
const LOOKING_AFTER: i64 = 0x6d69_6c65_0000_0002;
/// The most rows that one step touches, about.
const STEP: usize = 500;
/// How long a step may take before its connection is given up.
const STEP_MAX: Duration = Duration::from_secs(60);

/// Something to do.
#[derive(Clone, Debug)]
enum Task {
    /// Forget superseded versions of a collection.
    History(CollectionPath),
    /// Forget tombstones of a collection.
    Tombstones(CollectionPath),
    /// Forget recorded outcomes.
    Outcomes,
    /// Bring an index a step closer to completeness: its collection, its number.
    Build(CollectionPath, i64),
    /// Take a dropped index away.
    Drop(i64),
}

/// Looks after the store for as long as the node runs.
pub(crate) async fn run(shared: Arc<Shared>, pause: Duration) {
    loop {
        sleep(pause).await;
        // Whatever failed is tried again, by this node or another one.
        let _ = settle(&shared, Other::Leave).await;
    }
}

/// What to do where another node looks after the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Other {
    /// Leave it to that one.
    Leave,
    /// Wait until it has finished, then look again.
    Await,
}

/// Does everything that is due.
pub(crate) async fn settle(shared: &Shared, other: Other) -> Result<(), Trouble> {
    let line = shared.connector.line().await?;
    let client = &line.client;
    let lock = match other {
        Other::Leave => "SELECT pg_try_advisory_lock($1)",
        Other::Await => "SELECT pg_advisory_lock($1) IS NOT NULL",
    };
    client.batch_execute(BY_KEY).await?;
    let locked = client.query_one(lock, &[&LOOKING_AFTER]).await?;
    if !locked.try_get::<_, bool>(0)? {
        return Ok(());
    }
    // The lock goes with the connection.
    loop {
        let mut has_worked = false;
        for task in due(shared).await? {
            let step = timeout(STEP_MAX, step(shared, client, &task)).await;
            has_worked |= step.map_err(|_late| Trouble::Late)??;
        }
        if !has_worked {
            return Ok(());
        }
    }
}

/// What there may be to do.
async fn due(shared: &Shared) -> Result<Vec<Task>, Trouble> {
    let view = View::open(shared).await?;
    let mut tasks = Vec::new();
    let now = shared.options.clock.now();
    for row in view.client()?.query(forget::STANDING, &[]).await? {
        let Some(path) = CollectionPath::parse(row.try_get(0)?) else {
            continue;
        };
        let standing = forget::Standing::of(&row)?;
        let retention = forget::retention(&view.catalog, &path);
        if path.as_str() == TRANSACTIONS && standing.has_outcomes(now) {
            tasks.push(Task::Outcomes);
        }
        if standing.has_history(retention, now) {
            tasks.push(Task::History(path.clone()));
        }
        if standing.has_tombstones(retention, now) {
            tasks.push(Task::Tombstones(path));
        }
    }
    for collection in view.catalog.collections.values() {
        let building = collection.indexes.iter().chain(&collection.text);
        let building = building.filter(|index| !index.is_complete);
        tasks.extend(building.map(|index| Task::Build(collection.path.clone(), index.number)));
    }
    let sql = "SELECT number FROM milepost.indexes WHERE is_dropped";
    for row in view.client()?.query(sql, &[]).await? {
        tasks.push(Task::Drop(row.try_get(0)?));
    }
    view.end()?;
    Ok(tasks)
}

/// Does a step of a task; answers whether there was anything to do.
async fn step(shared: &Shared, client: &ClientWrapper, task: &Task) -> Result<bool, Trouble> {
    client.batch_execute(&format!("BEGIN; {LOCK}")).await?;
    let stepped = match task {
        Task::History(path) => forget::history(shared, client, path).await,
        Task::Tombstones(path) => forget::tombstones(shared, client, path).await,
        Task::Outcomes => forget::outcomes(shared, client).await,
        Task::Build(path, index) => build::build(shared, client, path, *index).await,
        Task::Drop(index) => build::drop_entries(client, *index).await,
    };
    let end = if matches!(stepped, Ok(true)) {
        "COMMIT"
    } else {
        "ROLLBACK"
    };
    client.batch_execute(end).await?;
    stepped
}

/// The catalog as it is now, under the store's lock.
async fn catalog(shared: &Shared, client: &ClientWrapper) -> Result<Arc<Catalog>, Trouble> {
    let known = shared.catalog();
    let row = client
        .query_one("SELECT epoch FROM milepost.store", &[])
        .await?;
    if row.try_get::<_, i64>(0)? == known.epoch {
        return Ok(known);
    }
    let catalog = crate::catalog::load(client, Some(&known)).await?;
    Ok(Arc::new(catalog))
}
