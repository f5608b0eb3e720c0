//! A form with files, as `multipart/form-data` (RFC 7578): read as it comes, of which only so much is kept as its step asks for.
//!
//! **The problem.** Whoever sends a form may send anything: files without end, a million fields, names of megabytes. What is
//! kept must be bounded by what this step of this flow asks for, before anything is kept, and nothing may be worked on for long.
//!
//! **The choice.** The first field is the state, as on the flow's own pages. It is opened before anything else is looked at, so what
//! follows is from somebody who is at a step, and that step says which files there are and how large. Everything else is
//! bounded too: how many fields, their names and texts, the lines above a part, what belongs to none ([`scanner`]), what is read
//! at all, and the time. A file that is too large is read to its end and dropped, so that whoever sent it is told at its field, and
//! not by a connection that breaks; and so is the rest of a form that is refused, as far as forms of its flow go.

mod head;
mod scanner;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, header::CONTENT_TYPE};
use http_body_util::BodyExt;
use milepost_seal::SEALED_BYTES_MAX;
use milepost_semantics::ProblemType;

use self::{
    head::Head,
    scanner::{Scanner, Token},
};
use super::{
    FORM_BYTES_MAX, Input, Submission, definition::Step, form, opened, state::Form, visit::Visit,
};
use crate::{
    intake::{self, Interrupted, RequestBody},
    refusal::Refusal,
};

/// The fields of one form; more are 400.
const FIELDS_MAX: usize = 256;
/// What is read of one form, in bytes, where its step's files are smaller; more is 413.
const READ_BYTES_MAX: usize = 32 << 20;
/// The texts of one form, and all that stands above its parts, together in bytes; more is 413.
const TEXT_BYTES_MAX: usize = FORM_BYTES_MAX;
/// How long the rest of a form that is refused is read.
const REST_TIME_MAX: Duration = Duration::from_secs(5);
/// What a form has to begin with.
const STATE_FIRST: &str = "the first field of a form with files has to be its state: send the field named state before all others, as the flow's pages do";

/// What a form sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Names and texts, in order.
    pub(super) pairs: Vec<(String, String)>,
    /// Files that the step asks for.
    pub(super) files: Vec<SentFile>,
    /// The members that are files, in whose place a text is.
    misplaced: Vec<String>,
}

impl Sent {
    /// Of a form that carries no files.
    pub(super) fn texts(pairs: Vec<(String, String)>) -> Self {
        Self {
            pairs,
            ..Self::default()
        }
    }

    /// Whether a text is where the step asks for a file.
    pub(super) fn has_text_for(&self, member: &str) -> bool {
        let is_its = |name: &str| name.strip_prefix("input.") == Some(member);
        let mut pairs = self.pairs.iter();
        pairs.any(|(name, text)| is_its(name) && !text.trim().is_empty())
            || self.misplaced.iter().any(|name| name == member)
    }
}

/// A file that was sent.
#[derive(Debug)]
pub(super) struct SentFile {
    /// The member of the answers that it is.
    pub(super) member: String,
    /// What its sender calls it; empty where none was chosen.
    pub(super) name: String,
    /// `None` where it is larger than is asked for.
    pub(super) content: Option<Bytes>,
}

impl SentFile {
    /// Whether a file was chosen: browsers send an empty one where none was.
    pub(super) fn is_chosen(&self) -> bool {
        !self.name.is_empty()
            || self
                .content
                .as_ref()
                .is_none_or(|content| !content.is_empty())
    }
}

