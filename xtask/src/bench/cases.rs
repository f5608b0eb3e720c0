//! The cases at the main data set: reading, revalidating, listing, replacing.

use super::{
    Milepost,
    bare::Bare,
    load::{Ask, Reading, Writing, sync_rate},
    options::Options,
    peers::{self, Peer},
    report::{Goal, Report},
    rounds::{Comparison, Contestant, interleave},
};

/// The document whose answer's fields the bare servers send.
const ANY: &str = "/v1/documents/d00000000000042";
/// The list whose answer they send.
const LIST: &str = "/v1/documents?pageSize=100";
/// How many documents are replaced: each load first reads their tags, all of them.
const WRITTEN_MAX: u32 = 10_000;
/// The block that one commit of a document of 1 KB adds to a log, at least.
const BLOCK: u32 = 4096;
/// What no write over the same connections can be faster than.
const ROUND_TRIP: &str = "a GET over the same connections";

/// Measures all cases that are wanted.
///
/// # Errors
/// When a measurement of Milepost fails.
pub(super) fn measure(options: &Options, report: &mut Report) -> Result<(), String> {
    if !["get", "not-modified", "list", "put"]
        .iter()
        .any(|part| options.wants(part))
    {
        return Ok(());
    }
    let milepost = Milepost::with_documents("main", options.documents)?;
    let mut peers = peers::start(options, report);
    if options.wants("get") {
        get(options, &milepost, &peers, report)?;
    }
    if options.wants("not-modified") {
        not_modified(options, &milepost, report)?;
    }
    if options.wants("list") {
        list(options, &milepost, &peers, report)?;
    }
    if options.wants("put") {
        put(options, &milepost, &mut peers, report)?;
    }
    memory(&milepost, report);
    Ok(())
}

fn get(
    options: &Options,
    milepost: &Milepost,
    peers: &[Peer],
    report: &mut Report,
) -> Result<(), String> {
    let bare = Bare::sending(milepost, ANY, &[], 200, options.documents)?;
    let asks: Vec<Ask> = (0..options.documents)
        .map(|key| Ask::get(format!("/v1/documents/d{key:014}")))
        .collect();
    let reading = Reading::new("get", &asks, options.seconds)?;
    let mut contestants = against_bare(&bare, milepost, &reading);
    for peer in peers {
        let reading = Reading::new(
            &format!("get-{}", peer.name),
            &peer.gets(options.documents),
            options.seconds,
        )?;
        contestants.push(Contestant::new(peer.name, move || {
            reading.measure(peer.address())
        }));
    }
    let goals = [
        Goal {
            against: "bare axum",
            ratio: 0.85,
        },
        Goal {
            against: "PocketBase",
            ratio: 15.0,
        },
        Goal {
            against: "etcd",
            ratio: 8.0,
        },
        Goal {
            against: "Kinto",
            ratio: 100.0,
        },
        Goal {
            against: "json-server",
            ratio: 20.0,
        },
    ];
    report.add(
        "GET of one document",
        &interleave(options.rounds, &mut contestants)?,
        &goals,
    );
    Ok(())
}

fn not_modified(options: &Options, milepost: &Milepost, report: &mut Report) -> Result<(), String> {
    let asks = milepost.revalidations()?;
    let first = asks.first().ok_or("no documents")?;
    let tag = first
        .fields
        .first()
        .and_then(|field| field.split_once(": "))
        .map_or("", |(_, tag)| tag);
    let bare = Bare::sending(milepost, &first.path, &[("If-None-Match", tag)], 304, 0)?;
    let reading = Reading::new("not-modified", &asks, options.seconds)?;
    let mut contestants = against_bare(&bare, milepost, &reading);
    let goals = [Goal {
        against: "bare axum",
        ratio: 0.85,
    }];
    let title = "GET of one document that did not change (304)";
    report.add(
        title,
        &interleave(options.rounds, &mut contestants)?,
        &goals,
    );
    Ok(())
}

