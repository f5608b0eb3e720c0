//! What must be done with a database that was restored from a backup, before it is served: its
//! history is another one from here on, so that no position or entity tag of before is taken for one
//! of now.

use deadpool_postgres::ClientWrapper;
use milepost_semantics::History;
use milepost_store::{CollectionPath, SetDigest, TRANSACTIONS, backend::random};
use tokio_postgres::types::ToSql;

use crate::{
    OpenError,
    catalog::{self, Catalog, leap},
    options::Options,
    rows::{self, sequence_of},
    schema,
    sequencer::LOCK,
    trouble::Trouble,
};

/// How many resources are read at a time.
const READ_AT_ONCE: i64 = 1000;

/// Gives the store a new history, while nobody serves it. Every bookmark of before is unknown from
/// here on, and who follows starts again.
///
/// # Errors
/// [`OpenError::NoStore`] where the database holds none, and where there is no database, or one of a newer
/// version.
pub async fn begin_history(options: &Options) -> Result<(), OpenError> {
    let (connector, ..) = crate::way_to_primary(options).await?;
    let of = |trouble| OpenError::of(trouble, &options.database);
    let line = connector.line().await.map_err(of)?;
    schema::require_store(&line.client, options).await?;
    begin(&line.client).await.map_err(of)
}

async fn begin(client: &ClientWrapper) -> Result<(), Trouble> {
    client.batch_execute(&format!("BEGIN; {LOCK}")).await?;
    let history = History::from_random(random());
    let sql = "UPDATE milepost.store SET history = $1, epoch = epoch + $2";
    let values: [&(dyn ToSql + Sync); 2] = [&history.as_str(), &leap()];
    client.execute(sql, &values).await?;
    let catalog = catalog::load(client, None).await?;
    for (path, collection) in &catalog.collections {
        if path.as_str() != TRANSACTIONS {
            let digest = digest(client, &catalog, path, collection.number).await?;
            let sql = "UPDATE milepost.collections SET digest = $2 WHERE number = $1";
            let digest = digest.to_bytes().to_vec();
            client.execute(sql, &[&collection.number, &digest]).await?;
        }
    }
    Ok(client.batch_execute("COMMIT").await?)
}

/// The digest of what is there, under the entity tags of the new history.
pub(crate) async fn digest(
    client: &ClientWrapper,
    catalog: &Catalog,
    path: &CollectionPath,
    number: i32,
) -> Result<SetDigest, Trouble> {
    let sql = "SELECT row, parent, id FROM milepost.keys
               WHERE collection = $1 AND (parent, id) > ($2, $3) AND NOT deleted
               ORDER BY parent, id LIMIT $4";
    let statement = client.prepare_cached(sql).await?;
    let mut digest = SetDigest::default();
    let mut after = (String::new(), String::new());
    loop {
        let found = client
            .query(&statement, &[&number, &after.0, &after.1, &READ_AT_ONCE])
            .await?;
        let Some(last) = found.last() else {
            return Ok(digest);
        };
        after = (last.try_get(1)?, last.try_get(2)?);
        for row in &found {
            let key = rows::key(path, row.try_get(1)?, row.try_get(2)?)?;
            let sequence = sequence_of(row.try_get(0)?);
            digest.add(&key, catalog.lineage.position(sequence));
        }
    }
}
