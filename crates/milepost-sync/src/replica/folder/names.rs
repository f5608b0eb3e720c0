//! Which file a document has.
//!
//! A key is good as a path but for what would clash: hidden names, and names that already end like
//! those of documents or conflicts. In these the dot is written `%2E`, which no id contains. On a file system that
//! takes `A` for `a`, ids that differ in case only clash.

use std::path::{Component, Path, PathBuf};

use crate::page::Key;

const DOCUMENT: &str = ".json";
const CONFLICT: &str = ".conflict.json";

/// The file of a document, from the folder.
pub(super) fn file_of(id: &str) -> PathBuf {
    named(id, DOCUMENT)
}

/// The file of a conflict about a document.
pub(super) fn conflict_of(id: &str) -> PathBuf {
    named(id, CONFLICT)
}

/// The document that a file is of, by its path from the folder; `None` for other files.
pub(super) fn id_of(file: &Path) -> Option<String> {
    let mut segments = Vec::new();
    for component in file.components() {
        let Component::Normal(segment) = component else {
            return None;
        };
        segments.push(segment.to_str()?);
    }
    let last = segments.pop()?;
    if last.starts_with('.') || last.ends_with(CONFLICT) {
        return None;
    }
    segments.push(last.strip_suffix(DOCUMENT)?);
    let id = segments.join("/").replace("%2E", ".");
    // Only what would be written there is read from there.
    (Key::parse(&id).is_some() && file_of(&id) == file).then_some(id)
}

fn named(id: &str, suffix: &str) -> PathBuf {
    let mut path: PathBuf = id.split('/').map(escaped).collect();
    let last = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    path.set_file_name(format!("{last}{suffix}"));
    path
}

fn escaped(segment: &str) -> String {
    let (head, tail) = match segment.rsplit_once('.') {
        Some((head, tail @ ("json" | "conflict"))) => (head, format!("%2E{tail}")),
        _ => (segment, String::new()),
    };
    match head.strip_prefix('.') {
        Some(rest) => format!("%2E{rest}{tail}"),
        None => format!("{head}{tail}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_document_has_a_file_of_its_own_and_is_found_by_it() {
        let ids = [
            "17",
            "17.json",
            "17.conflict",
            "17.conflict.json",
            ".hidden",
            "..x",
            "a.b",
            ".json",
            ".conflict",
            "17/transactions/t-9",
            "17.json/x",
            ".milepost",
            ".milepost/state",
        ];
        let mut files = std::collections::BTreeSet::new();
        for id in ids {
            for file in [file_of(id), conflict_of(id)] {
                assert!(files.insert(file.clone()), "{id}: {}", file.display());
                let first = file.iter().next().unwrap().to_string_lossy().into_owned();
                assert!(!first.starts_with('.'), "{id}: {first}");
            }
            assert_eq!(id_of(&file_of(id)).as_deref(), Some(id));
            assert_eq!(id_of(&conflict_of(id)), None);
        }
    }

    #[test]
    fn other_files_are_of_no_document() {
        for file in [
            "notes.txt",
            ".x.json",
            "a b.json",
            "../x.json",
            "%2Ea.b.json.swp",
            "x%2Ey.json",
        ] {
            assert_eq!(id_of(Path::new(file)), None, "{file}");
        }
    }
}
