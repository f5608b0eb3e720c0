//! A backend beside its model: every step is taken by both, and every answer compared.

use std::{collections::BTreeMap, fmt::Debug, sync::Arc};

use bytes::Bytes;
use milepost_semantics::{
    Position, ResourceId,
    index::{Filter, ValueType},
};
use milepost_store::{
    Change, CollectionPath, Committed, IndexFilter, ListQuery, Listed, Operation, PageLimit,
    ParentPath, ReadError, Record, ResourceKey, Scope, SortKey, Store, Transaction,
    conformance::Fixture,
};

use super::steps::{
    Asked, FILTERS, Key, Op, SORTS, Shape, Step, TEXTS, collection, document, earlier,
};
use crate::memory::InMemory;

/// A backend and the model, and the positions that both have committed since they share a history.
pub(super) struct Pair<F> {
    backend: F,
    model: InMemory,
    known: Vec<(Position, Position)>,
    has_backup: bool,
}

/// An answer as a text in which positions are their sequences: the rest of them differs by design.
pub(super) fn told(answer: &impl Debug) -> String {
    let text = format!("{answer:?}");
    let mut parts = text.split("Position(");
    let mut told = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (position, rest) = part.split_once(')').expect("a position is closed");
        let sequence = position
            .split_once('.')
            .and_then(|(_, rest)| rest.split_once('-'));
        told.push_str(sequence.expect("a position").0);
        told.push_str(rest);
    }
    told
}

fn same(backend: &impl Debug, model: &impl Debug, asked: &impl Debug) {
    assert_eq!(told(backend), told(model), "asked: {asked:?}");
}

/// The same, of what each of the two was asked in turn.
pub(super) fn agree<A: Debug>(answers: &[A], asked: &impl Debug) {
    match answers {
        [backend, model] => same(backend, model, asked),
        other => panic!("two answers expected: {other:?}"),
    }
}

impl<F: Fixture> Pair<F> {
    pub(super) fn new(backend: F, model: InMemory) -> Self {
        let heads = (backend.store().head(), model.store().head());
        Self {
            backend,
            model,
            known: vec![heads],
            has_backup: false,
        }
    }

    pub(super) fn stores(&self) -> [&Arc<dyn Store>; 2] {
        [self.backend.store(), self.model.store()]
    }

    pub(super) fn known_to(&self, side: usize) -> Vec<Position> {
        self.known
            .iter()
            .map(|(backend, model)| if side == 0 { *backend } else { *model })
            .collect()
    }

    pub(super) async fn begin(&mut self) {
        self.define(false, &Shape::first()).await;
        self.define(true, &Shape::first()).await;
    }

    pub(super) async fn take(mut self, step: &Step) -> Self {
        match step {
            Step::Write(ops) => self.write(ops, None).await,
            Step::Recorded { id, digest, ops } => self.write(ops, Some((*id, *digest))).await,
            Step::Define { child, shape } => self.define(*child, shape).await,
            Step::Undefine => self.undefine().await,
            Step::Pass { seconds } => {
                self.backend.clock().advance(seconds * 1000);
                self.model.clock().advance(seconds * 1000);
                self.settle().await;
            }
            Step::Reopen => {
                self.backend = self.backend.reopened().await;
                self.model = self.model.reopened().await;
                self.settle().await;
            }
            Step::BackUp => {
                self.backend.back_up().await;
                self.model.back_up().await;
                self.has_backup = true;
            }
            Step::Restore if self.has_backup => self = self.restore().await,
            Step::Restore => {}
            Step::List(asked) => self.list(asked, None).await,
            Step::Snapshot { asked, back } => self.list(asked, Some(*back)).await,
            Step::Read { key, back } => self.read(&key.resource(), *back).await,
            Step::Changes { asked, feed, back } => self.changes(asked, *feed, *back).await,
        }
        self
    }

    async fn restore(mut self) -> Self {
        self.backend = self.backend.restored().await;
        self.model = self.model.restored().await;
        // All positions have new names; both still know those that left a version.
        let backend = committed(self.backend.store()).await;
        let model = committed(self.model.store()).await;
        let pair =
            |(sequence, position): (&u64, &Position)| Some((*backend.get(sequence)?, *position));
        self.known = model.iter().filter_map(pair).collect();
        self.settle().await;
        self
    }

    /// Lets the backend forget what it may, and the model exactly that.
    async fn settle(&mut self) {
        self.backend.settle().await;
        let committed = committed(self.model.store()).await;
        for collection in [collection(false), collection(true)] {
            let Some(state) = self
                .backend
                .store()
                .collection(&collection)
                .await
                .expect("an answer")
            else {
                continue;
            };
            let of_model = |floor: Position| committed.get(&floor.sequence()).copied();
            if let Some(floor) = of_model(state.oldest_snapshot) {
                self.model.memory().prune_history(&collection, floor);
            }
            if let Some(floor) = of_model(state.oldest_change) {
                self.model.memory().prune_tombstones(&collection, floor);
            }
        }
    }

