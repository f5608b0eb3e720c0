//! Reading a listing to its end, page by page: what `curl` would do, following `next`.
//!
//! All pages of a listing show one moment, so nothing is missed or told twice in between. The last one
//! has `resume`: the link to come back with.

use milepost_semantics::wire::{ListPage, PageEnd, PageItem};
use milepost_sync::{
    HttpTransport, Request, Transport as _, Unanswered, Url, transport::HttpOptions,
    url::MalformedUrl,
};
use serde::de::DeserializeOwned;

/// What a listing told, and where to go on.
#[derive(Clone, Debug)]
pub struct Listing {
    /// What it told, in its order.
    pub items: Vec<PageItem>,
    /// The link to come back with, for what changed since: path and query.
    pub resume: String,
}

/// Why a listing can't be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadingError {
    /// The link is none.
    #[error(transparent)]
    Link(#[from] MalformedUrl),
    /// No answer.
    #[error("{url} does not answer")]
    Unanswered {
        /// What was asked for.
        url: String,
        /// Why.
        source: Unanswered,
    },
    /// Another answer than a page.
    #[error("{url} answered {status}, not with a page of a listing")]
    NoPage {
        /// What was asked for.
        url: String,
        /// The answer's status.
        status: u16,
    },
    /// A resource isn't what it should be.
    #[error("{href} can't be read")]
    Value {
        /// The resource.
        href: String,
        /// What is wrong with it.
        source: serde_json::Error,
    },
}

/// What carries requests to a URL: not by a proxy where that is on this machine.
#[must_use]
pub fn transport(url: &Url) -> HttpTransport {
    HttpTransport::new(HttpOptions {
        is_direct: url.is_loopback(),
        ..HttpOptions::default()
    })
}

impl Listing {
    /// Reads a listing, or what changed since one, to its end.
    ///
    /// # Errors
    /// Where a page is no page, or doesn't come.
    pub fn read(url: &str) -> Result<Self, ReadingError> {
        let mut url = Url::parse(url)?;
        let mut transport = transport(&url);
        let mut items = Vec::new();
        loop {
            let page = page(&mut transport, &url)?;
            let end = page.end();
            items.extend(page.items);
            match end {
                PageEnd::Next(next) => url = url.join(&next)?,
                PageEnd::Resume(resume) => return Ok(Self { items, resume }),
                PageEnd::Closed => {
                    let (url, status) = (url.to_string(), 200);
                    return Err(ReadingError::NoPage { url, status });
                }
            }
        }
    }

    /// The ids and values of what it told to be there.
    ///
    /// # Errors
    /// [`ReadingError::Value`] names the first that isn't a `T`.
    pub fn values<T: DeserializeOwned>(&self) -> Result<Vec<(String, T)>, ReadingError> {
        let mut values = Vec::with_capacity(self.items.len());
        for item in &self.items {
            let PageItem::Live {
                id, href, value, ..
            } = item
            else {
                continue;
            };
            let value = serde_json::from_str(value.get()).map_err(|source| {
                let href = href.clone();
                ReadingError::Value { href, source }
            })?;
            values.push((id.clone(), value));
        }
        Ok(values)
    }
}

fn page(transport: &mut HttpTransport, url: &Url) -> Result<ListPage, ReadingError> {
    let answer = transport.send(&Request::get(url.clone()));
    let answer = answer.map_err(|source| ReadingError::Unanswered {
        url: url.to_string(),
        source,
    })?;
    let page = serde_json::from_slice(&answer.body).ok();
    page.filter(|_| answer.status == 200)
        .ok_or_else(|| ReadingError::NoPage {
            url: url.to_string(),
            status: answer.status,
        })
}
