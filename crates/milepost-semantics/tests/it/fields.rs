//! The header fields beside the conditional ones: read leniently where the RFCs say so, written
//! canonically.

use http::HeaderMap;
use http::header::{ACCEPT, ACCEPT_ENCODING, CACHE_CONTROL, HeaderName, HeaderValue, LINK};
use milepost_semantics::caching::{CacheControl, RequestCacheControl, Visibility};
use milepost_semantics::digest::{
    DigestAlgorithm, REPR_DIGEST, WANT_REPR_DIGEST, digest_value, digests, wanted_digest,
};
use milepost_semantics::link::Link;
use milepost_semantics::negotiation::{Accept, AcceptEncoding, vary};
use milepost_semantics::prefer::{Handling, PREFER, Preferences, Return};
use milepost_semantics::trace::{TRACEPARENT, TraceParent};
use milepost_semantics::{Coding, MediaType};

fn headers(field: &HeaderName, lines: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for line in lines {
        headers.append(
            field.clone(),
            HeaderValue::from_bytes(line.as_bytes()).unwrap(),
        );
    }
    headers
}

fn text(value: Option<HeaderValue>) -> String {
    value.map_or_else(
        || "(none)".to_owned(),
        |value| value.to_str().unwrap().to_owned(),
    )
}

#[test]
fn cache_control_is_written_in_one_order() {
    let mut control = CacheControl::fresh(Visibility::Public, 1);
    control.stale_while_revalidate = Some(5);
    assert_eq!(
        control.to_string(),
        "public, max-age=1, stale-while-revalidate=5"
    );
    let fixed = CacheControl::immutable(Visibility::Private);
    assert_eq!(fixed.to_string(), "private, max-age=31536000, immutable");
    assert_eq!(text(CacheControl::no_store().to_header_value()), "no-store");
    assert_eq!(
        CacheControl::no_cache(Visibility::Public).to_string(),
        "public, no-cache"
    );
    assert_eq!(text(CacheControl::default().to_header_value()), "(none)");
    let all = CacheControl {
        no_transform: true,
        must_revalidate: true,
        shared_max_age: Some(2),
        stale_if_error: Some(3),
        ..CacheControl::default()
    };
    assert_eq!(
        all.to_string(),
        "no-transform, must-revalidate, s-maxage=2, stale-if-error=3"
    );
}

#[test]
fn a_requests_cache_control_is_understood_as_far_as_it_is_known() {
    let read = |lines: &[&str]| RequestCacheControl::from_headers(&headers(&CACHE_CONTROL, lines));
    assert_eq!(read(&[]), RequestCacheControl::default());
    let control = read(&[
        "No-Cache, ext=\"no-store, x\", max-age=60",
        ",, only-if-cached",
    ]);
    assert!(control.no_cache && control.only_if_cached && !control.no_store);
    assert_eq!(control.max_age, Some(60));
    assert_eq!(read(&["max-age=\"7\""]).max_age, Some(7));
    assert_eq!(read(&["max-age=soon"]).max_age, Some(0));
    assert_eq!(read(&["max-age=99999999999"]).max_age, Some(u32::MAX));
    assert!(read(&["=;=, \u{e9}, no-store"]) == RequestCacheControl::default());
    assert!(read(&["=;=, no-store"]).no_store);
}

#[test]
fn links_survive_writing_and_reading() {
    let mut quoted = Link::new("/v1/a?x=<\">", "next").with_title("a \"b\" \\ c, d; e");
    quoted.params.push(("anchor".to_owned(), "#x y".to_owned()));
    let links = vec![
        quoted,
        Link::new("/v1/openapi.json", "service-desc describedby").with_type("application/json"),
        Link::new("", "urn:milepost:resume"),
    ];
    let value = Link::to_header_value(&links).unwrap();
    let read = Link::from_headers(&headers(&LINK, &[value.to_str().unwrap()])).unwrap();
    assert_eq!(read[0].target, "/v1/a?x=%3C%22%3E");
    assert_eq!(read[0].title, links[0].title);
    assert_eq!(read[0].params, links[0].params);
    assert_eq!(read[1..], links[1..]);
    assert!(read[1].has_rel("ServiCe-desc") && !read[1].has_rel("service"));
    assert_eq!(Link::to_header_value(&[]), None);
}

