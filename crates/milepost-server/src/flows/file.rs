//! Files as answers: what a member of a step's schema asks of one, and whether bytes are that.
//!
//! What a file is, is said by how it begins: neither its name nor what a browser takes it for is believed. Nothing is
//! decoded, so a file of the right kind may still be broken, or be another kind too, further on.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::{definition::Step, expression, mentions::Mentions, template};

/// The keyword by which a member's schema says that it is a file.
pub(super) const KEYWORD: &str = "file";
/// What a draft's document has beside the content, in bytes, at most.
const ENVELOPE_BYTES_MAX: usize = 2048;
/// How large the files of one step are together at most, in times of the largest resource: they are in memory while a form is
/// read. A definition that asks for more is refused.
const RESOURCES_PER_STEP_MAX: usize = 8;

/// What is asked of a file.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Wanted {
    /// The collection whose drafts hold such files.
    pub(super) collection: String,
    /// Any of these.
    pub(super) accept: Vec<Kind>,
    /// The largest that is taken.
    pub(super) max_bytes: usize,
}

/// A kind of file that can be told by how it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
pub(super) enum Kind {
    #[serde(rename = "image/jpeg")]
    Jpeg,
    #[serde(rename = "image/png")]
    Png,
    #[serde(rename = "image/gif")]
    Gif,
    #[serde(rename = "image/webp")]
    Webp,
    #[serde(rename = "image/heic")]
    Heic,
    #[serde(rename = "application/pdf")]
    Pdf,
}

impl Kind {
    /// The kind that a file begins as.
    fn of(bytes: &[u8]) -> Option<Self> {
        let has = |at: usize, mark: &[u8]| bytes.get(at..at + mark.len()) == Some(mark);
        let brands: [&[u8]; 4] = [b"heic", b"heix", b"heim", b"heis"];
        match bytes {
            _ if has(0, b"\xff\xd8\xff") => Some(Self::Jpeg),
            _ if has(0, b"\x89PNG\r\n\x1a\n") => Some(Self::Png),
            _ if has(0, b"GIF87a") || has(0, b"GIF89a") => Some(Self::Gif),
            _ if has(0, b"RIFF") && has(8, b"WEBP") => Some(Self::Webp),
            _ if has(4, b"ftyp") && brands.iter().any(|brand| has(8, brand)) => Some(Self::Heic),
            _ if has(0, b"%PDF-") => Some(Self::Pdf),
            _ => None,
        }
    }

    /// Its media type (RFC 9110 §8.3.1).
    pub(super) const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::Gif => "image/gif",
            Self::Webp => "image/webp",
            Self::Heic => "image/heic",
            Self::Pdf => "application/pdf",
        }
    }

    /// What people call it.
    const fn name(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::Gif => "GIF",
            Self::Webp => "WebP",
            Self::Heic => "HEIC",
            Self::Pdf => "PDF",
        }
    }
}

impl Wanted {
    /// What a member's schema asks for, where it asks for a file.
    pub(super) fn of(schema: &Value) -> Option<Self> {
        Self::deserialize(schema.get(KEYWORD)?).ok()
    }

    /// The largest file that is taken, where a resource has at most so many bytes: a file stands in one as base64.
    pub(super) fn bytes_max(&self, resource_bytes_max: usize) -> usize {
        self.max_bytes.min(most_bytes(resource_bytes_max))
    }

    /// The kind of a file, or what is wrong with it, in words for whoever sent it.
    pub(super) fn judge(&self, bytes: &[u8], resource_bytes_max: usize) -> Result<Kind, String> {
        if bytes.is_empty() {
            return Err("must not be empty: choose another file".to_owned());
        }
        if bytes.len() > self.bytes_max(resource_bytes_max) {
            return Err(self.too_large(resource_bytes_max));
        }
        let kind = Kind::of(bytes).filter(|kind| self.accept.contains(kind));
        kind.ok_or_else(|| format!("must be a file of these kinds: {}", self.kinds()))
    }

