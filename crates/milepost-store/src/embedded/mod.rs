//! The embedded backend: one directory, one process, SQLite.
//!
//! One thread writes (`writer`), any thread reads (`reader`), another one moves the write-ahead
//! log into the database (`checkpoint`). Reads never wait for the writer. In front of the database
//! lies a bounded `cache` of hot representations that is never behind it.

mod cache;
mod catalog;
mod checkpoint;
mod connection;
mod copies;
mod digests;
mod directory;
mod headroom;
mod integrity;
mod reader;
mod rows;
mod schema;
mod shared;
mod transfer;
mod values;
mod writer;

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use milepost_semantics::Position;
use rusqlite::ErrorCode;
use tokio::sync::{oneshot, watch};

use self::{
    checkpoint::Checkpointer,
    directory::Directory,
    reader::Asked,
    shared::{Shared, Standing},
    writer::{Request, Writer},
};
pub use self::{
    copies::restore,
    integrity::{Integrity, check},
    transfer::{Arriving, Leaving},
};
use crate::{
    ChangesPage, ChangesQuery, CollectionPath, CollectionState, Definitions, Health, Kind,
    ListQuery, MaintenanceError, Outcome, Page, ReadError, ResourceKey, Store, Transaction,
    Version, VersionPage, WriteError,
    clock::{Clock, SystemClock},
    decision::{self, Current, Limits},
};

/// How an embedded store is opened.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where the time comes from.
    pub clock: Arc<dyn Clock>,
    /// The most bytes of hot representations that are kept in memory.
    pub cache_bytes: usize,
    /// The most bytes of listings' pages that are kept in memory, beside the representations; and of
    /// the feeds' pages as many again.
    pub page_cache_bytes: usize,
    /// Bounds on what a patch may make of a representation.
    pub limits: Limits,
    /// The most transactions that wait for the writer; more are refused.
    pub queue_max: usize,
    /// The largest database file, in bytes; writes beyond it fail as on a full disk.
    pub bytes_max: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock),
            cache_bytes: 128 << 20,
            page_cache_bytes: 32 << 20,
            limits: Limits::default(),
            queue_max: 4096,
            bytes_max: None,
        }
    }
}

/// What is known of a resource's newest version.
#[derive(Clone, Debug)]
struct Cached {
    version: Version,
    row: i64,
    digest: [u8; 16],
    /// The indexed values, as they lie beside the body.
    fields: Option<bytes::Bytes>,
}

/// What an entry costs beside its body: key, version, and its place in the cache. In bytes.
const ENTRY_BYTES: usize = 320;

impl cache::Weigh for Cached {
    fn bytes(&self) -> usize {
        let bytes = |of: &Option<bytes::Bytes>| of.as_ref().map_or(0, bytes::Bytes::len);
        ENTRY_BYTES + bytes(&self.version.body) + bytes(&self.fields)
    }
}

impl cache::Weigh for Arc<Page> {
    fn bytes(&self) -> usize {
        let bytes = |listed: &crate::Listed| {
            ENTRY_BYTES + listed.version.body.as_ref().map_or(0, bytes::Bytes::len)
        };
        ENTRY_BYTES + self.items.iter().map(bytes).sum::<usize>()
    }
}

impl cache::Weigh for Arc<ChangesPage> {
    fn bytes(&self) -> usize {
        let bytes = |changed: &crate::Changed| {
            ENTRY_BYTES + changed.version.body.as_ref().map_or(0, bytes::Bytes::len)
        };
        ENTRY_BYTES + self.items.iter().map(bytes).sum::<usize>()
    }
}

impl From<Cached> for Current {
    fn from(cached: Cached) -> Self {
        Self {
            version: cached.version,
            digest: cached.digest,
            row: cached.row,
            fields: cached.fields,
        }
    }
}

/// A store in a directory of its own.
///
/// Dropping it finishes what was handed over, and then lets go of the directory.
#[derive(Debug)]
pub struct Embedded {
    // Dropped in this order: the writer ends before the log is last moved, and the lock goes last.
    writer: Writer,
    _checkpointer: Checkpointer,
    shared: Arc<Shared>,
    directory: Directory,
}

