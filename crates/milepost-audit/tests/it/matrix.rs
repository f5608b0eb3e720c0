//! The proof that the auditor works: every mutant is found by the check that is meant for it and by
//! no other than declared, and noise fails nothing. The table is `docs/audit/confusion.md`.

use std::{
    collections::BTreeSet,
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use milepost_audit::{Format, Level, Limits, Memory, Options, Report, Verdict, audit};

use crate::mutant::{Flaw, Mutant};

/// What a mutant must be found by, and at which level; and what else may be said of it.
struct Row {
    flaw: Flaw,
    by: &'static [&'static str],
    level: Level,
    also: &'static [&'static str],
}

const fn row(
    flaw: Flaw,
    level: Level,
    by: &'static [&'static str],
    also: &'static [&'static str],
) -> Row {
    Row {
        flaw,
        by,
        level,
        also,
    }
}

/// What state in a process's memory is found by, beside the check that is meant for it.
const MEMORY: &[&str] = &["OR-1", "RP-1", "RP-2", "CC-2"];

const VIOLATIONS: &[Row] = &[
    row(
        Flaw::CookieMap,
        Level::Bad,
        &["SC-3", "MM-1"],
        &["SC-1", "SC-2", "SC-4", "OR-1", "RP-1", "RP-2", "CC-2"],
    ),
    row(
        Flaw::RenewedCookie,
        Level::Bad,
        &["SC-3"],
        &["SC-1", "SC-2", "SC-4", "OR-1", "RP-1", "RP-2", "CC-2"],
    ),
    row(
        Flaw::UrlSession,
        Level::Bad,
        &["UR-1"],
        &["RP-1", "RP-2", "MT-1"],
    ),
    row(
        Flaw::BoundLink,
        Level::Warn,
        &["UR-1"],
        &["CN-2", "OR-3", "RP-1", "RP-2"],
    ),
    row(Flaw::HeaderHandshake, Level::Bad, &["HS-1"], &[]),
    row(
        Flaw::ConnectionAuth,
        Level::Bad,
        &["CN-1"],
        &["CN-2", "OR-1"],
    ),
    row(Flaw::MultiplexedAuth, Level::Bad, &["CN-1"], &[]),
    row(Flaw::SessionAuth, Level::Bad, &["CN-1"], &[]),
    row(Flaw::ConnectionMemory, Level::Bad, &["CN-2"], MEMORY),
    row(
        Flaw::SourceKey,
        Level::Warn,
        &["IP-1"],
        &["OR-1", "OR-2", "RP-1", "RP-2", "MT-1", "CN-2"],
    ),
    row(
        Flaw::SourceKey,
        Level::Bad,
        &["OR-2"],
        &["IP-1", "OR-1", "RP-1", "RP-2", "MT-1", "CN-2"],
    ),
    row(
        Flaw::AgentKey,
        Level::Warn,
        &["UA-1"],
        &["OR-1", "OR-2", "RP-1", "RP-2", "MT-1", "CN-2"],
    ),
    row(
        Flaw::LastSearch,
        Level::Bad,
        &["OR-1"],
        &["RP-1", "RP-2", "MT-1", "CN-2", "OR-2"],
    ),
    row(
        Flaw::WizardOrder,
        Level::Bad,
        &["OR-3"],
        &[
            "PG-1", "OR-1", "SC-1", "SC-2", "SC-3", "SC-4", "RP-1", "RP-2",
        ],
    ),
    row(
        Flaw::CursorInMemory,
        Level::Bad,
        &["PG-1"],
        &["PG-3", "RP-1", "RP-2"],
    ),
    row(
        Flaw::CursorInMemory,
        Level::Warn,
        &["PG-3"],
        &["PG-1", "RP-1", "RP-2"],
    ),
    row(
        Flaw::OneTimeCursor,
        Level::Bad,
        &["PG-2"],
        &["PG-1", "PG-3", "OR-3"],
    ),
    row(Flaw::DeletedCursor, Level::Warn, &["PG-3"], &[]),
    row(Flaw::LinkedCursor, Level::Warn, &["PG-3"], &[]),
    row(Flaw::IfMatchIgnored, Level::Bad, &["CA-2"], &["CA-5"]),
    row(
        Flaw::RefusedButDone,
        Level::Bad,
        &["CA-2"],
        &["CA-4", "CA-3", "CA-5"],
    ),
    row(Flaw::NonAtomicSwap, Level::Bad, &["CA-5"], &[]),
    row(Flaw::WeakComparison, Level::Warn, &["CA-3"], &[]),
    row(Flaw::ProcessTag, Level::Warn, &["CA-1"], &["RP-1", "RP-2"]),
    row(Flaw::ProcessSecret, Level::Bad, &["RP-1", "RP-2"], &[]),
    row(Flaw::LockTable, Level::Bad, &["LK-1"], &[]),
    row(Flaw::ClientMap, Level::Warn, &["MM-1"], &[]),
    row(Flaw::PrivateMarkedPublic, Level::Bad, &["CC-2"], &[]),
    row(Flaw::CookieForAll, Level::Bad, &["CC-2"], &[]),
    row(Flaw::UnsafeGet, Level::Warn, &["MT-1"], &[]),
    row(Flaw::NoCacheControl, Level::Warn, &["CC-1"], &[]),
    row(Flaw::NoNotModified, Level::Warn, &["CC-3"], &[]),
    row(Flaw::BlindOverwrite, Level::Warn, &["CA-4"], &[]),
    row(Flaw::NoTag, Level::Warn, &["CA-1"], &[]),
    row(Flaw::SameTag, Level::Bad, &["CA-1"], &["CA-5"]),
    row(Flaw::IdleCookie, Level::Warn, &["SC-1", "SC-4"], &[]),
    row(Flaw::Affinity, Level::Warn, &["RP-3"], &[]),
    row(Flaw::StreamRegistry, Level::Warn, &["SB-1"], &[]),
    row(Flaw::StreamResidue, Level::Warn, &["SB-1"], &[]),
    row(Flaw::DeafStream, Level::Warn, &["SB-1"], &[]),
    row(Flaw::StreamOfProcess, Level::Bad, &["SB-1"], &[]),
    row(Flaw::Upgrade, Level::Info, &["SB-2"], &[]),
    row(Flaw::ExtendedConnect, Level::Info, &["SB-2"], &[]),
    row(Flaw::IdempotencyRecord, Level::Info, &["IK-1"], &[]),
    row(Flaw::LogoutList, Level::Info, &["LG-1"], &[]),
    row(Flaw::LinkedLogout, Level::Info, &["LG-1"], &[]),
    row(Flaw::CookieDescribed, Level::Warn, &["OA-1"], &[]),
    row(Flaw::SetCookieDescribed, Level::Info, &["OA-2"], &[]),
    row(Flaw::LoginDescribed, Level::Info, &["OA-3"], &[]),
    row(Flaw::CallbackDescribed, Level::Info, &["OA-4"], &[]),
    row(Flaw::StreamDescribed, Level::Info, &["OA-5"], &[]),
    row(Flaw::ConditionUndescribed, Level::Info, &["OA-6"], &[]),
    row(Flaw::TagUndescribed, Level::Info, &["OA-6"], &[]),
    row(Flaw::CachingUndescribed, Level::Info, &["OA-7"], &[]),
];

