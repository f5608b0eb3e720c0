//! Fifty followers of all kinds, while edits are written at full speed.

use milepost_bench::fleet::{Crew, Fleet, History, run};

use crate::stage::{MILEPOST, server_and_user};

#[test]
fn fifty_followers_plain_filtered_killed_and_restored_end_with_exactly_what_was_written() {
    let (_data, server, user) = server_and_user();
    std::fs::create_dir(user.path("copies")).unwrap();
    let fleet = Fleet {
        server: server.url.clone(),
        milepost: MILEPOST.into(),
        folder: user.path("copies"),
        crew: Crew {
            plain: 24,
            filtered: 18,
            killed: 4,
            restored: 4,
        },
    };
    let history = History::made_up(48, 60);
    let outcome = run(&fleet, &history).unwrap();
    assert_eq!((outcome.followers, outcome.restores), (50, 4));
    assert!(outcome.kills >= 8 * 2, "{outcome:?}");
    assert!(
        outcome.operations > 300 && outcome.resources > 40,
        "{outcome:?}"
    );
}
