//! Forgetting: old versions, tombstones and recorded outcomes, when their bounds are reached.
//!
//! The order of forgetting is the order of commits, so that what is still answerable can be told
//! exactly by two positions per collection. A floor rises in the commit in which what lies below it
//! goes: no answer is ever built from what is half gone.
//!
//! * *History.* Walking a collection's versions, what each one replaced was superseded at its commit. It
//!   goes when history is over its bounds, oldest first. How far the walk has come is kept.
//! * *Tombstones* go in the order they were made, but not before the walk above has passed them: a
//!   tombstone is what leads to the version that it replaced.

use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Timestamp,
    backend::{OUTCOMES, OWN_RETENTION},
    definition::{Bounds, Retention},
};
use tokio_postgres::{Row, types::ToSql};

use super::{STEP, catalog};
use crate::{
    catalog::{Catalog, leap},
    rows::{sequence_of, signed, size, unsigned},
    shared::Shared,
    trouble::Trouble,
};

/// A version, as the walk over history meets it.
struct Walked {
    row: i64,
    modified: u64,
    /// The version that it replaced, and how long that is, where it is still there.
    replaced: Option<(i64, u64)>,
}

/// How much is kept, and how much of it at most, now.
struct Held {
    count: u64,
    bytes: u64,
    bounds: Bounds,
    now: Timestamp,
}

impl Held {
    /// Whether something that was made then has to go.
    fn is_over(&self, made_ms: u64) -> bool {
        let is_over = |bound: Option<u64>, held: u64| bound.is_some_and(|most| held > most);
        let age_ms = self.now.0.saturating_sub(made_ms);
        is_over(self.bounds.count, self.count)
            || is_over(self.bounds.bytes, self.bytes)
            || is_over(self.bounds.age_ms, age_ms)
    }

    /// Takes something off that was made then, where it has to go.
    fn lets_go(&mut self, made_ms: u64, bytes: u64) -> bool {
        let goes = self.is_over(made_ms);
        if goes {
            self.count = self.count.saturating_sub(1);
            self.bytes = self.bytes.saturating_sub(bytes);
        }
        goes
    }
}

pub(super) fn retention(catalog: &Catalog, path: &CollectionPath) -> Retention {
    let defined = catalog.definitions.of(path);
    defined.map_or(OWN_RETENTION, |defined| defined.definition.retention)
}

/// How much each collection keeps, and how old the oldest is that may have to go.
pub(super) const STANDING: &str = "
SELECT c.name, c.history_count, c.history_bytes, c.tombstone_count, c.live,
    (SELECT v.modified FROM milepost.versions v
     WHERE v.collection = c.number AND v.row > c.history_cursor ORDER BY v.row LIMIT 1),
    (SELECT v.modified FROM milepost.versions v
     WHERE v.collection = c.number AND v.body IS NULL ORDER BY v.row LIMIT 1),
    (SELECT v.modified FROM milepost.versions v
     WHERE v.collection = c.number ORDER BY v.row LIMIT 1)
FROM milepost.collections c";

/// What a collection keeps, as it is seen without the store's lock: so that this is asked for only
/// where there is something to forget.
pub(super) struct Standing {
    history: (u64, u64),
    tombstones: u64,
    live: u64,
    /// When the next version was made that the walk over history meets.
    walked_ms: Option<u64>,
    deleted_ms: Option<u64>,
    oldest_ms: Option<u64>,
}

impl Standing {
    pub(super) fn of(row: &Row) -> Result<Self, Trouble> {
        let number = |at| Ok::<_, Trouble>(unsigned(row.try_get(at)?));
        let time = |at| Ok::<_, Trouble>(row.try_get::<_, Option<i64>>(at)?.map(unsigned));
        Ok(Self {
            history: (number(1)?, number(2)?),
            tombstones: number(3)?,
            live: number(4)?,
            walked_ms: time(5)?,
            deleted_ms: time(6)?,
            oldest_ms: time(7)?,
        })
    }

