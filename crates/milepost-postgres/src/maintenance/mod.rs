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
    catalog::Catalog,
    connect::{BY_KEY, Line},
    sequencer::LOCK,
    shared::Shared,
    trouble::Trouble,
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

/// Looks after the store for as long as the node runs, over one connection as long as that lasts.
pub(crate) async fn run(shared: Arc<Shared>, pause: Duration) {
    let mut line = None;
    loop {
        sleep(pause).await;
        // Whatever failed is tried again, by this node or another one.
        if look_after(&shared, &mut line).await.is_err() {
            line = None;
        }
    }
}

async fn look_after(shared: &Shared, line: &mut Option<Line>) -> Result<(), Trouble> {
    let most = shared.options.write_deadline;
    if line.as_ref().is_none_or(|line| line.client.is_closed()) {
        let opening = timeout(most, open(shared)).await;
        *line = Some(opening.map_err(|_late| Trouble::Late)??);
    }
    let client = &line.as_ref().ok_or(Trouble::Late)?.client;
    let lock = "SELECT pg_try_advisory_lock($1)";
    let locking = timeout(most, client.query_one(lock, &[&LOOKING_AFTER])).await;
    if !locking
        .map_err(|_late| Trouble::Late)??
        .try_get::<_, bool>(0)?
    {
        return Ok(());
    }
    let worked = work(shared, client).await;
    let unlock = "SELECT pg_advisory_unlock($1)";
    let unlocking = timeout(most, client.execute(unlock, &[&LOOKING_AFTER])).await;
    unlocking.map_err(|_late| Trouble::Late)??;
    worked
}

/// A connection that works are done over.
async fn open(shared: &Shared) -> Result<Line, Trouble> {
    let line = shared.connector.line().await?;
    // A node that stands still in the middle of a step must not hold the lock for long.
    let settings = format!("{BY_KEY}; SET idle_in_transaction_session_timeout = '3s'");
    line.client.batch_execute(&settings).await?;
    Ok(line)
}

/// Does everything that is due, once no other node does any more.
pub(crate) async fn settle(shared: &Shared) -> Result<(), Trouble> {
    let line = open(shared).await?;
    let lock = "SELECT pg_advisory_lock($1)";
    line.client.execute(lock, &[&LOOKING_AFTER]).await?;
    // The lock goes with the connection.
    work(shared, &line.client).await
}

async fn work(shared: &Shared, client: &ClientWrapper) -> Result<(), Trouble> {
    loop {
        let mut has_worked = false;
        let due = timeout(STEP_MAX, due(shared)).await;
        for task in due.map_err(|_late| Trouble::Late)?? {
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
