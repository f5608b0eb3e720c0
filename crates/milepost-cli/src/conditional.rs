//! Writes that don't overwrite what nobody has read: `put`, `patch` and `delete` share this.
//!
//! The condition (RFC 9110 §13.1) is, in this order: what an option says, the tag remembered from
//! the last `get`, or none, in which case the server decides. When it turns out false, the user is
//! shown what changed meanwhile: the version that was read is asked for again, since neither side
//! keeps it for the other.

use clap::Args;
use serde_json::Value;
use ureq::http::{Method, StatusCode, header};

use crate::{
    client::{Answer, Ask, Client, failure_of},
    difference,
    exit::{Exit, Failure},
    tags::Tags,
    terminal::Terminal,
};

/// How often `--force` tries again when somebody else is faster.
const FORCE_ATTEMPTS_MAX: usize = 5;

/// Options that say which condition a write is made under.
#[derive(Args, Clone, Debug, Default)]
#[command(next_help_heading = "Condition")]
pub(crate) struct ConditionOptions {
    /// Write only if this is the current entity tag (default: the one your last `get` saw)
    #[arg(long, value_name = "TAG", conflicts_with = "force")]
    pub(crate) if_match: Option<String>,

    /// Write whatever is there now: fetches the current tag first
    #[arg(long)]
    pub(crate) force: bool,
}

/// The condition a write is made under.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// `If-Match` with this tag.
    IfMatch(String),
    /// `If-None-Match: *`: there must be nothing yet.
    Absent,
    /// None: the server decides.
    Unconditional,
}

/// A write, as a command wants it done.
#[derive(Debug)]
pub(crate) struct Write<'a> {
    /// The server.
    pub(crate) client: &'a Client,
    /// For warnings.
    pub(crate) terminal: Terminal,
    /// What to write to.
    pub(crate) url: String,
    /// `PUT`, `PATCH` or `DELETE`.
    pub(crate) method: Method,
    /// Media type and content, if there is any.
    pub(crate) content: Option<(&'a str, &'a [u8])>,
    /// The resource as it would be after the write, where that is known.
    pub(crate) wanted: Option<&'a Value>,
}

/// What a write did.
#[derive(Debug)]
pub(crate) struct Written {
    /// The server's answer.
    pub(crate) answer: Answer,
    /// Whether it left the resource as it was.
    pub(crate) unchanged: bool,
}

