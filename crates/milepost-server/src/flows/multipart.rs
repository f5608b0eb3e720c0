//! A form with files, as `multipart/form-data` (RFC 7578): read as it comes, of which only so much is kept as may be asked
//! for.
//!
//! What is kept is bounded by what the flow's steps ask for, whatever is sent; a file that is too large is read to its end
//! and dropped, so that whoever sent it is told at its field, and not by a connection that breaks.

use http::{header::CONTENT_TYPE, request::Parts};
use http_body_util::BodyDataStream;
use milepost_semantics::ProblemType;
use multer::{Constraints, Error, Field, Multipart, SizeLimit};

use super::definition::Flow;
use crate::{
    intake::{self, RequestBody},
    refusal::Refusal,
    service::Shared,
};

/// The fields of one form; more are 400.
const FIELDS_MAX: usize = 256;
/// What is read of one form where its files may be smaller; more is 413.
const READ_BYTES_MAX: usize = 32 << 20;
/// The texts of one form together; more is 413.
const TEXT_BYTES_MAX: usize = super::FORM_BYTES_MAX;

/// What a form sent.
#[derive(Debug, Default)]
pub(super) struct Sent {
    /// Names and texts, in order.
    pub(super) pairs: Vec<(String, String)>,
    pub(super) files: Vec<SentFile>,
}

/// A file that was sent.
#[derive(Debug)]
pub(super) struct SentFile {
    /// The field's name.
    pub(super) field: String,
    /// What its sender calls it; empty where none was chosen.
    pub(super) name: String,
    /// `None` where it is larger than is asked for.
    pub(super) content: Option<Vec<u8>>,
}

impl SentFile {
    /// Whether a file was chosen: browsers send an empty one where none was.
    pub(super) fn is_chosen(&self) -> bool {
        !self.name.is_empty() || self.content.as_ref().is_none_or(|bytes| !bytes.is_empty())
    }
}

/// Reads a form's content, within the configured time.
pub(super) async fn read(
    shared: &Shared,
    request: &Parts,
    body: RequestBody<'_>,
    flow: &Flow,
) -> Result<Sent, Refusal> {
    intake::refuse_coded(&request.headers)?;
    let content = request.headers.get(CONTENT_TYPE);
    let content = content.and_then(|value| value.to_str().ok());
    let boundary = multer::parse_boundary(content.unwrap_or_default()).map_err(refused)?;
    let room = Room::of(flow, shared.limits.resource_bytes_max);
    if body.size_hint().lower() > room.whole {
        return Err(refused(Error::StreamSizeExceeded { limit: room.whole }));
    }
    let bounds = SizeLimit::new().whole_stream(room.whole);
    let bounds = Constraints::new().size_limit(bounds);
    let parts = Multipart::with_constraints(BodyDataStream::new(body), boundary, bounds);
    let time_max = shared.limits.request_body_time_max();
    match tokio::time::timeout(time_max, collect(parts, &room)).await {
        Ok(collected) => collected,
        Err(_elapsed) => Err(Refusal::body_too_slow(time_max)),
    }
}

/// How much is kept of what.
struct Room<'f> {
    flow: &'f Flow,
    resource_bytes_max: usize,
    /// How much is read, in bytes.
    whole: u64,
}

impl<'f> Room<'f> {
    fn of(flow: &'f Flow, resource_bytes_max: usize) -> Self {
        let files = flow.steps.iter().map(|step| {
            let most = step.files();
            most.map(|(_, wanted)| wanted.bytes_max(resource_bytes_max))
                .sum::<usize>()
        });
        let files = files.max().unwrap_or_default();
        let whole = READ_BYTES_MAX.max(files * 2);
        Self {
            flow,
            resource_bytes_max,
            whole: u64::try_from(whole).unwrap_or(u64::MAX),
        }
    }

    /// The largest file that any step asks for in a field of this name; 0 where none does.
    fn of_file(&self, field: &str) -> usize {
        let name = field.strip_prefix("input.").unwrap_or_default();
        let files = self.flow.steps.iter().flat_map(|step| step.files());
        let files = files.filter(|(member, _)| *member == name);
        let most = files.map(|(_, wanted)| wanted.bytes_max(self.resource_bytes_max));
        most.max().unwrap_or_default()
    }
}

async fn collect(mut parts: Multipart<'_>, room: &Room<'_>) -> Result<Sent, Refusal> {
    let mut sent = Sent::default();
    let mut text_room = TEXT_BYTES_MAX;
    let mut count = 0;
    while let Some(mut part) = parts.next_field().await.map_err(refused)? {
        count += 1;
        if count > FIELDS_MAX {
            let detail = format!("a form has at most {FIELDS_MAX} fields");
            return Err(Refusal::new(ProblemType::BadRequest, detail));
        }
        let field = part.name().unwrap_or_default().to_owned();
        if let Some(name) = part.file_name().map(str::to_owned) {
            // A second file for one field is none.
            let is_again = sent.files.iter().any(|file| file.field == field);
            let most = if is_again { 0 } else { room.of_file(&field) };
            let content = taken(&mut part, most).await?;
            if most > 0 {
                sent.files.push(SentFile {
                    field,
                    name,
                    content,
                });
            }
            continue;
        }
        let text = taken(&mut part, text_room).await?;
        let text = text.ok_or_else(|| Refusal::body_too_large(TEXT_BYTES_MAX))?;
        text_room -= text.len();
        let text = String::from_utf8_lossy(&text).into_owned();
        sent.pairs.push((field, text));
    }
    Ok(sent)
}

/// A field's content, or `None` where it is larger; read to its end either way.
async fn taken(part: &mut Field<'_>, bytes_max: usize) -> Result<Option<Vec<u8>>, Refusal> {
    let mut taken = Some(Vec::new());
    while let Some(chunk) = part.chunk().await.map_err(refused)? {
        taken = taken.filter(|bytes| bytes.len() + chunk.len() <= bytes_max);
        if let Some(bytes) = &mut taken {
            bytes.extend_from_slice(&chunk);
        }
    }
    Ok(taken)
}

fn refused(error: Error) -> Refusal {
    match error {
        Error::StreamSizeExceeded { limit } => {
            Refusal::body_too_large(usize::try_from(limit).unwrap_or(usize::MAX))
        }
        Error::StreamReadFailed(_) => Refusal::body_interrupted(),
        error => {
            let detail = format!("the form can't be read as multipart/form-data: {error}");
            Refusal::new(ProblemType::BadRequest, detail)
        }
    }
}
