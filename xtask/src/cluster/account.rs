//! Who the cluster's processes run as: PostgreSQL refuses to run as root.

use std::{fs, os::unix::fs::chown, path::Path, process::Command};

use crate::cargo::{program, read};

/// The user that Debian's package of PostgreSQL makes.
const UNPRIVILEGED: &str = "postgres";

/// Whose the processes and their files are.
#[derive(Clone, Debug)]
pub(crate) struct Account {
    /// `None`: whoever runs this, who isn't root.
    ids: Option<(u32, u32)>,
}

impl Account {
    /// The user to run as.
    ///
    /// # Errors
    /// When root runs this and there is no such user.
    pub(crate) fn find() -> Result<Self, String> {
        if number(&["-u"])? != 0 {
            return Ok(Self { ids: None });
        }
        let user = number(&["-u", UNPRIVILEGED])?;
        let group = number(&["-g", UNPRIVILEGED])?;
        Ok(Self {
            ids: Some((user, group)),
        })
    }

    /// Whether this runs as root, who may make networks.
    pub(crate) fn is_root(&self) -> bool {
        self.ids.is_some()
    }

    /// The words before a program's name that make it run as this user.
    pub(crate) fn words(&self) -> Vec<String> {
        let Some((user, group)) = self.ids else {
            return Vec::new();
        };
        vec![
            "setpriv".to_owned(),
            format!("--reuid={user}"),
            format!("--regid={group}"),
            "--clear-groups".to_owned(),
        ]
    }

    /// Makes a folder that belongs to this user.
    ///
    /// # Errors
    /// When it can't be made.
    pub(crate) fn folder(&self, path: &Path) -> Result<(), String> {
        let wrong = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path).map_err(wrong)?;
        if let Some((user, group)) = self.ids {
            chown(path, Some(user), Some(group)).map_err(wrong)?;
        }
        Ok(())
    }

    /// Hands a file to this user.
    ///
    /// # Errors
    /// When it can't be handed over.
    pub(crate) fn owns(&self, path: &Path) -> Result<(), String> {
        let Some((user, group)) = self.ids else {
            return Ok(());
        };
        chown(path, Some(user), Some(group)).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn number(words: &[&str]) -> Result<u32, String> {
    let mut id: Command = program("id");
    let said = read(id.args(words))?;
    said.trim()
        .parse()
        .map_err(|error| format!("id says {said}: {error}"))
}
