//! Links in answers: `Link` and `Location`, URLs in JSON, `href` in HTML.

use milepost_semantics::link::Link;
use serde_json::Value;

use crate::http::Response;

/// JSON members whose values are references though they may not look like it.
const REFERENCES: &[&str] = &[
    "href", "url", "next", "prev", "previous", "self", "resume", "first", "last",
];
/// Where documents keep the reference to the next page, as JSON pointers.
const NEXT: &[&str] = &[
    "/next",
    "/nextLink",
    "/@odata.nextLink",
    "/next_page_url",
    "/nextPage",
    "/links/next",
    "/_links/next/href",
    "/links/next/href",
    "/meta/next",
    "/paging/next",
    "/pagination/next",
    "/next/href",
];
/// References that are read from one answer.
const LINKS_MAX: usize = 500;

/// Every reference in an answer, unresolved, in order, each once.
pub(crate) fn all(response: &Response) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(response.fields.first("location").map(str::to_owned));
    found.extend(fields(response).into_iter().map(|link| link.target));
    match response.json() {
        Some(value) => in_json("", &value, &mut found),
        None if response.media_type().contains("html") => in_html(&response.text(), &mut found),
        None => {}
    }
    let mut seen = std::collections::HashSet::new();
    found.retain(|reference| !reference.contains(['{', '}']) && seen.insert(reference.clone()));
    found.truncate(LINKS_MAX);
    found
}

/// The reference of a relation: from `Link`, or where JSON documents commonly keep it.
pub(crate) fn named(response: &Response, relation: &str) -> Option<String> {
    let link = fields(response)
        .into_iter()
        .find(|link| link.has_rel(relation));
    if let Some(link) = link {
        return Some(link.target);
    }
    let document = response.json()?;
    let text = |pointer: &str| document.pointer(pointer)?.as_str().map(str::to_owned);
    let found = match relation {
        "next" => NEXT.iter().find_map(|pointer| text(pointer)),
        other => text(&format!("/{other}")).or_else(|| text(&format!("/_links/{other}/href"))),
    };
    found.filter(|reference| !reference.is_empty())
}

/// Whether `Link` has a relation.
pub(crate) fn linked(response: &Response, relation: &str) -> bool {
    fields(response).iter().any(|link| link.has_rel(relation))
}

fn fields(response: &Response) -> Vec<Link> {
    Link::from_headers(&response.fields.to_headers()).unwrap_or_default()
}

fn in_json(name: &str, value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                in_json(name, value, found);
            }
        }
        Value::Array(elements) => {
            for element in elements {
                in_json(name, element, found);
            }
        }
        Value::String(text) => {
            let looks = text.starts_with('/')
                || text.starts_with("http://")
                || text.starts_with("https://");
            if (looks || REFERENCES.contains(&name)) && !text.contains(char::is_whitespace) {
                found.push(text.clone());
            }
        }
        _ => {}
    }
}

fn in_html(text: &str, found: &mut Vec<String>) {
    for part in text.split("href=").skip(1) {
        let mut letters = part.chars();
        let value = match letters.next() {
            Some(quote @ ('"' | '\'')) => letters.as_str().split(quote).next(),
            _ => part.split([' ', '>']).next(),
        };
        found.extend(value.map(|value| value.replace("&amp;", "&")));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Fields;

    fn answer(media_type: &str, body: &str) -> Response {
        let fields = Fields::default()
            .with("content-type", media_type)
            .with("link", "</p2>; rel=\"next\"");
        Response {
            status: 200,
            fields,
            body: body.as_bytes().to_vec(),
            is_whole: true,
            unread: None,
        }
    }

    #[test]
    fn links_are_read_from_fields_json_and_html() {
        let json = answer(
            "application/json",
            r#"{"a":"/x","b":{"href":"y"},"c":"text","d":"/t/{id}"}"#,
        );
        assert_eq!(all(&json), ["/p2", "/x", "y"]);
        let html = answer("text/html", "<a href=\"/x?a&amp;b\">x</a><a href='y'>");
        assert_eq!(all(&html), ["/p2", "/x?a&b", "y"]);
    }

    #[test]
    fn the_next_page_is_found_in_fields_first_and_then_in_the_document() {
        assert_eq!(
            named(&answer("application/json", r#"{"next":"/p3"}"#), "next").as_deref(),
            Some("/p2")
        );
        let bare = Response {
            fields: Fields::default(),
            ..answer("application/json", r#"{"_links":{"next":{"href":"/p4"}}}"#)
        };
        assert_eq!(named(&bare, "next").as_deref(), Some("/p4"));
    }
}
