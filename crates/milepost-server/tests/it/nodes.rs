//! The same tests over two nodes on one PostgreSQL: with `MILEPOST_TEST_STORE=postgresql` each scene has a
//! database of its own, and each request goes to the other node than the one before.

#![expect(clippy::disallowed_types, reason = "what is shared is where tests run")]

use std::{
    sync::{Arc, OnceLock},
    thread,
};

use milepost_postgres::{Options, Postgres};
use milepost_store::{Store, clock::Clock};
use tokio::runtime::{Builder, Runtime};

use crate::cluster::cluster;

/// Two nodes on a new database; `None` where the tests are over the model, or there is no PostgreSQL, which
/// is said then.
pub(crate) fn two(clock: &Arc<impl Clock + 'static>) -> Option<[Arc<dyn Store>; 2]> {
    if std::env::var_os("MILEPOST_TEST_STORE").is_none_or(|store| store != "postgresql") {
        return None;
    }
    let cluster = cluster()?;
    let address = cluster.address(&cluster.new_database());
    Some(std::array::from_fn(|_| {
        let options = Options {
            clock: Arc::clone(clock) as Arc<dyn Clock>,
            readers_max: 4,
            ..Options::new(&address).unwrap()
        };
        // Not on the test's own threads, which are in the middle of something.
        let opening = thread::spawn(|| runtime().block_on(Postgres::open(options)));
        let opened = opening.join().expect("no panic").expect("a store");
        Arc::new(opened) as Arc<dyn Store>
    }))
}

/// Where what nodes do beside requests goes on, whichever test ends.
fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(2).enable_all().build().unwrap()
    })
}
