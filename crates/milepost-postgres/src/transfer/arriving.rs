//! Taking a store into a database, within one transaction.

use std::collections::HashMap;

use async_trait::async_trait;
use milepost_store::{
    CollectionPath, MaintenanceError, TRANSACTIONS,
    transfer::{Outline, Part, Row, Target},
};
use tokio_postgres::types::ToSql;

use crate::{
    OpenError,
    catalog::{self, Catalog, StoredIndex, stands_for, text_stands_for},
    connect::{BY_KEY, Line},
    maintenance::build,
    options::Options,
    restored,
    rows::{last_row_of, row_number, signed},
    schema,
    sequencer::{ADDED, VERSIONS},
    trouble::Trouble,
};

/// A database that takes a store in.
pub struct Arriving {
    line: Line,
    numbers: HashMap<CollectionPath, i32>,
}

impl std::fmt::Debug for Arriving {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Arriving")
    }
}

/// What follows from the versions: history is what doesn't stand.
const COUNTED: &str = "
UPDATE milepost.collections c SET live = stands.live, tombstone_count = stands.tombstones,
    history_count = kept.count - stands.live - stands.tombstones,
    history_bytes = kept.bytes - stands.bytes
FROM (SELECT collection, count(*) AS count, coalesce(sum(octet_length(body)), 0)::bigint AS bytes
      FROM milepost.versions GROUP BY collection) AS kept
JOIN (SELECT k.collection, count(*) FILTER (WHERE NOT k.deleted) AS live,
          count(*) FILTER (WHERE k.deleted) AS tombstones,
          coalesce(sum(octet_length(v.body)), 0)::bigint AS bytes
      FROM milepost.keys k JOIN milepost.versions v ON v.collection = k.collection AND v.row = k.row
      GROUP BY k.collection) AS stands USING (collection)
WHERE kept.collection = c.number";
const COLLECTION: &str = "
INSERT INTO milepost.collections
    (number, name, head, defined_at, history_floor, tombstone_floor, digest, history_cursor)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
const INDEX: &str = "
INSERT INTO milepost.indexes (collection, number, name, stands_for, declared, is_complete)
VALUES ($1, $2, $3, $4, $5, true)";

impl Arriving {
    /// For a database without a store.
    ///
    /// # Errors
    /// [`OpenError::NotEmpty`] where there is one, and whatever keeps a node from opening one there.
    pub async fn at(options: &Options) -> Result<Self, OpenError> {
        let of = |trouble| OpenError::of(trouble, &options.database);
        let (connector, ..) = crate::way_to_primary(options).await?;
        let line = connector.line().await.map_err(of)?;
        schema::require_version(&line.client, options).await?;
        if schema::standing(&line.client).await.map_err(of)?.is_some() {
            return Err(OpenError::NotEmpty {
                place: options.database.to_string(),
            });
        }
        Ok(Self {
            line,
            numbers: HashMap::new(),
        })
    }

    async fn begin_tables(&mut self, outline: &Outline) -> Result<(), Trouble> {
        let client = &self.line.client;
        let beginning = format!("{BY_KEY}; BEGIN; {}", schema::TABLES);
        client.batch_execute(&beginning).await?;
        let store = "INSERT INTO milepost.store (format, history, head) VALUES ($1, $2, $3)";
        let (history, head) = (outline.history.as_str(), signed(outline.head));
        let values: [&(dyn ToSql + Sync); 3] = [&schema::FORMAT, &history, &head];
        client.execute(store, &values).await?;
        for incarnation in &outline.incarnations {
            let sql = "INSERT INTO milepost.incarnations VALUES ($1, $2)";
            let first = signed(incarnation.first_sequence);
            let salt = i64::from_ne_bytes(incarnation.salt.to_ne_bytes());
            client.execute(sql, &[&first, &salt]).await?;
        }
        for (number, part) in (1_i32..).zip(&outline.collections) {
            let digest = part.digest.to_bytes().to_vec();
            // The walk of retention begins again at the commit of the floor.
            let cursor = row_number(part.history_floor, 0).saturating_sub(1).max(0);
            let values: [&(dyn ToSql + Sync); 8] = [
                &number,
                &part.path.as_str(),
                &signed(part.head),
                &signed(part.defined_at),
                &signed(part.history_floor),
                &signed(part.tombstone_floor),
                &digest,
                &cursor,
            ];
            client.execute(COLLECTION, &values).await?;
            self.numbers.insert(part.path.clone(), number);
        }
        Ok(())
    }

