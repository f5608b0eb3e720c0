//! The sequencer's own connection. Each one begins an incarnation: what it commits carries a salt of
//! its own, so that whatever happened to the database in between (a restore, a failover that lost
//! commits) its positions are not taken for those of a history that is no more.

use milepost_store::backend::random;
use tokio::time::{Instant, timeout_at};
use tokio_postgres::AsyncMessage;

use crate::{
    connect::{self, Line},
    options::Options,
    shared::Shared,
    trouble::Trouble,
};

/// Settings of the connection: a node that stands still in the middle of a batch must not hold the
/// lock for long, and no setting of the server may make a commit less durable than the server is.
const SETTINGS: &str = "SET idle_in_transaction_session_timeout = '5s';
SET statement_timeout = 0; SET lock_timeout = 0; SET default_transaction_isolation = 'read committed'";

/// The sequencer's side of the database, connected or not.
pub(crate) struct Sequencing {
    /// Drawn when the node started.
    pub(super) sequencer: i64,
    /// How many batches it has tried.
    pub(super) batch: i64,
    line: Option<Line>,
}

impl Sequencing {
    pub(crate) fn new() -> Self {
        Self {
            sequencer: i64::from_ne_bytes(random().to_ne_bytes()),
            batch: 0,
            line: None,
        }
    }

    /// Gives the connection up.
    pub(super) fn disconnect(&mut self) {
        self.line = None;
    }

    /// Connects where there is no connection.
    pub(crate) async fn connect(
        &mut self,
        options: &Options,
        deadline: Instant,
    ) -> Result<(), Trouble> {
        if self
            .line
            .as_ref()
            .is_some_and(|line| !line.client.is_closed())
        {
            return Ok(());
        }
        self.line = None;
        let connecting = begin(options, self.sequencer);
        let line = timeout_at(deadline, connecting)
            .await
            .map_err(|_late| Trouble::Late)??;
        self.line = Some(line);
        Ok(())
    }

    pub(super) async fn line(
        &mut self,
        shared: &Shared,
        deadline: Instant,
    ) -> Result<&mut Line, Trouble> {
        self.connect(&shared.options, deadline).await?;
        self.line.as_mut().ok_or(Trouble::Late)
    }
}

async fn begin(options: &Options, sequencer: i64) -> Result<Line, Trouble> {
    let line = connect::line(&options.database).await?;
    let salt = i64::from_ne_bytes(random().to_ne_bytes());
    // Under the store's lock nobody commits meanwhile, so the salt is that of the next commit on.
    let beginning = format!(
        "{SETTINGS}; BEGIN;
         UPDATE milepost.store SET epoch = epoch + 1;
         INSERT INTO milepost.incarnations SELECT head + 1, {salt} FROM milepost.store
             ON CONFLICT (first_sequence) DO UPDATE SET salt = excluded.salt;
         INSERT INTO milepost.sequencers VALUES ({sequencer}, 0) ON CONFLICT DO NOTHING;
         COMMIT"
    );
    line.client.batch_execute(&beginning).await?;
    Ok(line)
}

/// Whether the server said that a commit is on fewer machines than it was asked for. It says so in
/// a warning beside the success.
pub(super) fn is_doubtful(line: &mut Line) -> bool {
    let mut is_doubtful = false;
    while let Ok(message) = line.messages.try_recv() {
        if let AsyncMessage::Notice(notice) = message {
            is_doubtful |= notice.message().contains("synchronous replication");
        }
    }
    is_doubtful
}
