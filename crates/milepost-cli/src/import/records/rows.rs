//! CSV (RFC 4180): the first row names the members, each other row is a record.
//!
//! A cell's type is read off its shape (`true`, `12.50`, else text; `007` is text), unless the
//! heading says it: `zip:text`, `price:number`, `lent:boolean`, `tags:json`. An empty cell is an
//! absent member. Numbers keep their digits.

use std::io::Read;

use csv::{ByteRecord, ErrorKind, Position, Reader, ReaderBuilder};
use milepost_semantics::json;
use serde_json::Value;

use super::{Fault, Record, Records, newlines::Newlines};

/// How rows are read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RowOptions {
    /// What stands between cells.
    pub(crate) delimiter: u8,
    /// Every cell without a type in the heading is text.
    pub(crate) strings: bool,
}

/// Records that are rows under a heading.
#[derive(Debug)]
pub(crate) struct Rows<R> {
    reader: Reader<Newlines<R>>,
    columns: Option<Vec<Column>>,
    strings: bool,
    is_over: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Column {
    /// The member's name, as a JSON string with its quotes.
    name: String,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Shape,
    Text,
    Number,
    Boolean,
    Json,
}

impl<R: Read> Rows<R> {
    /// The records of this input.
    pub(crate) fn new(input: R, options: RowOptions) -> Self {
        let mut builder = ReaderBuilder::new();
        let builder = builder
            .has_headers(false)
            .flexible(false)
            .delimiter(options.delimiter);
        let reader = builder.from_reader(Newlines::new(input));
        Self {
            reader,
            columns: None,
            strings: options.strings,
            is_over: false,
        }
    }

    fn read_row(&mut self) -> Result<Option<(u64, ByteRecord)>, Fault> {
        let mut row = ByteRecord::new();
        match self.reader.read_byte_record(&mut row) {
            Ok(false) => Ok(None),
            Ok(true) => Ok(Some((self.line(row.position()), row))),
            Err(error) => Err(self.fault(error)),
        }
    }

    fn line(&mut self, position: Option<&Position>) -> u64 {
        let byte = position.map_or(0, Position::byte);
        self.reader.get_mut().line_at(byte)
    }

    fn fault(&mut self, error: csv::Error) -> Fault {
        let line = self.line(error.position());
        match error.into_kind() {
            ErrorKind::Io(error) => {
                self.is_over = true;
                Fault::Unreadable(error)
            }
            ErrorKind::UnequalLengths {
                expected_len, len, ..
            } => {
                let detail = format!("the row has {len} cells, the heading {expected_len}");
                Fault::Malformed { line, detail }
            }
            other => Fault::Malformed {
                line,
                detail: format!("not a row: {other:?}"),
            },
        }
    }

    fn read_heading(&mut self) -> Result<Option<Vec<Column>>, Fault> {
        let Some((line, row)) = self.read_row()? else {
            return Ok(None);
        };
        let columns: Result<Vec<Column>, String> = row
            .iter()
            .map(|cell| Column::parse(cell, self.strings))
            .collect();
        let columns = columns.and_then(all_different);
        columns
            .map(Some)
            .map_err(|detail| Fault::Broken { line, detail })
    }

    fn next_record(&mut self) -> Result<Option<Record>, Fault> {
        if self.columns.is_none() {
            self.columns = self.read_heading()?;
        }
        let Some((line, row)) = self.read_row()? else {
            return Ok(None);
        };
        let columns = self.columns.as_deref().unwrap_or_default();
        let members: Result<Vec<Option<String>>, String> = columns
            .iter()
            .zip(&row)
            .map(|(column, cell)| column.member(cell))
            .collect();
        let members = members.map_err(|detail| Fault::Malformed { line, detail })?;
        let members: Vec<String> = members.into_iter().flatten().collect();
        Ok(Some(Record {
            line,
            bytes: format!("{{{}}}", members.join(",")).into_bytes(),
        }))
    }
}

impl<R: Read> Records for Rows<R> {
    fn advance(&mut self) -> Option<Result<Record, Fault>> {
        if self.is_over {
            return None;
        }
        let found = self.next_record().transpose();
        self.is_over |= matches!(found, None | Some(Err(Fault::Broken { .. })));
        found
    }
}

fn all_different(columns: Vec<Column>) -> Result<Vec<Column>, String> {
    for (index, column) in columns.iter().enumerate() {
        if columns
            .iter()
            .take(index)
            .any(|earlier| earlier.name == column.name)
        {
            return Err(format!("two columns are named {}", column.name));
        }
    }
    Ok(columns)
}

impl Column {
    fn parse(cell: &[u8], strings: bool) -> Result<Self, String> {
        let text = utf8(cell)?.trim();
        let typed = text
            .rsplit_once(':')
            .and_then(|(name, kind)| Some((name, Kind::named(kind)?)));
        let default = if strings { Kind::Text } else { Kind::Shape };
        let (name, kind) = typed.unwrap_or((text, default));
        if name.is_empty() {
            return Err("a column has no name".to_owned());
        }
        Ok(Self {
            name: Value::from(name).to_string(),
            kind,
        })
    }

