//! Asking Patroni which server is the primary, over its REST API.
//!
//! `GET /primary` is 200 only at the member that holds the leader's lock, so each member is asked; the
//! one that says so also tells, in `/cluster`, where its PostgreSQL listens, and in `/config`, how long
//! its lock outlives it. Only what a member says of itself is believed.

use std::time::Duration;

use serde_json::Value;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};
use tokio_postgres::config::Host;
use tokio_rustls::{TlsConnector, rustls::pki_types::ServerName};

use crate::{OpenError, address::Place, trust::Trust};

/// How long a member has to answer.
const ANSWER_MAX: Duration = Duration::from_secs(1);
/// The most bytes of an answer.
const ANSWER_BYTES_MAX: u64 = 1 << 20;
/// How long an answer is taken to hold at most, whatever Patroni's times are.
const CERTAIN_MAX: Duration = Duration::from_secs(10);

/// The members of a cluster.
pub(crate) struct Patroni {
    members: Vec<Member>,
    tls: Option<TlsConnector>,
}

/// Where a member's REST API is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    is_encrypted: bool,
    host: String,
    port: u16,
}

/// Where the primary is, and for how long that is certain, counted from the question.
pub(crate) struct Found {
    pub(crate) place: Place,
    pub(crate) certain: Duration,
}

impl std::str::FromStr for Member {
    type Err = OpenError;

    /// Reads `http://db1:8008`.
    fn from_str(url: &str) -> Result<Self, OpenError> {
        let malformed = || OpenError::MalformedAddress {
            // Not what was given: there may be a password in it.
            detail: "a Patroni's URL is written like http://db1:8008, without a user".to_owned(),
        };
        let (scheme, rest) = url.split_once("://").ok_or_else(malformed)?;
        let is_encrypted = match scheme {
            "http" => false,
            "https" => true,
            _ => return Err(malformed()),
        };
        let authority = rest.split('/').next().unwrap_or_default();
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                (host, port.parse().map_err(|_other| malformed())?)
            }
            _ => (authority, 8008),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() || host.contains('@') {
            return Err(malformed());
        }
        Ok(Self {
            is_encrypted,
            host: host.to_owned(),
            port,
        })
    }
}

impl Patroni {
    /// For these members.
    pub(crate) fn new(members: &[Member], trust: &Trust) -> Result<Self, OpenError> {
        let is_encrypted = members.iter().any(|member| member.is_encrypted);
        let tls = is_encrypted.then(|| trust.client()).transpose()?;
        Ok(Self {
            members: members.to_vec(),
            tls: tls.map(|config| TlsConnector::from(std::sync::Arc::new(config))),
        })
    }

    /// Where the member is that holds the lock, if one says that it does, and where, and for how long:
    /// nothing is made up.
    pub(crate) async fn primary(&self) -> Option<Found> {
        let asking = self.members.iter().map(|member| self.ask_primary(member));
        let answers = futures_util::future::join_all(asking).await;
        let holders = answers.into_iter().zip(&self.members);
        // Two may think so for a moment: the later one is right.
        let holder = holders
            .filter_map(|(timeline, member)| Some((timeline?, member)))
            .max_by_key(|(timeline, _)| *timeline);
        let (_, member) = holder?;
        let (place, certain) = tokio::join!(self.place(member), self.certain(member));
        Some(Found {
            place: place?,
            certain: certain?,
        })
    }

    /// The timeline of a member that says that it is the primary.
    async fn ask_primary(&self, member: &Member) -> Option<i64> {
        let answer = self.get(member, "/primary").await?;
        Some(
            answer
                .pointer("/timeline")
                .and_then(Value::as_i64)
                .unwrap_or(0),
        )
    }

    /// Where a member's PostgreSQL listens, as the cluster was told.
    async fn place(&self, member: &Member) -> Option<Place> {
        leader(&self.get(member, "/cluster").await?)
    }

    /// For how long nobody else can have become the primary.
    async fn certain(&self, member: &Member) -> Option<Duration> {
        certainty(&self.get(member, "/config").await?)
    }

