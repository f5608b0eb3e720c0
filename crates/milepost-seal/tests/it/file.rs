//! Rings in files: only the owner's, whole or not at all, and what is wrong is said without a word of the secrets.

use std::{
    fs,
    os::unix::fs::{PermissionsExt as _, symlink},
    path::Path,
    thread,
};

use milepost_seal::{Key, KeyFile, KeyFileError, KeyRing, KeyState, RingError, SystemEntropy};

use crate::stage::{NOW, State, at, opened, sealed};

fn with_file(check: impl FnOnce(&KeyFile, &Path)) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("keys.json");
    check(&KeyFile::at(&path), &path);
}

fn made(file: &KeyFile) -> KeyRing {
    file.create(NOW, &mut SystemEntropy).unwrap()
}

#[test]
fn a_ring_comes_back_from_its_file_as_it_was() {
    with_file(|file, path| {
        let before = made(file);
        let state = sealed(&before, &State(b"{}".to_vec()));
        let rotated = file
            .change(|ring| ring.rotate(at(2_000), &mut SystemEntropy))
            .unwrap();
        file.change(|ring| ring.create(at(3_000), &mut SystemEntropy))
            .unwrap();
        let ring = file.read().unwrap();
        let kept: Vec<_> = ring
            .keys()
            .map(|key| (key.state(), key.changed_at()))
            .collect();
        let expected = [
            (KeyState::Expired, at(2_000)),
            (KeyState::Active, at(2_000)),
            (KeyState::Created, at(3_000)),
        ];
        assert_eq!(kept, expected);
        assert_eq!(ring.active(), rotated.active);
        assert!(opened::<State>(&ring, state.as_str()).is_ok());

        file.change(|ring| ring.revoke(rotated.expired, at(4_000)))
            .unwrap();
        assert!(opened::<State>(&file.read().unwrap(), state.as_str()).is_err());
        let text = fs::read_to_string(path).unwrap();
        assert_eq!(
            text.matches("secret").count(),
            2,
            "a revoked key's secret is gone"
        );
    });
}

#[test]
fn only_its_owner_can_use_the_file_and_one_that_others_can_is_refused() {
    with_file(|file, path| {
        made(file);
        let mode = || fs::metadata(path).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode(), 0o600);
        file.change(|ring| ring.rotate(NOW, &mut SystemEntropy))
            .unwrap();
        assert_eq!(mode(), 0o600);
        for exposed in [0o640, 0o604, 0o620, 0o666] {
            fs::set_permissions(path, fs::Permissions::from_mode(exposed)).unwrap();
            let refused = file.read().unwrap_err();
            assert!(matches!(refused, KeyFileError::Exposed { mode, .. } if mode == exposed));
            assert!(
                refused.to_string().contains(&format!("{exposed:04o}")),
                "{refused}"
            );
            assert!(
                file.change(|ring| ring.rotate(NOW, &mut SystemEntropy))
                    .is_err()
            );
        }
        fs::set_permissions(path, fs::Permissions::from_mode(0o400)).unwrap();
        assert!(file.read().is_ok());
    });
}

#[test]
fn a_file_is_not_made_where_there_is_one_and_none_is_made_by_reading() {
    with_file(|file, path| {
        assert!(matches!(file.read(), Err(KeyFileError::Missing { .. })));
        let change = file.change(|ring| ring.rotate(NOW, &mut SystemEntropy));
        assert!(matches!(change, Err(KeyFileError::Missing { .. })));
        assert!(!path.exists());
        let ring = file.read_or_create(NOW, &mut SystemEntropy).unwrap();
        let refused = file.create(NOW, &mut SystemEntropy);
        assert!(matches!(refused, Err(KeyFileError::AlreadyExists { .. })));
        let again = file.read_or_create(NOW, &mut SystemEntropy).unwrap();
        assert_eq!(again.active(), ring.active());
    });
}

