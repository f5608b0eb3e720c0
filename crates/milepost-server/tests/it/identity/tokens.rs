//! Every token that isn't believed, and what its holder is told.

use http::Request;
use http_body_util::Full;
use milepost_server::{
    Identity,
    identity::{Algorithm, Issuer, KeySet, KeySource, SigningKey},
};
use serde_json::{Value, json};

use super::stage::{
    AUDIENCE, ISSUER, NOW_S, ada, bank, claims, get_as, identity, issuer, put_as, sign, token,
};
use crate::scene::{Reply, Scene, request};

const URL: &str = "/v1/accounts/1";

/// Checks that a token is refused, and that the challenge says the same.
#[track_caller]
fn refused(reply: &Reply, detail: &str) {
    let problem = reply.is_problem(401, "tokenInvalid");
    let told = problem["detail"].as_str().unwrap();
    assert!(told.contains(detail), "{told} is not {detail}");
    let challenge = reply.field("www-authenticate");
    assert!(challenge.starts_with("Bearer error=\"invalid_token\""));
    assert!(challenge.contains(&format!("error_description=\"{told}\"")));
    assert!(challenge.contains("resource_metadata=\""), "{challenge}");
    assert_eq!(reply.field("cache-control"), "no-store");
}

#[tokio::test]
async fn a_good_token_says_who_asks() {
    let scene = bank().await;
    assert_eq!(put_as(&scene, &ada(), URL, "{}").await.status, 201);
    assert_eq!(get_as(&scene, &ada(), URL).await.status, 200);
    let list = json!([AUDIENCE, "https://other.example"]);
    let others = [
        token(&[("typ", json!("application/AT+jwt"))], &[]),
        token(&[("kid", json!("any"))], &[("aud", list)]),
        token(&[], &[("nbf", json!(NOW_S)), ("exp", json!(NOW_S + 10))]),
    ];
    for good in others {
        assert_eq!(get_as(&scene, &good, URL).await.status, 200);
    }
}

#[tokio::test]
async fn a_token_that_does_not_hold_is_refused_with_what_is_wrong() {
    let scene = bank().await;
    let head = |name, value: Value| token(&[(name, value)], &[]);
    let claim = |name, value: Value| token(&[], &[(name, value)]);
    let unsigned = head("alg", json!("none"));
    let unsigned_and_empty = unsigned.rsplit_once('.').unwrap().0.to_owned() + ".";
    let cases = [
        (unsigned, "not signed"),
        (unsigned_and_empty, "not signed"),
        (head("alg", json!("nOnE")), "not signed"),
        (head("alg", json!("HS512")), "algorithm"),
        (head("alg", json!("ES256")), "algorithm"),
        (head("alg", Value::Null), "no alg"),
        (head("typ", json!("JWT")), "another kind"),
        (head("typ", json!("id+jwt")), "another kind"),
        (head("typ", Value::Null), "another kind"),
        (head("crit", json!(["b64"])), "crit"),
        (head("kid", json!(7)), "header"),
        (claim("iss", json!("https://evil.example")), "issuer"),
        (claim("iss", Value::Null), "iss"),
        (claim("aud", json!("https://other.example")), "aud"),
        (claim("aud", Value::Null), "aud"),
        (claim("exp", json!(NOW_S - 30)), "expired"),
        (claim("exp", Value::Null), "exp"),
        (claim("nbf", json!(NOW_S + 31)), "not valid yet"),
        (claim("iat", json!(NOW_S + 31)), "not valid yet"),
        (claim("sub", Value::Null), "sub"),
        (claim("sub", json!("a\nb")), "sub"),
        (claim("sub", json!("a".repeat(256))), "sub"),
    ];
    for (bad, detail) in cases {
        refused(&get_as(&scene, &bad, URL).await, detail);
    }
}