/// What is no violation: the warnings that may be given, and never a failure.
const NOISE: &[(Flaw, &[&str])] = &[
    (Flaw::None, &[]),
    (Flaw::RandomFields, &[]),
    (Flaw::Clock, &[]),
    (Flaw::SlowClock, &[]),
    (Flaw::EchoedAgent, &[]),
    (Flaw::SharedCounter, &[]),
    (Flaw::ReplicaLag, &[]),
    (Flaw::ResourcesInMemory, &[]),
    (Flaw::AbCookie, &[]),
    (Flaw::RateLimit, &[]),
    (Flaw::ClientHeldSession, &["SC-2"]),
    (Flaw::SharedRecent, &["MT-1"]),
    (Flaw::CsrfCookie, &[]),
    (Flaw::SealedCursor, &[]),
    (Flaw::SignedLink, &[]),
    (Flaw::StreamForgotten, &[]),
    (Flaw::StreamForgottenLate, &[]),
    (Flaw::Compressed, &[]),
];

/// Audits a mutant with everything that the auditor can do.
pub(crate) fn audited(flaw: Flaw) -> Report {
    // Where only the description differs, only it is looked at.
    let only: Vec<String> = if flaw.is_described() {
        (1..=7).map(|number| format!("OA-{number}")).collect()
    } else {
        Vec::new()
    };
    audited_by(flaw, only)
}

/// Audits a mutant with some checks; all where none is named.
pub(crate) fn audited_by(flaw: Flaw, only: Vec<String>) -> Report {
    // Resources that live in one process are no service of two.
    let replicas = if flaw == Flaw::ResourcesInMemory {
        1
    } else {
        2
    };
    let mutant = Mutant::start(flaw, replicas);
    let measures = matches!(
        flaw,
        Flaw::CookieMap
            | Flaw::ClientMap
            | Flaw::None
            | Flaw::StreamResidue
            | Flaw::StreamForgotten
            | Flaw::StreamForgottenLate
    );
    let gauge = Memory::Gauge {
        url: format!("{}metrics", mutant.urls[0]),
        name: "heap_bytes".to_owned(),
    };
    let options = Options {
        url: mutant.urls[0].clone(),
        bearer: Some("token-a".to_owned()),
        bearer2: Some("token-b".to_owned()),
        sandbox: Some("/notes".to_owned()),
        replicas: mutant.urls[1..].to_vec(),
        restart: Some(mutant.restart()),
        authorities: mutant.authority.clone(),
        only,
        memory: measures.then_some(gauge),
        limits: Limits {
            memory_clients: 20,
            reaping: Duration::from_secs(1),
            exchange: Duration::from_secs(5),
            racers: 4,
            replica_lag: Duration::from_millis(120),
            clock: if flaw == Flaw::SlowClock {
                2 * crate::mutant::TICK
            } else {
                Duration::ZERO
            },
            ..Limits::default()
        },
        ..Options::default()
    };
    audit(&options, |_| {}).unwrap()
}