#[test]
fn of_a_file_that_is_damaged_anywhere_no_other_ring_is_read_and_no_secret_is_told() {
    with_file(|file, path| {
        made(file);
        let whole = fs::read(path).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        let secret = text
            .split("\"secret\": \"")
            .nth(1)
            .unwrap()
            .split('"')
            .next()
            .unwrap();
        for place in 0..whole.len() {
            let mut cut = whole.clone();
            cut.truncate(place);
            let mut changed = whole.clone();
            changed[place] ^= 1;
            for damaged in [cut, changed] {
                fs::write(path, damaged).unwrap();
                match file.read() {
                    // Only the line's end behind everything, and digits of a time, may be others.
                    Ok(ring) => assert_eq!(ring.active(), ring_of(&whole, path).active()),
                    Err(error) => assert!(!error.to_string().contains(secret), "{error}"),
                }
            }
        }
    });
}

fn ring_of(text: &[u8], path: &Path) -> KeyRing {
    fs::write(path, text).unwrap();
    KeyFile::at(path).read().unwrap()
}

#[test]
fn what_is_wrong_with_a_file_is_said() {
    with_file(|file, path| {
        made(file);
        let text = fs::read_to_string(path).unwrap();
        let says = |changed: String, what: &str| {
            fs::write(path, changed).unwrap();
            let error = file.read().unwrap_err().to_string();
            assert!(error.contains(what), "{error:?} doesn't say {what:?}");
        };
        says(String::new(), "it ends in the middle");
        says("keys".to_owned(), "is no JSON");
        says(
            text.replace("\"format\": 1", "\"format\": 2"),
            "has format 2, and this program reads format 1",
        );
        says(
            text.replace("active", "created"),
            "not exactly one key is active",
        );
        says(
            text.replace("active", "revoked"),
            "is revoked and has a secret",
        );
        says(
            text.replace("createdAt", "madeAt"),
            "is not as a ring has it",
        );
        says("x".repeat(300_000), "it has 300000 bytes");
        fs::write(path, [0xff, 0xfe]).unwrap();
        assert!(
            file.read()
                .unwrap_err()
                .to_string()
                .contains("it is no text")
        );
        fs::remove_file(path).unwrap();
        fs::create_dir(path).unwrap();
        assert!(
            file.read()
                .unwrap_err()
                .to_string()
                .contains("it is not a file")
        );
    });
}

#[test]
fn changes_at_once_are_all_made() {
    with_file(|file, path| {
        made(file);
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("link");
        symlink(path, &link).unwrap();
        let linked = KeyFile::at(link);
        let four = |by: &KeyFile| {
            for _change in 0..4 {
                let create = by.change(|ring| ring.create(NOW, &mut SystemEntropy));
                create.unwrap();
            }
        };
        thread::scope(|scope| {
            for _pair in 0..4 {
                scope.spawn(|| four(file));
                scope.spawn(|| four(&linked));
            }
        });
        assert_eq!(file.read().unwrap().keys().count(), 1 + 8 * 4);
    });
}

#[test]
fn a_change_that_is_refused_leaves_the_file_as_it_was() {
    with_file(|file, path| {
        let id = made(file).active();
        let before = fs::read(path).unwrap();
        let refused = file.change(|ring| ring.revoke(id, NOW)).unwrap_err();
        let is_refused = matches!(
            refused,
            KeyFileError::Refused {
                source: RingError::ActiveKey { .. },
                ..
            }
        );
        assert!(is_refused, "{refused}");
        assert_eq!(fs::read(path).unwrap(), before);
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "no other file is left behind");
    });
}

#[test]
fn a_file_behind_a_link_is_changed_where_it_is() {
    with_file(|file, path| {
        made(file);
        let elsewhere = tempfile::tempdir().unwrap();
        let link = elsewhere.path().join("link");
        symlink(path, &link).unwrap();
        let change = KeyFile::at(&link).change(|ring| ring.create(NOW, &mut SystemEntropy));
        change.unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(file.read().unwrap().keys().map(Key::state).count(), 2);
    });
}
