//! The writing load: a closed loop per connection, each over its own keys, each replacement
//! conditional on the entity tag that the previous answer gave.
//!
//! One thread drives all connections. Reading the first tags is not measured.

use std::{net::SocketAddr, str::FromStr, time::Duration};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::{clock::Stopwatch, dialect::Dialect, response::Head};

/// What to do.
#[derive(Clone, Copy, Debug)]
pub struct Load {
    /// Whom to load.
    pub servers: Servers,
    /// What it understands.
    pub dialect: Dialect,
    /// Connections, each with a request under way at all times.
    pub connections: u32,
    /// Keys over all connections; each has at least one.
    pub keys: u32,
    /// How long.
    pub time: Duration,
    /// Distinguishes this run's contents from an earlier run's.
    pub salt: u32,
}

/// One server, or several nodes of one service: connections go to them in turns.
#[derive(Clone, Copy, Debug)]
pub struct Servers {
    addresses: [SocketAddr; NODES_MAX],
}

/// The most nodes that are loaded.
const NODES_MAX: usize = 6;

impl FromStr for Servers {
    type Err = String;

    /// Reads addresses that are separated by commas; one, two, three or six.
    fn from_str(text: &str) -> Result<Self, String> {
        let addresses = text.split(',').map(str::parse::<SocketAddr>);
        let addresses: Vec<_> = addresses
            .collect::<Result<_, _>>()
            .map_err(|error| error.to_string())?;
        if addresses.is_empty() || !NODES_MAX.is_multiple_of(addresses.len()) {
            return Err("name one, two, three or six servers".to_owned());
        }
        let all: Vec<_> = addresses.into_iter().cycle().take(NODES_MAX).collect();
        let addresses = all.try_into().map_err(|_other| "too many servers")?;
        Ok(Self { addresses })
    }
}

impl Servers {
    /// Where a connection goes.
    fn of(&self, number: u32) -> Option<SocketAddr> {
        let at = usize::try_from(number).ok()? % NODES_MAX;
        self.addresses.get(at).copied()
    }
}

/// What was measured.
#[derive(Debug, Default)]
pub struct Outcome {
    /// Replacements acknowledged by 2xx.
    pub acknowledged: u64,
    /// Answers of another status.
    pub refused: u64,
    /// Time to each answer, in microseconds, unordered.
    pub micros: Vec<u64>,
}

impl Outcome {
    /// The time within which this share of the answers came, in milliseconds.
    #[must_use]
    pub fn quantile_ms(&mut self, per_mille: usize) -> f64 {
        self.micros.sort_unstable();
        let at = self.micros.len() * per_mille / 1000;
        let micros = self
            .micros
            .get(at)
            .or(self.micros.last())
            .copied()
            .unwrap_or_default();
        Duration::from_micros(micros).as_secs_f64() * 1000.0
    }
}

/// Runs the load to its end.
///
/// # Errors
/// When a connection breaks or answers something else than HTTP.
pub async fn run(load: Load) -> Result<Outcome, String> {
    let mut loops = Vec::new();
    for number in 0..load.connections {
        loops.push(Loop::open(load, number).await?);
    }
    let watch = Stopwatch::start();
    let tasks: Vec<_> = loops
        .into_iter()
        .map(|one| tokio::task::spawn_local(one.run(watch)))
        .collect();
    let mut total = Outcome::default();
    for task in tasks {
        let outcome = task.await.map_err(|error| error.to_string())??;
        total.acknowledged += outcome.acknowledged;
        total.refused += outcome.refused;
        total.micros.extend(outcome.micros);
    }
    Ok(total)
}

/// One connection's closed loop.
struct Loop {
    load: Load,
    stream: TcpStream,
    buffer: Vec<u8>,
    keys: Vec<(u32, Option<String>)>,
    random: u64,
}

impl Loop {
    async fn open(load: Load, number: u32) -> Result<Self, String> {
        let server = load.servers.of(number).ok_or("no server")?;
        let stream = TcpStream::connect(server)
            .await
            .map_err(|error| error.to_string())?;
        stream
            .set_nodelay(true)
            .map_err(|error| error.to_string())?;
        let own = (0..load.keys)
            .skip(number as usize)
            .step_by(load.connections as usize);
        let keys = own.map(|key| (key, None)).collect();
        let random = u64::from(number).wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut opened = Self {
            load,
            stream,
            buffer: Vec::new(),
            keys,
            random,
        };
        opened.learn_tags().await?;
        Ok(opened)
    }

    async fn learn_tags(&mut self) -> Result<(), String> {
        if !self.load.dialect.is_conditional() {
            return Ok(());
        }
        for at in 0..self.keys.len() {
            let Some(key) = self.keys.get(at).map(|(key, _)| *key) else {
                break;
            };
            let (status, tag) = self.exchange(&self.load.dialect.read(key)).await?;
            if status != 200 || tag.is_none() {
                return Err(format!("key {key}: {status}, tag {tag:?}"));
            }
            self.remember(at, tag);
        }
        Ok(())
    }

    async fn run(mut self, watch: Stopwatch) -> Result<Outcome, String> {
        let mut outcome = Outcome::default();
        let mut round = self.load.salt;
        while watch.elapsed() < self.load.time {
            round = round.wrapping_add(1);
            let at = self.pick();
            let Some((key, tag)) = self.keys.get(at) else {
                break;
            };
            let request = self.load.dialect.replace(*key, round, tag.as_deref());
            let sent = watch.elapsed();
            let (status, tag) = self.exchange(&request).await?;
            let micros = (watch.elapsed() - sent).as_micros();
            outcome
                .micros
                .push(u64::try_from(micros).unwrap_or(u64::MAX));
            if (200..300).contains(&status) {
                outcome.acknowledged += 1;
                self.remember(at, tag);
            } else {
                outcome.refused += 1;
            }
        }
        Ok(outcome)
    }

    /// An xorshift step: which of the own keys is next.
    fn pick(&mut self) -> usize {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        let keys = u64::try_from(self.keys.len()).unwrap_or(1).max(1);
        usize::try_from(self.random % keys).unwrap_or_default()
    }

    fn remember(&mut self, at: usize, tag: Option<String>) {
        if let (true, Some(entry)) = (tag.is_some(), self.keys.get_mut(at)) {
            entry.1 = tag;
        }
    }

    async fn exchange(&mut self, request: &[u8]) -> Result<(u16, Option<String>), String> {
        self.stream
            .write_all(request)
            .await
            .map_err(|error| error.to_string())?;
        self.buffer.clear();
        let mut head = None;
        loop {
            let read = self.stream.read_buf(&mut self.buffer).await;
            if read.map_err(|error| error.to_string())? == 0 {
                return Err("the server closed the connection".to_owned());
            }
            if head.is_none() {
                head = Head::parse(&self.buffer)?;
            }
            if let Some(whole) = head.take_if(|head| head.whole(&self.buffer).is_some()) {
                return Ok((whole.status, whole.tag));
            }
        }
    }
}
