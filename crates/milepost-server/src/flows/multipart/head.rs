//! What stands above a part of a form: which field it is of, and, for a file, what its sender calls it (RFC 7578 §4.2).
//!
//! What else is said there, such as a media type, is not read: a file is what it begins as. Every byte is looked at so many times
//! and no more, whatever is sent.

use percent_encoding::percent_decode_str;

/// What is told of a part before its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The field's name.
    pub(super) name: String,
    /// What a file is called by its sender, empty where none was chosen; `None` where the part is no file. `filename*` (RFC 8187),
    /// which no form should have, says what a file is called where nothing else does.
    pub(super) file_name: Option<String>,
    /// How long all that stood above the part is, in bytes.
    pub(super) bytes: usize,
}

/// A part without it is of no field.
const NAMELESS: &str =
    "a part has no name: each begins with Content-Disposition: form-data; name=\"…\"";

impl Head {
    /// Reads the lines above a part, or says what is wrong with them.
    pub(super) fn read(lines: &[u8]) -> Result<Self, &'static str> {
        let text = String::from_utf8_lossy(lines);
        let mut fields = text.split("\r\n").filter_map(|line| line.split_once(':'));
        let disposition = fields.find(|(name, _)| name.eq_ignore_ascii_case("content-disposition"));
        let (_, disposition) = disposition.ok_or(NAMELESS)?;
        let (kind, parameters) = disposition.split_once(';').ok_or(NAMELESS)?;
        if !kind.trim().eq_ignore_ascii_case("form-data") {
            return Err(NAMELESS);
        }
        let (mut name, mut file_name, mut extended) = (None, None, None);
        for (key, value) in Parameters(parameters) {
            match key {
                _ if key.eq_ignore_ascii_case("name") => name = name.or(Some(value)),
                _ if key.eq_ignore_ascii_case("filename") => file_name = file_name.or(Some(value)),
                _ if key.eq_ignore_ascii_case("filename*") => extended = extended.or(Some(value)),
                _ => {}
            }
        }
        Ok(Self {
            name: name.ok_or(NAMELESS)?,
            file_name: file_name.or_else(|| extended.map(|value| decoded(&value))),
            bytes: lines.len(),
        })
    }
}

/// The parameters of a field: `; name="value"`.
struct Parameters<'t>(&'t str);

impl<'t> Iterator for Parameters<'t> {
    type Item = (&'t str, String);

    fn next(&mut self) -> Option<Self::Item> {
        let rest = self.0.trim_start_matches([' ', '\t', ';']);
        let (key, rest) = rest.split_once('=')?;
        let (value, rest) = match rest.strip_prefix('"') {
            Some(quoted) => unquoted(quoted),
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        self.0 = rest;
        Some((key.trim(), value))
    }
}

/// A quoted value, and what follows it. Browsers write a quotation mark as `%22` and the ends of lines as `%0D` and `%0A`,
/// and a backslash as itself (HTML Standard, multipart form data); others write `\"`.
fn unquoted(quoted: &str) -> (String, &str) {
    let (value, rest) = quoted.split_at(end_of(quoted.bytes()));
    let value = value.replace("\\\"", "\"").replace("%22", "\"");
    let value = value.replace("%0D", "\r").replace("%0A", "\n");
    (value, rest.strip_prefix('"').unwrap_or(rest))
}

/// Where a quoted value ends: before the first mark that no backslash is before; where there is none, before the last mark, whose
/// backslash is the value's own end then; else behind everything. Each byte is taken once.
fn end_of(quoted: impl Iterator<Item = u8>) -> usize {
    let (mut escaped, mut bytes, mut before) = (None, 0, 0);
    for byte in quoted {
        match (before, byte) {
            (b'\\', b'"') => escaped = Some(bytes),
            (_, b'"') => return bytes,
            _ => {}
        }
        (bytes, before) = (bytes + 1, byte);
    }
    escaped.unwrap_or(bytes)
}

/// A value with its character set and language before it, and letters as `%C5%81` (RFC 8187 §3.2.1). It is read as UTF-8,
/// whatever it claims to be.
fn decoded(value: &str) -> String {
    let text = value.splitn(3, '\'').last().unwrap_or_default();
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<(String, Option<String>), &'static str> {
        Head::read(lines.as_bytes()).map(|head| (head.name, head.file_name))
    }

    fn field(name: &str, file: Option<&str>) -> Result<(String, Option<String>), &'static str> {
        Ok((name.to_owned(), file.map(str::to_owned)))
    }

    #[test]
    fn names_are_read_as_browsers_and_other_programs_write_them() {
        let plain = "Content-Disposition: form-data; name=\"input.kind\"";
        assert_eq!(read(plain), field("input.kind", None));
        let file = "Content-Type: image/png\r\ncontent-disposition:form-data;name=a; filename=\"my scan.png\"; filename*=x";
        assert_eq!(read(file), field("a", Some("my scan.png")));
        let none = "Content-Disposition: form-data; name=\"a\"; filename=\"\"";
        assert_eq!(read(none), field("a", Some("")), "no file was chosen");
        let quoted = r#"Content-Disposition: form-data; name="a%22b"; filename="c\"d; name=\"x"#
            .to_owned()
            + "\"";
        assert_eq!(read(&quoted), field("a\"b", Some("c\"d; name=\"x")));
        let folder = r#"Content-Disposition: form-data; name="a"; filename="C:\my scan.png""#;
        assert_eq!(read(folder), field("a", Some(r"C:\my scan.png")));
        let odd = r#"Content-Disposition: form-data; name="a"; filename="folder\""#;
        assert_eq!(read(odd), field("a", Some(r"folder\")));
    }

    #[test]
    fn a_file_is_one_where_only_its_extended_name_says_so() {
        let extended =
            "Content-Disposition: form-data; name=a; filename*=UTF-8'pl'%C5%81%20scan.png";
        assert_eq!(read(extended), field("a", Some("Ł scan.png")));
        let both = "Content-Disposition: form-data; filename*=UTF-8''other; name=a; filename=scan";
        assert_eq!(read(both), field("a", Some("scan")));
        let bare = "Content-Disposition: form-data; name=a; filename*=scan";
        assert_eq!(read(bare), field("a", Some("scan")));
    }

    /// How many bytes are taken to read a value that never ends, of so many escaped marks, and where it ends then.
    fn taken(marks: usize) -> (usize, usize) {
        let value = "\\\"".repeat(marks);
        let mut taken = 0;
        let end = end_of(value.bytes().inspect(|_| taken += 1));
        (taken, end)
    }

    #[test]
    fn twice_as_many_marks_in_a_name_are_twice_the_work_and_no_more() {
        for marks in [1, 1000, 2000, 4000] {
            assert_eq!(taken(marks), (2 * marks, 2 * marks - 1), "{marks}");
        }
    }

    #[test]
    fn a_part_of_no_field_is_told() {
        let others = [
            "",
            "Content-Type: text/plain",
            "Content-Disposition: form-data",
            "Content-Disposition: attachment; name=\"a\"",
            "Content-Disposition: form-data; filename=\"a\"",
            "no field at all",
        ];
        for lines in others {
            assert_eq!(read(lines), Err(NAMELESS), "{lines}");
        }
    }
}
