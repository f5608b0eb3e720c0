//! The sequencer's own connection. Each one begins an incarnation: what it commits carries a salt of
//! its own, so that whatever happened to the database in between (a restore, a failover that lost
//! commits) its positions are not taken for those of a history that is no more.

use milepost_store::backend::random;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::{AsyncMessage, error::Severity};

use crate::{
    catalog::leap,
    connect::{BY_KEY, Connector, Line},
    nodes::{self, Node},
    shared::Shared,
    trouble::Trouble,
};

/// Settings of the connection: a node that stands still in the middle of a batch must not hold the
/// lock for long.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '3s';
SET statement_timeout = 0; SET lock_timeout = 0; SET default_transaction_isolation = 'read committed'";

/// The store's lock, until the transaction ends: who holds it writes, alone among all nodes. Who waits
/// for it has it in turn. It is an advisory one ("mile" in ASCII, and a three): a row's would be
/// written to disk. What is read behind it has to be another statement, so that it sees what the one
/// before has committed.
pub(crate) const LOCK: &str = "SELECT pg_advisory_xact_lock(7883951803736260611)";

/// The sequencer's side of the database, connected or not.
pub(super) struct Sequencing {
    /// Drawn when the node started.
    pub(super) sequencer: i64,
    /// How many batches it has tried.
    pub(super) batch: i64,
    line: Option<Line>,
}

impl Sequencing {
    /// Begins with a first connection, if the nodes that run agree.
    pub(super) async fn begin(connector: &Connector, node: &Node) -> Result<Self, Trouble> {
        let sequencer = i64::from_ne_bytes(random().to_ne_bytes());
        Ok(Self {
            sequencer,
            batch: 0,
            line: Some(begin(connector, sequencer, node, Others::Ask).await?),
        })
    }

    /// Gives the connection up.
    pub(super) fn disconnect(&mut self) {
        self.line = None;
    }

    /// The connection, made where there is none.
    pub(super) async fn line(
        &mut self,
        shared: &Shared,
        deadline: Instant,
    ) -> Result<&mut Line, Trouble> {
        let is_there = |line: &Line| !line.client.is_closed() && shared.targets.is_certain();
        if !self.line.as_ref().is_some_and(is_there) {
            self.line = None;
            let node = Node {
                name: shared.options.node.name.clone(),
                keys: shared.keys.borrow().clone(),
            };
            let beginning = begin(&shared.connector, self.sequencer, &node, Others::Ignore);
            let line = timeout_at(deadline, beginning).await;
            self.line = Some(line.map_err(|_late| Trouble::Late)??);
        }
        self.line.as_mut().ok_or(Trouble::Late)
    }
}

/// What other nodes have to say about one that begins.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Others {
    /// They must agree.
    Ask,
    /// They have agreed before.
    Ignore,
}

async fn begin(
    connector: &Connector,
    sequencer: i64,
    node: &Node,
    others: Others,
) -> Result<Line, Trouble> {
    let line = connector.line().await?;
    let client = &line.client;
    // Under the store's lock nobody commits meanwhile, so the salt is that of the next commit on.
    let leap = leap();
    client
        .batch_execute(&format!("{SETTINGS}; {BY_KEY}"))
        .await?;
    client.batch_execute(&format!("BEGIN; {LOCK}")).await?;
    let epoch = format!("UPDATE milepost.store SET epoch = epoch + {leap}");
    client.batch_execute(&epoch).await?;
    if others == Others::Ask {
        nodes::agree(client, sequencer, node).await?;
    }
    let salt = i64::from_ne_bytes(random().to_ne_bytes());
    let incarnation = "INSERT INTO milepost.incarnations SELECT head + 1, $1 FROM milepost.store
         ON CONFLICT (first_sequence) DO UPDATE SET salt = excluded.salt";
    client.execute(incarnation, &[&salt]).await?;
    nodes::register(client, sequencer, node).await?;
    client.batch_execute("COMMIT").await?;
    Ok(line)
}

/// Whether the server said that a commit is on fewer machines than it was asked for. It says so in
/// a warning beside the success.
pub(super) fn is_doubtful(line: &mut Line) -> bool {
    let mut is_doubtful = false;
    while let Ok(message) = line.messages.try_recv() {
        if let AsyncMessage::Notice(notice) = message {
            // Whatever it warns of: its words are in the server's language.
            is_doubtful |= notice.parsed_severity() == Some(Severity::Warning);
        }
    }
    is_doubtful
}
