//! `/-/problems`: what each type of problem means and what to do about it, for people and programs.

use http::{HeaderValue, request::Parts};
use milepost_semantics::{ProblemType, problem::TYPE_PREFIX};
use serde_json::{Value, json};

use super::{
    document::{AN_HOUR, Document, JSON, negotiate},
    markdown::{self, Escaped},
};
use crate::{
    refusal::{Answer, Refusal},
    service::Shared,
};

const HTML: &str = "text/html";
const HTML_UTF8: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
const OFFERED: [&str; 2] = ["application/json", HTML];

/// Answers GET and HEAD of the list of all types.
pub(super) fn all(shared: &Shared, request: &Parts) -> Answer {
    let base = &shared.base;
    page(
        request,
        || {
            let types: Vec<_> = ProblemType::ALL
                .iter()
                .map(|kind| summary(base, *kind))
                .collect();
            json!({ "self": format!("{base}/-/problems"), "types": types })
        },
        || markdown::page("Problems", &list(base)),
    )
}

/// Answers GET and HEAD of one type.
pub(super) fn one(shared: &Shared, name: &str, request: &Parts) -> Answer {
    let Some(kind) = ProblemType::from_name(name) else {
        let detail = format!("there is no problem type {name:?}; /-/problems lists all");
        return Err(Refusal::not_found(detail));
    };
    let base = &shared.base;
    page(
        request,
        || {
            let mut document = summary(base, kind);
            if let Some(members) = document.as_object_mut() {
                members.insert("explanation".to_owned(), kind.explanation().into());
                members.insert("isTransient".to_owned(), kind.is_transient().into());
            }
            document
        },
        || markdown::page(kind.title(), &explanation(base, kind)),
    )
}

/// JSON for programs and whoever doesn't care, HTML for browsers, which do.
fn page(request: &Parts, json: impl FnOnce() -> Value, html: impl FnOnce() -> String) -> Answer {
    let chosen = negotiate(&request.headers, &OFFERED)?;
    let is_html = chosen.essence() == HTML;
    let document = Document {
        media_type: if is_html { HTML_UTF8 } else { JSON },
        freshness: AN_HOUR,
        links: None,
        is_negotiated: true,
    };
    let text = if is_html { html() } else { json().to_string() };
    let mut response = document.answer(request, text)?;
    if is_html {
        let fields = response.headers_mut();
        fields.insert(http::header::CONTENT_SECURITY_POLICY, markdown::PAGE_POLICY);
    }
    Ok(response)
}

fn summary(base: &str, kind: ProblemType) -> Value {
    json!({
        "type": format!("{TYPE_PREFIX}{}", kind.name()),
        "href": format!("{base}/-/problems/{}", kind.name()),
        "status": kind.status(),
        "title": kind.title(),
    })
}

fn list(base: &str) -> String {
    let rows = ProblemType::ALL.iter().map(|kind| {
        let (name, status) = (kind.name(), kind.status());
        let title = Escaped(kind.title());
        format!(
            "<tr><td>{status}</td><td><a href=\"{base}/-/problems/{name}\">{name}</a></td><td>{title}</td></tr>\n"
        )
    });
    format!(
        "<p>Every error of this service is a problem document (RFC 9457) of one of these types.</p>\n\
         <table>\n<caption>Types, by status</caption>\n\
         <thead><tr><th scope=\"col\">Status</th><th scope=\"col\">Type</th><th scope=\"col\">Meaning</th></tr></thead>\n\
         <tbody>\n{}</tbody>\n</table>\n",
        rows.collect::<String>()
    )
}

fn explanation(base: &str, kind: ProblemType) -> String {
    let (name, status) = (kind.name(), kind.status());
    let again = if kind.is_transient() {
        "The same request may succeed later without any change."
    } else {
        "The same request will not succeed later without a change."
    };
    format!(
        "<p><code>{TYPE_PREFIX}{name}</code>, answered with status {status}.</p>\n{}<p>{again}</p>\n\
         <p><a href=\"{base}/-/problems\">All types of problems</a></p>\n",
        markdown::paragraphs(kind.explanation())
    )
}