#[test]
fn a_link_field_is_written_as_the_rfc_shows() {
    let link = Link::new("/v1/b", "next")
        .with_title("B")
        .with_type("text/html");
    assert_eq!(
        link.to_string(),
        "</v1/b>; rel=\"next\"; title=\"B\"; type=\"text/html\""
    );
}

#[test]
fn of_a_repeated_link_parameter_the_first_counts() {
    let lines = [
        "<a>; rel=next; REL=prev; title=x; title=y",
        " , <b,c>;rel=\"prev\" , ",
    ];
    let read = Link::from_headers(&headers(&LINK, &lines)).unwrap();
    assert_eq!(read.len(), 2);
    assert_eq!(
        (read[0].rel.as_str(), read[0].title.as_deref()),
        ("next", Some("x"))
    );
    assert_eq!(read[1].target, "b,c");
}

#[test]
fn a_malformed_link_is_an_error_and_an_absent_one_is_none() {
    assert_eq!(Link::from_headers(&HeaderMap::new()).unwrap(), []);
    for bad in [
        "a; rel=next",
        "<a; rel=next",
        "<a> rel=next",
        "<a>; rel=\"next",
        "<a>;rel=a b",
    ] {
        assert!(
            Link::from_headers(&headers(&LINK, &[bad])).is_err(),
            "{bad}"
        );
    }
}

#[test]
fn preferences_are_read_with_quotes_parameters_and_repetitions() {
    let read = |lines: &[&str]| Preferences::from_headers(&headers(&PREFER, lines));
    assert_eq!(read(&[]), Preferences::default());
    let preferences = read(&[
        "Return = \"minimal\"; foo=\"a,b\" ; x, wait=20",
        "return=representation",
    ]);
    assert_eq!(preferences.returns, Some(Return::Minimal));
    assert_eq!(preferences.wait_seconds, Some(20));
    assert_eq!(preferences.unrecognized, Vec::<String>::new());
    let strict = read(&["handling=strict, wait=1, HANDLING=lenient, wait=999999999999"]);
    assert_eq!(
        (strict.handling, strict.wait_seconds),
        (Some(Handling::Strict), Some(1))
    );
    assert_eq!(read(&["wait=999999999999"]).wait_seconds, Some(u32::MAX));
}

#[test]
fn preferences_nobody_knows_are_named_and_harm_no_other() {
    let lines = ["respond-async, return=all; a=\"x,y\", =bad \"a,b\", wait=-1, handling=lenient"];
    let preferences = Preferences::from_headers(&headers(&PREFER, &lines));
    assert_eq!(preferences.handling, Some(Handling::Lenient));
    let unrecognized = [
        "respond-async",
        "return=all; a=\"x,y\"",
        "=bad \"a,b\"",
        "wait=-1",
    ];
    assert_eq!(preferences.unrecognized, unrecognized);
}

#[test]
fn preference_applied_says_what_was_honoured() {
    let applied = Preferences {
        returns: Some(Return::Representation),
        handling: Some(Handling::Strict),
        wait_seconds: Some(20),
        unrecognized: vec!["x".to_owned()],
    };
    let value = text(applied.to_applied_value());
    assert_eq!(value, "return=representation, handling=strict, wait=20");
    assert_eq!(text(Preferences::default().to_applied_value()), "(none)");
}

fn chosen_type(accept: &[&str], offered: &[&str]) -> Option<String> {
    let offered: Vec<MediaType> = offered.iter().map(|media| media.parse().unwrap()).collect();
    let accept = Accept::from_headers(&headers(&ACCEPT, accept)).unwrap();
    accept.choose(&offered).map(MediaType::to_string)
}

