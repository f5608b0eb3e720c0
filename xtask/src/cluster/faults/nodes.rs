//! The cluster under faults: one after the other, each mended before the next.

use std::{net::SocketAddr, thread, time::Duration};

use super::{
    Options,
    fault::{ALL, Fault},
    replica::Replica,
    report::{Struck, table},
    rolling,
    site::Site,
    verdict,
};
use crate::{
    clock::Stopwatch,
    cluster::load::{Load, Running},
    say,
};

/// How long a fault lasts: longer than Patroni takes to notice.
const LASTING: Duration = Duration::from_secs(7);
/// A node that is killed is started again at once, as a service manager does.
const LASTING_SHORT: Duration = Duration::from_secs(2);
/// Longer than the balancer takes to notice.
const LEAVING: &str = "leaveSeconds=3";
/// Between one fault's end and the next.
const BETWEEN: Duration = Duration::from_secs(1);

/// Starts a cluster, lets faults strike, and judges.
///
/// # Errors
/// When the cluster doesn't recover, or a promise was broken.
pub(super) fn run(options: &Options) -> Result<(), String> {
    say::talk("starting etcd, Patroni, PostgreSQL and nodes, three of each …");
    strike(Site::start(&options.program, LEAVING)?, options)
}

/// Lets faults strike what runs already, and judges.
///
/// # Errors
/// When the cluster doesn't recover, or a promise was broken.
pub(super) fn strike(mut site: Site, options: &Options) -> Result<(), String> {
    site.limit(LEAVING);
    site.restart()?;
    let load = Load {
        doors: vec![site.balancer.address],
        clients: options.clients,
        followers: 4,
        pause: Duration::from_millis(100),
    };
    let running = load.begin()?;
    let replica = Replica::follow(&site, &options.program)?;
    let mut struck = Vec::new();
    let lasting = rolling::replace_all(&mut site, &running, &mut struck)
        .and_then(|()| let_strike(&mut site, &running, options, &mut struck));
    let begin = running.begin();
    let done = running.end()?;
    let addresses = site.addresses()?;
    say::data(&table(&struck, &done));
    // What was told before lasting harm was done is judged all the same.
    let answering: Vec<SocketAddr> = match lasting {
        Ok(()) => addresses,
        Err(_) => site.ready(),
    };
    let judged = verdict::judge(&done, &answering, &begin)
        .and_then(|()| rolling::judge(&struck, &done))
        .and_then(|()| replica.ends_equal(&site))
        .map_err(|reason| site.keep_logs(&reason));
    match (lasting, judged) {
        (Err(harm), Err(wrong)) => Err(format!("{harm}\n{wrong}")),
        (lasting, judged) => lasting.and(judged),
    }
}

/// One after the other, until the time is up or one does lasting harm.
fn let_strike(
    site: &mut Site,
    running: &Running,
    options: &Options,
    struck: &mut Vec<Struck>,
) -> Result<(), String> {
    let possible = possible(site);
    let watch = Stopwatch::start();
    for (number, fault) in possible.iter().cycle().enumerate() {
        if watch.elapsed() >= options.time {
            break;
        }
        // In each round others are struck, however many kinds there are.
        let number = number + number / possible.len();
        struck.push(one(*fault, number, site, running)?);
    }
    Ok(())
}

/// Those that can strike here; of the others is said why not.
fn possible(site: &Site) -> Vec<Fault> {
    let mut possible = Vec::new();
    for fault in ALL {
        match fault.obstacle(site) {
            None => possible.push(*fault),
            Some(why) => say::talk(&format!("{}: not tried, since {why}", fault.name())),
        }
    }
    possible
}

/// One fault, from its strike until everything is whole.
fn one(fault: Fault, number: usize, site: &mut Site, running: &Running) -> Result<Struck, String> {
    let from = running.now();
    let victim = fault
        .strike(site, number)
        .map_err(|reason| site.keep_logs(&reason))?;
    let lasting = match fault {
        Fault::KillNode => LASTING_SHORT,
        _ => LASTING,
    };
    thread::sleep(lasting);
    fault.mend(site, victim)?;
    let mended = running.now();
    site.wait_until_whole()?;
    thread::sleep(BETWEEN);
    let until = running.now();
    let seconds = |micros: u64| Duration::from_micros(micros).as_secs_f64();
    say::talk(&format!(
        "{:7.1} s  {}; whole again {:.1} s after it was mended",
        seconds(from),
        fault.name(),
        seconds(until - mended) - BETWEEN.as_secs_f64(),
    ));
    Ok(Struck {
        name: fault.name(),
        from,
        until,
    })
}
