//! What a URL of the feed asks for, and the URLs that lead on from it.
//!
//! One question has one URL: keys in canonical order, others are redirected. `wait` and `tick` say how
//! an answer is waited for and not what it is, so they stand in no page's `self`, and in no `next`:
//! all who are behind ask for the same pages, whether they will wait later or not.

use std::sync::Arc;

use http::request::Parts;
use milepost_semantics::{
    EntityTag, Issue, Position, position::MalformedPosition, prefer::Preferences, problem::Part,
};
use milepost_store::{ChangesQuery, CollectionPath, Definitions, Feed, PageLimit, ReadError};

use crate::{
    between::{Topic, View},
    collection::{ListRequest, Params, malformed_query},
    governed::Governed,
    href,
    identity::{Subject, subject_of},
    refusal::Refusal,
    representation::Freshness,
    route::{Address, Followed},
    rules::{Seen, Sightline, view_name},
    service::Shared,
};

/// A question for changes that was understood.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(super) followed: Followed,
    pub(super) governed: Governed,
    /// What the store looked like when the question was understood.
    pub(super) view: View,
    /// Who asks, and what they see.
    pub(super) subject: Subject,
    pub(super) seen: Seen,
    /// Whether the URL is of what they see.
    pub(super) is_readers: bool,
    /// The position in the URL.
    pub(super) since: Position,
    pub(super) request: ListRequest,
    keys: OwnKeys,
    /// `Prefer: wait`, in seconds.
    pub(super) prefers_wait_s: Option<u32>,
}

/// The keys that only the feed has.
#[derive(Debug, Default)]
struct OwnKeys {
    versions: bool,
    wait_s: Option<u32>,
    tick: Option<u64>,
}

impl Asked {
    /// Reads what is asked.
    pub(super) fn read(
        shared: &Shared,
        request: &Parts,
        followed: Followed,
        since: &str,
    ) -> Result<Self, Refusal> {
        let view = shared.view();
        let params = Params::of_query(request.uri.query()).map_err(malformed_query)?;
        let governed = match &followed {
            Followed::Collection(address) => Governed::of(shared, &address.collection)?,
            Followed::Everything => Governed::everything(shared, &view.definitions),
        };
        let seen = match &governed {
            Governed::By(definition) => {
                governed.admit(request)?;
                Seen::of(definition, request)
            }
            Governed::Service(_) => Seen::One(Sightline::Open),
            Governed::Everything { .. } => Seen::everything(&view.definitions, request),
        };
        let subject = subject_of(request).clone();
        let since = position(since)?;
        let mut issues = Vec::new();
        let (keys, rest) = OwnKeys::split(&params, &mut issues);
        let everything = CollectionPath::collections();
        let collection = match &followed {
            Followed::Collection(address) => &address.collection,
            Followed::Everything => &everything,
        };
        let mut listed =
            ListRequest::read_beside(shared, collection, governed.definition(), &rest, issues)?;
        let name = view_of(&followed, &view.definitions, &subject);
        let is_readers = listed.seen_by == name;
        listed.lead_on_as(name);
        Ok(Self {
            followed,
            governed,
            view,
            subject,
            seen,
            is_readers,
            since,
            request: listed,
            keys,
            prefers_wait_s: Preferences::from_headers(&request.headers).wait_seconds,
        })
    }

    /// Whether whoever asks still sees the same. Asked after a read: what was written under other rules must not be shown
    /// by these.
    ///
    /// # Errors
    /// [`ReadError::Expired`], where they don't.
    pub(super) fn still(&self, shared: &Shared) -> Result<(), ReadError> {
        let now = shared.store.definitions();
        if Arc::ptr_eq(&now, &self.view.definitions) {
            return Ok(());
        }
        let before = view_of(&self.followed, &self.view.definitions, &self.subject);
        if view_of(&self.followed, &now, &self.subject) == before {
            return Ok(());
        }
        let oldest = shared.store.head();
        Err(ReadError::Expired { oldest })
    }

    /// The question to the store for what came after `since`.
    pub(super) fn query(&self, shared: &Shared, since: Position) -> ChangesQuery {
        let feed = match &self.followed {
            Followed::Everything => Feed::Everything,
            Followed::Collection(Address { collection, scope }) => Feed::Collection {
                collection: collection.clone(),
                scope: scope.clone(),
                filters: self.request.filters.clone(),
            },
        };
        ChangesQuery {
            feed,
            since,
            versions: self.keys.versions,
            limit: PageLimit {
                items: self
                    .request
                    .page_size
                    .unwrap_or(shared.limits.page_items_max),
                bytes: shared.limits.page_bytes_max,
            },
        }
    }

    /// What there can be news of.
    pub(super) fn topic(&self) -> Topic {
        match &self.followed {
            Followed::Collection(address) => Topic::Collection(address.collection.clone()),
            Followed::Everything => Topic::Everything,
        }
    }

    /// For how many seconds to wait for news; `None` to answer at once.
    pub(super) fn wait_s(&self) -> Option<u32> {
        self.keys
            .wait_s
            .or(self.prefers_wait_s)
            .filter(|wait_s| *wait_s > 0)
    }