#[test]
fn accept_chooses_by_weight_then_closeness_then_the_servers_order() {
    let offered = ["application/json", "text/html"];
    let check = |accept: &[&str], expected: Option<&str>| {
        assert_eq!(
            chosen_type(accept, &offered).as_deref(),
            expected,
            "{accept:?}"
        );
    };
    check(&[], Some("application/json"));
    check(&[""], Some("application/json"));
    check(&["*/*"], Some("application/json"));
    check(&["text/html, application/json"], Some("application/json"));
    check(&["text/html, application/json;q=0.9"], Some("text/html"));
    check(
        &["text/*;q=0.9", "application/JSON;q=0.8"],
        Some("text/html"),
    );
    check(&["*/*;q=0.5, application/json;q=0"], Some("text/html"));
    check(
        &["text/*, text/html;q=0.1, application/*;q=0.5"],
        Some("application/json"),
    );
    check(
        &["application/json; charset=UTF-8"],
        Some("application/json"),
    );
    check(&["application/json;version=2"], None);
    check(
        &["application/json;q=0.5;version=2"],
        Some("application/json"),
    );
    check(&["image/png"], None);
    check(&["application/json;q=0.000"], None);
}

#[test]
fn the_example_of_rfc_9110_12_5_1_gives_its_weights() {
    let field = "text/*;q=0.3, text/plain;q=0.7, text/plain;format=flowed, \
                 text/plain;format=fixed;q=0.4, */*;q=0.5";
    let accept = Accept::from_headers(&headers(&ACCEPT, &[field])).unwrap();
    let table = [
        ("text/plain;format=flowed", 1000),
        ("text/plain", 700),
        ("text/html", 300),
        ("image/jpeg", 500),
        ("text/plain;format=fixed", 400),
        ("text/html;level=3", 300),
    ];
    for (media, thousandths) in table {
        let quality = accept.quality(&media.parse().unwrap());
        assert_eq!(quality.thousandths(), thousandths, "{media}");
    }
}

#[test]
fn a_malformed_accept_is_an_error() {
    for bad in [
        "json",
        "a/b;q=2",
        "a/b;q=1.001",
        "a/b;q=0.1234",
        "a/b;q=",
        "a/b c/d",
        "a/b;q=.5",
    ] {
        assert!(
            Accept::from_headers(&headers(&ACCEPT, &[bad])).is_err(),
            "{bad}"
        );
    }
    let bytes = HeaderValue::from_bytes(b"a/\xFF").unwrap();
    let mut headers = HeaderMap::new();
    headers.insert(ACCEPT, bytes);
    assert!(Accept::from_headers(&headers).is_err());
}

#[test]
fn accept_encoding_chooses_by_weight_and_knows_when_nothing_is_acceptable() {
    let offered = [Coding::Zstd, Coding::Brotli, Coding::Gzip, Coding::Identity];
    let check = |field: &[&str], expected: Option<Coding>| {
        let accepted = AcceptEncoding::from_headers(&headers(&ACCEPT_ENCODING, field)).unwrap();
        assert_eq!(accepted.choose(&offered), expected, "{field:?}");
    };
    check(&[], Some(Coding::Identity));
    check(&[""], Some(Coding::Identity));
    check(&["gzip, deflate, br"], Some(Coding::Brotli));
    check(&["gzip;q=1.0, br;q=0.5"], Some(Coding::Gzip));
    check(&["X-GZIP"], Some(Coding::Gzip));
    check(&["gzip;q=0.001"], Some(Coding::Gzip));
    check(&["identity, gzip;q=0.5"], Some(Coding::Identity));
    check(&["*"], Some(Coding::Zstd));
    check(&["*;q=0, br"], Some(Coding::Brotli));
    check(&["*;q=0"], None);
    check(&["identity;q=0"], None);
    check(&["identity;q=0, compress"], None);
    check(&["*;q=0, identity;q=0.1"], Some(Coding::Identity));
    check(&["deflate"], Some(Coding::Identity));
    check(&["gzip;q=0", "zstd;q=0"], Some(Coding::Identity));
    for bad in [
        "gzip;q=2",
        "gzip br",
        "gzip;level=9",
        "gzip;q=1;x=1",
        "\"gzip\"",
    ] {
        let read = AcceptEncoding::from_headers(&headers(&ACCEPT_ENCODING, &[bad]));
        assert!(read.is_err(), "{bad}");
    }
}

