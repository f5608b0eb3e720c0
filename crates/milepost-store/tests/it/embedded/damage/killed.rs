//! A process that is killed while many write, and one whose disk fails: another process of this very
//! test binary, which does nothing else than write and say what was acknowledged.

use std::{
    collections::BTreeMap,
    env,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
};

use milepost_store::{Store, WriteError, embedded::Options};
use serde_json::{Value, json};

use super::{define, key, open, put, runtime, standing, write};
use crate::embedded::{assert_whole, temporary};

/// Where the other process writes; in this one it is not set.
const DIRECTORY: &str = "MILEPOST_TEST_DIRECTORY";
const WRITERS: u64 = 16;
/// How many writes each writer does at most.
const WRITES: u64 = 100_000;

/// Says a line to whoever started this process, if somebody did.
fn say(line: &str) {
    if env::var_os(DIRECTORY).is_none() {
        return;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")
        .and_then(|()| out.flush())
        .expect("somebody listens");
}

/// Writes pairs of equal numbers until something fails.
async fn write_pairs(store: Arc<dyn Store>, writer: u64, writes: u64) -> Option<WriteError> {
    for number in 1..=writes {
        let pair =
            ["left", "right"].map(|side| put(&key(&format!("{side}{writer}")), &json!(number)));
        if let Err(error) = write(&store, pair.into()).await {
            return Some(error);
        }
        say(&format!("acknowledged {writer} {number}"));
    }
    None
}

/// What the other process does; here, with nobody to kill it, a few writes.
#[test]
fn writers_that_are_not_disturbed_all_end_well() {
    let elsewhere = env::var(DIRECTORY).ok();
    let (writers, writes) = if elsewhere.is_some() {
        (WRITERS, WRITES)
    } else {
        (2, 3)
    };
    let here = temporary();
    let directory = elsewhere.as_ref().map_or(here.path(), Path::new);
    let failures = runtime().block_on(async {
        let store = open(directory, Options::default());
        define_once(&store).await;
        let tasks: Vec<_> = (0..writers)
            .map(|writer| tokio::spawn(write_pairs(Arc::clone(&store), writer, writes)))
            .collect();
        let mut failures = Vec::new();
        for task in tasks {
            failures.extend(task.await.expect("a writer that ends"));
        }
        if !failures.is_empty() {
            // Those that were being written, and those that came after.
            let expected = |failure: &WriteError| {
                matches!(failure, WriteError::Poisoned | WriteError::Stopped)
            };
            let all = failures.iter().all(expected);
            let later = write(&store, vec![put(&key("later"), &json!(1))]).await;
            say(&format!(
                "all failed {all} then {later:?} health {:?}",
                store.health()
            ));
            let readable = standing(&store, "left0").await.is_some();
            say(&format!("readable {readable}"));
        }
        failures.len()
    });
    assert!(elsewhere.is_some() || failures == 0);
}

async fn define_once(store: &Arc<dyn Store>) {
    if store.definitions().iter().next().is_none() {
        define(store).await;
    }
}

/// This test binary again, to run only the test above.
fn other_process(directory: &Path, limited_kib: Option<u64>) -> Command {
    let binary = env::current_exe().expect("a test binary");
    // A shell, because only the process itself can bound what it may write.
    let limit = limited_kib.map_or(String::new(), |kib| {
        format!("trap '' XFSZ; ulimit -f {};", kib * 2)
    });
    let mut command = Command::new("sh");
    command
        .arg("-c")
        .arg(format!("{limit} exec \"$0\" --exact embedded::damage::killed::writers_that_are_not_disturbed_all_end_well --nocapture"))
        .arg(binary)
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// The last number that each writer was told to be durable.
#[derive(Default)]
struct Acknowledged(BTreeMap<u64, u64>);

impl Acknowledged {
    fn hear(&mut self, line: &str) -> bool {
        let Some(rest) = line.strip_prefix("acknowledged ") else {
            return false;
        };
        let Some((writer, number)) = rest.split_once(' ') else {
            return false;
        };
        if let (Ok(writer), Ok(number)) = (writer.parse(), number.parse()) {
            self.0.insert(writer, number);
        }
        true
    }

    /// Asserts that what was acknowledged is there, and nothing is there in part.
    fn is_kept_in(&self, directory: &Path) {
        runtime().block_on(async {
            let store = open(directory, Options::default());
            for (writer, number) in &self.0 {
                let left = standing(&store, &format!("left{writer}")).await;
                let right = standing(&store, &format!("right{writer}")).await;
                assert_eq!(
                    left, right,
                    "a transaction of writer {writer} is there in part"
                );
                let found = left.as_ref().and_then(Value::as_u64).unwrap_or(0);
                // One more may have been on its way when the process ended.
                assert!(
                    (*number..=number + 1).contains(&found),
                    "writer {writer}: {found}, told {number}"
                );
            }
        });
        assert_whole(directory);
    }
}

#[test]
fn a_killed_process_loses_nothing_it_acknowledged_and_leaves_nothing_in_part() {
    let directory = temporary();
    for round in 1..=4_usize {
        let mut process = other_process(directory.path(), None)
            .spawn()
            .expect("a process");
        let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
        let mut acknowledged = Acknowledged::default();
        let mut heard = 0;
        for line in lines {
            heard += usize::from(acknowledged.hear(&line.expect("text")));
            // Then whatever else is in the pipe was acknowledged too.
            if heard == 150 * round {
                process.kill().expect("a process that runs");
            }
        }
        process.wait().expect("an end");
        assert!(heard >= 150 * round, "the process ended by itself");
        acknowledged.is_kept_in(directory.path());
    }
}

#[test]
fn after_a_failed_write_no_write_is_taken_until_a_restart_and_reads_go_on() {
    let directory = temporary();
    let mut process = other_process(directory.path(), Some(3 << 10))
        .spawn()
        .expect("a process");
    let lines = BufReader::new(process.stdout.take().expect("its output")).lines();
    let mut acknowledged = Acknowledged::default();
    let mut said = Vec::new();
    for line in lines {
        let line = line.expect("text");
        if !acknowledged.hear(&line) {
            said.push(line);
        }
    }
    process.wait().expect("an end");
    let said = said.join("\n");
    assert!(
        said.contains("all failed true then Err(Stopped) health ReadOnly"),
        "{said}"
    );
    assert!(said.contains("readable true"), "{said}");
    assert!(
        acknowledged.0.len() as u64 == WRITERS,
        "everybody wrote before the disk failed"
    );
    acknowledged.is_kept_in(directory.path());
}