    /// What is said of a file that is too large.
    pub(super) fn too_large(&self, resource_bytes_max: usize) -> String {
        format!("must be a file of {}", self.at_most(resource_bytes_max))
    }

    /// How large a file may be, in words.
    pub(super) fn at_most(&self, resource_bytes_max: usize) -> String {
        let most = self.bytes_max(resource_bytes_max);
        match most / 1000 {
            0 => format!("at most {most} bytes"),
            kilobytes => format!("at most {kilobytes} kB"),
        }
    }

    /// The kinds by their names.
    pub(super) fn kinds(&self) -> String {
        let names: Vec<&str> = self.accept.iter().map(|kind| kind.name()).collect();
        names.join(", ")
    }

    /// The kinds as a form's field lists them.
    pub(super) fn accept(&self) -> String {
        let types: Vec<&str> = self.accept.iter().map(|kind| kind.media_type()).collect();
        types.join(",")
    }
}

/// The largest file that fits into a resource of so many bytes (RFC 4648 §4: four letters for three bytes).
pub(super) const fn most_bytes(resource_bytes_max: usize) -> usize {
    resource_bytes_max.saturating_sub(ENVELOPE_BYTES_MAX) / 4 * 3
}

/// How large the files of one step are together at most, in bytes, where a resource has at most so many.
pub(super) const fn bytes_per_step_max(resource_bytes_max: usize) -> usize {
    resource_bytes_max.saturating_mul(RESOURCES_PER_STEP_MAX)
}

/// A member of a step's answers: the step's id, and its own name.
pub(super) type Member<'n> = (&'n str, &'n str);

/// Which files a template of a URL speaks of.
pub(super) struct Spoken<'t> {
    /// An answer that it is.
    answer: Option<&'t str>,
    /// What its expression speaks of.
    mentions: Mentions,
}

impl<'t> Spoken<'t> {
    /// What is spoken of by the `href` of an operation; nothing where that has none.
    pub(super) fn of(operation: &'t Value) -> Self {
        let href = operation.get("href").and_then(Value::as_object);
        let (answer, mentions) = match href.and_then(template::directive) {
            Some(("$answer", answer)) => (Some(answer), None),
            Some((_, text)) => (None, expression::mentions(text).ok()),
            None => (None, None),
        };
        Self {
            answer,
            mentions: mentions.unwrap_or_default(),
        }
    }

    /// Whether it is the file that is answered in a member.
    pub(super) fn is(&self, (step, name): Member<'_>) -> bool {
        let member = (step.to_owned(), Some(name.to_owned()));
        let is_mentioned = self.mentions.answers.contains(&member);
        is_mentioned
            || self
                .answer
                .is_some_and(|answer| answer == link_of((step, name)))
    }

    /// Whether files that weren't answered are spoken of, and nothing else that wasn't.
    pub(super) fn misses_only(
        &self,
        unanswered: &[Member<'_>],
        answers: &Map<String, Value>,
    ) -> bool {
        let is_answered = |(step, name): &(String, Option<String>)| {
            let step = answers.get(step);
            let name = name.as_ref();
            step.is_some_and(|step| name.is_none_or(|name| step.get(name).is_some()))
        };
        let is_file = |(step, name): &(String, Option<String>)| {
            let mut files = unanswered.iter();
            files.any(|(at, file)| at == step && Some(*file) == name.as_deref())
        };
        let mut mentioned = self.mentions.answers.iter();
        unanswered.iter().any(|member| self.is(*member))
            && mentioned.all(|answer| is_answered(answer) || is_file(answer))
    }
}

/// Where the link of a file stands among the answers (RFC 6901 §3).
pub(super) fn link_of((step, name): Member<'_>) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("/{step}/{name}/href")
}

impl Step {
    /// The members that are files.
    pub(super) fn files(&self) -> impl Iterator<Item = (&String, Wanted)> {
        let members = self.properties();
        members.filter_map(|(name, schema)| Some((name, Wanted::of(schema)?)))
    }

