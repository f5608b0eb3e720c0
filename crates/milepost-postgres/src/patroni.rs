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
/// How long an answer is taken to hold where Patroni's times can't be read.
const CERTAIN_DEFAULT: Duration = Duration::from_secs(2);
/// Between which bounds it is taken to hold, whatever they are.
const CERTAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(10));

/// The members of a cluster.
pub(crate) struct Patroni {
    members: Vec<Member>,
    tls: Option<TlsConnector>,
    /// The port of PostgreSQL where a member doesn't tell.
    port: u16,
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
    /// For these members; `port`: of PostgreSQL, where a member doesn't tell.
    pub(crate) fn new(members: &[Member], trust: &Trust, port: u16) -> Result<Self, OpenError> {
        let is_encrypted = members.iter().any(|member| member.is_encrypted);
        let tls = is_encrypted.then(|| trust.client()).transpose()?;
        Ok(Self {
            members: members.to_vec(),
            tls: tls.map(|config| TlsConnector::from(std::sync::Arc::new(config))),
            port,
        })
    }

    /// Where the member is that holds the lock, if one says that it does.
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
        Some(Found { place, certain })
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
    async fn place(&self, member: &Member) -> Place {
        let cluster = self.get(member, "/cluster").await.unwrap_or_default();
        let members = cluster.pointer("/members").and_then(Value::as_array);
        let is_leader = |told: &&Value| {
            let role = told.pointer("/role").and_then(Value::as_str);
            matches!(role, Some("leader" | "primary" | "master"))
        };
        let leader = members.and_then(|members| members.iter().find(is_leader));
        let host = leader.and_then(|leader| leader.pointer("/host")?.as_str());
        let port = leader.and_then(|leader| leader.pointer("/port")?.as_u64());
        Place {
            host: Host::Tcp(host.unwrap_or(&member.host).to_owned()),
            port: port
                .and_then(|port| u16::try_from(port).ok())
                .unwrap_or(self.port),
        }
    }

    /// For how long nobody else can have become the primary: the lock outlives its holder's last
    /// renewal by `ttl`, and that is as old as a turn of its loop and the retries in it may take.
    async fn certain(&self, member: &Member) -> Duration {
        let config = self.get(member, "/config").await.unwrap_or_default();
        let seconds = |name: &str| config.get(name).and_then(Value::as_u64);
        let times = (
            seconds("ttl"),
            seconds("loop_wait"),
            seconds("retry_timeout"),
        );
        let (Some(ttl), Some(loop_wait), Some(retry_timeout)) = times else {
            return CERTAIN_DEFAULT;
        };
        let left = ttl.saturating_sub(loop_wait).saturating_sub(retry_timeout);
        Duration::from_secs(left).clamp(CERTAIN.0, CERTAIN.1)
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
    use super::{Member, document};

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
    fn only_200_is_an_answer() {
        assert!(document(b"HTTP/1.0 200 OK\r\nA: b\r\n\r\n{\"timeline\": 3}").is_some());
        assert!(document(b"HTTP/1.0 503 Service Unavailable\r\n\r\n{}").is_none());
        assert!(document(b"HTTP/1.0 200 OK\r\n").is_none());
    }
}