#[tokio::test]
async fn clocks_may_differ_by_the_skew_that_was_agreed_on_and_no_more() {
    let scene = bank().await;
    assert_eq!(put_as(&scene, &ada(), URL, "{}").await.status, 201);
    let late = token(&[], &[("exp", json!(NOW_S - 29))]);
    let early = token(&[], &[("nbf", json!(NOW_S + 30))]);
    assert_eq!(get_as(&scene, &late, URL).await.status, 200);
    assert_eq!(get_as(&scene, &early, URL).await.status, 200);
    scene.clock.advance_s(1);
    refused(&get_as(&scene, &late, URL).await, "expired");
    let ada = ada();
    scene.clock.advance_s(628);
    assert_eq!(get_as(&scene, &ada, URL).await.status, 200);
    scene.clock.advance_s(1);
    refused(&get_as(&scene, &ada, URL).await, "expired");
}

#[tokio::test]
async fn every_changed_character_of_a_token_makes_it_worthless() {
    let scene = bank().await;
    let good = ada();
    for place in 0..good.len() {
        let mut bad = good.clone().into_bytes();
        bad[place] = if bad[place] == b'A' { b'B' } else { b'A' };
        let reply = get_as(&scene, std::str::from_utf8(&bad).unwrap(), URL).await;
        reply.is_problem(401, "tokenInvalid");
    }
    for end in 1..good.len() {
        let reply = get_as(&scene, &good[..end], URL).await;
        reply.is_problem(401, "tokenInvalid");
    }
}

#[tokio::test]
async fn what_is_no_token_at_all_is_refused_in_words() {
    let scene = bank().await;
    let padded = format!("{}=", ada());
    let huge = token(&[], &[("x", json!("a".repeat(8192)))]);
    let twice = sign(
        r#"{"alg":"HS256","typ":"at+jwt"}"#,
        r#"{"iss":"a","iss":"b"}"#,
    );
    let listed = sign(r#"["HS256","at+jwt"]"#, "{}");
    let deep = sign(&"[".repeat(2000), "{}");
    let cases = [
        ("a", "three parts"),
        ("a.b", "three parts"),
        ("a.b.c.d", "three parts"),
        ("..", "JSON object"),
        ("a~.b.c", "base64url"),
        (&padded, "base64url"),
        (&huge, "8192"),
        (&twice, "strict JSON"),
        (&deep, "JSON object"),
        (&listed, "JSON object"),
        ("eyJhbGciOiJIUzI1NiJ9.bm8.AA", "strict JSON"),
    ];
    for (bad, detail) in cases {
        refused(&get_as(&scene, bad, URL).await, detail);
    }
}

#[tokio::test]
async fn credentials_that_cannot_be_read_are_400_and_other_schemes_401() {
    let scene = bank().await;
    let bearer = format!("Bearer {}", ada());
    let twice = [("authorization", &*bearer), ("authorization", &*bearer)];
    let reply = scene.get_with(URL, &twice).await;
    reply.is_problem(400, "credentialsMalformed");
    let challenge = reply.field("www-authenticate");
    assert!(challenge.contains("error=\"invalid_request\""));
    for malformed in ["Bearer", "Bearer a b", "Bearer \u{e9}"] {
        let reply = scene.get_with(URL, &[("authorization", malformed)]).await;
        reply.is_problem(400, "credentialsMalformed");
    }
    for foreign in ["Basic YTpi", "DPoP abc", ""] {
        let reply = scene.get_with(URL, &[("authorization", foreign)]).await;
        reply.is_problem(401, "unauthenticated");
        assert!(!reply.field("www-authenticate").contains("error="));
    }
}

/// RFC 8725 §2.1: a public key is no shared secret.
#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_secret_is_refused() {
    let pair = SigningKey::generate(Algorithm::EdDsa).unwrap();
    let public = pair.public_set().unwrap().to_string();
    let keys = KeySource::given(KeySet::of_json(public.as_bytes()).unwrap());
    let scene = Scene::believing(Identity::of_issuers(vec![issuer(keys)]).unwrap());
    let good = pair.mint(&claims(&[]));
    scene
        .get_with(URL, &[("authorization", &format!("Bearer {good}"))])
        .await
        .is_problem(404, "collectionNotDefined");
    refused(&get_as(&scene, &ada(), URL).await, "algorithm");
}