    /// The members that are files and were answered.
    pub(super) fn answered_files<'a>(
        &'a self,
        answers: &'a Map<String, Value>,
    ) -> impl Iterator<Item = (&'a String, Wanted, &'a Value)> {
        let given = answers.get(&self.id);
        let files = self.files();
        files.filter_map(move |(name, wanted)| Some((name, wanted, given?.get(name)?)))
    }

    /// How large its files are together at most, in bytes.
    pub(super) fn files_bytes_max(&self, resource_bytes_max: usize) -> usize {
        let each = self
            .files()
            .map(|(_, wanted)| wanted.bytes_max(resource_bytes_max));
        each.fold(0, usize::saturating_add)
            .min(bytes_per_step_max(resource_bytes_max))
    }

    /// Whether any member is a file.
    pub(super) fn has_files(&self) -> bool {
        self.files().next().is_some()
    }
}

/// A file's name as it is kept: without the folders that some browsers send, and nothing that no name needs.
pub(super) fn plain_name(name: &str) -> String {
    const LETTERS_MAX: usize = 100;
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let letters = last.chars().filter(|letter| !is_odd(*letter));
    let plain: String = letters.take(LETTERS_MAX).collect();
    match plain.trim() {
        "" => "file".to_owned(),
        plain => plain.to_owned(),
    }
}

/// Control characters, and those that turn the direction of what follows.
fn is_odd(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn wanted() -> Wanted {
        let file = json!({ "collection": "documents", "accept": ["image/png", "application/pdf"], "maxBytes": 2000 });
        Wanted::of(&json!({ "file": file })).unwrap()
    }

    #[test]
    fn a_file_is_what_it_begins_as() {
        let judge = |bytes: &[u8]| wanted().judge(bytes, 1 << 20);
        assert_eq!(judge(b"\x89PNG\r\n\x1a\nrest"), Ok(Kind::Png));
        assert_eq!(judge(b"%PDF-1.7"), Ok(Kind::Pdf));
        let another = Err("must be a file of these kinds: PNG, PDF".to_owned());
        assert_eq!(judge(b"\xff\xd8\xff\xe0 a photo"), another, "not asked for");
        assert_eq!(judge(b"<html><script>"), another);
        assert_eq!(judge(b"\x89PN"), another);
        assert!(judge(b"").unwrap_err().contains("empty"));
        let webp = b"RIFF\0\0\0\0WEBP";
        let heic = b"\0\0\0\x18ftypheic";
        assert_eq!(
            (Kind::of(webp), Kind::of(heic)),
            (Some(Kind::Webp), Some(Kind::Heic))
        );
    }

    #[test]
    fn a_file_is_no_larger_than_asked_for_and_than_a_resource_holds() {
        let of = |length: usize| [b"%PDF-".as_slice(), &vec![b'x'; length - 5]].concat();
        let wanted = wanted();
        assert_eq!(wanted.judge(&of(2000), 1 << 20), Ok(Kind::Pdf));
        let large = wanted.judge(&of(2001), 1 << 20);
        assert_eq!(large, Err("must be a file of at most 2 kB".to_owned()));
        let large = wanted.judge(&of(1600), 4096);
        assert_eq!(large, Err("must be a file of at most 1 kB".to_owned()));
    }

    #[test]
    fn names_are_kept_without_what_no_name_needs() {
        assert_eq!(plain_name("C:\\fakepath\\scan 1.jpg"), "scan 1.jpg");
        assert_eq!(plain_name("../../etc/passwd"), "passwd");
        assert_eq!(plain_name("a\u{202e}gpj.\0exe"), "agpj.exe");
        assert_eq!(plain_name(" \n"), "file");
        assert_eq!(plain_name(&"ż".repeat(500)).chars().count(), 100);
    }
}