    async fn write(&mut self, ops: &[Op], record: Option<(u8, u8)>) {
        let [backend, model] = self.stores();
        let on_backend = operations(backend, &self.known_to(0), ops).await;
        let on_model = operations(model, &self.known_to(1), ops).await;
        let record = |()| record.map(|(id, digest)| recorded(id, digest));
        self.both([(on_backend, record(())), (on_model, record(()))])
            .await;
    }

    async fn both(&mut self, [on_backend, on_model]: [(Vec<Operation>, Option<Record>); 2]) {
        let asked = format!("{:?}", on_model.0);
        let transaction = |(operations, record)| Transaction {
            record,
            ..Transaction::of(operations)
        };
        let backend = self.backend.store().write(transaction(on_backend)).await;
        let backend = backend.expect("a backend that works");
        let model = self
            .model
            .store()
            .write(transaction(on_model))
            .await
            .expect("a model that works");
        same(&backend, &model, &asked);
        let heads = (self.backend.store().head(), self.model.store().head());
        same(&heads.0, &heads.1, &"the head");
        if self.known.last() != Some(&heads) {
            self.known.push(heads);
        }
        self.settle().await;
    }

    async fn define(&mut self, child: bool, shape: &Shape) {
        self.change_definition(child, Change::Put(document(&shape.definition())))
            .await;
    }

    async fn undefine(&mut self) {
        self.change_definition(true, Change::Delete).await;
    }

    async fn change_definition(&mut self, child: bool, change: Change) {
        let key = ResourceKey::definition(&collection(child)).expect("a name that is an id");
        let mut operations = Vec::new();
        for store in self.stores() {
            let standing = store.read(&key, None).await.expect("an answer");
            let standing = standing.filter(|version| !version.is_deleted());
            let preconditions = standing
                .map(|version| milepost_semantics::Preconditions::if_match(version.entity_tag()));
            operations.push(Operation {
                key: key.clone(),
                preconditions: preconditions.unwrap_or_default(),
                change: change.clone(),
            });
        }
        let mut operations = operations
            .into_iter()
            .map(|operation| (vec![operation], None));
        let both = [
            operations.next().expect("one"),
            operations.next().expect("another"),
        ];
        self.both(both).await;
    }

    async fn list(&self, asked: &Asked, back: Option<usize>) {
        let question = question(asked);
        let sizes = [asked.items, 1000];
        let skipped = usize::from(asked.items == 1000);
        for items in sizes.into_iter().skip(skipped) {
            let mut walks = Vec::new();
            for (side, store) in self.stores().into_iter().enumerate() {
                let at = back.and_then(|back| earlier(&self.known_to(side), back));
                let is_plain =
                    at.is_none() || (question.sort.is_empty() && question.text.is_none());
                let at = at.filter(|_| is_plain);
                let walk = walk(
                    store,
                    &ListQuery {
                        at,
                        ..question.clone()
                    },
                    items,
                )
                .await;
                // As of a position older than an index the order is that of the keys.
                walks.push(walk.map(|listed| comparable(listed, at.is_none())));
            }
            agree(&walks, &(&question, back, items));
        }
    }

    /// Asks the same now and as of every position that both know.
    async fn list_throughout(&self, asked: &Asked) {
        self.list(asked, None).await;
        for back in 0..self.known.len() {
            self.list(asked, Some(back)).await;
        }
    }

    async fn read(&self, key: &ResourceKey, back: usize) {
        let mut reads = Vec::new();
        for (side, store) in self.stores().into_iter().enumerate() {
            let at = earlier(&self.known_to(side), back);
            reads.push((store.read(key, None).await, store.read(key, at).await));
        }
        agree(&reads, &(key, back));
        let versions = |store: &Arc<dyn Store>| {
            let (store, key) = (Arc::clone(store), key.clone());
            async move {
                store
                    .versions(&key, None, 1000)
                    .await
                    .expect("versions")
                    .versions
            }
        };
        let backend = versions(self.backend.store()).await;
        let model = versions(self.model.store()).await;
        // Where a bound cuts through one commit the backend may remember more than its floor says.
        let beyond = backend.len() >= model.len();
        assert!(
            beyond,
            "fewer versions than the floor promises: {backend:?} for {model:?}"
        );
        let told: Vec<_> = backend.into_iter().take(model.len()).collect();
        same(&told, &model, &key);
    }

    pub(super) fn commits(&self) -> usize {
        self.known.len()
    }

