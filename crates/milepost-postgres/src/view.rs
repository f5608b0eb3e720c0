//! One moment of the store: a read-only transaction in which every question sees the same, with the
//! catalog of that moment.

use std::sync::Arc;

use deadpool_postgres::ClientWrapper;
use futures_util::future::FutureExt;
use milepost_semantics::Position;
use milepost_store::{CollectionPath, ReadError, SetDigest, backend::Lineage};

use crate::{
    catalog::{self, Catalog},
    connect::Object,
    rows::unsigned,
    shared::Shared,
    trouble::Trouble,
};

const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY";
const STORE: &str = "SELECT head, epoch FROM milepost.store";

/// See the module. One that is dropped without [`View::end`] takes its connection along.
pub(crate) struct View {
    client: Option<Object>,
    pub(crate) catalog: Arc<Catalog>,
    pub(crate) head: u64,
}

/// What is remembered of a collection at that moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Remembered {
    pub(crate) head: u64,
    pub(crate) defined_at: u64,
    pub(crate) live: u64,
    pub(crate) history_floor: u64,
    pub(crate) tombstone_floor: u64,
    pub(crate) digest: SetDigest,
}

/// The catalog and the head of one moment, for a node that begins.
pub(crate) async fn read(client: &ClientWrapper) -> Result<(Catalog, u64), Trouble> {
    client.batch_execute(BEGIN).await?;
    let catalog = catalog::load(client, None).await?;
    let head: i64 = client.query_one(STORE, &[]).await?.try_get(0)?;
    client.batch_execute("COMMIT").await?;
    Ok((catalog, unsigned(head)))
}

impl View {
    pub(crate) async fn open(shared: &Shared) -> Result<Self, Trouble> {
        let (began, known) = (shared.moment(), shared.catalog());
        let view = Self::of(shared.pool.get().await?, Arc::clone(&known)).await?;
        if view.catalog.epoch != known.epoch {
            shared.publish(&view.catalog, began);
        }
        shared.saw(&view.catalog, view.head, began);
        Ok(view)
    }

    /// The moment of a connection; what is declared is read where it isn't what is known.
    pub(crate) async fn of(client: Object, known: Arc<Catalog>) -> Result<Self, Trouble> {
        let mut view = Self {
            client: Some(client),
            catalog: known,
            head: 0,
        };
        let client = view.client()?;
        let store = client.prepare_cached(STORE).await?;
        let (begun, row) = tokio::join!(
            biased;
            client.batch_execute(BEGIN),
            client.query_one(&store, &[])
        );
        begun?;
        let row = row?;
        let epoch: i64 = row.try_get(1)?;
        view.head = unsigned(row.try_get(0)?);
        if epoch != view.catalog.epoch {
            view.catalog = Arc::new(catalog::load(view.client()?, Some(&view.catalog)).await?);
        }
        Ok(view)
    }

    pub(crate) fn client(&self) -> Result<&ClientWrapper, Trouble> {
        self.client.as_deref().ok_or(Trouble::Late)
    }

    pub(crate) fn lineage(&self) -> &Lineage {
        &self.catalog.lineage
    }

    pub(crate) fn position(&self, sequence: u64) -> Position {
        self.catalog.lineage.position(sequence)
    }

    /// Gives the connection back.
    pub(crate) fn end(mut self) -> Result<(), Trouble> {
        // Handed over, and not waited for: nothing depends on its answer, and whatever is asked over
        // this connection next comes after it.
        let ended = self.client()?.batch_execute("COMMIT").now_or_never();
        ended.transpose()?;
        // Back to the pool.
        self.client = None;
        Ok(())
    }

    /// What is remembered of a collection; nothing of one that was never heard of.
    pub(crate) async fn remembered(&self, path: &CollectionPath) -> Result<Remembered, Trouble> {
        let Some(number) = self.catalog.number(path) else {
            return Ok(Remembered::default());
        };
        let sql = "SELECT head, defined_at, live, history_floor, tombstone_floor, digest
                   FROM milepost.collections WHERE number = $1";
        let client = self.client()?;
        let statement = client.prepare_cached(sql).await?;
        let row = client.query_one(&statement, &[&number]).await?;
        Ok(Remembered {
            head: unsigned(row.try_get(0)?),
            defined_at: unsigned(row.try_get(1)?),
            live: unsigned(row.try_get(2)?),
            history_floor: unsigned(row.try_get(3)?),
            tombstone_floor: unsigned(row.try_get(4)?),
            digest: digest(row.try_get(5)?),
        })
    }

    /// The sequence of a position that was committed here, or the error that says from where on a
    /// collection is remembered.
    pub(crate) fn known(
        &self,
        position: Position,
        remembered: Remembered,
    ) -> Result<u64, ReadError> {
        self.lineage()
            .sequence(position, self.head)
            .ok_or_else(|| ReadError::Expired {
                oldest: self.position(remembered.history_floor),
            })
    }

    /// The sequence of a position at which everything of a collection is still remembered.
    pub(crate) fn as_of(
        &self,
        position: Position,
        remembered: Remembered,
    ) -> Result<u64, ReadError> {
        let sequence = self.known(position, remembered)?;
        if sequence < remembered.history_floor {
            return Err(ReadError::Expired {
                oldest: self.position(remembered.history_floor),
            });
        }
        Ok(sequence)
    }
}

impl Drop for View {
    fn drop(&mut self) {
        // A transaction that was not ended must not be found by who gets the connection next.
        if let Some(client) = self.client.take() {
            drop(Object::take(client));
        }
    }
}

/// A digest as it is stored.
pub(crate) fn digest(bytes: &[u8]) -> SetDigest {
    <[u8; 32]>::try_from(bytes).map_or_else(|_| SetDigest::default(), SetDigest::from_bytes)
}
