//! The follower's decisions, one by one.

use std::time::Duration;

use http::{HeaderValue, header};
use milepost_sync::follow::{Failure, Follower, Options, Restart, Step};
use milepost_sync::{Answer, MemoryReplica, Replica as _, Transport as _, Url, pull};

use crate::stage::{Model, Written, home};

fn follower(options: Options) -> Follower {
    Follower::new(home(), None, options).unwrap()
}

/// Answers a question, and applies what comes of it.
fn exchange(follower: &mut Follower, replica: &mut MemoryReplica, answer: &Answer) -> Step {
    match follower.answered(answer, Duration::ZERO) {
        Step::Apply(delivery) => {
            let applied = replica.apply(&delivery).unwrap();
            follower.applied(&applied)
        }
        step => step,
    }
}

/// Goes on until the follower doesn't ask.
fn run(follower: &mut Follower, replica: &mut MemoryReplica, model: &mut Model) -> Step {
    let mut step = follower.go_on();
    while let Step::Ask(ask) = step {
        let answer = model.send(&pull::request(&ask)).unwrap();
        step = exchange(follower, replica, &answer);
    }
    step
}

fn filled() -> Model {
    let mut model = Model::new();
    for id in 0..5 {
        model.write(&Written::Put(id, id));
    }
    model
}

fn caught_up(options: &Options) -> (Follower, MemoryReplica, Model) {
    let (mut follower, mut replica) = (follower(options.clone()), MemoryReplica::new());
    let mut model = filled();
    let step = run(&mut follower, &mut replica, &mut model);
    assert!(matches!(step, Step::CaughtUp(_)), "{step:?}");
    (follower, replica, model)
}

#[test]
fn it_is_up_to_date_only_when_the_changes_since_the_snapshot_are_in_and_says_whether_that_is_proven()
 {
    let (mut follower, mut replica) = (follower(Options::default()), MemoryReplica::new());
    let mut model = filled();
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    let first = model.send(&pull::request(&ask)).unwrap();
    model.write(&Written::Put(0, 99));
    let mut step = exchange(&mut follower, &mut replica, &first);
    while let Step::Ask(ask) = step {
        let answer = model.send(&pull::request(&ask)).unwrap();
        step = exchange(&mut follower, &mut replica, &answer);
    }
    let Step::CaughtUp(caught_up) = step else {
        panic!("{step:?}")
    };
    assert_eq!(caught_up.position.to_string(), model.position(model.head()));
    assert!(caught_up.verified);
    assert_eq!(replica.iter().count(), 5);
}

#[test]
fn a_digest_that_differs_starts_it_again_once_and_then_ends_it() {
    let options = Options {
        is_endless: true,
        wait: Duration::from_secs(20),
        ..Options::default()
    };
    let (mut follower, mut replica, mut model) = caught_up(&options);
    model.write(&Written::Put(0, 7));
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    let lie = |answer: Answer| {
        let mut page: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
        page["digest"] = "ab".repeat(32).into();
        Answer::of(200, page.to_string())
    };
    let answer = model.send(&pull::request(&ask)).unwrap();
    let step = exchange(&mut follower, &mut replica, &lie(answer));
    assert!(matches!(step, Step::Restart(Restart::Differs)), "{step:?}");
    let mut step = follower.go_on();
    while let Step::Ask(ask) = step {
        let answer = model.send(&pull::request(&ask)).unwrap();
        let is_changes = ask.url.path().contains("/changes/");
        step = exchange(
            &mut follower,
            &mut replica,
            &if is_changes { lie(answer) } else { answer },
        );
    }
    assert!(
        matches!(step, Step::Failed(Failure::Differs { .. })),
        "{step:?}"
    );
}

