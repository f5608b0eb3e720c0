//! The entity tags this user has seen, so that `put` after `get` just works.
//!
//! A small file in the user's state directory: URL → tag, the most recently used last, bounded, and
//! replaced atomically under a lock. It is a convenience and no authority: losing it costs a `get`.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::exit::Failure;

/// How many tags are remembered; the least recently used are forgotten first.
const TAGS_MAX: usize = 1_000;
/// The layout of the file; a file of another layout is started anew.
const FORMAT: u32 = 1;

/// The file of remembered tags.
#[derive(Debug)]
pub(crate) struct Tags {
    directory: PathBuf,
}

#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    format: u32,
    /// Pairs of URL and tag, the most recently used last.
    tags: Vec<(String, String)>,
}

impl Default for Contents {
    fn default() -> Self {
        Self {
            format: FORMAT,
            tags: Vec::new(),
        }
    }
}

impl Tags {
    /// The tags of the current user: `$XDG_STATE_HOME/milepost`, else `~/.local/state/milepost`.
    ///
    /// `None` where there is no home to keep them in.
    pub(crate) fn of_user() -> Option<Self> {
        let absolute = |name| {
            let path = PathBuf::from(std::env::var_os(name)?);
            path.is_absolute().then_some(path)
        };
        let state = absolute("XDG_STATE_HOME")
            .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
            .or_else(|| absolute("LOCALAPPDATA"))?;
        Some(Self::at(state.join("milepost")))
    }

    /// The tags kept in this directory, which is made when needed.
    pub(crate) fn at(directory: PathBuf) -> Self {
        Self { directory }
    }

    /// The tag remembered for a URL.
    pub(crate) fn recall(&self, url: &str) -> Option<String> {
        let tags = self.read().tags;
        tags.into_iter()
            .rev()
            .find(|(known, _)| known == key(url))
            .map(|(_, tag)| tag)
    }

    /// Remembers the tag of what was seen at a URL, or forgets it.
    pub(crate) fn remember(&self, url: &str, tag: Option<&str>) -> Result<(), Failure> {
        let failed = |error| Failure::file(self.directory.display(), &error);
        fs::create_dir_all(&self.directory).map_err(failed)?;
        let lock = File::create(self.directory.join("tags.lock")).map_err(failed)?;
        lock.lock().map_err(failed)?;
        let mut contents = self.read();
        contents.tags.retain(|(known, _)| known != key(url));
        if let Some(tag) = tag {
            contents.tags.push((key(url).to_owned(), tag.to_owned()));
        }
        let surplus = contents.tags.len().saturating_sub(TAGS_MAX);
        contents.tags.drain(..surplus);
        self.replace(&contents).map_err(failed)
    }

    fn read(&self) -> Contents {
        let bytes = fs::read(self.file()).unwrap_or_default();
        let contents: Contents = serde_json::from_slice(&bytes).unwrap_or_default();
        if contents.format == FORMAT {
            contents
        } else {
            Contents::default()
        }
    }

    fn replace(&self, contents: &Contents) -> std::io::Result<()> {
        let mut file = tempfile::NamedTempFile::new_in(&self.directory)?;
        serde_json::to_writer(&mut file, contents)?;
        file.flush()?;
        file.persist(self.file())?;
        Ok(())
    }

    fn file(&self) -> PathBuf {
        Path::new(&self.directory).join("tags.json")
    }
}

/// A tag belongs to the resource, however it was asked for.
fn key(url: &str) -> &str {
    url.split(['?', '#']).next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_is_recalled_by_the_resource_whatever_the_query() {
        let directory = tempfile::tempdir().unwrap();
        let tags = Tags::at(directory.path().join("deep/milepost"));
        tags.remember("http://h/v1/a/1?select=x", Some("\"k.1-abcd\""))
            .unwrap();
        assert_eq!(
            tags.recall("http://h/v1/a/1").as_deref(),
            Some("\"k.1-abcd\"")
        );
        assert_eq!(tags.recall("http://h/v1/a/2"), None);
    }

    #[test]
    fn forgetting_leaves_no_tag() {
        let directory = tempfile::tempdir().unwrap();
        let tags = Tags::at(directory.path().to_owned());
        tags.remember("http://h/a", Some("\"1\"")).unwrap();
        tags.remember("http://h/a", None).unwrap();
        assert_eq!(tags.recall("http://h/a"), None);
    }

    #[test]
    fn the_file_is_bounded_and_forgets_the_oldest_first() {
        let directory = tempfile::tempdir().unwrap();
        let tags = Tags::at(directory.path().to_owned());
        let many = (0..TAGS_MAX)
            .map(|n| (format!("http://h/{n}"), "\"1\"".to_owned()))
            .collect();
        tags.replace(&Contents {
            format: FORMAT,
            tags: many,
        })
        .unwrap();
        tags.remember("http://h/new", Some("\"2\"")).unwrap();
        assert_eq!(tags.recall("http://h/0"), None);
        assert!(tags.recall("http://h/1").is_some());
        assert!(tags.recall("http://h/new").is_some());
    }

    #[test]
    fn a_damaged_file_is_started_anew() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("tags.json"), b"{\"format\":1,\"ta").unwrap();
        let tags = Tags::at(directory.path().to_owned());
        assert_eq!(tags.recall("http://h/a"), None);
        tags.remember("http://h/a", Some("\"1\"")).unwrap();
        assert_eq!(tags.recall("http://h/a").as_deref(), Some("\"1\""));
    }
}
