//! Stores that are wrong must be found out, and one that is right must not be accused.

use proptest::{collection::vec, prelude::*};

use super::{
    simulated::{Fault, play},
    verify,
};

const CHOICES_MAX: usize = 220;

fn choices() -> impl Strategy<Value = Vec<u16>> {
    vec(any::<u16>(), 0..CHOICES_MAX)
}

fn config() -> ProptestConfig {
    ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_store_that_is_right_is_not_accused(choices in choices()) {
        let played = play(&choices, Fault::None);
        let found = verify(&played.record, &played.timeline);
        prop_assert!(found.is_empty(), "{}", found[0]);
    }
}

/// Every history in which the fault did something must be found out, and in some it must.
fn loses(fault: Fault) {
    let mut runner = proptest::test_runner::TestRunner::new(config());
    let bites = std::cell::Cell::new(0);
    let tried = runner.run(&choices(), |choices| {
        let played = play(&choices, fault);
        let found = verify(&played.record, &played.timeline);
        prop_assert!(
            !played.bitten || !found.is_empty(),
            "{fault:?} was not noticed"
        );
        bites.set(bites.get() + u32::from(played.bitten));
        Ok(())
    });
    tried.unwrap();
    assert!(bites.get() > 20, "{fault:?} did nothing");
}

#[test]
fn a_store_that_overwrites_what_it_should_not_is_found_out() {
    loses(Fault::LostUpdate);
}

#[test]
fn a_read_of_what_was_known_to_be_replaced_is_found_out() {
    loses(Fault::StaleRead);
}

#[test]
fn an_acknowledged_write_that_is_not_kept_is_found_out() {
    loses(Fault::LostWrite);
}

#[test]
fn a_lost_request_that_is_reported_as_success_is_found_out() {
    loses(Fault::UnknownAsSuccess);
}

#[test]
fn a_refused_write_that_was_carried_out_is_found_out() {
    loses(Fault::RefusedYetDone);
}

#[test]
fn a_transaction_that_is_carried_out_in_part_is_found_out() {
    loses(Fault::Torn);
}

#[test]
fn a_transaction_whose_parts_have_positions_of_their_own_is_found_out() {
    loses(Fault::Apart);
}

#[test]
fn a_transaction_that_passes_over_what_it_depends_on_is_found_out() {
    loses(Fault::Skewed);
}

#[test]
fn a_read_of_what_was_never_committed_is_found_out() {
    loses(Fault::DirtyRead);
}

#[test]
fn a_page_that_lacks_a_change_is_found_out() {
    loses(Fault::Skipped);
}

#[test]
fn a_page_in_another_order_is_found_out() {
    loses(Fault::Reordered);
}

#[test]
fn a_page_that_ends_further_than_it_tells_is_found_out() {
    loses(Fault::Overtaken);
}

#[test]
fn a_page_that_hides_what_is_known_is_found_out() {
    loses(Fault::StalePage);
}
