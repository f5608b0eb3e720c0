//! The write-ahead log, cut off or overwritten anywhere: as a power failure leaves what was not yet
//! synced.

use std::{fs, path::Path};

use milepost_store::embedded::Options;
use serde_json::{Value, json};

use super::{define, key, open, put, runtime, standing, write};
use crate::embedded::{DATABASE, LOG, assert_whole, copy_in_use, temporary};

const COMMITS: u64 = 25;
/// What stands before the log's frames, and a frame: its own header and a page.
const HEADER_BYTES: usize = 32;
const FRAME_BYTES: usize = 24 + 4096;

/// Makes a store of so many commits, each of which writes the same number into two resources, and
/// takes its files while it is in use.
fn files() -> tempfile::TempDir {
    let (original, taken) = (temporary(), temporary());
    runtime().block_on(async {
        let store = open(original.path(), Options::default());
        define(&store).await;
        for number in 1..=COMMITS {
            let pair = ["left", "right"].map(|id| put(&key(id), &json!(number)));
            write(&store, pair.into()).await.expect("a commit");
        }
        copy_in_use(original.path(), taken.path());
    });
    taken
}

/// The log as far as commits reach: where the machine is slow enough, the room that is made ahead of
/// them is there already, all of it zeros.
fn log_of(files: &Path) -> Vec<u8> {
    let mut log = fs::read(files.join(LOG)).expect("a log");
    let end = log.iter().rposition(|byte| *byte != 0).unwrap_or_default();
    let frames = end.saturating_sub(HEADER_BYTES) / FRAME_BYTES + 1;
    log.truncate(HEADER_BYTES + frames * FRAME_BYTES);
    log
}

/// Opens a copy whose log is `log`; the number that stands, the same in both resources.
fn number_with(files: &Path, log: &[u8]) -> Option<u64> {
    let copy = temporary();
    fs::copy(files.join(DATABASE), copy.path().join(DATABASE)).expect("a database");
    fs::write(copy.path().join(LOG), log).expect("a log");
    let number = runtime().block_on(async {
        let store = open(copy.path(), Options::default());
        let [left, right] = [
            standing(&store, "left").await,
            standing(&store, "right").await,
        ];
        assert_eq!(left, right, "one commit is there in part");
        define_again(&store).await;
        write(&store, vec![put(&key("after"), &json!("goes on"))])
            .await
            .expect("a commit");
        assert_eq!(standing(&store, "after").await, Some(json!("goes on")));
        left.as_ref().and_then(Value::as_u64)
    });
    assert_whole(copy.path());
    number
}

/// Where so little of the log is left that the collection isn't there, it is declared again.
async fn define_again(store: &std::sync::Arc<dyn milepost_store::Store>) {
    let things = milepost_store::CollectionPath::parse("things").expect("a name");
    if store.definitions().of(&things).is_none() {
        define(store).await;
    }
}

#[test]
fn a_log_that_ends_anywhere_gives_a_prefix_of_what_was_acknowledged() {
    let files = files();
    let log = log_of(files.path());
    assert_eq!(number_with(files.path(), &log), Some(COMMITS));
    let mut last = None;
    // Seventy places, the steps between them prime to the size of a frame.
    for place in 0..70 {
        let length = log.len() * place / 70;
        let number = number_with(files.path(), log.get(..length).expect("shorter"));
        assert!(
            number >= last,
            "more of the log, but less of what was written: {number:?} after {last:?}"
        );
        last = number;
    }
    assert!(last.is_some_and(|last| last > COMMITS / 2));
}

#[test]
fn a_log_that_is_overwritten_anywhere_gives_a_prefix_of_what_was_acknowledged() {
    let files = files();
    let log = log_of(files.path());
    for place in 0..40 {
        let at = log.len() * place / 40 + place * 7 % 101;
        let mut damaged = log.clone();
        if let Some(byte) = damaged.get_mut(at) {
            *byte ^= 0x55;
        }
        let number = number_with(files.path(), &damaged).unwrap_or(0);
        // Two pages at least were written by each commit before the damage.
        let most = at as u64 * COMMITS / log.len() as u64 + 2;
        assert!(
            number <= most,
            "byte {at} is wrong, but commit {number} stands"
        );
    }
}
