//! What lies between a follower and its server: caches that are stale or take one URL for another, and
//! networks that cut.

use std::collections::BTreeMap;

use http::{HeaderValue, header};
use milepost_sync::{Answer, Request, Transport, Unanswered};

use super::Model;

/// What happens to one exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Nothing.
    None,
    /// The network drops it.
    Lost,
    /// A proxy cuts the answer after this many thousandths, and calls it whole.
    Cut(u16),
    /// The server is busy.
    Busy,
    /// Somebody else answers.
    Portal,
    /// A cache answers with what the URL was the first time.
    Stale,
    /// A cache answers with what any URL of the same path was.
    QueryBlind,
    /// A cache answers with the last page of the collection that it saw, whatever was asked.
    Confused,
    /// The URL is canonical elsewhere.
    Redirected,
}

/// A server behind all that.
#[derive(Debug)]
pub(crate) struct Between {
    pub(crate) model: Model,
    /// What happens to the next exchanges; then nothing does.
    pub(crate) troubles: Vec<Trouble>,
    first: BTreeMap<String, Answer>,
    by_path: BTreeMap<String, Answer>,
    last: Option<Answer>,
}

impl Between {
    pub(crate) fn new(model: Model) -> Self {
        Self {
            model,
            troubles: Vec::new(),
            first: BTreeMap::new(),
            by_path: BTreeMap::new(),
            last: None,
        }
    }

    fn origin(&mut self, request: &Request) -> Answer {
        let answer = self.model.send(request).unwrap();
        if answer.status == 200 || answer.status == 410 {
            let url = request.url.to_reference();
            self.first.entry(url).or_insert_with(|| answer.clone());
            let path = request.url.path().to_owned();
            self.by_path.entry(path).or_insert_with(|| answer.clone());
            self.last = Some(answer.clone());
        }
        answer
    }
}

impl Transport for Between {
    fn send(&mut self, request: &Request) -> Result<Answer, Unanswered> {
        let trouble = self.troubles.pop().unwrap_or(Trouble::None);
        // Caches do as they are told; the broken ones here only half of the time.
        let past_caches = request
            .fields
            .iter()
            .any(|(name, _)| *name == header::CACHE_CONTROL);
        let fresh = self.origin(request);
        Ok(match trouble {
            Trouble::Lost => {
                let reason = "connection reset".to_owned();
                return Err(Unanswered { reason });
            }
            Trouble::Cut(thousandths) => {
                let bytes = fresh.body.len() * usize::from(thousandths) / 1_000;
                let mut cut = fresh;
                cut.body.truncate(bytes);
                cut
            }
            Trouble::Busy => {
                Answer::of(503, "{}").with(header::RETRY_AFTER, HeaderValue::from_static("3"))
            }
            Trouble::Portal => Answer::of(200, "<html>please log in</html>"),
            Trouble::Stale if !past_caches => self
                .first
                .get(&request.url.to_reference())
                .cloned()
                .unwrap_or(fresh),
            Trouble::QueryBlind => self
                .by_path
                .get(request.url.path())
                .cloned()
                .unwrap_or(fresh),
            Trouble::Confused => self.last.clone().unwrap_or(fresh),
            Trouble::Redirected => Answer::of(308, "").with(
                header::LOCATION,
                HeaderValue::try_from(request.url.to_reference()).unwrap(),
            ),
            Trouble::None | Trouble::Stale => fresh,
        })
    }
}
