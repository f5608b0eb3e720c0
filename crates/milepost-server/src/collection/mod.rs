//! A collection: its listing now or as of a position, and creating in it.
//!
//! A listing is a question written in a URL (or in the document of a QUERY), a page that answers it,
//! and the URLs that lead on. Nothing about a listing is kept: where it goes on stands in its `next`.

mod create;
pub(crate) mod cursor;
mod fill;
mod list;
mod page;
mod params;
mod query;
mod request;
mod select;

#[cfg(test)]
mod tests;

pub(crate) use self::{
    create::create,
    fill::fill,
    list::{Moment, list, malformed_query},
    page::link,
    params::Params,
    query::query,
    request::ListRequest,
    select::Selection,
};
