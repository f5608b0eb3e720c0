//! What paths name, and the tricks that are played with them.

use crate::scene::Scene;

#[tokio::test]
async fn needless_percent_encoding_is_redirected_to_the_one_url() {
    let scene = Scene::with_accounts().await;
    for (url, canonical) in [
        ("/v1/accounts/%31%37", "/v1/accounts/17"),
        ("/v1/%61ccounts?owner=ada", "/v1/accounts?owner=ada"),
        ("/v1/accounts/a%7Eb/versions", "/v1/accounts/a~b/versions"),
    ] {
        let reply = scene.get(url).await;
        assert_eq!(
            (reply.status.as_u16(), reply.field("location")),
            (308, canonical)
        );
    }
}

#[tokio::test]
async fn percent_encoding_is_never_a_way_around() {
    let scene = Scene::with_accounts().await;
    for url in [
        "/v1/accounts/a%2Fb",
        "/v1/accounts/%00",
        "/v1/accounts/%2E%2E",
        "/v1/accounts/%2e",
        "/v1/accounts/..",
        "/v1/accounts/../secrets",
        "/v1/accounts/%252F",
        "/v1/accounts/a%2",
        "/v1/accounts/a%zz",
        "/v1/accounts/%ff",
        "/v1/accounts/%C3%BC",
        "/v1/accounts/a:b",
        "/v1/accounts/a;b",
        "/v1/accounts/a@b",
    ] {
        scene.get(url).await.is_problem(400, "invalidId");
        scene.put(url, "{}").await.is_problem(400, "invalidId");
    }
    assert!(scene.get("/v1/accounts").await.ids().is_empty());
}

#[tokio::test]
async fn there_are_no_trailing_slashes() {
    let scene = Scene::with_accounts().await;
    scene.made("/v1/accounts/17", "{}").await;
    for url in [
        "/v1/accounts/",
        "/v1/accounts/17/",
        "/v1//accounts",
        "/v1/accounts//17",
        "/v1/-/collections/",
        "/v1/accounts/17/versions/",
        "/",
        "/v2/accounts",
        "/v1x/accounts",
        "/accounts",
        "/v1/-",
        "/v1/-/unknown",
        "/v1/Accounts",
        "/v1/accounts/snapshots",
    ] {
        let status = scene.get(url).await.status.as_u16();
        assert!(matches!(status, 404 | 400), "{url}: {status}");
    }
    for url in ["/v1/accounts/", "/v1//accounts", "/v1/accounts/17/"] {
        scene.get(url).await.is_problem(404, "notFound");
    }
}

#[tokio::test]
async fn an_id_has_a_length() {
    let scene = Scene::with_accounts().await;
    let longest = "x".repeat(128);
    scene.made(&format!("/v1/accounts/{longest}"), "{}").await;
    scene
        .put(&format!("/v1/accounts/{longest}x"), "{}")
        .await
        .is_problem(400, "invalidId");
}

#[tokio::test]
async fn ids_that_are_names_of_the_service_s_own_can_not_be_written() {
    let scene = Scene::with_accounts().await;
    scene
        .put("/v1/accounts/changes", "{}")
        .await
        .is_problem(405, "methodNotAllowed");
    scene
        .put("/v1/accounts/snapshots", "{}")
        .await
        .is_problem(404, "notFound");
    scene.made("/v1/accounts/versions", "{}").await;
    scene.made("/v1/accounts/.hidden", "{}").await;
}

#[tokio::test]
async fn a_url_that_is_too_long_is_414() {
    let scene = Scene::with_accounts().await;
    scene
        .get(&format!("/v1/accounts?owner={}", "x".repeat(9000)))
        .await
        .is_problem(414, "uriTooLong");
    // Links say `%20` for `+`: what would be too long in them is too long at once.
    let url = |values: usize| {
        let values = (0..values).map(|value| format!("owner={value}{}", "x+".repeat(100)));
        format!("/v1/accounts?{}", values.collect::<Vec<_>>().join("&"))
    };
    let (spaced, shorter) = (url(21), url(19));
    assert!(spaced.len() < 8192);
    scene.get(&spaced).await.is_problem(414, "uriTooLong");
    let page = scene.get(&shorter).await.json();
    let resume = page["resume"].as_str().unwrap();
    assert_eq!(scene.get(&format!("{resume}&wait=0")).await.status, 308);
    assert_eq!(scene.get(resume).await.status, 200);
}

#[tokio::test]
async fn the_service_s_own_links_are_never_too_long_for_it() {
    let scene = Scene::with_accounts().await;
    let owner = "o".repeat(500);
    for id in 0..3 {
        scene
            .made(
                &format!("/v1/accounts/{id}"),
                &format!("{{\"owner\":\"{owner}\"}}"),
            )
            .await;
    }
    let mut url = format!("/v1/accounts?owner={owner}&pageSize=1");
    for other in 0.. {
        if url.len() > 8170 {
            break;
        }
        url.push_str(&format!("&owner=somebody-{other}"));
    }
    let mut seen = 0;
    loop {
        let page = scene.get(&url).await;
        assert_eq!(page.status, 200, "{} bytes", url.len());
        seen += page.ids().len();
        match page.json()["next"].as_str() {
            Some(next) => url = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, 3);
}
