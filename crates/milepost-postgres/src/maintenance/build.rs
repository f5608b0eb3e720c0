//! Completing an index with what is older than itself, and taking away one that was dropped.
//!
//! An index is declared at a row. Writes keep it from there on; what was written before is caught up
//! with in the order of rows, each version with the row that superseded it, so that the index also
//! knows the past as far as that is remembered.

use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, Definition,
    backend::{index_value_or_other, parse_stored, text_of},
};
use tokio_postgres::Row;

use super::{STEP, catalog};
use crate::{catalog::StoredIndex, rows::STANDS, shared::Shared, trouble::Trouble, words::kept};

/// Versions with a body between two rows.
const OLDER: &str = "
SELECT row, parent, id, superseded, body FROM milepost.versions
WHERE collection = $1 AND row > $2 AND row <= $3 AND NOT deleted AND (NOT $4 OR superseded IS NULL)
ORDER BY row LIMIT $5";
const ENTRIES: &str = "
INSERT INTO milepost.entries
SELECT $1, * FROM unnest($2::bytea[], $3::text[], $4::text[], $5::bigint[], $6::bigint[])";
const TEXTS: &str = "
INSERT INTO milepost.texts
SELECT $1, parent, id, row, string_to_array(words, ' ')
FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS n (words, parent, id, row)
ON CONFLICT DO NOTHING";

/// Completes an index whatever it was declared at, in a transaction of the caller's.
pub(crate) async fn fill(
    client: &ClientWrapper,
    collection: i32,
    index: &StoredIndex,
    definition: &Definition,
) -> Result<(), Trouble> {
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let is_text = index.name.is_empty();
    let statement = client.prepare_cached(OLDER).await?;
    let mut built = -1_i64;
    loop {
        let values: [&(dyn tokio_postgres::types::ToSql + Sync); 5] =
            [&collection, &built, &i64::MAX, &is_text, &most];
        let rows = client.query(&statement, &values).await?;
        let Some(last) = rows.last() else {
            return Ok(());
        };
        built = last.try_get(0)?;
        insert(client, index, definition, &rows).await?;
    }
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
    let built = "SELECT built FROM milepost.indexes WHERE number = $1";
    let built: i64 = client.query_one(built, &[&number]).await?.try_get(0)?;
    let most = i64::try_from(STEP).unwrap_or(i64::MAX);
    let is_text = index.name.is_empty();
    let rows = client
        .query(
            OLDER,
            &[&collection.number, &built, &index.declared, &is_text, &most],
        )
        .await?;
    if rows.len() < STEP {
        let complete = "UPDATE milepost.indexes SET is_complete = true WHERE number = $1";
        client.execute(complete, &[&number]).await?;
        let epoch = "UPDATE milepost.store SET epoch = epoch + 1";
        client.execute(epoch, &[]).await?;
    }
    if let Some(last) = rows.last() {
        let sql = "UPDATE milepost.indexes SET built = $2 WHERE number = $1";
        let last: i64 = last.try_get(0)?;
        client.execute(sql, &[&number, &last]).await?;
        insert(client, index, definition, &rows).await?;
    }
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
