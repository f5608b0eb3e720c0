//! A resource's retained versions.

use crate::scene::Scene;

const URL: &str = "/v1/accounts/17";

async fn edited() -> (Scene, Vec<String>) {
    let scene = Scene::with_accounts().await;
    let mut etags = vec![scene.made(URL, "{\"a\":1}").await];
    for value in 2..=4 {
        let body = format!("{{\"a\":{value}}}");
        let etag = scene
            .put_with(URL, &[("if-match", etags.last().unwrap())], &body)
            .await
            .etag();
        etags.push(etag);
    }
    (scene, etags)
}

fn position(etag: &str) -> &str {
    etag.trim_matches('"')
}

#[tokio::test]
async fn versions_are_listed_newest_first_and_each_stays_as_it_was() {
    let (scene, etags) = edited().await;
    let list = scene.get("/v1/accounts/17/versions").await;
    let document = list.json();
    let items = document["items"].as_array().unwrap();
    assert_eq!(items.len(), 4);
    for (item, (value, etag)) in items.iter().zip([1, 2, 3, 4].into_iter().zip(&etags).rev()) {
        assert_eq!(item["etag"], etag.as_str());
        assert_eq!(item["position"], position(etag));
        assert_eq!(item["modified"], "2023-11-14T22:13:20.000000Z");
        let version = scene.get(item["href"].as_str().unwrap()).await;
        assert_eq!(version.text(), format!("{{\"a\":{value}}}"));
        assert_eq!(version.etag(), *etag);
        assert_eq!(
            version.field("cache-control"),
            "public, max-age=31536000, immutable"
        );
    }
    assert_eq!(
        list.field("link"),
        "</v1/accounts/17>; rel=\"latest-version\""
    );
    let held = scene
        .get_with(
            "/v1/accounts/17/versions",
            &[("if-none-match", &list.etag())],
        )
        .await;
    assert_eq!(held.status, 304);
}

#[tokio::test]
async fn a_version_names_its_neighbours() {
    let (scene, etags) = edited().await;
    let version = scene
        .get(&format!("/v1/accounts/17/versions/{}", position(&etags[1])))
        .await;
    assert_eq!(
        version.field("link"),
        format!(
            "</v1/accounts/17>; rel=\"latest-version\", </v1/accounts/17/versions>; rel=\"version-history\", \
             </v1/accounts/17/versions/{}>; rel=\"predecessor-version\"",
            position(&etags[0])
        )
    );
}

#[tokio::test]
async fn a_long_history_is_paged() {
    let (scene, etags) = edited().await;
    let mut url = "/v1/accounts/17/versions?pageSize=3".to_owned();
    let mut seen = Vec::new();
    loop {
        let page = scene.get(&url).await.json();
        assert_eq!(page["self"], url.as_str());
        seen.extend(
            page["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|item| item["etag"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["next"].as_str() else {
            break;
        };
        url = next.to_owned();
    }
    assert_eq!(seen, etags.iter().rev().cloned().collect::<Vec<_>>());
}

#[tokio::test]
async fn a_deleted_resource_still_has_its_history() {
    let (scene, etags) = edited().await;
    scene
        .ask("DELETE", URL, &[("if-match", etags.last().unwrap())], "")
        .await;
    let list = scene.get("/v1/accounts/17/versions").await.json();
    assert_eq!(list["items"][0]["deleted"], true);
    let tombstone = list["items"][0]["position"].as_str().unwrap();
    scene
        .get(&format!("/v1/accounts/17/versions/{tombstone}"))
        .await
        .is_problem(404, "notFound");
    assert_eq!(
        scene
            .get(&format!("/v1/accounts/17/versions/{}", position(&etags[0])))
            .await
            .status,
        200
    );
}

#[tokio::test]
async fn versions_that_are_not_are_404_and_positions_that_are_none_400() {
    let (scene, _) = edited().await;
    scene
        .get("/v1/accounts/99/versions")
        .await
        .is_problem(404, "notFound");
    scene
        .get("/v1/accounts/17/versions/zz.1-0000")
        .await
        .is_problem(404, "notFound");
    scene
        .get("/v1/accounts/17/versions/latest")
        .await
        .is_problem(400, "invalidPosition");
    scene
        .get("/v1/accounts/17/versions?before=x")
        .await
        .is_problem(400, "invalidQuery");
    scene
        .get("/v1/accounts/17/versions?page=2")
        .await
        .is_problem(400, "invalidQuery");
}