fn said(report: &Report, least: Level) -> BTreeSet<String> {
    let findings = report.findings().filter(|(_, level, _, _)| *level >= least);
    findings.map(|(check, _, _, _)| check.to_owned()).collect()
}

/// What is wrong with how a violation was found.
fn judged(row: &Row, report: &Report) -> Vec<String> {
    let flaw = row.flaw;
    let found = said(report, row.level);
    let missed = row.by.iter().filter(|check| !found.contains(**check));
    let mut wrong: Vec<String> = missed
        .map(|check| format!("{flaw:?}: not found by {check}"))
        .collect();
    let declared =
        |check: &String| row.by.contains(&check.as_str()) || row.also.contains(&check.as_str());
    let undeclared = said(report, Level::Warn)
        .into_iter()
        .filter(|check| !declared(check));
    // Of descriptions each word is a note of its own, and said by nobody else.
    let described = said(report, Level::Info);
    let described = described
        .iter()
        .filter(|check| check.starts_with("OA-") && !declared(check));
    let is_logout = |check: &&String| flaw == Flaw::LogoutList && *check == "OA-3";
    wrong.extend(
        described
            .filter(|check| !is_logout(check))
            .map(|check| format!("{flaw:?}: {check} reads something that is not there")),
    );
    wrong.extend(
        undeclared.map(|check| format!("{flaw:?}: found by {check}, which is not declared")),
    );
    if !wrong.is_empty() {
        wrong.push(report.write(Format::Terminal, false));
    }
    wrong
}

fn quiet(flaw: Flaw, allowed: &[&str], report: &Report) -> Vec<String> {
    let mut wrong: Vec<String> = said(report, Level::Bad)
        .iter()
        .map(|check| format!("{flaw:?}: {check} fails noise"))
        .collect();
    let warned = said(report, Level::Warn)
        .into_iter()
        .filter(|check| !allowed.contains(&check.as_str()));
    wrong.extend(
        warned.map(|check| format!("{flaw:?}: {check} warns of noise, which is not declared")),
    );
    if report.verdict() == Verdict::Stateful || report.verdict() == Verdict::Inconclusive {
        wrong.push(format!("{flaw:?}: {:?}", report.verdict()));
    }
    if !wrong.is_empty() {
        wrong.push(report.write(Format::Terminal, false));
    }
    wrong
}

/// Audits each of some mutants, a few at a time.
pub(crate) fn each<T: Sync>(rows: &[T], judge: impl Fn(&T) -> Vec<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let work = || {
        while let Some(row) = rows.get(next.fetch_add(1, Ordering::SeqCst)) {
            wrong.lock().unwrap().extend(judge(row));
        }
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(work);
        }
    });
    wrong.into_inner().unwrap()
}

#[test]
fn every_mutant_is_killed_by_its_named_check_and_by_no_undeclared_one() {
    let wrong = each(VIOLATIONS, |row| judged(row, &audited(row.flaw)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn noise_fails_nothing() {
    let wrong = each(NOISE, |(flaw, allowed)| {
        quiet(*flaw, allowed, &audited(*flaw))
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn on_the_clean_service_every_check_but_the_inapplicable_looks_at_something() {
    let report = audited(Flaw::None);
    let covered: BTreeSet<&str> = report.covered().collect();
    for check in [
        "OR-1", "CN-1", "IP-1", "RP-1", "RP-2", "PG-1", "CC-2", "CA-2", "CA-5", "MM-1", "LK-1",
        "LG-1", "OA-6",
    ] {
        assert!(
            covered.contains(check),
            "{check}: {}",
            report.write(Format::Terminal, false)
        );
    }
}

#[test]
fn the_published_table_is_the_one_that_is_tested() {
    let table = table();
    let published = include_str!("../../../../docs/audit/confusion.md");
    assert!(
        published.contains(&table),
        "docs/audit/confusion.md should hold:\n{table}"
    );
}

fn table() -> String {
    let mut table =
        "| mutant | must be found by | at least | may be found by too |\n|---|---|---|---|\n"
            .to_owned();
    for row in VIOLATIONS {
        let (by, also) = (row.by.join(", "), row.also.join(", "));
        let _ = writeln!(table, "| {:?} | {by} | {} | {also} |", row.flaw, row.level);
    }
    table.push_str("\n| noise | may be warned of by |\n|---|---|\n");
    for (flaw, allowed) in NOISE {
        let _ = writeln!(table, "| {flaw:?} | {} |", allowed.join(", "));
    }
    table
}
