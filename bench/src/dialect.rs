//! How each server wants a document read and replaced. The documents are the same everywhere.

use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A server's way of saying "replace this document".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// `PUT` with `If-Match`.
    Milepost,
    /// `PUT` with `If-Match`; the document stands in `data`.
    Kinto,
    /// `PATCH`; it knows no precondition.
    PocketBase,
    /// `PUT`; it knows no precondition.
    JsonServer,
    /// `POST` of key and value in base64; unconditional.
    Etcd,
}

impl std::str::FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "milepost" => Ok(Self::Milepost),
            "kinto" => Ok(Self::Kinto),
            "pocketbase" => Ok(Self::PocketBase),
            "json-server" => Ok(Self::JsonServer),
            "etcd" => Ok(Self::Etcd),
            _ => Err("not a server that the bench knows".to_owned()),
        }
    }
}

impl Dialect {
    /// Whether a replacement names the version it replaces.
    #[must_use]
    pub fn is_conditional(self) -> bool {
        matches!(self, Self::Milepost | Self::Kinto)
    }

    /// The request that reads a document.
    #[must_use]
    pub fn read(self, key: u32) -> Vec<u8> {
        request("GET", &self.path(key), &[], "")
    }

    /// The request that replaces a document by its `round`th content.
    #[must_use]
    pub fn replace(self, key: u32, round: u32, tag: Option<&str>) -> Vec<u8> {
        let value = document(key, round);
        let condition = tag.map(|tag| ("If-Match", tag));
        match self {
            Self::Kinto => {
                let body = format!("{{\"data\":{value}}}");
                request("PUT", &self.path(key), condition.as_slice(), &body)
            }
            Self::PocketBase => request("PATCH", &self.path(key), &[], &value),
            Self::Etcd => {
                let (key, value) = (STANDARD.encode(identifier(key)), STANDARD.encode(value));
                let body = format!("{{\"key\":\"{key}\",\"value\":\"{value}\"}}");
                request("POST", "/v3/kv/put", &[], &body)
            }
            Self::Milepost | Self::JsonServer => {
                request("PUT", &self.path(key), condition.as_slice(), &value)
            }
        }
    }

    fn path(self, key: u32) -> String {
        let id = identifier(key);
        match self {
            Self::Milepost => format!("/v1/documents/{id}"),
            Self::Kinto => format!("/v1/buckets/bench/collections/documents/records/{id}"),
            Self::PocketBase => format!("/api/collections/documents/records/{id}"),
            Self::JsonServer => format!("/documents/{id}"),
            Self::Etcd => "/v3/kv/range".to_owned(),
        }
    }
}

/// A document's identifier: 15 letters and digits, which all of the servers take.
#[must_use]
pub fn identifier(key: u32) -> String {
    format!("d{key:014}")
}

/// A document of about 1 KB; another `round` differs in two members and not in length.
#[must_use]
pub fn document(key: u32, round: u32) -> String {
    let (city, kind) = (key % 1000, key % 10);
    let rank = key.wrapping_mul(2_654_435_761) % 1_000_000;
    let filler = "a road remembers its mileposts, not its travellers; ".repeat(17);
    format!(
        "{{\"name\":\"Document {key:08}\",\"city\":\"c{city:03}\",\"kind\":\"k{kind}\",\"rank\":{rank},\
         \"round\":\"{round:010}\",\"note\":\"{filler}\"}}"
    )
}

/// A document as it is imported: with its identifier as the first member.
#[must_use]
pub fn with_identifier(key: u32) -> String {
    let body = document(key, 0);
    let members = body.strip_prefix('{').unwrap_or_default();
    format!("{{\"id\":\"{}\",{members}", identifier(key))
}

fn request(method: &str, path: &str, fields: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\n");
    for (name, value) in fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        let length = body.len();
        text.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {length}\r\n"
        ));
    }
    text.push_str("\r\n");
    text.push_str(body);
    text.into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_json_of_about_a_kilobyte_and_of_one_length() {
        let (first, second) = (document(1, 1), document(99_999, 123_456));
        assert!(serde_json::from_str::<serde_json::Value>(&first).is_ok());
        assert!((900..1100).contains(&first.len()), "{}", first.len());
        assert!(first.len().abs_diff(second.len()) < 8);
        assert_ne!(document(1, 1), document(1, 2));
    }

    #[test]
    fn a_conditional_replacement_names_the_version_it_replaces() {
        let bytes = Dialect::Milepost.replace(7, 1, Some("\"a.1\""));
        assert!(
            String::from_utf8(bytes)
                .unwrap()
                .contains("If-Match: \"a.1\"\r\n")
        );
    }
}
