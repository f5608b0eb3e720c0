//! Grants that their holders narrowed, without a key and without asking anybody.

use milepost_server::{
    Keys,
    identity::{GrantError, Narrowing, narrowed},
};

use super::{
    granting::{URL, bank, below, beyond, grant, refused, ring, signed},
    stage::{NOW_S, get_as},
};

fn to_url(url: &str) -> Narrowing {
    Narrowing {
        url: Some(url.to_owned()),
        ..Narrowing::default()
    }
}

fn until(expires_s: u64) -> Narrowing {
    Narrowing {
        expires_s: Some(expires_s),
        ..Narrowing::default()
    }
}

#[tokio::test]
async fn a_holder_narrows_a_path_to_a_path_and_to_one_resource_and_for_a_shorter_while() {
    let scene = bank(&Keys::new(ring())).await;
    let whole = signed(&below("GET", "/v1"));
    let accounts = Narrowing {
        below: true,
        ..to_url("/v1/accounts")
    };
    let accounts = narrowed(&whole, &accounts).unwrap();
    for url in ["/v1/accounts", "/v1/accounts?pageSize=1", "/v1/accounts/2"] {
        assert_eq!(get_as(&scene, &accounts, url).await.status, 200, "{url}");
    }
    beyond(&get_as(&scene, &accounts, "/v1/").await, "was narrowed");
    let one = narrowed(&accounts, &to_url(URL)).unwrap();
    assert_eq!(get_as(&scene, &one, URL).await.status, 200);
    for url in [
        "/v1/accounts/2",
        "/v1/accounts/1?a=b",
        "/v1/accounts/1/versions",
        "/v1/",
    ] {
        beyond(&get_as(&scene, &one, url).await, "was narrowed");
    }
    assert_eq!(get_as(&scene, &whole, "/v1/").await.status, 200);
    let short = narrowed(&one, &until(NOW_S + 5)).unwrap();
    assert_eq!(get_as(&scene, &short, URL).await.status, 200);
    let longer = narrowed(&short, &until(NOW_S + 500)).unwrap();
    scene.clock.advance_s(5);
    refused(&get_as(&scene, &short, URL).await, "expired");
    refused(&get_as(&scene, &longer, URL).await, "expired");
    assert_eq!(get_as(&scene, &one, URL).await.status, 200);
}

/// So that a link can be made of a grant for long, by who holds it.
#[tokio::test]
async fn a_grant_for_long_that_was_narrowed_to_an_hour_may_stand_in_a_url() {
    let scene = bank(&Keys::new(ring())).await;
    let mut long = below("GET", "/v1/accounts");
    long.expires_s = NOW_S + 7 * 86_400;
    let long = signed(&long);
    let link = |grant: &str| format!("{URL}?access_token={grant}");
    let reply = scene.get(&link(&long)).await;
    reply.is_problem(400, "credentialsMalformed");
    let hour = narrowed(&long, &until(NOW_S + 3600)).unwrap();
    assert_eq!(scene.get(&link(&hour)).await.status, 200);
    let more = narrowed(&long, &until(NOW_S + 3661)).unwrap();
    let reply = scene.get(&link(&more)).await;
    reply.is_problem(400, "credentialsMalformed");
}

#[test]
fn who_narrows_to_what_a_grant_is_not_for_is_told_so() {
    let get = signed(&grant("GET", URL));
    let put = Narrowing {
        method: Some("PUT".to_owned()),
        ..Narrowing::default()
    };
    for wider in [put, to_url("/v1/accounts/2"), to_url("/v1/accounts/1?a=b")] {
        let told = narrowed(&get, &wider).unwrap_err();
        assert_eq!(
            told.to_string(),
            "the grant is for GET /v1/accounts/1, so it can't be narrowed to that"
        );
    }
    for text in ["", "no grant", "AAAA", &get[1..], &get[..get.len() - 4]] {
        let told = narrowed(text, &until(NOW_S + 5));
        assert!(
            matches!(told, Err(GrantError::Malformed { .. })),
            "{told:?}"
        );
    }
    let below = Narrowing {
        below: true,
        ..until(NOW_S + 5)
    };
    for nothing in [Narrowing::default(), below] {
        assert_eq!(narrowed(&get, &nothing), Err(GrantError::Nothing));
    }
    let mut often = get;
    for _ in 0..8 {
        often = narrowed(&often, &until(NOW_S + 5)).unwrap();
    }
    let told = narrowed(&often, &until(NOW_S + 5));
    assert_eq!(told, Err(GrantError::TooNarrow));
}

#[tokio::test]
async fn a_grant_that_was_narrowed_as_often_as_may_be_still_holds() {
    let scene = bank(&Keys::new(ring())).await;
    let mut often = signed(&below("GET", "/v1/accounts"));
    for _ in 0..8 {
        often = narrowed(&often, &to_url(URL)).unwrap();
    }
    assert_eq!(get_as(&scene, &often, URL).await.status, 200);
}
