//! Taking a store out of a database.

use async_trait::async_trait;
use bytes::Bytes;
use deadpool_postgres::ClientWrapper;
use milepost_store::{
    CollectionPath, MaintenanceError,
    backend::Incarnation,
    transfer::{Outline, Part, Row, Source},
};

use crate::{
    OpenError,
    catalog::{self, Collection},
    connect::Line,
    nodes,
    options::Options,
    rows::{sequence_of, unsigned},
    schema,
    trouble::Trouble,
    view::digest,
};

/// A database whose store is taken out.
pub struct Leaving {
    line: Line,
}

impl std::fmt::Debug for Leaving {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Leaving")
    }
}

const COLLECTIONS: &str = "
SELECT c.name, c.head, c.defined_at, c.history_floor, c.tombstone_floor, c.digest,
    (SELECT count(*) FROM milepost.versions v WHERE v.collection = c.number)
FROM milepost.collections c ORDER BY c.number";
const ROWS: &str = "
SELECT v.row, v.parent, v.id, v.replaced, v.modified, v.digest, v.body, k.row IS NOT NULL
FROM milepost.collections c
JOIN milepost.versions v ON v.collection = c.number
LEFT JOIN milepost.keys k ON k.collection = v.collection AND k.parent = v.parent AND k.id = v.id
    AND k.row = v.row
WHERE c.name = $1 AND v.row > $2 ORDER BY v.row LIMIT $3";

impl Leaving {
    /// For the store in a database.
    ///
    /// # Errors
    /// [`OpenError::NoStore`] where there is none, [`OpenError::InUse`] where nodes serve it, and
    /// whatever keeps a node from opening it.
    pub async fn from(options: &Options) -> Result<Self, OpenError> {
        let of = |trouble| OpenError::of(trouble, &options.database);
        let (connector, ..) = crate::way_to_primary(options).await?;
        let line = connector.line().await.map_err(of)?;
        schema::require_store(&line.client, options).await?;
        let nodes = nodes::running(&line.client).await.map_err(of)?;
        if !nodes.is_empty() {
            return Err(OpenError::InUse { nodes });
        }
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
        let begun = line.client.batch_execute(begin).await;
        begun.map_err(|error| of(error.into()))?;
        Ok(Self { line })
    }

    async fn read_outline(&self) -> Result<Outline, Trouble> {
        let client = &self.line.client;
        let catalog = catalog::load(client, None).await?;
        let head = "SELECT head, history FROM milepost.store";
        let head = client.query_one(head, &[]).await?;
        let history: &str = head.try_get(1)?;
        let mut collections = Vec::new();
        for row in client.query(COLLECTIONS, &[]).await? {
            let name: &str = row.try_get(0)?;
            let path = CollectionPath::parse(name).ok_or_else(|| malformed(name))?;
            let number = |at| Ok::<_, Trouble>(unsigned(row.try_get(at)?));
            let known = catalog.collections.get(&path);
            collections.push(Part {
                head: number(1)?,
                defined_at: number(2)?,
                history_floor: number(3)?,
                tombstone_floor: number(4)?,
                digest: digest(row.try_get(5)?),
                version_count: number(6)?,
                indexes: known.map_or_else(Vec::new, |known| indexes(known)),
                path,
            });
        }
        Ok(Outline {
            history: history.parse().map_err(|_other| malformed(history))?,
            head: unsigned(head.try_get(0)?),
            incarnations: incarnations(client).await?,
            collections,
        })
    }

    async fn read_rows(&self, part: &Part, after: i64, limit: usize) -> Result<Vec<Row>, Trouble> {
        let client = &self.line.client;
        let statement = client.prepare_cached(ROWS).await?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let name = part.path.as_str();
        let rows = client.query(&statement, &[&name, &after, &limit]).await?;
        rows.iter().map(version).collect()
    }
}

fn malformed(what: &str) -> Trouble {
    Trouble::Malformed {
        what: what.to_owned(),
    }
}

fn indexes(collection: &Collection) -> Vec<(String, u64)> {
    let all = collection.indexes.iter().chain(&collection.text);
    all.map(|index| (index.name.clone(), sequence_of(index.declared)))
        .collect()
}

async fn incarnations(client: &ClientWrapper) -> Result<Vec<Incarnation>, Trouble> {
    let sql = "SELECT first_sequence, salt FROM milepost.incarnations ORDER BY first_sequence";
    let rows = client.query(sql, &[]).await?;
    let read = |row: &tokio_postgres::Row| {
        Ok(Incarnation {
            first_sequence: unsigned(row.try_get(0)?),
            salt: u64::from_ne_bytes(row.try_get::<_, i64>(1)?.to_ne_bytes()),
        })
    };
    rows.iter().map(read).collect()
}

fn version(row: &tokio_postgres::Row) -> Result<Row, Trouble> {
    let digest: Option<&[u8]> = row.try_get(5)?;
    let body: Option<&[u8]> = row.try_get(6)?;
    Ok(Row {
        row: row.try_get(0)?,
        parent: row.try_get(1)?,
        id: row.try_get(2)?,
        replaced: row.try_get(3)?,
        modified: unsigned(row.try_get(4)?),
        digest: digest.and_then(|digest| digest.try_into().ok()),
        body: body.map(Bytes::copy_from_slice),
        is_newest: row.try_get(7)?,
    })
}

#[async_trait]
impl Source for Leaving {
    async fn outline(&mut self) -> Result<Outline, MaintenanceError> {
        Ok(self.read_outline().await?)
    }

    async fn rows(
        &mut self,
        part: &Part,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Row>, MaintenanceError> {
        Ok(self.read_rows(part, after, limit).await?)
    }
}
