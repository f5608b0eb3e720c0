//! What opens, and what doesn't: whatever is sealed opens as it was, only for what and whom it was sealed, only
//! in its time, and every failure looks the same.

use milepost_seal::{
    CONTENT_BYTES_MAX, Content, Context, Entropy, NoEntropy, Purpose, Reason, SCOPE_BYTES_MAX,
    SEALED_BYTES_MAX, SealError, Stamp, Terms,
};
use proptest::prelude::*;

use crate::stage::{ADA, Link, NOW, Place, Seeded, State, TERMS, at, opened, ring, sealed};

proptest! {
    #[test]
    fn whatever_is_sealed_opens_as_it_was(
        content in proptest::collection::vec(any::<u8>(), 0..2_000),
        (scope, subject) in (".{0,40}", proptest::option::of(".{0,40}")),
        (expires, revision, seed) in (1_001_u64.., any::<u64>(), any::<u64>()),
    ) {
        let ring = ring(1);
        let context = Context { scope: &scope, subject: subject.as_deref() };
        let stamp = Stamp { expires: at(expires), revision };
        let terms = Terms { context, stamp };
        let mut entropy = Seeded(seed);
        let state = ring.seal(&State(content.clone()), &terms, &mut entropy).unwrap();
        let link = ring.seal(&Link(content.clone()), &terms, &mut entropy).unwrap();
        let state = ring.open::<State>(state.as_str(), &context, NOW).unwrap();
        let link = ring.open::<Link>(link.as_str(), &context, NOW).unwrap();
        prop_assert_eq!((&state.content.0, state.stamp), (&content, stamp));
        prop_assert_eq!((&link.content.0, link.stamp), (&content, stamp));
    }

    #[test]
    fn no_text_makes_opening_panic_and_none_opens(text in ".{0,300}") {
        prop_assert!(opened::<State>(&ring(1), &text).is_err());
        prop_assert!(opened::<Link>(&ring(1), &text).is_err());
    }

    #[test]
    fn no_payload_makes_opening_panic_and_none_opens(
        payload in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
        let ring = ring(1);
        let text = format!("v1.{}.{}", ring.active(), URL_SAFE_NO_PAD.encode(payload));
        prop_assert!(opened::<State>(&ring, &text).is_err());
        prop_assert!(opened::<Place>(&ring, &text).is_err());
        prop_assert!(opened::<Link>(&ring, &text).is_err());
    }
}

#[test]
fn state_of_another_flow_subject_or_purpose_does_not_open() {
    let ring = ring(1);
    let state = sealed(&ring, &State(b"{}".to_vec()));
    let foreign = [
        ("checkout", Some("ada")),
        ("registration", Some("bob")),
        ("registration", None),
        ("registration", Some("")),
        // The same letters, divided otherwise.
        ("registrationa", Some("da")),
        ("", Some("registrationada")),
    ];
    for (scope, subject) in foreign {
        let refused = ring.open::<State>(state.as_str(), &Context { scope, subject }, NOW);
        assert_eq!(refused.unwrap_err().reason(), Reason::NotAuthentic);
    }
    assert_eq!(
        opened::<Place>(&ring, state.as_str()),
        Err(Reason::NotAuthentic)
    );
    assert_eq!(
        opened::<Link>(&ring, state.as_str()),
        Err(Reason::NotAuthentic)
    );
    assert!(opened::<State>(&ring, state.as_str()).is_ok());
}

#[test]
fn a_state_opens_until_its_time_is_up_and_tells_its_revision() {
    let ring = ring(1);
    let state = sealed(&ring, &State(b"{}".to_vec()));
    let just_before = ring.open::<State>(state.as_str(), &ADA, at(4_599)).unwrap();
    assert_eq!(just_before.stamp, TERMS.stamp);
    let then = ring.open::<State>(state.as_str(), &ADA, at(4_600));
    assert_eq!(then.unwrap_err().reason(), Reason::Expired);
}

#[test]
fn a_state_of_another_ring_does_not_open() {
    let state = sealed(&ring(1), &State(b"{}".to_vec()));
    assert_eq!(
        opened::<State>(&ring(2), state.as_str()),
        Err(Reason::UnknownKey)
    );
    // Even under the identifier of a key that is there.
    let renamed = state
        .as_str()
        .replace(ring(1).active().as_str(), ring(2).active().as_str());
    assert_eq!(
        opened::<State>(&ring(2), &renamed),
        Err(Reason::NotAuthentic)
    );
}

