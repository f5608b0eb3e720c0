//! Reading and writing single files: whole or not at all, and durable.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::{NamedTempFile, TempPath};

use super::{STATE_FOLDER, names};
use crate::push::Conflict;
use crate::replica::ReplicaError;

/// So many files are synced one by one: other programs' files needn't be.
const SYNCED_SINGLY_MAX: usize = 8;

/// How the names of files begin that are not in their place yet.
const BESIDE: &str = ".milepost-";

/// Whether a folder changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Written {
    /// A file was put or removed.
    Changed,
    /// There was nothing to remove.
    Nothing,
}

/// A file's text; `None` where there is none. What is no UTF-8 is read with replacements: it is no
/// document, and sending it says so.
pub(super) fn read(path: &Path) -> Result<Option<String>, ReplicaError> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        })),
        Err(error) if is_absent(&error) => Ok(None),
        Err(error) => Err(ReplicaError::io(path.display(), error)),
    }
}

/// A file's next text, written beside its place and not yet durable; gone again when dropped.
#[derive(Debug)]
pub(super) struct Prepared {
    path: PathBuf,
    beside: TempPath,
}

/// Makes a file this text, or removes it. The text is durable when this returns; that it has its name
/// is, once the folder is synced.
pub(super) fn write(path: &Path, text: Option<&str>) -> Result<Written, ReplicaError> {
    let Some(text) = text else {
        return remove(path);
    };
    let prepared = Prepared::write(path, text)?;
    prepared.sync()?;
    prepared.put_in_place()?;
    Ok(Written::Changed)
}

/// Removes a file.
pub(super) fn remove(path: &Path) -> Result<Written, ReplicaError> {
    match fs::remove_file(path) {
        Ok(()) => Ok(Written::Changed),
        Err(error) if is_absent(&error) => Ok(Written::Nothing),
        Err(error) => Err(ReplicaError::io(path.display(), error)),
    }
}

impl Prepared {
    /// Writes a file's next text.
    pub(super) fn write(path: &Path, text: &str) -> Result<Self, ReplicaError> {
        let failed = |error| ReplicaError::io(path.display(), error);
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder).map_err(failed)?;
        let mut file = beside(folder).map_err(failed)?;
        file.write_all(text.as_bytes()).map_err(failed)?;
        Ok(Self {
            path: path.to_owned(),
            // Closed: there may be more of them than files may be open.
            beside: file.into_temp_path(),
        })
    }

    fn sync(&self) -> Result<(), ReplicaError> {
        File::open(&self.beside)
            .and_then(|file| file.sync_data())
            .map_err(|error| ReplicaError::io(self.path.display(), error))
    }

    /// Gives the text its name; to be called once it is durable.
    pub(super) fn put_in_place(self) -> Result<(), ReplicaError> {
        let path = self.path;
        self.beside
            .persist(&path)
            .map_err(|error| ReplicaError::io(path.display(), error.error))
    }
}

/// Makes all these texts durable: many of them at the price of one, where the system can sync all that
/// was written at once.
pub(super) fn sync_all(folder: &Path, prepared: &[Prepared]) -> Result<(), ReplicaError> {
    if prepared.len() > SYNCED_SINGLY_MAX && sync_file_system(folder)? {
        return Ok(());
    }
    prepared.iter().try_for_each(Prepared::sync)
}

/// Whether everything on the folder's file system was made durable. Linux tells here of writes that
/// failed since version 5.8.
#[cfg(target_os = "linux")]
fn sync_file_system(folder: &Path) -> Result<bool, ReplicaError> {
    let failed = |error| ReplicaError::io(folder.display(), error);
    let folder = File::open(folder).map_err(failed)?;
    rustix::fs::syncfs(&folder).map_err(|error| failed(error.into()))?;
    Ok(true)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system(_: &Path) -> Result<bool, ReplicaError> {
    Ok(false)
}

/// A file beside its place, with the permissions of any other file of the user.
fn beside(folder: &Path) -> io::Result<NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(BESIDE);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        // As far as the umask allows.
        builder.permissions(fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

/// Makes the folders' entries durable, those of the folders above them too.
pub(super) fn sync_folders(folders: &BTreeSet<PathBuf>) -> Result<(), ReplicaError> {
    let mut all = folders.clone();
    for folder in folders {
        all.extend(folder.parent().map(Path::to_owned));
    }
    for folder in all.iter().filter(|folder| !folder.as_os_str().is_empty()) {
        File::open(folder)
            .and_then(|folder| folder.sync_all())
            .map_err(|error| ReplicaError::io(folder.display(), error))?;
    }
    Ok(())
}

/// Removes files that a crash kept from getting to their place.
pub(super) fn remove_left_over(folder: &Path) -> Result<(), ReplicaError> {
    let mut open = vec![folder.to_owned()];
    while let Some(here) = open.pop() {
        let failed = |error| ReplicaError::io(here.display(), error);
        for entry in fs::read_dir(&here).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let is_folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let is_beside = entry.file_name().to_string_lossy().starts_with(BESIDE);
            if is_folder && entry.file_name() != STATE_FOLDER {
                open.push(entry.path());
            } else if !is_folder && is_beside {
                remove(&entry.path())?;
            }
        }
    }
    Ok(())
}

/// Whether there are documents in a folder; none where there is no folder.
pub(super) fn has_documents(folder: &Path) -> Result<bool, ReplicaError> {
    Ok(!documents(folder)?.is_empty())
}

/// The keys of all documents that have a file.
pub(super) fn documents(folder: &Path) -> Result<Vec<String>, ReplicaError> {
    let mut found = Vec::new();
    let mut open = vec![PathBuf::new()];
    while let Some(below) = open.pop() {
        let here = folder.join(&below);
        let entries = match fs::read_dir(&here) {
            Ok(entries) => entries,
            Err(error) if is_absent(&error) => continue,
            Err(error) => return Err(ReplicaError::io(here.display(), error)),
        };
        for entry in entries {
            let entry = entry.map_err(|error| ReplicaError::io(here.display(), error))?;
            let path = below.join(entry.file_name());
            let kind = entry.file_type();
            let is_folder = kind.is_ok_and(|kind| kind.is_dir());
            if is_folder && entry.file_name() != STATE_FOLDER {
                open.push(path);
            } else if !is_folder {
                found.extend(names::id_of(&path));
            }
        }
    }
    found.sort_unstable();
    Ok(found)
}

/// A conflict as a file for people: all three versions, and what to do.
pub(super) fn conflict_text(conflict: &Conflict) -> String {
    let shown = |text: Option<&str>| match text.map(serde_json::from_str::<Value>) {
        Some(Ok(value)) => value,
        Some(Err(_)) => text.unwrap_or_default().into(),
        None => Value::Null,
    };
    let theirs = conflict.theirs.as_ref();
    let document = json!({
        "conflict": format!("{} was changed here and at the server", conflict.key),
        "settle": "make the document what it should be, remove this file, and sync with --push again",
        "places": conflict.places,
        "before": shown(conflict.ancestor.as_deref()),
        "here": shown(conflict.ours.as_deref()),
        "server": shown(theirs.map(|theirs| theirs.value.as_str())),
        "serverEtag": theirs.map(|theirs| &theirs.etag),
    });
    format!("{document:#}\n")
}

/// Also a path through what is no folder leads to nothing.
fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
