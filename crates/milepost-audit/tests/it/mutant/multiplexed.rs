//! The mutants over HTTP/2 without TLS: one runtime a connection, requests without bodies.

use std::net::TcpStream;

use bytes::Bytes;
use h2::server::SendResponse;

use super::{Answer, Flaw, Request, serve::Process};

/// Serves a connection until it ends.
pub(crate) fn serve(process: &Process, stream: TcpStream, connection: u64, source: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .unwrap();
    runtime.block_on(async {
        stream.set_nonblocking(true).unwrap();
        let stream = tokio::net::TcpStream::from_std(stream).unwrap();
        let mut builder = h2::server::Builder::new();
        if process.flaw == Flaw::ExtendedConnect {
            builder.enable_connect_protocol();
        }
        let Ok(mut shaken) = builder.handshake(stream).await else {
            return;
        };
        while let Some(Ok((head, respond))) = shaken.accept().await {
            let request = Request {
                connection,
                source: source.to_owned(),
                is_multiplexed: true,
                ..request(&head)
            };
            send(respond, &request, &process.answer(&request));
        }
    });
}

fn request(head: &http::Request<h2::RecvStream>) -> Request {
    let query = head.uri().query().unwrap_or_default().split('&');
    let pairs = query.filter_map(|pair| pair.split_once('='));
    let fields = head.headers().iter();
    Request {
        method: head.method().to_string(),
        path: head.uri().path().to_owned(),
        query: pairs
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect(),
        fields: fields
            .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
            .collect(),
        ..Request::default()
    }
}

fn send(mut respond: SendResponse<Bytes>, request: &Request, answer: &Answer) {
    let mut head = http::Response::builder().status(answer.status);
    for (name, value) in &answer.fields {
        head = head.header(name, value);
    }
    let is_empty = request.method == "HEAD" || answer.body.is_empty();
    let Ok(mut stream) = respond.send_response(head.body(()).unwrap(), is_empty) else {
        return;
    };
    if !is_empty {
        let _ = stream.send_data(Bytes::copy_from_slice(&answer.body), true);
    }
}
