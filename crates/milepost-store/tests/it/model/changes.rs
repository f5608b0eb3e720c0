//! Pages of changes: both sides tell the same, from wherever they are asked.

use std::sync::Arc;

use milepost_semantics::Position;
use milepost_store::{
    Changed, ChangesPage, ChangesQuery, Feed, ListQuery, PageLimit, ReadError, SetDigest, Store,
    conformance::Fixture,
};

use super::{
    compare::{Pair, agree, question},
    steps::{Asked, Told, earlier},
};

/// What is compared of a page: digests are of entity tags, which the two sides have their own of.
#[derive(Debug)]
#[expect(dead_code, reason = "compared as it is printed")]
struct Comparable {
    items: Vec<Changed>,
    position: Position,
    closed: bool,
    immutable: bool,
    oldest: Option<Position>,
    has_digest: bool,
}

impl<F: Fixture> Pair<F> {
    pub(super) async fn changes(&self, asked: &Asked, told: Told, back: usize) {
        let mut answers = Vec::new();
        for (side, store) in self.stores().into_iter().enumerate() {
            let Some(since) = earlier(&self.known_to(side), back) else {
                continue;
            };
            let query = changes_question(asked, told, since);
            let answer = store.changes(&query).await;
            if let Ok(page) = &answer {
                digest_is_right(store, &query, page).await;
            }
            answers.push(answer.map(|page| comparable(&page)));
        }
        if !answers.is_empty() {
            agree(&answers, &(asked, told, back));
        }
    }

    /// Asks since every position that both know.
    pub(super) async fn changes_throughout(&self, asked: &Asked) {
        for back in 0..self.commits() {
            let told = |everything, versions| Told {
                everything,
                versions,
                bytes: 1 << 20,
            };
            let asked = Asked {
                items: back % 4 + 1,
                ..asked.clone()
            };
            if asked.filters.is_empty() {
                self.changes(&asked, told(false, false), back).await;
                self.changes(&asked, told(false, true), back).await;
                self.changes(&asked, told(true, false), back).await;
            } else {
                self.changes(&asked, told(false, back.is_multiple_of(3)), back)
                    .await;
            }
        }
    }
}

fn changes_question(asked: &Asked, told: Told, since: Position) -> ChangesQuery {
    let question = question(asked);
    let feed = if told.everything {
        Feed::Everything
    } else {
        Feed::Collection {
            collection: question.collection,
            scope: question.scope,
            filters: question.filters,
        }
    };
    ChangesQuery {
        feed,
        since,
        versions: told.versions,
        limit: PageLimit {
            items: asked.items,
            bytes: told.bytes,
        },
    }
}

fn comparable(page: &ChangesPage) -> Comparable {
    Comparable {
        items: page.items.clone(),
        position: page.position,
        closed: page.closed,
        immutable: page.immutable,
        oldest: Some(page.oldest).filter(|_| !page.closed),
        has_digest: page.digest.is_some(),
    }
}

async fn digest_is_right(store: &Arc<dyn Store>, query: &ChangesQuery, page: &ChangesPage) {
    let (Some(told), Feed::Collection { collection, .. }) = (page.digest, &query.feed) else {
        return;
    };
    let limit = PageLimit {
        items: 1000,
        bytes: 1 << 20,
    };
    let all: Result<_, ReadError> = store.list(&ListQuery::all(collection.clone(), limit)).await;
    let mut digest = SetDigest::default();
    for listed in all.expect("a listing").items {
        digest.add(&listed.key, listed.version.position);
    }
    assert_eq!(told, digest, "{query:?}");
}
