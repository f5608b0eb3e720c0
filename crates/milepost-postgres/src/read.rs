//! Reading one resource: as it is now, as it was, and what it has been.

use milepost_semantics::Position;
use milepost_store::{
    CollectionPath, CollectionState, ReadError, ResourceKey, Version, VersionPage,
};

use crate::{
    rows::{last_row_of, row_number, unsigned, version},
    shared::Shared,
    trouble::Trouble,
    view::View,
};

/// One statement, so that the head and the version are of one moment.
const NEWEST: &str = "
SELECT s.epoch, s.head, v.row, v.replaced, v.modified, v.body FROM milepost.store s
LEFT JOIN milepost.keys k ON k.collection = $1 AND k.parent = $2 AND k.id = $3
LEFT JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row";
/// From the newest version back, until one is reached that stood then.
const AS_OF: &str = "
WITH RECURSIVE back (row, replaced) AS (
    SELECT v.row, v.replaced FROM milepost.keys k
    JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row
    WHERE k.collection = $1 AND k.parent = $2 AND k.id = $3
    UNION ALL
    SELECT v.row, v.replaced FROM back
    JOIN milepost.versions v ON v.collection = $1 AND v.row = back.replaced
    WHERE back.row > $4)
SELECT v.row, v.replaced, v.modified, v.body FROM back
JOIN milepost.versions v ON v.collection = $1 AND v.row = back.row
WHERE back.row <= $4";
const MADE_BY: &str = "
SELECT row, replaced, modified, body FROM milepost.versions
WHERE collection = $1 AND row BETWEEN $4 AND $5 AND parent = $2 AND id = $3
ORDER BY row DESC LIMIT 1";
/// From the newest version back, as far as there are as many as are asked for.
const ALL: &str = "
WITH RECURSIVE back (row, replaced, taken) AS (
    SELECT v.row, v.replaced, (v.row < $4)::integer::bigint FROM milepost.keys k
    JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row
    WHERE k.collection = $1 AND k.parent = $2 AND k.id = $3
    UNION ALL
    SELECT v.row, v.replaced, back.taken + (v.row < $4)::integer::bigint FROM back
    JOIN milepost.versions v ON v.collection = $1 AND v.row = back.replaced
    WHERE back.taken < $5)
SELECT v.row, v.replaced, v.modified, v.body FROM back
JOIN milepost.versions v ON v.collection = $1 AND v.row = back.row
WHERE back.row < $4 ORDER BY back.row DESC";

/// The newest version of a resource.
pub(crate) async fn newest(
    shared: &Shared,
    key: &ResourceKey,
) -> Result<Option<Version>, ReadError> {
    loop {
        let (catalog, began) = (shared.catalog(), shared.moment());
        // A collection that isn't known here may be known to others: the view finds out.
        let number = catalog.number(&key.collection).unwrap_or_default();
        let client = shared.pool.get().await.map_err(Trouble::from)?;
        let statement = client.prepare_cached(NEWEST).await.map_err(Trouble::from)?;
        let (parent, id) = (key.parent.as_str(), key.id.as_str());
        let asked = client.query_one(&statement, &[&number, &parent, &id]).await;
        let row = asked.map_err(Trouble::from)?;
        if row.try_get::<_, i64>(0).map_err(Trouble::from)? == catalog.epoch {
            let head = unsigned(row.try_get(1).map_err(Trouble::from)?);
            shared.saw(&catalog, head, began);
            let found: Option<i64> = row.try_get(2).map_err(Trouble::from)?;
            return Ok(found
                .map(|_| version(&row, 2, &catalog.lineage))
                .transpose()?);
        }
        drop(client);
        View::open(shared).await?.end()?;
    }
}

/// The version that stood at a position.
pub(crate) async fn as_of(
    view: View,
    key: &ResourceKey,
    at: Position,
) -> Result<Option<Version>, ReadError> {
    let remembered = view.remembered(&key.collection).await?;
    let last = last_row_of(view.as_of(at, remembered)?);
    let found = one(&view, AS_OF, key, &[last]).await?;
    view.end()?;
    Ok(found)
}

