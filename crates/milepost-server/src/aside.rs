//! Work on a request's bytes that may take long enough to hold up other requests: done on a thread
//! that may be busy, where there are many bytes, and here where there are few.

use bytes::Bytes;

use crate::{failure, refusal::Refusal};

/// Up to so many bytes are worked on at once: some hundreds of microseconds.
const BYTES_INLINE_MAX: usize = 128 * 1024;

/// Does work whose time grows with `bytes`.
pub(crate) async fn work<T, W>(bytes: &Bytes, work: W) -> Result<T, Refusal>
where
    T: Send + 'static,
    W: FnOnce(&[u8]) -> T + Send + 'static,
{
    if bytes.len() <= BYTES_INLINE_MAX {
        return Ok(work(bytes));
    }
    let bytes = bytes.clone();
    let done = tokio::task::spawn_blocking(move || work(&bytes)).await;
    done.map_err(|error| failure::internal_text(&error.to_string()))
}
