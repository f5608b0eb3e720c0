//! Nothing is sent to an address that is not loopback unless somebody says so, whatever a service
//! links to or redirects to; and not more than was allowed.

use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use milepost_audit::{AuditError, Limits, Options, Verdict, audit};

use crate::mutant::{Flaw, Mutant};

#[test]
fn an_address_that_is_not_loopback_is_refused_before_anything_is_sent() {
    for url in [
        "http://192.0.2.1/",
        "http://10.0.0.1:8080/",
        "http://[2001:db8::1]/",
        "http://169.254.169.254/latest",
    ] {
        let options = Options {
            url: url.to_owned(),
            ..Options::default()
        };
        match audit(&options, |_| {}) {
            Err(AuditError::Usage(message)) => {
                assert!(message.contains("--i-operate-this-host"), "{message}")
            }
            other => panic!("{url}: {other:?}"),
        }
    }
}

#[test]
fn a_replica_that_is_not_loopback_is_refused_too() {
    let mutant = Mutant::start(Flaw::None, 1);
    let replicas = vec!["http://192.0.2.1/".to_owned()];
    let options = Options {
        url: mutant.urls[0].clone(),
        replicas,
        ..Options::default()
    };
    assert!(matches!(audit(&options, |_| {}), Err(AuditError::Usage(_))));
    assert_eq!(mutant.requests(), 0);
}

#[test]
fn links_redirects_and_cursors_to_other_hosts_are_never_followed() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let elsewhere = other.local_addr().unwrap();
    let visits = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&visits);
    thread::spawn(move || {
        for _ in other.incoming() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let body = format!(
        r#"{{"next":"http://{elsewhere}/next","href":"//{elsewhere}/x","items":["http://192.0.2.1/y"]}}"#
    );
    let answer = format!(
        "HTTP/1.1 200 OK\r\nlocation: http://{elsewhere}/l\r\nlink: <http://{elsewhere}/n>; rel=next\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
        }
    });
    let report = audit(
        &Options {
            url,
            ..Options::default()
        },
        |_| {},
    )
    .unwrap();
    assert_ne!(report.verdict(), Verdict::Stateful);
    assert_eq!(visits.load(Ordering::SeqCst), 0, "somebody else was asked");
}

#[test]
fn without_a_sandbox_only_safe_methods_are_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let unsafe_requests = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&unsafe_requests);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = [0; 4096];
            let count = stream.read(&mut head).unwrap_or(0);
            let text = String::from_utf8_lossy(&head[..count]).into_owned();
            // HTTP/2 begins with PRI; what is sent then is a GET.
            let is_safe = ["GET ", "HEAD ", "OPTIONS ", "PRI "]
                .iter()
                .any(|method| text.starts_with(method));
            counted.fetch_add(usize::from(!is_safe && count > 0), Ordering::SeqCst);
            let _ = stream
                .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}");
        }
    });
    audit(
        &Options {
            url,
            ..Options::default()
        },
        |_| {},
    )
    .unwrap();
    assert_eq!(unsafe_requests.load(Ordering::SeqCst), 0);
}

#[test]
fn a_run_sends_no_more_requests_than_it_may() {
    let mutant = Mutant::start(Flaw::None, 1);
    let limits = Limits {
        requests_max: 60,
        ..Limits::default()
    };
    let report = audit(
        &Options {
            url: mutant.urls[0].clone(),
            limits,
            ..Options::default()
        },
        |_| {},
    )
    .unwrap();
    assert!(mutant.requests() <= 60);
    assert_eq!(report.verdict(), Verdict::Inconclusive);
    assert!(
        report
            .not_shown()
            .any(|(_, reason)| reason.contains("60 requests"))
    );
}
