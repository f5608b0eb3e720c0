//! One node with a store of its own, killed and started again while clients go on.

use std::{thread, time::Duration};

use super::{
    Options, audited,
    report::{Struck, table},
    verdict,
};
use crate::{
    clock::Stopwatch,
    cluster::{load::Load, node::Node, place::Place},
    say,
};

const BETWEEN: Duration = Duration::from_secs(2);

/// Audits one that is left alone: whether its memory grows with its clients.
///
/// # Errors
/// What the auditor found.
pub(super) fn measure(options: &Options) -> Result<(), String> {
    let place = Place::make()?;
    let node = start(&place, options)?;
    audited::fill(node.address()?)?;
    audited::measure(&node, &place, &options.program)
}

fn start(place: &Place, options: &Options) -> Result<Node, String> {
    let host = place.network().host(21)?;
    let data = ["--data".to_owned(), "data".to_owned()];
    let mut node = Node::new(1, host, data.to_vec()).of(&options.program);
    node.start(place)?;
    node.wait_until_ready(place)?;
    Ok(node)
}

/// Kills it every few seconds, for as long as was asked for.
///
/// # Errors
/// When it does not come up again, or a promise was broken.
pub(super) fn run(options: &Options) -> Result<(), String> {
    let place = Place::make()?;
    let mut node = start(&place, options)?;
    let load = Load {
        doors: vec![node.address()?],
        clients: options.clients,
        followers: 4,
        pause: Duration::from_millis(50),
    };
    let running = load.begin()?;
    let watch = Stopwatch::start();
    let mut struck = Vec::new();
    while watch.elapsed() < options.time {
        thread::sleep(BETWEEN);
        let from = running.now();
        node.kill();
        node.start(&place)?;
        node.wait_until_ready(&place)?;
        thread::sleep(BETWEEN);
        let until = running.now();
        struck.push(Struck {
            name: "the node killed and started again",
            from,
            until,
        });
    }
    let begin = running.begin();
    let done = running.end()?;
    say::data(&table(&struck, &done));
    verdict::judge(&done, &[node.address()?], &begin)
}