    /// Everything that can be asked now, and as of every position that both know.
    pub(super) async fn compare_everything(&self) {
        let everything = |child| Asked {
            child,
            below: None,
            filters: Vec::new(),
            sort: Vec::new(),
            text: None,
            items: 1000,
        };
        for child in [false, true] {
            let path = collection(child);
            let states = [
                self.backend.store().collection(&path).await,
                self.model.store().collection(&path).await,
            ];
            agree(&states, &path);
            self.list_throughout(&everything(child)).await;
            self.changes_throughout(&everything(child)).await;
            for filter in 0..FILTERS.len() {
                let filtered = Asked {
                    filters: vec![filter],
                    ..everything(child)
                };
                self.list_throughout(&filtered).await;
                self.changes_throughout(&filtered).await;
            }
        }
        let mut records = Vec::new();
        for store in self.stores() {
            let all = ListQuery::all(
                CollectionPath::transactions(),
                PageLimit {
                    items: 100,
                    bytes: 1 << 20,
                },
            );
            records.push(store.list(&all).await.expect("a page").items);
        }
        agree(&records, &"records");
    }
}

/// The positions that left a version which is retained, by their sequence.
async fn committed(store: &Arc<dyn Store>) -> BTreeMap<u64, Position> {
    let definitions = [false, true].map(collection);
    let definitions = definitions.iter().filter_map(ResourceKey::definition);
    let records = (0..3).map(|id| ResourceKey::top(CollectionPath::transactions(), record_id(id)));
    let mut committed = BTreeMap::new();
    for key in Key::all()
        .map(Key::resource)
        .chain(definitions)
        .chain(records)
    {
        let page = store.versions(&key, None, 1000).await.expect("versions");
        let positions = page.versions.iter().map(|version| version.position);
        committed.extend(positions.map(|position| (position.sequence(), position)));
    }
    committed
}

/// What each operation is, given what stands in this store and what stood.
async fn operations(store: &Arc<dyn Store>, known: &[Position], ops: &[Op]) -> Vec<Operation> {
    let mut operations = Vec::new();
    for op in ops {
        let current = store
            .read(&op.key.resource(), None)
            .await
            .expect("an answer");
        operations.push(op.operation(current.map(|version| version.position), known));
    }
    operations
}

fn record_id(id: u8) -> ResourceId {
    let id = format!("0198a5f0-0000-7000-8000-00000000000{id}");
    id.parse().expect("an id")
}

fn recorded(id: u8, digest: u8) -> Record {
    let render = |committed: &Committed| Bytes::from(committed.position.sequence().to_string());
    Record {
        id: record_id(id),
        digest: [digest; 16],
        render: Box::new(render),
    }
}

/// What was listed, by key where the order is not compared.
fn comparable(mut listed: Vec<Listed>, is_ordered: bool) -> Vec<Listed> {
    if !is_ordered {
        listed.sort_by(|one, other| one.key.cmp(&other.key));
    }
    listed
}

pub(super) fn question(asked: &Asked) -> ListQuery {
    let mut filters: Vec<IndexFilter> = Vec::new();
    for (index, any_of) in asked
        .filters
        .iter()
        .filter_map(|place| FILTERS.get(*place))
        .copied()
    {
        if filters.iter().all(|filter| filter.index != index) {
            let parse = |text: &&str| Filter::parse(text, ValueType::Any).expect("a filter");
            filters.push(IndexFilter {
                index: index.to_owned(),
                any_of: any_of.iter().map(parse).collect(),
            });
        }
    }
    let text = asked
        .text
        .and_then(|place| TEXTS.get(place))
        .map(|text| (*text).to_owned());
    let sort = asked
        .sort
        .iter()
        .filter_map(|place| SORTS.get(*place))
        .filter(|_| text.is_none());
    let sort = sort.map(|written| SortKey {
        index: written.trim_start_matches('-').to_owned(),
        descending: written.starts_with('-'),
    });
    let below = asked
        .below
        .filter(|_| asked.child)
        .map(|id| format!("r{id}"));
    let scope = below.map_or(Scope::Below(ParentPath::top()), |id| {
        Scope::Of(ParentPath::top().child(&id.parse().expect("an id")))
    });
    ListQuery {
        filters,
        sort: sort.collect(),
        text,
        scope,
        ..ListQuery::all(
            collection(asked.child),
            PageLimit {
                items: 1000,
                bytes: 1 << 20,
            },
        )
    }
}

async fn walk(
    store: &Arc<dyn Store>,
    question: &ListQuery,
    items: usize,
) -> Result<Vec<Listed>, ReadError> {
    let mut question = question.clone();
    question.limit.items = items;
    let mut listed = Vec::new();
    loop {
        let page = store.list(&question).await?;
        listed.extend(page.items);
        match page.next {
            Some(next) => question.after = Some(next),
            None => return Ok(listed),
        }
    }
}
