//! A listener that runs, and what its clients do.

use std::{convert::Infallible, future::Future, net::SocketAddr, time::Duration};

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;
use milepost_server::listen::{ListenOptions, Listener, Stopped, Tower, serve};
use tokio::{io::AsyncReadExt, net::TcpStream, sync::oneshot, task::JoinHandle};

pub(crate) type Answer = Response<Full<bytes::Bytes>>;

/// A listener that serves until it is stopped.
pub(crate) struct Running {
    pub(crate) addresses: Vec<SocketAddr>,
    stop: oneshot::Sender<()>,
    stopped: JoinHandle<Stopped>,
}

impl Running {
    pub(crate) fn start<F: Future<Output = Answer> + Send + 'static>(
        listener: Listener,
        options: ListenOptions,
        answer: impl Fn(Request<Incoming>) -> F + Clone + Send + 'static,
    ) -> Self {
        let addresses = listener.addresses();
        let (stop, shutdown) = oneshot::channel();
        let service = tower::service_fn(move |request| {
            let answered = answer(request);
            async move { Ok::<_, Infallible>(answered.await) }
        });
        let shutdown = async move {
            let _ = shutdown.await;
        };
        let stopped = tokio::spawn(serve(listener, Tower(service), options, shutdown));
        Self {
            addresses,
            stop,
            stopped,
        }
    }

    pub(crate) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.addresses[0]).await.unwrap()
    }

    pub(crate) async fn stop(self) -> Stopped {
        self.stop.send(()).unwrap();
        self.stopped.await.unwrap()
    }
}

pub(crate) async fn listener() -> Listener {
    Listener::bind(&["127.0.0.1:0".parse().unwrap()])
        .await
        .unwrap()
}

pub(crate) async fn path(request: Request<Incoming>) -> Answer {
    Response::new(Full::from(request.uri().path().to_owned()))
}

pub(crate) async fn until_closed(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A reset is as good an end as any.
    let _ = stream.read_to_end(&mut bytes).await;
    String::from_utf8_lossy(&bytes).into_owned()
}

pub(crate) async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut text = String::new();
    while !text.ends_with(end) {
        let byte = stream
            .read_u8()
            .await
            .unwrap_or_else(|_| panic!("{end:?} never came: {text:?}"));
        text.push(char::from(byte));
    }
    text
}

/// Long enough for one machine to answer itself; short enough to wait for.
pub(crate) const SHORT: Duration = Duration::from_millis(40);
