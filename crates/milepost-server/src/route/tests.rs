//! Paths and what they name.

use milepost_store::{CollectionPath, ParentPath, ResourceKey, Scope};

use super::{Address, Followed, Route, Stray, parse};
use crate::pages::Page;

fn route(path: &str) -> Route<'_> {
    parse("/v1", path).unwrap_or_else(|stray| panic!("{path}: {stray:?}"))
}

fn key(collection: &str, parent: &str, id: &str) -> ResourceKey {
    ResourceKey {
        collection: CollectionPath::parse(collection).unwrap(),
        parent: ParentPath::from_stored(parent),
        id: id.parse().unwrap(),
    }
}

fn address(collection: &str, scope: Scope) -> Address {
    Address {
        collection: CollectionPath::parse(collection).unwrap(),
        scope,
    }
}

fn of(parent: &str) -> Scope {
    Scope::Of(ParentPath::from_stored(parent))
}

fn below(parent: &str) -> Scope {
    Scope::Below(ParentPath::from_stored(parent))
}

#[test]
fn every_kind_of_url_is_told_from_the_others() {
    assert_eq!(route("/v1"), Route::Page(Page::Service));
    assert_eq!(route("/v1/"), Route::Page(Page::Service));
    assert_eq!(route("/v1/health"), Route::Page(Page::Health));
    assert_eq!(route("/v1/-/health"), Route::Page(Page::Health));
    assert_eq!(route("/v1/-/ready"), Route::Page(Page::Ready));
    assert_eq!(
        route("/.well-known/api-catalog"),
        Route::Page(Page::ApiCatalog)
    );
    assert_eq!(
        route("/v1/-/problems/notFound"),
        Route::Page(Page::Problem("notFound"))
    );
    assert_eq!(route("/v1/a"), Route::Collection(address("a", of(""))));
    assert_eq!(route("/v1/a/1"), Route::Resource(key("a", "", "1")));
    assert_eq!(
        route("/v1/a/1/b"),
        Route::Collection(address("a.b", of("1")))
    );
    assert_eq!(
        route("/v1/a/1/b/2/c/3"),
        Route::Resource(key("a.b.c", "1/2", "3"))
    );
    assert_eq!(
        route("/v1/a/1/versions"),
        Route::Versions(key("a", "", "1"))
    );
    assert_eq!(
        route("/v1/a/1/b/2/versions/k.1-0000"),
        Route::Version {
            key: key("a.b", "1", "2"),
            at: "k.1-0000"
        }
    );
    assert_eq!(
        route("/v1/a/changes"),
        Route::Changes {
            followed: Followed::Collection(address("a", of(""))),
            after: None
        }
    );
    assert_eq!(
        route("/v1/a/1/b/changes/x"),
        Route::Changes {
            followed: Followed::Collection(address("a.b", of("1"))),
            after: Some("x")
        }
    );
    assert_eq!(
        route("/v1/a/snapshots/x"),
        Route::Snapshot {
            followed: Followed::Collection(address("a", of(""))),
            at: "x"
        }
    );
    assert_eq!(
        route("/v1/-/collections"),
        Route::Collection(address("-.collections", of("")))
    );
    assert_eq!(
        route("/v1/-/collections/a.b"),
        Route::Resource(key("-.collections", "", "a.b"))
    );
    assert_eq!(
        route("/v1/-/transactions/x"),
        Route::Transaction { id: "x" }
    );
}

#[test]
fn hyphens_stand_for_all_parents_at_the_end_of_the_path_only() {
    assert_eq!(
        route("/v1/a/-/b"),
        Route::Collection(address("a.b", below("")))
    );
    assert_eq!(
        route("/v1/a/-/b/-/c"),
        Route::Collection(address("a.b.c", below("")))
    );
    assert_eq!(
        route("/v1/a/1/b/-/c"),
        Route::Collection(address("a.b.c", below("1")))
    );
    assert_eq!(
        route("/v1/a/-/b/snapshots/x"),
        Route::Snapshot {
            followed: Followed::Collection(address("a.b", below(""))),
            at: "x"
        }
    );
    for path in ["/v1/a/-", "/v1/a/-/b/1", "/v1/a/-/b/1/c", "/v1/a/-/b/-"] {
        assert!(
            matches!(parse("/v1", path), Err(Stray::Nowhere(_))),
            "{path}"
        );
    }
}

#[test]
fn everything_has_changes_and_snapshots_of_its_own() {
    let (followed, after) = (Followed::Everything, Some("x"));
    assert_eq!(route("/v1/-/changes/x"), Route::Changes { followed, after });
    let (followed, after) = (Followed::Everything, None);
    assert_eq!(route("/v1/-/changes"), Route::Changes { followed, after });
    let (followed, at) = (Followed::Everything, "x");
    assert_eq!(route("/v1/-/snapshots/x"), Route::Snapshot { followed, at });
}

#[test]
fn a_base_may_be_empty_or_deep() {
    assert_eq!(parse("", "/a/1"), Ok(Route::Resource(key("a", "", "1"))));
    assert_eq!(parse("", "/"), Ok(Route::Page(Page::Service)));
    assert_eq!(
        parse("/x/v1", "/x/v1/a/1"),
        Ok(Route::Resource(key("a", "", "1")))
    );
    assert!(matches!(parse("/v1", "/v1a"), Err(Stray::Nowhere(_))));
}

#[test]
fn no_path_makes_the_parser_panic() {
    let pieces = [
        "",
        "-",
        "a",
        "A",
        "%",
        "%2F",
        "%61",
        ".",
        "..",
        "ü",
        "changes",
        "snapshots",
        "versions",
        "\0",
    ];
    for one in pieces {
        for two in pieces {
            for three in pieces {
                drop(parse("/v1", &format!("/v1/{one}/{two}/{three}")));
                drop(parse("/v1", &format!("/v1/-/{one}/{two}{three}")));
            }
        }
    }
}

#[test]
fn a_redirect_leads_to_a_route() {
    let Err(Stray::Elsewhere(path)) = parse("/v1", "/v1/%61/%31/b") else {
        panic!("no redirect")
    };
    assert_eq!(path, "/v1/a/1/b");
    assert!(parse("/v1", &path).is_ok());
}
