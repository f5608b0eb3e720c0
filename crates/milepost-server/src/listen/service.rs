//! What a listener can serve, in one name.

use std::{convert::Infallible, error::Error};

use http::{Request, Response};
use http_body::Body;
use hyper::body::Incoming;
use tower::ServiceExt;

use super::Connection;
use crate::Service;

/// What answers every request on every connection: all that [`serve`](super::serve) asks for.
pub trait HttpService: Clone + Send + 'static {
    /// The response's body.
    type Body: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static;

    /// Answers one request, which came on that connection.
    fn answer(
        self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> impl Future<Output = Response<Self::Body>> + Send + 'static;
}

impl HttpService for Service {
    type Body = crate::Body;

    async fn answer(
        self,
        request: Request<Incoming>,
        connection: Connection,
    ) -> Response<Self::Body> {
        self.respond_on(request, Some(connection)).await
    }
}

/// Any tower service that never fails, such as an application's router. It finds the [`Connection`]
/// among the request's extensions.
#[derive(Clone, Debug)]
pub struct Tower<S>(pub S);

impl<S, B> HttpService for Tower<S>
where
    S: tower::Service<Request<Incoming>, Response = Response<B>, Error = Infallible>
        + Clone
        + Send
        + 'static,
    S::Future: Send + 'static,
    B: Body<Data: Send, Error: Into<Box<dyn Error + Send + Sync>>> + Send + Unpin + 'static,
{
    type Body = B;

    fn answer(
        self,
        mut request: Request<Incoming>,
        connection: Connection,
    ) -> impl Future<Output = Response<B>> + Send + 'static {
        request.extensions_mut().insert(connection);
        let answered = self.0.oneshot(request);
        async move {
            match answered.await {
                Ok(response) => response,
                Err(never) => match never {},
            }
        }
    }
}
