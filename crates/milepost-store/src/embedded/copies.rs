//! Copies of a store: a backup while it is in use, and a new store made from one.

use std::{
    fs,
    io::ErrorKind,
    path::{Path, PathBuf},
    time::Duration,
};

use milepost_semantics::History;
use rusqlite::{Connection, backup::Backup};

use super::{
    cause, connection, digests,
    directory::{Directory, database, io, publish},
    schema::{self, Found, set_meta},
};
use crate::{MaintenanceError, positions::random};

/// How many pages are copied at a time: in between, the writer goes on.
const PAGES: i32 = 256;

/// Copies the database at `from`, as it is at one moment, to the file `to`.
pub(super) fn backup(from: &Path, to: &Path) -> Result<(), MaintenanceError> {
    if to.exists() {
        return Err(MaintenanceError::AlreadyExists {
            path: to.display().to_string(),
        });
    }
    // Under another name until it is whole: what is there under the right name is a backup.
    let partial = to.with_extension("partial");
    let copied = copy(from, &partial);
    let finished = copied.and_then(|()| publish(&partial, to));
    if finished.is_err() {
        // The error that is already being told matters more than one of cleaning up.
        let _ = fs::remove_file(&partial);
    }
    finished
}

fn copy(from: &Path, to: &Path) -> Result<(), MaintenanceError> {
    let source = connection::reader(from).map_err(cause)?;
    // A read transaction of its own holds the moment; the writer's commits can't restart the copy.
    let view = source.unchecked_transaction().map_err(cause)?;
    view.query_row("SELECT count(*) FROM meta", [], |_| Ok(()))
        .map_err(cause)?;
    let mut target = Connection::open(to).map_err(cause)?;
    Backup::new(&view, &mut target)
        .and_then(|backup| backup.run_to_completion(PAGES, Duration::ZERO, None))
        .map_err(cause)?;
    target
        .pragma_update(None, "journal_mode", "DELETE")
        .map_err(cause)
}

/// Makes a store in `directory` from the file of a backup.
///
/// The new store has a history of its own: positions of the old one that lie after the backup are
/// unknown to it, so that clients who saw them start again instead of being led astray.
///
/// # Errors
/// [`MaintenanceError::AlreadyExists`] where the directory holds a store already,
/// [`MaintenanceError::NotAStore`] where the file is none.
pub fn restore(
    backup: impl AsRef<Path>,
    directory: impl AsRef<Path>,
) -> Result<(), MaintenanceError> {
    let backup = backup.as_ref();
    verify(backup)?;
    let directory = Directory::lock(directory.as_ref())?;
    let target = directory.database();
    let partial = clear(&target)?;
    fs::copy(backup, &partial).map_err(|source| io(backup, source))?;
    let db = Connection::open(&partial).map_err(cause)?;
    let renewing = db.unchecked_transaction().map_err(cause)?;
    set_meta(
        &renewing,
        "history",
        History::from_random(random()).as_str(),
    )
    .map_err(cause)?;
    digests::renew(&renewing).map_err(cause)?;
    renewing.commit().map_err(cause)?;
    drop(db);
    publish(&partial, &target)
}

/// Makes sure that nothing is where a new database is to appear; answers under which name it is made,
/// where nothing is left of one that was cut off.
pub(super) fn clear(target: &Path) -> Result<PathBuf, MaintenanceError> {
    // What SQLite keeps beside a database it would take for the new one's.
    for there in ["", "-wal", "-shm", "-journal"].map(|kept| beside(target, kept)) {
        if there.exists() {
            return Err(MaintenanceError::AlreadyExists {
                path: there.display().to_string(),
            });
        }
    }
    let partial = target.with_extension("partial");
    for left in ["", "-wal", "-shm", "-journal"].map(|kept| beside(&partial, kept)) {
        remove(&left)?;
    }
    Ok(partial)
}

/// The file of this name with `kept` behind it.
fn beside(database: &Path, kept: &str) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(kept);
    name.into()
}

/// Removes what a restore that was cut off left.
fn remove(path: &Path) -> Result<(), MaintenanceError> {
    match fs::remove_file(path) {
        Err(source) if source.kind() != ErrorKind::NotFound => Err(io(path, source)),
        _ => Ok(()),
    }
}

fn verify(path: &Path) -> Result<(), MaintenanceError> {
    let not_a_store = || MaintenanceError::NotAStore {
        path: path.display().to_string(),
    };
    if !path.is_file() {
        return Err(not_a_store());
    }
    let db = connection::reader(path).map_err(|_error| not_a_store())?;
    match schema::inspect(&db, &path.display().to_string()) {
        Ok(Found::Store | Found::Older(_)) => Ok(()),
        Ok(Found::Empty) => Err(not_a_store()),
        Err(MaintenanceError::Storage(_)) => Err(not_a_store()),
        Err(error) => Err(error),
    }
}

/// The database file of a store's directory, if there is one.
pub(super) fn existing(directory: &Path) -> Result<std::path::PathBuf, MaintenanceError> {
    let path = database(directory);
    if path.is_file() {
        Ok(path)
    } else {
        Err(MaintenanceError::NotAStore {
            path: directory.display().to_string(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::{Embedded, Options};

    #[test]
    fn nothing_is_restored_beside_what_is_left_of_another_store_and_a_restore_that_was_cut_off_is_begun_anew()
     {
        let directory = tempfile::tempdir().expect("a directory");
        let old = directory.path().join("old");
        drop(Embedded::open(&old, Options::default()).expect("a store"));
        let backup = database(&old);
        let new = directory.path().join("new");
        fs::create_dir(&new).expect("a directory");
        let log = new.join("store.sqlite-wal");
        fs::write(&log, "frames").expect("a log");
        let refused = restore(&backup, &new);
        assert!(matches!(
            refused,
            Err(MaintenanceError::AlreadyExists { path }) if path == log.display().to_string()
        ));
        fs::rename(&log, new.join("store.partial-journal")).expect("what a cut-off restore left");
        restore(&backup, &new).expect("restored");
        Embedded::open(&new, Options::default()).expect("a store");
    }
}