/// Reads a form's content, within the configured time, and opens the state that it begins with.
pub(super) async fn read(visit: &Visit<'_>, body: RequestBody<'_>) -> Result<Submission, Refusal> {
    let fields = &visit.request.headers;
    intake::refuse_coded(fields)?;
    let mut parts = Parts {
        scanner: scanner_of(fields)?,
        body,
        read: 0,
        read_max: READ_BYTES_MAX,
    };
    let time_max = visit.shared.limits.request_body_time_max();
    let collected = tokio::time::timeout(time_max, collect(visit, &mut parts)).await;
    // Whoever is too slow for a form is not waited for any longer.
    let collected = collected.map_err(|_elapsed| Refusal::body_too_slow(time_max))?;
    if collected.is_err() {
        let rest = parts.drop_rest(rest_bytes_max(visit));
        let _unfinished = tokio::time::timeout(REST_TIME_MAX, rest).await;
    }
    collected
}

/// How much is read of a form that is refused, in bytes: as much as browsers send of the flow's largest one.
fn rest_bytes_max(visit: &Visit<'_>) -> usize {
    let resource_bytes_max = visit.shared.limits.resource_bytes_max;
    let steps = visit.flow.steps.iter();
    let files = steps.map(|step| step.files_bytes_max(resource_bytes_max));
    files.max().unwrap_or_default() + FORM_BYTES_MAX
}

/// RFC 2046 §5.1.1: the boundary is named by the content's type.
fn scanner_of(fields: &HeaderMap) -> Result<Scanner, Refusal> {
    let content = fields.get(CONTENT_TYPE).map(|value| value.to_str());
    let content = content.and_then(Result::ok).unwrap_or_default();
    let mut parameters = content.split(';').filter_map(|text| text.split_once('='));
    let boundary = parameters.find(|(name, _)| name.trim().eq_ignore_ascii_case("boundary"));
    let boundary = boundary.map(|(_, value)| value.trim().trim_matches('"'));
    let scanner = boundary.and_then(Scanner::new);
    scanner.ok_or_else(|| malformed("its Content-Type names no boundary, of 1 to 70 characters"))
}

async fn collect(visit: &Visit<'_>, parts: &mut Parts<'_>) -> Result<Submission, Refusal> {
    let mut text_room = TEXT_BYTES_MAX;
    let state = parts.state(&mut text_room).await?;
    let progress = opened(visit, &state, Form::State).await?;
    let step = visit.step_of(&progress)?;
    let resource_bytes_max = visit.shared.limits.resource_bytes_max;
    parts.read_no_more_than(READ_BYTES_MAX.max(step.files_bytes_max(resource_bytes_max) * 2))?;
    let mut room = Room {
        step,
        resource_bytes_max,
        files: step.files_bytes_max(resource_bytes_max),
        text: text_room,
    };
    let sent = parts.fields(&mut room).await?;
    Ok(Submission {
        state,
        progress,
        goes_back: form::value(&sent.pairs, "go") == Some("back"),
        input: Input::Form(sent),
    })
}

/// How much is kept of what, in bytes.
struct Room<'s> {
    step: &'s Step,
    resource_bytes_max: usize,
    /// Of all files together, from now on.
    files: usize,
    /// Of texts, and what stands above parts, from now on.
    text: usize,
}

impl Room<'_> {
    /// The member that a field's file answers, and the largest one; `None` where the step asks for none there.
    fn of_file(&self, field: &str) -> Option<(String, usize)> {
        let name = field.strip_prefix("input.")?;
        let (member, wanted) = self.step.files().find(|(member, _)| *member == name)?;
        let most = wanted.bytes_max(self.resource_bytes_max).min(self.files);
        Some((member.clone(), most))
    }
}

/// A form's parts, as they come.
struct Parts<'b> {
    body: RequestBody<'b>,
    scanner: Scanner,
    /// How much was read, in bytes.
    read: usize,
    read_max: usize,
}

