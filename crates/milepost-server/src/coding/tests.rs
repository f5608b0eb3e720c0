//! What a coded response promises.

use std::io::Read;

use super::*;

fn json(bytes: usize) -> Response<Body> {
    let body = format!("[\"{}\"]", "abc ".repeat(bytes / 4));
    Response::builder()
        .header(CONTENT_TYPE, "application/json")
        .header(ETAG, "\"k3.7-abcd\"")
        .header(VARY, "Accept")
        .body(Body::from(body.into_bytes()))
        .unwrap()
}

fn asking(accept: &str) -> HeaderMap {
    HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_str(accept).unwrap())])
}

fn bytes(response: &Response<Body>) -> Vec<u8> {
    response.body().as_full().unwrap().to_vec()
}

fn decoded(coding: &str, coded: &[u8]) -> Vec<u8> {
    let mut plain = Vec::new();
    match coding {
        "gzip" => flate2::read::GzDecoder::new(coded)
            .read_to_end(&mut plain)
            .unwrap(),
        "br" => brotli::Decompressor::new(coded, 4096)
            .read_to_end(&mut plain)
            .unwrap(),
        "zstd" => zstd::Decoder::new(coded)
            .unwrap()
            .read_to_end(&mut plain)
            .unwrap(),
        other => panic!("{other}"),
    };
    plain
}

fn varies(response: &Response<Body>) -> bool {
    let mut values = response.headers().get_all(VARY).iter();
    values.any(|value| value == "Accept-Encoding")
}

#[tokio::test]
async fn a_coded_variant_has_its_own_tag_and_decodes_to_the_same_bytes() {
    for length in [2_000, 300_000] {
        for coding in ["gzip", "br", "zstd"] {
            let response = apply(&asking(coding), json(length)).await;
            let fields = response.headers();
            assert_eq!(fields[CONTENT_ENCODING], coding);
            assert_eq!(fields[ETAG], format!("\"k3.7-abcd+{coding}\""));
            assert!(varies(&response));
            assert!(bytes(&response).len() < length / 2);
            assert_eq!(decoded(coding, &bytes(&response)), bytes(&json(length)));
        }
    }
}

#[tokio::test]
async fn who_asks_for_nothing_gets_the_bytes_as_stored_and_caches_are_told() {
    for request in [
        HeaderMap::new(),
        asking("identity"),
        asking(""),
        asking("deflate"),
        asking("gzip;q=0"),
        asking("gzip;q=2"),
    ] {
        let response = apply(&request, json(2_000)).await;
        assert_eq!(bytes(&response), bytes(&json(2_000)), "{request:?}");
        assert_eq!(response.headers()[ETAG], "\"k3.7-abcd\"");
        assert!(!response.headers().contains_key(CONTENT_ENCODING));
        assert!(varies(&response));
    }
}

#[tokio::test]
async fn the_weights_of_the_client_come_before_the_likes_of_the_server() {
    for (accept, coding) in [
        ("gzip, deflate, br, zstd", "zstd"),
        ("gzip;q=1, br;q=0.9", "gzip"),
        ("*", "zstd"),
        ("*;q=0.5, gzip", "gzip"),
        ("identity;q=0.1, br;q=0.2", "br"),
    ] {
        let response = apply(&asking(accept), json(2_000)).await;
        assert_eq!(response.headers()[CONTENT_ENCODING], coding, "{accept}");
    }
}

#[tokio::test]
async fn what_is_short_coded_or_not_to_be_touched_is_sent_as_it_is() {
    let with = |name, value| {
        let mut response = json(2_000);
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
        response
    };
    for response in [
        json(500),
        with(CONTENT_ENCODING, "gzip"),
        with(CACHE_CONTROL, "public, no-transform"),
        with(CONTENT_TYPE, "image/png"),
    ] {
        let before = (response.headers().clone(), bytes(&response));
        let after = apply(&asking("gzip"), response).await;
        assert_eq!((after.headers().clone(), bytes(&after)), before);
    }
}

#[tokio::test]
async fn a_weak_tag_says_nothing_about_bytes_and_stays() {
    let mut response = json(2_000);
    response
        .headers_mut()
        .insert(ETAG, HeaderValue::from_static("W/\"x\""));
    let response = apply(&asking("gzip"), response).await;
    assert_eq!(response.headers()[ETAG], "W/\"x\"");
}
