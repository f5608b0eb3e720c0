//! Nobody is told more than the rules let them read, whatever they ask: subjects × collections × operations ×
//! representations, over courses of events that are made up anew.
//!
//! Not a list of leaks to look for. What somebody is told in a world where all happened is compared, to the letter, with
//! what they are told in their own world, in which what they may not read never was ([`world`](super::world)): lists,
//! counts, feeds, snapshots, versions, conditions, refusals, and every field of each. Positions are the same in both, so
//! what differs is a leak.

use proptest::test_runner::{Config, TestCaseError, TestRunner};

use super::{
    probes::{Prober, Transcript},
    world::{Event, Who, beginning, events, happen},
};
use crate::scene::Scene;

/// Courses of events for each reader, of some thousand questions each; `MILEPOST_RULES_CASES` says how many to try for
/// longer.
const CASES: u32 = 1;

/// What somebody is told of a course of events, and what of their own world's; or of another's.
async fn told(who: Who, whose: Who, events: &[Vec<Event>]) -> [Transcript; 2] {
    let [everything, readers] = beginning().await.twins();
    let positions = happen(&everything, &readers, whose, events).await;
    [
        transcript(&everything, who, &positions).await,
        transcript(&readers, who, &positions).await,
    ]
}

async fn transcript(scene: &Scene, who: Who, positions: &[String]) -> Transcript {
    let mut prober = Prober::new(scene, who, positions);
    prober.read_everything().await;
    prober.try_everything().await;
    prober.read_everything().await;
    prober.told
}

fn first_difference([one, other]: &[Transcript; 2]) -> Option<String> {
    let mut pairs = one.iter().zip(other);
    let differs = pairs.find(|(one, other)| one != other);
    let differs =
        differs.map(|(one, other)| format!("{}\n{}\n{}\n{}", one.0, one.1, other.0, other.1));
    differs.or_else(|| (one.len() != other.len()).then(|| "one was told more".to_owned()))
}

fn nothing_leaks_to(who: Who) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let mut runner = TestRunner::new(Config {
        cases: std::env::var("MILEPOST_RULES_CASES")
            .ok()
            .and_then(|cases| cases.parse().ok())
            .unwrap_or(CASES),
        failure_persistence: None,
        max_shrink_iters: 16,
        ..Config::default()
    });
    let tried = runner.run(&events(), |events| {
        match first_difference(&runtime.block_on(told(who, who, &events))) {
            None => Ok(()),
            Some(difference) => Err(TestCaseError::fail(difference)),
        }
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
}

#[test]
fn nobody_in_particular_is_told_no_more_than_everybody_may_read() {
    nothing_leaks_to(Who::Nobody);
}

#[test]
fn ada_is_told_no_more_than_ada_may_read() {
    nothing_leaks_to(Who::Ada);
}

#[test]
fn bob_is_told_no_more_than_bob_may_read() {
    nothing_leaks_to(Who::Bob);
}

#[test]
fn an_administrator_is_told_no_more_than_the_rules_say() {
    nothing_leaks_to(Who::Root);
}

/// The control: in somebody else's world, something is missing or hidden, and that is noticed.
#[tokio::test]
async fn the_matrix_notices_who_is_told_what_is_not_theirs() {
    let note = |shared: bool| serde_json::json!({ "owner": "ada", "shared": shared, "n": 1 });
    let events = vec![
        vec![(2, 0, Some(note(false)))],
        vec![(2, 0, Some(note(true)))],
    ];
    let other = first_difference(&told(Who::Ada, Who::Bob, &events).await);
    assert!(other.is_some());
    assert_eq!(
        first_difference(&told(Who::Ada, Who::Ada, &events).await),
        None
    );
}
