//! What the writer's thread, the readers and the handle have in common, and how it is opened.

use std::sync::{
    Arc, Mutex, MutexGuard, PoisonError, RwLock,
    atomic::{AtomicU8, AtomicU64, Ordering},
};

use milepost_semantics::{History, Position};
use rusqlite::{Connection, params};
use tokio::sync::watch;

use super::{
    Cached, Options,
    cache::Cache,
    catalog::Catalog,
    cause, connection,
    directory::Directory,
    reader::Readers,
    rows::{signed, unsigned},
    schema::{self, Found, meta, set_meta},
};
use crate::{
    COLLECTIONS, ChangesPage, Definitions, MaintenanceError, Page, ResourceKey, TRANSACTIONS,
    clock::Clock,
    decision::Limits,
    positions::{Incarnation, Lineage, random},
};

/// Whether the store takes writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    Good,
    /// The last write found the disk full; the next may find room.
    Full,
    /// A write or sync failed: none is taken any more.
    Poisoned,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) lineage: Lineage,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) cache: Cache<ResourceKey, Cached>,
    /// Pages about the present, each good until its collection changes.
    pub(super) pages: Cache<String, Arc<Page>>,
    /// Pages of changes: closed ones, and those that end at the head, each good until that moves.
    pub(super) changes: Cache<String, Arc<ChangesPage>>,
    pub(super) readers: Readers,
    /// Who holds it writes, or does a checkpoint's last step.
    pub(super) gate: Gate,
    head: AtomicU64,
    commits: watch::Sender<Position>,
    logged_bytes: AtomicU64,
    standing: AtomicU8,
    published: RwLock<Published>,
}

/// What changes when a definition does.
#[derive(Clone, Debug, Default)]
struct Published {
    catalog: Arc<Catalog>,
    definitions: Arc<Definitions>,
}

/// Lets one in at a time.
#[derive(Debug, Default)]
pub(super) struct Gate(Mutex<()>);