#[test]
fn where_nothing_is_new_the_server_is_asked_to_wait_and_the_bookmark_stays_without_that() {
    let options = Options {
        is_endless: true,
        wait: Duration::from_secs(20),
        ..Options::default()
    };
    let (mut follower, mut replica, mut model) = caught_up(&options);
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    assert!(ask.url.to_reference().ends_with("?wait=20"), "{}", ask.url);
    assert_eq!(ask.wait, Duration::from_secs(20));
    let answer = model.send(&pull::request(&ask)).unwrap();
    // An answer that took its time is followed by the next question at once.
    let Step::Rest(rest) = follower.answered(&answer, Duration::from_secs(20)) else {
        panic!()
    };
    assert_eq!(rest.duration, Duration::ZERO);
    model.write(&Written::Put(0, 1));
    let step = run(&mut follower, &mut replica, &mut model);
    assert!(matches!(step, Step::CaughtUp(caught_up) if caught_up.is_news));
    let bookmark = replica.held().unwrap().unwrap().bookmark;
    assert!(!bookmark.contains("wait"), "{bookmark}");
}

#[test]
fn an_answer_that_should_have_waited_and_did_not_is_not_asked_for_again_at_once() {
    let options = Options {
        is_endless: true,
        wait: Duration::from_secs(20),
        ..Options::default()
    };
    let (mut follower, mut replica, mut model) = caught_up(&options);
    for _ in 0..50 {
        let Step::Ask(ask) = follower.go_on() else {
            panic!()
        };
        let answer = model.send(&pull::request(&ask)).unwrap();
        let step = exchange(&mut follower, &mut replica, &answer);
        let Step::Rest(rest) = step else {
            panic!("{step:?}")
        };
        assert!(rest.duration >= Duration::from_secs(1), "{rest:?}");
        assert!(rest.duration <= Duration::from_secs(60), "{rest:?}");
    }
}

#[test]
fn without_waiting_at_the_server_it_asks_again_when_the_answer_is_no_longer_fresh() {
    let options = Options {
        is_endless: true,
        ..Options::default()
    };
    let (mut follower, mut replica, mut model) = caught_up(&options);
    let Step::Rest(_) = follower.go_on() else {
        panic!("it asks at once")
    };
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    let mut answer = model.send(&pull::request(&ask)).unwrap();
    answer.fields.insert(
        header::CACHE_CONTROL,
        HeaderValue::from_static("max-age=30"),
    );
    answer
        .fields
        .insert(header::AGE, HeaderValue::from_static("10"));
    let Step::Rest(rest) = exchange(&mut follower, &mut replica, &answer) else {
        panic!()
    };
    assert!(rest.duration >= Duration::from_secs(20) && rest.duration <= Duration::from_secs(30));
}

#[test]
fn links_are_relative_to_the_server_and_never_lead_away_from_it() {
    let page = |next: &str| {
        format!(
            r#"{{"self":"/v1/things","kind":"snapshot","replace":true,"items":[],"next":"{next}","position":"k.1-aaaa"}}"#
        )
    };
    for next in [
        "snapshots/k.1-aaaa?after=a",
        "/v1/snapshots/k.1-aaaa?after=a",
        "http://h/v1/snapshots/k.1-aaaa?after=a",
    ] {
        let mut follower = follower(Options::default());
        follower.go_on();
        let mut replica = MemoryReplica::new();
        let step = exchange(&mut follower, &mut replica, &Answer::of(200, page(next)));
        let Step::Ask(ask) = step else {
            panic!("{step:?}")
        };
        assert_eq!(
            ask.url.to_string(),
            "http://h/v1/snapshots/k.1-aaaa?after=a"
        );
    }
    for next in [
        "http://evil.test/x",
        "//evil.test/x",
        "https://h/x",
        "http://h:81/x",
        "ftp://h/x",
    ] {
        let mut follower = follower(Options::default());
        follower.go_on();
        let step = follower.answered(&Answer::of(200, page(next)), Duration::ZERO);
        assert!(
            matches!(step, Step::Failed(Failure::OtherOrigin { .. })),
            "{next}: {step:?}"
        );
    }
}

