//! The project's files, as git sees them: tracked ones and new ones, not ignored ones.

use std::fs;

use crate::cargo::{program, read, root};

/// One text file of the project.
#[derive(Debug)]
pub(super) struct File {
    /// Its path from the workspace's root, with `/`.
    pub(super) path: String,
    /// Its whole text.
    pub(super) text: String,
}

impl File {
    /// The lines with their numbers, from 1.
    pub(super) fn lines(&self) -> impl Iterator<Item = (usize, &str)> {
        self.text
            .lines()
            .enumerate()
            .map(|(index, line)| (index + 1, line))
    }

    /// A finding at a line of this file.
    pub(super) fn finding(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// All text files of the project.
#[derive(Debug)]
pub(super) struct Tree {
    files: Vec<File>,
}

impl Tree {
    /// Reads the files; those that are not UTF-8 are left out.
    ///
    /// # Errors
    /// When git cannot list them.
    pub(super) fn of_the_project() -> Result<Self, String> {
        let words = ["ls-files", "--cached", "--others", "--exclude-standard"];
        let listed = read(program("git").args(words))?;
        let file = |path: &str| {
            let text = fs::read_to_string(root().join(path)).ok()?;
            Some(File {
                path: path.to_owned(),
                text,
            })
        };
        Ok(Self {
            files: listed.lines().filter_map(file).collect(),
        })
    }

    /// Every file.
    pub(super) fn files(&self) -> &[File] {
        &self.files
    }

    /// The Rust sources.
    pub(super) fn sources(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".rs"))
    }

    /// The Markdown documents.
    pub(super) fn documents(&self) -> impl Iterator<Item = &File> {
        self.files.iter().filter(|file| file.path.ends_with(".md"))
    }

    /// A file by its path.
    pub(super) fn find(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}
