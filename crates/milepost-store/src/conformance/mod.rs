//! What every backend promises, as one public suite that each of them runs.
//!
//! A promise is a function whose name is the sentence that would be false if it failed; it makes its
//! own store through a [`Fixture`], and panics where the promise is broken. A backend runs them all
//! with one line, [`conformance_tests!`](crate::conformance_tests), which makes a test of each. What
//! a backend promises beyond the trait (what a full disk does, how fast it is) is its own to test.
//!
//! The suite sleeps nowhere and reads no clock: the time is the fixture's, and background work is
//! awaited by [`Fixture::settle`].

#![expect(
    clippy::missing_panics_doc,
    reason = "a panic is how a promise says that it is broken"
)]

mod people;
mod vocabulary;

pub mod bodies;
pub mod changes;
pub mod definitions;
pub mod durability;
pub mod feeds;
pub mod guards;
pub mod lists;
pub mod pages;
pub mod parents;
pub mod positions;
pub mod preconditions;
pub mod retention;
pub mod retries;
pub mod scopes;
pub mod snapshots;
pub mod text;
pub mod transactions;
pub mod versions;

use std::sync::Arc;

use async_trait::async_trait;

use crate::{Store, clock::ManualClock};

/// A store under test, and what can be done to it from outside.
///
/// Nothing keeps the [`Store`] of a fixture that has been reopened, forked or restored.
#[async_trait]
pub trait Fixture: Sized + Send + Sync + 'static {
    /// A new, empty store, whose clock shows some time after 1970.
    async fn fresh() -> Self;

    /// The store.
    fn store(&self) -> &Arc<dyn Store>;

    /// The clock that the store asks.
    fn clock(&self) -> &ManualClock;

    /// Returns when the work that the store does in the background is done: retention is applied
    /// as of the clock's time, indexes are built.
    async fn settle(&self);

    /// The same store after its process died without warning and was started again.
    async fn reopened(self) -> Self;

    /// Two stores that grow from one, as when its files were copied by hand.
    async fn forked(self) -> (Self, Self);

    /// Takes a backup, and keeps it instead of an earlier one.
    async fn back_up(&mut self);

    /// The store that restoring the backup gives.
    async fn restored(self) -> Self;
}

/// Runs a promise to its end.
///
/// # Panics
/// Where the promise is broken, or there can be no threads.
pub fn keep<P: Future<Output = ()>>(promise: P) {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(4)
        .enable_all()
        .build()
        .expect("a runtime")
        .block_on(promise);
}

