//! Listings, page by page: follows `next` until there is none.
//!
//! A listing in default order is a snapshot: all its pages show the state at one position, however
//! long the following takes.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{client::Client, exit::Failure};

/// What may stand in a query unencoded: unreserved characters, and those that read better so.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b':')
    .remove(b',');

/// One page.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// The resources on it.
    pub(crate) items: Vec<Item>,
    /// Where the next page is, if there is one.
    #[serde(default)]
    pub(crate) next: Option<String>,
    /// How many there are in all, if that was asked for.
    #[serde(default)]
    pub(crate) total: Option<u64>,
}

/// One resource on a page.
#[derive(Debug, Deserialize)]
pub(crate) struct Item {
    /// Its path.
    pub(crate) href: String,
    /// Its id.
    pub(crate) id: String,
    /// Its entity tag.
    #[serde(default)]
    pub(crate) etag: Option<String>,
    /// Its representation, byte for byte.
    #[serde(default)]
    pub(crate) value: Option<Box<RawValue>>,
}

/// The pages of a listing, from a URL on.
#[derive(Debug)]
pub(crate) struct Pages<'a> {
    client: &'a Client,
    url: Option<String>,
}

impl<'a> Pages<'a> {
    /// The pages from this one on.
    pub(crate) fn from(client: &'a Client, url: String) -> Self {
        Self {
            client,
            url: Some(url),
        }
    }

    /// The next page; `None` after the last.
    pub(crate) fn advance(&mut self) -> Result<Option<Page>, Failure> {
        let Some(url) = self.url.take() else {
            return Ok(None);
        };
        let answer = self.client.fetch(&url)?;
        let page: Page = serde_json::from_slice(&answer.body).map_err(|error| {
            Failure::failed(format!("{} is no page of a listing: {error}", answer.url))
        })?;
        self.url = page
            .next
            .as_deref()
            .map(|next| self.client.url(next))
            .transpose()?;
        Ok(Some(page))
    }
}

/// A query of these keys and values, with its `?`; empty where there are none.
pub(crate) fn query(pairs: &[(String, String)]) -> String {
    let mut query = String::new();
    for (key, value) in pairs {
        query.push(if query.is_empty() { '?' } else { '&' });
        query.extend(utf8_percent_encode(key, QUERY));
        query.push('=');
        query.extend(utf8_percent_encode(value, QUERY));
    }
    query
}

/// The path of a collection given as `books`, `books/solaris/reviews`, or `books.reviews` for the
/// reviews of all books.
pub(crate) fn collection_path(collection: &str) -> String {
    match collection.contains('/') {
        true => collection.trim_end_matches('/').to_owned(),
        false => collection.replace('.', "/-/"),
    }
}

/// What a path of resources names: the dotted collection, and the parents' ids.
///
/// `books/solaris/reviews/r1` is `books.reviews`, `[solaris]`, `r1`; `None` for other paths.
pub(crate) fn taken_apart(path: &str) -> Option<(String, Vec<String>, String)> {
    let segments: Vec<&str> = path.split('/').collect();
    let (pairs, rest) = segments.as_chunks::<2>();
    let ((_, id), parents) = pairs
        .split_last()
        .map(|([name, id], rest)| ((name, id), rest))?;
    if !rest.is_empty() {
        return None;
    }
    let collection: Vec<&str> = pairs.iter().map(|[name, _]| *name).collect();
    let parents = parents.iter().map(|[_, id]| (*id).to_owned()).collect();
    Some((collection.join("."), parents, (*id).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_keeps_what_reads_well_and_encodes_what_would_mean_something_else() {
        let pairs = [
            ("city".into(), "eq:Ås & more".into()),
            ("select".into(), "a,b".into()),
        ];
        assert_eq!(query(&pairs), "?city=eq:%C3%85s%20%26%20more&select=a,b");
        assert_eq!(query(&[]), "");
    }

    #[test]
    fn a_dotted_name_means_the_children_of_all_parents() {
        assert_eq!(collection_path("books"), "books");
        assert_eq!(collection_path("books.reviews"), "books/-/reviews");
        assert_eq!(
            collection_path("books/solaris/reviews/"),
            "books/solaris/reviews"
        );
    }

    #[test]
    fn a_resource_path_names_collection_parents_and_id() {
        let parts = |c: &str, p: &[&str], id: &str| {
            Some((
                c.to_owned(),
                p.iter().map(ToString::to_string).collect(),
                id.to_owned(),
            ))
        };
        assert_eq!(taken_apart("books/a"), parts("books", &[], "a"));
        assert_eq!(
            taken_apart("books/a/reviews/r"),
            parts("books.reviews", &["a"], "r")
        );
        assert_eq!(taken_apart("books"), None);
    }
}
