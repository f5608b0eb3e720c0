//! The checks, a file each or one for several that look at the same thing: what is sent, and when that
//! is a finding.
//!
//! In the order in which they run: what only reads, what reads memory while its process lives, what also
//! restarts, what writes into the sandbox, and last what ends a login.

mod agent;
mod cookie;
mod create_only;
mod cursor;
mod deep_link;
mod described;
mod explicit;
mod fresh_connection;
mod growth;
mod handshake;
mod idempotency;
mod identity;
mod interleave;
mod labelled;
mod locks;
mod logout;
mod memory;
mod not_modified;
mod opening;
mod pages;
mod race;
mod replica;
mod residue;
mod restart;
mod rewind;
mod safe;
pub(crate) mod shuffle;
mod source;
mod stale_write;
mod stream;
mod strong;
mod subscription;
mod upgrade;
mod url_session;
mod validator;
mod walks;

use crate::{
    engine::{Scene, Stop},
    finding::Principle::{self, P1, P2, P3, P4, P5, P6, P7, P8},
};

/// One check.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) category: &'static str,
    pub(crate) principles: &'static [Principle],
    pub(crate) run: fn(&Scene<'_>) -> Result<(), Stop>,
}

const fn check(
    id: &'static str,
    category: &'static str,
    title: &'static str,
    principles: &'static [Principle],
    run: fn(&Scene<'_>) -> Result<(), Stop>,
) -> Check {
    Check {
        id,
        title,
        category,
        principles,
        run,
    }
}

const COOKIES: &str = "cookies";
const URLS: &str = "URLs and handshakes";
const CONNECTIONS: &str = "connections and addresses";
const ORDER: &str = "order of requests";
const REPLICAS: &str = "replicas and restarts";
const PAGES: &str = "pages";
const WRITES: &str = "conditional writes";
const CACHING: &str = "caching";
const REGISTRIES: &str = "locks, subscriptions, records";
const MEMORY: &str = "memory";
const DESCRIPTION: &str = "description";

/// Every check, in the order in which they run.
pub(crate) static CHECKS: &[Check] = &[
    check("SC-1", COOKIES, "set-cookie", &[P2, P8], cookie::classes),
    check("SC-2", COOKIES, "strip", &[P1], cookie::strip),
    check("SC-4", COOKIES, "accumulation", &[P5], cookie::accumulation),
    check("OR-1", ORDER, "shuffle", &[P1], shuffle::run),
    check("SC-3", COOKIES, "rewind", &[P2], rewind::run),
    check("UR-1", URLS, "URL session", &[P1, P2], url_session::run),
    check("HS-1", URLS, "handshake", &[P1], handshake::run),
    check(
        "CN-1",
        CONNECTIONS,
        "connection identity",
        &[P3],
        identity::run,
    ),
    check(
        "CN-2",
        CONNECTIONS,
        "fresh connection",
        &[P3],
        fresh_connection::run,
    ),
    check("IP-1", CONNECTIONS, "source address", &[P8], source::run),
    check("UA-1", CONNECTIONS, "user agent", &[P8], agent::run),
    check("OR-2", ORDER, "interleave", &[P2], interleave::run),
    check("OR-3", ORDER, "deep link", &[P1], deep_link::run),
    check("MT-1", ORDER, "safe methods", &[P1], safe::run),
    check("RP-3", REPLICAS, "affinity", &[P4], replica::affinity),
    check("RP-1", REPLICAS, "replica", &[P4], replica::run),
    check("CC-1", CACHING, "explicit", &[P6], explicit::run),
    check("CC-2", CACHING, "labelled right", &[P6, P8], labelled::run),
    check("CC-3", CACHING, "not modified", &[P6], not_modified::run),
    check("MM-1", MEMORY, "memory", &[P5], memory::run),
    check(
        "SB-1",
        REGISTRIES,
        "subscriptions",
        &[P5],
        subscription::run,
    ),
    check("SB-2", REGISTRIES, "upgrade", &[P3], upgrade::run),
    check("PG-1", PAGES, "next, cold", &[P1, P4], pages::cold),
    check("PG-2", PAGES, "a page twice", &[P2], walks::run),
    check("PG-3", PAGES, "opaque cursor", &[P2], cursor::run),
    check(
        "OA-1",
        DESCRIPTION,
        "described cookies",
        &[P1, P2],
        described::cookies,
    ),
    check(
        "OA-2",
        DESCRIPTION,
        "described Set-Cookie",
        &[P2],
        described::set_cookie,
    ),
    check(
        "OA-3",
        DESCRIPTION,
        "described logins",
        &[P2],
        described::logins,
    ),
    check(
        "OA-4",
        DESCRIPTION,
        "described callbacks",
        &[P5],
        described::callbacks,
    ),
    check(
        "OA-5",
        DESCRIPTION,
        "described streams",
        &[P5],
        described::streams,
    ),
    check(
        "OA-6",
        DESCRIPTION,
        "undescribed preconditions",
        &[P7],
        described::preconditions,
    ),
    check(
        "OA-7",
        DESCRIPTION,
        "undescribed caching",
        &[P6],
        described::caching,
    ),
    check("CA-1", WRITES, "validator", &[P7], validator::run),
    check("CA-2", WRITES, "stale write", &[P7], stale_write::run),
    check("CA-3", WRITES, "strong comparison", &[P7], strong::run),
    check(
        "CA-4",
        WRITES,
        "create-only, blind",
        &[P7],
        create_only::run,
    ),
    check("CA-5", WRITES, "race", &[P7], race::run),
    check("LK-1", REGISTRIES, "locks", &[P7, P2], locks::run),
    check(
        "IK-1",
        REGISTRIES,
        "idempotency keys",
        &[P5],
        idempotency::run,
    ),
    check("RP-2", REPLICAS, "restart", &[P4], restart::run),
    check("LG-1", ORDER, "logout", &[P2], logout::run),
];

/// Said by every check that writes, where it may not.
const NO_SANDBOX: &str = "needs --write and --sandbox PATH: a path below which it may write";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_has_an_id_of_its_own_and_a_principle() {
        let mut ids: Vec<&str> = CHECKS.iter().map(|check| check.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CHECKS.len());
        assert!(CHECKS.iter().all(|check| !check.principles.is_empty()));
    }
}
