//! Credentials in a URL: `access_token` in the query (RFC 6750 §2.3), for grants alone.
//!
//! Taken out of the URL before anything else sees it, so that they stand in no log, no link and no redirect.

use std::borrow::Cow;

use http::{Uri, request::Parts, uri::PathAndQuery};
use percent_encoding::percent_decode_str;

use super::grant::URL_NAME;

/// What was taken out of a request's URL; an extension of the request.
#[derive(Clone, Debug)]
pub(super) struct Linked(pub(super) Vec<String>);

/// Takes credentials out of the URL, where there are some.
pub(crate) fn take(request: &mut Parts) {
    let Some(query) = request.uri.query() else {
        return;
    };
    let (taken, kept): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| is_ours(pair));
    if taken.is_empty() {
        return;
    }
    let value = |pair: &&str| {
        pair.split_once('=')
            .map_or("", |(_, value)| value)
            .to_owned()
    };
    let linked = Linked(taken.iter().map(value).collect());
    let path = request.uri.path();
    let target = if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    };
    if let Ok(uri) = with_target(&request.uri, &target) {
        request.uri = uri;
    }
    request.extensions.insert(linked);
}

/// A query without the values of credentials, for logs: where a service believes nobody, none are taken out.
pub(crate) fn redacted(query: &str) -> Cow<'_, str> {
    if !query.split('&').any(is_ours) {
        return query.into();
    }
    let pairs = query.split('&').map(|pair| {
        if is_ours(pair) {
            format!("{URL_NAME}=redacted").into()
        } else {
            Cow::from(pair)
        }
    });
    pairs.collect::<Vec<_>>().join("&").into()
}

/// However its name is encoded.
fn is_ours(pair: &str) -> bool {
    let name = pair.split('=').next().unwrap_or_default();
    name == URL_NAME || name.contains('%') && percent_decode_str(name).eq(URL_NAME.bytes())
}

fn with_target(uri: &Uri, target: &str) -> Result<Uri, http::Error> {
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(target)?);
    Ok(Uri::from_parts(parts)?)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    #[test]
    fn credentials_leave_the_url_and_nothing_else_does() {
        let taken = |uri: &str| {
            let (mut request, ()) = Request::builder().uri(uri).body(()).unwrap().into_parts();
            take(&mut request);
            let linked = request.extensions.get::<Linked>();
            let linked = linked.map(|linked| linked.0.join(" "));
            (request.uri.to_string(), linked)
        };
        let some = |uri: &str, linked: &str| (uri.to_owned(), Some(linked.to_owned()));
        assert_eq!(taken("/v1/a?access_token=x"), some("/v1/a", "x"));
        assert_eq!(
            taken("/v1/a?b=1&access_token=x&c"),
            some("/v1/a?b=1&c", "x")
        );
        assert_eq!(
            taken("http://h/a?access_token=x&access%5Ftoken=y"),
            some("http://h/a", "x y")
        );
        assert_eq!(taken("/a?access_token"), some("/a", ""));
        for none in ["/a?no_access_token=x", "/a", "/a?b%5F=1"] {
            assert_eq!(taken(none), (none.to_owned(), None));
        }
    }

    #[test]
    fn a_query_is_logged_without_credentials() {
        assert_eq!(redacted("a=1&b"), "a=1&b");
        assert_eq!(
            redacted("a=1&%61ccess_token=secret&b"),
            "a=1&access_token=redacted&b"
        );
    }
}
