//! Whatever happens, a follower ends exactly equal to the server; and at every moment in between it holds
//! a state that the server had.

use std::time::Duration;

use milepost_sync::follow::{Follower, Options, Step};
use milepost_sync::{FolderReplica, MemoryReplica, Replica, SqliteReplica, Transport as _, pull};
use proptest::prelude::*;

use crate::stage::{Between, Model, Trouble, Written, cases, home};

/// What happens between two steps of the follower.
#[derive(Clone, Debug)]
enum Happening {
    Write(Written),
    /// Old changes and snapshots are forgotten.
    Prune {
        changes: bool,
    },
    Restore {
        back: usize,
        by_hand: bool,
    },
    Trouble(Trouble),
    /// The follower is killed and started again.
    Crash,
    /// The follower takes so many steps.
    Steps(u8),
    PageSizes(usize, usize),
}

fn trouble() -> impl Strategy<Value = Trouble> {
    prop_oneof![
        Just(Trouble::Lost),
        (0..1000_u16).prop_map(Trouble::Cut),
        Just(Trouble::Busy),
        Just(Trouble::Portal),
        Just(Trouble::Stale),
        Just(Trouble::QueryBlind),
        Just(Trouble::Confused),
        Just(Trouble::Redirected),
    ]
}

fn happening() -> impl Strategy<Value = Happening> {
    prop_oneof![
        8 => (0..8_u8, any::<u8>()).prop_map(|(id, n)| Happening::Write(Written::Put(id, n))),
        3 => (0..8_u8).prop_map(|id| Happening::Write(Written::Delete(id))),
        1 => any::<bool>().prop_map(|changes| Happening::Prune { changes }),
        1 => (0..6_usize, any::<bool>())
            .prop_map(|(back, by_hand)| Happening::Restore { back, by_hand }),
        6 => trouble().prop_map(Happening::Trouble),
        2 => Just(Happening::Crash),
        9 => (1..12_u8).prop_map(Happening::Steps),
        1 => (1..4_usize, 1..4_usize).prop_map(|(items, commits)| Happening::PageSizes(items, commits)),
    ]
}

/// One follower's life.
struct Life<R> {
    between: Between,
    replica: R,
    follower: Follower,
    options: Options,
    step: Option<Step>,
    /// Questions since something was applied or waited for.
    asked: u32,
    /// States that the server had, before restores too.
    pasts: Vec<Model>,
    was_restored_by_hand: bool,
    position: Option<(String, usize)>,
    took: Duration,
}

impl<R: Replica> Life<R> {
    fn new(replica: R, options: Options) -> Self {
        Self {
            between: Between::new(Model::new()),
            follower: Follower::new(home(), replica.held().unwrap(), options.clone()).unwrap(),
            replica,
            options,
            step: None,
            asked: 0,
            pasts: Vec::new(),
            was_restored_by_hand: false,
            position: None,
            took: Duration::ZERO,
        }
    }

    fn crash(&mut self) {
        self.follower =
            Follower::new(home(), self.replica.held().unwrap(), self.options.clone()).unwrap();
        self.step = None;
        self.asked = 0;
    }

    fn step(&mut self) {
        let step = match self.step.take() {
            Some(step) => step,
            None => self.follower.go_on(),
        };
        self.step = match step {
            Step::Ask(ask) => {
                self.asked += 1;
                assert!(self.asked <= 8, "it spins at {}", ask.url);
                Some(match self.between.send(&pull::request(&ask)) {
                    Ok(answer) => self.follower.answered(&answer, self.took),
                    Err(unanswered) => self.follower.unanswered(&unanswered.reason),
                })
            }
            Step::Apply(delivery) => {
                let before = self.replica.held().unwrap();
                let applied = self.replica.apply(&delivery).unwrap();
                if before != self.replica.held().unwrap() || applied.puts + applied.removals > 0 {
                    self.asked = 0;
                }
                let step = self.follower.applied(&applied);
                self.look();
                Some(step)
            }
            Step::Rest(rest) => {
                assert!(rest.duration < Duration::from_secs(120));
                // Without a wait it is only right to go on where the server waited itself.
                if rest.duration > Duration::ZERO {
                    self.asked = 0;
                }
                None
            }
            Step::CaughtUp(_) | Step::Restart(_) => None,
            Step::Failed(failure) => panic!("{failure}"),
        };
    }

