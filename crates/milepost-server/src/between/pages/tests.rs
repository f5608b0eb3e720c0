//! What is shared, what is kept, and for how long.

use milepost_semantics::wire::PageEnd;
use milepost_store::{Feed, PageLimit, definition::Visibility, memory::MemoryStore};

use super::*;

/// Pages over a store in which nothing was written, asked for everything since its beginning.
struct Keeping {
    pages: Pages,
    beginning: Position,
}

impl Keeping {
    fn new(bytes_max: usize) -> Self {
        let store = Arc::new(MemoryStore::new());
        Self {
            beginning: store.head(),
            pages: Pages::new(store, bytes_max),
        }
    }

    fn written(&self, text: &str, is_immutable: bool) -> WrittenPage {
        WrittenPage {
            bytes: Bytes::copy_from_slice(text.as_bytes()),
            etag: EntityTag::from(position(1)),
            link: None,
            tail: PageTail::new(PageEnd::Closed, position(1)),
            has_news: true,
            asked: Box::new(ChangesQuery {
                feed: Feed::Everything,
                since: self.beginning,
                versions: false,
                limit: PageLimit { items: 1, bytes: 1 },
            }),
            is_immutable,
            freshness: Freshness::Immutable(Visibility::Public),
        }
    }
}

impl std::ops::Deref for Keeping {
    type Target = Pages;

    fn deref(&self) -> &Pages {
        &self.pages
    }
}

fn position(sequence: u64) -> Position {
    format!("k3.{sequence}-0000").parse().unwrap()
}

fn view(sequence: u64, definitions: &Arc<Definitions>) -> View {
    View {
        head: position(sequence),
        definitions: Arc::clone(definitions),
    }
}

async fn ask(pages: &Keeping, url: &str, now: &View, text: &str, is_immutable: bool) -> Bytes {
    let make = async { Ok(pages.written(text, is_immutable)) };
    let page = pages.page(url.to_owned(), now, make).await.unwrap();
    page.bytes.clone()
}

#[tokio::test]
async fn a_page_at_the_head_is_good_until_something_is_committed() {
    let pages = Keeping::new(1 << 20);
    let definitions = Arc::default();
    let (now, later) = (view(1, &definitions), view(2, &definitions));
    assert_eq!(ask(&pages, "/a", &now, "one", false).await, "one");
    assert_eq!(ask(&pages, "/a", &now, "two", false).await, "one");
    assert!(pages.kept("/a", &now).is_some() && pages.kept("/a", &later).is_none());
    assert_eq!(ask(&pages, "/a", &later, "three", false).await, "three");
    assert_eq!(pages.read_count(), 2);
}

#[tokio::test]
async fn a_closed_page_is_good_until_definitions_change() {
    let pages = Keeping::new(1 << 20);
    let definitions = Arc::default();
    ask(&pages, "/a", &view(1, &definitions), "one", true).await;
    assert!(pages.kept("/a", &view(9, &definitions)).is_some());
    assert!(pages.kept("/a", &view(9, &Arc::default())).is_none());
}

#[tokio::test]
async fn a_page_that_is_being_made_is_shared_with_who_saw_the_same_head_only() {
    let pages = Arc::new(Keeping::new(1 << 20));
    let definitions = Arc::default();
    let now = view(1, &definitions);
    let (finish, finished) = tokio::sync::oneshot::channel::<()>();
    let (shared, seen) = (Arc::clone(&pages), now.clone());
    let first = tokio::spawn(async move {
        let make = async {
            finished.await.unwrap();
            Ok(shared.written("slow", false))
        };
        shared.page("/a".to_owned(), &seen, make).await.unwrap()
    });
    tokio::task::yield_now().await;
    let others: Vec<_> = (0..100)
        .map(|_| {
            let (shared, seen) = (Arc::clone(&pages), now.clone());
            tokio::spawn(async move { ask(&shared, "/a", &seen, "own", false).await })
        })
        .collect();
    // More tasks than one turn of the scheduler takes.
    for _ in 0..10 {
        tokio::task::yield_now().await;
    }
    let later = view(2, &definitions);
    assert_eq!(ask(&pages, "/a", &later, "later", false).await, "later");
    finish.send(()).unwrap();
    assert_eq!(first.await.unwrap().bytes, "slow");
    for other in others {
        assert_eq!(other.await.unwrap(), "slow");
    }
    assert_eq!(pages.read_count(), 2);
}

#[tokio::test]
async fn who_goes_away_while_making_a_page_leaves_it_to_the_next() {
    let pages = Keeping::new(1 << 20);
    let now = view(1, &Arc::default());
    let never = pages.page("/a".to_owned(), &now, std::future::pending());
    let given_up = tokio::time::timeout(std::time::Duration::ZERO, never).await;
    assert!(given_up.is_err());
    assert_eq!(ask(&pages, "/a", &now, "next", false).await, "next");
}

#[tokio::test]
async fn what_is_kept_is_bounded_and_what_is_used_stays_longest() {
    let pages = Keeping::new(64 * 1024);
    let now = view(1, &Arc::default());
    for number in 0..1000 {
        ask(&pages, &format!("/{number}"), &now, &"x".repeat(2000), true).await;
        assert!(pages.kept("/0", &now).is_some(), "{number}");
        assert!(pages.byte_count() <= 64 * 1024);
    }
    assert!(pages.kept("/500", &now).is_none());
    ask(&pages, "/large", &now, &"x".repeat(60_000), true).await;
    assert!(pages.kept("/large", &now).is_none() && pages.kept("/0", &now).is_some());
}

#[tokio::test]
async fn an_error_is_not_kept() {
    let pages = Keeping::new(1 << 20);
    let now = view(1, &Arc::default());
    let failed = pages.page("/a".to_owned(), &now, async {
        Err(ReadError::MalformedCursor)
    });
    assert!(failed.await.is_err());
    assert_eq!(ask(&pages, "/a", &now, "good", false).await, "good");
}
