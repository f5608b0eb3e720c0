//! Where records come from: a file or stdin, perhaps gzipped, in a format that is named or seen.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
};

use clap::ValueEnum;
use flate2::bufread::MultiGzDecoder;

use super::{
    Progress,
    records::{BYTE_ORDER_MARK, Lines, Records, RowOptions, Rows, Values},
};
use crate::exit::Failure;

/// How much is read at once.
const BUFFER_BYTES: usize = 256 * 1024;
/// What a gzip stream starts with (RFC 1952 §2.3.1).
const GZIP_MAGIC: &[u8] = &[0x1f, 0x8b];

/// How records stand in the input.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// One JSON document a line
    Ndjson,
    /// A JSON array, or documents one after the other
    Json,
    /// Rows under a heading
    Csv,
}

/// A file, or stdin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Input {
    /// The standard input.
    Stdin,
    /// A file's path.
    File(String),
}

/// How the input is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reading {
    /// The format, if it was named.
    pub(crate) format: Option<Format>,
    /// CSV: what stands between cells.
    pub(crate) delimiter: u8,
    /// CSV: keep cells as text.
    pub(crate) strings: bool,
}

impl Input {
    /// What the command line says: `-` is stdin.
    pub(crate) fn parse(argument: &str) -> Self {
        match argument {
            "-" => Self::Stdin,
            path => Self::File(path.to_owned()),
        }
    }

    /// A name for messages.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Stdin => "stdin",
            Self::File(path) => path,
        }
    }

    /// The records in it; what is read of it moves the progress on.
    pub(crate) fn records(
        &self,
        reading: Reading,
        progress: &Progress,
    ) -> Result<Box<dyn Records>, Failure> {
        let failed = |error: io::Error| Failure::file(self.name(), &error);
        let (source, bytes) = self.open().map_err(failed)?;
        progress.expect_bytes(bytes);
        let source = BufReader::with_capacity(BUFFER_BYTES, progress.watch(source));
        let mut input = unzipped(source).map_err(failed)?;
        let format = match reading.format.or_else(|| self.format_of_name()) {
            Some(format) => format,
            None => format_of_content(&mut input).map_err(failed)?,
        };
        let rows = RowOptions {
            delimiter: reading.delimiter,
            strings: reading.strings,
        };
        Ok(match format {
            Format::Ndjson => Box::new(Lines::new(input)),
            Format::Json => Box::new(Values::new(input)),
            Format::Csv => Box::new(Rows::new(input, rows)),
        })
    }

    fn open(&self) -> io::Result<(Box<dyn Read>, Option<u64>)> {
        match self {
            Self::Stdin => Ok((Box::new(io::stdin().lock()), None)),
            Self::File(path) => {
                let file = File::open(path)?;
                let metadata = file.metadata()?;
                // A pipe or a device has no length to count towards.
                let bytes = metadata.is_file().then_some(metadata.len());
                Ok((Box::new(file), bytes))
            }
        }
    }

    fn format_of_name(&self) -> Option<Format> {
        let Self::File(path) = self else { return None };
        let name = path.to_ascii_lowercase();
        match name.trim_end_matches(".gz").rsplit_once('.')?.1 {
            "ndjson" | "jsonl" => Some(Format::Ndjson),
            "json" => Some(Format::Json),
            "csv" => Some(Format::Csv),
            _ => None,
        }
    }
}

fn unzipped(mut source: impl BufRead + 'static) -> io::Result<Box<dyn BufRead>> {
    if source.fill_buf()?.starts_with(GZIP_MAGIC) {
        let unzipped = MultiGzDecoder::new(source);
        return Ok(Box::new(BufReader::with_capacity(BUFFER_BYTES, unzipped)));
    }
    Ok(Box::new(source))
}

/// An array shows itself by its first character; anything else is taken line by line.
fn format_of_content(input: &mut dyn BufRead) -> io::Result<Format> {
    let start = input.fill_buf()?;
    let start = start.strip_prefix(BYTE_ORDER_MARK).unwrap_or(start);
    let is_array = start.trim_ascii_start().starts_with(b"[");
    Ok(if is_array {
        Format::Json
    } else {
        Format::Ndjson
    })
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::{super::records::tests::transcript, *};

    fn format(path: &str) -> Option<Format> {
        Input::parse(path).format_of_name()
    }

    impl Records for Box<dyn Records> {
        fn advance(&mut self) -> Option<Result<super::super::Record, super::super::Fault>> {
            (**self).advance()
        }
    }

    #[test]
    fn the_name_says_the_format_also_when_zipped() {
        assert_eq!(format("a.ndjson"), Some(Format::Ndjson));
        assert_eq!(format("a.JSONL.gz"), Some(Format::Ndjson));
        assert_eq!(format("dir.csv/a.json"), Some(Format::Json));
        assert_eq!(format("a.csv"), Some(Format::Csv));
        assert_eq!(format("a.txt"), None);
        assert_eq!(format("-"), None);
    }

    #[test]
    fn a_zipped_file_is_read_as_what_is_in_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zipped");
        let mut zip = flate2::write::GzEncoder::new(
            File::create(&path).unwrap(),
            flate2::Compression::fast(),
        );
        zip.write_all(b" [{\"a\":1}]").unwrap();
        zip.finish().unwrap();
        let reading = Reading {
            format: None,
            delimiter: b',',
            strings: false,
        };
        let input = Input::parse(path.to_str().unwrap());
        let records = input.records(reading, &Progress::hidden()).unwrap();
        assert_eq!(transcript(records), ["1: {\"a\":1}"]);
    }
}
