//! What may happen between a node and its database, made to happen: a proxy that looks at the frames of
//! PostgreSQL's protocol, and does something to a writer's commit.

use std::{io, net::SocketAddr, sync::Arc};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
};

/// What is done to the next commit of a writer; then no more is done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mishap {
    /// Nothing.
    None,
    /// The connection is cut before the database hears of it.
    CutBefore,
    /// The connection is cut after the database answered, and the answer with it.
    CutAfter,
    /// The same, and from then on nobody is let through until [`Proxy::let_through`].
    CutAfterAndShut,
    /// The answer never comes, though the connection stands.
    Silence,
    /// The answer says that fewer machines have it than was asked for.
    Warn,
    /// The next transaction finds that the database only reads, as that of a former primary does.
    ReadOnly,
}

/// A proxy in front of a server; gone when dropped.
pub(crate) struct Proxy {
    pub(crate) address: SocketAddr,
    shared: Arc<Shared>,
}

struct Shared {
    server: u16,
    mishap: watch::Sender<Mishap>,
    is_shut: watch::Sender<bool>,
    /// How many connections were let through.
    connections: watch::Sender<u32>,
}

impl Proxy {
    /// Begins to pass on everything to a server on loopback.
    pub(crate) async fn before(server: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a socket");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::new(Shared {
            server,
            mishap: watch::Sender::new(Mishap::None),
            is_shut: watch::Sender::new(false),
            connections: watch::Sender::new(0),
        });
        tokio::spawn(accept(listener, Arc::clone(&shared)));
        Self { address, shared }
    }

    /// Does this to the next commit.
    pub(crate) fn arm(&self, mishap: Mishap) {
        self.shared.mishap.send_replace(mishap);
    }

    /// Whether what it was armed with has happened.
    pub(crate) fn is_spent(&self) -> bool {
        *self.shared.mishap.borrow() == Mishap::None
    }

    /// Lets nobody through, and cuts who is, until [`Proxy::let_through`].
    pub(crate) fn shut(&self) {
        self.shared.is_shut.send_replace(true);
    }

    pub(crate) fn let_through(&self) {
        self.shared.is_shut.send_replace(false);
    }

    pub(crate) fn connection_count(&self) -> u32 {
        *self.shared.connections.borrow()
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok((client, _)) = listener.accept().await {
        if *shared.is_shut.borrow() {
            continue;
        }
        shared.connections.send_modify(|count| *count += 1);
        let shared = Arc::clone(&shared);
        tokio::spawn(async move {
            let mut shut = shared.is_shut.subscribe();
            tokio::select! {
                _ended = pass(client, &shared) => {}
                _shut = shut.wait_for(|is_shut| *is_shut) => {}
            }
        });
    }
}

/// What the answers' side is told by the questions' side.
enum Order {
    /// Put a warning before the next answer.
    Warn,
    /// Keep everything back.
    Silence,
    /// End at the next answer, without passing it on.
    End,
}

async fn pass(client: TcpStream, shared: &Shared) -> io::Result<()> {
    let server = TcpStream::connect(("127.0.0.1", shared.server)).await?;
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let (orders, ordered) = mpsc::unbounded_channel();
    tokio::select! {
        asked = ask(from_client, to_server, shared, orders) => asked,
        answered = answer(from_server, to_client, ordered) => answered,
    }
}

/// A frame: its type (none for the first one of a connection), and the rest with its length.
async fn frame(from: &mut OwnedReadHalf, has_type: bool) -> io::Result<(u8, Vec<u8>)> {
    let kind = if has_type { from.read_u8().await? } else { 0 };
    let length = from.read_u32().await?;
    let mut frame = length.to_be_bytes().to_vec();
    frame.resize(usize::try_from(length).expect("a length"), 0);
    from.read_exact(frame.get_mut(4..).expect("a body")).await?;
    Ok((kind, frame))
}

async fn send(to: &mut OwnedWriteHalf, kind: u8, frame: &[u8]) -> io::Result<()> {
    if kind != 0 {
        to.write_u8(kind).await?;
    }
    to.write_all(frame).await
}

fn contains(frame: &[u8], text: &[u8]) -> bool {
    frame.windows(text.len()).any(|window| window == text)
}

async fn ask(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    shared: &Shared,
    orders: mpsc::UnboundedSender<Order>,
) -> io::Result<()> {
    let (_, first) = frame(&mut from, false).await?;
    send(&mut to, 0, &first).await?;
    // Only who tells others of commits is a writer.
    let mut is_writer = false;
    loop {
        let (kind, mut body) = frame(&mut from, true).await?;
        is_writer |= kind == b'P' && contains(&body, b"pg_notify");
        let is_commit = is_writer && kind == b'Q' && contains(&body, b"COMMIT\0");
        let is_begin = is_writer && kind == b'Q' && contains(&body, b"BEGIN\0");
        let mishap = *shared.mishap.borrow();
        let is_due = if mishap == Mishap::ReadOnly {
            is_begin
        } else {
            is_commit && mishap != Mishap::None
        };
        if is_due {
            shared.mishap.send_replace(Mishap::None);
            match mishap {
                Mishap::None => {}
                Mishap::CutBefore => return Ok(()),
                Mishap::CutAfter => drop(orders.send(Order::End)),
                Mishap::CutAfterAndShut => {
                    drop(orders.send(Order::End));
                    shut_for_others(shared);
                }
                Mishap::Silence => drop(orders.send(Order::Silence)),
                Mishap::Warn => drop(orders.send(Order::Warn)),
                Mishap::ReadOnly => body = simple_query("BEGIN READ ONLY"),
            }
        }
        send(&mut to, kind, &body).await?;
    }
}

/// Nobody new is let through.
fn shut_for_others(shared: &Shared) {
    shared.is_shut.send_if_modified(|is_shut| {
        *is_shut = true;
        // Not told to who is through already.
        false
    });
}

fn simple_query(sql: &str) -> Vec<u8> {
    let length = u32::try_from(4 + sql.len() + 1).expect("a length");
    let mut body = length.to_be_bytes().to_vec();
    body.extend_from_slice(sql.as_bytes());
    body.push(0);
    body
}

/// A notice of PostgreSQL's own words.
fn warning() -> Vec<u8> {
    let fields = b"SWARNING\0VWARNING\0C01000\0Mcanceling wait for synchronous replication due to user request\0\0";
    let length = u32::try_from(4 + fields.len()).expect("a length");
    let mut body = length.to_be_bytes().to_vec();
    body.extend_from_slice(fields);
    body
}

async fn answer(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut orders: mpsc::UnboundedReceiver<Order>,
) -> io::Result<()> {
    let mut order = None;
    loop {
        let (kind, body) = frame(&mut from, true).await?;
        if let Ok(newer) = orders.try_recv() {
            order = Some(newer);
        }
        let is_commit = kind == b'C' && contains(&body, b"COMMIT\0");
        match order {
            Some(Order::End) if is_commit => return Ok(()),
            Some(Order::Silence) if is_commit => std::future::pending().await,
            Some(Order::Warn) if is_commit => {
                send(&mut to, b'N', &warning()).await?;
                order = None;
            }
            _ => {}
        }
        send(&mut to, kind, &body).await?;
    }
}