impl Parts<'_> {
    /// The state that the form begins with.
    async fn state(&mut self, text_room: &mut usize) -> Result<String, Refusal> {
        match self.part(text_room).await? {
            Some(head) if head.name == "state" && head.file_name.is_none() => {}
            _ => return Err(malformed(STATE_FIRST)),
        }
        let state = self.content(SEALED_BYTES_MAX).await?;
        let state = state.ok_or_else(|| Refusal::body_too_large(SEALED_BYTES_MAX))?;
        Ok(String::from_utf8_lossy(&state).into_owned())
    }

    /// All other fields, and of files those that are asked for, each once.
    async fn fields(&mut self, room: &mut Room<'_>) -> Result<Sent, Refusal> {
        let mut sent = Sent::default();
        let mut count = 1;
        while let Some(head) = self.part(&mut room.text).await? {
            count += 1;
            if count > FIELDS_MAX {
                return Err(malformed(&format!("it has more than {FIELDS_MAX} fields")));
            }
            match head.file_name {
                None => self.field(head.name, room, &mut sent).await?,
                Some(file) => self.file((head.name, file), room, &mut sent).await?,
            }
        }
        Ok(sent)
    }

    /// A text; of one where the step asks for a file, only that it is there.
    async fn field(
        &mut self,
        name: String,
        room: &mut Room<'_>,
        sent: &mut Sent,
    ) -> Result<(), Refusal> {
        let Some((member, _)) = room.of_file(&name) else {
            let text = self.text(&mut room.text).await?;
            sent.pairs.push((name, text));
            return Ok(());
        };
        if self.content(0).await?.is_none() {
            sent.misplaced.push(member);
        }
        Ok(())
    }

    /// A file, where the step asks for one there and this is the first.
    async fn file(
        &mut self,
        (field, name): (String, String),
        room: &mut Room<'_>,
        sent: &mut Sent,
    ) -> Result<(), Refusal> {
        let is_new = |member: &str| sent.files.iter().all(|file| file.member != member);
        let asked = room.of_file(&field);
        let Some((member, bytes_max)) = asked.filter(|(member, _)| is_new(member)) else {
            self.content(0).await?;
            return Ok(());
        };
        let content = self.content(bytes_max).await?;
        room.files -= content.as_ref().map_or(0, Vec::len);
        sent.files.push(SentFile {
            member,
            name,
            content: content.map(Bytes::from),
        });
        Ok(())
    }

    /// A field's text.
    async fn text(&mut self, room: &mut usize) -> Result<String, Refusal> {
        let text = self.content(*room).await?;
        let text = text.ok_or_else(|| Refusal::body_too_large(TEXT_BYTES_MAX))?;
        *room -= text.len();
        Ok(String::from_utf8_lossy(&text).into_owned())
    }

    /// What stands above the next part; `None` behind the last one.
    async fn part(&mut self, room: &mut usize) -> Result<Option<Head>, Refusal> {
        let Some(Token::Part(head)) = self.token().await? else {
            return Ok(None);
        };
        let left = room.checked_sub(head.bytes);
        *room = left.ok_or_else(|| Refusal::body_too_large(TEXT_BYTES_MAX))?;
        Ok(Some(head))
    }

    /// A part's content, or `None` where it is larger; read to its end either way.
    async fn content(&mut self, bytes_max: usize) -> Result<Option<Vec<u8>>, Refusal> {
        let mut kept = Some(Vec::new());
        while let Some(Token::Content(bytes)) = self.token().await? {
            kept = kept.filter(|kept| kept.len() + bytes.len() <= bytes_max);
            if let Some(kept) = &mut kept {
                keep(kept, &bytes, bytes_max);
            }
        }
        Ok(kept)
    }

    /// What comes next; `None` once all was read.
    async fn token(&mut self) -> Result<Option<Token>, Refusal> {
        loop {
            if let Some(token) = self.scanner.next().map_err(malformed)? {
                return Ok(Some(token));
            }
            let Some(frame) = self.body.frame().await else {
                return self.end().map(|()| None);
            };
            let frame = frame.map_err(|Interrupted| Refusal::body_interrupted())?;
            if let Ok(data) = frame.into_data() {
                self.read += data.len();
                self.read_no_more_than(self.read_max)?;
                self.scanner.feed(&data);
            }
        }
    }

    /// Nothing comes any more: which is good once the last boundary was there.
    fn end(&self) -> Result<(), Refusal> {
        if self.scanner.is_over() {
            return Ok(());
        }
        Err(malformed("it breaks off before its last boundary"))
    }

    /// Reads on, and keeps nothing: who still sends when the connection is closed sees that, and no answer.
    async fn drop_rest(&mut self, bytes_max: usize) {
        while self.read < bytes_max {
            let Some(Ok(frame)) = self.body.frame().await else {
                return;
            };
            self.read += frame.data_ref().map_or(0, Bytes::len);
        }
    }

    /// Refuses what is longer, be it that it was read or that it is told.
    fn read_no_more_than(&mut self, bytes: usize) -> Result<(), Refusal> {
        self.read_max = bytes;
        let told = usize::try_from(self.body.size_hint().lower()).unwrap_or(usize::MAX);
        if self.read.saturating_add(told) > bytes {
            return Err(Refusal::body_too_large(bytes));
        }
        Ok(())
    }
}

