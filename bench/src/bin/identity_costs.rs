//! What identity and sealed state cost: tokens of each algorithm for a load to show, and microseconds in one thread.
//!
//! `identity_costs --rsa KEY.der --folder FOLDER` writes `{alg}.jwks` and `{alg}.token` for HS256, ES256, EdDSA and RS256 (the
//! RSA key as PKCS #8, since none is made here), and prints a line of JSON with what sealing and opening 4 KB take.

use std::{fs, hint::black_box, path::PathBuf, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use milepost_bench::{arguments::Arguments, clock::Stopwatch};
use milepost_seal::{
    Content, Context, KeyRing, Purpose, Secret, Stamp, SystemEntropy, Terms, Timestamp,
};
use ring::{
    hmac,
    rand::SystemRandom,
    rsa::PublicKeyComponents,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair},
};
use serde_json::{Value, json};

/// How long each is repeated.
const EACH: Duration = Duration::from_secs(1);
const SEALED_BYTES: usize = 4096;
/// A moment before which the tokens end: in a hundred years.
const ENDS_S: u64 = 4_900_000_000;

struct State(Vec<u8>);

impl Content for State {
    const PURPOSE: Purpose = Purpose::FlowState;

    fn to_bytes(&self) -> Vec<u8> {
        self.0.clone()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        Some(Self(bytes.to_vec()))
    }
}

fn main() -> Result<(), String> {
    let arguments = Arguments::of_the_process()?;
    let (rsa, folder): (PathBuf, PathBuf) = (arguments.value("rsa")?, arguments.value("folder")?);
    let rsa = fs::read(&rsa).map_err(|error| format!("{}: {error}", rsa.display()))?;
    for (name, (jwk, sign)) in [
        ("HS256", hs256()),
        ("ES256", es256()?),
        ("EdDSA", eddsa()?),
        ("RS256", rs256(&rsa)?),
    ] {
        let write = |end: &str, text: String| {
            let file = folder.join(format!("{name}.{end}"));
            fs::write(&file, text).map_err(|error| format!("{}: {error}", file.display()))
        };
        write("jwks", json!({ "keys": [jwk] }).to_string())?;
        write("token", token(name, &*sign)?)?;
    }
    println_line(&sealing()?);
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the answer to who runs this")]
fn println_line(line: &Value) {
    println!("{line}");
}

type Signing = dyn Fn(&[u8]) -> Result<Vec<u8>, String>;
type Sign = Box<Signing>;

/// A token of one issuer for each algorithm, so that each has one key.
fn token(algorithm: &str, sign: &Signing) -> Result<String, String> {
    let header = json!({ "typ": "at+jwt", "alg": algorithm, "kid": algorithm });
    let claims = json!({ "iss": format!("https://{}.example", algorithm.to_lowercase()), "aud": "urn:milepost", "sub": "ada",
        "client_id": "bench", "iat": 1_700_000_000, "exp": ENDS_S, "jti": "2f0c1c4e-7b1a-4b8e-9d55-0d0c3a6a2b10", "role": "teller" });
    let part = |value: Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = sign(signed.as_bytes())?;
    Ok(format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

fn hs256() -> (Value, Sign) {
    let secret = [7; 32];
    let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
    let jwk = json!({ "kty": "oct", "kid": "HS256", "k": URL_SAFE_NO_PAD.encode(secret) });
    (
        jwk,
        Box::new(move |text| Ok(hmac::sign(&key, text).as_ref().to_vec())),
    )
}

fn es256() -> Result<(Value, Sign), String> {
    let random = SystemRandom::new();
    let algorithm = &signature::ECDSA_P256_SHA256_FIXED_SIGNING;
    let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random).map_err(told)?;
    let pair = EcdsaKeyPair::from_pkcs8(algorithm, made.as_ref(), &random).map_err(told)?;
    let point = pair.public_key().as_ref().to_vec();
    let half = |range| {
        point
            .get(range)
            .map(|bytes| URL_SAFE_NO_PAD.encode::<&[u8]>(bytes))
    };
    let jwk =
        json!({ "kty": "EC", "crv": "P-256", "kid": "ES256", "x": half(1..33), "y": half(33..65) });
    let sign = move |text: &[u8]| Ok(pair.sign(&random, text).map_err(told)?.as_ref().to_vec());
    Ok((jwk, Box::new(sign)))
}

fn eddsa() -> Result<(Value, Sign), String> {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[9; 32]).map_err(told)?;
    let x = URL_SAFE_NO_PAD.encode(pair.public_key().as_ref());
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "kid": "EdDSA", "x": x });
    Ok((
        jwk,
        Box::new(move |text| Ok(pair.sign(text).as_ref().to_vec())),
    ))
}

fn rs256(pkcs8: &[u8]) -> Result<(Value, Sign), String> {
    let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(told)?;
    let public: PublicKeyComponents<Vec<u8>> = PublicKeyComponents::from(pair.public_key());
    let jwk = json!({ "kty": "RSA", "kid": "RS256", "n": URL_SAFE_NO_PAD.encode(public.n), "e": URL_SAFE_NO_PAD.encode(public.e) });
    let sign = move |text: &[u8]| {
        let mut signature = vec![0; pair.public().modulus_len()];
        let (random, padding) = (SystemRandom::new(), &signature::RSA_PKCS1_SHA256);
        pair.sign(padding, &random, text, &mut signature)
            .map_err(told)?;
        Ok(signature)
    };
    Ok((jwk, Box::new(sign)))
}

fn told(error: impl std::fmt::Display) -> String {
    error.to_string()
}

/// Microseconds for one of each.
fn sealing() -> Result<Value, String> {
    let start = Timestamp::from_unix_seconds(0);
    let ring = KeyRing::of_secret(Secret::from_bytes([7; 32]), start);
    let context = Context {
        scope: "registration",
        subject: Some("ada"),
    };
    let stamp = Stamp {
        expires: Timestamp::from_unix_seconds(ENDS_S),
        revision: 1,
    };
    let state = State(vec![b'x'; SEALED_BYTES]);
    let terms = Terms { context, stamp };
    let sealed = ring
        .seal(&state, &terms, &mut SystemEntropy)
        .map_err(told)?;
    let text = sealed.into_string();
    let sealing = microseconds(|| {
        let _sealed = black_box(ring.seal(&state, &terms, &mut SystemEntropy));
    });
    ring.open::<State>(&text, &context, start).map_err(told)?;
    let opening = microseconds(|| {
        let _opened = black_box(ring.open::<State>(&text, &context, start).is_ok());
    });
    Ok(json!({ "bytes": SEALED_BYTES, "sealUs": sealing, "openUs": opening }))
}

fn microseconds(mut work: impl FnMut()) -> f64 {
    let (begun, mut times) = (Stopwatch::start(), 0_u32);
    while begun.elapsed() < EACH {
        (0..100).for_each(|_| work());
        times += 100;
    }
    begun.elapsed().as_secs_f64() * 1e6 / f64::from(times)
}
