//! Many who ask for the same at once cost the server one request.

use std::{
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpStream},
    thread,
};

use super::{
    cache::{Cache, Kind},
    origin::Origin,
    with_each_cache,
};

const CLIENTS: usize = 40;

with_each_cache! {
    those_who_ask_at_once_for_what_is_not_kept_cost_one_request
    those_who_wait_for_news_cost_one_held_request_and_are_all_told
}

fn those_who_ask_at_once_for_what_is_not_kept_cost_one_request(kind: Kind) {
    let mut origin = Origin::with_notes();
    let resume = origin.resume();
    origin.put("a", r#"{"owner":"ada"}"#);
    let cache = Cache::before(&origin, kind);
    // Nobody is answered before all have asked.
    origin.freeze();
    let asking = ask(cache.address(), &resume);
    origin.thaw();
    assert!(
        answers(asking)
            .iter()
            .all(|answer| answer.contains("\"id\":\"a\""))
    );
    assert_eq!(origin.count(&resume), 1);
}

fn those_who_wait_for_news_cost_one_held_request_and_are_all_told(kind: Kind) {
    let mut origin = Origin::with_notes();
    let waiting = format!("{}?wait=20", origin.resume());
    let cache = Cache::before(&origin, kind);
    let asking = ask(cache.address(), &waiting);
    origin.await_waits(1);
    origin.put("a", r#"{"owner":"ada"}"#);
    let answers = answers(asking);
    let told = answers
        .iter()
        .filter(|answer| answer.contains("\"id\":\"a\""))
        .count();
    assert_eq!(told, CLIENTS, "{answers:#?}");
    assert_eq!(origin.count(&waiting), 1);
}

/// Sends a request on each of many connections.
fn ask(cache: SocketAddr, target: &str) -> Vec<TcpStream> {
    let request = format!("GET {target} HTTP/1.1\r\nHost: {cache}\r\nConnection: close\r\n\r\n");
    let client = |_| {
        let mut stream = TcpStream::connect(cache).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream
    };
    (0..CLIENTS).map(client).collect()
}

fn answers(asking: Vec<TcpStream>) -> Vec<String> {
    let read = |mut stream: TcpStream| {
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let threads = asking
        .into_iter()
        .map(|stream| thread::spawn(move || read(stream)));
    let threads: Vec<_> = threads.collect();
    threads
        .into_iter()
        .map(|thread| thread.join().unwrap())
        .collect()
}
