//! etcd, from Debian's packages, through its JSON gateway.

use std::path::Path;

use serde_json::{Value, json};

use super::{Ask, Peer, identifier};
use crate::{
    bench::{
        documents,
        pinned::{Pinned, free_address, server},
    },
    http, tools,
};

/// etcd takes at most 128 operations in one transaction.
const CHUNK: usize = 100;
const JSON: (&str, &str) = ("Content-Type", "application/json");

pub(super) fn start(folder: &Path, count: u32) -> Result<Peer, String> {
    tools::command("etcd", &["etcd-server"])?;
    let (address, peers) = (free_address()?, free_address()?);
    let (clients, peers) = (format!("http://{address}"), format!("http://{peers}"));
    let mut command = server("etcd");
    command.arg("--data-dir").arg(folder.join("data"));
    command.args([
        "--listen-client-urls",
        &clients,
        "--advertise-client-urls",
        &clients,
    ]);
    command.args([
        "--listen-peer-urls",
        &peers,
        "--initial-advertise-peer-urls",
        &peers,
    ]);
    command.args(["--initial-cluster", &format!("default={peers}")]);
    let process = Pinned::start(command, address, &folder.join("log"))?;
    fill(&process, count)?;
    Ok(Peer {
        name: "etcd",
        dialect: "etcd",
        written: count,
        remark: "Debian's 3.4, JSON gateway; keys and values in base64, its put is unconditional.",
        process,
        read: |key| Ask {
            method: "POST",
            path: "/v3/kv/range".to_owned(),
            body: json!({ "key": base64(&identifier(key)) }).to_string(),
            fields: vec!["Content-Type: application/json".to_owned()],
        },
        list: None,
        _companion: None,
    })
}

fn fill(process: &Pinned, count: u32) -> Result<(), String> {
    let file = documents(count, "ndjson")?;
    let text = std::fs::read_to_string(&file).map_err(|error| error.to_string())?;
    let lines: Vec<&str> = text.lines().collect();
    let mut key = 0_u32;
    for chunk in lines.chunks(CHUNK) {
        let mut puts: Vec<Value> = Vec::new();
        for line in chunk {
            let (name, value) = (base64(&identifier(key)), base64(line));
            puts.push(json!({ "requestPut": { "key": name, "value": value } }));
            key += 1;
        }
        let body = json!({ "success": puts }).to_string();
        let answer = http::send(
            process.address,
            "POST",
            "/v3/kv/txn",
            &[JSON],
            body.as_bytes(),
        )?;
        if answer.status != 200 {
            return Err(format!("txn: {}", answer.status));
        }
    }
    Ok(())
}

/// RFC 4648 §4, with padding.
fn base64(text: &str) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut encoded = String::new();
    for group in text.as_bytes().chunks(3) {
        let byte = |at: usize| u32::from(group.get(at).copied().unwrap_or_default());
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let index = usize::try_from(bits >> (18 - 6 * at) & 63).unwrap_or_default();
            let letter = ALPHABET.get(index).copied().unwrap_or(b'=');
            encoded.push(if at <= group.len() {
                char::from(letter)
            } else {
                '='
            });
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        let vectors = [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ];
        for (plain, encoded) in vectors {
            assert_eq!(base64(plain), encoded);
        }
    }
}
