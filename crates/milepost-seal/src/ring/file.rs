//! A ring in a file that only its owner reads, changed as a whole or not at all.
//!
//! Whoever reads the file can make every state of the service: it has mode 0600, and a file that others
//! could read or write is refused, not repaired, since it may have been read. A change writes a new file beside it,
//! syncs it and renames it, under a lock on the directory, so that two changes at once are both made.

use std::{
    fs::{self, File},
    io::{self, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown},
    path::{Path, PathBuf},
};

use tempfile::NamedTempFile;
use zeroize::Zeroizing;

use super::document::{FORMAT, Unreadable};
use crate::{Entropy, KeyRing, NoEntropy, RingError, Timestamp, limits::KEY_FILE_BYTES_MAX};

/// Where a ring is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyFile {
    path: PathBuf,
}

/// A change of a ring, and what comes of it.
pub trait Change<T>: FnOnce(&mut KeyRing) -> Result<T, RingError> {}

impl<T, F: FnOnce(&mut KeyRing) -> Result<T, RingError>> Change<T> for F {}

/// Why a file of keys can't be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyFileError {
    /// There is no such file.
    #[error("there is no file of keys at {}", path.display())]
    Missing {
        /// The file.
        path: PathBuf,
    },
    /// A file is to be made where there is one.
    #[error("{} is there already", path.display())]
    AlreadyExists {
        /// The file.
        path: PathBuf,
    },
    /// Others than its owner may read or write it.
    #[error("{} can be used by others than its owner: its mode is {mode:04o}", path.display())]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
    },
    /// It is no ring, or no longer.
    #[error("{} is no whole file of keys: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong, without a word of its secrets.
        what: String,
    },
    /// A later version of this program wrote it.
    #[error("{} has format {format}, and this program reads format {FORMAT}", path.display())]
    NewerFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The ring doesn't change so.
    #[error("the keys in {} are left as they are", path.display())]
    Refused {
        /// The file.
        path: PathBuf,
        /// Why.
        source: RingError,
    },
    /// The file can't be read or written.
    #[error("can't use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

