//! Clients of one server, each on a connection of its own: raw, so that ten thousand of them cost the
//! load little.

use std::{
    fs,
    net::{Ipv4Addr, SocketAddr},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
};

use crate::response::Head;

/// Who asks: what stands in a request besides its target.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// The request target.
    pub target: &'a str,
    /// `Accept`.
    pub accept: &'a str,
    /// `User-Agent`.
    pub agent: &'a str,
}

/// One connection.
#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// A whole response.
#[derive(Debug)]
pub struct Received<'c> {
    /// The status code.
    pub status: u16,
    /// All bytes, as they stood on the wire.
    pub raw: &'c [u8],
    /// The content; with its framing where it is chunked.
    pub content: &'c [u8],
}

impl Client {
    /// Connects from a loopback address of its own: the `number`th of many.
    ///
    /// # Errors
    /// When the connection can't be had.
    pub async fn connect(server: SocketAddr, number: u32) -> Result<Self, String> {
        // 127.1.0.0/16, so that there are ports enough for any number of them.
        let [_, _, high, low] = (number / 16).to_be_bytes();
        let from = SocketAddr::from((Ipv4Addr::new(127, 1, high, low), 0));
        let connected = async {
            let socket = TcpSocket::new_v4()?;
            socket.bind(from)?;
            let stream = socket.connect(server).await?;
            stream.set_nodelay(true)?;
            Ok::<_, std::io::Error>(stream)
        };
        let stream = connected.await.map_err(|error| error.to_string())?;
        let buffer = Vec::new();
        Ok(Self { stream, buffer })
    }

    /// Sends a GET.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn ask(&mut self, asking: Asking<'_>) -> Result<(), String> {
        let Asking {
            target,
            accept,
            agent,
        } = asking;
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\nUser-Agent: {agent}\r\n\r\n"
        );
        self.send(request.as_bytes()).await
    }

    /// Sends bytes.
    ///
    /// # Errors
    /// When the connection is broken.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        let sent = self.stream.write_all(bytes).await;
        sent.map_err(|error| error.to_string())
    }

    /// Reads a whole response.
    ///
    /// # Errors
    /// When the connection breaks, or what comes is not HTTP.
    pub async fn receive(&mut self) -> Result<Received<'_>, String> {
        self.buffer.clear();
        let mut head: Option<Head> = None;
        loop {
            self.more().await?;
            if head.is_none() {
                head = Head::parse(&self.buffer)?;
            }
            let Some(head) = &head else { continue };
            if let Some(end) = head.whole(&self.buffer) {
                let raw = self.buffer.get(..end).unwrap_or_default();
                let content = raw.get(head.byte_count()..).unwrap_or_default();
                let status = head.status;
                return Ok(Received {
                    status,
                    raw,
                    content,
                });
            }
        }
    }

    /// Reads until what has come ends so, without keeping much of it.
    ///
    /// # Errors
    /// When the connection breaks before.
    pub async fn receive_until(&mut self, end: &[u8]) -> Result<(), String> {
        self.buffer.clear();
        loop {
            self.more().await?;
            if self.buffer.windows(end.len()).any(|window| window == end) {
                return Ok(());
            }
        }
    }

    async fn more(&mut self) -> Result<(), String> {
        let read = self.stream.read_buf(&mut self.buffer).await;
        match read.map_err(|error| error.to_string())? {
            0 => Err("the server closed the connection".to_owned()),
            _ => Ok(()),
        }
    }
}

/// A figure of a process's `/proc/PID/status` in KiB, such as `VmRSS`.
///
/// # Errors
/// When it is not to be had.
pub fn memory_kib(pid: u32, name: &str) -> Result<u64, String> {
    let path = format!("/proc/{pid}/status");
    let status = fs::read_to_string(&path).map_err(|error| format!("{path}: {error}"))?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    let figure = line.and_then(|line| line.trim().trim_end_matches("kB").trim().parse().ok());
    figure.ok_or_else(|| format!("{path} has no {name}"))
}

/// A figure of the service's metrics.
///
/// # Errors
/// When it has none of that name.
pub async fn figure(client: &mut Client, name: &str) -> Result<u64, String> {
    client
        .ask(Asking {
            target: "/v1/-/metrics",
            accept: "*/*",
            agent: "bench",
        })
        .await?;
    let received = client.receive().await?;
    let text = String::from_utf8_lossy(received.content);
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    let figure = line.and_then(|figure| figure.trim().parse().ok());
    figure.ok_or_else(|| format!("no {name} among the metrics"))
}
