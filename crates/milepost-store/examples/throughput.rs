//! What the embedded store does by itself, without HTTP: durable writes, reads, pages, opening.
//!
//! `cargo run --release -p milepost-store --example throughput -- [RESOURCES]`

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use milepost_semantics::{Preconditions, json};
use milepost_store::{
    Change, CollectionPath, Document, ListQuery, Operation, Outcome, PageLimit, ResourceKey, Store,
    Transaction,
    embedded::{Embedded, Options},
};

#[expect(clippy::disallowed_methods, reason = "a benchmark measures time")]
fn now() -> Instant {
    Instant::now()
}

fn document(seed: usize) -> Document {
    let text = format!(
        "{{\"owner\":\"owner-{}\",\"balance\":{},\"note\":\"{}\"}}",
        seed % 1000,
        seed * 7919 % 100_000,
        "x".repeat(950)
    );
    let bytes = Bytes::from(text);
    let value = json::parse(&bytes, json::Limits::default()).expect("JSON");
    Document { bytes, value }
}

fn put(collection: &CollectionPath, id: usize, seed: usize) -> Operation {
    let key = ResourceKey::top(
        collection.clone(),
        format!("r{id:08}").parse().expect("an id"),
    );
    Operation {
        key,
        preconditions: Preconditions::default(),
        change: Change::Put(document(seed)),
    }
}

fn cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("stat");
    let after = stat.rsplit_once(')').expect("stat").1;
    let fields: Vec<&str> = after.split_whitespace().collect();
    let user: f64 = fields[11].parse().expect("a number");
    let system: f64 = fields[12].parse().expect("a number");
    println!(
        "   cpu so far: user {:.2} system {:.2}",
        user / 100.0,
        system / 100.0
    );
    (user + system) / 100.0
}

fn report(what: &str, count: usize, since: Instant) {
    cpu();
    let seconds = since.elapsed().as_secs_f64();
    println!(
        "{what}: {:.0}/s ({count} in {seconds:.2} s)",
        count as f64 / seconds
    );
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let count: usize = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let folder = tempfile::tempdir_in(".").expect("a directory");
    let store = Arc::new(Embedded::open(folder.path(), Options::default()).expect("a store"));
    let things = CollectionPath::parse("things").expect("a name");
    let definition =
        br#"{"indexes":{"owner":"/owner","balance":"/balance"},"preconditions":"optional"}"#;
    let bytes = Bytes::from_static(definition);
    let value = json::parse(&bytes, json::Limits::default()).expect("JSON");
    let operation = Operation {
        key: ResourceKey::definition(&things).expect("a key"),
        preconditions: Preconditions::default(),
        change: Change::Put(Document { bytes, value }),
    };
    assert!(matches!(
        store.write(Transaction::single(operation)).await,
        Ok(Outcome::Committed(_))
    ));

    let since = now();
    for chunk in (0..count).collect::<Vec<_>>().chunks(1000) {
        let operations = chunk.iter().map(|id| put(&things, *id, *id)).collect();
        store
            .write(Transaction {
                operations,
                record: None,
            })
            .await
            .expect("written");
    }
    report("load, 1000 a transaction", count, since);

    let since = now();
    let singles = 2000;
    for n in 0..singles {
        store
            .write(Transaction::single(put(&things, n * 7919 % count, n + 1)))
            .await
            .expect("written");
    }
    report("durable updates, one at a time", singles, since);

    let since = now();
    let rounds = 400;
    for round in 0..rounds {
        let writes: Vec<_> = (0..64)
            .map(|n| {
                let store = Arc::clone(&store);
                let operation = put(
                    &things,
                    (round * 64 + n) * 104_729 % count,
                    round * 31 + n + 3,
                );
                tokio::spawn(async move {
                    store
                        .write(Transaction::single(operation))
                        .await
                        .expect("written")
                })
            })
            .collect();
        for write in writes {
            write.await.expect("joined");
        }
    }
    report("durable updates, 64 at once", rounds * 64, since);

    let since = now();
    for n in 0..count {
        let key = ResourceKey::top(
            things.clone(),
            format!("r{:08}", n * 7919 % count).parse().expect("an id"),
        );
        assert!(store.read(&key, None).await.expect("read").is_some());
    }
    report("point reads", count, since);
    let since = now();
    for _ in 0..count {
        let key = ResourceKey::top(things.clone(), format!("r{:08}", 7).parse().expect("an id"));
        assert!(store.read(&key, None).await.expect("read").is_some());
    }
    report("point reads, hot", count, since);

    let limit = PageLimit {
        items: 100,
        bytes: 8 << 20,
    };
    let since = now();
    for n in 0..2000 {
        let mut query = ListQuery::all(things.clone(), limit);
        query.after = Some(milepost_store::Cursor {
            values: Vec::new(),
            parent: milepost_store::ParentPath::top(),
            id: format!("r{:08}", n * 104_729 % count)
                .parse()
                .expect("an id"),
        });
        store.list(&query).await.expect("a page");
    }
    report("pages of 100", 2000, since);
    let since = now();
    for n in 0..2000 {
        let mut query = ListQuery::all(things.clone(), limit);
        let filter = milepost_semantics::index::Filter::parse(
            &format!("owner-{}", n % 1000),
            milepost_semantics::index::ValueType::Any,
        )
        .expect("a filter");
        query.filters = vec![milepost_store::IndexFilter {
            index: "owner".to_owned(),
            any_of: vec![filter],
        }];
        query.sort = vec![milepost_store::SortKey {
            index: "balance".to_owned(),
            descending: true,
        }];
        query.sort.clear();
        store.list(&query).await.expect("a page");
    }
    report("filtered pages of up to 100", 2000, since);
    drop(store);
    let since = now();
    let store = Embedded::open(folder.path(), Options::default()).expect("a store");
    println!("opens in {:.1} ms", since.elapsed().as_secs_f64() * 1000.0);
    drop(store);
}
