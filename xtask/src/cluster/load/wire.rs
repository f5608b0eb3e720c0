//! One request, and what is known afterwards: an answer, that it was never sent, or nothing.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use crate::http::{self, Response};

/// A balancer that takes no connection within this time is not there.
const CONNECTING_MAX: Duration = Duration::from_secs(2);
/// Longer than a server takes to say that it doesn't know, and than followers wait.
const ANSWERING_MAX: Duration = Duration::from_secs(15);

/// What to send.
#[derive(Clone, Debug)]
pub(crate) struct Ask {
    pub(crate) method: &'static str,
    pub(crate) target: String,
    pub(crate) fields: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

impl Ask {
    /// A read.
    pub(crate) fn fetch(target: &str) -> Self {
        Self {
            method: "GET",
            target: target.to_owned(),
            fields: Vec::new(),
            body: String::new(),
        }
    }

    /// A write of a whole representation.
    pub(crate) fn put(target: &str, body: String) -> Self {
        let media = ("Content-Type", "application/json".to_owned());
        Self {
            method: "PUT",
            target: target.to_owned(),
            fields: vec![media],
            body,
        }
    }

    /// The same with a further field.
    pub(crate) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.fields.push((name, value.to_owned()));
        self
    }
}

/// Puts a document where none stands, or one that is the same.
///
/// # Errors
/// When it isn't taken.
pub(crate) fn put(door: SocketAddr, target: &str, body: String) -> Result<(), String> {
    let answer = ask(door, &Ask::put(target, body));
    match &answer {
        Answer::Told(response) if matches!(response.status, 200 | 201 | 204) => Ok(()),
        _ => Err(format!("PUT {target}: {answer:?}")),
    }
}

/// What is known of it.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A whole answer.
    Told(Response),
    /// Nobody took the connection, so nothing was sent.
    Unsent,
    /// It may have arrived or not.
    Silence,
}

/// Sends a request on a connection of its own.
pub(crate) fn ask(door: SocketAddr, asked: &Ask) -> Answer {
    let Ok(stream) = TcpStream::connect_timeout(&door, CONNECTING_MAX) else {
        return Answer::Unsent;
    };
    match exchange(stream, door, asked) {
        Ok(raw) => http::whole(raw).map_or(Answer::Silence, Answer::Told),
        Err(_) => Answer::Silence,
    }
}

fn exchange(mut stream: TcpStream, door: SocketAddr, asked: &Ask) -> std::io::Result<Vec<u8>> {
    stream.set_read_timeout(Some(ANSWERING_MAX))?;
    stream.set_write_timeout(Some(ANSWERING_MAX))?;
    let mut request = format!(
        "{} {} HTTP/1.1\r\nHost: {door}\r\nConnection: close\r\n",
        asked.method, asked.target
    );
    for (name, value) in &asked.fields {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !asked.body.is_empty() {
        request.push_str(&format!("Content-Length: {}\r\n", asked.body.len()));
    }
    request.push_str("\r\n");
    request.push_str(&asked.body);
    stream.write_all(request.as_bytes())?;
    let mut raw = Vec::new();
    stream.read_to_end(&mut raw)?;
    Ok(raw)
}
