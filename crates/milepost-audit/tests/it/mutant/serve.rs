//! Listeners and connections of the mutants: HTTP/1.1 by hand, HTTP/2 where somebody begins with it,
//! TLS for the one that needs it; a thread for each connection.

use std::{
    collections::HashMap,
    io::{BufRead as _, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    sync::{
        Arc, Condvar, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use flate2::{Compression, write::GzEncoder};
use milepost_audit::Restart;

use super::{
    Answer, Flaw, Request, multiplexed, pages, people, secured,
    state::{Database, Memory},
    streams, writes,
};

/// One process of the service.
pub(crate) struct Process {
    pub(crate) flaw: Flaw,
    pub(crate) replica: usize,
    pub(crate) database: Arc<Database>,
    pub(crate) memory: Mutex<Memory>,
    /// Writers between their check and their write.
    pub(crate) checking: Mutex<usize>,
    pub(crate) checked: Condvar,
    tls: Option<Arc<rustls::ServerConfig>>,
    /// Sockets by their connection.
    pub(crate) streams: Mutex<HashMap<u64, TcpStream>>,
    connections: AtomicU64,
    pub(crate) requests: AtomicU64,
}

/// The service: a process for each replica.
pub(crate) struct Mutant {
    pub(crate) urls: Vec<String>,
    /// The certificate that must be trusted, where it is asked under TLS.
    pub(crate) authority: Option<String>,
    processes: Vec<Arc<Process>>,
}

impl Mutant {
    /// Starts one with a flaw.
    pub(crate) fn start(flaw: Flaw, replicas: usize) -> Self {
        let database = Arc::new(Database::default());
        let (tls, authority) = (flaw == Flaw::SessionAuth)
            .then(secured::configured)
            .unzip();
        let scheme = if tls.is_some() { "https" } else { "http" };
        let mut urls = Vec::new();
        let mut processes = Vec::new();
        for replica in 0..replicas {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            urls.push(format!("{scheme}://{}/", listener.local_addr().unwrap()));
            let process = Arc::new(Process {
                flaw,
                replica,
                database: Arc::clone(&database),
                memory: Mutex::new(Memory {
                    life: database.number(),
                    ..Memory::default()
                }),
                checking: Mutex::new(0),
                checked: Condvar::new(),
                tls: tls.clone(),
                streams: Mutex::default(),
                connections: AtomicU64::new(0),
                requests: AtomicU64::new(0),
            });
            processes.push(Arc::clone(&process));
            thread::spawn(move || accept(&listener, &process));
        }
        Self {
            urls,
            authority,
            processes,
        }
    }

    /// Every process dies and begins anew at its old address.
    pub(crate) fn restart(&self) -> Restart {
        let processes = self.processes.clone();
        Restart::by(move || {
            for process in &processes {
                process.restart();
            }
            Ok(())
        })
    }

    /// How many notes there are.
    pub(crate) fn notes(&self) -> usize {
        let process = self.processes.first().unwrap();
        process.database.notes.lock().unwrap().len()
    }

    pub(crate) fn requests(&self) -> u64 {
        self.processes
            .iter()
            .map(|process| process.requests.load(Ordering::SeqCst))
            .sum()
    }
}

impl Process {
    fn restart(&self) {
        *self.memory.lock().unwrap() = Memory {
            life: self.database.number(),
            ..Memory::default()
        };
        for (_, stream) in self.streams.lock().unwrap().drain() {
            // It may have been closed by the client.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }

    pub(crate) fn answer(&self, request: &Request) -> Answer {
        let count = self.requests.fetch_add(1, Ordering::SeqCst);
        if self.flaw == Flaw::RateLimit && count % 29 == 28 {
            return Answer::bare(429).with("retry-after", "0");
        }
        let answer = match request.path.split('/').nth(1) {
            Some("notes") => writes::answer(self, request),
            Some("me" | "logout") => people::me(self, request),
            _ => pages::answer(self, request),
        };
        people::known_again(self, request, answer)
    }
}

fn accept(listener: &TcpListener, process: &Arc<Process>) {
    for stream in listener.incoming() {
        let Ok(stream) = stream else {
            return;
        };
        let process = Arc::clone(process);
        thread::spawn(move || connection(&process, stream));
    }
}

fn connection(process: &Process, stream: TcpStream) {
    let number = process.connections.fetch_add(1, Ordering::SeqCst);
    let source = stream
        .peer_addr()
        .map(|address| address.ip().to_string())
        .unwrap_or_default();
    if let Ok(copy) = stream.try_clone() {
        process.streams.lock().unwrap().insert(number, copy);
    }
    let _ = stream.set_nodelay(true);
    let mut first = [0; 3];
    match &process.tls {
        Some(config) => {
            let name = process.database.token();
            if let Some((stream, session)) = secured::shaken(Arc::clone(config), stream, name) {
                spoken(process, stream, number, &source, Some(&session));
            }
        }
        None if stream.peek(&mut first).is_ok() && first == *b"PRI" => {
            multiplexed::serve(process, stream, number, &source);
        }
        None => spoken(process, stream, number, &source, None),
    }
    process.streams.lock().unwrap().remove(&number);
    process.memory.lock().unwrap().authenticated.remove(&number);
}

/// HTTP/1.1 over a stream, until it ends.
fn spoken(
    process: &Process,
    stream: impl Read + Write,
    number: u64,
    source: &str,
    session: Option<&str>,
) {
    let mut reader = BufReader::new(stream);
    while let Some(mut request) = read(&mut reader) {
        request.connection = number;
        request.source = source.to_owned();
        request.session = session.map(str::to_owned);
        let answer = process.answer(&request);
        let is_stream = answer
            .fields
            .iter()
            .any(|(_, value)| value == "text/event-stream");
        let coded = process.flaw == Flaw::Compressed && !is_stream;
        let written = match coded {
            true => write(reader.get_mut(), &request, &compressed(answer), false),
            false => write(reader.get_mut(), &request, &answer, is_stream),
        };
        if is_stream {
            if written.is_ok() {
                // An event stream stays open until the client leaves.
                let _ = reader.read(&mut [0]);
            }
            streams::left(process, number);
        }
        if is_stream || written.is_err() {
            break;
        }
    }
}

fn read(reader: &mut BufReader<impl Read>) -> Option<Request> {
    let mut line = String::new();
    reader
        .read_line(&mut line)
        .ok()
        .filter(|count| *count > 0)?;
    let mut words = line.split_whitespace();
    let mut request = Request {
        method: words.next()?.to_owned(),
        ..Request::default()
    };
    let target = words.next()?;
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    request.path = path.to_owned();
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    request.query = pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    loop {
        let mut line = String::new();
        reader
            .read_line(&mut line)
            .ok()
            .filter(|count| *count > 0)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        request
            .fields
            .push((name.to_ascii_lowercase(), value.to_owned()));
    }
    let length: usize = request
        .field("content-length")
        .and_then(|value| value.parse().ok())
        .unwrap_or(0);
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    request.body = String::from_utf8(body).ok()?;
    Some(request)
}

fn write(
    stream: &mut impl Write,
    request: &Request,
    answer: &Answer,
    is_stream: bool,
) -> std::io::Result<()> {
    let mut text = format!("HTTP/1.1 {} X\r\n", answer.status);
    for (name, value) in &answer.fields {
        text.push_str(&format!("{name}: {value}\r\n"));
    }
    if !is_stream && !matches!(answer.status, 101 | 204 | 304) {
        text.push_str(&format!("content-length: {}\r\n", answer.body.len()));
    }
    text.push_str("\r\n");
    let mut bytes = text.into_bytes();
    if request.method != "HEAD" && answer.status != 304 {
        bytes.extend_from_slice(&answer.body);
    }
    stream.write_all(&bytes)
}

/// An answer as somebody sends it who compresses for everybody.
fn compressed(mut answer: Answer) -> Answer {
    if answer.body.is_empty() {
        return answer;
    }
    let mut writer = GzEncoder::new(Vec::new(), Compression::fast());
    writer.write_all(&answer.body).unwrap();
    answer.body = writer.finish().unwrap();
    answer.with("content-encoding", "gzip")
}
