//! For applications that have routes of their own beside the service's: the same store, the same
//! problem documents, the same URLs.
//!
//! An application mounts the service as the fallback of its own router, takes the store from
//! [`Service::store`], and answers what goes wrong as the service would. `examples/mount.rs` shows it.

use std::pin::pin;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::BodyExt as _;
use milepost_semantics::{Issue, Problem, ProblemType, problem::Part};
use milepost_store::{ReadError, Rejected, ResourceKey, WriteError};
use serde_json::Value;

use crate::{
    Body, Service, edge, failure, href,
    intake::{self, Interrupted},
    media,
    refusal::Refusal,
    resource, transaction,
};

impl Service {
    /// A problem document as the service's own: with its type's URL and an instance of its own, not
    /// to be cached.
    #[must_use]
    pub fn problem(&self, problem: Problem) -> Response<Body> {
        Refusal::from(problem).into_response(self.base())
    }

    /// What is answered where a read fails.
    #[must_use]
    pub fn read_error(&self, error: ReadError) -> Response<Body> {
        failure::of_read(self.shared(), error).into_response(self.base())
    }

    /// What is answered where a write's fate is not an outcome: 503.
    #[must_use]
    pub fn write_error(&self, error: WriteError) -> Response<Body> {
        failure::of_write(error).into_response(self.base())
    }

    /// What is answered where a transaction does not hold: `keys` are the resources of its
    /// operations, in their order.
    #[must_use]
    pub fn rejected(&self, keys: &[ResourceKey], rejected: Rejected) -> Response<Body> {
        transaction::rejected(self.shared(), keys, rejected).into_response(self.base())
    }

    /// The URL of a resource, path-absolute.
    #[must_use]
    pub fn href(&self, key: &ResourceKey) -> String {
        href::resource(self.base(), key)
    }

    /// Takes in a POST to a route of the application's own as the service takes in those to its
    /// collections: names of the host, fields, media type, size and time of the content, strict JSON.
    ///
    /// # Errors
    /// The problem document that says what is wrong, and where.
    pub async fn posted<B>(&self, request: Request<B>) -> Result<Value, Box<Response<Body>>>
    where
        B: http_body::Body<Data = Bytes> + Send,
    {
        let (request, body) = request.into_parts();
        let shared = self.shared();
        let taken = async {
            edge::check(shared, &request)?;
            media::require_json_posted(&request.headers)?;
            let body = pin!(body.map_err(|_broken| Interrupted));
            let limits = &shared.limits;
            let bytes = intake::read(shared, &request, body, limits.resource_bytes_max).await?;
            resource::parse(&bytes, limits.depth_max)
        };
        let taken: Result<Value, Refusal> = taken.await;
        taken.map_err(|refusal| Box::new(refusal.into_response(self.base())))
    }

    /// Reads strict JSON within the service's limits, as it does itself.
    ///
    /// # Errors
    /// The problem document that says what is wrong, and where.
    pub fn parse_json(&self, bytes: &[u8]) -> Result<Value, Box<Response<Body>>> {
        let parsed = resource::parse(bytes, self.limits().depth_max);
        parsed.map_err(|refusal| Box::new(refusal.into_response(self.base())))
    }

    /// 400 for a member of a request's document that can't be used. `pointer` is a JSON pointer.
    #[must_use]
    pub fn bad_member(&self, pointer: &str, detail: &str) -> Response<Body> {
        let issue = Issue::new(Part::Body, pointer, detail);
        self.problem(
            Problem::new(ProblemType::BadRequest, format!("{pointer}: {detail}")).with_issue(issue),
        )
    }
}