    pub(super) fn has_history(&self, retention: Retention, now: Timestamp) -> bool {
        let (count, bytes) = self.history;
        is_due(count, bytes, (retention.history, now), self.walked_ms)
    }

    pub(super) fn has_tombstones(&self, retention: Retention, now: Timestamp) -> bool {
        is_due(
            self.tombstones,
            0,
            (retention.tombstones, now),
            self.deleted_ms,
        )
    }

    /// Of recorded outcomes.
    pub(super) fn has_outcomes(&self, now: Timestamp) -> bool {
        is_due(self.live, 0, (OUTCOMES, now), self.oldest_ms)
    }
}

fn is_due(count: u64, bytes: u64, (bounds, now): (Bounds, Timestamp), oldest: Option<u64>) -> bool {
    let held = Held {
        count,
        bytes,
        bounds,
        now,
    };
    count > 0 && oldest.is_some_and(|oldest| held.is_over(oldest))
}

const COUNTERS: &str = "
SELECT history_count, history_bytes, tombstone_count, live, history_cursor
FROM milepost.collections WHERE number = $1";
const WALK: &str = "
SELECT v.row, v.modified, o.row, octet_length(o.body) FROM milepost.versions v
LEFT JOIN milepost.versions o ON o.collection = v.collection AND o.row = v.replaced
WHERE v.collection = $1 AND v.row > $2 ORDER BY v.row LIMIT $3";
const FORGET: &str = "
DELETE FROM milepost.versions v USING unnest($2::bigint[]) AS gone (row)
WHERE v.collection = $1 AND v.row = gone.row";
const FORGOTTEN: &str = "
UPDATE milepost.collections SET history_floor = greatest(history_floor, $2), history_cursor = $3,
    history_count = $4, history_bytes = $5 WHERE number = $1";
/// Values that were left before.
const LEFT: &str = "
DELETE FROM milepost.entries e USING milepost.indexes i
WHERE i.collection = $1 AND e.index_number = i.number
    AND e.until < 9223372036854775807 AND e.until <= $2";

/// Forgets some versions that were superseded.
pub(super) async fn history(
    shared: &Shared,
    client: &ClientWrapper,
    path: &CollectionPath,
) -> Result<bool, Trouble> {
    let catalog = catalog(shared, client).await?;
    let Some(number) = catalog.number(path) else {
        return Ok(false);
    };
    let counters = client.query_one(COUNTERS, &[&number]).await?;
    let before: i64 = counters.try_get(4)?;
    let mut held = Held {
        count: unsigned(counters.try_get(0)?),
        bytes: unsigned(counters.try_get(1)?),
        bounds: retention(&catalog, path).history,
        now: shared.options.clock.now(),
    };
    let (mut gone, mut cursor, mut floor) = (Vec::new(), before, 0);
    for walked in walk(client, number, before).await? {
        if let Some((row, bytes)) = walked.replaced {
            if !held.lets_go(walked.modified, bytes) {
                break;
            }
            gone.push(row);
            floor = sequence_of(walked.row);
        }
        cursor = walked.row;
    }
    if cursor == before {
        return Ok(false);
    }
    client.execute(FORGET, &[&number, &gone]).await?;
    let (count, bytes) = (signed(held.count), signed(held.bytes));
    let values: [&(dyn ToSql + Sync); 5] = [&number, &signed(floor), &cursor, &count, &bytes];
    client.execute(FORGOTTEN, &values).await?;
    if gone.is_empty() {
        return Ok(true);
    }
    client.execute(LEFT, &[&number, &cursor]).await?;
    tell_floors(client).await
}

/// The next versions on the walk.
async fn walk(client: &ClientWrapper, number: i32, after: i64) -> Result<Vec<Walked>, Trouble> {
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let rows = client.query(WALK, &[&number, &after, &most]).await?;
    let walked = rows.iter().map(|row| {
        let replaced: Option<i64> = row.try_get(2)?;
        let bytes = u64::try_from(size(row.try_get(3)?)).unwrap_or(0);
        Ok(Walked {
            row: row.try_get(0)?,
            modified: unsigned(row.try_get(1)?),
            replaced: replaced.map(|replaced| (replaced, bytes)),
        })
    });
    walked.collect()
}