    /// What is held now is a state that the server had, and not an older one than before.
    fn look(&mut self) {
        let held = self.replica.held().unwrap().unwrap();
        let position = held.position.to_string();
        let (history, sequence) = (held.position.history(), held.position.sequence());
        let now = (history.to_string(), usize::try_from(sequence).unwrap());
        if let Some((history, sequence)) = &self.position
            && *history == now.0
            && !self.was_restored_by_hand
        {
            assert!(
                now.1 >= *sequence,
                "it went back from {sequence} to {}",
                now.1
            );
        }
        self.position = Some(now);
        if !held.is_complete {
            return;
        }
        let models = std::iter::once(&self.between.model).chain(&self.pasts);
        let state = models.filter_map(|model| model.state_at(&position)).next();
        let state = state.unwrap_or_else(|| panic!("no server ever was at {position}"));
        assert_eq!(self.replica.count().unwrap(), state.len() as u64);
        for (id, (etag, value)) in state {
            let key = milepost_sync::Key::parse(id).unwrap();
            let version = self.replica.lookup(&key).unwrap().unwrap();
            assert_eq!(
                (&version.etag, &version.value),
                (etag, value),
                "{id} at {position}"
            );
        }
    }

    fn happen(&mut self, happening: &Happening, number: usize) {
        let model = &mut self.between.model;
        match happening {
            Happening::Write(written) => model.write(written),
            Happening::Prune { changes } => {
                model.snapshot_floor = model.head();
                if *changes {
                    model.floor = model.head();
                }
            }
            Happening::Restore { back, by_hand } => {
                self.pasts.push(model.clone());
                model.restore(*back, *by_hand, number + 1);
                self.was_restored_by_hand |= *by_hand;
            }
            Happening::Trouble(trouble) => self.between.troubles.push(*trouble),
            Happening::Crash => self.crash(),
            Happening::Steps(steps) => {
                for _ in 0..*steps {
                    self.step();
                }
            }
            Happening::PageSizes(items, commits) => {
                model.page_items = *items;
                model.page_commits = *commits;
            }
        }
    }

    /// Lets the follower come to rest, undisturbed.
    fn settle(&mut self) {
        let head = self.between.model.position(self.between.model.head());
        for _ in 0..2_000 {
            self.step();
            let held = self.replica.held().unwrap();
            let is_there =
                held.is_some_and(|held| held.is_complete && held.position.to_string() == head);
            if is_there {
                return;
            }
        }
        panic!("it never came to {head}: {:?}", self.follower);
    }
}

fn live<R: Replica>(replica: R, happenings: &[Happening], waits: bool, seed: u64) -> R {
    let options = Options {
        is_endless: true,
        failures_max: None,
        wait: Duration::from_secs(if waits { 20 } else { 0 }),
        seed,
        ..Options::default()
    };
    let mut life = Life::new(replica, options);
    for (number, happening) in happenings.iter().enumerate() {
        life.happen(happening, number);
    }
    life.settle();
    life.look();
    let held = life.replica.held().unwrap().unwrap();
    let digest = crate::stage::digest(life.between.model.state());
    assert_eq!(held.digest, digest, "the digest is of what is held");
    life.replica
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(1_000), ..ProptestConfig::default() })]

    #[test]
    fn a_follower_ends_equal_to_the_server_whatever_happens(
        happenings in prop::collection::vec(happening(), 1..60),
        waits in any::<bool>(),
        seed in any::<u64>(),
    ) {
        live(MemoryReplica::new(), &happenings, waits, seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(40), ..ProptestConfig::default() })]

    #[test]
    fn so_does_one_that_keeps_an_sqlite_file(
        happenings in prop::collection::vec(happening(), 1..60),
        seed in any::<u64>(),
    ) {
        let replica = SqliteReplica::in_memory("things", &home()).unwrap();
        live(replica, &happenings, false, seed);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: cases(6), ..ProptestConfig::default() })]

    #[test]
    fn so_does_one_that_keeps_a_folder_and_the_files_are_what_it_holds(
        happenings in prop::collection::vec(happening(), 1..40),
        seed in any::<u64>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let replica = FolderReplica::open(folder.path(), "things", &home()).unwrap();
        let replica = live(replica, &happenings, false, seed);
        let mut files = 0;
        for entry in std::fs::read_dir(folder.path()).unwrap() {
            let path = entry.unwrap().path();
            let Some(id) = path.file_name().unwrap().to_str().unwrap().strip_suffix(".json") else {
                continue;
            };
            let key = milepost_sync::Key::parse(id).unwrap();
            let version = replica.lookup(&key).unwrap().unwrap();
            prop_assert_eq!(std::fs::read_to_string(&path).unwrap(), version.value);
            files += 1;
        }
        prop_assert_eq!(files, replica.count().unwrap());
    }
}
