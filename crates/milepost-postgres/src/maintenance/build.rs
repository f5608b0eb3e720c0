//! Completing an index with what is older than itself, and taking away one that was dropped.
//!
//! An index is declared at a row. Writes keep it from there on; what was written before is caught up
//! with resource by resource, each from its newest version back, so that the index also knows the past as
//! far as that is remembered. Where the walk is, is kept; a resource whose past is long is left in
//! the middle of it.

use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Definition,
    backend::{index_value_or_other, parse_stored, text_of},
};
use tokio_postgres::{Row, types::ToSql};

use super::{STEP, catalog};
use crate::{
    catalog::{StoredIndex, leap},
    rows::STANDS,
    shared::Shared,
    trouble::Trouble,
    words::kept,
};

/// The most resources that are looked at in one step, each as far back as a step goes.
const KEYS_AT_ONCE: i64 = 100;
/// How many representations are read at a time.
const BODIES_AT_ONCE: usize = 64;

/// The versions of the next resources, from the newest back, each with the one that replaced it.
const NEXT: &str = "
SELECT k.parent, k.id, b.row, b.by FROM (
    SELECT parent, id, row FROM milepost.keys
    WHERE collection = $1 AND (parent, id) > ($2, $3) ORDER BY parent, id LIMIT $4) AS k
CROSS JOIN LATERAL (
    WITH RECURSIVE back (row, by, replaced, taken) AS (
        SELECT v.row, NULL::bigint, v.replaced, 1::bigint FROM milepost.versions v
        WHERE v.collection = $1 AND v.row = k.row
        UNION ALL
        SELECT v.row, back.row, v.replaced, back.taken + 1 FROM back
        JOIN milepost.versions v ON v.collection = $1 AND v.row = back.replaced
        WHERE back.taken < $5)
    SELECT row, by FROM back) AS b
ORDER BY k.parent, k.id, b.row DESC";
/// The same of one resource, from a version on that was done already.
const FURTHER: &str = "
WITH RECURSIVE back (row, by, replaced, taken) AS (
    SELECT v.row, NULL::bigint, v.replaced, 0::bigint FROM milepost.versions v
    WHERE v.collection = $1 AND v.row = $2
    UNION ALL
    SELECT v.row, back.row, v.replaced, back.taken + 1 FROM back
    JOIN milepost.versions v ON v.collection = $1 AND v.row = back.replaced
    WHERE back.taken < $3)
SELECT row, by FROM back WHERE by IS NOT NULL ORDER BY row DESC";
const BODIES: &str = "
SELECT v.row, v.parent, v.id, asked.by, v.body FROM unnest($2::bigint[], $3::bigint[]) AS asked (row, by)
JOIN milepost.versions v ON v.collection = $1 AND v.row = asked.row AND v.body IS NOT NULL";
const ENTRIES: &str = "
INSERT INTO milepost.entries
SELECT $1, * FROM unnest($2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])";
const TEXTS: &str = "
INSERT INTO milepost.texts
SELECT $1, parent, id, row, string_to_array(words, ' ')
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS n (words, parent, id, row)
ON CONFLICT DO NOTHING";

/// Where the walk is.
#[derive(Clone, Debug, Default)]
struct Walk {
    /// The last resource that was looked at.
    parent: String,
    id: String,
    /// The last of its versions, where it has more; 0 where it was done.
    row: i64,
}

/// Versions to be entered, each with the one that replaced it.
type Found = Vec<(i64, Option<i64>)>;

impl Walk {
    /// The next versions; `None` where there are no more resources.
    async fn next(
        &mut self,
        client: &ClientWrapper,
        collection: i32,
    ) -> Result<Option<Found>, Trouble> {
        let step = i64::try_from(STEP).unwrap_or(i64::MAX);
        if self.row != 0 {
            let statement = client.prepare_cached(FURTHER).await?;
            let values: [&(dyn ToSql + Sync); 3] = [&collection, &self.row, &step];
            let rows = client.query(&statement, &values).await?;
            let found = rows
                .iter()
                .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)));
            let found = found.collect::<Result<Found, Trouble>>()?;
            self.pause(&found);
            return Ok(Some(found));
        }
        let statement = client.prepare_cached(NEXT).await?;
        let values: [&(dyn ToSql + Sync); 5] =
            [&collection, &self.parent, &self.id, &KEYS_AT_ONCE, &step];
        let rows = client.query(&statement, &values).await?;
        let mut found = Found::new();
        for of_one in rows.chunk_by(is_of_one) {
            let Some(first) = of_one.first().filter(|_| found.len() < STEP) else {
                break;
            };
            (self.parent, self.id) = (first.try_get(0)?, first.try_get(1)?);
            let versions = of_one
                .iter()
                .map(|row| Ok((row.try_get(2)?, row.try_get(3)?)));
            let versions = versions.collect::<Result<Found, Trouble>>()?;
            self.pause(&versions);
            found.extend(versions);
        }
        Ok((!rows.is_empty()).then_some(found))
    }

    /// Remembers the last version of a resource that may have more.
    fn pause(&mut self, versions: &Found) {
        let last = versions.last().filter(|_| versions.len() >= STEP);
        self.row = last.map_or(0, |(row, _)| *row);
    }
}