impl Embedded {
    /// Opens the store in `directory`, or makes one where there is none.
    ///
    /// # Errors
    /// [`MaintenanceError`], in particular where another process has it open or a newer version of
    /// the program has written it.
    pub fn open(directory: impl AsRef<Path>, options: Options) -> Result<Self, MaintenanceError> {
        let directory = Directory::lock(directory.as_ref())?;
        let queue_max = options.queue_max;
        let opened = shared::open(&directory, options)?;
        let shared = Arc::new(opened.shared);
        let checkpointer = Checkpointer::start(&directory.database(), Arc::clone(&shared))?;
        let writer = Writer::start(opened.db, Arc::clone(&shared), queue_max)?;
        Ok(Self {
            writer,
            _checkpointer: checkpointer,
            shared,
            directory,
        })
    }

    /// Copies the store, as it is at one moment, to `target`, while it is in use.
    ///
    /// # Errors
    /// [`MaintenanceError::AlreadyExists`] where `target` is there already.
    pub fn backup(&self, target: impl AsRef<Path>) -> Result<(), MaintenanceError> {
        copies::backup(&self.directory.database(), target.as_ref())
    }

    /// Waits until the maintenance that is due now is done: indexes built, retention applied.
    pub async fn settle(&self) {
        self.writer.settle().await;
    }

    /// A page about the present that was asked for before, if nothing has changed in its collection
    /// since; else the key to keep it under, where it is one to keep.
    fn hot_page(&self, query: &ListQuery) -> Result<Page, Option<String>> {
        if query.at.is_some() {
            return Err(None);
        }
        let key = format!("{query:?}");
        let head = self
            .shared
            .catalog()
            .of(&query.collection)
            .map(|collection| collection.marks.head());
        match self.shared.pages.look_up(&key) {
            Ok(page) if Some(page.position.sequence()) == head => Ok((*page).clone()),
            _ => Err(Some(key)),
        }
    }

    fn keep_page(&self, key: Option<String>, page: &Page) {
        if let Some(key) = key {
            self.shared.pages.put_in(&key, Arc::new(page.clone()));
        }
    }
}

/// Copies the store in `directory`, as it is at one moment, to `target`, also while another process
/// has it open.
///
/// # Errors
/// [`MaintenanceError::AlreadyExists`] where `target` is there already,
/// [`MaintenanceError::NotAStore`] where there is nothing to copy.
pub fn backup(
    directory: impl AsRef<Path>,
    target: impl AsRef<Path>,
) -> Result<(), MaintenanceError> {
    copies::backup(&copies::existing(directory.as_ref())?, target.as_ref())
}

#[async_trait]
impl Store for Embedded {
    fn head(&self) -> Position {
        self.shared.lineage.position(self.shared.head())
    }

    fn at(&self, sequence: u64) -> Option<Position> {
        (sequence <= self.shared.head()).then(|| self.shared.lineage.position(sequence))
    }

    fn definitions(&self) -> Arc<Definitions> {
        self.shared.definitions()
    }

    fn health(&self) -> Health {
        match self.shared.standing() {
            Standing::Good => Health::Up,
            Standing::Full => Health::ReadOnly("the disk is full".to_owned()),
            Standing::Poisoned => {
                Health::ReadOnly("a write failed; restart to write again".to_owned())
            }
        }
    }

    fn kind(&self) -> Kind {
        Kind {
            name: "embedded",
            has_primary: false,
        }
    }

    async fn collection(
        &self,
        collection: &CollectionPath,
    ) -> Result<Option<CollectionState>, ReadError> {
        Ok(reader::collection(&self.shared, collection))
    }