#[test]
fn redirects_are_followed_within_the_server_and_not_for_ever() {
    let moved =
        |to: &'static str| Answer::of(308, "").with(header::LOCATION, HeaderValue::from_static(to));
    let mut follower = follower(Options::default());
    follower.go_on();
    let step = follower.answered(&moved("/v1/things?a=b"), Duration::ZERO);
    let Step::Ask(ask) = step else {
        panic!("{step:?}")
    };
    assert_eq!(ask.url, Url::parse("http://h/v1/things?a=b").unwrap());
    let step = follower.answered(&moved("http://evil.test/"), Duration::ZERO);
    assert!(matches!(step, Step::Failed(Failure::OtherOrigin { .. })));
    let mut asked = 0;
    let mut step = follower.go_on();
    while let Step::Ask(_) = step {
        asked += 1;
        step = follower.answered(&moved("/v1/things"), Duration::ZERO);
    }
    assert!(
        matches!(step, Step::Rest(_)) && asked <= 6,
        "{asked} {step:?}"
    );
}

#[test]
fn what_the_server_says_no_to_is_not_asked_again_and_told_with_its_reason() {
    for status in [401, 403, 404, 400, 405, 406, 501] {
        let mut follower = follower(Options {
            failures_max: None,
            is_endless: true,
            ..Options::default()
        });
        follower.go_on();
        let body = r#"{"title":"No","detail":"it is as it is."}"#;
        let step = follower.answered(&Answer::of(status, body), Duration::ZERO);
        let Step::Failed(failure) = step else {
            panic!("{status}: {step:?}")
        };
        assert_eq!(
            failure.to_string(),
            format!("http://h/v1/things answers {status}: it is as it is")
        );
        assert!(!failure.is_transient());
    }
}

#[test]
fn a_listing_that_has_no_end_to_go_on_from_can_not_be_followed() {
    let sorted = r#"{"self":"/v1/things","kind":"snapshot","replace":false,"items":[],"position":"k.1-aaaa"}"#;
    let mut follower = follower(Options::default());
    follower.go_on();
    let step = follower.answered(&Answer::of(200, sorted), Duration::ZERO);
    assert!(
        matches!(step, Step::Failed(Failure::NoFeed { .. })),
        "{step:?}"
    );
}

#[test]
fn a_server_that_is_down_is_asked_ever_more_rarely_and_given_up_where_that_is_wanted() {
    let mut follower = follower(Options::default());
    let mut rests = Vec::new();
    let failure = loop {
        follower.go_on();
        match follower.unanswered("connection refused") {
            Step::Rest(rest) => rests.push(rest.duration),
            Step::Failed(failure) => break failure,
            step => panic!("{step:?}"),
        }
    };
    assert_eq!(rests.len(), 7);
    assert!(rests.iter().sum::<Duration>() > Duration::from_secs(30));
    assert!(failure.is_transient());
    assert!(failure.to_string().contains("connection refused"));
}

#[test]
fn a_page_of_another_question_is_asked_for_again_past_caches_and_never_applied() {
    let (mut follower, mut replica) = (follower(Options::default()), MemoryReplica::new());
    let mut model = filled();
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    assert!(!ask.past_caches);
    let first = model.send(&pull::request(&ask)).unwrap();
    let Step::Ask(_) = exchange(&mut follower, &mut replica, &first) else {
        panic!()
    };
    // A cache that leaves queries out of its keys gives the first page for the second.
    let snapshot = first.body.clone();
    let text = String::from_utf8(snapshot).unwrap();
    let path = format!("/v1/things/snapshots/{}", model.position(model.head()));
    let wrong = text.replacen("\"/v1/things\"", &format!("\"{path}\""), 1);
    let step = exchange(&mut follower, &mut replica, &Answer::of(200, wrong));
    assert!(matches!(step, Step::Rest(_)), "{step:?}");
    let Step::Ask(ask) = follower.go_on() else {
        panic!()
    };
    assert!(ask.past_caches);
    assert_eq!(replica.iter().count(), 2);
}
