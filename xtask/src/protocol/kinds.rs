//! Every kind of response there is, each with a request that brings it about.

/// A request and the status it must bring.
#[derive(Debug)]
pub(super) struct Kind {
    /// The method.
    pub(super) method: &'static str,
    /// The request target. `{oldest}` and `{head}` stand for positions of the roads' changes.
    pub(super) target: &'static str,
    /// Request fields.
    pub(super) fields: &'static [(&'static str, &'static str)],
    /// The request's content, empty for none.
    pub(super) body: &'static str,
    /// The status it must bring.
    pub(super) status: u16,
}

const JSON: (&str, &str) = ("Content-Type", "application/json");
const MERGE: (&str, &str) = ("Content-Type", "application/merge-patch+json");
const ROAD: &str = r#"{ "name": "A", "length": 7 }"#;

const fn fetch(target: &'static str, status: u16) -> Kind {
    Kind {
        method: "GET",
        target,
        fields: &[],
        body: "",
        status,
    }
}

const fn fetch_with(
    target: &'static str,
    fields: &'static [(&'static str, &'static str)],
    status: u16,
) -> Kind {
    Kind {
        method: "GET",
        target,
        fields,
        body: "",
        status,
    }
}

const fn send(
    method: &'static str,
    target: &'static str,
    fields: &'static [(&'static str, &'static str)],
    body: &'static str,
    status: u16,
) -> Kind {
    Kind {
        method,
        target,
        fields,
        body,
        status,
    }
}

/// In order: what one brings about, a later one may rely on.
pub(super) const KINDS: &[Kind] = &[
    fetch("/v1/", 200),
    fetch("/v1/health", 200),
    fetch("/v1/-/ready", 200),
    fetch("/v1/openapi.json", 200),
    fetch("/v1/-/metrics", 200),
    fetch("/.well-known/api-catalog", 200),
    fetch("/v1/-/collections/roads", 200),
    fetch("/v1/-/problems/preconditionRequired", 200),
    fetch("/v1/roads", 200),
    fetch("/v1/roads?pageSize=2", 200),
    fetch("/v1/roads?length=gte:200&sort=-length", 200),
    fetch("/v1/roads?select=name", 200),
    fetch("/v1/roads/-/milestones", 200),
    fetch("/v1/roads/r1", 200),
    fetch("/v1/roads/r1/versions", 200),
    fetch("/v1/roads/changes", 200),
    fetch("/v1/roads/changes/{oldest}?pageSize=1", 200),
    fetch("/v1/roads/changes/{head}", 200),
    fetch("/v1/roads/changes/{head}?length=gte:200&select=name", 200),
    fetch("/v1/roads/changes/{head}?wait=1", 200),
    fetch("/v1/roads/changes/{oldest}?versions=all", 200),
    fetch("/v1/roads/-/milestones/changes/{oldest}", 200),
    fetch("/v1/-/changes", 200),
    fetch("/v1/-/changes/{oldest}?pageSize=1", 200),
    fetch("/v1/-/snapshots/{head}?pageSize=2", 200),
    fetch_with(
        "/v1/roads/changes/{head}",
        &[("Accept", "text/event-stream")],
        200,
    ),
    fetch_with("/v1/roads/changes/{head}", &[("If-None-Match", "*")], 304),
    fetch("/v1/roads/changes/{head}?wait=0", 308),
    fetch("/v1/roads/changes/{head}?sort=name", 400),
    fetch("/v1/roads/changes/yesterday", 400),
    fetch("/v1/roads/changes/zzzz.1-0000", 410),
    fetch("/v1/-/changes/zzzz.1-0000", 410),
    fetch_with("/v1/roads/r1", &[("If-None-Match", "*")], 304),
    fetch_with("/v1/roads", &[("Accept-Encoding", "gzip")], 200),
    fetch_with("/v1/roads", &[("Accept-Encoding", "br")], 200),
    fetch_with("/v1/roads/r1", &[("Want-Repr-Digest", "sha-256=1")], 200),
    send("OPTIONS", "/v1/roads/r1", &[], "", 204),
    send("PUT", "/v1/roads/new", &[JSON], ROAD, 201),
    send("POST", "/v1/roads", &[JSON], ROAD, 201),
    send(
        "PUT",
        "/v1/roads/r2/milestones/first",
        &[JSON],
        r#"{ "distance": 9 }"#,
        204,
    ),
    send(
        "PATCH",
        "/v1/roads/r2/milestones/first",
        &[MERGE],
        r#"{ "distance": 10 }"#,
        204,
    ),
    send("DELETE", "/v1/roads/r2/milestones/first", &[], "", 204),
    send("PUT", "/v1/roads/r1", &[JSON], ROAD, 428),
    send(
        "PUT",
        "/v1/roads/r1",
        &[JSON, ("If-None-Match", "*")],
        ROAD,
        412,
    ),
    send(
        "PUT",
        "/v1/roads/bad",
        &[JSON],
        r#"{ "length": "long" }"#,
        400,
    ),
    send("PUT", "/v1/roads/bad", &[JSON], "{", 400),
    send(
        "PUT",
        "/v1/roads/bad",
        &[("Content-Type", "text/plain")],
        "road",
        415,
    ),
    send("DELETE", "/v1/roads", &[], "", 405),
    send("TRACE", "/v1/roads/r1", &[], "", 405),
    send("BREW", "/v1/roads/r1", &[], "", 501),
    fetch("/v1/roads?colour=red", 400),
    fetch("/v1/roads/none", 404),
    fetch("/v1/none", 404),
    fetch("/nowhere", 404),
    fetch_with("/v1/roads/r1", &[("Accept", "text/html")], 406),
];
