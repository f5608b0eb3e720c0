//! Any interleaving of writes, definitions, restarts, restores and forgetting, compared step by step
//! with the in-memory store as the model: whatever the model answers, the backend must.

mod changes;
mod compare;
mod steps;

use milepost_store::conformance::{Fixture, keep};
use proptest::{
    prelude::{ProptestConfig, prop},
    test_runner::TestRunner,
};

use self::{compare::Pair, steps::step};
use crate::{cases, embedded::InDirectory, memory::InMemory};

/// How many interleavings are tried.
const CASES: u32 = 200;
/// The most steps of one.
const STEPS_MAX: usize = 40;

fn follows_the_model<F: Fixture>(cases: u32) {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let steps = prop::collection::vec(step(), 1..STEPS_MAX);
    let outcome = TestRunner::new(config).run(&steps, |steps| {
        keep(async move {
            let mut pair = Pair::new(F::fresh().await, InMemory::fresh().await);
            pair.begin().await;
            for step in &steps {
                pair = pair.take(step).await;
            }
            pair.compare_everything().await;
        });
        Ok(())
    });
    if let Err(failed) = outcome {
        panic!("{failed}");
    }
}

#[test]
fn the_embedded_backend_answers_as_the_model_does_whatever_happens() {
    follows_the_model::<InDirectory>(cases(CASES));
}

#[test]
fn the_model_agrees_with_itself() {
    follows_the_model::<InMemory>(cases(CASES / 5));
}