fn list(
    options: &Options,
    milepost: &Milepost,
    peers: &[Peer],
    report: &mut Report,
) -> Result<(), String> {
    let bare = Bare::sending(milepost, LIST, &[], 200, 0)?;
    let reading = Reading::new("list", &[Ask::get(LIST)], options.seconds)?;
    let mut contestants = against_bare(&bare, milepost, &reading);
    for peer in peers {
        let Some(ask) = peer.list() else { continue };
        let reading = Reading::new(&format!("list-{}", peer.name), &[ask], options.seconds)?;
        contestants.push(Contestant::new(peer.name, move || {
            reading.measure(peer.address())
        }));
    }
    let goals = [
        Goal {
            against: "bare axum",
            ratio: 0.5,
        },
        Goal {
            against: "PocketBase",
            ratio: 20.0,
        },
        Goal {
            against: "json-server",
            ratio: 20.0,
        },
    ];
    report.add(
        "A list page of 100 documents",
        &interleave(options.rounds, &mut contestants)?,
        &goals,
    );
    Ok(())
}

fn against_bare<'a>(
    bare: &'a Bare,
    milepost: &'a Milepost,
    reading: &'a Reading,
) -> Vec<Contestant<'a>> {
    vec![
        Contestant::new("bare axum", || reading.measure(bare.axum.address)),
        Contestant::new("bare hyper", || reading.measure(bare.hyper.address)),
        Contestant::new("Milepost", || reading.measure(milepost.process.address)),
    ]
}

fn put(
    options: &Options,
    milepost: &Milepost,
    peers: &mut [Peer],
    report: &mut Report,
) -> Result<(), String> {
    for (connections, ratio) in [(1, 0.6), (64, 4.0)] {
        let writing = |dialect, keys| Writing {
            dialect,
            connections,
            keys,
            seconds: options.seconds,
        };
        let folder = milepost.data();
        let gets = Reading::new("get-one", &[Ask::get(ANY)], options.seconds)?.over(connections);
        let mut contestants = vec![
            Contestant::new("disk: append 4 KiB and sync", || {
                sync_rate(folder, BLOCK, options.seconds)
            }),
            Contestant::new("Milepost", || {
                writing("milepost", options.documents.min(WRITTEN_MAX))
                    .measure(milepost.process.address)
            }),
            Contestant::new(ROUND_TRIP, || gets.measure(milepost.process.address)),
        ];
        for peer in peers.iter() {
            let measure = move || writing(peer.dialect, peer.written).measure(peer.address());
            contestants.push(Contestant::new(peer.name, measure));
        }
        let mut goals = vec![Goal {
            against: "disk",
            ratio,
        }];
        if connections == 64 {
            goals.extend([
                Goal {
                    against: "PocketBase",
                    ratio: 8.0,
                },
                Goal {
                    against: "etcd",
                    ratio: 2.0,
                },
                Goal {
                    against: "Kinto",
                    ratio: 50.0,
                },
                Goal {
                    against: "json-server",
                    ratio: 20.0,
                },
            ]);
        }
        let title = format!("Durable conditional PUT, {connections} connection(s)");
        let comparison = interleave(options.rounds, &mut contestants)?;
        report.add(&title, &comparison, &goals);
        if connections == 1 {
            one_after_the_other(&comparison, report);
        }
    }
    Ok(())
}

/// What one connection's request waits for at least: a sync, and a round trip.
fn one_after_the_other(comparison: &Comparison, report: &mut Report) {
    let milliseconds = |index| 1000.0 / comparison.median(index);
    let (sync, put, round_trip) = (milliseconds(0), milliseconds(1), milliseconds(2));
    report.line(&format!(
        "\nA PUT took {put:.2} ms: a sync takes {sync:.2} ms, a request and its answer {round_trip:.2} ms \
         ({:.2} of the sync rate, one after the other).",
        sync / (sync + round_trip)
    ));
}

fn memory(milepost: &Milepost, report: &mut Report) {
    let mib = |name| milepost.process.memory_kib(name).unwrap_or_default() / 1024;
    let (now, most) = (mib("VmRSS"), mib("VmHWM"));
    report.line(&format!(
        "\nResident memory after these cases: {now} MiB, at most {most} MiB."
    ));
}
