//! An issuer, its keys, and tokens of every make.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_server::{
    Identity,
    identity::{Issuer, KeySet, KeySource},
};
use ring::hmac;
use serde_json::{Map, Value, json};

use crate::scene::{Reply, Scene};

pub(super) const ISSUER: &str = "https://login.example";
pub(super) const AUDIENCE: &str = "https://api.example/v1";
const SECRET: &[u8] = b"a secret of thirty-two bytes or more";
/// What a scene's clock shows at its beginning.
pub(super) const NOW_S: u64 = 1_700_000_000;

pub(super) fn secret_keys() -> KeySource {
    KeySource::given(KeySet::of_secret(SECRET).unwrap())
}

pub(super) fn issuer(keys: KeySource) -> Issuer {
    Issuer::new(ISSUER, vec![AUDIENCE.to_owned()], keys)
        .unwrap()
        .admin(vec!["role=admin".parse().unwrap()])
}

pub(super) fn identity() -> Identity {
    Identity::of_issuers(vec![issuer(secret_keys())]).unwrap()
}

/// A service that believes one issuer, with accounts that an admin defined.
pub(super) async fn bank() -> Scene {
    let scene = Scene::believing(identity());
    define(&scene, "accounts", &json!({})).await;
    scene
}

pub(super) async fn define(scene: &Scene, name: &str, definition: &Value) {
    let url = format!("/v1/-/collections/{name}");
    let reply = put_as(scene, &admin(), &url, &definition.to_string()).await;
    assert_eq!(reply.status, 201, "{reply:?}");
}

pub(super) async fn put_as(scene: &Scene, token: &str, url: &str, body: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    scene
        .put_with(url, &[("authorization", &bearer)], body)
        .await
}

pub(super) async fn get_as(scene: &Scene, token: &str, url: &str) -> Reply {
    let bearer = format!("Bearer {token}");
    scene.get_with(url, &[("authorization", &bearer)]).await
}

/// Good claims, changed; what is changed to null is left out.
pub(super) fn claims(change: &[(&str, Value)]) -> Map<String, Value> {
    let claims =
        json!({ "iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "iat": NOW_S, "exp": NOW_S + 600 });
    changed(&claims, change)
}

fn changed(object: &Value, change: &[(&str, Value)]) -> Map<String, Value> {
    let mut object = object.as_object().unwrap().clone();
    for (name, value) in change {
        object.insert((*name).to_owned(), value.clone());
    }
    object.retain(|_, value| !value.is_null());
    object
}

/// A token with good header and claims but for these changes, signed by the issuer.
pub(super) fn token(header: &[(&str, Value)], claim: &[(&str, Value)]) -> String {
    let header = changed(&json!({ "alg": "HS256", "typ": "at+jwt" }), header);
    sign(
        &Value::Object(header).to_string(),
        &Value::Object(claims(claim)).to_string(),
    )
}

/// Whatever header and claims these are, signed by the issuer.
pub(super) fn sign(header: &str, claims: &str) -> String {
    let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let signed = format!("{}.{}", part(header), part(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET);
    let signature = hmac::sign(&key, signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
}

pub(super) fn ada() -> String {
    token(&[], &[])
}

pub(super) fn admin() -> String {
    token(&[], &[("sub", json!("root")), ("role", json!("admin"))])
}