/// Takes more of a content: room for it doubles, and is never more than may be kept.
fn keep(kept: &mut Vec<u8>, bytes: &[u8], bytes_max: usize) {
    let needed = kept.len() + bytes.len();
    if needed > kept.capacity() {
        let room = (kept.capacity() * 2).min(bytes_max).max(needed);
        kept.reserve_exact(room - kept.len());
    }
    kept.extend_from_slice(bytes);
}

fn malformed(what: &str) -> Refusal {
    let detail = format!("the form can't be read as multipart/form-data: {what}");
    Refusal::new(ProblemType::BadRequest, detail)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn step(id: &str, files: &[&str]) -> Step {
        let file =
            json!({ "file": { "collection": "files", "accept": ["image/png"], "maxBytes": 1000 } });
        let members = files.iter().map(|name| ((*name).to_owned(), file.clone()));
        let mut members: serde_json::Map<_, _> = members.collect();
        members.insert("word".to_owned(), json!({ "type": "string" }));
        let schema = json!({ "type": "object", "properties": members });
        serde_json::from_value(json!({ "id": id, "title": id, "schema": schema })).unwrap()
    }

    #[test]
    fn there_is_room_for_the_files_of_this_step_alone_and_of_each_no_more_than_is_left() {
        let steps = [step("one", &["scan", "photo"]), step("two", &["letter"])];
        let of = |step, field: &str, files| {
            let room = Room {
                step,
                resource_bytes_max: 1 << 20,
                files,
                text: TEXT_BYTES_MAX,
            };
            room.of_file(field).map(|(_, bytes_max)| bytes_max)
        };
        for field in ["input.scan", "input.photo"] {
            assert_eq!(of(&steps[0], field, 2000), Some(1000), "{field}");
            assert_eq!(of(&steps[0], field, 10), Some(10), "{field}");
            assert_eq!(of(&steps[1], field, 2000), None, "{field}");
        }
        assert_eq!(of(&steps[1], "input.letter", 2000), Some(1000));
        for field in ["input.letter", "input.word", "scan", "input.", "state"] {
            assert_eq!(of(&steps[0], field, 2000), None, "{field}");
        }
    }

    #[test]
    fn room_for_content_is_never_more_than_may_be_kept() {
        let mut kept = Vec::new();
        for _chunk in 0..100 {
            keep(&mut kept, &[0; 100], 10_000);
            assert!(kept.capacity() <= 10_000);
        }
        assert_eq!(kept.len(), 10_000);
    }

    #[test]
    fn the_boundary_is_read_from_the_type_of_the_content() {
        let of = |text: &str| {
            let mut fields = HeaderMap::new();
            fields.insert(CONTENT_TYPE, text.parse().unwrap());
            scanner_of(&fields).is_ok()
        };
        assert!(of("multipart/form-data; boundary=a"));
        assert!(of("multipart/form-data; charset=utf-8; Boundary=\"a b\""));
        assert!(!of("multipart/form-data"));
        assert!(!of("multipart/form-data; boundary="));
    }
}
