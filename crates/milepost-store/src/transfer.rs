//! A whole store, taken out of one backend and put into another: every position, entity tag and bookmark
//! means the same in the copy.
//!
//! What is carried over is what a store remembers: its history and salts, its collections with their
//! floors and digests, and every version that is kept. What can be made of that (indexes, counters) is
//! made anew by the backend that takes it in. A copy is whole or not there at all.

use async_trait::async_trait;
use bytes::Bytes;
use milepost_semantics::History;

use crate::{CollectionPath, MaintenanceError, SetDigest, positions::Incarnation};

/// How many versions are carried at a time.
const AT_ONCE: usize = 64;

/// What a store is, beside its versions.
#[derive(Clone, Debug)]
pub struct Outline {
    /// What every position begins with.
    pub history: History,
    /// The sequence of the newest commit.
    pub head: u64,
    /// In ascending order.
    pub incarnations: Vec<Incarnation>,
    /// Every collection that ever was, the service's own included.
    pub collections: Vec<Part>,
}

/// What a store remembers of a collection, beside its versions.
#[derive(Clone, Debug)]
pub struct Part {
    /// The collection.
    pub path: CollectionPath,
    /// The commit that last changed it.
    pub head: u64,
    /// The commit that declared it; 0 where it isn't declared.
    pub defined_at: u64,
    /// Snapshots before are no longer complete.
    pub history_floor: u64,
    /// Changes since before are no longer complete.
    pub tombstone_floor: u64,
    /// Of what is there now.
    pub digest: SetDigest,
    /// Its declared indexes, in the definition's order, the text index last and without a name; and
    /// the commit that declared each.
    pub indexes: Vec<(String, u64)>,
    /// How many versions are kept.
    pub version_count: u64,
}

/// A version as it is kept.
#[derive(Clone, Debug)]
pub struct Row {
    /// Its number: the sequence of its commit, and its place in it.
    pub row: i64,
    /// Where its resource lies.
    pub parent: String,
    /// Its resource's id.
    pub id: String,
    /// The version that it replaced.
    pub replaced: Option<i64>,
    /// When it was made, in milliseconds since 1970.
    pub modified: u64,
    /// What was asked for, where that matters.
    pub digest: Option<[u8; 16]>,
    /// `None`: a tombstone.
    pub body: Option<Bytes>,
    /// Whether no other version has replaced it.
    pub is_newest: bool,
}

/// A store that is taken out.
#[async_trait]
pub trait Source: Send {
    /// What it is, at one moment, which the versions are of too.
    async fn outline(&mut self) -> Result<Outline, MaintenanceError>;

    /// Versions of a collection after a row, in the order of rows, at most `limit`.
    async fn rows(
        &mut self,
        part: &Part,
        after: i64,
        limit: usize,
    ) -> Result<Vec<Row>, MaintenanceError>;
}

/// A place that is empty, and takes a store in.
#[async_trait]
pub trait Target: Send {
    /// Begins with this outline.
    async fn begin(&mut self, outline: &Outline) -> Result<(), MaintenanceError>;

    /// Takes versions of a collection in, in the order of rows.
    async fn put(&mut self, part: &Part, rows: Vec<Row>) -> Result<(), MaintenanceError>;

    /// Everything was put: from here on the store is there, whole, and proven to hold what its digests
    /// say.
    async fn finish(&mut self, outline: &Outline) -> Result<(), MaintenanceError>;
}

/// Copies a store. `told`: how many versions are carried over already.
///
/// # Errors
/// [`MaintenanceError`] of either side; then nothing is at the target.
pub async fn copy(
    source: &mut dyn Source,
    target: &mut dyn Target,
    mut told: impl FnMut(u64, &Outline) + Send,
) -> Result<Outline, MaintenanceError> {
    let outline = source.outline().await?;
    target.begin(&outline).await?;
    let mut carried = 0;
    for part in &outline.collections {
        let mut after = -1;
        loop {
            let rows = source.rows(part, after, AT_ONCE).await?;
            let Some(last) = rows.last() else { break };
            after = last.row;
            carried += u64::try_from(rows.len()).unwrap_or(0);
            target.put(part, rows).await?;
            told(carried, &outline);
        }
    }
    target.finish(&outline).await?;
    Ok(outline)
}
