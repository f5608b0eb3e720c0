//! What it costs to know who asks and what they may do: requests with a token of each algorithm, of a collection
//! with rules, against the same of one without; and what sealing and opening a client's state takes.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::{Value, json};

use super::{
    Milepost,
    load::{Ask, Reading, binary},
    options::Options,
    report::{Goal, Report},
    rounds::{Contestant, interleave},
};
use crate::{
    cargo::{program, read, run},
    tools,
};

const ALGORITHMS: [&str; 4] = ["HS256", "ES256", "EdDSA", "RS256"];
/// The one that is held against the goal.
const MAIN: &str = "Milepost, HS256 and rules";
/// More documents than this would measure the cache of documents.
const DOCUMENTS: u32 = 10_000;
const WITHOUT: &str = "neither token nor rules";
/// A replacement is judged by two rules, a read by one; each looks at who asks and at the document.
const RULES: &str = r#"{ "caching": { "visibility": "private" }, "rules": {
    "read": "subject.claims.role == 'teller' && resource.rank >= 0",
    "update": "subject.claims.role == 'teller' && resource.rank >= 0 && previous.rank == resource.rank" } }"#;

/// Measures all of it.
///
/// # Errors
/// When Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    let (folder, sealing) = made()?;
    let settings = folder.join("identity.json").display().to_string();
    let identity = ["--identity", settings.as_str()];
    let open = Milepost::with_documents("identity-open", DOCUMENTS)?.reopened()?;
    let known = Milepost::with_documents("identity-known", DOCUMENTS)?.reopened_with(&identity)?;
    let ruled = Milepost::with_documents("identity", DOCUMENTS)?;
    ruled.rule(RULES)?;
    let ruled = ruled.reopened_with(&identity)?;
    let servers = [&open, &known, &ruled];
    let gets: Vec<Ask> = (0..DOCUMENTS).map(|key| Ask::get(path(key))).collect();
    let title = "GET of one document, with a token and a rule";
    compare(title, "get", &gets, (&folder, servers), options, report)?;
    let puts = unchanged(&open)?;
    let title = "PUT of a document that changes nothing, with a token and two rules";
    compare(title, "put", &puts, (&folder, servers), options, report)?;
    let figure = |name: &str| sealing.get(name).and_then(Value::as_f64);
    report.line(&format!(
        "\nSealing 4 KB takes {:.1} µs, opening {:.1} µs, in one thread.",
        figure("sealUs").unwrap_or_default(),
        figure("openUs").unwrap_or_default()
    ));
    Ok(())
}

/// The same requests without anything, with a token alone, and with a token of each algorithm under rules.
fn compare(
    title: &str,
    name: &str,
    asks: &[Ask],
    (folder, [open, known, ruled]): (&Path, [&Milepost; 3]),
    options: &Options,
    report: &mut Report,
) -> Result<(), String> {
    let plain = Reading::new(&format!("identity-{name}"), asks, options.seconds)?;
    let mut contestants = vec![Contestant::new(WITHOUT, move || {
        plain.measure(open.process.address)
    })];
    let subjects = [("HS256, no rules", "HS256", known), (MAIN, "HS256", ruled)];
    let others = ["ES256", "EdDSA", "RS256"].map(|name| (name, name, ruled));
    for (label, algorithm, server) in subjects.into_iter().chain(others) {
        let file = folder.join(format!("{algorithm}.token"));
        let token = fs::read_to_string(&file).map_err(|error| format!("{algorithm}: {error}"))?;
        let asks: Vec<Ask> = asks.iter().map(|ask| ask.by(&token)).collect();
        let name = format!("identity-{name}-{algorithm}");
        let reading = Reading::new(&name, &asks, options.seconds)?;
        contestants.push(Contestant::new(label, move || {
            reading.measure(server.process.address)
        }));
    }
    for contestant in &mut contestants {
        // What is measured is not the first reading of anything.
        (contestant.measure)()?;
    }
    let goals = [Goal {
        against: WITHOUT,
        ratio: 0.7,
    }];
    let comparison = interleave(options.rounds, &mut contestants)?;
    report.add(title, &comparison, &goals);
    Ok(())
}

fn path(key: u32) -> String {
    format!("/v1/documents/d{key:014}")
}

/// Each document as it stands, to be put where it stands: decided like any other, and nothing to wait for the disk for.
fn unchanged(milepost: &Milepost) -> Result<Vec<Ask>, String> {
    let mut asks = Vec::new();
    for key in 0..DOCUMENTS {
        let path = path(key);
        let stands = milepost.send("GET", &path, &[], b"")?;
        let body = String::from_utf8(stands.body).map_err(|error| format!("{path}: {error}"))?;
        asks.push(Ask {
            method: "PUT",
            path,
            body,
            fields: vec![
                "Content-Type: application/json".to_owned(),
                "If-Match: *".to_owned(),
            ],
        });
    }
    Ok(asks)
}

/// The folder with tokens, keys and settings, and what sealing takes.
fn made() -> Result<(PathBuf, Value), String> {
    tools::command("openssl", &["openssl"])?;
    let folder = super::folder()?.join("tokens");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let rsa = rsa_key(&folder)?;
    let mut costs = program(binary("identity_costs"));
    let told = read(costs.arg("--rsa").arg(&rsa).arg("--folder").arg(&folder))?;
    let sealing = serde_json::from_str(&told).map_err(|error| format!("{error}: {told}"))?;
    settle(&folder)?;
    Ok((folder, sealing))
}

fn rsa_key(folder: &Path) -> Result<PathBuf, String> {
    let (pem, der) = (folder.join("rsa.pem"), folder.join("rsa.der"));
    let make = "genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048 -out";
    run(program("openssl").args(make.split(' ')).arg(&pem))?;
    let convert = "pkcs8 -topk8 -nocrypt -outform DER -in";
    let mut openssl = program("openssl");
    openssl.args(convert.split(' ')).arg(&pem);
    run(openssl.arg("-out").arg(&der))?;
    Ok(der)
}

/// An issuer for each algorithm.
fn settle(folder: &Path) -> Result<(), String> {
    let issuer = |algorithm: &&str| {
        json!({ "issuer": format!("https://{}.example", algorithm.to_lowercase()),
            "keys": folder.join(format!("{algorithm}.jwks")), "audiences": ["urn:milepost"] })
    };
    let issuers: Vec<Value> = ALGORITHMS.iter().map(issuer).collect();
    let settings = json!({ "issuers": issuers }).to_string();
    let written = fs::write(folder.join("identity.json"), settings);
    written.map_err(|error| error.to_string())?;
    // A shared secret is its owner's alone.
    run(program("chmod").arg("600").arg(folder.join("HS256.jwks")))
}