const TOMBSTONES: &str = "
SELECT v.row, v.modified FROM milepost.versions v
JOIN milepost.keys k ON k.collection = v.collection AND k.parent = v.parent AND k.id = v.id AND k.row = v.row
WHERE v.collection = $1 AND v.row <= $2 AND v.body IS NULL ORDER BY v.row LIMIT $3";
/// What stands, and with it the last that was known of its resource.
const FORGET_WHOLLY: &str = "
WITH gone AS (
    DELETE FROM milepost.versions v USING unnest($2::bigint[]) AS n (row)
    WHERE v.collection = $1 AND v.row = n.row RETURNING v.parent, v.id
)
DELETE FROM milepost.keys k USING gone
WHERE k.collection = $1 AND k.parent = gone.parent AND k.id = gone.id";

/// Forgets some of what says that a resource was deleted.
pub(super) async fn tombstones(
    shared: &Shared,
    client: &ClientWrapper,
    path: &CollectionPath,
) -> Result<bool, Trouble> {
    let catalog = catalog(shared, client).await?;
    let Some(number) = catalog.number(path) else {
        return Ok(false);
    };
    let counters = client.query_one(COUNTERS, &[&number]).await?;
    let cursor: i64 = counters.try_get(4)?;
    let mut held = Held {
        count: unsigned(counters.try_get(2)?),
        bytes: 0,
        bounds: retention(&catalog, path).tombstones,
        now: shared.options.clock.now(),
    };
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let found = client.query(TOMBSTONES, &[&number, &cursor, &most]).await?;
    let gone = going(&found, &mut held)?;
    let Some(last) = gone.last() else {
        return Ok(false);
    };
    client.execute(FORGET_WHOLLY, &[&number, &gone]).await?;
    let forgotten = "UPDATE milepost.collections SET tombstone_count = $3,
                     tombstone_floor = greatest(tombstone_floor, $2) WHERE number = $1";
    let (floor, count) = (signed(sequence_of(*last)), signed(held.count));
    client
        .execute(forgotten, &[&number, &floor, &count])
        .await?;
    tell_floors(client).await
}

/// The rows that have to go, of those that are told with when they were made, oldest first.
fn going(rows: &[Row], held: &mut Held) -> Result<Vec<i64>, Trouble> {
    let mut gone = Vec::new();
    for row in rows {
        if !held.lets_go(unsigned(row.try_get(1)?), 0) {
            break;
        }
        gone.push(row.try_get(0)?);
    }
    Ok(gone)
}

/// Floors are a part of what every node knows of the store.
async fn tell_floors(client: &ClientWrapper) -> Result<bool, Trouble> {
    let sql = "UPDATE milepost.store SET epoch = epoch + $1";
    client.execute(sql, &[&leap()]).await?;
    Ok(true)
}

/// Forgets some recorded outcomes of transactions, without a trace.
pub(super) async fn outcomes(shared: &Shared, client: &ClientWrapper) -> Result<bool, Trouble> {
    let catalog = catalog(shared, client).await?;
    let Some(number) = catalog.number(&CollectionPath::transactions()) else {
        return Ok(false);
    };
    let counters = client.query_one(COUNTERS, &[&number]).await?;
    let mut held = Held {
        count: unsigned(counters.try_get(3)?),
        bytes: 0,
        bounds: OUTCOMES,
        now: shared.options.clock.now(),
    };
    let sql = "SELECT row, modified FROM milepost.versions
               WHERE collection = $1 ORDER BY row LIMIT $2";
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let gone = going(&client.query(sql, &[&number, &most]).await?, &mut held)?;
    if gone.is_empty() {
        return Ok(false);
    }
    client.execute(FORGET_WHOLLY, &[&number, &gone]).await?;
    let sql = "UPDATE milepost.collections SET live = $2 WHERE number = $1";
    client.execute(sql, &[&number, &signed(held.count)]).await?;
    Ok(true)
}