    /// `"name":value`, or nothing where the cell is empty.
    fn member(&self, cell: &[u8]) -> Result<Option<String>, String> {
        let text = utf8(cell)?;
        if text.is_empty() {
            return Ok(None);
        }
        let value = self.kind.value(text);
        let value =
            value.ok_or_else(|| format!("{text:?} is no {} ({})", self.kind.noun(), self.name))?;
        Ok(Some(format!("{}:{value}", self.name)))
    }
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        match name {
            "text" => Some(Self::Text),
            "number" => Some(Self::Number),
            "boolean" => Some(Self::Boolean),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    const fn noun(self) -> &'static str {
        match self {
            Self::Shape | Self::Text => "text",
            Self::Number => "number",
            Self::Boolean => "boolean (true or false)",
            Self::Json => "JSON document",
        }
    }

    /// The cell as JSON text; `None` where it is nothing of this kind.
    fn value(self, cell: &str) -> Option<String> {
        let as_text = || Value::from(cell).to_string();
        match self {
            Self::Text => Some(as_text()),
            Self::Shape if is_number(cell) || is_boolean(cell) => Some(cell.to_owned()),
            Self::Shape => Some(as_text()),
            Self::Number => is_number(cell).then(|| cell.to_owned()),
            Self::Boolean => is_boolean(cell).then(|| cell.to_owned()),
            Self::Json => parsed(cell).map(|value| value.to_string()),
        }
    }
}

fn parsed(cell: &str) -> Option<Value> {
    json::parse(cell.as_bytes(), json::Limits::default()).ok()
}

fn is_number(cell: &str) -> bool {
    // White space would be part of the JSON text, but not of the number.
    let starts = cell.starts_with(|c: char| c.is_ascii_digit() || c == '-');
    starts && cell.trim() == cell && parsed(cell).is_some_and(|value| value.is_number())
}

fn is_boolean(cell: &str) -> bool {
    matches!(cell, "true" | "false")
}

fn utf8(cell: &[u8]) -> Result<&str, String> {
    std::str::from_utf8(cell).map_err(|_invalid| "a cell is not valid UTF-8".to_owned())
}

#[cfg(test)]
mod tests {
    use super::{super::tests::transcript, *};

    fn of(text: &str) -> Vec<String> {
        let options = RowOptions {
            delimiter: b',',
            strings: false,
        };
        transcript(Rows::new(text.as_bytes(), options))
    }

    #[test]
    fn cells_are_typed_by_their_shape_and_numbers_keep_their_digits() {
        assert_eq!(
            of("id,n,zip,on,none\na,12.50,007,true,\nb,-1e400,+1,TRUE,x\n"),
            [
                r#"2: {"id":"a","n":12.50,"zip":"007","on":true}"#,
                r#"3: {"id":"b","n":-1e400,"zip":"+1","on":"TRUE","none":"x"}"#,
            ]
        );
    }

    #[test]
    fn quotes_may_hold_commas_quotes_and_line_breaks() {
        assert_eq!(
            of("id,t\n1,\"a,\"\"b\"\"\nc\"\n2,d\n"),
            [r#"2: {"id":1,"t":"a,\"b\"\nc"}"#, r#"4: {"id":2,"t":"d"}"#]
        );
    }

    #[test]
    fn a_byte_order_mark_and_carriage_returns_are_not_part_of_the_cells() {
        assert_eq!(
            of("\u{feff}id,n\r\na,1\r\n\"b\r\nc\",2\r\nd,3\r\n"),
            [
                r#"2: {"id":"a","n":1}"#,
                r#"3: {"id":"b\r\nc","n":2}"#,
                r#"5: {"id":"d","n":3}"#,
            ]
        );
    }

    #[test]
    fn nothing_and_a_heading_alone_have_no_records() {
        assert!(of("").is_empty());
        assert!(of("id,n\n").is_empty());
    }

    #[test]
    fn a_row_of_another_length_is_told_with_its_line_and_the_next_is_read() {
        assert_eq!(
            of("id,n\na\nb,2\n"),
            [
                "2! the row has 1 cells, the heading 2",
                r#"3: {"id":"b","n":2}"#
            ]
        );
    }

    #[test]
    fn a_heading_may_say_the_type() {
        assert_eq!(
            of("id:text,tags:json,p:number\n7,\"[1, 2]\",x\n8,\"{}\",3\n"),
            [
                "2! \"x\" is no number (\"p\")",
                r#"3: {"id":"8","tags":{},"p":3}"#
            ]
        );
    }

    #[test]
    fn two_columns_of_one_name_would_be_two_equal_keys() {
        assert_eq!(of("a,a\n1,2\n"), ["1!! two columns are named \"a\""]);
    }

    #[test]
    fn all_cells_can_be_kept_as_text() {
        let options = RowOptions {
            delimiter: b';',
            strings: true,
        };
        let found = transcript(Rows::new(&b"a;b:number\n1;2\n"[..], options));
        assert_eq!(found, [r#"2: {"a":"1","b":2}"#]);
    }
}