impl Gate {
    pub(super) fn enter(&self) -> MutexGuard<'_, ()> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shared {
    pub(super) fn head(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    pub(super) fn set_head(&self, head: u64) {
        let before = self.head.swap(head, Ordering::AcqRel);
        if before != head {
            self.commits.send_replace(self.lineage.position(head));
        }
    }

    /// The head as it moves.
    pub(super) fn commits(&self) -> watch::Receiver<Position> {
        self.commits.subscribe()
    }

    /// About how many bytes the writer has added to the log since the store was opened.
    pub(super) fn logged_bytes(&self) -> u64 {
        self.logged_bytes.load(Ordering::Relaxed)
    }

    /// The writer has added to the log.
    pub(super) fn log_grew(&self, bytes: u64) {
        self.logged_bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn definitions(&self) -> Arc<Definitions> {
        Arc::clone(
            &self
                .published
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .definitions,
        )
    }

    pub(super) fn catalog(&self) -> Arc<Catalog> {
        Arc::clone(
            &self
                .published
                .read()
                .unwrap_or_else(PoisonError::into_inner)
                .catalog,
        )
    }

    pub(super) fn publish(&self, catalog: Arc<Catalog>, definitions: Arc<Definitions>) {
        let published = Published {
            catalog,
            definitions,
        };
        *self
            .published
            .write()
            .unwrap_or_else(PoisonError::into_inner) = published;
    }

    pub(super) fn standing(&self) -> Standing {
        match self.standing.load(Ordering::Acquire) {
            0 => Standing::Good,
            1 => Standing::Full,
            _ => Standing::Poisoned,
        }
    }

    /// A write went through: where the disk was full, it is no longer.
    pub(super) fn recovered(&self) {
        let _ = self
            .standing
            .compare_exchange(1, 0, Ordering::AcqRel, Ordering::Relaxed);
    }

    pub(super) fn full(&self) {
        let _ = self
            .standing
            .compare_exchange(0, 1, Ordering::AcqRel, Ordering::Relaxed);
    }

    pub(super) fn poison(&self) {
        self.standing.store(2, Ordering::Release);
    }
}

/// An opened database, and what is known of it.
pub(super) struct Opened {
    pub(super) db: Connection,
    pub(super) shared: Shared,
}

/// Opens or makes the database of a directory, and begins a new incarnation of it.
pub(super) fn open(directory: &Directory, options: Options) -> Result<Opened, MaintenanceError> {
    let path = directory.database();
    let db = connection::writer(&path).map_err(|error| not_a_store(error, &path))?;
    match schema::inspect(&db, &path.display().to_string())? {
        Found::Empty => found(&db).map_err(cause)?,
        Found::Older(_) => upgrade(&db).map_err(cause)?,
        Found::Store => {}
    }
    if let Some(bytes_max) = options.bytes_max {
        db.pragma_update(None, "max_page_count", signed(bytes_max / 4096))
            .map_err(cause)?;
    }
    let lineage = begin_incarnation(&db).map_err(cause)?;
    let shared = Shared {
        commits: watch::Sender::new(lineage.position(0)),
        lineage,
        clock: options.clock,
        limits: options.limits,
        cache: Cache::new(options.cache_bytes),
        pages: Cache::new(options.page_cache_bytes),
        changes: Cache::new(options.page_cache_bytes),
        readers: Readers::new(path),
        gate: Gate::default(),
        head: AtomicU64::new(0),
        logged_bytes: AtomicU64::new(0),
        standing: AtomicU8::new(0),
        published: RwLock::default(),
    };
    Ok(Opened { db, shared })
}

fn not_a_store(error: rusqlite::Error, path: &std::path::Path) -> MaintenanceError {
    match error.sqlite_error_code() {
        Some(rusqlite::ErrorCode::NotADatabase) => MaintenanceError::NotAStore {
            path: path.display().to_string(),
        },
        _ => cause(error),
    }
}

fn upgrade(db: &Connection) -> rusqlite::Result<()> {
    let upgrading = db.unchecked_transaction()?;
    schema::upgrade(&upgrading)?;
    upgrading.commit()
}

/// Makes a new store, with its history and its own collections: wholly or not at all.
fn found(db: &Connection) -> rusqlite::Result<()> {
    let founding = db.unchecked_transaction()?;
    schema::create(&founding)?;
    set_meta(
        &founding,
        "history",
        History::from_random(random()).as_str(),
    )?;
    for name in [COLLECTIONS, TRANSACTIONS] {
        founding.execute("INSERT INTO collections (name) VALUES (?1)", [name])?;
    }
    founding.commit()
}

/// Draws a new salt for the positions that are committed from here on.
pub(super) fn begin_incarnation(db: &Connection) -> rusqlite::Result<Lineage> {
    let head = schema::head(db)?;
    let first = if head == 0 { 0 } else { head + 1 };
    let salt = i64::from_ne_bytes(random().to_ne_bytes());
    db.execute(
        "INSERT INTO incarnations VALUES (?1, ?2) ON CONFLICT DO UPDATE SET salt = excluded.salt",
        params![signed(first), salt],
    )?;
    lineage(db)
}

/// What a store's positions look like.
pub(super) fn lineage(db: &Connection) -> rusqlite::Result<Lineage> {
    let history: Option<String> = meta(db, "history")?;
    let history = history
        .and_then(|text| text.parse().ok())
        .unwrap_or_else(|| History::from_random(0));
    let mut statement =
        db.prepare("SELECT first_sequence, salt FROM incarnations ORDER BY first_sequence")?;
    let incarnations = statement.query_map([], |row| {
        let salt: i64 = row.get(1)?;
        Ok(Incarnation {
            first_sequence: unsigned(row.get(0)?),
            salt: u64::from_ne_bytes(salt.to_ne_bytes()),
        })
    })?;
    Ok(Lineage::new(
        history,
        incarnations.collect::<rusqlite::Result<_>>()?,
    ))
}