fn is_of_one(one: &Row, other: &Row) -> bool {
    let key = |row: &Row| {
        let (parent, id) = (row.try_get::<_, String>(0), row.try_get::<_, String>(1));
        parent.ok().zip(id.ok())
    };
    key(one) == key(other)
}

/// Completes an index whatever it was declared at, in a transaction of the caller's.
pub(crate) async fn fill(
    client: &ClientWrapper,
    collection: i32,
    index: &StoredIndex,
    definition: &Definition,
) -> Result<(), Trouble> {
    let mut walk = Walk::default();
    while let Some(found) = walk.next(client, collection).await? {
        enter(client, collection, index, definition, found).await?;
    }
    Ok(())
}

/// Enters versions that are due: all with a body in an index of values, the newest one in a text index.
async fn enter(
    client: &ClientWrapper,
    collection: i32,
    index: &StoredIndex,
    definition: &Definition,
    mut due: Found,
) -> Result<(), Trouble> {
    due.retain(|(_, by)| !index.name.is_empty() || by.is_none());
    for due in due.chunks(BODIES_AT_ONCE) {
        let (rows, by): (Vec<i64>, Vec<Option<i64>>) = due.iter().copied().unzip();
        let statement = client.prepare_cached(BODIES).await?;
        let rows = client.query(&statement, &[&collection, &rows, &by]).await?;
        insert(client, index, definition, &rows).await?;
    }
    Ok(())
}

/// Does a step of completing an index.
pub(super) async fn build(
    shared: &Shared,
    client: &ClientWrapper,
    path: &CollectionPath,
    number: i64,
) -> Result<bool, Trouble> {
    let catalog = catalog(shared, client).await?;
    let Some(collection) = catalog.collections.get(path) else {
        return Ok(false);
    };
    let mut indexes = collection.indexes.iter().chain(&collection.text);
    let index = indexes.find(|index| index.number == number && !index.is_complete);
    let (Some(index), Some(definition)) = (index, collection.definition.as_deref()) else {
        return Ok(false);
    };
    let walked = "SELECT built_parent, built_id, built FROM milepost.indexes WHERE number = $1";
    let walked = client.query_one(walked, &[&number]).await?;
    let mut walk = Walk {
        parent: walked.try_get(0)?,
        id: walked.try_get(1)?,
        row: walked.try_get(2)?,
    };
    let Some(mut found) = walk.next(client, collection.number).await? else {
        let complete = "UPDATE milepost.indexes SET is_complete = true WHERE number = $1";
        client.execute(complete, &[&number]).await?;
        let epoch = "UPDATE milepost.store SET epoch = epoch + $1";
        client.execute(epoch, &[&leap()]).await?;
        return Ok(true);
    };
    // What is newer was entered when it was written.
    found.retain(|(row, _)| *row <= index.declared);
    enter(client, collection.number, index, definition, found).await?;
    let sql = "UPDATE milepost.indexes SET built_parent = $2, built_id = $3, built = $4
               WHERE number = $1";
    let values: [&(dyn ToSql + Sync); 4] = [&number, &walk.parent, &walk.id, &walk.row];
    client.execute(sql, &values).await?;
    Ok(true)
}

async fn insert(
    client: &ClientWrapper,
    index: &StoredIndex,
    definition: &Definition,
    rows: &[Row],
) -> Result<(), Trouble> {
    let mut numbers: Vec<i64> = Vec::with_capacity(rows.len());
    let (mut parents, mut ids): (Vec<&str>, Vec<&str>) = (Vec::new(), Vec::new());
    let mut until: Vec<i64> = Vec::with_capacity(rows.len());
    let (mut values, mut words): (Vec<Vec<u8>>, Vec<String>) = (Vec::new(), Vec::new());
    for row in rows {
        numbers.push(row.try_get(0)?);
        parents.push(row.try_get(1)?);
        ids.push(row.try_get(2)?);
        until.push(row.try_get::<_, Option<i64>>(3)?.unwrap_or(STANDS));
        let body = parse_stored(row.try_get(4)?);
        match definition.index(&index.name) {
            Some(declared) => values.push(index_value_or_other(declared, &body)),
            None => words.push(kept(&text_of(definition, &body))),
        }
    }
    let number = index.number;
    if index.name.is_empty() {
        client
            .execute(TEXTS, &[&number, &words, &parents, &ids, &numbers])
            .await?;
    } else {
        client
            .execute(
                ENTRIES,
                &[&number, &values, &parents, &ids, &numbers, &until],
            )
            .await?;
    }
    Ok(())
}

/// Takes some entries of a dropped index away, and at last the index itself.
pub(super) async fn drop_entries(client: &ClientWrapper, number: i64) -> Result<bool, Trouble> {
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let mut gone = 0;
    for table in ["entries", "texts"] {
        let sql = format!(
            "DELETE FROM milepost.{table} WHERE ctid = ANY (ARRAY(
                 SELECT ctid FROM milepost.{table} WHERE index_number = $1 LIMIT $2))"
        );
        gone += client.execute(&sql, &[&number, &most]).await?;
    }
    if gone == 0 {
        let sql = "DELETE FROM milepost.indexes WHERE number = $1 AND is_dropped";
        client.execute(sql, &[&number]).await?;
    }
    Ok(true)
}
