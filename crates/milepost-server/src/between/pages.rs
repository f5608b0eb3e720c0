//! Pages of the feed that were written out, for whoever asks for the same URL.
//!
//! Two things come of it. Requests that ask for the same page at the same moment share one read: ten
//! thousand that waited for the same news cost one. And a page that can't have changed is sent again
//! as it is: a closed one as long as the definitions are the same, one at the head as long as nothing
//! was committed; each only as long as its position is remembered, as everywhere.
//!
//! **A read after an acknowledged write sees it.** A page is shared only among requests that saw the
//! same head, or an older one than the page's reader did; so a slot is named by the head that was
//! seen before its read began, and a request that sees another head has another slot.
//!
//! Bounded by bytes. What was used since it was last looked at gets a second chance.

use std::{
    collections::{HashMap, VecDeque},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
};

use bytes::Bytes;
use http::HeaderValue;
use milepost_semantics::{EntityTag, Position, wire::PageTail};
use milepost_store::{ChangesQuery, Definitions, ReadError, Store};
use tokio::sync::OnceCell;

use crate::representation::Freshness;

/// What a slot costs besides its page and its URL, in bytes.
const SLOT_BYTES: usize = 512;
/// A page larger than this part of all is not kept: it would push out too many others.
const PART_OF_ALL: usize = 8;

/// A page of the feed, ready to be sent.
#[derive(Debug)]
pub(crate) struct WrittenPage {
    /// The document.
    pub(crate) bytes: Bytes,
    /// Its entity tag.
    pub(crate) etag: EntityTag,
    /// The way on, as a `Link` field.
    pub(crate) link: Option<HeaderValue>,
    /// What stands behind its items.
    pub(crate) tail: PageTail,
    /// Whether it tells anything, or that there is more.
    pub(crate) has_news: bool,
    /// The question that it answers.
    pub(crate) asked: Box<ChangesQuery>,
    /// Whether the same URL is answered the same for as long as it is answered.
    pub(crate) is_immutable: bool,
    /// Who may keep it, and for how long.
    pub(crate) freshness: Freshness,
}

/// What a request sees of the store before it reads.
#[derive(Clone, Debug)]
pub(crate) struct View {
    /// The head.
    pub(crate) head: Position,
    /// What is declared.
    pub(crate) definitions: Arc<Definitions>,
}

/// All pages that are kept or being made.
#[derive(Debug)]
pub(crate) struct Pages {
    /// Knows what is still remembered.
    store: Arc<dyn Store>,
    bytes_max: usize,
    shelf: Mutex<Shelf>,
    reads: AtomicUsize,
}

#[derive(Debug, Default)]
struct Shelf {
    slots: HashMap<Arc<str>, Arc<Slot>>,
    /// The URLs of the slots; who came first is looked at first when room is needed.
    order: VecDeque<Arc<str>>,
    bytes: usize,
}

#[derive(Debug)]
struct Slot {
    head: Position,
    /// Weak: what was declared once needn't be remembered, only told from what is declared now.
    definitions: Weak<Definitions>,
    page: OnceCell<Arc<WrittenPage>>,
    was_used: AtomicBool,
    bytes: AtomicUsize,
}

impl Pages {
    /// Keeps at most this many bytes.
    pub(crate) fn new(store: Arc<dyn Store>, bytes_max: usize) -> Self {
        Self {
            store,
            bytes_max,
            shelf: Mutex::default(),
            reads: AtomicUsize::new(0),
        }
    }

    /// The page at this URL, if it is kept and is what would be answered now.
    pub(crate) fn kept(&self, url: &str, now: &View) -> Option<Arc<WrittenPage>> {
        let slot = Arc::clone(self.lock().slots.get(url)?);
        let page = slot.page.get();
        let page = page.filter(|page| slot.is_good(page, now, &*self.store))?;
        slot.was_used.store(true, Relaxed);
        Some(Arc::clone(page))
    }