/// Makes a test of every promise, for a [`Fixture`]; `where` says whether what it needs is there: the
/// tests do nothing where it isn't.
#[macro_export]
macro_rules! conformance_tests {
    ($fixture:ty) => {
        $crate::conformance_tests! { $fixture, where true }
    };
    ($fixture:ty, where $is_there:expr) => {
        $crate::conformance_tests! { @areas $fixture, $is_there;
            bodies {
                a_body_comes_back_byte_for_byte,
                a_read_after_an_acknowledged_write_sees_it,
                a_delete_leaves_a_tombstone_of_its_own_position,
                a_version_is_never_older_than_the_one_it_replaced,
            }
            preconditions {
                of_writers_racing_on_one_entity_tag_exactly_one_wins,
                without_a_condition_racing_writers_lose_updates,
                if_none_match_star_creates_once,
                a_false_condition_writes_nothing_and_tells_what_stands,
                if_match_is_false_for_what_does_not_exist,
                the_tag_of_a_variant_stands_for_its_version,
                an_unconditional_change_is_refused_where_conditions_are_required,
                what_fails_without_a_condition_fails_the_same_with_one,
                write_skew_is_impossible,
                every_false_condition_of_a_transaction_is_told,
            }
            retries {
                a_repeated_request_is_answered_as_already_applied,
                a_repeated_request_is_refused_when_someone_else_wrote_the_same,
                another_patch_of_the_replaced_version_is_refused,
                a_repetition_is_known_after_a_restart,
                transactions_that_make_the_same_of_one_resource_are_not_taken_for_each_other,
                an_unchanged_write_writes_nothing,
            }
            transactions {
                all_operations_share_one_position,
                nothing_is_written_where_one_operation_fails,
                a_check_guards_without_writing,
                two_operations_on_one_resource_are_refused,
                a_recorded_transaction_is_carried_out_once,
                a_recorded_id_with_another_content_is_a_mismatch,
                a_rejected_transaction_is_not_recorded,
                a_transaction_that_changes_nothing_is_recorded,
                racing_repetitions_are_carried_out_once,
                recorded_outcomes_are_read_only,
                concurrent_transfers_keep_the_total,
            }
            parents {
                a_resource_needs_its_parent,
                a_parent_and_its_children_can_be_made_in_one_transaction,
                a_parent_with_children_is_not_deleted_where_they_restrict_it,
                children_are_deleted_with_their_parent_where_they_cascade,
                a_cascade_and_an_operation_on_the_same_child_exclude_each_other,
            }
            definitions {
                a_definition_is_read_back_in_its_normal_form,
                what_is_wrong_with_a_definition_is_told_at_once,
                a_collection_needs_a_definition,
                a_collection_can_be_defined_and_filled_in_one_transaction,
                changing_a_definition_needs_a_condition,
                a_collection_in_use_is_not_deleted,
                a_schema_applies_to_writes_from_its_definition_on,
                a_value_that_cannot_be_ordered_is_refused_where_it_is_indexed,
                an_index_finds_what_is_older_than_itself,
                an_index_that_is_being_built_never_answers_in_part,
                a_changed_index_knows_nothing_of_what_it_was,
                indexes_declared_again_are_not_taken_for_each_other,
            }
            positions {
                positions_are_dense_and_in_the_order_of_commits,
                an_entity_tag_is_never_reused_after_delete_and_re_create,
                a_restart_continues_the_order,
                a_position_that_was_not_committed_here_is_expired,
                positions_of_a_fork_are_unknown_to_the_other_branch,
                a_restored_store_knows_no_position_of_before,
                a_position_becomes_visible_only_after_every_smaller_one,
                a_transaction_is_never_seen_in_part,
            }
            lists {
                filters_find_exactly_what_they_say,
                sorting_follows_every_key_and_then_the_id,
                numbers_beyond_any_machine_type_are_ordered_exactly,
                undeclared_names_are_told_all_at_once,
                a_listing_follows_changes_deletes_and_re_creations,
            }
            pages {
                pages_make_up_the_whole_listing,
                a_cursor_outlives_the_resource_it_names,
                a_page_is_limited_in_items_and_bytes_but_never_empty,
                a_cursor_with_other_values_than_the_order_has_is_refused,
                a_total_counts_what_matches,
            }
            scopes {
                a_scope_shows_one_parents_children_or_all,
                a_scope_can_be_filtered_sorted_and_paged,
            }
            snapshots {
                every_retained_position_shows_what_stood_then,
                a_snapshot_walked_while_being_written_is_the_state_at_its_position,
                a_listing_has_the_same_order_now_and_as_of_its_position,
                a_resource_can_be_read_as_of_a_position,
                the_head_of_a_collection_moves_with_its_own_changes,
            }
            versions {
                versions_are_told_newest_first_page_by_page,
                a_version_is_found_by_the_position_of_its_write,
                a_resource_that_never_was_has_no_versions,
            }
            text {
                all_words_are_found_whole_and_newest_first,
                no_text_is_taken_for_an_engines_own_language,
                a_search_can_be_filtered_and_paged,
                a_changed_declaration_of_text_is_followed,
            }
            retention {
                everything_is_remembered_within_the_bounds,
                history_is_bounded_by_count,
                history_is_bounded_by_age,
                history_is_bounded_by_bytes,
                a_changed_bound_is_applied_to_what_is_there,
                tombstones_are_bounded_by_count_and_age,
                a_re_created_resource_has_no_tombstone_to_forget,
                collections_are_forgotten_independently,
                floors_survive_a_restart,
            }
            changes {
                a_page_tells_each_resource_once_as_of_its_end,
                every_version_is_told_in_order_where_it_is_asked_for,
                a_transaction_is_never_split_over_pages,
                a_page_is_limited_in_items_and_bytes,
                no_news_is_told_at_the_same_position,
                pages_end_where_other_pages_end,
                a_closed_page_never_changes,
                a_quiet_collection_is_caught_up_in_one_page,
                changes_are_complete_or_expired,
                versions_are_complete_or_expired,
                changes_since_a_position_of_elsewhere_are_expired,
                a_commit_wakes_whoever_waits,
            }
            feeds {
                a_filter_tells_who_leaves_and_hides_the_rest,
                the_position_moves_past_what_is_hidden,
                a_feed_can_be_one_parents,
                a_feed_is_not_followed_over_a_change_of_its_index,
                what_cannot_be_filtered_by_is_told,
                the_feed_of_everything_is_in_the_order_of_commits,
                outcomes_of_transactions_are_in_no_feed,
                the_digest_is_that_of_what_is_there,
                a_restored_store_has_the_digest_of_its_new_entity_tags,
            }
            guards {
                a_guard_is_asked_of_what_stands_and_what_would_stand,
                what_may_not_be_read_is_not_there,
                rules_are_asked_before_conditions,
                below_what_may_not_be_read_nothing_is_made,
                rules_that_a_guard_refuses_are_not_defined,
            }
            durability {
                a_restart_changes_nothing,
                no_acknowledged_write_is_lost_and_none_is_half_there,
            }
        }
    };
    (@areas $fixture:ty, $is_there:expr; $($area:ident { $($promise:ident,)* })*) => {
        $crate::conformance_tests! { @tests $fixture, { $is_there }; $($([$area $promise])*)* }
    };
    (@tests $fixture:ty, $is_there:block; $([$area:ident $promise:ident])*) => {
        $(#[test]
        fn $promise() {
            if $is_there {
                $crate::conformance::keep($crate::conformance::$area::$promise::<$fixture>());
            }
        })*
    };
}

#[cfg(test)]
mod tests {
    /// Each file of promises.
    const AREAS: &[&str] = &[
        include_str!("bodies.rs"),
        include_str!("changes.rs"),
        include_str!("definitions.rs"),
        include_str!("durability.rs"),
        include_str!("feeds.rs"),
        include_str!("guards.rs"),
        include_str!("lists.rs"),
        include_str!("pages.rs"),
        include_str!("parents.rs"),
        include_str!("positions.rs"),
        include_str!("preconditions.rs"),
        include_str!("retention.rs"),
        include_str!("retries.rs"),
        include_str!("scopes.rs"),
        include_str!("snapshots.rs"),
        include_str!("text.rs"),
        include_str!("transactions.rs"),
        include_str!("versions.rs"),
    ];

    #[test]
    fn every_promise_is_one_that_backends_are_tested_for() {
        let listed = include_str!("mod.rs");
        let promises = AREAS
            .iter()
            .flat_map(|area| area.lines())
            .filter_map(|line| {
                line.strip_prefix("pub async fn ")?
                    .split_once("<F: Fixture>")
                    .map(|(name, _)| name)
            });
        let forgotten: Vec<&str> = promises
            .filter(|name| !listed.contains(&format!(" {name},")))
            .collect();
        assert_eq!(forgotten, Vec::<&str>::new());
    }
}
