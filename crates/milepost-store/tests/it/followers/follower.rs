//! One who follows: a bookmark, what is held, and what is asked.

use std::{collections::BTreeMap, sync::Arc};

use bytes::Bytes;
use milepost_semantics::{
    Position,
    index::{Filter, ValueType},
};
use milepost_store::{
    ChangesPage, ChangesQuery, Feed, IndexFilter, ListQuery, PageLimit, ParentPath, ReadError,
    ResourceKey, Scope, SetDigest, Store,
};

use super::{
    model::{Standing, collection},
    steps::{FILTERS, Followed, Following},
};

/// What is held at a bookmark.
#[derive(Clone, Debug, Default)]
pub(super) struct Replica {
    bookmark: Option<Position>,
    held: BTreeMap<ResourceKey, (Position, Bytes)>,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Follower {
    pub(super) following: Following,
    replica: Replica,
    /// What it was before each page, as backups of it would be.
    before: Vec<Replica>,
}

/// What came of asking.
#[derive(Debug)]
pub(super) enum Read {
    /// Everything was read again, as of this position.
    Again(Position),
    Page(ChangesQuery, Arc<ChangesPage>),
    Expired(ChangesQuery, Position),
}

impl Follower {
    pub(super) fn new(following: Following) -> Self {
        Self {
            following,
            replica: Replica::default(),
            before: Vec::new(),
        }
    }

    /// Reads one page, or everything again where there is no bookmark that is good.
    pub(super) async fn read(&mut self, store: &Arc<dyn Store>) -> Read {
        self.before.push(self.replica.clone());
        let Some(since) = self.replica.bookmark else {
            return Read::Again(self.read_again(store).await);
        };
        let query = ChangesQuery {
            feed: self.feed(),
            since,
            versions: self.following.versions,
            limit: PageLimit {
                items: self.following.items,
                bytes: self.following.bytes,
            },
        };
        match store.changes(&query).await {
            Ok(page) => {
                self.apply(&page);
                Read::Page(query, page)
            }
            Err(ReadError::Expired { oldest }) => {
                self.replica = Replica::default();
                Read::Expired(query, oldest)
            }
            Err(other) => panic!("{query:?}: {other}"),
        }
    }

    fn apply(&mut self, page: &ChangesPage) {
        for item in &page.items {
            match &item.version.body {
                Some(body) => {
                    let held = (item.version.position, body.clone());
                    self.replica.held.insert(item.key.clone(), held);
                }
                None => {
                    self.replica.held.remove(&item.key);
                }
            }
        }
        self.replica.bookmark = Some(page.position);
    }

    async fn read_again(&mut self, store: &Arc<dyn Store>) -> Position {
        let head = store.head();
        let mut bookmark = head;
        self.replica.held.clear();
        for mut list in self.lists() {
            let page = if self.following.feed == Followed::Everything {
                list.at = Some(head);
                store.list(&list).await.expect("a snapshot of now")
            } else {
                let page = store.list(&list).await.expect("a listing");
                bookmark = page.position;
                page
            };
            for listed in page.items {
                let body = listed.version.body.expect("a representation");
                let held = (listed.version.position, body);
                self.replica.held.insert(listed.key, held);
            }
        }
        self.replica.bookmark = Some(bookmark);
        bookmark
    }

    fn lists(&self) -> Vec<ListQuery> {
        let limit = PageLimit {
            items: 1000,
            bytes: 1 << 20,
        };
        match self.feed() {
            Feed::Everything => [
                collection(false),
                collection(true),
                milepost_store::CollectionPath::collections(),
            ]
            .map(|collection| ListQuery::all(collection, limit))
            .into(),
            Feed::Collection {
                collection,
                scope,
                filters,
            } => vec![ListQuery {
                scope,
                filters,
                ..ListQuery::all(collection, limit)
            }],
        }
    }

    fn feed(&self) -> Feed {
        let Followed::Collection {
            child,
            below,
            filter,
        } = self.following.feed
        else {
            return Feed::Everything;
        };
        let parse = |text: &&str| Filter::parse(text, ValueType::Any).expect("a filter");
        let filters = filter.and_then(|filter| FILTERS.get(filter)).into_iter();
        let filters = filters.map(|written| IndexFilter {
            index: "n".to_owned(),
            any_of: written.iter().map(parse).collect(),
        });
        let scope = below.map_or(Scope::Below(ParentPath::top()), |id| {
            let id = format!("r{id}").parse().expect("an id");
            Scope::Of(ParentPath::top().child(&id))
        });
        Feed::Collection {
            collection: collection(child),
            scope,
            filters: filters.collect(),
        }
    }

    /// Is what it was before its last so many pages.
    pub(super) fn rewind(&mut self, pages: usize) {
        let until = self.before.len().saturating_sub(pages);
        if let Some(replica) = self.before.get(until) {
            self.replica = replica.clone();
        }
        self.before.truncate(until);
    }

    pub(super) fn held(&self) -> Standing {
        let held = self.replica.held.iter();
        held.map(|(key, (position, body))| (key.clone(), (position.sequence(), body.clone())))
            .collect()
    }

    pub(super) fn digest(&self) -> SetDigest {
        let mut digest = SetDigest::default();
        for (key, (position, _)) in &self.replica.held {
            digest.add(key, *position);
        }
        digest
    }
}