    /// A document, where the answer is 200.
    async fn get(&self, member: &Member, path: &str) -> Option<Value> {
        let asking = async {
            let stream = TcpStream::connect((member.host.as_str(), member.port)).await?;
            match &self.tls {
                Some(tls) if member.is_encrypted => {
                    let name = ServerName::try_from(member.host.clone());
                    let name = name.map_err(std::io::Error::other)?;
                    exchange(tls.connect(name, stream).await?, member, path).await
                }
                _ => exchange(stream, member, path).await,
            }
        };
        let answer = timeout(ANSWER_MAX, asking).await.ok()?.ok()?;
        document(&answer)
    }
}

/// Where the leader listens that a description of a cluster names.
fn leader(cluster: &Value) -> Option<Place> {
    let is_leader = |told: &&Value| {
        let role = told.pointer("/role").and_then(Value::as_str);
        matches!(role, Some("leader" | "primary" | "master"))
    };
    let members = cluster.pointer("/members")?.as_array()?;
    let leader = members.iter().find(is_leader)?;
    let port = leader.pointer("/port")?.as_u64()?;
    Some(Place {
        host: Host::Tcp(leader.pointer("/host")?.as_str()?.to_owned()),
        port: u16::try_from(port).ok()?,
    })
}

/// For how long nobody else can have become the primary, by Patroni's times: the lock outlives its holder's
/// last renewal by `ttl`, and that is as old as a turn of its loop and the retries in it may take.
fn certainty(config: &Value) -> Option<Duration> {
    let seconds = |name: &str| config.get(name)?.as_u64();
    let renewed = seconds("loop_wait")?.saturating_add(seconds("retry_timeout")?);
    let left = seconds("ttl")?.saturating_sub(renewed);
    Some(Duration::from_secs(left).min(CERTAIN_MAX))
}

/// HTTP/1.0, so that the answer ends with the connection and is in one piece.
async fn exchange(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    member: &Member,
    path: &str,
) -> std::io::Result<Vec<u8>> {
    let Member { host, port, .. } = member;
    let request = format!("GET {path} HTTP/1.0\r\nHost: {host}:{port}\r\n\r\n");
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream
        .take(ANSWER_BYTES_MAX)
        .read_to_end(&mut answer)
        .await?;
    Ok(answer)
}

fn document(answer: &[u8]) -> Option<Value> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?;
    (status == "200").then(|| serde_json::from_str(body).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::{Member, certainty, document, leader};

    #[test]
    fn a_member_is_named_by_a_url() {
        let member = |url: &str| url.parse::<Member>();
        let one = member("http://db1:8009/").expect("a URL");
        assert_eq!(
            (one.host.as_str(), one.port, one.is_encrypted),
            ("db1", 8009, false)
        );
        let six = member("https://[::1]").expect("a URL");
        assert_eq!(
            (six.host.as_str(), six.port, six.is_encrypted),
            ("::1", 8008, true)
        );
        for other in [
            "db1:8008",
            "ftp://db1",
            "http://",
            "http://a:b",
            "http://me:pw@db1:1",
        ] {
            assert!(member(other).is_err(), "{other}");
        }
    }

    #[test]
    fn where_the_leader_is_and_for_how_long_is_never_made_up() {
        let named = json!({ "members": [
            { "role": "replica", "host": "db2", "port": 5432 },
            { "role": "leader", "host": "db1", "port": 5433 } ] });
        assert_eq!(leader(&named).map(|place| place.port), Some(5433));
        for nowhere in [
            json!({}),
            json!({ "members": [{ "role": "replica", "host": "db2", "port": 5432 }] }),
            json!({ "members": [{ "role": "leader", "host": "db1" }] }),
        ] {
            assert!(leader(&nowhere).is_none(), "{nowhere}");
        }
        let times = |ttl: u64| json!({ "ttl": ttl, "loop_wait": 10, "retry_timeout": 10 });
        assert_eq!(certainty(&times(21)), Some(Duration::from_secs(1)));
        assert_eq!(certainty(&times(20)), Some(Duration::ZERO));
        assert_eq!(certainty(&times(600)), Some(Duration::from_secs(10)));
        assert_eq!(certainty(&json!({ "ttl": 30 })), None);
    }

    #[test]
    fn only_200_is_an_answer() {
        assert!(document(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"timeline\": 3}").is_some());
        assert!(document(b"HTTP/1.0 503 Service Unavailable\r\n\r\n{}").is_none());
        assert!(document(b"HTTP/1.0 200 OK\r\n").is_none());
    }
}
