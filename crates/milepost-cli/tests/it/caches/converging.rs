//! Whatever the cache does, followers end exactly equal to the server, and never spin.

use super::{
    cache::{Cache, Kind, Mistake},
    follower::Following,
    origin::Origin,
    with_each_cache,
};

/// How long the server may hold a request, in seconds: long enough that being held is told apart.
const WAIT_S: u64 = 3;
const ROUNDS: usize = 6;

with_each_cache! {
    followers_end_exactly_equal_to_the_server_while_it_is_written
    followers_end_equal_though_the_cache_ignores_queries
    followers_end_equal_though_the_cache_drops_fields
    followers_end_equal_though_the_cache_is_restarted_empty
    followers_end_equal_though_the_server_is_killed_behind_the_cache
    followers_end_equal_to_a_server_that_is_restored_from_a_backup_behind_the_cache
}

/// Each `(query, wait)` is followed by two, so that something is shared.
const ALL: &[(&str, u64)] = &[
    ("", 0),
    ("", WAIT_S),
    ("&owner=ada", 0),
    ("&owner=ada", WAIT_S),
];
/// What differs in its query can't be told apart by a cache that ignores queries.
const WHOLE: &[(&str, u64)] = &[("", 0), ("", WAIT_S)];

fn followers_end_exactly_equal_to_the_server_while_it_is_written(kind: Kind) {
    converge(kind, Mistake::None, ALL, |_, _| ());
}

fn followers_end_equal_though_the_cache_ignores_queries(kind: Kind) {
    converge(kind, Mistake::IgnoresQueries, WHOLE, |_, _| ());
}

fn followers_end_equal_though_the_cache_drops_fields(kind: Kind) {
    converge(kind, Mistake::DropsFields, ALL, |_, _| ());
}

fn followers_end_equal_though_the_cache_is_restarted_empty(kind: Kind) {
    converge(kind, Mistake::None, ALL, |_, cache| cache.restart_empty());
}

fn followers_end_equal_though_the_server_is_killed_behind_the_cache(kind: Kind) {
    converge(kind, Mistake::None, ALL, |origin, _| origin.restart());
}

fn followers_end_equal_to_a_server_that_is_restored_from_a_backup_behind_the_cache(kind: Kind) {
    converge(kind, Mistake::None, ALL, |origin, _| {
        let backup = origin.backup();
        for round in 100..103 {
            write_followed(origin, &origin.url(), round);
        }
        let told = origin.told();
        origin.put("lost", r#"{"owner":"ada"}"#);
        origin.await_more_told_than(told);
        origin.restore(&backup);
    });
}

/// Writes, and lets some follower see it: in every third round one that polls, too.
fn write_followed(origin: &Origin, base: &str, round: usize) {
    let told = origin.told();
    origin.write_round(base, round);
    origin.await_more_told_than(told);
    if round.is_multiple_of(3) {
        origin.await_more_told_than(origin.told());
    }
}

/// Followers follow while there are writes, something happens, and there are more writes.
fn converge(
    kind: Kind,
    mistake: Mistake,
    followed: &[(&'static str, u64)],
    happen: impl FnOnce(&mut Origin, &mut Cache),
) {
    let mut origin = Origin::with_notes();
    let mut cache = Cache::mistaken(&origin, kind, mistake);
    origin.write_round(&cache.url(), 0);
    let begin = |(query, wait_s): &(&'static str, u64)| {
        let query = query.replacen('&', "?", 1);
        Following::begin(&format!("{}/notes{query}", cache.url()), *wait_s)
    };
    let pairs = followed.iter().chain(followed);
    let following: Vec<_> = pairs.map(|one| (one.0, begin(one))).collect();
    for round in 1..ROUNDS {
        write_followed(&origin, &cache.url(), round);
    }
    happen(&mut origin, &mut cache);
    for round in ROUNDS..2 * ROUNDS {
        write_followed(&origin, &origin.url(), round);
    }
    for (query, follower) in &following {
        follower.is_to_hold(origin.listed(query));
    }
    let reports: Vec<_> = following
        .into_iter()
        .map(|(_, follower)| follower.ended())
        .collect();
    for report in &reports {
        report.is_sound();
    }
    // Of every two who asked for the same, most cost the server one request.
    let questions: usize = reports.iter().map(|report| report.questions).sum();
    let asked = origin.asked();
    let feed = asked
        .iter()
        .filter(|asked| asked.target.contains("/changes/"))
        .count();
    assert!(
        feed * 4 <= questions * 3,
        "{feed} of {questions}: {reports:#?}"
    );
}
