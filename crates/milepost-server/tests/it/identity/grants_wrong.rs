//! Grants that are none, of somebody else's key, or that say more than a grant can.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use biscuit_auth::{
    BlockBuilder, KeyPair, UnverifiedBiscuit,
    builder::{Check, CheckKind, Rule, pred, var},
};
use milepost_seal::{KeyRing, Secret, Timestamp};
use milepost_server::{
    Keys,
    identity::{Grant, GrantError, GrantKey, GrantSubject, NAMELESS},
};
use serde_json::json;

use super::{
    granting::{URL, bank, grant, refused, ring, signed},
    stage::{ada, get_as, identity, put_as},
};
use crate::scene::Scene;

#[tokio::test]
async fn what_is_no_grant_of_ours_is_refused() {
    let scene = bank(&Keys::new(ring())).await;
    let good = signed(&grant("GET", URL));
    for length in (1..good.len()).step_by(13) {
        refused(&get_as(&scene, &good[..length], URL).await, "");
    }
    refused(&get_as(&scene, &format!("{good}AAAA"), URL).await, "");
    refused(
        &get_as(&scene, &format!("{good}="), URL).await,
        "neither a token nor a grant",
    );
    let other = Secret::from_bytes([4; 32]);
    let other = KeyRing::of_secret(other, Timestamp::from_unix_seconds(0));
    let foreign = grant("GET", URL).sign(&GrantKey::active(&other).unwrap());
    refused(&get_as(&scene, &foreign.unwrap(), URL).await, "key");
    let without = Scene::believing(identity());
    refused(
        &get_as(&without, &good, URL).await,
        "grants, which have none, are not taken here",
    );
    let open = Scene::new();
    let asked = open.get(&format!("{URL}?access_token={good}")).await;
    asked.is_problem(404, "collectionNotDefined");
}

/// A few kilobytes are looked at, whatever is sent; the rest is refused by its length.
#[tokio::test]
async fn a_grant_of_any_length_is_refused_by_its_length() {
    let scene = bank(&Keys::new(ring())).await;
    for length in [8193, 32_000] {
        let long = get_as(&scene, &"A".repeat(length), URL).await;
        refused(&long, "8192");
        let link = format!("{URL}?access_token={}", "A".repeat(length));
        refused(&scene.get(&link).await, "8192");
    }
    let huge = get_as(&scene, &"A".repeat(10_000_000), URL).await;
    huge.is_problem(431, "fieldsTooLarge");
}

fn with(grant: &str, source: &str) -> String {
    let block = BlockBuilder::new().code(source).unwrap();
    let bytes = URL_SAFE_NO_PAD.decode(grant).unwrap();
    let grant = UnverifiedBiscuit::from(&bytes).unwrap();
    URL_SAFE_NO_PAD.encode(grant.append(block).unwrap().to_vec().unwrap())
}

/// What a holder adds is data for an interpreter: only what compares is taken.
#[tokio::test]
async fn a_grant_that_was_narrowed_by_more_than_comparisons_is_refused() {
    let scene = bank(&Keys::new(ring())).await;
    let good = signed(&grant("GET", URL));
    let plain = with(
        &good,
        r#"check if method("GET"), path($p), $p.starts_with("/v1/"), time($t), $t < 2033-05-18T03:33:20Z, $p == "/v1/accounts/1";"#,
    );
    assert_eq!(get_as(&scene, &plain, URL).await.status, 200);
    for source in [
        "fact(1);",
        r#"grant("PUT", "/v1/accounts/2", "", "one", 9999999999);"#,
        "more($m) <- method($m);",
        "more($a, $b) <- method($a), method($b), more($b, $a);",
        r#"check if path($p), $p.matches("(a+)+$");"#,
        "check if [1, 2].all($x -> [1, 2].all($y -> true));",
        "check if {1, 2}.contains(1);",
        "check if path($p), $p == [[[[1]]]];",
        "check if 9223372036854775807 * 2 > 0;",
        r#"check all path($p), $p == "/v1/accounts/1";"#,
        r#"reject if method("PUT");"#,
        "check if true trusting previous;",
        "check if true;",
        "check if time($t), $t > 2001-09-09T01:46:40Z;",
        "check if time($t), 2001-09-09T01:46:40Z < $t;",
        "check if time(2001-09-09T01:46:40Z);",
        "check if time($t), $t == 2001-09-09T01:46:40Z;",
        "check if time($t), $t < 2033-05-18T03:33:20Z || true;",
        "check if path($p), $p == 1;",
        "check if path($p), query($q), $p == $q;",
    ] {
        refused(
            &get_as(&scene, &with(&good, source), URL).await,
            "plain checks",
        );
    }
    let endless = "check if method(\"GET\");".repeat(9);
    refused(
        &get_as(&scene, &with(&good, &endless), URL).await,
        "plain checks",
    );
    let mut often = good;
    for _ in 0..9 {
        often = with(&often, "check if method(\"GET\");");
    }
    refused(&get_as(&scene, &often, URL).await, "more than 8 times");
}

