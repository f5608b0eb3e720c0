//! Followers: whoever applies pages of changes in order holds exactly what the store holds, whatever
//! happens in between: writes, deletes, transactions, forgetting, clocks that jump, other definitions,
//! restarts, restored stores, restored followers.
//!
//! The model is what was acknowledged, as a map for every commit. In each interleaving several followers
//! read with feeds, filters and page sizes of their own.

mod follower;
mod model;
mod steps;
mod world;

use milepost_store::conformance::{Fixture, keep};
use proptest::{
    prelude::{ProptestConfig, prop},
    test_runner::TestRunner,
};

use self::{
    steps::{follower, step},
    world::World,
};
use crate::{cases, embedded::InDirectory, memory::InMemory};

/// The most steps of one interleaving.
const STEPS_MAX: usize = 50;
/// How many follow it.
const FOLLOWERS: usize = 6;

fn converge<F: Fixture>(cases: u32) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = prop::collection::vec(step(), 1..STEPS_MAX);
    let followers = prop::collection::vec(follower(), FOLLOWERS);
    let outcome = TestRunner::new(config).run(&(steps, followers), |(steps, followers)| {
        keep(async move {
            let mut world = World::<F>::begin(followers).await;
            for step in &steps {
                world = world.take(step).await;
            }
            world.everybody_arrives().await;
        });
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

#[test]
fn every_follower_of_the_embedded_backend_ends_equal_to_the_model() {
    converge::<InDirectory>(cases(300));
}

#[test]
fn every_follower_of_the_store_in_memory_ends_equal_to_the_model() {
    converge::<InMemory>(cases(300));
}