    fn number(&self, part: &Part) -> i32 {
        self.numbers.get(&part.path).copied().unwrap_or_default()
    }

    async fn insert(&self, part: &Part, rows: &[Row]) -> Result<(), Trouble> {
        let client = &self.line.client;
        let number = self.number(part);
        let statement = client.prepare_cached(VERSIONS).await?;
        let values: [&(dyn ToSql + Sync); 8] = [
            &column(rows, |row| row.row),
            &column(rows, |row| row.replaced),
            &column(rows, |row| signed(row.modified)),
            &vec![number; rows.len()],
            &column(rows, |row| row.parent.clone()),
            &column(rows, |row| row.id.clone()),
            &column(rows, |row| row.digest.map(|digest| digest.to_vec())),
            &column(rows, |row| row.body.as_ref().map(|body| body.to_vec())),
        ];
        client.execute(&statement, &values).await?;
        let newest: Vec<&Row> = rows.iter().filter(|row| row.is_newest).collect();
        let statement = client.prepare_cached(ADDED).await?;
        let values: [&(dyn ToSql + Sync); 5] = [
            &column(&newest, |row| row.row),
            &vec![number; newest.len()],
            &column(&newest, |row| row.body.is_none()),
            &column(&newest, |row| row.parent.clone()),
            &column(&newest, |row| row.id.clone()),
        ];
        client.execute(&statement, &values).await?;
        Ok(())
    }

    /// Counters, indexes, and the proof.
    async fn complete(&self, outline: &Outline) -> Result<(), Trouble> {
        let client = &self.line.client;
        client.batch_execute(COUNTED).await?;
        let catalog = catalog::load(client, None).await?;
        let mut made = 0_i64;
        for part in &outline.collections {
            for (name, declared) in &part.indexes {
                made += 1;
                self.index(&catalog, part, (made, name, *declared)).await?;
            }
            self.prove(&catalog, part).await?;
        }
        let sql = "UPDATE milepost.store SET indexes_made = $1";
        client.execute(sql, &[&made]).await?;
        Ok(client.batch_execute("COMMIT").await?)
    }

    /// What is there makes up the digest that was kept for it.
    async fn prove(&self, catalog: &Catalog, part: &Part) -> Result<(), Trouble> {
        if part.path.as_str() == TRANSACTIONS {
            return Ok(());
        }
        let client = &self.line.client;
        let digest = restored::digest(client, catalog, &part.path, self.number(part)).await?;
        if digest == part.digest {
            return Ok(());
        }
        let what = format!("other resources of {} than its digest says", part.path);
        Err(Trouble::Malformed { what })
    }

    async fn index(
        &self,
        catalog: &Catalog,
        part: &Part,
        (number, name, declared): (i64, &str, u64),
    ) -> Result<(), Trouble> {
        let known = catalog.collections.get(&part.path);
        let definition = known.and_then(|known| known.definition.as_deref());
        let (Some(collection), Some(definition)) = (known, definition) else {
            return Ok(());
        };
        let stands_for = match definition.index(name) {
            Some(index) => stands_for(index),
            None => text_stands_for(definition),
        };
        let index = StoredIndex {
            number,
            name: name.to_owned(),
            stands_for,
            declared: last_row_of(declared),
            is_complete: true,
        };
        let client = &self.line.client;
        let values: [&(dyn ToSql + Sync); 5] = [
            &collection.number,
            &number,
            &index.name,
            &index.stands_for,
            &index.declared,
        ];
        client.execute(INDEX, &values).await?;
        build::fill(client, collection.number, &index, definition).await
    }
}

fn column<R, T>(rows: &[R], of: impl Fn(&R) -> T) -> Vec<T> {
    rows.iter().map(of).collect()
}

#[async_trait]
impl Target for Arriving {
    async fn begin(&mut self, outline: &Outline) -> Result<(), MaintenanceError> {
        Ok(self.begin_tables(outline).await?)
    }

    async fn put(&mut self, part: &Part, rows: Vec<Row>) -> Result<(), MaintenanceError> {
        Ok(self.insert(part, &rows).await?)
    }

    async fn finish(&mut self, outline: &Outline) -> Result<(), MaintenanceError> {
        Ok(self.complete(outline).await?)
    }
}
