//! Whatever is done to a grant, it is good for less or for nothing.

use http::{Request, request::Parts};
use milepost_seal::{KeyRing, Secret, Timestamp};
use proptest::{prelude::*, sample::select};
use serde_json::Map;

use super::{
    admission::{Carried, GrantFault, admitted},
    *,
};

const NOW_S: u64 = 1_700_000_000;
const METHODS: [&str; 3] = ["GET", "PUT", "QUERY"];
const URLS: [&str; 6] = [
    "/v1/a",
    "/v1/a?b=1",
    "/v1/a/1",
    "/v1/a/1/versions",
    "/v1/ab",
    "/v1",
];

fn ring() -> KeyRing {
    KeyRing::of_secret(Secret::from_bytes([3; 32]), Timestamp::from_unix_seconds(0))
}

fn request(method: &str, url: &str) -> Parts {
    let request = Request::builder().method(method).uri(url).body(());
    request.unwrap().into_parts().0
}

/// What a grant says, or one narrowing of it: said once more, in the simplest way.
#[derive(Clone, Debug)]
struct Part {
    method: Option<&'static str>,
    url: Option<&'static str>,
    below: bool,
    expires_s: Option<u64>,
}

impl Part {
    fn allows(&self, method: &str, url: &str, at_s: u64) -> bool {
        let path = url.split('?').next().unwrap();
        let has_url = self.url.is_none_or(|own| {
            url == own || self.below && (path == own || path.starts_with(&format!("{own}/")))
        });
        let has_method = self.method.is_none_or(|own| own == method);
        has_method && has_url && self.expires_s.is_none_or(|end| at_s < end)
    }
}

fn parts() -> impl Strategy<Value = Part> {
    let expires_s = prop::option::of(select(vec![NOW_S + 10, NOW_S + 20, NOW_S + 9999]));
    let url = prop::option::of((select(&URLS[..]), any::<bool>()));
    (prop::option::of(select(&METHODS[..])), url, expires_s).prop_map(|(method, url, expires_s)| {
        let (url, below) = url.unzip();
        Part {
            method,
            below: below.unwrap_or_default() && url.is_some_and(|url| !url.contains('?')),
            url,
            expires_s,
        }
    })
}

fn grant(part: &Part) -> Grant {
    Grant {
        method: part.method.unwrap_or("GET").to_owned(),
        url: part.url.unwrap_or("/v1").to_owned(),
        below: part.below || part.url.is_none(),
        expires_s: part.expires_s.unwrap_or(NOW_S + 30),
        subject: None,
        claims: Map::new(),
    }
}

fn narrowing(part: &Part) -> Narrowing {
    Narrowing {
        method: part.method.map(str::to_owned),
        url: part.url.map(str::to_owned),
        below: part.below,
        expires_s: part.expires_s,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A grant allows exactly what it and all of its narrowings say, so each narrowing only takes away.
    #[test]
    fn however_a_grant_is_narrowed_it_is_never_wider(
        whole in parts(),
        steps in prop::collection::vec(parts(), 0..4),
    ) {
        let ring = ring();
        let first = grant(&whole);
        let said = Part {
            method: METHODS.iter().find(|known| **known == first.method).copied(),
            url: URLS.iter().find(|known| **known == first.url).copied(),
            below: first.below,
            expires_s: Some(first.expires_s),
        };
        let mut text = first.sign(&GrantKey::active(&ring).unwrap()).unwrap();
        let mut said = vec![said];
        for step in steps {
            // What would leave nothing is refused to whoever tries.
            if let Ok(less) = narrowed(&text, &narrowing(&step)) {
                text = less;
                said.push(step);
            }
        }
        for method in METHODS {
            for url in URLS {
                for at_s in [NOW_S, NOW_S + 15, NOW_S + 9999] {
                    let asked = request(method, url);
                    let is_allowed = admitted(&ring, &text, &asked, (at_s, Carried::InField)).is_ok();
                    let meant = said.iter().all(|part| part.allows(method, url, at_s));
                    prop_assert_eq!(is_allowed, meant, "{} {} at {}: {:?}", method, url, at_s, said);
                }
            }
        }
    }
}

#[test]
fn every_changed_character_of_a_grant_makes_it_worthless() {
    let ring = ring();
    let part = only("/v1/a");
    let whole = grant(&part)
        .sign(&GrantKey::active(&ring).unwrap())
        .unwrap();
    let good = narrowed(&whole, &narrowing(&part)).unwrap();
    let asked = request("GET", "/v1/a");
    let is_good = |text: &str| admitted(&ring, text, &asked, (NOW_S, Carried::InField)).is_ok();
    assert!(is_good(&good));
    for place in 0..good.len() {
        for bit in [0, 1 + place % 6] {
            let mut bad = good.clone().into_bytes();
            bad[place] ^= 1 << bit;
            let bad = String::from_utf8(bad).unwrap();
            assert!(!is_good(&bad), "{place}: {bad}");
        }
        assert!(!is_good(good.split_at(place).0), "{place}");
    }
}

/// The most that holders can have evaluated is as many comparisons of short texts as fit into a grant.
#[test]
fn the_most_expensive_grant_is_a_bounded_number_of_comparisons() {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use biscuit_auth::{BlockBuilder, UnverifiedBiscuit};
    let ring = ring();
    let whole = only("/v1/a");
    let text = grant(&whole).sign(&GrantKey::active(&ring).unwrap());
    let bytes = URL_SAFE_NO_PAD.decode(text.unwrap()).unwrap();
    let mut grant = UnverifiedBiscuit::from(&bytes).unwrap();
    let mut longest = String::new();
    let query = "path($a), path($b), path($c), path($d), path($e), path($f), path($g), path($h), $h == \"\"";
    let check = format!("check if {};", [query; 6].join(" or "));
    for _ in 0..NARROWINGS_MAX {
        let block = BlockBuilder::new().code(&check).unwrap();
        grant = grant.append(block).unwrap();
        let text = URL_SAFE_NO_PAD.encode(grant.to_vec().unwrap());
        if text.len() > GRANT_BYTES_MAX {
            break;
        }
        longest = text;
    }
    assert!(longest.len() > GRANT_BYTES_MAX / 2, "{}", longest.len());
    let asked = request("GET", "/v1/a");
    let told = admitted(&ring, &longest, &asked, (NOW_S, Carried::InField));
    assert!(matches!(told, Err(GrantFault::Narrowed { .. })), "{told:?}");
}

fn only(url: &'static str) -> Part {
    Part {
        method: Some("GET"),
        url: Some(url),
        below: false,
        expires_s: None,
    }
}
