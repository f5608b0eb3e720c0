//! A stream of books: who listens, how it goes on after an event, and what is left of a listener.

use std::mem::MaybeUninit;

use socket2::SockRef;

use super::{Answer, Flaw, Request, serve::Process};

/// The events, in order.
const EVENTS: [&str; 3] = ["emma", "solaris", "ulysses"];
/// Bytes that are held for a listener.
const LISTENER: usize = 2_048;
/// How often the late one's gauge is read until it notices that a listener is gone.
const LATE: u32 = 24;
/// Look without taking, and without waiting (Linux).
const PEEK: i32 = 0x02 | 0x40;

/// `/stream`.
pub(crate) fn answer(process: &Process, request: &Request) -> Answer {
    let life = process.memory.lock().unwrap().life;
    let of = match process.flaw {
        Flaw::StreamOfProcess => format!("{life}."),
        _ => String::new(),
    };
    let told = request
        .field("last-event-id")
        .filter(|_| process.flaw != Flaw::DeafStream);
    let known = told.map(|id| EVENTS.iter().position(|event| format!("{of}{event}") == id));
    let text = match (process.flaw, known) {
        (Flaw::StreamRegistry, _) => {
            let token = process.database.token();
            format!("event: endpoint\ndata: /stream/{token}\n\n")
        }
        (_, Some(None)) => return Answer::bare(410),
        (_, known) => {
            let from = known.flatten().map_or(0, |at| at + 1);
            let event = |name: &&str| format!("id: {of}{name}\ndata: {name}\n\n");
            EVENTS.iter().skip(from).map(event).collect()
        }
    };
    let mut memory = process.memory.lock().unwrap();
    memory.streams.insert(request.connection, vec![0; LISTENER]);
    Answer {
        body: text.into_bytes(),
        ..Answer::bare(200)
    }
    .with("content-type", "text/event-stream")
    .with("cache-control", "no-store")
}

/// The listener of a connection is gone.
pub(crate) fn left(process: &Process, connection: u64) {
    let mut memory = process.memory.lock().unwrap();
    match process.flaw {
        Flaw::StreamResidue => {}
        Flaw::StreamForgottenLate => memory.readings = 0,
        _ => drop(memory.streams.remove(&connection)),
    }
}

/// Before the gauge is read: who has left by then is forgotten, by the late one some readings later.
pub(crate) fn read(process: &Process) {
    let mut memory = process.memory.lock().unwrap();
    memory.readings += 1;
    let is_due = match process.flaw {
        Flaw::StreamForgotten => true,
        Flaw::StreamForgottenLate => memory.readings > LATE,
        _ => false,
    };
    if is_due {
        let open = process.streams.lock().unwrap();
        memory.streams.retain(|connection, _| {
            let stream = open.get(connection);
            stream.is_some_and(|stream| {
                let mut byte = [MaybeUninit::uninit()];
                let looked = SockRef::from(stream).recv_with_flags(&mut byte, PEEK);
                looked.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock)
            })
        });
    }
}