#[test]
fn a_link_is_the_same_bytes_each_time_and_a_state_never() {
    let ring = ring(1);
    let mut entropy = Seeded(1);
    let mut link = || {
        ring.seal(&Link(b"17".to_vec()), &TERMS, &mut entropy)
            .unwrap()
    };
    assert_eq!(link(), link());
    let mut state = || {
        ring.seal(&State(b"17".to_vec()), &TERMS, &mut entropy)
            .unwrap()
    };
    assert_ne!(state(), state());
    assert!(Purpose::Link.is_deterministic());
}

#[test]
fn what_is_too_large_is_neither_sealed_nor_looked_at() {
    let ring = ring(1);
    let largest = State(vec![7; CONTENT_BYTES_MAX]);
    let state = sealed(&ring, &largest);
    assert!(state.as_str().len() <= SEALED_BYTES_MAX);
    assert_eq!(
        opened::<State>(&ring, state.as_str()).unwrap().content,
        largest
    );

    let larger = State(vec![7; CONTENT_BYTES_MAX + 1]);
    let refused = ring.seal(&larger, &TERMS, &mut Seeded(1));
    assert_eq!(
        refused,
        Err(SealError::TooLarge {
            bytes: CONTENT_BYTES_MAX + 1
        })
    );
    let ten_megabytes = format!("v1.{}.{}", ring.active(), "A".repeat(10_000_000));
    assert_eq!(
        opened::<State>(&ring, &ten_megabytes),
        Err(Reason::TooLarge)
    );

    let long = "x".repeat(SCOPE_BYTES_MAX + 1);
    let context = Context {
        scope: &long,
        subject: None,
    };
    let terms = Terms {
        context,
        stamp: TERMS.stamp,
    };
    let refused = ring.seal(&State(Vec::new()), &terms, &mut Seeded(1));
    assert_eq!(refused, Err(SealError::NameTooLong));
    let refused = ring.open::<State>(state.as_str(), &context, NOW);
    assert_eq!(refused.unwrap_err().reason(), Reason::NotAuthentic);
}

/// Content that nothing may look at unless it is ours.
struct Untouchable;

impl Content for Untouchable {
    const PURPOSE: Purpose = Purpose::FlowState;

    fn to_bytes(&self) -> Vec<u8> {
        b"untouchable".to_vec()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        assert_eq!(bytes, b"untouchable", "what isn't ours was looked at");
        None
    }
}

#[test]
fn content_is_looked_at_only_when_it_is_ours() {
    let ring = ring(1);
    let sealed = sealed(&ring, &Untouchable);
    let refused = |text: &str| opened::<Untouchable>(&ring, text).map(|_| ()).unwrap_err();
    assert_eq!(refused(sealed.as_str()), Reason::Unreadable);
    let (key, payload) = sealed.as_str().rsplit_once('.').unwrap();
    let changed = format!("{key}.B{}", payload.get(1..).unwrap());
    assert_eq!(refused(&changed), Reason::NotAuthentic);
}

#[test]
fn every_failure_looks_the_same_and_no_secret_prints_itself() {
    let ring = ring(1);
    let state = sealed(&ring, &State(b"{}".to_vec()));
    let texts = [
        "",
        "v1",
        "v2.aaaaaaaa.AAAA",
        "v1.aaaaaaaa.AAAA",
        state.as_str().get(..40).unwrap(),
    ];
    for text in texts {
        let invalid = ring.open::<State>(text, &ADA, NOW).unwrap_err();
        assert_eq!(
            invalid.to_string(),
            "the sealed state doesn't open here and now"
        );
        assert_eq!(format!("{invalid:?}"), "StateInvalid");
    }
    let shown = format!("{state:?} {ring:?}");
    let payload = state.as_str().rsplit('.').next().unwrap();
    assert!(!shown.contains(payload), "{shown}");
    assert!(
        !shown.contains("[1, 1, 1") && !shown.contains("0101"),
        "{shown}"
    );
}

/// A machine that gives no randomness.
struct Dry;

impl Entropy for Dry {
    fn fill(&mut self, _bytes: &mut [u8]) -> Result<(), NoEntropy> {
        Err(NoEntropy)
    }
}

#[test]
fn without_randomness_no_state_is_sealed() {
    let refused = ring(1).seal(&State(Vec::new()), &TERMS, &mut Dry);
    assert!(matches!(refused, Err(SealError::NoEntropy(_))));
    assert!(ring(1).seal(&Link(Vec::new()), &TERMS, &mut Dry).is_ok());
}