impl Write<'_> {
    /// Writes under the condition that the options ask for, and remembers the new tag.
    pub(crate) fn run(&self, options: &ConditionOptions, create: bool) -> Result<Written, Failure> {
        if options.force {
            return self.forced();
        }
        let condition = self.condition(options, create);
        let answer = self.send(&condition)?;
        match answer.status {
            StatusCode::PRECONDITION_FAILED => Err(self.lost(&answer, &condition)),
            StatusCode::PRECONDITION_REQUIRED => Err(self.unread(&answer)),
            _ => self.written(answer.success()?, &condition),
        }
    }

    fn condition(&self, options: &ConditionOptions, create: bool) -> Condition {
        if create {
            return Condition::Absent;
        }
        let given = options.if_match.as_deref().map(quoted);
        let remembered = || Tags::of_user()?.recall(&self.url);
        given
            .or_else(remembered)
            .map_or(Condition::Unconditional, Condition::IfMatch)
    }

    fn forced(&self) -> Result<Written, Failure> {
        for _ in 0..FORCE_ATTEMPTS_MAX {
            let current = self.client.send(&Ask::get(&self.url))?;
            let condition = match current.etag() {
                Some(tag) if current.status.is_success() => Condition::IfMatch(tag.to_owned()),
                _ if current.status == StatusCode::NOT_FOUND => Condition::Absent,
                _ if current.status == StatusCode::GONE => Condition::Absent,
                _ => return Err(failure_of(&current)),
            };
            let is_delete = self.method == Method::DELETE;
            if condition == Condition::Absent && (is_delete || self.method == Method::PATCH) {
                return Err(failure_of(&current));
            }
            let answer = self.send(&condition)?;
            if answer.status != StatusCode::PRECONDITION_FAILED {
                return self.written(answer.success()?, &condition);
            }
        }
        let busy = format!("others changed it during each of {FORCE_ATTEMPTS_MAX} attempts");
        Err(Failure::new(Exit::PreconditionFailed, busy))
    }

    fn send(&self, condition: &Condition) -> Result<Answer, Failure> {
        let mut ask = Ask::new(self.method.clone(), &self.url);
        if let Some((content_type, body)) = self.content {
            ask = ask.body(content_type, body);
        }
        ask = match condition {
            Condition::IfMatch(tag) => ask.field(header::IF_MATCH, tag),
            Condition::Absent => ask.field(header::IF_NONE_MATCH, "*"),
            Condition::Unconditional => ask,
        };
        self.client.send(&ask)
    }

    fn written(&self, answer: Answer, condition: &Condition) -> Result<Written, Failure> {
        let is_delete = self.method == Method::DELETE;
        let tag = answer.etag().filter(|_| !is_delete);
        let unchanged = matches!(condition, Condition::IfMatch(old) if Some(old.as_str()) == tag);
        if let Some(Err(failure)) = Tags::of_user().map(|tags| tags.remember(&self.url, tag)) {
            self.terminal.warn(format!(
                "the entity tag is not remembered: {}",
                failure.message
            ));
        }
        Ok(Written { answer, unchanged })
    }

    /// The failure for a resource that exists but that this user hasn't read: 428.
    fn unread(&self, answer: &Answer) -> Failure {
        let path = self.path();
        let mut failure = failure_of(answer);
        failure.message = format!("{path} exists, and you haven't read it here yet");
        failure.details.clear();
        failure
            .hint(format!(
                "`milepost get {path}` first; the entity tag is remembered"
            ))
            .hint("--force writes over whatever is there")
    }

    /// The failure for a condition that is false: 412, with what changed.
    fn lost(&self, answer: &Answer, condition: &Condition) -> Failure {
        let path = self.path();
        let Condition::IfMatch(tag) = condition else {
            let message = format!("{path} already exists");
            return Failure::new(Exit::PreconditionFailed, message)
                .hint(format!("`milepost get {path}` shows it"));
        };
        match self.client.send(&Ask::get(&self.url)) {
            Ok(current) if current.status.is_success() => self.changed(tag, &current),
            Ok(current) if matches!(current.status.as_u16(), 404 | 410) => self.deleted(),
            _ => failure_of(answer),
        }
    }

    fn deleted(&self) -> Failure {
        let path = self.path();
        let message = format!("{path} was deleted since you read it");
        let failure = Failure::new(Exit::PreconditionFailed, message);
        match self.method {
            Method::PUT => failure.hint("--create makes it anew"),
            _ => failure,
        }
    }

    fn changed(&self, tag: &str, current: &Answer) -> Failure {
        let path = self.path();
        let message = format!("{path} has changed since you read it");
        let mut failure = Failure::new(Exit::PreconditionFailed, message);
        let now: Option<Value> = serde_json::from_slice(&current.body).ok();
        if let Some(now) = now {
            if let Some(seen) = self.version(tag) {
                failure = failure.detail("what changed meanwhile:");
                failure = told(failure, &seen, &now);
            }
            if let Some(wanted) = self.wanted {
                failure = failure.detail("what your write would change now:");
                failure = told(failure, &now, wanted);
            }
        }
        failure
            .hint(format!(
                "`milepost get {path}` reads it as it is now; then write again"
            ))
            .hint("--force writes over it")
    }

    /// The version that a tag stands for, if the server still has it.
    fn version(&self, tag: &str) -> Option<Value> {
        let position = tag
            .trim_start_matches("W/")
            .trim_matches('"')
            .split('+')
            .next()?;
        let url = self.url.split('?').next()?;
        let answer = self
            .client
            .fetch(&format!("{url}/versions/{position}"))
            .ok()?;
        serde_json::from_slice(&answer.body).ok()
    }

    fn path(&self) -> &str {
        self.client.address().relative(&self.url)
    }
}

fn told(mut failure: Failure, before: &Value, after: &Value) -> Failure {
    let lines = difference::lines(before, after);
    if lines.is_empty() {
        return failure.detail("  nothing");
    }
    for line in lines {
        failure = failure.detail(format!("  {line}"));
    }
    failure
}

/// A tag as a field value: people forget the quotes, and shells eat them.
fn quoted(tag: &str) -> String {
    let is_quoted = tag.contains('"') || tag == "*";
    if is_quoted {
        tag.to_owned()
    } else {
        format!("\"{tag}\"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_without_its_quotes_is_understood() {
        assert_eq!(quoted("k3.7-abcd"), "\"k3.7-abcd\"");
        assert_eq!(quoted("\"k3.7-abcd\""), "\"k3.7-abcd\"");
        assert_eq!(quoted("W/\"x\""), "W/\"x\"");
        assert_eq!(quoted("*"), "*");
    }
}
