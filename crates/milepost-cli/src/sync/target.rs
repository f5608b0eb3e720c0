//! Where a copy goes: an SQLite file or a folder.

use std::{convert::Infallible, path::PathBuf, str::FromStr};

use milepost_sync::{FolderReplica, SqliteReplica, Url};

use crate::exit::Failure;

/// How the names of SQLite files end.
const FILE_SUFFIXES: &[&str] = &["sqlite", "sqlite3", "db"];

/// A target as it was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// An SQLite file.
    File(PathBuf),
    /// A folder.
    Folder(PathBuf),
}

/// A target that was opened.
#[derive(Debug)]
pub(crate) enum Targets {
    /// An SQLite file.
    File(Box<SqliteReplica>),
    /// A folder.
    Folder(Box<FolderReplica>),
}

impl FromStr for Target {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        if let Some(path) = text.strip_prefix("sqlite:") {
            return Ok(Self::File(path.into()));
        }
        if let Some(path) = text.strip_prefix("folder:") {
            return Ok(Self::Folder(path.into()));
        }
        let path = PathBuf::from(text);
        let suffix = path.extension().and_then(|suffix| suffix.to_str());
        let is_named_so = suffix.is_some_and(|suffix| FILE_SUFFIXES.contains(&suffix));
        Ok(match path.is_dir() || !(is_named_so || path.is_file()) {
            true => Self::Folder(path),
            false => Self::File(path),
        })
    }
}

impl Target {
    /// Whether there is anything at its place.
    pub(crate) fn is_there(&self) -> bool {
        let (Self::File(path) | Self::Folder(path)) = self;
        path.exists()
    }

    /// Opens it, or makes it.
    pub(crate) fn open(&self, name: &str, home: &Url) -> Result<Targets, Failure> {
        match self {
            Self::File(path) => SqliteReplica::open(path, name, home)
                .map(|replica| Targets::File(Box::new(replica))),
            Self::Folder(path) => FolderReplica::open(path, name, home)
                .map(|replica| Targets::Folder(Box::new(replica))),
        }
        .map_err(Failure::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_what_its_name_says() {
        let target = |text: &str| text.parse::<Target>().unwrap();
        for text in ["a.sqlite", "deep/a.db", "a.sqlite3"] {
            assert_eq!(target(text), Target::File(text.into()));
        }
        assert_eq!(target("./books"), Target::Folder("./books".into()));
        assert_eq!(target("sqlite:books"), Target::File("books".into()));
        assert_eq!(target("folder:a.db"), Target::Folder("a.db".into()));
    }
}