#[test]
fn vary_names_each_field_once() {
    let fields = [ACCEPT, ACCEPT_ENCODING, ACCEPT];
    assert_eq!(text(vary(&fields)), "accept, accept-encoding");
    assert_eq!(text(vary(&[])), "(none)");
}

#[test]
fn media_types_are_compared_without_case() {
    let media: MediaType = "Application/Merge-Patch+JSON ; Charset=\"UTF-8\""
        .parse()
        .unwrap();
    assert_eq!(media.essence(), "application/merge-patch+json");
    assert!(media.is_json() && media.is_utf8());
    let latin: MediaType = "application/json;charset=iso-8859-1".parse().unwrap();
    assert!(!latin.is_utf8());
    for bad in [
        "",
        "json",
        "a/",
        "/b",
        "a/b;c=",
        "a/b, c/d",
        "a b/c",
        "a/b; c=d e",
    ] {
        assert!(bad.parse::<MediaType>().is_err(), "{bad}");
    }
}

#[test]
fn a_digest_is_a_structured_field_of_its_algorithms_length() {
    // RFC 9530, appendix B.1: {"hello": "world"} and a line feed.
    let value = "sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:";
    let read = digests(&headers(&REPR_DIGEST, &[value]), &REPR_DIGEST).unwrap();
    assert_eq!(read.len(), 1);
    let (algorithm, hash) = &read[0];
    assert_eq!(text(digest_value(*algorithm, hash)), value);
    assert_eq!(digest_value(DigestAlgorithm::Sha512, hash), None);
    let several = [value, "unixsum=30637, sha-512=:AA==:"];
    assert!(digests(&headers(&REPR_DIGEST, &several), &REPR_DIGEST).is_err());
    assert!(digests(&headers(&REPR_DIGEST, &["sha-256=abc"]), &REPR_DIGEST).is_err());
    assert_eq!(digests(&HeaderMap::new(), &REPR_DIGEST).unwrap(), []);
}

#[test]
fn want_repr_digest_chooses_the_highest_preference() {
    let want = |value: &str| wanted_digest(&headers(&WANT_REPR_DIGEST, &[value]));
    assert_eq!(
        want("sha-256=10, sha-512=3").unwrap(),
        Some(DigestAlgorithm::Sha256)
    );
    assert_eq!(
        want("sha-256=1, sha-512=3").unwrap(),
        Some(DigestAlgorithm::Sha512)
    );
    assert_eq!(
        want("sha-512=3, sha-256=3").unwrap(),
        Some(DigestAlgorithm::Sha256)
    );
    assert_eq!(want("sha-256=0, unixsum=10").unwrap(), None);
    assert_eq!(wanted_digest(&HeaderMap::new()).unwrap(), None);
    for bad in [
        "sha-256=11",
        "sha-256=-1",
        "sha-256",
        "sha-256=(1)",
        "SHA-256=1",
        "sha-256=1,",
    ] {
        assert!(want(bad).is_err(), "{bad}");
    }
}

#[test]
fn traceparent_is_read_as_the_specification_says() {
    let valid = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let parent = TraceParent::parse(valid).unwrap();
    assert!(parent.is_sampled());
    assert_eq!(parent.to_header_value().to_str().unwrap(), valid);
    let child = parent.child([7; 8]).unwrap();
    assert_eq!(
        child.to_string(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0707070707070707-01"
    );
    let later = "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fe-what-follows";
    let later = TraceParent::parse(later).unwrap();
    assert_eq!(
        later.to_string(),
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"
    );
    let bad = [
        "",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.more",
        "00-4bf92f3577b34da6a3ce929d0e0e473-600f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e47\u{e9}-00f067aa0ba902b7-01",
    ];
    for text in bad {
        assert_eq!(TraceParent::parse(text), None, "{text}");
    }
    assert_eq!(
        TraceParent::from_headers(&headers(&TRACEPARENT, &[valid, valid])),
        None
    );
    assert_eq!(
        TraceParent::from_headers(&headers(&TRACEPARENT, &[valid])),
        Some(parent)
    );
}
