//! Forgetting: old versions, tombstones and recorded outcomes, when their bounds are reached.
//!
//! The order of forgetting is the order of commits, so that what is still answerable can be told
//! exactly by two positions per collection. A floor rises in the commit in which what lies below it
//! goes: no answer is ever built from what is half gone.

use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Timestamp,
    backend::{OUTCOMES, OWN_RETENTION},
    definition::{Bounds, Retention},
};

use super::{STEP, catalog};
use crate::{
    catalog::Catalog,
    rows::{last_row_of, sequence_of, signed, size, unsigned},
    shared::Shared,
    trouble::Trouble,
};

/// Something that retention counts.
struct Kept {
    sequence: u64,
    at: u64,
    bytes: u64,
}

/// How much is kept.
#[derive(Clone, Copy)]
struct Held {
    count: u64,
    bytes: u64,
}

fn retention(catalog: &Catalog, path: &CollectionPath) -> Retention {
    let defined = catalog.definitions.of(path);
    defined.map_or(OWN_RETENTION, |defined| defined.definition.retention)
}

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
    let held = held(client, number, "history_count, history_bytes").await?;
    let sql = "SELECT superseded, superseded_at, octet_length(body) FROM milepost.versions
               WHERE collection = $1 AND superseded IS NOT NULL ORDER BY superseded LIMIT $2";
    let kept = kept(client, sql, number).await?;
    let bounds = retention(&catalog, path).history;
    let Some(floor) = floor(&kept, held, bounds, shared.options.clock.now()) else {
        return Ok(false);
    };
    let (floor, last) = (signed(floor), last_row_of(floor));
    let forget = "
        WITH gone AS (
            DELETE FROM milepost.versions
            WHERE collection = $1 AND superseded IS NOT NULL AND superseded <= $2
            RETURNING coalesce(octet_length(body), 0) AS bytes
        ), counted AS (SELECT count(*) AS count, coalesce(sum(bytes), 0)::bigint AS bytes FROM gone)
        UPDATE milepost.collections SET history_floor = greatest(history_floor, $3),
            history_count = history_count - counted.count,
            history_bytes = history_bytes - counted.bytes
        FROM counted WHERE number = $1";
    client.execute(forget, &[&number, &last, &floor]).await?;
    let left = "
        DELETE FROM milepost.entries e USING milepost.indexes i
        WHERE i.collection = $1 AND e.index_number = i.number
            AND e.until < 9223372036854775807 AND e.until <= $2";
    client.execute(left, &[&number, &last]).await?;
    tell_floors(client).await
}

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
    let held = held(client, number, "tombstone_count, 0::bigint").await?;
    let sql = "SELECT row, modified, 0 FROM milepost.versions
               WHERE collection = $1 AND superseded IS NULL AND deleted ORDER BY row LIMIT $2";
    let kept = kept(client, sql, number).await?;
    let bounds = retention(&catalog, path).tombstones;
    let Some(floor) = floor(&kept, held, bounds, shared.options.clock.now()) else {
        return Ok(false);
    };
    let (floor, last) = (signed(floor), last_row_of(floor));
    let forget = "
        WITH gone AS (
            DELETE FROM milepost.versions
            WHERE collection = $1 AND superseded IS NULL AND deleted AND row <= $2 RETURNING 1
        )
        UPDATE milepost.collections SET tombstone_floor = greatest(tombstone_floor, $3),
            tombstone_count = tombstone_count - (SELECT count(*) FROM gone)
        WHERE number = $1";
    client.execute(forget, &[&number, &last, &floor]).await?;
    tell_floors(client).await
}

/// Floors are a part of what every node knows of the store.
async fn tell_floors(client: &ClientWrapper) -> Result<bool, Trouble> {
    let sql = "UPDATE milepost.store SET epoch = epoch + 1";
    client.execute(sql, &[]).await?;
    Ok(true)
}

/// Forgets some recorded outcomes of transactions, without a trace.
pub(super) async fn outcomes(shared: &Shared, client: &ClientWrapper) -> Result<bool, Trouble> {
    let catalog = catalog(shared, client).await?;
    let Some(number) = catalog.number(&CollectionPath::transactions()) else {
        return Ok(false);
    };
    let held = held(client, number, "live, 0::bigint").await?;
    let sql = "SELECT row, modified, 0 FROM milepost.versions
               WHERE collection = $1 AND superseded IS NULL ORDER BY row LIMIT $2";
    let kept = kept(client, sql, number).await?;
    let Some(floor) = floor(&kept, held, OUTCOMES, shared.options.clock.now()) else {
        return Ok(false);
    };
    let forget = "
        WITH gone AS (
            DELETE FROM milepost.versions WHERE collection = $1 AND row <= $2 RETURNING 1
        )
        UPDATE milepost.collections SET live = live - (SELECT count(*) FROM gone)
        WHERE number = $1";
    client
        .execute(forget, &[&number, &last_row_of(floor)])
        .await?;
    Ok(true)
}

async fn held(client: &ClientWrapper, number: i32, columns: &str) -> Result<Held, Trouble> {
    let sql = format!("SELECT {columns} FROM milepost.collections WHERE number = $1");
    let row = client.query_one(&sql, &[&number]).await?;
    Ok(Held {
        count: unsigned(row.try_get(0)?),
        bytes: unsigned(row.try_get(1)?),
    })
}

/// The oldest of what is kept: `sql` tells a row, when it was written, and how long it is.
async fn kept(client: &ClientWrapper, sql: &str, number: i32) -> Result<Vec<Kept>, Trouble> {
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let rows = client.query(sql, &[&number, &most]).await?;
    let kept = rows.iter().map(|row| {
        Ok(Kept {
            sequence: sequence_of(row.try_get(0)?),
            at: unsigned(row.try_get(1)?),
            bytes: u64::try_from(size(row.try_get(2)?)).unwrap_or(0),
        })
    });
    kept.collect()
}

/// The newest sequence that has to be forgotten for the rest to be within bounds, as far as this can
/// be told from the oldest.
fn floor(kept: &[Kept], held: Held, bounds: Bounds, now: Timestamp) -> Option<u64> {
    let Held {
        mut count,
        mut bytes,
    } = held;
    let mut floor = None;
    for kept in kept {
        let too_old = bounds
            .age_ms
            .is_some_and(|age_ms| kept.at.saturating_add(age_ms) < now.0);
        let too_many = bounds.count.is_some_and(|most| count > most);
        let too_large = bounds.bytes.is_some_and(|most| bytes > most);
        if !(too_old || too_many || too_large) {
            break;
        }
        floor = Some(kept.sequence);
        count = count.saturating_sub(1);
        bytes = bytes.saturating_sub(kept.bytes);
    }
    floor
}
