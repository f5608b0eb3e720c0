//! A replica as a folder of JSON files: one document a file, to be read and edited with anything.
//!
//! ```text
//! accounts/
//!   17.json                 the representation, byte for byte
//!   18.conflict.json        a conflict that nobody has settled, beside 18.json
//!   .milepost/state.sqlite  bookmark, entity tags, and what each file was when it was pulled
//! ```
//!
//! # How it stays whole
//!
//! A delivery and its bookmark go into the state in one transaction, which notes as well which files
//! have to follow and what they were. Then all files are written beside their places, synced together,
//! and renamed; folders are synced; only then the notes are crossed off. Whenever the machine stops,
//! opening the folder again finishes that. A reader never sees half a file.
//!
//! A file that is not what was pulled is an edit: it is never overwritten, only sent. That is found out by
//! comparing bytes, not times.

mod files;
mod names;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use self::files::{Prepared, Written, read, sync_folders, write};
use super::sqlite::Outgoing;
use super::{Applied, Edit, Editable, Held, Replica, ReplicaError, SqliteReplica, Version};
use crate::page::{Delivery, Key};
use crate::push::Conflict;
use crate::url::Url;

/// The folder of the replica's own files.
const STATE_FOLDER: &str = ".milepost";
/// How many files are made durable at a time.
const FILES_AT_A_TIME: usize = 2_000;

/// One collection, or everything, as a folder.
#[derive(Debug)]
pub struct FolderReplica {
    folder: PathBuf,
    state: SqliteReplica,
    /// Held while this is open: two followers of one folder would take each other's files for edits.
    _lock: File,
}

impl FolderReplica {
    /// Opens a folder that follows `feed` (the collection's URL, with its filters), or makes one. What a
    /// crash left undone is finished.
    ///
    /// # Errors
    /// When the folder can't be used, is open already, holds other things, or follows another URL or
    /// another collection.
    pub fn open(folder: &Path, name: &str, feed: &Url) -> Result<Self, ReplicaError> {
        let own = folder.join(STATE_FOLDER);
        let state_file = own.join("state.sqlite");
        if !state_file.exists() && files::has_documents(folder)? {
            return Err(ReplicaError::Occupied {
                path: folder.display().to_string(),
                what: "has JSON files that no sync put there".to_owned(),
            });
        }
        fs::create_dir_all(&own).map_err(|error| ReplicaError::io(own.display(), error))?;
        let lock = locked(&own.join("lock"), folder)?;
        let mut state = SqliteReplica::open(&state_file, name, feed)?;
        if let Some(other) = state.other_feed()? {
            state.take_back()?;
            return Err(ReplicaError::Occupied {
                path: folder.display().to_string(),
                what: format!("keeps {other}"),
            });
        }
        files::remove_left_over(folder)?;
        state.keep_outbox();
        let mut replica = Self {
            folder: folder.to_owned(),
            state,
            _lock: lock,
        };
        replica.deliver()?;
        Ok(replica)
    }

    /// Where a document's file is.
    #[must_use]
    pub fn path_of(&self, key: &Key) -> PathBuf {
        self.folder.join(names::file_of(key.as_str()))
    }

    /// Makes the files what the state says.
    fn deliver(&mut self) -> Result<(), ReplicaError> {
        loop {
            let files = self.state.outgoing(FILES_AT_A_TIME)?;
            if files.is_empty() {
                return Ok(());
            }
            let texts = files.iter().map(|file| self.prepare(file));
            let texts = texts.collect::<Result<Vec<_>, _>>()?;
            let (places, texts): (Vec<usize>, Vec<Prepared>) = (0..)
                .zip(texts)
                .filter_map(|(place, text)| Some((place, text?)))
                .unzip();
            files::sync_all(&self.folder, &texts)?;
            let mut texts: BTreeMap<usize, Prepared> = places.into_iter().zip(texts).collect();
            let mut folders = BTreeSet::new();
            for (place, file) in files.iter().enumerate() {
                folders.extend(self.follow(file, texts.remove(&place))?);
            }
            sync_folders(&folders)?;
            self.state.delivered(&files)?;
        }
    }

