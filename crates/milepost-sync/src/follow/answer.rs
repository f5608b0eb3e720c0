//! What an answer's status means for a follower, in one match.

use http::header;
use serde::Deserialize;

use super::pace;
use crate::transport::Answer;

/// How much of a problem's detail is repeated.
const DETAIL_CHARS_MAX: usize = 300;

/// An answer, by what is to be done about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The content may be a page.
    Page,
    /// Ask there instead; the bookmark stays.
    Moved(String),
    /// The position is gone; the way on, where the answer names one.
    Gone(Option<String>),
    /// The link leads nowhere, or is not understood.
    NoSuchPage(String),
    /// Asking again later may help.
    Later {
        reason: String,
        retry_after: Option<std::time::Duration>,
    },
    /// Asking again won't help.
    No(String),
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Problem {
    title: Option<String>,
    detail: Option<String>,
    resync: Option<String>,
}

/// Reads the status.
pub(super) fn meaning(answer: &Answer) -> Meaning {
    let location = answer.field(header::LOCATION).map(str::to_owned);
    match (answer.status, location) {
        (200, _) => Meaning::Page,
        (301 | 302 | 303 | 307 | 308, Some(location)) => Meaning::Moved(location),
        (410, location) => Meaning::Gone(problem(answer).resync.or(location)),
        (400 | 404 | 414, _) => Meaning::NoSuchPage(detail(answer)),
        (408 | 425 | 429 | 500 | 502 | 503 | 504, _) => Meaning::Later {
            reason: format!("{}{}", answer.status, detail(answer)),
            retry_after: pace::retry_after(&answer.fields),
        },
        // 304 without a condition, 206 without a range, 1xx, what nobody has heard of: no page, but
        // nothing that the server decided either.
        (100..400 | 505.., _) => Meaning::Later {
            reason: format!("an unexpected {}", answer.status),
            retry_after: pace::retry_after(&answer.fields),
        },
        _ => Meaning::No(detail(answer)),
    }
}

fn problem(answer: &Answer) -> Problem {
    serde_json::from_slice(&answer.body).unwrap_or_default()
}

/// What the problem document says, after a colon.
pub(crate) fn detail(answer: &Answer) -> String {
    let problem = problem(answer);
    let text = problem.detail.or(problem.title).unwrap_or_default();
    let text: String = text.chars().take(DETAIL_CHARS_MAX).collect();
    if text.is_empty() {
        text
    } else {
        format!(": {}", text.trim_end_matches('.'))
    }
}