#[tokio::test]
async fn each_issuers_tokens_are_checked_with_its_own_keys_alone() {
    let [first, second] = [Algorithm::EdDsa, Algorithm::Hs256].map(|algorithm| {
        let key = SigningKey::generate(algorithm).unwrap();
        (
            KeySet::of_json(key.to_jwk().to_string().as_bytes()).unwrap(),
            key,
        )
    });
    let other = "https://other.example";
    let of = |name, keys: &KeySet| {
        Issuer::new(
            name,
            vec![AUDIENCE.to_owned()],
            KeySource::given(keys.clone()),
        )
        .unwrap()
    };
    let issuers = vec![of(ISSUER, &first.0), of(other, &second.0)];
    let scene = Scene::believing(Identity::of_issuers(issuers).unwrap());
    let [own, others] = [ISSUER, other].map(|name| claims(&[("iss", json!(name))]));
    for (key, claims, is_good) in [
        (&first.1, &own, true),
        (&second.1, &others, true),
        (&first.1, &others, false),
        (&second.1, &own, false),
    ] {
        let reply = get_as(&scene, &key.mint(claims), URL).await;
        assert_eq!(reply.status == 404, is_good, "{reply:?}");
    }
    let twice = vec![of(ISSUER, &first.0), of(ISSUER, &second.0)];
    assert!(Identity::of_issuers(twice).is_err());
}

#[tokio::test]
async fn what_an_application_says_about_the_subject_stands() {
    let scene = bank().await;
    let mut request: Request<Full<bytes::Bytes>> =
        request("GET", URL, &[("authorization", "Basic YTpi")], "");
    let subject = milepost_server::Subject::of_application("ada", serde_json::Map::new());
    request.extensions_mut().insert(subject.unwrap());
    let reply = scene.send(request).await;
    reply.is_problem(404, "notFound");
}

#[tokio::test]
async fn without_issuers_nobodys_credentials_are_looked_at() {
    let scene = Scene::with_accounts().await;
    let fields = [("authorization", "Bearer nonsense")];
    assert_eq!(scene.get_with("/v1/accounts", &fields).await.status, 200);
}

#[test]
fn what_could_not_work_is_refused_before_any_token_comes() {
    let keys = || super::stage::secret_keys();
    assert!(Issuer::new("", vec![AUDIENCE.to_owned()], keys()).is_err());
    assert!(Issuer::new(ISSUER, vec![], keys()).is_err());
    assert!(issuer(keys()).algorithms(vec![]).is_err());
    assert!(issuer(keys()).kinds(vec![]).is_err());
    assert!(issuer(keys()).clock_skew_s(301).is_err());
    for bad in [
        "api.example",
        "/v1",
        "ftp://a.example",
        "https://a.example/?q",
        "https://a.example/#f",
    ] {
        assert!(identity().resource(bad).is_err(), "{bad}");
    }
    assert!(KeySet::of_secret(b"too short").is_err());
    for bad in [
        "",
        "{}",
        "[]",
        r#"{"keys":[]}"#,
        r#"{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"}]}"#,
    ] {
        assert!(KeySet::of_json(bad.as_bytes()).is_err(), "{bad}");
    }
}

#[tokio::test]
async fn a_kind_or_an_algorithm_that_was_not_agreed_on_is_refused_though_the_key_is_right() {
    let issuer = issuer(super::stage::secret_keys());
    let issuer = issuer.kinds(vec!["JWT".to_owned()]).unwrap();
    let only = issuer.clone().algorithms(vec![Algorithm::Es256]).unwrap();
    let scene = Scene::believing(Identity::of_issuers(vec![issuer]).unwrap());
    define_with_kind(&scene).await;
    refused(&get_as(&scene, &ada(), URL).await, "another kind");
    let scene = Scene::believing(Identity::of_issuers(vec![only]).unwrap());
    let jwt = token(&[("typ", json!("jwt"))], &[]);
    refused(&get_as(&scene, &jwt, URL).await, "algorithm");
}

async fn define_with_kind(scene: &Scene) {
    let jwt = token(&[("typ", json!("JWT"))], &[("role", json!("admin"))]);
    let reply = put_as(scene, &jwt, "/v1/-/collections/accounts", "{}").await;
    assert_eq!(reply.status, 201, "{reply:?}");
}
