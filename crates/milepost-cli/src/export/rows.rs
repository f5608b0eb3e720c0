//! CSV needs the columns before the first row, and any resource may bring a new one: resources are
//! spooled to a temporary file first, and written as rows when all columns are known.

use std::{
    fs::File,
    io::{BufRead as _, BufReader, BufWriter, Seek as _, Write as _},
};

use serde_json::{Map, Value};

use super::{Target, cell};
use crate::{exit::Failure, terminal::output_lost};

/// Resources waiting to become rows.
#[derive(Debug)]
pub(crate) struct Spool {
    file: BufWriter<File>,
    columns: Vec<String>,
}

impl Spool {
    /// An empty spool; the leading columns come before the members, whether or not they occur.
    pub(crate) fn new(leading: &[&str]) -> Result<Self, Failure> {
        let file =
            tempfile::tempfile().map_err(|error| Failure::file("a temporary file", &error))?;
        let columns = leading.iter().map(|name| (*name).to_owned()).collect();
        Ok(Self {
            file: BufWriter::new(file),
            columns,
        })
    }

    /// Adds a resource.
    pub(crate) fn push(&mut self, members: Map<String, Value>) -> Result<(), Failure> {
        for name in members.keys() {
            if !self.columns.contains(name) {
                self.columns.push(name.clone());
            }
        }
        let line = format!("{}\n", Value::Object(members));
        self.file
            .write_all(line.as_bytes())
            .map_err(|error| output_lost(&error))
    }

    /// Writes the heading and all rows.
    pub(crate) fn write_rows(self, target: &mut Target) -> Result<(), Failure> {
        let lost = |error: std::io::Error| output_lost(&error);
        let mut file = self
            .file
            .into_inner()
            .map_err(|error| lost(error.into_error()))?;
        file.rewind().map_err(lost)?;
        let mut rows = csv::Writer::from_writer(target);
        rows.write_record(&self.columns).map_err(unwritten)?;
        for line in BufReader::new(file).lines() {
            let value: Value = serde_json::from_str(&line.map_err(lost)?).unwrap_or_default();
            let cells = self.columns.iter().map(|name| cell(value.get(name)));
            rows.write_record(cells).map_err(unwritten)?;
        }
        rows.flush().map_err(lost)
    }
}

fn unwritten(error: csv::Error) -> Failure {
    match error.into_kind() {
        csv::ErrorKind::Io(error) => output_lost(&error),
        other => Failure::failed(format!("can't write a row: {other:?}")),
    }
}
