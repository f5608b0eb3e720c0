//! Whether a form was sent by a page of another site.
//!
//! No cookie goes along with such a form, and without a flow's state it does nothing; but a state is no secret to whoever began
//! the flow, and a reader's browser may reach what the page's maker can't. So it is refused by what browsers say:
//! `Sec-Fetch-Site` (W3C Fetch Metadata), or else `Origin` (RFC 6454 §7). A flow's own pages have `Referrer-Policy: no-referrer`,
//! so their forms' `Origin` is `null`, or the page's own.

use http::{
    HeaderMap,
    header::{HOST, ORIGIN},
    request::Parts,
};
use milepost_semantics::ProblemType;

use crate::refusal::Refusal;

/// Refuses a form of another site's page.
pub(super) fn refuse(request: &Parts) -> Result<(), Refusal> {
    if !is_foreign(request) {
        return Ok(());
    }
    let detail = "the form is on a page of another site: open the flow here, and answer there";
    Err(Refusal::new(ProblemType::ForeignForm, detail))
}

fn is_foreign(request: &Parts) -> bool {
    let fields = &request.headers;
    if let Some(site) = text(fields, "sec-fetch-site") {
        return !matches!(site, "same-origin" | "none");
    }
    let Some(origin) = text(fields, ORIGIN.as_str()) else {
        return false;
    };
    let authority = request.uri.authority().map(http::uri::Authority::as_str);
    let host = authority.or_else(|| text(fields, HOST.as_str()));
    let own = origin.split_once("://").map(|(_scheme, host)| host);
    origin != "null" && own != host
}

fn text<'r>(fields: &'r HeaderMap, name: &str) -> Option<&'r str> {
    fields.get(name)?.to_str().ok()
}
