//! A store's directory: what lies in it, and that only one process has it.

use std::{
    fs::{self, File, TryLockError},
    path::{Path, PathBuf},
};

use crate::MaintenanceError;

const DATABASE: &str = "store.sqlite";
const LOCK: &str = "lock";

/// A directory that this process has to itself until the value is dropped.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// Held, not read: the lock goes with it, also when the process is killed.
    _lock: File,
}

impl Directory {
    /// Makes the directory where it isn't there, and takes it.
    pub(super) fn lock(path: &Path) -> Result<Self, MaintenanceError> {
        make(path)?;
        let lock_path = path.join(LOCK);
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(&lock_path)
            .map_err(|source| io(&lock_path, source))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self {
                path: path.to_owned(),
                _lock: lock,
            }),
            Err(TryLockError::WouldBlock) => Err(MaintenanceError::InUse {
                directory: path.display().to_string(),
            }),
            Err(TryLockError::Error(source)) => Err(io(&lock_path, source)),
        }
    }

    /// The database file.
    pub(super) fn database(&self) -> PathBuf {
        database(&self.path)
    }
}

/// The database file of a store's directory.
pub(super) fn database(directory: &Path) -> PathBuf {
    directory.join(DATABASE)
}

/// Gives a finished file its name: durable before it can be found, and findable after a power cut.
pub(super) fn publish(partial: &Path, target: &Path) -> Result<(), MaintenanceError> {
    sync(partial)?;
    fs::rename(partial, target).map_err(|source| io(target, source))?;
    target.parent().map_or(Ok(()), sync)
}

/// Makes a folder and those that it lies in, findable after a power cut.
fn make(folder: &Path) -> Result<(), MaintenanceError> {
    if folder.is_dir() {
        return Ok(());
    }
    fs::create_dir_all(folder).map_err(|source| io(folder, source))?;
    for above in folder.ancestors().skip(1) {
        // One that may not be read was there before.
        let _ = sync(above);
    }
    Ok(())
}

/// Waits until a file or a folder is on the disk; what lies above a bare name is the folder that the process stands in.
fn sync(path: &Path) -> Result<(), MaintenanceError> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    File::open(path)
        .and_then(|file| file.sync_all())
        .map_err(|source| io(path, source))
}

pub(super) fn io(path: &Path, source: std::io::Error) -> MaintenanceError {
    MaintenanceError::Io {
        path: path.display().to_string(),
        source,
    }
}