/// Nothing reads the head of a check; the library would print what is wrong with this one.
#[tokio::test]
async fn a_check_whose_head_has_variables_is_refused_before_it_is_evaluated() {
    let scene = bank(&Keys::new(ring())).await;
    let bytes = URL_SAFE_NO_PAD.decode(signed(&grant("GET", URL))).unwrap();
    let grant = UnverifiedBiscuit::from(&bytes).unwrap();
    let body = vec![pred("path", &[var("path")])];
    let free = Rule::new(pred("query", &[var("free")]), body, vec![], vec![]);
    let check = Check {
        queries: vec![free],
        kind: CheckKind::One,
    };
    let block = BlockBuilder::new().check(check).unwrap();
    let bytes = grant.append(block).unwrap().to_vec().unwrap();
    let text = URL_SAFE_NO_PAD.encode(bytes);
    refused(&get_as(&scene, &text, URL).await, "plain checks");
}

/// Blocks that another party signed may be believed by other services; here nobody's word widens a grant.
#[tokio::test]
async fn a_block_of_a_third_party_is_refused_whatever_it_says() {
    let scene = bank(&Keys::new(ring())).await;
    let bytes = URL_SAFE_NO_PAD.decode(signed(&grant("GET", URL))).unwrap();
    let grant = UnverifiedBiscuit::from(&bytes).unwrap();
    for source in [
        r#"grant("PUT", "/v1/accounts/2", "", "one", 9999999999);"#,
        "check if true;",
    ] {
        let block = BlockBuilder::new().code(source).unwrap();
        let request = grant.third_party_request().unwrap();
        let block = request.create_block(&KeyPair::new().private(), block);
        let block = block.unwrap().serialize().unwrap();
        let widened = grant.append_third_party(&block).unwrap().to_vec().unwrap();
        let widened = URL_SAFE_NO_PAD.encode(widened);
        refused(&get_as(&scene, &widened, URL).await, "plain checks");
    }
}

#[test]
fn what_no_service_would_take_is_not_made() {
    let key = GrantKey::active(&ring()).unwrap();
    let made = |change: &dyn Fn(&mut Grant)| {
        let mut grant = grant("GET", URL);
        change(&mut grant);
        grant.sign(&key).unwrap_err()
    };
    for method in ["HEAD", "OPTIONS", "get", "TRACE", ""] {
        let told = made(&|grant| grant.method = method.to_owned());
        assert!(matches!(told, GrantError::Method { .. }), "{told}");
    }
    let told = made(&|grant| grant.url = "/v1/accounts/%31".to_owned());
    assert!(matches!(told, GrantError::Url { .. }), "{told}");
    let told = made(&|grant| {
        grant.method = "PUT".to_owned();
        grant.url = "/v1/-/transactions/1".to_owned();
    });
    assert!(matches!(told, GrantError::Url { .. }), "{told}");
    let nobody = GrantSubject {
        issuer: "a".to_owned(),
        id: String::new(),
    };
    let told = made(&|grant| grant.subject = Some(nobody.clone()));
    assert!(matches!(told, GrantError::Subject(_)), "{told}");
    let reserved = GrantSubject {
        issuer: NAMELESS.to_owned(),
        id: "ada".to_owned(),
    };
    let told = made(&|grant| grant.subject = Some(reserved.clone()));
    assert_eq!(told, GrantError::Reserved);
    let told = made(&|grant| {
        grant
            .claims
            .insert("long".to_owned(), json!("x".repeat(7000)));
    });
    assert!(matches!(told, GrantError::TooLong { .. }), "{told}");
    assert_eq!(format!("{key:?}").matches("secret").count(), 0);
}

/// Rules and claims may be long: what is signed is carried as it is.
#[tokio::test]
async fn claims_of_every_kind_reach_the_rules() {
    let scene = bank(&Keys::new(ring())).await;
    let mut post = grant("POST", "/v1/accounts");
    post.claims
        .insert("odd".to_owned(), json!({ "a\"b\\c\n": ["ä", 1.5, null] }));
    let reply = scene
        .ask(
            "POST",
            "/v1/accounts",
            &[
                ("authorization", &*format!("Bearer {}", signed(&post))),
                ("content-type", "application/json"),
            ],
            "{}",
        )
        .await;
    assert_eq!(reply.status, 201, "{reply:?}");
    let token = put_as(&scene, &ada(), URL, "{}").await;
    assert_eq!(token.status, 428);
}