    /// The page at this URL, made by `make` unless it is kept or being made already.
    ///
    /// # Errors
    /// What `make` said.
    pub(crate) async fn page(
        &self,
        url: String,
        now: &View,
        make: impl Future<Output = Result<WrittenPage, ReadError>>,
    ) -> Result<Arc<WrittenPage>, ReadError> {
        let (url, slot) = self.slot(url, now);
        let mut was_made = false;
        let made = slot.page.get_or_try_init(|| async {
            was_made = true;
            self.reads.fetch_add(1, Relaxed);
            make.await.map(Arc::new)
        });
        let page = Arc::clone(made.await?);
        if was_made {
            self.weigh(&url, &slot, page.bytes.len());
        }
        Ok(page)
    }

    /// How many bytes are kept.
    pub(crate) fn byte_count(&self) -> usize {
        self.lock().bytes
    }

    /// How often the store was read for a page.
    pub(crate) fn read_count(&self) -> usize {
        self.reads.load(Relaxed)
    }

    /// The slot to share with those who see the same.
    fn slot(&self, url: String, now: &View) -> (Arc<str>, Arc<Slot>) {
        let mut shelf = self.lock();
        if let Some((url, slot)) = shelf.slots.get_key_value(url.as_str())
            && slot.can_be_shared(now, &*self.store)
        {
            slot.was_used.store(true, Relaxed);
            return (Arc::clone(url), Arc::clone(slot));
        }
        let url: Arc<str> = url.into();
        let bytes = SLOT_BYTES + url.len();
        let slot = Arc::new(Slot {
            head: now.head,
            definitions: Arc::downgrade(&now.definitions),
            page: OnceCell::new(),
            was_used: AtomicBool::new(false),
            bytes: AtomicUsize::new(bytes),
        });
        shelf.bytes += bytes;
        match shelf.slots.insert(Arc::clone(&url), Arc::clone(&slot)) {
            Some(replaced) => shelf.bytes -= replaced.bytes.load(Relaxed),
            None => shelf.order.push_back(Arc::clone(&url)),
        }
        shelf.make_room(self.bytes_max);
        (url, slot)
    }

    /// Counts the bytes of a page that was made, and makes room for it.
    fn weigh(&self, url: &Arc<str>, slot: &Arc<Slot>, page_bytes: usize) {
        let mut shelf = self.lock();
        let is_there = shelf.slots.get(url).is_some_and(|it| Arc::ptr_eq(it, slot));
        if !is_there {
            return;
        }
        if page_bytes > self.bytes_max / PART_OF_ALL {
            shelf.remove(url);
            shelf.order.retain(|kept| kept != url);
            return;
        }
        slot.bytes.fetch_add(page_bytes, Relaxed);
        shelf.bytes += page_bytes;
        shelf.make_room(self.bytes_max);
    }

    /// A shelf is whole between any two statements that can panic.
    fn lock(&self) -> MutexGuard<'_, Shelf> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Whether its page is what would be answered now.
    fn is_good(&self, page: &WrittenPage, now: &View, store: &dyn Store) -> bool {
        self.is_declared_alike(now)
            && (page.is_immutable || self.head == now.head)
            && store.tells(&page.asked)
    }

    /// Whether who sees this may wait for the page as well.
    fn can_be_shared(&self, now: &View, store: &dyn Store) -> bool {
        match self.page.get() {
            Some(page) => self.is_good(page, now, store),
            None => self.is_declared_alike(now) && self.head == now.head,
        }
    }

    fn is_declared_alike(&self, now: &View) -> bool {
        std::ptr::eq(self.definitions.as_ptr(), Arc::as_ptr(&now.definitions))
    }
}

impl Shelf {
    fn remove(&mut self, url: &str) {
        if let Some(slot) = self.slots.remove(url) {
            self.bytes -= slot.bytes.load(Relaxed);
        }
    }

    fn make_room(&mut self, bytes_max: usize) {
        // Each is passed over once at most before it goes.
        let mut looks = self.order.len().saturating_mul(2);
        while self.bytes > bytes_max && looks > 0 {
            looks -= 1;
            let Some(url) = self.order.pop_front() else {
                return;
            };
            let was_used = self
                .slots
                .get(&url)
                .is_some_and(|slot| slot.was_used.swap(false, Relaxed));
            if was_used {
                self.order.push_back(url);
            } else {
                self.remove(&url);
            }
        }
    }
}

#[cfg(test)]
mod tests;