    /// Who may keep a page about the present, and for how long.
    pub(super) fn freshness(&self) -> Freshness {
        self.governed.freshness()
    }

    /// The canonical query of the URL that was asked.
    pub(super) fn canonical_query(&self) -> String {
        let mut params = self.waiting();
        if let Some(tick) = self.keys.tick {
            params.push("tick", tick.to_string());
        }
        params.to_query()
    }

    /// The canonical URL that was asked.
    pub(super) fn canonical_url(&self, shared: &Shared) -> String {
        match self.canonical_query() {
            query if query.is_empty() => self.path(shared, self.since),
            query => format!("{}?{query}", self.path(shared, self.since)),
        }
    }

    /// The URL of the page after a position, however it is waited for: a page's `self` and `next`.
    pub(super) fn page_url(&self, shared: &Shared, after: Position) -> String {
        self.showing().url(&self.path(shared, after))
    }

    /// The URL to come back with at a position: a page's `resume`.
    pub(super) fn resume_url(&self, shared: &Shared, at: Position) -> String {
        self.waiting().url(&self.path(shared, at))
    }

    /// The same, told apart from the URL that was asked: for an answer without news, so that no cache
    /// can answer the next question with it.
    pub(super) fn ticked_url(&self, shared: &Shared, at: Position) -> String {
        let mut params = self.waiting();
        let tick = self.keys.tick.unwrap_or(0).wrapping_add(1);
        params.push("tick", tick.to_string());
        params.url(&self.path(shared, at))
    }

    /// The tag of an answer without news, of which the next `tick` is a part.
    pub(super) fn ticked_tag(&self, page: &EntityTag) -> EntityTag {
        let tick = self.keys.tick.unwrap_or(0).wrapping_add(1);
        let text = format!("{}/{tick}", String::from_utf8_lossy(page.opaque()));
        EntityTag::strong(&text).unwrap_or_else(|_never| page.clone())
    }

    /// The URL of everything that stood at a position, as this feed shows it.
    pub(super) fn snapshot_url(&self, shared: &Shared, at: Position) -> String {
        let path = href::followed(&shared.base, &self.followed);
        self.request.carried.url(&format!("{path}/snapshots/{at}"))
    }

    fn path(&self, shared: &Shared, after: Position) -> String {
        format!(
            "{}/changes/{after}",
            href::followed(&shared.base, &self.followed)
        )
    }

    /// The keys that say what a page shows.
    fn showing(&self) -> Params {
        let mut params = self.request.carried.clone();
        if self.keys.versions {
            params.push("versions", "all");
        }
        params
    }

    /// Those, and how long to wait for it.
    fn waiting(&self) -> Params {
        let mut params = self.showing();
        if let Some(wait_s) = self.keys.wait_s {
            params.push("wait", wait_s.to_string());
        }
        params
    }
}

/// The name of what a subject sees of what is followed.
pub(super) fn view_of(
    followed: &Followed,
    definitions: &Definitions,
    subject: &Subject,
) -> Option<String> {
    match followed {
        Followed::Collection(address) => {
            let collection = &address.collection;
            let defined = definitions.of(collection);
            let defined = defined.map(|defined| (collection, &*defined.definition));
            view_name(defined.into_iter(), subject)
        }
        Followed::Everything => {
            let all = definitions.iter();
            let all = all.map(|(collection, defined)| (collection, &*defined.definition));
            view_name(all, subject)
        }
    }
}

/// A position in the path, or 400.
pub(super) fn position(text: &str) -> Result<Position, Refusal> {
    text.parse()
        .map_err(|error: MalformedPosition| Refusal::malformed_position(text, &error))
}

impl OwnKeys {
    /// Takes the feed's own keys out of a query, and notes those that it doesn't have.
    fn split(params: &Params, issues: &mut Vec<Issue>) -> (Self, Params) {
        let mut keys = Self::default();
        let mut rest = Params::default();
        for (key, value) in params.iter() {
            match keys.take(key, value) {
                Taken::Yes => {}
                Taken::No => rest.push(key, value),
                Taken::Wrong(detail) => {
                    issues.push(Issue::new(Part::Query, key, detail).with_value(value));
                }
            }
        }
        (keys, rest)
    }

    fn take(&mut self, key: &str, value: &str) -> Taken {
        match key {
            "versions" if value == "all" => {
                self.versions = true;
                Taken::Yes
            }
            "versions" => Taken::Wrong("is \"all\", or left out"),
            "wait" => match value.parse() {
                Ok(wait_s) => {
                    self.wait_s = Some(wait_s).filter(|wait_s| *wait_s > 0);
                    Taken::Yes
                }
                Err(_) => Taken::Wrong("is a number of seconds"),
            },
            "tick" => match value.parse() {
                Ok(tick) => {
                    self.tick = Some(tick);
                    Taken::Yes
                }
                Err(_) => Taken::Wrong("is a number: take it from \"resume\""),
            },
            "sort" | "q" => Taken::Wrong("changes come in the order of commits"),
            "after" | "total" => Taken::Wrong("is for listings: the position says where to go on"),
            _ => Taken::No,
        }
    }
}

/// What became of a key.
enum Taken {
    Yes,
    No,
    Wrong(&'static str),
}