impl KeyFile {
    /// The file at this path, there or not.
    #[must_use]
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into() }
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the ring.
    ///
    /// # Errors
    /// [`KeyFileError`]: missing, exposed, corrupt, of a later format, or unreadable.
    pub fn read(&self) -> Result<KeyRing, KeyFileError> {
        self.read_with_owner().map(|(ring, _owner)| ring)
    }

    fn read_with_owner(&self) -> Result<(KeyRing, Owner), KeyFileError> {
        let file = File::open(&self.path).map_err(|error| self.io(error))?;
        self.demand_owner_only(&file)?;
        let owner = owner(&file).map_err(|error| self.io(error))?;
        let text = self.text(file)?;
        let ring = KeyRing::from_text(&text);
        Ok((
            ring.map_err(|unreadable| self.unreadable(unreadable))?,
            owner,
        ))
    }

    /// Makes the file with a ring of one new key, which is active.
    ///
    /// # Errors
    /// [`KeyFileError::AlreadyExists`]; when it can't be written; when there is no randomness.
    pub fn create(
        &self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<KeyRing, KeyFileError> {
        let ring = KeyRing::generate(now, entropy).map_err(|error| self.no_entropy(error))?;
        let temporary = self.written(&ring, self.directory())?;
        temporary
            .persist_noclobber(&self.path)
            .map_err(|error| self.not_made(error.error))?;
        self.sync(self.directory())?;
        Ok(ring)
    }

    /// Reads the ring, or makes one where there is none: a single node's own. Whoever makes it at the
    /// same time reads what the other one made.
    ///
    /// # Errors
    /// [`KeyFileError`] as [`read`](Self::read) and [`create`](Self::create) have it.
    pub fn read_or_create(
        &self,
        now: Timestamp,
        entropy: &mut dyn Entropy,
    ) -> Result<KeyRing, KeyFileError> {
        match self.read() {
            Err(KeyFileError::Missing { .. }) => match self.create(now, entropy) {
                Err(KeyFileError::AlreadyExists { .. }) => self.read(),
                created => created,
            },
            read => read,
        }
    }

    /// Changes the ring in its file, as a whole or not at all. Changes wait for each other.
    ///
    /// # Errors
    /// [`KeyFileError::Refused`] where the change is; otherwise as [`read`](Self::read) has it, and when it can't be
    /// written.
    pub fn change<T>(&self, change: impl Change<T>) -> Result<T, KeyFileError> {
        // Behind links first: whoever comes by another name must wait at the same lock.
        let target = fs::canonicalize(&self.path).map_err(|error| self.io(error))?;
        let directory = File::open(directory_of(&target)).map_err(|error| self.io(error))?;
        directory.lock().map_err(|error| self.io(error))?;
        let (mut ring, before) = Self::at(&target).read_with_owner()?;
        let outcome = change(&mut ring).map_err(|source| KeyFileError::Refused {
            path: self.path.clone(),
            source,
        })?;
        let temporary = self.written(&ring, directory_of(&target))?;
        keep_owner(temporary.as_file(), before).map_err(|error| self.io(error))?;
        temporary
            .persist(&target)
            .map_err(|error| self.io(error.error))?;
        self.sync(directory_of(&target))?;
        Ok(outcome)
    }

    fn directory(&self) -> &Path {
        directory_of(&self.path)
    }

    fn demand_owner_only(&self, file: &File) -> Result<(), KeyFileError> {
        let metadata = file.metadata().map_err(|error| self.io(error))?;
        let path = || self.path.clone();
        if !metadata.is_file() {
            let what = "it is not a file".to_owned();
            return Err(KeyFileError::Corrupt { path: path(), what });
        }
        let mode = metadata.permissions().mode() & 0o7777;
        if mode & 0o077 != 0 {
            return Err(KeyFileError::Exposed { path: path(), mode });
        }
        Ok(())
    }

    fn text(&self, file: File) -> Result<Zeroizing<String>, KeyFileError> {
        let size = file.metadata().map_err(|error| self.io(error))?.size();
        let corrupt = |what: String| KeyFileError::Corrupt {
            path: self.path.clone(),
            what,
        };
        if size > KEY_FILE_BYTES_MAX {
            return Err(corrupt(format!("it has {size} bytes")));
        }
        // Room for all of it: a text that grows would leave copies behind.
        let room = usize::try_from(size).unwrap_or_default() + 1;
        let mut text = Zeroizing::new(String::with_capacity(room));
        match file.take(KEY_FILE_BYTES_MAX).read_to_string(&mut text) {
            Ok(_) => Ok(text),
            Err(error) if error.kind() == io::ErrorKind::InvalidData => {
                Err(corrupt("it is no text".to_owned()))
            }
            Err(error) => Err(self.io(error)),
        }
    }

    /// The ring in a new file, on disk, for the owner only.
    fn written(&self, ring: &KeyRing, directory: &Path) -> Result<NamedTempFile, KeyFileError> {
        let write = || {
            // Made with mode 0600, before anything is in it.
            let mut file = tempfile::Builder::new()
                .prefix(".keys-")
                .tempfile_in(directory)?;
            file.write_all(ring.to_text().as_bytes())?;
            file.as_file().sync_all()?;
            Ok(file)
        };
        write().map_err(|error| self.io(error))
    }

    /// A rename is on disk once its directory is.
    fn sync(&self, directory: &Path) -> Result<(), KeyFileError> {
        let sync = File::open(directory).and_then(|directory| directory.sync_all());
        sync.map_err(|error| self.io(error))
    }

    fn io(&self, source: io::Error) -> KeyFileError {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::NotFound => KeyFileError::Missing { path },
            _ => KeyFileError::Io { path, source },
        }
    }

    fn not_made(&self, source: io::Error) -> KeyFileError {
        let path = self.path.clone();
        match source.kind() {
            io::ErrorKind::AlreadyExists => KeyFileError::AlreadyExists { path },
            _ => KeyFileError::Io { path, source },
        }
    }

    fn no_entropy(&self, error: NoEntropy) -> KeyFileError {
        KeyFileError::Refused {
            path: self.path.clone(),
            source: RingError::from(error),
        }
    }

    fn unreadable(&self, unreadable: Unreadable) -> KeyFileError {
        let path = self.path.clone();
        match unreadable {
            Unreadable::NewerFormat(format) => KeyFileError::NewerFormat { path, format },
            Unreadable::Corrupt(what) => KeyFileError::Corrupt { path, what },
        }
    }
}

/// User and group of a file.
type Owner = (u32, u32);

fn owner(file: &File) -> io::Result<Owner> {
    let metadata = file.metadata()?;
    Ok((metadata.uid(), metadata.gid()))
}

/// Gives the new file to whom the old one belonged: a server must be able to read what its administrator changed.
fn keep_owner(file: &File, before: Owner) -> io::Result<()> {
    if owner(file)? == before {
        return Ok(());
    }
    let (user, group) = before;
    fchown(file, Some(user), Some(group))
}

fn directory_of(path: &Path) -> &Path {
    let parent = path.parent();
    let named = parent.filter(|parent| !parent.as_os_str().is_empty());
    named.unwrap_or(Path::new("."))
}