/// The version that the write at a position made.
pub(crate) async fn made_by(
    view: View,
    key: &ResourceKey,
    position: Position,
) -> Result<Option<Version>, ReadError> {
    let remembered = view.remembered(&key.collection).await?;
    let sequence = view.known(position, remembered)?;
    let rows = [row_number(sequence, 0), last_row_of(sequence)];
    let found = one(&view, MADE_BY, key, &rows).await?;
    view.end()?;
    Ok(found)
}

/// A page of what a resource has been, newest first.
pub(crate) async fn versions(
    shared: &Shared,
    key: &ResourceKey,
    before: Option<Position>,
    limit: usize,
) -> Result<VersionPage, ReadError> {
    let view = View::open(shared).await?;
    let remembered = view.remembered(&key.collection).await?;
    let before = match before {
        Some(before) => row_number(view.known(before, remembered)?, 0),
        None => i64::MAX,
    };
    let limit = limit.max(1);
    let more = i64::try_from(limit).unwrap_or(i64::MAX - 1) + 1;
    let mut versions = some(&view, ALL, key, &[before, more]).await?;
    view.end()?;
    let is_more = versions.len() > limit;
    versions.truncate(limit);
    let before = versions
        .last()
        .filter(|_| is_more)
        .map(|version| version.position);
    Ok(VersionPage { versions, before })
}

/// What is remembered of a collection.
pub(crate) async fn collection(
    shared: &Shared,
    path: &CollectionPath,
) -> Result<Option<CollectionState>, ReadError> {
    let view = View::open(shared).await?;
    let remembered = view.remembered(path).await?;
    let catalog = std::sync::Arc::clone(&view.catalog);
    view.end()?;
    let Ok(definition) = catalog.defined(path) else {
        return Ok(None);
    };
    let position = |sequence| catalog.lineage.position(sequence);
    Ok(Some(CollectionState {
        definition,
        defined_at: position(remembered.defined_at),
        head: position(remembered.head),
        oldest_snapshot: position(remembered.history_floor),
        oldest_change: position(remembered.tombstone_floor),
    }))
}

async fn one(
    view: &View,
    sql: &str,
    key: &ResourceKey,
    numbers: &[i64],
) -> Result<Option<Version>, Trouble> {
    Ok(some(view, sql, key, numbers).await?.pop())
}

async fn some(
    view: &View,
    sql: &str,
    key: &ResourceKey,
    numbers: &[i64],
) -> Result<Vec<Version>, Trouble> {
    let Some(collection) = view.catalog.number(&key.collection) else {
        return Ok(Vec::new());
    };
    let client = view.client()?;
    let statement = client.prepare_cached(sql).await?;
    let (parent, id) = (key.parent.as_str(), key.id.as_str());
    let mut values: Vec<&(dyn tokio_postgres::types::ToSql + Sync)> =
        vec![&collection, &parent, &id];
    for number in numbers {
        values.push(number);
    }
    let rows = client.query(&statement, &values).await?;
    rows.iter()
        .map(|row| version(row, 0, view.lineage()))
        .collect()
}

/// The versions of rows, in no order.
pub(crate) async fn of_rows(
    view: &View,
    rows: &[(i32, i64)],
) -> Result<std::collections::HashMap<i64, Version>, Trouble> {
    let sql = "SELECT v.row, v.replaced, v.modified, v.body
               FROM unnest($1::integer[], $2::bigint[]) AS asked (collection, row)
               JOIN milepost.versions v ON v.collection = asked.collection AND v.row = asked.row";
    let client = view.client()?;
    let statement = client.prepare_cached(sql).await?;
    let (collections, numbers): (Vec<i32>, Vec<i64>) = rows.iter().copied().unzip();
    let found = client.query(&statement, &[&collections, &numbers]).await?;
    found
        .iter()
        .map(|row| Ok((row.try_get(0)?, version(row, 0, view.lineage())?)))
        .collect()
}
