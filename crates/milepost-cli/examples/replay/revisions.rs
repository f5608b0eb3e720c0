//! The revisions in a file.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    path::Path,
};

use flate2::bufread::MultiGzDecoder;
use serde::Deserialize;
use serde_json::Value;

use crate::Failed;

/// What becomes of one resource.
#[derive(Debug, Deserialize)]
pub(crate) struct Edit {
    /// The collection's name.
    pub(crate) collection: String,
    /// The resource's id.
    pub(crate) id: String,
    /// Its representation; none when it is deleted.
    #[serde(default)]
    pub(crate) value: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Line {
    operations: Vec<Edit>,
}

/// The revisions, one after the other.
pub(crate) fn read(
    path: &Path,
) -> Result<impl Iterator<Item = Result<Vec<Edit>, Failed>> + use<>, Failed> {
    let file = BufReader::new(File::open(path)?);
    let is_zipped = path.extension().is_some_and(|extension| extension == "gz");
    let lines: Box<dyn BufRead> = if is_zipped {
        Box::new(BufReader::new(MultiGzDecoder::new(file)))
    } else {
        Box::new(file)
    };
    Ok(lines
        .lines()
        .map(|line| Ok(serde_json::from_str::<Line>(&line?)?.operations)))
}
