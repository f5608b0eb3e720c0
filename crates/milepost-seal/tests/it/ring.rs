//! The life of keys: what opens after rotation and revocation, on which node.

use milepost_seal::{KEYS_MAX, Key, KeyId, KeyRing, KeyState, Reason, RingError};

use crate::stage::{NOW, Seeded, State, at, opened, ring, sealed};

fn states(ring: &KeyRing) -> Vec<KeyState> {
    ring.keys().map(Key::state).collect()
}

#[test]
fn after_rotation_old_states_still_open_and_after_revocation_none_does() {
    let mut ring = ring(1);
    let old = sealed(&ring, &State(b"old".to_vec()));
    let rotated = ring.rotate(at(2_000), &mut Seeded(3)).unwrap();
    assert_eq!(states(&ring), [KeyState::Expired, KeyState::Active]);
    let new = sealed(&ring, &State(b"new".to_vec()));
    assert!(new.as_str().contains(rotated.active.as_str()));
    assert!(opened::<State>(&ring, old.as_str()).is_ok());
    assert!(opened::<State>(&ring, new.as_str()).is_ok());

    ring.revoke(rotated.expired, at(3_000)).unwrap();
    assert_eq!(
        opened::<State>(&ring, old.as_str()),
        Err(Reason::RevokedKey)
    );
    assert!(opened::<State>(&ring, new.as_str()).is_ok());

    ring.revoke_all(at(4_000), &mut Seeded(4)).unwrap();
    assert_eq!(
        opened::<State>(&ring, new.as_str()),
        Err(Reason::RevokedKey)
    );
    assert_eq!(
        states(&ring),
        [KeyState::Revoked, KeyState::Revoked, KeyState::Active]
    );
}

#[test]
fn a_node_that_has_the_next_key_already_opens_what_others_seal_with_it() {
    let mut early = ring(1);
    let created = early.create(NOW, &mut Seeded(3)).unwrap();
    let late = early.clone();
    assert_ne!(early.active(), created, "a created key doesn't seal");
    let rotated = early.rotate(NOW, &mut Seeded(4)).unwrap();
    assert_eq!(
        rotated.active, created,
        "the key that was handed out is the one that seals"
    );
    let state = sealed(&early, &State(b"{}".to_vec()));
    assert!(opened::<State>(&late, state.as_str()).is_ok());
    let state = sealed(&late, &State(b"{}".to_vec()));
    assert!(opened::<State>(&early, state.as_str()).is_ok());
}

#[test]
fn the_key_that_seals_is_not_revoked_and_unknown_keys_are_told() {
    let mut ring = ring(1);
    let id = ring.active();
    assert_eq!(ring.revoke(id, NOW), Err(RingError::ActiveKey { id }));
    let unknown: KeyId = "aaaaaaaa".parse().unwrap();
    assert_eq!(
        ring.revoke(unknown, NOW),
        Err(RingError::UnknownKey { id: unknown })
    );
    let expired = ring.rotate(NOW, &mut Seeded(3)).unwrap().expired;
    ring.revoke(expired, at(2_000)).unwrap();
    ring.revoke(expired, at(3_000)).unwrap();
    let key = ring.keys().next().unwrap();
    assert_eq!(
        key.changed_at(),
        at(2_000),
        "what is revoked stays as it is"
    );
}

#[test]
fn a_ring_has_no_more_keys_than_it_may_and_forgets_the_oldest_revoked_ones() {
    let mut ring = ring(1);
    let mut entropy = Seeded(3);
    for _key in 1..KEYS_MAX {
        ring.create(NOW, &mut entropy).unwrap();
    }
    assert_eq!(ring.create(NOW, &mut entropy), Err(RingError::Full));
    // There is one that was created, so none has to be made.
    ring.rotate(NOW, &mut entropy).unwrap();
    for _again in 0..3 {
        ring.revoke_all(NOW, &mut entropy).unwrap();
    }
    let revoked = states(&ring)
        .iter()
        .filter(|state| **state == KeyState::Revoked)
        .count();
    assert_eq!(revoked, 64);
    assert_eq!(ring.keys().count(), 65);
    let state = sealed(&ring, &State(b"{}".to_vec()));
    assert!(opened::<State>(&ring, state.as_str()).is_ok());
}

#[test]
fn text_that_is_no_identifier_of_a_key_is_refused() {
    for text in ["", "aaaaaaa", "aaaaaaaaa", "AAAAAAAA", "aaaaaaa1", "ąąąą"] {
        assert!(text.parse::<KeyId>().is_err(), "{text}");
    }
}
