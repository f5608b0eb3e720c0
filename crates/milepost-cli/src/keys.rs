//! Where a server's ring of keys is, and what can go wrong with its file, said for people.
//!
//! What keys do is `milepost-seal`'s.

use std::{
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

use clap::Args;
use milepost_seal::{KeyFile, KeyFileError, KeyRing, SystemEntropy, Timestamp};
use milepost_semantics::date::civil_date;

use crate::{
    exit::{Exit, Failure},
    storage::with_sources,
};

/// Whose ring is meant, as commands beside a server are told.
#[derive(Args, Debug)]
pub(crate) struct RingPlace {
    /// The directory of the store whose keys are meant
    #[arg(
        long,
        value_name = "DIR",
        env = "MILEPOST_DATA",
        default_value = "milepost-data"
    )]
    data: PathBuf,

    /// The file of keys that several nodes share; then --data doesn't matter
    #[arg(long, value_name = "FILE", env = "MILEPOST_KEYS")]
    keys: Option<PathBuf>,
}

impl RingPlace {
    pub(crate) fn file(&self) -> KeyFile {
        match &self.keys {
            Some(path) => KeyFile::at(path),
            None => beside(&self.data),
        }
    }
}

/// The file of keys in a store's directory.
const FILE_NAME: &str = "keys.json";

/// The file that a single node keeps beside its data.
fn beside(data: &Path) -> KeyFile {
    KeyFile::at(data.join(FILE_NAME))
}

/// The ring of a server: that of the file that several nodes share, or its own, made where there is none.
pub(crate) fn of_server(data: &Path, shared: Option<&Path>) -> Result<(KeyFile, KeyRing), Failure> {
    let (file, ring) = match shared {
        Some(path) => {
            let file = KeyFile::at(path);
            let ring = file.read();
            (file, ring)
        }
        None => {
            // A store in a database makes no directory.
            std::fs::create_dir_all(data).map_err(|error| Failure::file(data.display(), &error))?;
            let file = beside(data);
            let ring = file.read_or_create(now(), &mut SystemEntropy);
            (file, ring)
        }
    };
    Ok((file, ring?))
}

/// Now, as keys are dated.
#[expect(
    clippy::disallowed_methods,
    reason = "the one place where changes of keys are dated"
)]
pub(crate) fn now() -> Timestamp {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    Timestamp::from_unix_seconds(since.as_secs())
}

/// A moment as RFC 3339 writes it: `2026-01-31T12:00:00Z`.
pub(crate) fn date(at: Timestamp) -> String {
    let seconds = at.as_unix_seconds();
    let (year, month, day) = civil_date(seconds / 86_400);
    let (hour, minute, second) = (seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

impl From<KeyFileError> for Failure {
    fn from(error: KeyFileError) -> Self {
        failure(&error)
    }
}

fn failure(error: &KeyFileError) -> Failure {
    let message = with_sources(error);
    match error {
        KeyFileError::Missing { path } => Failure::new(Exit::NotFound, message)
            .hint(format!("milepost keys create --keys {}", path.display())),
        KeyFileError::Exposed { path, .. } => Failure::failed(message).hint(format!(
            "who read it can make and read every state: milepost keys revoke --all, after chmod 600 {}",
            path.display()
        )),
        KeyFileError::Corrupt { .. } => Failure::failed(message)
            .hint("restore it from where you keep a copy")
            .hint("without one, move it away and begin with new keys: what clients hold no longer opens"),
        KeyFileError::NewerFormat { .. } => Failure::failed(message)
            .hint("use the version of milepost that wrote it, or a newer one"),
        KeyFileError::Refused { .. } => refused(message, error),
        _ => Failure::failed(message),
    }
}

fn refused(message: String, error: &KeyFileError) -> Failure {
    use milepost_seal::RingError;
    let KeyFileError::Refused { source, .. } = error else {
        return Failure::failed(message);
    };
    match source {
        RingError::UnknownKey { .. } => {
            Failure::new(Exit::NotFound, message).hint("milepost keys list")
        }
        RingError::ActiveKey { .. } => Failure::failed(message)
            .hint("milepost keys rotate first; or, if it was stolen, milepost keys revoke --all"),
        RingError::Full => Failure::failed(message)
            .hint("revoke keys whose states have all expired: milepost keys revoke ID"),
        _ => Failure::failed(message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_written_as_rfc_3339_does() {
        let at = |seconds| date(Timestamp::from_unix_seconds(seconds));
        assert_eq!(at(784_111_777), "1994-11-06T08:49:37Z");
        assert_eq!(at(1_709_210_096), "2024-02-29T12:34:56Z");
    }
}