    async fn read(
        &self,
        key: &ResourceKey,
        at: Option<Position>,
    ) -> Result<Option<Version>, ReadError> {
        match at {
            Some(at) => self
                .shared
                .readers
                .now(|db| reader::resource_at(db, &self.shared, key, at)),
            None => match self.shared.cache.look_up(key) {
                Ok(cached) => Ok(Some(cached.version)),
                Err(stamp) => self
                    .shared
                    .readers
                    .now(|db| reader::resource(db, &self.shared, key, stamp)),
            },
        }
    }

    async fn version(
        &self,
        key: &ResourceKey,
        position: Position,
    ) -> Result<Option<Version>, ReadError> {
        self.shared
            .readers
            .now(|db| reader::version(db, &self.shared, key, position))
    }

    async fn versions(
        &self,
        key: &ResourceKey,
        before: Option<Position>,
        limit: usize,
    ) -> Result<VersionPage, ReadError> {
        let key = key.clone();
        reader::beside(&self.shared, move |db, shared| {
            reader::versions(db, shared, &key, before, limit)
        })
        .await
    }

    async fn list(&self, query: &ListQuery) -> Result<Page, ReadError> {
        match self.hot_page(query) {
            Ok(page) => Ok(page),
            Err(key) if reader::is_quick(query) => {
                let page = self
                    .shared
                    .readers
                    .now(|db| reader::list(db, &self.shared, query))?;
                self.keep_page(key, &page);
                Ok(page)
            }
            Err(key) => {
                let asked = query.clone();
                let page = reader::beside(&self.shared, move |db, shared| {
                    reader::list(db, shared, &asked)
                })
                .await?;
                self.keep_page(key, &page);
                Ok(page)
            }
        }
    }

    async fn changes(&self, query: &ChangesQuery) -> Result<Arc<ChangesPage>, ReadError> {
        let asked = Asked::of(&self.shared, query);
        if let Some(page) = asked.and_then(|asked| asked.no_news(&self.shared, query)) {
            return Ok(Arc::new(page));
        }
        let key = format!("{query:?}");
        if let Some(asked) = asked
            && let Ok(page) = self.shared.changes.look_up(&key)
            && asked.is_answered_by(&page)
        {
            return Ok(page);
        }
        let page = if asked.is_some_and(|asked| asked.is_quick()) {
            self.shared
                .readers
                .now(|db| reader::changes(db, &self.shared, query))?
        } else {
            let asked = query.clone();
            reader::beside(&self.shared, move |db, shared| {
                reader::changes(db, shared, &asked)
            })
            .await?
        };
        let page = Arc::new(page);
        if page.immutable || !page.closed {
            self.shared.changes.put_in(&key, Arc::clone(&page));
        }
        Ok(page)
    }

    fn tells(&self, query: &ChangesQuery) -> bool {
        Asked::of(&self.shared, query).is_some()
    }

    fn commits(&self) -> watch::Receiver<Position> {
        self.shared.commits()
    }

    async fn write(&self, transaction: Transaction) -> Result<Outcome, WriteError> {
        if self.shared.standing() == Standing::Poisoned {
            return Err(WriteError::Stopped);
        }
        let definitions = self.shared.definitions();
        let guard = transaction.guard.as_ref();
        let prepare = |operation| decision::prepare(operation, guard, &definitions);
        let operations = transaction.operations.into_iter().map(prepare).collect();
        let (reply, answer) = oneshot::channel();
        self.writer.send(Request {
            operations,
            record: transaction.record,
            reply,
        })?;
        // The writer answers every request it took, unless its thread died.
        answer.await.unwrap_or_else(|_died| {
            self.shared.poison();
            Err(WriteError::Poisoned)
        })
    }
}

fn cause(error: rusqlite::Error) -> MaintenanceError {
    MaintenanceError::Storage(Arc::new(error))
}

/// What a storage failure means to whoever wanted to write.
fn write_error(error: &rusqlite::Error) -> WriteError {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => WriteError::Full,
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::OutOfMemory) => {
            WriteError::Unavailable(Arc::new(std::io::Error::other(error.to_string())))
        }
        // After a failed sync nobody knows what is on the disk: no later write may build on it.
        _ => WriteError::Poisoned,
    }
}
