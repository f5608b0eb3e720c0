//! What stands above a part of a form: which field it is of, and, for a file, what its sender calls it (RFC 7578 §4.2).
//!
//! What else is said there, such as a media type, is not read: a file is what it begins as.

/// What is told of a part before its content.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Head {
    /// The field's name.
    pub(super) name: String,
    /// What a file is called by its sender, empty where none was chosen; `None` where the part is no file.
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
        let (mut name, mut file_name) = (None, None);
        for (key, value) in Parameters(parameters) {
            match key {
                _ if key.eq_ignore_ascii_case("name") => name = name.or(Some(value)),
                _ if key.eq_ignore_ascii_case("filename") => file_name = file_name.or(Some(value)),
                _ => {}
            }
        }
        Ok(Self {
            name: name.ok_or(NAMELESS)?,
            file_name,
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
    let mut from = 0;
    let end = loop {
        let Some(at) = quoted.get(from..).and_then(|rest| rest.find('"')) else {
            break quoted.len();
        };
        let at = from + at;
        let (before, after) = quoted.split_at(at);
        let is_escaped = before.ends_with('\\') && after.matches('"').count() > 1;
        if !is_escaped {
            break at;
        }
        from = at + 1;
    };
    let (value, rest) = quoted.split_at(end);
    let value = value.replace("\\\"", "\"").replace("%22", "\"");
    let value = value.replace("%0D", "\r").replace("%0A", "\n");
    (value, rest.strip_prefix('"').unwrap_or(rest))
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
