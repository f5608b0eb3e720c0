//! Many followers in one process: each the state machine of `milepost-sync`, over one connection to a
//! cache, as a task that costs no thread.
//!
//! They copy what the feed tells, compare digests with the server's, and rest as answers say. Nothing here
//! measures a server: what reached it, its own log tells.

mod connection;
mod follower;
mod light;
mod writer;

use std::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    rc::Rc,
    time::Duration,
};

use milepost_sync::{SetDigest, Url};
use serde_json::{Value, json};
use tokio::task::spawn_local;

use self::{connection::Connection, follower::Member};

/// What is to be done.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Whom followers ask.
    pub cache: SocketAddr,
    /// Who is written to.
    pub origin: SocketAddr,
    /// The collection's path, such as `/v1/documents`.
    pub collection: String,
    /// How many followers.
    pub followers: usize,
    /// Bookmarks that followers come back with, one after the other; none: they begin with nothing.
    pub bookmarks: Vec<String>,
    /// The time over which followers begin.
    pub beginning: Duration,
    /// Writes, after all are up to date, or, where they come back, at once.
    pub writes: u32,
    /// Writes per second, at most.
    pub writes_per_second: u32,
    /// How many documents are written to.
    pub documents: u32,
}

/// What the members share.
#[derive(Debug, Default)]
struct Shared {
    /// The server's digest after the last write.
    goal: Cell<Option<SetDigest>>,
    /// How many were up to date at least once.
    up_to_date: Cell<usize>,
    tally: RefCell<Tally>,
}

/// What they did together.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    requests: u64,
    failures: u64,
    pages: u64,
    changes: u64,
    restarts: u64,
    converged: u64,
}

/// How long to look away between two looks whether all are up to date.
const PAUSE: Duration = Duration::from_millis(50);

/// Runs the plan until every follower holds what the server holds; the figures, as JSON.
///
/// # Errors
/// When the server refuses a write, or a follower can't go on.
pub async fn run(plan: Plan) -> Result<Value, String> {
    let shared = Rc::new(Shared::default());
    let is_return = !plan.bookmarks.is_empty();
    let mut members = Vec::new();
    for number in 0..plan.followers {
        let member = member(&plan, number, &shared)?;
        members.push(spawn_local(member.run(share(
            plan.beginning,
            number,
            plan.followers,
        ))));
    }
    while !is_return && shared.up_to_date.get() < plan.followers {
        if let Some(at) = members
            .iter()
            .position(tokio::task::JoinHandle::is_finished)
        {
            members
                .remove(at)
                .await
                .map_err(|error| error.to_string())??;
        }
        tokio::time::sleep(PAUSE).await;
    }
    let before = *shared.tally.borrow();
    let head = writer::write(&plan).await?;
    shared.goal.set(Some(head));
    for member in members {
        member.await.map_err(|error| error.to_string())??;
    }
    let after = *shared.tally.borrow();
    Ok(json!({
        "followers": plan.followers,
        "writes": plan.writes,
        "requests": after.requests - before.requests,
        "pages": after.pages - before.pages,
        "changes": after.changes - before.changes,
        "failures": after.failures - before.failures,
        "restarts": after.restarts - before.restarts,
        "converged": after.converged,
        "requestsBefore": before.requests,
    }))
}

fn member(plan: &Plan, number: usize, shared: &Rc<Shared>) -> Result<Member, String> {
    let home = format!("http://{}{}", plan.cache, plan.collection);
    let home = Url::parse(&home).map_err(|error| error.to_string())?;
    let bookmark = plan.bookmarks.get(number % plan.bookmarks.len().max(1));
    let connection = Connection::to(plan.cache);
    Member::new(home, number, bookmark, connection, Rc::clone(shared))
}

/// When this one of many begins.
fn share(whole: Duration, number: usize, of: usize) -> Duration {
    let (number, of) = (u32::try_from(number), u32::try_from(of));
    whole * number.unwrap_or_default() / of.unwrap_or(1).max(1)
}
