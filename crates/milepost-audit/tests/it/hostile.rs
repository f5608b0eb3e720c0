//! Services that hang, close, send garbage, stream for ever or redirect in circles: a run ends in
//! time, with a sentence that says what happened.

use std::{
    io::{Read as _, Write as _},
    net::{TcpListener, TcpStream},
    thread,
    time::Duration,
};

use milepost_audit::{AuditError, Limits, Options, Verdict, audit};

/// A service that does this with every connection.
fn service(act: fn(TcpStream)) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || act(stream));
        }
    });
    url
}

fn options(url: String) -> Options {
    let limits = Limits {
        exchange: Duration::from_millis(300),
        run: Duration::from_secs(20),
        ..Limits::default()
    };
    Options {
        url,
        limits,
        ..Options::default()
    }
}

fn heard(stream: &mut TcpStream) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count == 1) {
        request.extend(byte);
    }
}

fn refusal(act: fn(TcpStream)) -> String {
    match audit(&options(service(act)), |_| {}) {
        Err(AuditError::Unreachable { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_service_that_hangs_is_left_in_time() {
    let reason = refusal(|mut stream| {
        heard(&mut stream);
        let _ = stream.read(&mut [0]);
    });
    assert!(reason.contains("no whole answer within"), "{reason}");
}

#[test]
fn a_service_that_closes_is_told() {
    let reason = refusal(drop);
    assert!(reason.contains("closed before"), "{reason}");
}

#[test]
fn garbage_is_told_as_garbage() {
    let reason = refusal(|mut stream| {
        heard(&mut stream);
        let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.9\r\n\r\n");
    });
    assert!(reason.contains("not HTTP/1.1"), "{reason}");
}

#[test]
fn nobody_listening_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    let refused = audit(&options(url), |_| {});
    assert!(
        matches!(refused, Err(AuditError::Unreachable { reason, .. }) if reason.contains("can't connect"))
    );
}

#[test]
fn an_answer_that_never_ends_is_inconclusive() {
    let url = service(|mut stream| {
        heard(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n");
        while stream.write_all(&[b' '; 1024]).is_ok() {}
    });
    let report = audit(&options(url), |_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Inconclusive);
}

#[test]
fn redirects_in_circles_are_inconclusive() {
    let url = service(|mut stream| {
        heard(&mut stream);
        let _ = stream.write_all(
            b"HTTP/1.1 302 Found\r\nlocation: /\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        );
    });
    let report = audit(&options(url), |_| {}).unwrap();
    assert_eq!(report.verdict(), Verdict::Inconclusive);
}