    /// Writes what a file has to be beside it, if it isn't that already.
    fn prepare(&self, file: &Outgoing) -> Result<Option<Prepared>, ReplicaError> {
        let path = self.folder.join(names::file_of(&file.id));
        match &file.value {
            Some(value) if read(&path)?.as_ref() != Some(value) => {
                Prepared::write(&path, value).map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Replaces or removes one file, unless somebody edited it; the folder that changed by that.
    fn follow(
        &mut self,
        file: &Outgoing,
        text: Option<Prepared>,
    ) -> Result<Option<PathBuf>, ReplicaError> {
        let path = self.folder.join(names::file_of(&file.id));
        let found = read(&path)?;
        if found == file.value {
            return Ok(None);
        }
        if found.as_deref() != file.was.as_ref().map(|was| was.value.as_str()) {
            self.state.edit_of_old(file, found.as_deref())?;
            return Ok(None);
        }
        let folder = path.parent().map(Path::to_owned);
        match (text, &file.value) {
            (Some(text), _) => text.put_in_place()?,
            // It was what it has to be a moment ago, and somebody has put back what it was before.
            (None, Some(value)) => write(&path, Some(value)).map(drop)?,
            (None, None) if files::remove(&path)? == Written::Nothing => return Ok(None),
            (None, None) => {}
        }
        Ok(folder)
    }

    /// Takes edits of these documents' files into the state.
    fn notice(&self, id: &str) -> Result<(), ReplicaError> {
        let found = read(&self.folder.join(names::file_of(id)))?;
        let known = self.state.local(id)?;
        if found == known {
            return Ok(());
        }
        self.state.edit(id, found.as_deref())
    }

    /// Takes every edit of every file into the state.
    fn notice_all(&self) -> Result<(), ReplicaError> {
        let mut gone = Vec::new();
        self.state.for_each(&mut |id, value| {
            if read(&self.folder.join(names::file_of(id)))?.as_deref() != Some(value) {
                gone.push(id.to_owned());
            }
            Ok(())
        })?;
        for id in &gone {
            self.notice(id)?;
        }
        for id in files::documents(&self.folder)? {
            if self.state.local(&id)?.is_none() {
                self.notice(&id)?;
            }
        }
        Ok(())
    }

    /// A conflict whose file was removed is settled.
    fn notice_settled(&mut self) -> Result<(), ReplicaError> {
        for id in self.state.set_aside_ids()? {
            if !self.folder.join(names::conflict_of(&id)).exists() {
                self.state.settled(&id)?;
            }
        }
        Ok(())
    }

    /// Removes the files of conflicts that are settled.
    fn clear_settled(&self, id: &str) -> Result<(), ReplicaError> {
        if self.state.set_aside_ids()?.iter().any(|open| open == id) {
            return Ok(());
        }
        let path = self.folder.join(names::conflict_of(id));
        write(&path, None).map(drop)
    }
}

impl Replica for FolderReplica {
    fn held(&self) -> Result<Option<Held>, ReplicaError> {
        self.state.held()
    }

    fn apply(&mut self, delivery: &Delivery) -> Result<Applied, ReplicaError> {
        let ends_snapshot = self.held()?.is_none_or(|held| !held.is_complete);
        if delivery.complete && (ends_snapshot || delivery.replace) {
            // What it doesn't name goes: look at every file before that.
            self.notice_all()?;
        }
        for change in &delivery.changes {
            self.notice(change.key.as_str())?;
        }
        let applied = self.state.apply(delivery)?;
        self.deliver()?;
        Ok(applied)
    }

    fn forget(&mut self) -> Result<(), ReplicaError> {
        self.state.forget()
    }

    fn lookup(&self, key: &Key) -> Result<Option<Version>, ReplicaError> {
        self.state.lookup(key)
    }

    fn count(&self) -> Result<u64, ReplicaError> {
        self.state.count()
    }
}

impl Editable for FolderReplica {
    fn edits(&mut self) -> Result<Vec<Edit>, ReplicaError> {
        self.notice_all()?;
        self.notice_settled()?;
        let edits = self.state.edits()?;
        // An edit that was taken back makes the document what the server has meanwhile.
        self.deliver()?;
        Ok(edits)
    }

    fn settle(&mut self, edit: &Edit, now: Option<&Version>) -> Result<(), ReplicaError> {
        self.notice(edit.key.as_str())?;
        self.state.settle(edit, now)?;
        self.deliver()?;
        self.clear_settled(edit.key.as_str())
    }

    fn set_aside(&mut self, conflict: &Conflict) -> Result<(), ReplicaError> {
        let path = self.folder.join(names::conflict_of(conflict.key.as_str()));
        write(&path, Some(&files::conflict_text(conflict)))?;
        self.state.set_aside(conflict)
    }
}

fn locked(path: &Path, folder: &Path) -> Result<File, ReplicaError> {
    let failed = |error| ReplicaError::io(path.display(), error);
    let file = File::create(path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(fs::TryLockError::WouldBlock) => Err(ReplicaError::Occupied {
            path: folder.display().to_string(),
            what: "is being synced by another process".to_owned(),
        }),
        Err(fs::TryLockError::Error(error)) => Err(failed(error)),
    }
}
