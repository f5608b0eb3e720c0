//! The embedded backend keeps every promise, where a restart is a crash: the files are taken as they
//! lie there while the store is in use, and opened by another.

mod damage;
mod files;
mod log;

use std::{fs, path::Path, sync::Arc};

use async_trait::async_trait;
use milepost_store::{
    Store,
    clock::ManualClock,
    conformance::Fixture,
    conformance_tests,
    embedded::{Embedded, Options, check, restore},
};
use rusqlite::{Connection, OpenFlags};
use tempfile::TempDir;

use crate::NOW;

pub(crate) const DATABASE: &str = "store.sqlite";
pub(crate) const LOG: &str = "store.sqlite-wal";

pub(crate) struct InDirectory {
    clock: Arc<ManualClock>,
    embedded: Arc<Embedded>,
    store: Arc<dyn Store>,
    directory: TempDir,
    backups: TempDir,
}

impl InDirectory {
    pub(crate) fn open(directory: TempDir, clock: Arc<ManualClock>) -> Self {
        let options = Options {
            clock: Arc::clone(&clock) as _,
            ..Options::default()
        };
        let embedded = Arc::new(Embedded::open(directory.path(), options).expect("a store"));
        let store = Arc::clone(&embedded) as Arc<dyn Store>;
        Self {
            clock,
            embedded,
            store,
            directory,
            backups: temporary(),
        }
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What is on the disk now, as a crash would leave it.
    fn crashed(&self) -> TempDir {
        let copy = temporary();
        copy_in_use(self.directory(), copy.path());
        assert_whole(copy.path());
        copy
    }
}

/// A directory in memory where the system has one: what is tested is what the store writes and when,
/// which a slow disk only makes slower.
pub(crate) fn temporary() -> TempDir {
    let in_memory = Path::new("/dev/shm");
    let directory = if in_memory.is_dir() {
        tempfile::tempdir_in(in_memory)
    } else {
        tempfile::tempdir()
    };
    directory.expect("a directory")
}

/// Asserts that the tables of a store agree with each other.
pub(crate) fn assert_whole(directory: &Path) {
    let integrity = check(directory).expect("a store that can be checked");
    assert_eq!(integrity.faults, Vec::<String>::new());
}

/// Copies the files of a store that is in use.
///
/// The database first: what a checkpoint moves into it meanwhile still lies in the log, which does
/// not begin anew as long as somebody reads from it.
pub(crate) fn copy_in_use(from: &Path, to: &Path) {
    let path = from.join(DATABASE);
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY);
    let mut reader = reader.expect("a database");
    let view = reader.transaction().expect("a transaction");
    view.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))
        .expect("a store");
    for file in [DATABASE, LOG] {
        fs::copy(from.join(file), to.join(file)).expect("a file of the store");
    }
}

#[async_trait]
impl Fixture for InDirectory {
    async fn fresh() -> Self {
        Self::open(temporary(), Arc::new(ManualClock::new(NOW)))
    }

    fn store(&self) -> &Arc<dyn Store> {
        &self.store
    }

    fn clock(&self) -> &ManualClock {
        &self.clock
    }

    async fn settle(&self) {
        self.embedded.settle().await;
    }

    async fn reopened(self) -> Self {
        let crashed = self.crashed();
        let backups = self.backups;
        Self {
            backups,
            ..Self::open(crashed, self.clock)
        }
    }

    async fn forked(self) -> (Self, Self) {
        let other = Self::open(self.crashed(), Arc::clone(&self.clock));
        (self.reopened().await, other)
    }

    async fn back_up(&mut self) {
        self.backups = temporary();
        self.embedded
            .backup(self.backups.path().join("backup"))
            .expect("a backup");
    }

    async fn restored(self) -> Self {
        let directory = temporary();
        restore(self.backups.path().join("backup"), directory.path()).expect("a restored store");
        let backups = self.backups;
        Self {
            backups,
            ..Self::open(directory, self.clock)
        }
    }
}

conformance_tests!(InDirectory);
