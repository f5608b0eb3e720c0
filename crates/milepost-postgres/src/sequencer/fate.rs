//! What became of a commit whose answer was lost.
//!
//! Every batch writes its number into the row of its sequencer, so the row says which batch was the
//! last that stands. The database's own status of the transaction says whether that can still
//! change. Neither alone is enough: a server that took over may have given the transaction's id to
//! another one, and a row says nothing about a commit that is still under way.
//!
//! That it stands on this server is not enough either where others are to have it: a server that goes
//! down may show what only it has. So a commit stands once a later one, of nothing, was acknowledged
//! without doubt: what came before it is where it is.

use std::time::Duration;

use tokio::time::{Instant, sleep, timeout_at};

use super::{attempt::Committing, line::is_doubtful};
use crate::{connect::Line, shared::Shared, trouble::Trouble};

/// How long to wait before asking again.
const PAUSE: Duration = Duration::from_millis(50);

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It was committed.
    Stands,
    /// Nothing of it was.
    Nothing,
    /// Nobody could say in time.
    Unknown,
}

pub(super) async fn find(shared: &Shared, committing: &Committing, until: Instant) -> Fate {
    loop {
        let asking = timeout_at(until, ask(shared, committing)).await;
        match asking {
            Ok(Ok(Some(fate))) => return fate,
            Ok(Ok(None) | Err(_)) if Instant::now() < until => sleep(PAUSE).await,
            Ok(Ok(None) | Err(_)) | Err(_) => return Fate::Unknown,
        }
    }
}

/// `None`: it is still under way.
async fn ask(shared: &Shared, committing: &Committing) -> Result<Option<Fate>, Trouble> {
    let mut line = shared.connector.line().await?;
    let client = &line.client;
    let status = "SELECT pg_xact_status($1::text::xid8)";
    let status = client.query_one(status, &[&committing.transaction]).await;
    let status: Option<String> = match status {
        Ok(row) => row.try_get(0)?,
        // An id that this server has never given: it took over without hearing of it.
        Err(error) if error.as_db_error().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    if status.as_deref() == Some("in progress") {
        return Ok(None);
    }
    // Asked after the status, so that it is not older.
    let row = "SELECT batch FROM milepost.sequencers WHERE sequencer = $1";
    let row = client.query_opt(row, &[&committing.sequencer]).await?;
    let last: Option<i64> = row.map(|row| row.try_get(0)).transpose()?;
    match last {
        Some(last) if last == committing.batch => confirm(&mut line, committing.sequencer).await,
        Some(_) => Ok(Some(Fate::Nothing)),
        // Its row is gone, with what it would have said.
        None => Ok(Some(Fate::Unknown)),
    }
}

/// Commits something that changes nothing; `None` where that is in doubt too.
async fn confirm(line: &mut Line, sequencer: i64) -> Result<Option<Fate>, Trouble> {
    is_doubtful(line);
    let sql = "UPDATE milepost.sequencers SET seen = now() WHERE sequencer = $1";
    line.client.execute(sql, &[&sequencer]).await?;
    Ok((!is_doubtful(line)).then_some(Fate::Stands))
}
